package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify"
)

// A tampered is a copy of a bundle in which something is changed.
type tampered struct {
	t   *testing.T
	dir string
}

// tamper copies the rehearsal's bundle and changes it. With summed SHA256SUMS
// is made right again, as somebody would who wants it not to be noticed.
func tamper(t *testing.T, summed bool, change func(*tampered)) *tampered {
	t.Helper()
	from, err := rehearsed()
	if err != nil {
		t.Fatal(err)
	}
	b := &tampered{t, filepath.Join(t.TempDir(), "bundle")}
	if err := os.CopyFS(b.dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	change(b)
	if summed {
		sums, err := bundle.Sums(b.dir)
		if err != nil {
			t.Fatal(err)
		}
		b.write(bundle.SumsFile, sums)
	}
	return b
}

func (b *tampered) read(name string) []byte {
	b.t.Helper()
	content, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return content
}

func (b *tampered) write(name string, content []byte) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), content, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// lines changes log.jsonl line by line.
func (b *tampered) lines(change func([][]byte) [][]byte) {
	b.t.Helper()
	l := bytes.SplitAfter(b.read(bundle.LogFile), []byte("\n"))
	b.write(bundle.LogFile, bytes.Join(change(l[:len(l)-1]), nil))
}

// other puts files of another ceremony's bundle in the place of this one's.
func (b *tampered) other(names ...string) {
	b.t.Helper()
	dir, err := otherRehearsed()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			b.t.Fatal(err)
		}
		b.write(name, content)
	}
}

// fails wants exit code 1 and each text in one line of the verdict.
func (b *tampered) fails(args []string, want ...string) {
	b.t.Helper()
	out := command(b.t, b.dir, nil, 1, "keyrite", append([]string{"verify", b.dir}, args...)...)
	for _, line := range strings.Split(out, "\n") {
		found := true
		for _, w := range want {
			found = found && strings.Contains(line, w)
		}
		if found {
			return
		}
	}
	b.t.Errorf("no line of the verdict has %q:\n%s", want, out)
}

// TestTampered changes one thing in a bundle that verifies.
func TestTampered(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*tampered)
		want   []string
	}{
		"line deleted": {func(b *tampered) {
			b.lines(func(l [][]byte) [][]byte { return append(l[:100:100], l[101:]...) })
		}, []string{"log.jsonl", "entry 100"}},
		"lines swapped": {func(b *tampered) {
			b.lines(func(l [][]byte) [][]byte { l[200], l[201] = l[201], l[200]; return l })
		}, []string{"log.jsonl", "entry 200"}},
		"last line dropped": {func(b *tampered) {
			b.lines(func(l [][]byte) [][]byte { return l[:len(l)-1] })
		}, []string{"log.jsonl", "entry"}},
		"script edited": {func(b *tampered) {
			b.write("script.yaml", bytes.Replace(b.read("script.yaml"), []byte("Example City"), []byte("Exemple City"), 1))
		}, []string{"script.yaml"}},
		"another root": {func(b *tampered) { b.other("artifacts/root.pem") }, []string{"artifacts/root.pem"}},
		"a byte of the PDF": {func(b *tampered) {
			pdf := b.read("transcript.pdf")
			pdf[len(pdf)/2] ^= 0x20
			b.write("transcript.pdf", pdf)
		}, []string{"transcript.pdf"}},
		"another ceremony's log and key": {func(b *tampered) {
			b.other("log.jsonl", "audit.db", "checkpoint", "keys/log-0.vkey")
		}, []string{"log.jsonl"}},
	} {
		for _, summed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, sums made right: %t", name, summed), func(t *testing.T) {
				t.Parallel()
				b := tamper(t, summed, c.change)
				b.fails(nil, c.want...)
				check := exec.Command("sha256sum", "-c", "--quiet", bundle.SumsFile)
				check.Dir = b.dir
				if err := check.Run(); (err == nil) != summed {
					t.Errorf("sha256sum -c: %v", err)
				}
			})
		}
	}
}

// TestReplaced puts a whole other ceremony in the place of this one: only what
// was noted in the room tells.
func TestReplaced(t *testing.T) {
	t.Parallel()
	b := tamper(t, false, func(*tampered) {})
	key := strings.TrimSpace(string(b.read("keys/log-0.vkey")))
	dir, err := otherRehearsed()
	if err != nil {
		t.Fatal(err)
	}
	command(t, b.dir, nil, 0, "keyrite", "verify", dir)
	out := command(t, b.dir, nil, 1, "keyrite", "verify", dir, "--log-key", key)
	if !strings.Contains(out, string(verify.LogKeyDiffers)) {
		t.Errorf("the verdict does not say that the log key is another:\n%s", out)
	}
}

// TestBitFlips flips a bit in entries of audit.db, spread over the whole log.
func TestBitFlips(t *testing.T) {
	const samples = 40
	b := tamper(t, false, func(*tampered) {})
	lines := bytes.Split(bytes.TrimSuffix(b.read(bundle.LogFile), []byte("\n")), []byte("\n"))
	for i := range samples {
		n := i * (len(lines) - 1) / (samples - 1)
		for _, summed := range []bool{false, true} {
			t.Run(fmt.Sprintf("entry %d, sums made right: %t", n, summed), func(t *testing.T) {
				t.Parallel()
				b := tamper(t, summed, func(b *tampered) { b.flip(lines[n], i) })
				r, err := verify.Bundle(b.dir, verify.Options{})
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range r.Findings {
					if r.Exit == 1 && f.Weight == verify.Failure && f.File == bundle.DatabaseFile && f.Entry == int64(n) {
						return
					}
				}
				t.Errorf("exit %d, and nothing names entry %d of %s", r.Exit, n, bundle.DatabaseFile)
			})
		}
	}
}

// flip flips a bit of an entry where it stands in the database; a long entry
// goes on elsewhere and is looked at at its beginning.
func (b *tampered) flip(entry []byte, i int) {
	b.t.Helper()
	db := b.read(bundle.DatabaseFile)
	head := entry[:min(len(entry), 400)]
	at := bytes.Index(db, head)
	if at < 0 {
		b.t.Fatalf("the entry is not found in %s", bundle.DatabaseFile)
	}
	db[at+i*len(head)/40] ^= 1 << (i % 8)
	b.write(bundle.DatabaseFile, db)
}
