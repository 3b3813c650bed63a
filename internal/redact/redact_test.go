package redact

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// secret is what only one entry of the sample says.
const secret = "passport C01X00T47"

// sample makes a bundle whose roll call holds the secret, resumed after a pause.
func sample(t *testing.T) *bundletest.Bundle {
	t.Helper()
	keys := map[string]*audit.WitnessSigner{}
	for _, person := range []string{"wil", "ewa"} {
		k, err := audit.GenerateWitnessKey("witness.example/"+person, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys[person] = k
	}
	c := bundletest.Ceremony{
		Pause: true, NoPDF: true, Keys: keys, Cosign: []string{"wil"}, Final: []string{"ewa"}, SignVerdicts: true,
		Fresh: []audit.Freshness{{Source: "drand round 1", Value: "8990e7a9", Claimed: "2026-11-25T08:30:00Z", Person: "wil"}},
	}
	c.Change = func(_ int64, _ string, d audit.Data) audit.Data {
		if a, ok := d.(*audit.Attendance); ok && a.Person == "wil" {
			a.Identity = secret
		}
		return d
	}
	return bundletest.Make(t, c)
}

func copied(t *testing.T, b *bundletest.Bundle, hide ...string) (*Plan, *bundletest.Bundle) {
	t.Helper()
	s, err := ParseSelection(hide)
	if err != nil {
		t.Fatal(err)
	}
	out := *b
	out.Dir = filepath.Join(t.TempDir(), "copy")
	p, err := Copy(b.Dir, out.Dir, s)
	if err != nil {
		t.Fatal(err)
	}
	return p, &out
}

func verified(t *testing.T, b *bundletest.Bundle) *verify.Report {
	t.Helper()
	r, err := verify.Bundle(b.Dir, verify.Options{Head: b.Head, LogKeys: b.LogKeys})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func failures(r *verify.Report) (list []string) {
	for _, f := range r.Findings {
		if f.Weight == verify.Failure {
			list = append(list, string(f.Code)+": "+f.What+" ("+f.Expected+", "+f.Found+")")
		}
	}
	return list
}

// Whatever of a sound log is hidden, the copy has the same head and is sound,
// and says that it is a copy.
func TestHideEverything(t *testing.T) {
	b := sample(t)
	var all []string
	for kind := range audit.Kinds {
		if !slices.Contains(frame, kind) {
			all = append(all, "kind="+kind)
		}
	}
	src, err := open(b.Dir)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := parse(src.entries)
	if err := errors.Join(err, src.root.Close()); err != nil {
		t.Fatal(err)
	}
	present := map[string]bool{}
	for _, l := range lines {
		present["kind="+l.Kind()] = true
		if l.Step != "" {
			present["step="+l.Step] = true
		}
	}
	present["person=ada"], present["person=wil"] = true, true
	for what := range present {
		if slices.Contains(frame, strings.TrimPrefix(what, "kind=")) {
			continue
		}
		t.Run(what, func(t *testing.T) {
			hides(t, b, what)
		})
	}
	t.Run("all", func(t *testing.T) { hides(t, b, all...) })
}

func hides(t *testing.T, b *bundletest.Bundle, what ...string) {
	p, c := copied(t, b, what...)
	r := verified(t, c)
	if r.Verdict != verify.InPart || r.Exit != 0 || !r.Has(verify.Redacted) || r.Log.Head != b.Head {
		t.Errorf("%s, exit %d, head %s\n%s", r.Verdict, r.Exit, r.Log.Head, strings.Join(failures(r), "\n"))
	}
	n := int64(0)
	for _, h := range p.Hidden {
		n += h.To - h.From + 1
	}
	if n == 0 || r.Redaction == nil || r.Redaction.Entries != n || len(r.Redaction.Hidden) != len(p.Hidden) {
		t.Errorf("hidden: %d, reported %+v", n, r.Redaction)
	}
	for _, name := range []string{bundle.CheckpointFile, bundle.SumsFile, bundle.ManifestFile, bundle.ScriptFile} {
		if !bytes.Equal(b.Read(t, name), c.Read(t, name)) {
			t.Errorf("%s is not the original's", name)
		}
	}
}

// What was hidden is found nowhere in the copy: not its words, not its salt.
func TestHiddenIsGone(t *testing.T) {
	b := sample(t)
	p, c := copied(t, b, "kind=attendance", "step=sub-certificate")
	var words []string
	for _, line := range bytes.Split(b.Read(t, bundle.LogFile), []byte("\n")) {
		if e, err := audit.Parse(line); err == nil && (e.Kind() == "attendance" || e.Kind() == "transcript") {
			_, salt, _ := bytes.Cut(line, []byte(`"salt":"`))
			words = append(words, string(salt[:32]))
		}
	}
	if len(words) < 5 {
		t.Fatalf("%d salts", len(words))
	}
	words = append(words, secret, "C01X00T47", "http://crl.example/root.cer")
	if !bytes.Contains(b.Read(t, bundle.DatabaseFile), []byte(secret)) {
		t.Fatal("the original does not hold the secret")
	}
	err := filepath.WalkDir(c.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, w := range words {
			if bytes.Contains(content, []byte(w)) || strings.Contains(path, w) {
				t.Errorf("%s holds %q", path, w)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, name := range []string{"artifacts/sub-ca.pem", "artifacts/sub-ca.pem.tbs", bundle.TranscriptFile} {
		if !slices.Contains(p.LeftOut, name) {
			t.Errorf("%s is not left out", name)
		}
	}
	// the roster and the script say the names still
	if got := p.Elsewhere(); !slices.Contains(got, "Oto Sample") || slices.Contains(got, secret) {
		t.Errorf("elsewhere: %q", got)
	}
	if len(p.Frame) != 2 {
		t.Errorf("frame entries of the step: %q", p.Frame)
	}
}

// A copy of a copy hides what either was to hide.
func TestCopyOfCopy(t *testing.T) {
	b := sample(t)
	_, once := copied(t, b, "kind=attendance")
	p, twice := copied(t, once, "kind=verdict")
	r := verified(t, twice)
	if r.Verdict != verify.InPart || len(failures(r)) > 0 || !slices.Contains(p.LeftOut, bundle.TranscriptFile) {
		t.Errorf("%s\n%s", r.Verdict, strings.Join(failures(r), "\n"))
	}
	_, both := copied(t, b, "kind=attendance", "kind=verdict")
	for _, name := range []string{bundle.LogFile, bundle.DatabaseFile, bundle.RedactedFile} {
		if !bytes.Equal(both.Read(t, name), twice.Read(t, name)) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestAfterTheClose(t *testing.T) {
	b := sample(t)
	b.Write(t, "after/scan.pdf", []byte("a scan"))
	b.Write(t, "after/cosignature-w.txt", []byte("a note"))
	b.Write(t, bundle.TimestampFile, []byte("a token"))
	p, c := copied(t, b, "kind=attendance")
	if !slices.Equal(p.LeftOut, []string{"after/scan.pdf", bundle.TranscriptFile}) {
		t.Errorf("left out: %q", p.LeftOut)
	}
	if string(c.Read(t, "after/cosignature-w.txt")) != "a note" || string(c.Read(t, bundle.TimestampFile)) != "a token" {
		t.Error("what speaks of the head alone is not in the copy")
	}
}

func TestRefused(t *testing.T) {
	for _, hide := range [][]string{nil, {"x"}, {"kind="}, {"kind=nothing"}, {"kind=log-open"}, {"kind=step-begin"}, {"entry=x"}, {"entry=-1"}, {"entry=3-2"}, {"seq=1"}} {
		if s, err := ParseSelection(hide); err == nil {
			t.Errorf("%q: %+v", hide, s)
		}
	}
	b := sample(t)
	for _, hide := range []string{"entry=0", "entry=0-5", "entry=1", "entry=99999", "person=nobody", "step=nowhere", "kind=deviation"} {
		s, err := ParseSelection([]string{hide})
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "copy")
		if p, err := Copy(b.Dir, out, s); err == nil {
			t.Errorf("%s: %+v", hide, p)
		}
		if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s left a folder: %v", hide, err)
		}
	}
	s, err := ParseSelection([]string{"kind=verdict"})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := Copy(b.Dir, t.TempDir(), s); !errors.Is(err, fs.ErrExist) {
		t.Errorf("onto a folder: %+v, %v", p, err)
	}
}

// rewrite replaces the copy's log, in both forms, as a skilled person can.
func rewrite(t *testing.T, b, c *bundletest.Bundle, change func(entries [][]byte)) {
	t.Helper()
	src, err := open(b.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.root.Close()
	entries := bytes.Split(bytes.TrimSuffix(c.Read(t, bundle.LogFile), []byte("\n")), []byte("\n"))
	change(entries)
	if err := os.Remove(c.Path(bundle.DatabaseFile)); err != nil {
		t.Fatal(err)
	}
	if err := src.writeDatabase(c.Path(bundle.DatabaseFile), entries); err != nil {
		t.Fatal(err)
	}
	c.Write(t, bundle.LogFile, append(bytes.Join(entries, []byte("\n")), '\n'))
}

// hideAt hides an entry without saying so.
func hideAt(entries [][]byte, seq int64) {
	entries[seq] = audit.Hidden{Seq: seq, Hash: audit.StatedHash(entries[seq])}.Marshal()
}

// Hiding cannot be hidden, nor used to change the log.
func TestRedactionAttacks(t *testing.T) {
	b := sample(t)
	resay := func(c *bundletest.Bundle, change func(r *bundle.Redaction)) {
		r, err := bundle.ParseRedaction(string(c.Read(t, bundle.RedactedFile)))
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		c.Write(t, bundle.RedactedFile, []byte(r.Text()))
	}
	for name, test := range map[string]struct {
		change func(c *bundletest.Bundle)
		want   verify.Code
	}{
		"the copy does not say that it is one": {func(c *bundletest.Bundle) {
			if err := os.Remove(c.Path(bundle.RedactedFile)); err != nil {
				t.Fatal(err)
			}
		}, verify.EntryHidden},
		"another hash": {func(c *bundletest.Bundle) {
			rewrite(t, b, c, func(e [][]byte) { e[3] = audit.Hidden{Seq: 3, Hash: audit.Hash{1}}.Marshal() })
		}, verify.CheckpointRoot},
		"another hash before an entry that is shown": {func(c *bundletest.Bundle) {
			rewrite(t, b, c, func(e [][]byte) { e[5] = audit.Hidden{Seq: 5, Hash: audit.Hash{1}}.Marshal() })
		}, verify.ChainBroken},
		"another number": {func(c *bundletest.Bundle) {
			rewrite(t, b, c, func(e [][]byte) { e[3] = audit.Hidden{Seq: 4, Hash: audit.StatedHash(e[3])}.Marshal() })
		}, verify.ChainBroken},
		"more hidden than it says": {func(c *bundletest.Bundle) {
			rewrite(t, b, c, func(e [][]byte) { hideAt(e, 7) })
		}, verify.RedactionDiffers},
		"the end of a step hidden": {func(c *bundletest.Bundle) {
			var at int64
			rewrite(t, b, c, func(e [][]byte) {
				for i, line := range e {
					if x, err := audit.Parse(line); err == nil && x.Kind() == "step-end" && at == 0 {
						at = int64(i)
						hideAt(e, at)
					}
				}
			})
			resay(c, func(r *bundle.Redaction) {
				r.Hidden = append([]bundle.Range{r.Hidden[0], {From: at, To: at}}, r.Hidden[1:]...)
			})
		}, verify.LogGrammar},
		"the first entry hidden": {func(c *bundletest.Bundle) {
			rewrite(t, b, c, func(e [][]byte) { hideAt(e, 0) })
		}, verify.LogGrammar},
		"the close hidden": {func(c *bundletest.Bundle) {
			rewrite(t, b, c, func(e [][]byte) { hideAt(e, int64(len(e)-1)) })
		}, verify.LogNotClosed},
		"hidden in one form of the log alone": {func(c *bundletest.Bundle) {
			c.Write(t, bundle.LogFile, b.Read(t, bundle.LogFile))
		}, verify.StoresDiffer},
		"of another log": {func(c *bundletest.Bundle) {
			resay(c, func(r *bundle.Redaction) { r.Origin = "keyrite.ceremony/rehearsal/00000000000000000000000000000000" })
		}, verify.RedactionDiffers},
		"in another form": {func(c *bundletest.Bundle) {
			c.Write(t, bundle.RedactedFile, append(c.Read(t, bundle.RedactedFile), "left-out script.yaml\n"...))
		}, verify.RedactionDiffers},
		"the transcript is there": {func(c *bundletest.Bundle) {
			c.Write(t, bundle.TranscriptFile, b.Read(t, bundle.TranscriptFile))
		}, verify.RedactionDiffers},
		"an artifact left out that is shown": {func(c *bundletest.Bundle) {
			if err := os.Remove(c.Path("artifacts/root.pem")); err != nil {
				t.Fatal(err)
			}
			resay(c, func(r *bundle.Redaction) { r.LeftOut = append([]string{"artifacts/root.pem"}, r.LeftOut...) })
		}, verify.FileMissing},
		"an artifact changed": {func(c *bundletest.Bundle) {
			c.Write(t, "artifacts/root.pem", c.Read(t, "artifacts/sub-ca.pem"))
		}, verify.SumDiffers},
	} {
		t.Run(name, func(t *testing.T) {
			_, c := copied(t, b, "kind=attendance")
			test.change(c)
			if r := verified(t, c); !r.Has(test.want) || r.Exit != verify.ExitFailed {
				t.Errorf("%s, exit %d, want %s\n%s", r.Verdict, r.Exit, test.want, strings.Join(failures(r), "\n"))
			}
		})
	}
}

// TestNotChecked: what a hidden half of a signature keeps from being checked is
// said, entry by entry, and is no failure.
func TestNotChecked(t *testing.T) {
	b := sample(t)
	_, out := copied(t, b, "kind=hsm-outcome")
	r := verified(t, out)
	if f := failures(r); len(f) > 0 {
		t.Errorf("failures: %q", f)
	}
	if !r.Has(verify.NotChecked) || !r.Has(verify.Redacted) {
		t.Errorf("the report does not say what could not be checked: %+v", r.Findings)
	}
	if plain := verified(t, b); plain.Has(verify.NotChecked) || plain.Has(verify.Redacted) {
		t.Error("the original is called redacted")
	}
}
