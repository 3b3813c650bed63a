package bundle

import (
	"os"
	"path/filepath"
	"testing"
)

func TestGrow(t *testing.T) {
	for _, test := range []struct {
		name, old, grown string
		ok               bool
	}{
		{"new", "", "one\ntwo\n", true},
		{"more", "one\n", "one\ntwo\n", true},
		{"cut off in a line", "one\ntw", "one\ntwo\n", true},
		{"same", "one\n", "one\n", true},
		{"other", "eins\n", "one\ntwo\n", false},
		{"longer", "one\ntwo\n", "one\n", false},
	} {
		dir := t.TempDir()
		if test.old != "" {
			write(t, dir, LogFile, test.old)
		}
		if err := Grow(dir, LogFile, []byte(test.grown)); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
		want := test.grown
		if !test.ok {
			want = test.old
		}
		if b, err := os.ReadFile(filepath.Join(dir, LogFile)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", test.name, b, err)
		}
	}
}

func TestGrowLink(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ScriptFile, "x")
	if err := os.Symlink(ScriptFile, filepath.Join(dir, LogFile)); err != nil {
		t.Fatal(err)
	}
	if err := Grow(dir, LogFile, []byte("xy")); err == nil {
		t.Error("grew through a link")
	}
	if err := Grow(dir, "../x", nil); err == nil {
		t.Error("grew outside")
	}
}
