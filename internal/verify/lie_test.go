package verify

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// A lie is a bundle whose program or token lied: everything is signed and
// hashed as it should be, and something in it cannot be true.
type lie struct {
	name   string
	c      bundletest.Ceremony
	before func(b *bundletest.Builder, step string, d audit.Data)
	change func(seq int64, step string, d audit.Data) audit.Data
	after  func(t *testing.T, b *bundletest.Bundle)
	o      func(b *bundletest.Bundle) Options
	want   Code
}

// edit changes every entry of one type.
func edit[D audit.Data](f func(step string, d D)) func(int64, string, audit.Data) audit.Data {
	return func(_ int64, step string, d audit.Data) audit.Data {
		if x, ok := d.(D); ok {
			f(step, x)
		}
		return d
	}
}

// drop leaves out the entries of one type for which f is true.
func drop[D audit.Data](f func(step string, d D) bool) func(int64, string, audit.Data) audit.Data {
	return func(_ int64, step string, d audit.Data) audit.Data {
		if x, ok := d.(D); ok && f(step, x) {
			return nil
		}
		return d
	}
}

// at calls f once, before the first entry of one type in a step.
func at[D audit.Data](step string, f func(b *bundletest.Builder, d D)) func(*bundletest.Builder, string, audit.Data) {
	done := false
	return func(b *bundletest.Builder, s string, d audit.Data) {
		if x, ok := d.(D); ok && s == step && !done {
			done = true
			f(b, x)
		}
	}
}

// rewritten replaces an artifact's file before it is recorded, so that log and
// file agree.
func rewritten(step string, f func(content []byte) []byte) func(*bundletest.Builder, string, audit.Data) {
	return at(step, func(b *bundletest.Builder, d *audit.Artifact) {
		d.File = b.Replace(d.File.Name, f(b.Read(d.File.Name)))
	})
}

func lies() []lie {
	return append([]lie{
		{name: "C_Sign without anything announced", before: at("root-crl", func(b *bundletest.Builder, _ *audit.StepEnd) {
			b.Call(audit.HSMIntent{Function: "C_Sign", Session: "1", Data: "00", For: 3}, audit.HSMOutcome{Signature: "00"})
		}), want: SignatureUnexplained},
		{name: "the same announcement signed twice", before: at("root-certificate", func(b *bundletest.Builder, d *audit.Artifact) {
			b.Call(audit.HSMIntent{Function: "C_Sign", Session: "1", Data: "00", For: d.Signed - 4}, audit.HSMOutcome{Signature: "00"})
		}), want: SignatureUnexplained},
		{name: "other bytes given to C_Sign", change: edit(func(step string, d *audit.HSMIntent) {
			if d.Function == "C_Sign" {
				d.Data = strings.Repeat("0", len(d.Data))
			}
		}), want: SignedBytesDiffer},
		{name: "another input announced", change: edit(func(_ string, d *audit.ToBeSigned) { d.Input = strings.Repeat("0", len(d.Input)) }), want: SignedBytesDiffer},
		{name: "another digest announced", change: edit(func(_ string, d *audit.ToBeSigned) { d.Digest = "SHA-384" }), want: SignedBytesDiffer},
		{name: "a mechanism that nobody knows", change: edit(func(_ string, d *audit.ToBeSigned) { d.Mechanism = "CKM_X" }), want: SignedBytesDiffer},
		{name: "another signature recorded", change: edit(func(_ string, d *audit.HSMOutcome) {
			if d.Signature != "" {
				d.Signature = strings.Repeat("1", len(d.Signature))
			}
		}), want: SignedBytesDiffer},
		{name: "artifact under another name than announced", change: edit(func(_ string, d *audit.ToBeSigned) { d.For = "artifacts/x.pem" }), want: SignedBytesDiffer},
		{name: "artifact of another signature", change: edit(func(step string, d *audit.Artifact) {
			if step == "root-crl" {
				d.Signed = 0
			}
		}), want: ArtifactSignature},
		{name: "a signature that does not verify", before: rewritten("root-certificate", func(b []byte) []byte {
			block, _ := pem.Decode(b)
			block.Bytes[len(block.Bytes)-1] ^= 1
			return pem.EncodeToMemory(block)
		}), want: ArtifactSignature},
		{name: "text behind the PEM block", before: rewritten("sub-certificate", func(b []byte) []byte { return append(b, "more\n"...) }), want: ArtifactFormat},
		{name: "a header in the PEM block", before: rewritten("root-crl", func(b []byte) []byte {
			return bytes.Replace(b, []byte("-----\n"), []byte("-----\nX: y\n\n"), 1)
		}), want: ArtifactFormat},
		{name: "a certificate announced as a CRL", change: edit(func(step string, d *audit.ToBeSigned) {
			if step == "root-certificate" {
				d.Object = "crl"
			}
		}), want: ArtifactFormat},
		{name: "another key recorded", change: edit(func(step string, d *audit.Key) { d.SPKI, d.SPKISHA256 = otherKey, hash(unhex(otherKey)) }), want: ArtifactKey},
		{name: "a key's hash that is not its own", change: edit(func(_ string, d *audit.Key) { d.SPKISHA256 = strings.Repeat("0", 64) }), want: ArtifactKey},
		{name: "a serial number that was chosen", change: edit(func(_ string, d *audit.HSMOutcome) {
			if d.Random != "" {
				d.Random = strings.Repeat("ab", 16)
			}
		}), want: SerialNotRandom},
		{name: "a serial number from nowhere", change: edit(func(_ string, d *audit.ToBeSigned) { d.Random = 1 }), want: SerialNotRandom},
		{name: "dated back", before: at("root-certificate", func(b *bundletest.Builder, _ *audit.ToBeSigned) { b.Wait(48 * time.Hour) }), want: NotBefore},
		{name: "mode", change: edit(func(_ string, d *audit.LogOpen) { d.Mode = "production" }), want: ModeDiffers},
		{name: "one name, two files", change: edit(func(step string, d *audit.Artifact) { d.File.Name = "artifacts/root.pem" }), want: ArtifactDiffers},
		{name: "a file outside of the artifacts", change: edit(func(step string, d *audit.Artifact) { d.File.Name = "../x" }), want: ArtifactDiffers},
	}, lesserLies()...)
}

