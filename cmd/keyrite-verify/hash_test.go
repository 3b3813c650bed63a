package main

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/verify"
)

// TestHash takes the example "abc" of FIPS 180-4's test vectors.
func TestHash(t *testing.T) {
	dir := t.TempDir()
	abc, empty := filepath.Join(dir, "abc"), filepath.Join(dir, "empty")
	for file, text := range map[string]string{abc: "abc", empty: ""} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	if exit := run([]string{"hash", abc, empty}, verify.Terminal{Out: &out, Err: &errs}); exit != 0 || errs.Len() > 0 {
		t.Fatalf("exit %d: %s", exit, errs.String())
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 7+1+7+1 || lines[0] != abc || lines[7] != "" || lines[8] != empty {
		t.Fatalf("printed:\n%s", out.String())
	}
	if got := lines[1] + "\n" + lines[2]; got != "  ba7816bf 8f01cfea 414140de 5dae2223\n  b00361a3 96177a9c b410ff61 f20015ad" {
		t.Errorf("hex:\n%s", got)
	}
	if !strings.HasPrefix(lines[3], "  shadow indigo ") {
		t.Errorf("words: %q", lines[3])
	}
	words, err := audit.ParseWords(strings.Join(lines[3:7], " "))
	if got := hex.EncodeToString(words); err != nil || got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("the words stand for %s (%v)", got, err)
	}
	for _, c := range []struct {
		args []string
		exit int
		said string
	}{
		{[]string{"hash"}, verify.ExitUsage, "which file?"},
		{[]string{"hash", "--md5", abc}, verify.ExitUsage, "md5"},
		{[]string{"hash", abc, filepath.Join(dir, "none")}, verify.ExitUnreadable, "none: no such file"},
		{[]string{"hash", dir}, verify.ExitUnreadable, "is a directory"},
		{[]string{"hash", "--help"}, 0, "usage: keyrite-verify hash"},
	} {
		var both bytes.Buffer
		if exit := run(c.args, verify.Terminal{Out: &both, Err: &both}); exit != c.exit || !strings.Contains(both.String(), c.said) {
			t.Errorf("%v: exit %d, want %d; said %q, want %q", c.args, exit, c.exit, both.String(), c.said)
		}
	}
}
