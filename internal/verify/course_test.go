package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// courseLies are lies about the course of a ceremony: who was there, who said
// what, what the script asked for, what was called.
func courseLies() []lie {
	pause := bundletest.Ceremony{Pause: true}
	return append([]lie{
		{name: "a pause that was a break", c: pause, change: edit(func(_ string, d *audit.SegmentOpen) { d.Reason = "break" }), want: LogGrammar},
		{name: "a break that was no pause", c: bundletest.Ceremony{Crash: true}, change: edit(func(_ string, d *audit.SegmentOpen) { d.Reason = "pause" }), want: LogGrammar},
		{name: "something after the pause", c: pause, before: at("", func(b *bundletest.Builder, _ *audit.SegmentOpen) { b.Add(&audit.Answer{Person: "ada"}) }), want: LogGrammar},
		{name: "the key of a former segment", c: pause, change: formerKey(), want: LogGrammar},
		{name: "adopted by nobody of the roster", c: pause, change: edit(func(_ string, d *audit.SegmentAdopt) { d.People = []string{"nob"} }), want: SegmentAdoption},
		{name: "adopted by somebody absent", c: pause, change: absent("wil", nil), want: SegmentAdoption},
		{name: "compared in another way", c: pause, change: edit(func(_ string, d *audit.SegmentAdopt) { d.Seen = "surely" }), want: SegmentAdoption},
		{name: "key heard by nobody of the roster", change: edit(func(_ string, d *audit.KeyRead) { d.People = []string{"nob"} }), want: KeyNotRead},
		{name: "a verdict of somebody absent", change: absent("ewa", nil), want: LogGrammar},
		{name: "a verdict outside its step", before: at("close", func(b *bundletest.Builder, _ *audit.StepEnd) { b.Add(&audit.Verdict{Person: "wil", Agree: true}) }), want: LogGrammar},
		{name: "a verdict on the empty log", change: edit(func(_ string, d *audit.Verdict) {
			d.Size, d.Head = 0, new(audit.Frontier).Root().String()
		}), want: RecordedHeadDiffers},
		{name: "verdicts on two sizes", change: edit(func(_ string, d *audit.Verdict) {
			if d.Person == "ewa" {
				d.Size--
			}
		}), want: RecordedHeadDiffers},
		{name: "no word of a witness", change: drop(func(_ string, d *audit.Ack) bool { return d.Person == "ewa" }), want: AckMissing},
		{name: "no word of the actor", change: drop(func(_ string, d *audit.Ack) bool { return d.As == "actor" }), want: AckMissing},
		{name: "the word of somebody absent", change: absent("oto", func(d *audit.Ack) { d.Person = "oto" }), want: AckMissing},
		{name: "a witness's word before the calls", before: at("root-key", func(b *bundletest.Builder, d *audit.Ack) {
			b.Add(&audit.Ack{Person: "wil", As: "witness"})
			b.Add(&audit.Ack{Person: "ewa", As: "witness"})
			b.Call(audit.HSMIntent{Function: "C_GetInfo"}, audit.HSMOutcome{})
		}), change: drop(func(step string, d *audit.Ack) bool { return step == "root-key" && d.As == "witness" && d.Typed != "" }), want: AckMissing},
		{name: "skipped without a deviation", change: edit(func(step string, d *audit.StepEnd) {
			if step == "verdict" {
				d.Result = "skipped"
			}
		}), want: LogGrammar},
		{name: "another offset than the clocks have", before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
			b.Add(&audit.Clock{Person: "wil", Machine: "2026-11-25T09:00:00Z", Room: "2026-11-25T09:30:00Z"})
		}), want: LogGrammar},
	}, callLies()...)
}

