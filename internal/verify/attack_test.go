package verify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// An attack is what somebody does to a bundle, with a program of their own. Its
// name stands in docs/threat-model.md as TestAttacks/name.
type attack struct {
	name string
	base string // "", "pause", "crash", "production"
	do   func(t *testing.T, a *arena, b *bundletest.Bundle)
	// lie, instead of do, is a bundle that a changed keyrite, a lying module or a
	// lying operator made: sound in all signatures.
	lie *lie

	// What must be found by the auditor who brings nothing along.
	want    []Code
	verdict Verdict // Failed if empty
	// forged: sound in itself, and found by any one value from outside.
	forged bool
	given  func(a *arena) Options
	pdf    bool // the PDF must be drawn again
	raw    bool // SHA256SUMS and manifest are as the attack leaves them
}

// An arena has the sound bundles that are attacked.
type arena struct {
	bundles map[string]*bundletest.Bundle
}

func newArena(t *testing.T) *arena {
	return &arena{map[string]*bundletest.Bundle{
		"":           bundletest.Make(t, bundletest.Ceremony{NoPDF: true}),
		"pause":      bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Pause: true}),
		"production": bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Mode: audit.ModeProduction}),
		"other":      bundletest.Make(t, bundletest.Ceremony{NoPDF: true}),
		"paper":      bundletest.Make(t, bundletest.Ceremony{}),
		"papers":     bundletest.Make(t, bundletest.Ceremony{}),
	}}
}

func attacks() []attack {
	return slices.Concat(logAttacks(), forgeries(), storeAttacks(), fileAttacks(), paperAttacks(), roomAttacks(), quorumAttacks())
}

// TestAttacks carries out every attack of docs/threat-model.md that a program
// can do to a bundle, and wants what the document says finds it.
func TestAttacks(t *testing.T) {
	a := newArena(t)
	for _, x := range attacks() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			if x.lie != nil {
				l := *x.lie
				x.expect(t, l.tell(t))
				return
			}
			b := bundletest.Copy(t, a.bundles[x.base])
			x.do(t, a, b)
			if !x.raw {
				b.Resum(t)
			}
			o := Options{}
			if x.given != nil {
				o = x.given(a)
			}
			x.expect(t, x.check(t, b, o))
			if x.forged {
				x.expectForged(t, a, b)
			}
		})
	}
}

func (x attack) check(t *testing.T, b *bundletest.Bundle, o Options) *Report {
	t.Helper()
	if !x.pdf {
		o.Recompose = pagesOnly
	}
	return check(t, b, o)
}

// expect wants the verdict and, besides what the sums and the manifest find,
// every code.
func (x attack) expect(t *testing.T, r *Report) {
	t.Helper()
	want := Failed
	if x.forged {
		want = Consistent
	}
	if x.verdict != "" {
		want = x.verdict
	}
	if r.Verdict != want {
		t.Errorf("verdict %s, want %s\n%s", r.Verdict, want, codes(r))
	}
	if r.Verdict == Consistent && x.given != nil && r.Exit != ExitFailed {
		t.Errorf("a value given vouches for a part alone, and the exit is %d", r.Exit)
	}
	for _, code := range x.want {
		if !r.Has(code) {
			t.Errorf("no %s\n%s", code, codes(r))
		}
	}
	if len(x.want) == 0 && !x.forged {
		t.Error("the attack names no finding")
	}
}

// expectForged wants that a forgery is called no more than consistent with
// itself, and that each one value from outside finds it.
func (x attack) expectForged(t *testing.T, a *arena, b *bundletest.Bundle) {
	t.Helper()
	original := a.bundles[x.base]
	if r := x.check(t, b, Options{}); r.WouldAnchor == "" || r.Exit != ExitSound || len(r.Anchors) > 0 {
		t.Errorf("alone: exit %d, anchors %q, would anchor %q", r.Exit, r.Anchors, r.WouldAnchor)
	}
	for code, o := range map[Code]Options{LogKeyDiffers: {LogKeys: original.LogKeys}, HeadDiffersFromGiven: {Head: original.Head}} {
		if r := x.check(t, b, o); r.Verdict != Failed || r.Exit != ExitFailed || !r.Has(code) {
			t.Errorf("given the original's value: verdict %s, no %s\n%s", r.Verdict, code, codes(r))
		}
	}
}