func lesserLies() []lie {
	return append([]lie{
		{name: "no checkpoint of the log before", c: bundletest.Ceremony{Pause: true}, change: edit(func(_ string, d *audit.SegmentOpen) { d.Checkpoint = "x\n" }), want: SegmentCheckpoint},
		{name: "an older checkpoint", c: bundletest.Ceremony{Pause: true}, before: olderCheckpoint(), want: SegmentCheckpoint},
		{name: "nobody adopts the head", c: bundletest.Ceremony{Pause: true}, change: drop(func(string, *audit.SegmentAdopt) bool { return true }), want: SegmentAdoption},
		{name: "adopted by nobody", c: bundletest.Ceremony{Pause: true}, change: edit(func(_ string, d *audit.SegmentAdopt) { d.People = nil }), want: SegmentAdoption},
		{name: "another size adopted", c: bundletest.Ceremony{Pause: true}, change: edit(func(_ string, d *audit.SegmentAdopt) { d.Size-- }), want: SegmentAdoption},
		{name: "another head adopted", c: bundletest.Ceremony{Pause: true}, change: edit(func(_ string, d *audit.SegmentAdopt) { d.Head = strings.Repeat("0", 64) }), want: RecordedHeadDiffers},
		{name: "segment with another number", c: bundletest.Ceremony{Pause: true}, change: edit(func(_ string, d *audit.SegmentOpen) { d.Segment = 7 }), want: LogGrammar},
		{name: "a step without an end", change: drop(func(step string, _ *audit.StepEnd) bool { return step == "root-key" }), want: LogGrammar},
		{name: "two beginnings of the log", before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) { b.Add(&audit.LogOpen{Origin: "x"}) }), want: LogGrammar},
		{name: "aborted, but said complete", c: bundletest.Ceremony{Abort: true}, change: edit(func(_ string, d *audit.Close) { d.Result = "complete" }), want: LogGrammar},
		{name: "a verdict of nobody", change: edit(func(_ string, d *audit.Verdict) { d.Person = "nob" }), want: LogGrammar},
		{name: "another log key named", change: edit(func(_ string, d *audit.LogOpen) { d.Origin += "x" }), want: OriginDiffers},
		{name: "step with another number", change: edit(func(_ string, d *audit.StepBegin) { d.Number++ }), want: StepOrder},
		{name: "attempt with another number", change: edit(func(_ string, d *audit.StepBegin) { d.Attempt = 3 }), want: StepOrder},
		{name: "plan without a step that was done", change: edit(func(_ string, d *audit.LogOpen) { d.Plan = d.Plan[:len(d.Plan)-1] }), want: StepOrder},
		{name: "a step that never came", change: edit(func(_ string, d *audit.LogOpen) {
			d.Plan = append(d.Plan[:len(d.Plan):len(d.Plan)], audit.PlanStep{ID: "backup", Kind: "export", Title: "Backup"})
		}), want: StepMissing},
		{name: "the log key not read aloud", change: drop(func(string, *audit.KeyRead) bool { return true }), want: KeyNotRead},
		{name: "another log key read aloud", change: edit(func(_ string, d *audit.KeyRead) { d.LogKey = "x" }), want: KeyNotRead},
		{name: "other words read aloud", change: edit(func(_ string, d *audit.KeyRead) { d.Words = "aardvark" }), want: KeyNotRead},
		{name: "a call without outcome", change: drop(func(_ string, d *audit.HSMOutcome) bool { return d.Function == "C_CloseSession" }), want: CallWithoutOutcome},
		{name: "an outcome of another call", change: edit(func(_ string, d *audit.HSMOutcome) { d.Function = "C_Initialize" }), want: CallOutcome},
		{name: "an outcome of no call", change: edit(func(_ string, d *audit.HSMOutcome) { d.Intent = 0 }), want: CallOutcome},
		{name: "a login between the steps", before: at("", func(b *bundletest.Builder, _ *audit.Transcript) {
			b.Call(audit.HSMIntent{Function: "C_Login", Session: "1", PIN: "[redacted]"}, audit.HSMOutcome{})
		}), want: CallWithoutStep},
		{name: "a PIN", change: edit(func(_ string, d *audit.HSMIntent) {
			if d.PIN != "" {
				d.PIN = "648219"
			}
		}), want: SecretRecorded},
		{name: "random bytes for a secret", change: edit(func(_ string, d *audit.HSMIntent) {
			if d.Purpose != "" {
				d.Purpose = "secret"
			}
		}), want: SecretRecorded},
		{name: "a verdict on another log", change: edit(func(_ string, d *audit.Verdict) { d.Head = strings.Repeat("0", 64) }), want: RecordedHeadDiffers},
		{name: "a verdict on what comes", change: edit(func(_ string, d *audit.Verdict) { d.Size += 100 }), want: RecordedHeadDiffers},
		{name: "more than can be held", c: bundletest.Ceremony{}, o: func(*bundletest.Bundle) Options { return Options{maxHeld: 3000} }, want: TooMuch},
	}, paperLies()...)
}