// callLies are lies about PKCS#11 calls and about what stands where.
func callLies() []lie {
	call := func(i audit.HSMIntent, o audit.HSMOutcome) func(*bundletest.Builder, string, audit.Data) {
		return at("root-key", func(b *bundletest.Builder, _ *audit.Key) { b.Call(i, o) })
	}
	return append([]lie{
		{name: "what the room says of a call that succeeded", before: said("C_SetPIN", "CKR_OK"), want: CallOutcome},
		{name: "what the room says of a call that was refused", before: said("C_SetPIN", "CKR_PIN_INCORRECT"), want: CallOutcome},
		{name: "what the room says of a call that leaves nothing", before: said("C_Login", "CKR_GENERAL_ERROR"), want: CallOutcome},
		{name: "a function that keyrite never calls", before: call(audit.HSMIntent{Function: "C_WrapKey"}, audit.HSMOutcome{}), want: FunctionUnknown},
		{name: "a return value of no form", before: call(audit.HSMIntent{Function: "C_GetInfo"}, audit.HSMOutcome{RV: "ok"}), want: CallOutcome},
		{name: "a signature of a call that failed", change: edit(func(_ string, d *audit.HSMOutcome) {
			if d.Function == "C_Sign" {
				d.RV = "CKR_DEVICE_ERROR"
			}
		}), want: CallOutcome},
		{name: "a key of a call without an answer", change: edit(func(_ string, d *audit.HSMOutcome) {
			if d.Function == "C_GenerateKeyPair" {
				d.RV = "none"
			}
		}), want: CallOutcome},
		{name: "a member that the function does not take", before: call(audit.HSMIntent{Function: "C_Logout", Session: "1", Label: "648219"}, audit.HSMOutcome{}), want: SecretRecorded},
		{name: "a member that the function does not give", before: call(audit.HSMIntent{Function: "C_Logout", Session: "1"}, audit.HSMOutcome{State: "648219"}), want: SecretRecorded},
		{name: "a private exponent", before: call(audit.HSMIntent{Function: "C_GetAttributeValue", Attributes: []string{"CKA_PRIVATE_EXPONENT"}},
			audit.HSMOutcome{Attributes: []audit.Attribute{{Type: "CKA_PRIVATE_EXPONENT", Value: "0102"}}}), want: SecretRecorded},
		{name: "a secret in a template", before: call(audit.HSMIntent{Function: "C_FindObjectsInit", Template: []audit.Attribute{{Type: "CKA_VALUE", Value: "01"}}}, audit.HSMOutcome{}), want: SecretRecorded},
		{name: "a step after the abort", c: bundletest.Ceremony{Abort: true}, before: at("", func(b *bundletest.Builder, _ *audit.Transcript) {
			b.Add(&audit.StepBegin{StepKind: "self-sign-root", Title: "Root certificate", Number: 4, Of: 9, Attempt: 1})
		}), want: LogGrammar},
		{name: "a machine described between the steps", before: at("", func(b *bundletest.Builder, _ *audit.Transcript) {
			b.Add(&audit.Environment{Interfaces: []audit.Interface{}})
		}), want: LogGrammar},
		{name: "an entry of a step that never was", before: at("", func(b *bundletest.Builder, _ *audit.Transcript) { b.AddTo("resume", &audit.Answer{Person: "ada"}) }), want: LogGrammar},
		{name: "an answer of no step inside one", before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) { b.AddTo("", &audit.Answer{Person: "ada"}) }), want: LogGrammar},
	}, append(commandLies(), planLies()...)...)
}

// said is a call with its return value, and what the room says of it.
func said(function, rv string) func(*bundletest.Builder, string, audit.Data) {
	return at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
		seq := b.Call(audit.HSMIntent{Function: function}, audit.HSMOutcome{RV: rv})
		b.Add(&audit.HSMUnknown{Intent: seq - 1, Found: "nothing", Decided: "it happened", Person: "ada"})
	})
}

// TestDoubtfulCall: the room may say what became of a call that failed on the
// way, and the auditor is told.
func TestDoubtfulCall(t *testing.T) {
	if r := (lie{before: said("C_SetPIN", "CKR_GENERAL_ERROR")}).tell(t); r.Exit != ExitSound || !r.Has(CallUnknown) {
		t.Errorf("exit %d\n%s", r.Exit, codes(r))
	}
}

