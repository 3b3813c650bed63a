package verify

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// takeCourse reads an entry about the ceremony's course.
func (f *facts) takeCourse(e *audit.Entry, log state) {
	switch d := e.Data.(type) {
	case *audit.LogOpen:
		f.takeOpen(e, d)
	case *audit.SegmentOpen:
		f.takeSegment(e, d, log)
	case *audit.SegmentAdopt:
		f.takeAdopt(e, d)
	case *audit.KeyRead:
		f.takeKeyRead(e, d)
	case *audit.StepBegin:
		f.takeStepBegin(e, d)
	case *audit.StepEnd:
		f.takeStepEnd(e, d)
	case *audit.Clock:
		f.takeClock(e, d)
		if d.OffsetMS > 60000 || d.OffsetMS < -60000 {
			f.find(ClockOffset, e.Seq, "the machine's clock differs from the room's second clock by over a minute", "", fmt.Sprintf("%d ms", d.OffsetMS))
		}
	case *audit.ClockJump:
		f.find(ClockOffset, e.Seq, "the machine's clock was set during the ceremony", "", fmt.Sprintf("%d ms by the wall clock in %d ms", d.WallMS, d.MonotonicMS))
	case *audit.Result:
		f.takeDrill(e, d)
	case *audit.Abort:
		f.aborted, f.running, f.ended = true, "", ""
		f.because = shorten(d.Reason)
	case *audit.Pause:
		f.running, f.ended = "", ""
	case *audit.Close:
		f.takeClose(e, d)
	}
}

func (f *facts) takeOpen(e *audit.Entry, d *audit.LogOpen) {
	if f.open != nil {
		return // reported by take
	}
	f.open, f.openedAt = d, e.Time
	if d.Format != audit.FormatVersion {
		f.find(LogGrammar, e.Seq, "the log has another format version than this program reads", fmt.Sprint(audit.FormatVersion), fmt.Sprint(d.Format))
	}
	if mode, err := audit.OriginMode(d.Origin); err != nil || mode != d.Mode {
		f.find(ModeDiffers, e.Seq, "the log's origin and its mode disagree", d.Mode, d.Origin)
	}
	for _, p := range d.Participants {
		f.roster[p.ID] = true
	}
	for i, s := range d.Plan {
		if _, twice := f.plan[s.ID]; twice {
			f.find(LogGrammar, e.Seq, fmt.Sprintf("the plan has the step %q twice", s.ID), "", "")
		}
		f.plan[s.ID] = i
	}
	f.addSegment(e, d.LogKey, "", "")
	f.segment().program = d.Program
}

// addSegment begins a segment. Its key's name must be the log's origin.
func (f *facts) addSegment(e *audit.Entry, key, reason, checkpoint string) {
	if name, _, _ := strings.Cut(key, "+"); name != f.origin() {
		f.find(OriginDiffers, e.Seq, "the log key has another name than the log's origin", f.origin(), name)
	}
	f.segments = append(f.segments, Segment{Number: len(f.segments), First: e.Seq, Last: e.Seq, LogKey: key, Reason: reason, checkpoint: checkpoint})
}

func (f *facts) segment() *Segment {
	if len(f.segments) == 0 {
		f.segments = append(f.segments, Segment{})
	}
	return &f.segments[len(f.segments)-1]
}

// takeSegment reads the entry of a run that goes on: it must carry the
// checkpoint of exactly the log before it, signed by the former segment's key.
func (f *facts) takeSegment(e *audit.Entry, d *audit.SegmentOpen, log state) {
	if d.Segment != len(f.segments) {
		f.find(LogGrammar, e.Seq, "the segment has another number than its place", fmt.Sprint(len(f.segments)), fmt.Sprint(d.Segment))
	}
	former := f.segment().LogKey
	cp, err := audit.OpenCheckpoint([]byte(d.Checkpoint), former)
	switch {
	case err != nil:
		f.find(SegmentCheckpoint, e.Seq, "the checkpoint that the segment goes on from is not signed by the key of the segment before", former, err.Error())
	case cp.Origin != f.origin():
		f.find(SegmentCheckpoint, e.Seq, "the checkpoint that the segment goes on from is of another log", f.origin(), cp.Origin)
	case cp.Size != log.Size() || cp.Root != log.Root():
		f.find(SegmentCheckpoint, e.Seq, "the segment does not go on from the log before it",
			fmt.Sprintf("%d entries, root %s", log.Size(), log.Root()), fmt.Sprintf("%d entries, root %s", cp.Size, cp.Root))
	}
	if paused := f.before == new(audit.Pause).Kind(); d.Reason != "pause" && d.Reason != "break" || paused != (d.Reason == "pause") {
		f.find(LogGrammar, e.Seq, "a segment goes on after a pause if the entry before says so, else after a break", "", d.Reason+" after "+f.before)
	}
	for _, s := range f.segments {
		if s.LogKey == d.LogKey {
			f.find(LogGrammar, e.Seq, fmt.Sprintf("the segment has the key of segment %d, which was wiped", s.Number), "", d.LogKey)
		}
	}
	f.running, f.ended = "", ""
	f.addSegment(e, d.LogKey, d.Reason, d.Checkpoint)
	f.segment().program = d.Program
}

