package verify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// An attempt is what the log says of the attempt of a step that runs.
type attempt struct {
	*audit.StepBegin
	begin   int64    // seq
	acts    int64    // seq of the last entry that is no talk
	actor   bool     // the actor has acknowledged it
	seen    []string // witnesses who have, since the last call
	called  int64    // seq of that call, 0 for none
	verdict *audit.Verdict

	stopped  string // whose no ends it
	deviated bool   // the room has written a deviation down
}

// begun is one step-begin entry.
type begun struct {
	seq  int64
	step string
	*audit.StepBegin
	stands map[string]string // who took whose place then
}

// talk are the kinds of entries that the room may cause at any prompt.
var talk = []string{"ack", "answer", "deviation", "asked", "incident", "clock-jump", "presence", "passphrase", "refusal"}

// verdictParts are those of which a verdict step is made: what a witness speaks
// of is the log before them.
var verdictParts = []string{"verdict", "witness-key-exposed", "secret"}

// outside are the kinds of entries that belong to no step.
var outside = []string{
	"log-open", "segment-open", "segment-adopt", "key-read", "script-approval", "place", "ack", "answer", "problem", "deviation", "result",
	"hsm-intent", "hsm-outcome", "clock-jump", "pause", "abort", "transcript", "close",
	"presence", "passphrase", "refusal", "asked", "incident",
}

// resuming are those that a run that goes on may have before its first step,
// where it looks at the tokens again.
var resuming = []string{"inventory", "decision"}

// leftOver are those that an abort may have: what is on the tokens, what tries
// their PINs have left, and which shares open nothing.
var leftOver = []string{"inventory", "share-void", "try-ledger"}

// breaking are those that a running step lets in: they leave it, or the token.
var breaking = []string{"segment-open", "pause", "abort"}

// inStep checks that an entry belongs to the running step, or is one that may
// stand outside: of no step, or talk of the step just ended.
func (f *facts) inStep(e *audit.Entry) {
	kind := e.Kind()
	if f.before == "pause" && kind != "segment-open" {
		f.find(LogGrammar, e.Seq, "something follows a pause other than the next segment", "segment-open", kind)
	}
	switch kind {
	case "step-begin", "step-end", "hsm-unknown":
		return
	}
	switch {
	case f.running != "" && e.Step == f.running && !slices.Contains(breaking, kind):
	case f.running != "" && e.Step == "" && (slices.Contains(breaking, kind) || finalizes(e)):
	case f.running != "" || e.Step != "" && (e.Step != f.ended || !slices.Contains(talk, kind)):
		f.find(LogGrammar, e.Seq, "the entry names a step that does not run", f.running, e.Step)
	case !slices.Contains(outside, kind) && !(f.aborted && slices.Contains(leftOver, kind)) && !(f.ended == "" && f.segment().adopted && slices.Contains(resuming, kind)):
		f.find(LogGrammar, e.Seq, "an entry of its kind belongs to a step", "", kind)
	}
}

// finalizes reports whether an entry is of C_Finalize, which a run calls when a
// step fails.
func finalizes(e *audit.Entry) bool {
	switch d := e.Data.(type) {
	case *audit.HSMIntent:
		return d.Function == "C_Finalize"
	case *audit.HSMOutcome:
		return d.Function == "C_Finalize"
	}
	return false
}

// takeStep reads what an entry means for the running step, and tells the
// reader what went wrong.
func (f *facts) takeStep(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.Ack:
		f.takeAck(e, d)
	case *audit.HSMIntent:
		f.now.seen, f.now.called = nil, e.Seq // what was acknowledged before is not what is done now
	case *audit.Deviation:
		f.find(Deviated, e.Seq, fmt.Sprintf("a deviation: expected %q, happened %q, decided %q, agreed by %s", d.Expected, d.Happened, d.Decided, strings.Join(d.People, ", ")), "", "")
		if s := f.steps[e.Step]; s != nil && d.Effect == "skip" {
			s.skipping = true
		}
	case *audit.Problem:
		f.find(WentWrong, e.Seq, "a problem: "+d.What, "", d.RV)
	case *audit.Token:
		f.differs(e, "token "+d.Name, d.Differs)
	case *audit.Inventory:
		f.differs(e, "what is on token "+d.Token, d.Differs)
	}
	if !slices.Contains(talk, e.Kind()) && !slices.Contains(verdictParts, e.Kind()) {
		f.now.acts = e.Seq
	}
}

func (f *facts) differs(e *audit.Entry, what string, how []string) {
	if len(how) > 0 {
		f.find(TokenDiffers, e.Seq, what+" is not as expected: "+strings.Join(how, "; "), "", "")
	}
}