// planLies are logs that say something else than the script.
func planLies() []lie {
	open := func(f func(d *audit.LogOpen)) func(int64, string, audit.Data) audit.Data {
		return edit(func(_ string, d *audit.LogOpen) { f(d) })
	}
	begin := func(f func(d *audit.StepBegin)) func(int64, string, audit.Data) audit.Data {
		return edit(func(_ string, d *audit.StepBegin) { f(d) })
	}
	return []lie{
		{name: "another title", change: open(func(d *audit.LogOpen) { d.Title = "x" }), want: PlanDiffers},
		{name: "another purpose", change: open(func(d *audit.LogOpen) { d.Purpose = "x" }), want: PlanDiffers},
		{name: "a participant more", change: open(func(d *audit.LogOpen) {
			d.Participants = append(d.Participants[:4:4], audit.Participant{ID: "max", Name: "Max", Initials: "MX", Roles: []string{}})
		}), want: PlanDiffers},
		{name: "another role", change: open(func(d *audit.LogOpen) {
			d.Participants = append([]audit.Participant{}, d.Participants...)
			d.Participants[3].Roles = []string{"operator"}
		}), want: PlanDiffers},
		{name: "production of a rehearsal's script", c: bundletest.Ceremony{Mode: audit.ModeProduction, ScriptMode: audit.ModeRehearsal}, want: PlanDiffers},
		{name: "a plan with other kinds", change: func(_ int64, step string, d audit.Data) audit.Data {
			switch d := d.(type) {
			case *audit.LogOpen:
				d.Plan = append([]audit.PlanStep{}, d.Plan...)
				d.Plan[8].Kind = "statement"
			case *audit.StepBegin:
				if step == "close" {
					d.StepKind = "statement"
				}
			}
			return d
		}, want: PlanDiffers},
		{name: "another actor", change: begin(func(d *audit.StepBegin) { d.Actor = "oto" }), want: PlanDiffers},
		{name: "a witness less", change: begin(func(d *audit.StepBegin) { d.Witnesses = d.Witnesses[:1] }), want: PlanDiffers},
		{name: "other words said", change: begin(func(d *audit.StepBegin) { d.Say = "x" }), want: PlanDiffers},
		{name: "other things to watch", change: begin(func(d *audit.StepBegin) { d.Watch = "x" }), want: PlanDiffers},
		{name: "no script at all", c: bundletest.Ceremony{Script: []byte("x")}, want: PlanDiffers},
	}
}

// formerKey gives a segment the key of the one before.
func formerKey() func(int64, string, audit.Data) audit.Data {
	former := ""
	return func(_ int64, _ string, d audit.Data) audit.Data {
		switch d := d.(type) {
		case *audit.LogOpen:
			former = d.LogKey
		case *audit.SegmentOpen:
			d.LogKey = former
		}
		return d
	}
}

// absent has a person away from the roll call, and changes acks.
func absent(person string, ack func(*audit.Ack)) func(int64, string, audit.Data) audit.Data {
	return func(_ int64, step string, d audit.Data) audit.Data {
		switch d := d.(type) {
		case *audit.Attendance:
			if d.Person == person {
				d.Present = false
			}
		case *audit.Ack:
			if ack != nil && step == "close" && d.As == "actor" {
				ack(d)
			}
		}
		return d
	}
}

// courseWarnings are sound bundles of ceremonies in which something happened.
func courseWarnings() []lie {
	add := func(d audit.Data) func(*bundletest.Builder, string, audit.Data) {
		return at("root-key", func(b *bundletest.Builder, _ *audit.Key) { b.Add(d) })
	}
	return []lie{
		{name: "a head that nobody noted", c: bundletest.Ceremony{Pause: true}, change: edit(func(_ string, d *audit.SegmentAdopt) { d.Seen = "not available" }), want: HeadNotCompared},
		{name: "a deviation", before: add(&audit.Deviation{Expected: "a bag", Happened: "no bag", Decided: "go on", People: []string{"ada", "wil"}, Effect: "none"}), want: Deviated},
		{name: "a problem", before: add(&audit.Problem{What: "the token was pulled"}), want: WentWrong},
		{name: "a failed attempt", c: bundletest.Ceremony{Failed: true}, want: WentWrong},
		{name: "another token", before: add(&audit.Token{Name: "hsm", Mechanisms: []string{}, Differs: []string{"serial: another"}, Info: audit.TokenInfo{Flags: []string{}}}), want: TokenDiffers},
		{name: "a token with things on it", before: add(&audit.Inventory{Token: "hsm", Objects: []audit.Object{}, Differs: []string{"not empty"}}), want: TokenDiffers},
		{name: "a bad attribute", change: edit(func(_ string, d *audit.Key) {
			d.Attributes = []audit.Judgement{{Attribute: "CKA_EXTRACTABLE", Reported: "true", Judged: "bad", Why: "it can be taken out"}}
		}), want: AttributeBad},
		{name: "signed after the verdicts", before: at("close", func(b *bundletest.Builder, _ *audit.Ack) { b.SignMore() }), want: SignedAfterVerdict},
		{name: "dissent before agreement", before: dissent(), want: WitnessDisagrees},
	}
}