func paperLies() []lie {
	return []lie{
		{name: "no transcript", c: bundletest.Ceremony{NoPaper: true}, want: PagesDiffer},
		{name: "a page signature", change: edit(func(_ string, d *audit.Transcript) { d.Pages[2].Signature = strings.Repeat("0", 128) }), want: PageSignature},
		{name: "a page digest", change: edit(func(_ string, d *audit.Transcript) { d.Pages[2].Digest = strings.Repeat("0", 64) }), want: PageSignature},
		{name: "a page left out", change: edit(func(_ string, d *audit.Transcript) { d.Pages = d.Pages[:3] }), want: PagesDiffer, c: bundletest.Ceremony{}},
		{name: "other pages", o: func(*bundletest.Bundle) Options {
			return Options{Recompose: func(b Files, e []*audit.Entry) ([]transcript.Page, []byte, error) {
				pages, pdf, err := pagesOnly(b, e)
				pages[1].Lines[0].Text += "!"
				return pages, pdf, err
			}}
		}, want: PagesDiffer},
		{name: "a page too few", o: func(*bundletest.Bundle) Options {
			return Options{Recompose: func(b Files, e []*audit.Entry) ([]transcript.Page, []byte, error) {
				pages, pdf, err := pagesOnly(b, e)
				return pages[1:], pdf, err
			}}
		}, want: PagesDiffer},
		{name: "a renderer that gives up", o: func(*bundletest.Bundle) Options {
			return Options{Recompose: func(Files, []*audit.Entry) ([]transcript.Page, []byte, error) { panic("no such glyph") }}
		}, want: PagesDiffer},
	}
}