// away says why a person cannot have taken part at this place of the log, ""
// if they can.
func (f *facts) away(person string) string {
	a := f.attendance[person]
	switch {
	case !f.roster[person]:
		return "is not on the roster"
	case a != nil && !a.Present, a == nil && f.rollCall && !f.hidden.rollCall:
		return "was not present"
	case f.quorum.left[person]:
		return "had left the room"
	}
	return ""
}

func (f *facts) takeAck(e *audit.Entry, d *audit.Ack) {
	if why := f.away(d.Person); why != "" {
		f.find(AckMissing, e.Seq, "somebody acknowledges who "+why, "", d.Person)
		return
	}
	if f.now.StepBegin == nil || e.Step != f.running {
		return
	}
	if d.Person == f.quorum.who(f.now.Actor) && d.As == "actor" {
		f.now.actor = true
	}
	if d.As == "witness" {
		f.sees(d.Person)
	}
}

// acknowledged finds who a step was done without: its actor has to say that it
// begins or is done, each witness that it is done.
func (f *facts) acknowledged(e *audit.Entry) {
	if !f.now.actor {
		f.unless(f.inAttempt(e.Seq), AckMissing, e.Seq, fmt.Sprintf("the step %q is done, and its actor acknowledged nothing", e.Step), "ack of "+f.now.Actor, "")
	}
	for _, w := range f.now.Witnesses {
		if !slices.Contains(f.now.seen, w) {
			f.unless(f.hidden.between(max(f.now.begin, f.now.called), e.Seq), AckMissing, e.Seq, fmt.Sprintf("the step %q is done, and a witness did not say to have seen it", e.Step), "ack of "+w, "")
		}
	}
}

// watches reports whether somebody is a witness of the running step, or takes
// the place of one.
func (f *facts) watches(person string) bool {
	return slices.ContainsFunc(f.now.Witnesses, func(w string) bool { return f.quorum.who(w) == person })
}

// takeVerdict checks the place of a verdict and what it speaks of: the log as
// it was before the first one of that attempt.
func (f *facts) takeVerdict(e *audit.Entry, d *audit.Verdict) {
	if d.Missing && (d.Agree || d.Note != "") {
		f.find(LogGrammar, e.Seq, "a verdict that is missing and says something", "", "")
	}
	if d.Note != "" || d.Exposed {
		f.tellsExposed(e, d.Person, d.Exposed)
	}
	if why := f.away(d.Person); why != "" {
		f.find(LogGrammar, e.Seq, "a verdict of somebody who "+why, "", d.Person)
	}
	if f.now.StepBegin == nil || f.running == "" || f.now.StepKind != "verdict" || !f.watches(d.Person) {
		f.find(LogGrammar, e.Seq, "a verdict that no step asks for", "", d.Person)
		return
	}
	switch first := f.now.verdict; {
	case first == nil && (d.Size <= f.now.acts || d.Size > e.Seq):
		f.find(RecordedHeadDiffers, e.Seq, "the verdict of "+d.Person+" does not speak of the log up to its step", fmt.Sprintf("%d entries", f.now.acts+1), fmt.Sprintf("%d entries", d.Size))
	case first != nil && d.Size != first.Size:
		f.find(RecordedHeadDiffers, e.Seq, "the witnesses speak of different logs", fmt.Sprintf("%d entries", first.Size), fmt.Sprintf("%d entries", d.Size))
	}
	if f.now.verdict == nil {
		f.now.verdict = d
	}
}

func (f *facts) takeJudgements(e *audit.Entry, d *audit.Key) {
	for _, a := range d.Attributes {
		if a.Judged == "bad" {
			f.find(AttributeBad, e.Seq, fmt.Sprintf("key %q: %s is %s: %s", d.Name, a.Attribute, a.Reported, a.Why), "", "")
		}
	}
}

// takeClock computes the offset again: both times are cut to seconds.
func (f *facts) takeClock(e *audit.Entry, d *audit.Clock) {
	machine, err := time.Parse(time.RFC3339, d.Machine)
	if err == nil {
		var room time.Time
		if room, err = time.Parse(time.RFC3339, d.Room); err == nil {
			if ms := machine.Sub(room).Milliseconds(); d.OffsetMS < ms-1000 || d.OffsetMS > ms+1000 {
				f.find(LogGrammar, e.Seq, "the offset is not that of the two clocks", fmt.Sprintf("%d ms", ms), fmt.Sprintf("%d ms", d.OffsetMS))
			}
			return
		}
	}
	f.find(LogGrammar, e.Seq, "a time of the two clocks", "", err.Error())
}
