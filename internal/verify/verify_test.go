package verify

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// recompose makes the transcript again as the programs do.
func recompose(b Files, entries []*audit.Entry) ([]transcript.Page, []byte, error) {
	return paper.Paper{}.Again(entries, b.Read)
}

// pagesOnly makes the pages again and no PDF, which takes longest.
func pagesOnly(b Files, entries []*audit.Entry) ([]transcript.Page, []byte, error) {
	commit, _, err := paper.Committed(entries)
	if err != nil {
		return nil, nil, err
	}
	head, err := ParseHead(commit.Head)
	if err != nil {
		return nil, nil, err
	}
	pages, err := paper.Paper{}.Pages(entries[:commit.Size], head, b.Read)
	return pages, nil, err
}

func check(t testing.TB, b *bundletest.Bundle, o Options) *Report {
	t.Helper()
	if o.Recompose == nil {
		o.Recompose = recompose
	}
	r, err := Bundle(b.Dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// codes returns the report's findings, for messages of tests.
func codes(r *Report) string {
	var out strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&out, "  %s %s entry %d: %s (want %q, found %q)\n", f.Code, f.File, f.Entry, f.What, f.Expected, f.Found)
	}
	return out.String()
}

// TestSound checks bundles in which nothing is wrong.
func TestSound(t *testing.T) {
	for _, test := range []struct {
		name    string
		c       bundletest.Ceremony
		o       func(b *bundletest.Bundle) Options
		verdict Verdict
		exit    int
		besides []Code // findings besides those of every rehearsal
	}{
		{"alone", bundletest.Ceremony{}, nil, Consistent, 0, nil},
		{"anchor wanted", bundletest.Ceremony{}, func(*bundletest.Bundle) Options { return Options{RequireAnchor: true} }, Consistent, 1, []Code{SegmentUnanchored}},
		{"log key", bundletest.Ceremony{}, func(b *bundletest.Bundle) Options {
			return Options{LogKeys: b.LogKeys, RequireAnchor: true, ScriptSHA256: strings.ToUpper(b.ScriptSHA256)}
		}, Verified, 0, nil},
		{"head in hex", bundletest.Ceremony{Mode: "production"}, func(b *bundletest.Bundle) Options { return Options{Head: b.Head} }, Verified, 0, nil},
		{"head in words", bundletest.Ceremony{Pause: true}, func(b *bundletest.Bundle) Options {
			h, err := ParseHead(b.Head)
			if err != nil {
				t.Fatal(err)
			}
			return Options{Head: strings.ToLower(strings.Join(audit.Words(h[:]), "  "))}
		}, Verified, 0, nil},
		{"both keys", bundletest.Ceremony{Crash: true}, func(b *bundletest.Bundle) Options { return Options{LogKeys: b.LogKeys} }, Verified, 0, []Code{CallUnknown}},
		{"one of two keys", bundletest.Ceremony{Pause: true}, func(b *bundletest.Bundle) Options { return Options{LogKeys: b.LogKeys[:1]} }, Consistent, 1, []Code{SegmentUnanchored}},
		{"aborted", bundletest.Ceremony{Abort: true}, nil, Aborted, 0, []Code{VerdictMissing, VerdictMissing}},
		{"failed try", bundletest.Ceremony{Failed: true}, nil, Consistent, 0, []Code{SignatureUnused, WentWrong}},
		{"paused", bundletest.Ceremony{Open: true}, func(b *bundletest.Bundle) Options { return Options{LogKeys: b.LogKeys} }, NotClosed, 1, []Code{LogNotClosed}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := bundletest.Make(t, test.c)
			var o Options
			if test.o != nil {
				o = test.o(b)
			}
			r := check(t, b, o)
			if r.Verdict != test.verdict || r.Exit != test.exit {
				t.Errorf("verdict %s, exit %d; want %s, %d\n%s", r.Verdict, r.Exit, test.verdict, test.exit, codes(r))
			}
			because := map[bool]string{true: "a seal was broken"}[test.c.Abort]
			var text strings.Builder
			if err := r.WriteText(&text, false); err != nil {
				t.Fatal(err)
			}
			if r.Log.AbortedBecause != because || strings.Contains(text.String(), "a seal was broken") != test.c.Abort {
				t.Errorf("the reason for the abort: %q, in\n%s", r.Log.AbortedBecause, text.String())
			}
			want := test.besides
			if test.c.Mode == "" {
				want = append(want, CeremonyIsRehearsal)
			}
			got := r.Findings
			if len(got) > 0 && got[0].Code == PDFNotCompared {
				t.Errorf("the PDF was not compared: %s", codes(r))
			}
			if len(got) != len(want) {
				t.Fatalf("findings:\n%swant %v", codes(r), want)
			}
			for i := range want {
				if got[i].Code != want[i] {
					t.Errorf("finding %d is %s, want %s", i, got[i].Code, want[i])
				}
			}
		})
	}
}