func (f *facts) takeAdopt(e *audit.Entry, d *audit.SegmentAdopt) {
	s := f.segment()
	if s.Number == 0 || s.adopted {
		f.find(LogGrammar, e.Seq, "an adoption stands where no run went on", "", "")
	}
	if len(d.People) == 0 {
		f.find(SegmentAdoption, e.Seq, "nobody agreed to go on from this head", "", "")
	}
	for _, person := range d.People {
		if why := f.away(person); why != "" {
			f.find(SegmentAdoption, e.Seq, "somebody is said to have compared the head who "+why, "", person)
		}
	}
	switch d.Seen {
	case "typed", "compared by eye":
	case "earlier":
		f.find(HeadNotCompared, e.Seq, fmt.Sprintf("the head before segment %d was compared with heads that were noted earlier: nobody's note speaks of the entries in between", s.Number), "", "")
	case "not available":
		f.find(HeadNotCompared, e.Seq, fmt.Sprintf("the head before segment %d was compared with nothing: nobody had noted it", s.Number), "", "")
	default:
		f.find(SegmentAdoption, e.Seq, "what the head was compared with", "typed, earlier, compared by eye or not available", d.Seen)
	}
	if d.Size != s.First {
		f.find(SegmentAdoption, e.Seq, "the head that was compared is not that of the log before the break", fmt.Sprint(s.First), fmt.Sprint(d.Size))
	}
	f.heads = append(f.heads, spoken{e.Seq, d.Size, d.Head, "the adoption"})
	s.adopted, s.adoptedAt = true, e.Seq
}

func (f *facts) takeKeyRead(e *audit.Entry, d *audit.KeyRead) {
	s := f.segment()
	if d.LogKey != s.LogKey {
		f.find(KeyNotRead, e.Seq, "another key was read aloud than the segment's", s.LogKey, d.LogKey)
	}
	sum := sha256.Sum256([]byte(d.LogKey))
	if words := strings.Join(audit.Words(sum[:]), " "); d.Words != words {
		f.find(KeyNotRead, e.Seq, "the words read aloud are not those of the log key", words, d.Words)
	}
	if len(d.People) == 0 {
		f.find(KeyNotRead, e.Seq, "nobody confirmed to have heard the log key", "", "")
	}
	for _, person := range d.People {
		if why := f.away(person); why != "" {
			f.find(KeyNotRead, e.Seq, "somebody is said to have heard the log key who "+why, "", person)
		}
	}
	s.keyRead = true
}

// ready reports a segment that acts before the room has adopted the log.
func (f *facts) ready(seq int64) {
	if s := f.segment(); s.Number > 0 && !s.adopted {
		f.find(SegmentAdoption, seq, fmt.Sprintf("segment %d goes on before anybody compared the head", s.Number), "segment-adopt", "")
		s.adopted = true // once is enough
	}
}

func (f *facts) takeStepBegin(e *audit.Entry, d *audit.StepBegin) {
	f.ready(e.Seq)
	if f.running != "" {
		f.find(LogGrammar, e.Seq, "a step begins inside another", "step-end of "+f.running, e.Step)
	}
	if f.aborted {
		f.find(LogGrammar, e.Seq, "a step begins after the ceremony was given up", "", e.Step)
	}
	f.running, f.now = e.Step, attempt{begin: e.Seq, acts: e.Seq, StepBegin: d}
	if f.hold(e.Seq, len(d.Actor)+len(d.Say)+len(d.Watch)) {
		f.begun = append(f.begun, begun{e.Seq, e.Step, d, f.quorum.stands})
	}
	s := f.steps[e.Step]
	if s == nil {
		if !f.hold(e.Seq, len(e.Step)+64) {
			return
		}
		s = new(stepFacts)
		f.steps[e.Step] = s
	}
	s.attempts++
	if d.Attempt != s.attempts {
		f.find(StepOrder, e.Seq, fmt.Sprintf("number of the attempt of step %q", e.Step), fmt.Sprint(s.attempts), fmt.Sprint(d.Attempt))
	}
	f.inTurn(e, d, s)
	s.result = ""
}