// otherKey is the SubjectPublicKeyInfo of a P-256 key that no test has: the
// curve's base point.
const otherKey = "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// olderCheckpoint gives a segment the checkpoint of an earlier size.
func olderCheckpoint() func(*bundletest.Builder, string, audit.Data) {
	var old []byte
	return func(b *bundletest.Builder, _ string, d audit.Data) {
		switch d := d.(type) {
		case *audit.Attendance:
			old = b.Checkpoint()
		case *audit.SegmentOpen:
			d.Checkpoint = string(old)
		}
	}
}

// tell makes the bundle of a lie and checks it.
func (l lie) tell(t *testing.T) *Report {
	c := l.c
	c.Before, c.Change = l.before, l.change
	c.NoPDF = true
	b := bundletest.Make(t, c)
	if l.after != nil {
		l.after(t, b)
	}
	o := Options{}
	if l.o != nil {
		o = l.o(b)
	}
	if o.Recompose == nil {
		o.Recompose = pagesOnly
	}
	return check(t, b, o)
}

func TestLies(t *testing.T) {
	for _, l := range lies() {
		t.Run(l.name, func(t *testing.T) {
			if r := l.tell(t); r.Exit != ExitFailed || r.Verdict != Failed || !r.Has(l.want) {
				t.Errorf("verdict %s, exit %d, no %s\n%s", r.Verdict, r.Exit, l.want, codes(r))
			}
		})
	}
}

// warnings are bundles that are sound, and yet a reader must know something.
func warnings() []lie {
	return []lie{
		{name: "nothing vouches for a segment", c: bundletest.Ceremony{Pause: true}, want: SegmentUnanchored},
		{name: "a witness disagrees", change: edit(func(_ string, d *audit.Verdict) { d.Agree, d.Because = false, "a seal was broken" }), want: WitnessDisagrees},
		{name: "a witness says nothing", change: drop(func(_ string, d *audit.Verdict) bool { return d.Person == "ewa" }), want: VerdictMissing},
		{name: "a failed try", c: bundletest.Ceremony{Failed: true}, want: SignatureUnused},
		{name: "a call of which nobody knows", c: bundletest.Ceremony{Crash: true}, want: CallUnknown},
		{name: "a step skipped", before: at("verdict", func(b *bundletest.Builder, _ *audit.StepEnd) {
			b.Add(&audit.Deviation{Expected: "verdicts", Happened: "no time", Decided: "leave them out", People: []string{"ada", "wil"}, Effect: "skip"})
		}), change: edit(func(step string, d *audit.StepEnd) {
			if step == "verdict" {
				d.Result, d.Reason = "skipped", "no time"
			}
		}), want: StepSkipped},
		{name: "time goes back", before: at("verdict", func(b *bundletest.Builder, _ *audit.Verdict) { b.Wait(-time.Minute) }), want: TimeGoesBack},
		{name: "a clock that is off", before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
			b.Add(&audit.Clock{Person: "wil", Machine: "2026-11-25T09:00:00Z", Room: "2026-11-25T09:01:01Z", OffsetMS: -61000})
		}), want: ClockOffset},
		{name: "a clock that jumped", before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
			b.Add(&audit.ClockJump{WallMS: 9000, MonotonicMS: 10})
		}), want: ClockOffset},
		{name: "pages not made again", o: func(*bundletest.Bundle) Options {
			return Options{Recompose: func(b Files, e []*audit.Entry) ([]transcript.Page, []byte, error) { return pagesOnly(b, e) }}
		}, change: edit(func(_ string, d *audit.Transcript) { d.Renderer = "other/1" }), want: PagesNotCompared},
		{name: "PDF not drawn again", want: PDFNotCompared},
		{name: "a rehearsal", want: CeremonyIsRehearsal},
	}
}

func TestWarnings(t *testing.T) {
	for _, l := range warnings() {
		t.Run(l.name, func(t *testing.T) {
			if r := l.tell(t); r.Exit != ExitSound || !r.Has(l.want) {
				t.Errorf("verdict %s, exit %d, no %s\n%s", r.Verdict, r.Exit, l.want, codes(r))
			}
		})
	}
}
