package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

var coreZero = regexp.MustCompile(`(?m)^Max core file size +0 +0 `)

func pid(c *terminal) string { return strconv.Itoa(c.cmd.Process.Pid) }

// planted are PINs that stand nowhere by chance.
var planted = pins{factory: "Muskat-Igel-9306", so: "Zinnober-Falke-7152", user: "Quitte-Otter-5829"}

// forms are the ways in which a secret could stand in a file.
func forms(secret string) map[string][]byte {
	m := map[string][]byte{
		"as it is": []byte(secret), "in hex": []byte(hex.EncodeToString([]byte(secret))),
	}
	for skip := range 3 { // base64 of three alignments, without what depends on the neighbours
		m[fmt.Sprintf("in base64 from byte %d", skip)] = []byte(base64.RawStdEncoding.EncodeToString([]byte(secret[skip:]))[:len(secret)])
	}
	for _, unit := range utf16.Encode([]rune(secret)) {
		m["in UTF-16"] = append(m["in UTF-16"], byte(unit>>8), byte(unit))
	}
	return m
}

// leaks says which of the secrets stand in b, and how; upper and lower case do
// not count.
func leaks(b []byte, secrets ...string) (found []string) {
	lower := bytes.ToLower(b)
	for _, s := range secrets {
		for how, form := range forms(s) {
			if bytes.Contains(lower, bytes.ToLower(form)) {
				found = append(found, fmt.Sprintf("%q %s", s, how))
			}
		}
	}
	return found
}

// TestLeaksAreFound plants a secret in each form and finds it.
func TestLeaksAreFound(t *testing.T) {
	for how, form := range forms(planted.user) {
		file := filepath.Join(t.TempDir(), "planted")
		if err := os.WriteFile(file, append(append(make([]byte, 5000), form...), "after"...), 0o600); err != nil {
			t.Fatal(err)
		}
		found := leaksBelow(t, filepath.Dir(file))
		if len(found) == 0 || !strings.Contains(found[0], planted.user) {
			t.Errorf("planted %s: found %v", how, found)
		}
	}
	if found := leaks([]byte("Quitte-Otter-582 8 and nothing else"), planted.user); found != nil {
		t.Errorf("found where it is not: %v", found)
	}
}

// leaksBelow looks through all files of a folder, for the planted PINs and more.
func leaksBelow(t *testing.T, dir string, more ...string) (found []string) {
	t.Helper()
	secrets := append([]string{planted.factory, planted.so, planted.user}, more...)
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for _, f := range leaks(b, secrets...) {
			found = append(found, path+": "+f)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("looking through %s: %d files, %v", dir, files, err)
	}
	return found
}

// TestSecrets holds a ceremony with planted PINs, mistypes some of them, pauses
// and looks for them in everything that is left: none but the token has them.
func TestSecrets(t *testing.T) {
	t.Parallel()
	s := setUp(t, "rehearsal")
	c := s.run()
	c.pins = planted
	c.until("Replace the factory SO-PIN")
	c.until("current SO-PIN")
	c.say(planted.so) // the wrong one
	c.until("How does the room go on?")
	c.say("again")
	c.until("The new SO-PIN again")
	c.say(planted.user) // the wrong one
	c.sees("the two entries differ")
	c.until("Generate the root key")
	c.until("current user PIN")
	c.keys(planted.user) // typed, not entered: it waits in the kernel
	copies := t.TempDir()
	for _, name := range []string{"cmdline", "environ", "status"} {
		keep(t, filepath.Join("/proc", pid(c), name), copies)
	}
	for _, name := range []string{"audit.db", "audit.db-wal", "audit.db-shm"} {
		keep(t, filepath.Join(s.out, name), copies)
	}
	c.ctrlC()
	c.say("pause", "to look around")
	c.exits(4)
	if err := os.CopyFS(filepath.Join(copies, "at-pause"), os.DirFS(s.out)); err != nil {
		t.Fatal(err)
	}
	again := s.resume()
	again.pins = planted
	again.ends(0)
	s.verified("CONSISTENT WITH ITSELF")

	for i, screen := range []string{c.screen(), again.screen()} {
		if found := leaks([]byte(screen), planted.factory, planted.so, planted.user); found != nil {
			t.Errorf("terminal %d shows %v", i, found)
		}
	}
	command(t, s.out, nil, 0, "qpdf", "--qdf", "--object-streams=disable", "transcript.pdf", filepath.Join(copies, "qdf.pdf"))
	command(t, s.out, nil, 0, "pdftotext", "transcript.pdf", filepath.Join(copies, "transcript.txt"))
	command(t, s.out, nil, 0, "sh", "-c", "sqlite3 audit.db .dump >"+filepath.Join(copies, "dump.sql"))
	for _, dir := range []string{s.out, copies} {
		for _, f := range leaksBelow(t, dir) {
			t.Error(f)
		}
	}
}

func keep(t *testing.T, file, dir string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), b, 0o600); err != nil {
		t.Fatal(err)
	}
}