// testName finds the tests that the document names.
var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)(?:/([a-z0-9-]+))?`")

// TestThreatModel compares the table of attacks with the tests: every test that
// the document names is there, every attack of TestAttacks stands in the
// document, and every row says who, when, what finds it and how that is tested.
func TestThreatModel(t *testing.T) {
	doc, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testsOfTree(t)
	named := map[string]bool{}
	for _, m := range testName.FindAllStringSubmatch(string(doc), -1) {
		if !tests[m[1]] {
			t.Errorf("the document names %s, and there is no such test", m[1])
		}
		if m[1] == "TestAttacks" {
			named[m[2]] = true
		}
	}
	for _, x := range attacks() {
		if !named[x.name] {
			t.Errorf("the document does not name TestAttacks/%s", x.name)
		}
		delete(named, x.name)
	}
	for name := range named {
		t.Errorf("the document names TestAttacks/%s, and there is no such attack", name)
	}
	rows := 0
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) < 2 || !regexp.MustCompile(`^\| [0-9]+ \|`).MatchString(line) {
			continue
		}
		rows++
		if len(cells) != 7 {
			t.Errorf("a row of %d cells: %s", len(cells), line)
			continue
		}
		if !testName.MatchString(cells[5]) && !strings.HasPrefix(strings.TrimSpace(cells[5]), "none:") {
			t.Errorf("a row without a test, and it does not say why: %s", line)
		}
	}
	if rows < 25 {
		t.Errorf("%d rows in the table", rows)
	}
}

// TestThreatModelCodes wants every finding that the document names in the table
// of codes.
func TestThreatModelCodes(t *testing.T) {
	doc, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("`(E-[A-Z-]+)`").FindAllStringSubmatch(string(doc), -1) {
		if !slices.ContainsFunc(Codes, func(c CodeInfo) bool { return string(c.Code) == m[1] }) {
			t.Errorf("the document names %s, and there is no such finding", m[1])
		}
	}
}

// testsOfTree returns the names of all test functions of the module.
func testsOfTree(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				tests[f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// resigned rewrites the entries of both stores with all hashes and signs nothing:
// the attacker has no log key.
func resigned(change func([]*audit.Entry) []*audit.Entry) func(*testing.T, *arena, *bundletest.Bundle) {
	return func(t *testing.T, _ *arena, b *bundletest.Bundle) { rewrite(t, b, change) }
}

// forged rewrites everything, signed with new keys.
func forged(change func([]*audit.Entry) []*audit.Entry) func(*testing.T, *arena, *bundletest.Bundle) {
	return func(t *testing.T, _ *arena, b *bundletest.Bundle) { (&forger{t: t, b: b}).forge(change) }
}

// inEach calls f for the data of one type.
func inEach[D audit.Data](f func(step string, d D)) func([]*audit.Entry) []*audit.Entry {
	return func(entries []*audit.Entry) []*audit.Entry {
		for _, e := range entries {
			if d, ok := e.Data.(D); ok {
				f(e.Step, d)
			}
		}
		return entries
	}
}

// without drops the entries of one type for which f is true.
func without[D audit.Data](f func(step string, d D) bool) func([]*audit.Entry) []*audit.Entry {
	return func(entries []*audit.Entry) []*audit.Entry {
		return slices.DeleteFunc(entries, func(e *audit.Entry) bool {
			d, ok := e.Data.(D)
			return ok && f(e.Step, d)
		})
	}
}

// logAttacks change the log without its keys.
func logAttacks() []attack {
	at := func(f func(e []*audit.Entry, i int) []*audit.Entry) func(*testing.T, *arena, *bundletest.Bundle) {
		return resigned(func(e []*audit.Entry) []*audit.Entry { return f(e, 20) })
	}
	return []attack{
		{name: "entry-changed-hashes-recomputed", do: resigned(inEach(func(_ string, d *audit.Attendance) {
			if d.Person == "wil" {
				d.Name = "Somebody Else"
			}
		})), want: []Code{CheckpointRoot}},
		{name: "entry-dropped", do: at(func(e []*audit.Entry, i int) []*audit.Entry { return slices.Delete(e, i, i+1) }), want: []Code{CheckpointRoot, LogCut}},
		{name: "entries-swapped", do: at(func(e []*audit.Entry, i int) []*audit.Entry { e[i], e[i+1] = e[i+1], e[i]; return e }), want: []Code{CheckpointRoot}},
		{name: "entry-inserted", do: at(func(e []*audit.Entry, i int) []*audit.Entry {
			more := *e[i]
			more.Data = &audit.Result{Name: "n", Value: "never said"}
			return slices.Insert(e, i, &more)
		}), want: []Code{CheckpointRoot, UnsignedTail}},
		{name: "entry-repeated", do: at(func(e []*audit.Entry, i int) []*audit.Entry {
			again := *e[i]
			return slices.Insert(e, i, &again)
		}), want: []Code{CheckpointRoot, UnsignedTail}},
		{name: "tail-cut-hashes-recomputed", do: resigned(func(e []*audit.Entry) []*audit.Entry {
			closing := e[len(e)-1]
			closing.Data.(*audit.Close).Size -= 9
			return append(e[:len(e)-10], closing)
		}), want: []Code{LogCut, StepMissing}},
		{name: "tail-cut-to-a-signed-checkpoint", do: cutToKept, verdict: NotClosed, want: []Code{LogNotClosed}},
		{name: "verdict-deleted", do: resigned(without(func(_ string, d *audit.Verdict) bool { return d.Person == "ewa" })), want: []Code{CheckpointRoot, VerdictMissing}},
		{name: "checkpoint-signed-with-a-new-key", do: func(t *testing.T, _ *arena, b *bundletest.Bundle) {
			key := resign(t, b, bundle.CheckpointFile)
			b.Write(t, "keys/log-0.vkey", []byte(key.VerifierKey()+"\n"))
		}, want: []Code{CheckpointSignature, StoredHeadDiffers, KeyFileDiffers}},
		{name: "segment-appended-after-the-close", do: appendSegment, want: []Code{AfterClose, SegmentUnanchored}},
	}
}

// cutToKept cuts the log back to a checkpoint that the log key itself signed: the
// best that somebody without the key can do.
func cutToKept(t *testing.T, _ *arena, b *bundletest.Bundle) {
	size := keptBefore(t, b, "close")
	kept := kept(t, b, size)
	lines(t, b, func(l []string) []string { return l[:size] })
	sqlite3(t, b, sqlOf("DELETE FROM entry WHERE seq>=%d; DELETE FROM checkpoint WHERE size>%d; UPDATE head SET note=x'%x'", size, size, kept))
	b.Write(t, bundle.CheckpointFile, kept)
	remove(t, b, bundle.ManifestFile, bundle.TranscriptFile)
}
