package transcript

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

func drawLogOpen(t *teller, d *audit.LogOpen) {
	t.say("The log was opened: format %d, mode %s.", d.Format, d.Mode)
	t.fact("origin", d.Origin)
	t.file("script", d.Script)
	t.fact("log key", d.LogKey)
	t.program(d.Program)
	for _, p := range d.Participants {
		if p.AlternateFor != "" {
			t.fact("alternate", fmt.Sprintf("%s, for %s", t.f.name(p.ID), t.f.name(p.AlternateFor)))
		}
	}
	if d.Deviations != nil {
		t.fact("deviations", "to skip or repeat a step needs the approval of "+t.f.ruleText(d.Deviations))
	}
}

func drawSegmentOpen(t *teller, d *audit.SegmentOpen) {
	t.alarm("The ceremony was interrupted and resumed: segment %d begins, with a new log key.", d.Segment)
	t.box("INTERRUPTION")
	t.boxed("reason", map[string]string{
		"pause": "a pause, ended in good order",
		"break": "a break: the run before ended without a word",
	}[d.Reason]+" ("+d.Reason+")")
	if s := t.f.segmentAt(t.e.Seq); s != nil {
		t.boxed("unobserved", "from "+moment(s.from)+" to "+moment(s.to))
	}
	t.boxed("new log key", d.LogKey)
	for i, l := range strings.Split(strings.TrimSuffix(d.Checkpoint, "\n"), "\n") {
		label := ""
		if i == 0 {
			label = "found on disk"
		}
		t.boxed(label, l)
	}
	t.boxEnd()
	t.program(d.Program)
}

// segmentAt returns the segment that an entry opened.
func (f *facts) segmentAt(seq int64) *segment {
	for i := range f.segments {
		if f.segments[i].entry == seq {
			return &f.segments[i]
		}
	}
	return nil
}

func drawSegmentAdopt(t *teller, d *audit.SegmentAdopt) {
	t.say("The room took up the log as found on disk: %s, compared with what it saw before: %s.", plural(int(d.Size), "entry"), d.Seen)
	t.hex("head", d.Head)
	t.fact("typed by", t.f.names(d.Typed))
	t.fact("agreed by", t.f.names(d.People))
	t.fact("custody", d.Custody)
	t.fact("bag", d.Bag)
}

func drawKeyRead(t *teller, d *audit.KeyRead) {
	t.say("The log key was read aloud and confirmed by %s.", t.f.names(d.People))
	t.fact("log key", d.LogKey)
	t.fact("words", d.Words)
}

func drawStepBegin(t *teller, d *audit.StepBegin) {
	t.say("Step %d of %d begins: %s. Kind %s, attempt %d, acting: %s.", d.Number, d.Of, d.Title, d.StepKind, d.Attempt, t.f.name(d.Actor))
}

func drawStepEnd(t *teller, d *audit.StepEnd) {
	switch d.Result {
	case "done":
		t.say("The step was done.")
	case "skipped":
		t.alarm("The step was skipped.")
	default:
		t.alarm("The attempt ended as %s.", d.Result)
	}
	t.some("reason", d.Reason)
}

func drawClockJump(t *teller, d *audit.ClockJump) {
	t.alarm("The machine's clock jumped: by %d ms where %d ms had passed.", d.WallMS, d.MonotonicMS)
}

func drawPause(t *teller, d *audit.Pause) {
	t.alarm("The ceremony was paused by %s.", t.f.name(d.Person))
	t.fact("reason", d.Reason)
}

func drawAbort(t *teller, d *audit.Abort) {
	t.alarm("THE CEREMONY WAS ABORTED by %s.", t.f.name(d.Person))
	t.fact("reason", d.Reason)
}

func drawTranscript(t *teller, d *audit.Transcript) {
	t.say("Pages %d to %d of %d of the transcript were signed by the log key, made from %s.",
		d.First, d.First+len(d.Pages)-1, d.Of, plural(int(d.Size), "entry"))
	t.hex("head", d.Head)
	t.fact("made with", d.Renderer+", "+d.Go)
	for _, f := range d.Fonts {
		t.fact("font", fmt.Sprintf("%s, SHA-256 %s", f.Name, f.SHA256))
	}
	for i, p := range d.Pages {
		t.hex(fmt.Sprintf("page %d", d.First+i), p.Digest)
	}
}

func drawClose(t *teller, d *audit.Close) {
	t.say("The log was closed at %s: %s. The log key is destroyed after the checkpoint of this size.", plural(int(d.Size), "entry"), d.Result)
}
