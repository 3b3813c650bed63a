package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

func TestArrange(t *testing.T) {
	for _, test := range []struct{ in, options, rest string }{
		{"dir", "", "dir"},
		{"--json dir", "--json", "dir"},
		{"dir --json", "--json", "dir"},
		{"--head x dir", "--head x", "dir"},
		{"dir --head x --json", "--head x --json", "dir"},
		{"-head x dir", "-head x", "dir"},
		{"--head=x dir", "--head=x", "dir"},
		{"dir --head", "--head", "dir"},
		{"a b", "", "a b"},
		{"-- --json", "", "--json"},
		{"--json -- a -b", "--json", "a -b"},
		{"dir -", "", "dir -"},
		{"", "", ""},
	} {
		options, rest := Arrange(strings.Fields(test.in), []string{"head"})
		if got := strings.Join(options, " "); got != test.options {
			t.Errorf("%q: options %q, want %q", test.in, got, test.options)
		}
		if got := strings.Join(rest, " "); got != test.rest {
			t.Errorf("%q: rest %q, want %q", test.in, got, test.rest)
		}
	}
}

func TestParseArgs(t *testing.T) {
	for _, args := range [][]string{
		{"--log-key", "a", "--json", "dir", "--log-key", "b", "--head", "h", "--require-anchor", "--script-sha256", "s"},
		{"--json", "--require-anchor", "--head=h", "--script-sha256=s", "--log-key=a", "--log-key=b", "--", "dir"},
	} {
		r, err := ParseArgs(args)
		if err != nil {
			t.Fatal(err)
		}
		if r.Dir != "dir" || !r.JSON || !r.RequireAnchor || r.Head != "h" || r.ScriptSHA256 != "s" || !slices.Equal(r.LogKeys, []string{"a", "b"}) {
			t.Errorf("%q: %+v", args, r)
		}
	}
	for _, args := range [][]string{{}, {"a", "b"}, {"a", "--jsn"}, {"a", "-"}, {"-"}, {""}, {"--head"}, {"a", "--json=maybe"}, {"--json"}} {
		if r, err := ParseArgs(args); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %+v, %v", args, r, err)
		}
	}
	for _, args := range [][]string{{"--help"}, {"dir", "-h"}} {
		if r, err := ParseArgs(args); err != nil || !r.Help {
			t.Errorf("%q: %+v, %v", args, r, err)
		}
	}
}

// TestRun looks at exit codes and at what goes where.
func TestRun(t *testing.T) {
	good := bundletest.Make(t, bundletest.Ceremony{NoPDF: true})
	bad := bundletest.Copy(t, good)
	bad.Write(t, "foreign", nil)
	for _, test := range []struct {
		name     string
		r        Request
		exit     int
		out, err string
	}{
		{"sound", Request{Dir: good.Dir}, ExitSound, "CONSISTENT WITH ITSELF", ""},
		{"failed", Request{Dir: bad.Dir}, ExitFailed, "FAILED: 1 findings", ""},
		{"anchor wanted", Request{Dir: good.Dir, Options: Options{RequireAnchor: true}}, ExitFailed, "One value would make it evidence", ""},
		{"verified", Request{Dir: good.Dir, Options: Options{Head: good.Head}}, ExitSound, "VERIFIED, anchored by the final head", ""},
		{"bad head", Request{Dir: good.Dir, Options: Options{Head: "abcd"}}, ExitUsage, "", `head "abcd": want 32 bytes`},
		{"bad word", Request{Dir: good.Dir, Options: Options{Head: "tsunami"}}, ExitUsage, "", "tsunami"},
		{"bad key", Request{Dir: good.Dir, Options: Options{LogKeys: []string{"x"}}}, ExitUsage, "", `log key "x"`},
		{"bad hash", Request{Dir: good.Dir, Options: Options{ScriptSHA256: "12"}}, ExitUsage, "", `script hash "12"`},
		{"no folder", Request{Dir: good.Dir + "x"}, ExitUnreadable, "", "opening the bundle"},
		{"no bundle", Request{Dir: t.TempDir()}, ExitUnreadable, "", "neither audit.db nor log.jsonl"},
		{"a file", Request{Dir: good.Path(bundle.ScriptFile)}, ExitUnreadable, "", "opening the bundle"},
	} {
		var out, errs bytes.Buffer
		test.r.Recompose = pagesOnly
		if exit := Run(&test.r, Terminal{Out: &out, Err: &errs}); exit != test.exit {
			t.Errorf("%s: exit %d, want %d\n%s%s", test.name, exit, test.exit, out.String(), errs.String())
		}
		if !strings.Contains(out.String(), test.out) || test.out == "" && out.Len() > 0 {
			t.Errorf("%s: printed %q, want %q", test.name, out.String(), test.out)
		}
		if !strings.Contains(errs.String(), test.err) || test.err == "" && errs.Len() > 0 {
			t.Errorf("%s: said %q, want %q", test.name, errs.String(), test.err)
		}
		if bytes.ContainsRune(out.Bytes(), '\x1b') {
			t.Errorf("%s: colours without being asked", test.name)
		}
		if strings.Contains(strings.ToLower(out.String()), "compliant") {
			t.Errorf("%s: an opinion in the report", test.name)
		}
	}
}