// dissent has a witness disagree in a first attempt of the verdicts.
func dissent() func(*bundletest.Builder, string, audit.Data) {
	done := false
	return func(b *bundletest.Builder, step string, d audit.Data) {
		v, ok := d.(*audit.Verdict)
		if !ok || done {
			return
		}
		done = true
		no := *v
		no.Agree, no.Because = false, "a seal was broken"
		b.Add(&no)
	}
}

func TestCourseLies(t *testing.T) {
	for _, l := range courseLies() {
		t.Run(l.name, func(t *testing.T) {
			if r := l.tell(t); r.Exit != ExitFailed || r.Verdict != Failed || !r.Has(l.want) {
				t.Errorf("verdict %s, exit %d, no %s\n%s", r.Verdict, r.Exit, l.want, codes(r))
			}
		})
	}
}

func TestCourseWarnings(t *testing.T) {
	for _, l := range courseWarnings() {
		t.Run(l.name, func(t *testing.T) {
			if r := l.tell(t); r.Exit != ExitSound || !r.Has(l.want) {
				t.Errorf("verdict %s, exit %d, no %s\n%s", r.Verdict, r.Exit, l.want, codes(r))
			}
		})
	}
}

// TestDissentIsShown wants a former disagreement among the verdicts.
func TestDissentIsShown(t *testing.T) {
	r := lie{before: dissent()}.tell(t)
	shown := false
	for _, w := range r.Verdicts {
		shown = shown || w.Person == "wil" && w.Given && !w.Agrees && w.Because == "a seal was broken"
	}
	if !shown {
		t.Errorf("verdicts: %+v", r.Verdicts)
	}
}

// TestPartlyAnchored wants no success if somebody brought a key and a segment
// has none.
func TestPartlyAnchored(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{Pause: true, NoPDF: true})
	for n, want := range []int{ExitSound, ExitFailed, ExitSound} {
		if r := check(t, b, Options{LogKeys: b.LogKeys[:n], Recompose: pagesOnly}); r.Exit != want {
			t.Errorf("%d log keys: exit %d, want %d\n%s", n, r.Exit, want, codes(r))
		}
	}
}

// TestSegmentsMeet wants each segment to end where the next begins.
func TestSegmentsMeet(t *testing.T) {
	r := check(t, bundletest.Make(t, bundletest.Ceremony{Pause: true, NoPDF: true}), Options{Recompose: pagesOnly})
	if s := r.Log.Segments; len(s) != 2 || s[0].Last+1 != s[1].First || s[1].Last+1 != r.Log.Size {
		t.Errorf("segments: %+v", s)
	}
}

// TestFlood wants a failure that stands behind very many warnings, and short
// texts.
func TestFlood(t *testing.T) {
	f := newFacts(&verifier{report: &Report{}}, "log.jsonl")
	for i := range int64(20000) {
		f.find(ClockOffset, i, strings.Repeat("x", 5000), "", "")
	}
	f.find(TooMuch, 20000, "too much", "", "")
	f.find(StepMissing, 20001, "missing", "", "")
	f.finish()
	r := f.v.report
	if !r.Has(TooMuch) || !r.Has(StepMissing) || r.More != 20000-MaxFindings {
		t.Errorf("%d more\n%s", r.More, codes(r))
	}
	for _, x := range r.Findings {
		if len(x.What) > maxText+len("…") {
			t.Error(fmt.Sprint(len(x.What), " bytes of text"))
		}
	}
}
