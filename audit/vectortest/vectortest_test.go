package vectortest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit/vectortest"
)

// Each class of the document has vectors, and each vector is of one of them.
func TestClasses(t *testing.T) {
	all, err := vectortest.All()
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, v := range all {
		count[v.Class()]++
		if v.OK != (v.Class() == "ok") {
			t.Errorf("%s is of the wrong class", v.Name)
		}
	}
	want := []string{"chain", "checkpoint", "cosignature", "json", "ok", "segment", "store"}
	if got := slices.Sorted(maps.Keys(count)); !slices.Equal(got, want) {
		t.Errorf("classes %q, want %q", got, want)
	}
	for class, n := range count {
		if n < 8 {
			t.Errorf("only %d vectors of the class %s", n, class)
		}
	}
}

// A vector that is not in its one form is refused.
func TestParse(t *testing.T) {
	good := "keyrite test vector v1\nabout: x\nexpect: ok\ninput: log\nlines: 3\n\nabc"
	if v, err := vectortest.Parse("ok-x", []byte(good)); err != nil || string(v.JSONL()) != "abc" || len(v.Checkpoint()) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	for _, bad := range []string{
		"", "keyrite test vector v1\n", strings.Replace(good, "v1", "v2", 1), strings.Replace(good, "lines: 3", "lines: 4", 1),
		strings.Replace(good, "lines: 3", "lines: 03", 1), strings.Replace(good, "about", "abort", 1),
		strings.Replace(good, "expect: ok", "expect: okay", 1), strings.Replace(good, "about: x\nexpect: ok", "expect: ok\nabout: x", 1), strings.Replace(good, "lines: 3", "lines: x", 1),
	} {
		if v, err := vectortest.Parse("ok-x", []byte(bad)); err == nil {
			t.Errorf("%q was read as %+v", bad, v)
		}
	}
}