func TestRunJSON(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{NoPDF: true})
	var out, errs bytes.Buffer
	r := Request{Dir: b.Dir, JSON: true, Options: Options{Verifier: "test 1", Recompose: pagesOnly}}
	if exit := Run(&r, Terminal{Out: &out, Err: &errs, Progress: true}); exit != ExitSound {
		t.Errorf("exit %d: %s", exit, errs.String())
	}
	var got Report
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != ReportSchema || got.Verdict != Consistent || got.Log.Size != b.Size || got.Log.Head != b.Head || got.Verifier != "test 1" {
		t.Errorf("report %+v", got)
	}
}

// TestColor shows that nothing from a bundle reaches a terminal as a control
// character.
func TestColor(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Change: edit(func(_ string, d *audit.LogOpen) {
		d.Title, d.Place = "Root \x1b]0;owned\x07", "\u202egnorw"
	})})
	var out bytes.Buffer
	if err := check(t, b, Options{Recompose: pagesOnly}).WriteText(&out, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "\x1b[1;31mFAILED") {
		t.Errorf("no colour: %.100q", out.String())
	}
	if strings.Contains(out.String(), "\x1b]") || strings.ContainsAny(out.String(), "\x07\u202e") {
		t.Error("control characters of the bundle were printed")
	}
}

// A failingWriter has no room.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestRunCannotPrint(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{NoPDF: true})
	for _, asJSON := range []bool{false, true} {
		var errs bytes.Buffer
		r := Request{Dir: b.Dir, JSON: asJSON, Options: Options{Recompose: pagesOnly}}
		if exit := Run(&r, Terminal{Out: failingWriter{}, Err: &errs}); exit != ExitUnreadable || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("exit %d: %s", exit, errs.String())
		}
	}
}

// TestOpenWithoutLines checks a run that broke off before log.jsonl was
// written: only the open database is there.
func TestOpenWithoutLines(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{Open: true})
	if err := os.Remove(b.Path(bundle.LogFile)); err != nil {
		t.Fatal(err)
	}
	r := check(t, b, Options{})
	if r.Verdict != NotClosed || !strings.Contains(codes(r), "nothing was checked") {
		t.Errorf("verdict %s\n%s", r.Verdict, codes(r))
	}
}

// TestManyFindings shows that a report stays readable whatever a bundle holds.
func TestManyFindings(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{NoPDF: true})
	for i := range 2 * MaxFindings {
		b.Write(t, strings.Repeat("x", i+1), nil)
	}
	r := check(t, b, Options{Recompose: pagesOnly})
	n := 0
	for _, f := range r.Findings {
		if f.Code == FileUnknown {
			n++
		}
	}
	if n != MaxFindings || r.More != MaxFindings {
		t.Errorf("%d findings, %d more", n, r.More)
	}
}