// rewrite changes the entries of both stores as a skilled person would: hashes
// recomputed, the database filled anew. Nothing is signed again.
func rewrite(t *testing.T, b *bundletest.Bundle, change func([]*audit.Entry) []*audit.Entry) {
	t.Helper()
	var entries []*audit.Entry
	for _, line := range bytes.Split(bytes.TrimSuffix(b.Read(t, bundle.LogFile), []byte("\n")), []byte("\n")) {
		e, err := audit.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	var lines bytes.Buffer
	sql := "DELETE FROM entry;\n"
	var prev audit.Hash
	for i, e := range change(entries) {
		e.Seq, e.Prev = int64(i), prev
		enc, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		prev = audit.LeafHash(enc)
		lines.Write(append(enc, '\n'))
		sql += fmt.Sprintf("INSERT INTO entry VALUES(%d,x'%x');\n", i, enc)
	}
	b.Write(t, bundle.LogFile, lines.Bytes())
	sqlite3(t, b, sql)
}

// sqlite3 changes audit.db with the command-line program and cleans up behind
// itself as the store does.
func sqlite3(t *testing.T, b *bundletest.Bundle, statements string) {
	t.Helper()
	clean := filepath.Join(t.TempDir(), "clean.db")
	cmd := exec.Command("sqlite3", "-bail", b.Path(bundle.DatabaseFile))
	cmd.Stdin = strings.NewReader("PRAGMA secure_delete=ON;\n" + statements + ";\nVACUUM INTO '" + clean + "';\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sqlite3: %v\n%s", err, out)
	}
	db, err := os.ReadFile(clean)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(t, bundle.DatabaseFile, db)
}

// lines changes log.jsonl line by line.
func lines(t *testing.T, b *bundletest.Bundle, change func([]string) []string) {
	t.Helper()
	all := strings.SplitAfter(string(b.Read(t, bundle.LogFile)), "\n")
	b.Write(t, bundle.LogFile, []byte(strings.Join(change(all[:len(all)-1]), "")))
}

// A wanted finding; an entry of -2 is any.
type wanted struct {
	code  Code
	file  string
	entry int64
}

func (w wanted) in(r *Report) bool {
	for _, f := range r.Findings {
		if f.Code == w.code && (w.file == "" || f.File == w.file) && (w.entry == -2 || f.Entry == w.entry) {
			return true
		}
	}
	return false
}

// A tampering is done to a sound bundle.
type tampering struct {
	name   string
	base   string // "plain", "pause" or "production"
	change func(t *testing.T, b *bundletest.Bundle)
	given  func(original *bundletest.Bundle) Options
	pdf    bool // the PDF must be drawn again to find it
	want   []wanted
}

// bases makes the bundles that are tampered with.
func bases(t *testing.T) map[string]*bundletest.Bundle {
	return map[string]*bundletest.Bundle{
		"":           bundletest.Make(t, bundletest.Ceremony{}),
		"pause":      bundletest.Make(t, bundletest.Ceremony{Pause: true}),
		"production": bundletest.Make(t, bundletest.Ceremony{Mode: "production"}),
		"other":      bundletest.Make(t, bundletest.Ceremony{}),
	}
}

// TestTampering does to a sound bundle what people do, once as it is and once
// with SHA256SUMS made right again: the finding must not come from the sums
// alone.
func TestTampering(t *testing.T) {
	base := bases(t)
	for _, test := range tamperings(base) {
		t.Run(test.name, func(t *testing.T) {
			for _, resum := range []bool{false, true} {
				b := bundletest.Copy(t, base[test.base])
				test.change(t, b)
				if resum {
					b.Resum(t)
				}
				var o Options
				if test.given != nil {
					o = test.given(base[test.base])
				}
				if !test.pdf {
					o.Recompose = pagesOnly
				}
				r := check(t, b, o)
				if r.Exit != ExitFailed || r.Verdict != Failed {
					t.Errorf("sums made right %v: verdict %s, exit %d\n%s", resum, r.Verdict, r.Exit, codes(r))
				}
				for _, w := range test.want {
					if !w.in(r) {
						t.Errorf("sums made right %v: no %s in %q, entry %d\n%s", resum, w.code, w.file, w.entry, codes(r))
					}
				}
			}
		})
	}
}