// inTurn checks a step against the plan in the log's first entry.
func (f *facts) inTurn(e *audit.Entry, d *audit.StepBegin, s *stepFacts) {
	if f.open == nil {
		return
	}
	i, planned := f.plan[e.Step]
	if !planned {
		f.find(StepOrder, e.Seq, "a step that is not in the script", "", e.Step)
		return
	}
	p := f.open.Plan[i]
	if d.Number != i+1 || d.Of != len(f.open.Plan) || d.StepKind != p.Kind || d.Title != p.Title {
		f.find(StepOrder, e.Seq, "the step is not as the script has it",
			fmt.Sprintf("%d of %d, %s, %q", i+1, len(f.open.Plan), p.Kind, p.Title), fmt.Sprintf("%d of %d, %s, %q", d.Number, d.Of, d.StepKind, d.Title))
	}
	if s.result == "done" || s.result == "skipped" {
		f.find(StepOrder, e.Seq, fmt.Sprintf("the step %q begins again though it was %s", e.Step, s.result), "", "")
	}
	if i > 0 {
		if before := f.steps[f.open.Plan[i-1].ID]; before == nil || before.result != "done" && before.result != "skipped" {
			f.find(StepOrder, e.Seq, "the step begins before the one in front of it is over", f.open.Plan[i-1].ID, e.Step)
		}
	}
}

func (f *facts) takeStepEnd(e *audit.Entry, d *audit.StepEnd) {
	s := f.steps[e.Step]
	if f.running == "" && d.Result == "skipped" && s != nil && (s.skipping || f.inAttempt(e.Seq)) && s.result == "" {
		f.running = e.Step // the run broke off after the room had decided
	}
	if e.Step != f.running || e.Step == "" {
		f.find(LogGrammar, e.Seq, "a step ends that does not run", f.running, e.Step)
		return
	}
	switch d.Result {
	case "done":
		f.acknowledged(e)
	case "failed":
		f.find(WentWrong, e.Seq, fmt.Sprintf("attempt %d of the step %q failed: %s", f.now.Attempt, e.Step, d.Reason), "", "")
	case "skipped":
		if s == nil || !s.skipping {
			f.unless(f.inAttempt(e.Seq), LogGrammar, e.Seq, fmt.Sprintf("the step %q was skipped, and no deviation says so", e.Step), "deviation", "")
		}
		f.find(StepSkipped, e.Seq, fmt.Sprintf("the step %q was skipped: %s", e.Step, d.Reason), "", "")
	default:
		f.find(LogGrammar, e.Seq, "result of a step", "done, failed or skipped", d.Result)
	}
	if s != nil {
		s.result = d.Result
	}
	if i, ok := f.plan[e.Step]; ok && d.Result == "done" && f.open.Plan[i].Kind == "attendance" {
		f.rollCall = true
	}
	f.ended, f.running = f.running, ""
}

func (f *facts) takeClose(e *audit.Entry, d *audit.Close) {
	f.close = d
	want := "complete"
	if f.aborted {
		want = "aborted"
	}
	if d.Result != want {
		f.find(LogGrammar, e.Seq, "how the ceremony ended", want, d.Result)
	}
	if d.Size != e.Seq+1 {
		f.find(LogGrammar, e.Seq, "the entry that closes the log names another size", fmt.Sprint(e.Seq+1), fmt.Sprint(d.Size))
	}
	if f.running != "" {
		f.find(LogGrammar, e.Seq, "the log is closed inside a step", "step-end of "+f.running, "")
	}
	if d.Result == "complete" {
		f.ready(e.Seq)
	}
}

// finishSteps finds the steps of a complete ceremony that were left out.
func (f *facts) finishSteps() {
	if f.open == nil || f.close == nil || f.close.Result != "complete" {
		return
	}
	for _, p := range f.open.Plan {
		if s := f.steps[p.ID]; s == nil || s.result != "done" && s.result != "skipped" {
			f.find(StepMissing, f.lastSeq, fmt.Sprintf("the step %q was neither done nor skipped", p.ID), "", "")
		}
	}
}
