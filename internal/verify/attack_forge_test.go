package verify

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

func sqlOf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// remove takes files out of a bundle.
func remove(t *testing.T, b *bundletest.Bundle, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.Remove(b.Path(name)); err != nil {
			t.Fatal(err)
		}
	}
}

// query asks the command-line program of SQLite.
func query(t *testing.T, b *bundletest.Bundle, sql string) string {
	t.Helper()
	out, err := exec.Command("sqlite3", "-bail", b.Path(bundle.DatabaseFile), sql).CombinedOutput()
	if err != nil {
		t.Fatalf("sqlite3: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// keptBefore returns the number of entries before a step begins: a checkpoint is
// kept there.
func keptBefore(t *testing.T, b *bundletest.Bundle, step string) int64 {
	t.Helper()
	for _, e := range entriesOf(t, b) {
		if e.Step == step {
			return e.Seq
		}
	}
	t.Fatalf("no step %s", step)
	return 0
}

// kept returns the checkpoint kept for a size.
func kept(t *testing.T, b *bundletest.Bundle, size int64) []byte {
	t.Helper()
	note, err := hex.DecodeString(query(t, b, sqlOf("SELECT hex(note) FROM checkpoint WHERE size=%d", size)))
	if err != nil || len(note) == 0 {
		t.Fatalf("no checkpoint is kept for %d entries: %v", size, err)
	}
	return note
}

// rebuild begins with entries of the ceremony as its own key signed them.
func (f *forger) rebuild(entries []*audit.Entry) {
	f.t.Helper()
	f.moved, f.kept, f.roots = map[int64]int64{}, map[int64][]byte{}, []audit.Hash{f.tree.Root()}
	for _, size := range strings.Fields(query(f.t, f.b, "SELECT size FROM checkpoint")) {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			f.t.Fatal(err)
		}
		if n <= int64(len(entries)) {
			f.kept[n] = kept(f.t, f.b, n)
		}
	}
	for _, e := range entries {
		f.raw(e)
	}
}

// more returns an entry that was not there.
func more(like *audit.Entry, step string, d audit.Data) *audit.Entry {
	e := *like
	e.Seq, e.Step, e.Data = -1, step, d
	return &e
}

// goOn continues a log with a segment of the forger's own: what is before it stays
// as the ceremony's key signed it.
func goOn(t *testing.T, b *bundletest.Bundle, before, after []*audit.Entry) {
	t.Helper()
	f := &forger{t: t, b: b, origin: b.Origin}
	first, own := b.Read(t, bundle.LogKeyFile(0)), kept(t, b, int64(len(before)))
	f.rebuild(before)
	last := before[len(before)-1]
	f.key(1)
	f.raw(more(last, "", &audit.SegmentOpen{Segment: 1, Reason: "break", Checkpoint: string(own), LogKey: f.key(1).VerifierKey(), Program: before[0].Data.(*audit.LogOpen).Program}))
	everybody := []string{"ada", "oto", "wil", "ewa"}
	f.add(more(last, "", &audit.SegmentAdopt{Seen: "typed", People: everybody, Custody: "the operator"}))
	f.add(more(last, "", &audit.KeyRead{People: everybody}))
	committed := false
	for _, e := range after {
		if _, page := e.Data.(*audit.Transcript); !page {
			f.add(e)
		} else if !committed {
			committed = true
			f.commit(e)
		}
	}
	f.write()
	b.Write(t, bundle.LogKeyFile(0), first)
	f.manifest()
}

// raw adds an entry whose data stays as it is.
func (f *forger) raw(e *audit.Entry) {
	f.t.Helper()
	e.Seq, e.Prev = int64(len(f.made)), f.prev
	enc, err := e.Marshal()
	if err != nil {
		f.t.Fatal(err)
	}
	f.prev = audit.LeafHash(enc)
	f.tree.Append(f.prev)
	f.roots = append(f.roots, f.tree.Root())
	f.made, f.lines = append(f.made, e), append(f.lines, enc)
}

// appendSegment goes on with a log that is closed.
func appendSegment(t *testing.T, _ *arena, b *bundletest.Bundle) {
	e := entriesOf(t, b)
	last := e[len(e)-1]
	goOn(t, b, e, []*audit.Entry{more(last, "", &audit.Close{Result: "complete"})})
}

// replaceEnd puts a segment of the attacker's in the place of the ceremony's end.
func replaceEnd(t *testing.T, _ *arena, b *bundletest.Bundle) {
	e, at := entriesOf(t, b), keptBefore(t, b, "verdict")
	goOn(t, b, e[:at], e[at:])
}

// forgeries make the whole log again, with keys of the forger's: they are sound
// in themselves, or what they changed contradicts what stands elsewhere.
func forgeries() []attack {
	return []attack{
		{name: "log-and-key-replaced", forged: true, do: forged(func(e []*audit.Entry) []*audit.Entry { return e })},
		{name: "deviation-removed-everything-made-again", forged: true, do: func(t *testing.T, _ *arena, b *bundletest.Bundle) {
			// What was inconvenient is put in first, then taken out without a trace.
			f := &forger{t: t, b: b}
			f.forge(func(e []*audit.Entry) []*audit.Entry {
				d := more(e[20], e[20].Step, &audit.Deviation{Expected: "a seal", Happened: "no seal", Decided: "go on", People: []string{"ada"}, Effect: "none"})
				return slices.Insert(e, 20, d)
			})
			forged(without(func(string, *audit.Deviation) bool { return true }))(t, nil, b)
		}},
		{name: "disagreement-turned-into-agreement", forged: true, do: forged(inEach(func(_ string, d *audit.Verdict) { d.Agree, d.Because = true, "" }))},
		{name: "old-log-dated-today", forged: true, do: forged(func(e []*audit.Entry) []*audit.Entry {
			for _, x := range e {
				x.Time = x.Time.Add(3 * time.Hour) // within the day that a certificate's beginning may lie before
			}
			return e
		})},
		{name: "ceremony-dated-another-day", do: forged(func(e []*audit.Entry) []*audit.Entry {
			for _, x := range e {
				x.Time = x.Time.AddDate(0, 0, 40)
			}
			return e
		}), want: []Code{NotBefore}},
		{name: "verdict-deleted-everything-made-again", do: forged(without(func(_ string, d *audit.Verdict) bool { return d.Person == "ewa" })),
			verdict: Consistent, want: []Code{VerdictMissing}},
		{name: "witness-struck-from-the-log", do: forged(inEach(func(_ string, d *audit.LogOpen) { d.Participants = d.Participants[:3] })), want: []Code{PlanDiffers}},
		{name: "signature-hidden-everything-made-again", do: forged(without(func(step string, d *audit.HSMIntent) bool { return step == "root-crl" && d.Function == "C_Sign" })),
			want: []Code{CallOutcome}},
		{name: "call-and-signature-hidden", do: func(t *testing.T, a *arena, b *bundletest.Bundle) {
			forged(func(e []*audit.Entry) []*audit.Entry {
				return slices.DeleteFunc(e, func(e *audit.Entry) bool {
					i, intent := e.Data.(*audit.HSMIntent)
					o, outcome := e.Data.(*audit.HSMOutcome)
					return e.Step == "root-crl" && (intent && i.Function == "C_Sign" || outcome && o.Function == "C_Sign")
				})
			})(t, a, b)
		}, want: []Code{ArtifactSignature}},
		{name: "rehearsal-shown-as-production", do: forged(inEach(func(_ string, d *audit.LogOpen) { d.Mode = audit.ModeProduction })), want: []Code{ModeDiffers, PlanDiffers}},
		{name: "production-shown-as-rehearsal", base: "production", do: resigned(inEach(func(_ string, d *audit.LogOpen) { d.Mode = audit.ModeRehearsal })),
			want: []Code{CheckpointRoot, ModeDiffers}},
		{name: "production-shown-as-rehearsal-everything-made-again", base: "production", forged: true, do: func(t *testing.T, _ *arena, b *bundletest.Bundle) {
			f := &forger{t: t, b: b, origin: strings.Replace(b.Origin, "/production/", "/rehearsal/", 1)}
			f.forge(inEach(func(_ string, d *audit.LogOpen) { d.Mode = audit.ModeRehearsal }))
		}, want: []Code{CeremonyIsRehearsal}},
		{name: "segment-in-place-of-the-end", do: replaceEnd, verdict: Consistent, want: []Code{SegmentUnanchored},
			given: func(a *arena) Options { return Options{LogKeys: a.bundles[""].LogKeys} }},
		{name: "segment-in-place-of-the-end-head-noted", do: replaceEnd, want: []Code{HeadDiffersFromGiven},
			given: func(a *arena) Options { return Options{Head: a.bundles[""].Head} }},
		{name: "fork-from-a-copied-folder", do: replaceEnd, want: []Code{HeadDiffersFromGiven},
			given: func(a *arena) Options { return Options{Head: a.bundles[""].Head, LogKeys: a.bundles[""].LogKeys} }},
		{name: "artifact-replaced-everything-made-again", do: func(t *testing.T, a *arena, b *bundletest.Bundle) {
			cert := a.bundles["other"].Read(t, "artifacts/root.pem")
			b.Write(t, "artifacts/root.pem", cert)
			forged(inEach(func(_ string, d *audit.Artifact) {
				if d.File.Name == "artifacts/root.pem" {
					d.File.SHA256, d.File.Size = hash(cert), int64(len(cert))
				}
			}))(t, a, b)
		}, want: []Code{SignedBytesDiffer, ArtifactSignature}},
		{name: "script-replaced-everything-made-again", do: func(t *testing.T, a *arena, b *bundletest.Bundle) {
			replace(t, b, bundle.ScriptFile, "Vault 2", "Cellar")
			script := b.Read(t, bundle.ScriptFile)
			forged(inEach(func(_ string, d *audit.LogOpen) {
				d.Place, d.Script.SHA256, d.Script.Size = "Cellar", hash(script), int64(len(script))
			}))(t, a, b)
		}, want: []Code{ScriptNotAgreed}, given: func(a *arena) Options { return Options{ScriptSHA256: a.bundles[""].ScriptSHA256} }},
		{name: "canonical-json-read-two-ways", do: func(t *testing.T, _ *arena, b *bundletest.Bundle) {
			f := &forger{t: t, b: b, bytes: func(e *audit.Entry, enc []byte) []byte {
				if v, ok := e.Data.(*audit.Verdict); ok && v.Person == "ewa" {
					return bytes.Replace(enc, []byte(`{"agree":true,`), []byte(`{"agree":false,"agree":true,`), 1)
				}
				return enc
			}}
			f.forge(nil)
		}, want: []Code{EntryFormat}},
		{name: "log-key-kept-after-the-close", do: func(t *testing.T, a *arena, b *bundletest.Bundle) {
			f := &forger{t: t, b: b}
			f.forge(nil)
			again := &forger{t: t, b: b, keys: f.keys} // the program kept the key
			again.forge(inEach(func(_ string, d *audit.Attendance) { d.Identity = "never looked at" }))
		}, want: []Code{HeadDiffersFromGiven}, given: func(a *arena) Options { return Options{Head: a.bundles[""].Head} }},
	}
}
