package verify

import (
	"fmt"
	"slices"
	"sort"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// What a redacted copy hides is taken by its stated hash: chain, tree and
// signatures hold it to that. A hidden entry is never one of the frame (what
// opens, resumes, begins, ends and closes), so the course of the ceremony is
// checked as in any log. Where a check needs an entry that is hidden, or may be,
// the report says that it could not be made, instead of failing.

// hiddenEntries are those that stand as their hash alone.
type hiddenEntries struct {
	ranges   []bundle.Range
	count    int64
	rollCall bool             // some stand in a roll call
	verdict  bool             // some stand in a verdict step
	exposed  bool             // some stand where a witness's key may have been unlocked
	steps    map[string]int64 // how many, by the step that ran; "" outside
	order    []string         // of steps
}

// add notes a hidden entry; they come in order.
func (h *hiddenEntries) add(seq int64, step string) {
	h.count++
	if n := len(h.ranges); n > 0 && h.ranges[n-1].To+1 == seq {
		h.ranges[n-1].To = seq
	} else {
		h.ranges = append(h.ranges, bundle.Range{From: seq, To: seq})
	}
	if h.steps == nil {
		h.steps = map[string]int64{}
	}
	if h.steps[step] == 0 {
		h.order = append(h.order, step)
	}
	h.steps[step]++
}

// between reports whether an entry from … to is hidden, ends included.
func (h *hiddenEntries) between(from, to int64) bool {
	i := sort.Search(len(h.ranges), func(i int) bool { return h.ranges[i].To >= from })
	return i < len(h.ranges) && h.ranges[i].From <= to
}

// has reports whether an entry is hidden.
func (h *hiddenEntries) has(seq int64) bool { return h.between(seq, seq) }

// takeHidden takes what stands in a hidden entry's place.
func (c *chain) takeHidden(n int64, r *entryRead) {
	if h := r.hidden; h.Seq != c.next {
		c.finding(ChainBroken, n, "the hidden entry has another number than its place", fmt.Sprint(c.next), fmt.Sprint(h.Seq))
		c.next = h.Seq + 1
	} else {
		c.next++
	}
	if c.v.redaction == nil {
		c.finding(EntryHidden, n, "the entry stands as its hash alone", "an entry", "")
	}
	if c.facts != nil {
		c.facts.takeHidden(r.hidden.Seq)
	}
}

// takeHidden takes in that there was an entry which nobody sees.
func (f *facts) takeHidden(seq int64) {
	if f.close != nil {
		f.find(AfterClose, seq, "an entry follows the one that closes the log", "nothing", "a hidden entry")
	}
	if f.entries == 0 {
		f.find(LogGrammar, seq, "log-open is the first entry and only that", "", "a hidden entry")
	}
	if f.before == new(audit.Pause).Kind() {
		f.find(LogGrammar, seq, "something follows a pause other than the next segment", "segment-open", "a hidden entry")
	}
	f.entries++
	f.lastSeq = seq
	if len(f.segments) > 0 {
		f.segments[len(f.segments)-1].Last = seq
	}
	if f.made.endsAt > 0 && f.hold(seq, 8) {
		f.made.ends = append(f.made.ends, f.made.endsAt)
	}
	f.made.endsAt, f.made.before, f.made.jumps = 0, nil, 0
	f.before = "hidden"
	f.hidden.add(seq, f.running)
	if f.running == "" || f.now.StepBegin == nil {
		return
	}
	if f.now.StepKind == "attendance" && !f.hidden.rollCall {
		f.hidden.rollCall = true
		f.unchecked(seq, "somebody took part who was not present")
	}
	f.hidden.verdict = f.hidden.verdict || f.now.StepKind == "verdict"
	for _, kind := range exposedIn {
		f.hidden.exposed = f.hidden.exposed || f.now.StepKind == kind
	}
}

// unless reports a finding about an entry, or, if hidden, that it could not be
// seen whether there is one.
func (f *facts) unless(hidden bool, code Code, seq int64, what, expected, found string) {
	if hidden {
		f.unchecked(seq, what)
		return
	}
	f.find(code, seq, what, expected, found)
}

// unchecked notes what could not be checked.
func (f *facts) unchecked(seq int64, what string) {
	f.find(NotChecked, seq, notChecked+what, "", "")
}

const notChecked = "because entries are hidden, nobody can tell whether this is so: "

// inAttempt reports whether an entry of the running attempt is hidden, up to
// seq.
func (f *facts) inAttempt(seq int64) bool {
	return f.now.StepBegin != nil && f.hidden.between(f.now.begin, seq)
}

// begunBefore returns the entry with which the step that an entry stands in
// began, 0 for none.
func (f *facts) begunBefore(seq int64) (at int64) {
	for _, b := range f.begun {
		if b.seq <= seq {
			at = b.seq
		}
	}
	return at
}

// hiddenCall stands for a call whose intent is hidden, once its outcome shows
// that it was made.
func (f *facts) hiddenCall(e *audit.Entry, d *audit.HSMOutcome) *call {
	f.unchecked(e.Seq, fmt.Sprintf("the call %s of entry %d was one that may be made", d.Function, d.Intent))
	return &call{seq: d.Intent, segment: len(f.segments) - 1, step: e.Step, time: e.Time, function: d.Function, purpose: "serial", of: -1}
}

// unless reports a finding about an entry, or that it could not be seen whether
// there is one.
func (v *verifier) unless(hidden bool, code Code, file string, entry int64, what, expected, found string) {
	if hidden {
		v.findEntry(NotChecked, file, entry, notChecked+what, "", "")
		return
	}
	v.findEntry(code, file, entry, what, expected, found)
}

// hides reports whether an entry is hidden, or one that may be any of those from
// … to.
func (v *verifier) hides(from, to int64) bool { return v.log.hidden.between(from, to) }

// readRedaction reads what the copy says is hidden, before the log is read.
func (v *verifier) readRedaction() {
	if !v.has(bundle.RedactedFile) {
		return
	}
	v.redaction = new(bundle.Redaction) // that it is a copy is said by the file's being there
	b, ok := v.load(bundle.RedactedFile)
	if !ok {
		return
	}
	r, err := bundle.ParseRedaction(string(b))
	if err != nil {
		v.find(RedactionDiffers, bundle.RedactedFile, "the file is not in its one form", "", err.Error())
		return
	}
	v.redaction = r
}

// leftOut reports whether the copy says that it lacks a file.
func (v *verifier) leftOut(name string) bool {
	return v.redaction != nil && slices.Contains(v.redaction.LeftOut, name)
}

// replaced reports whether the copy says that a file is another than before.
func (v *verifier) replaced(name string) bool {
	return v.redaction != nil && slices.Contains(v.redaction.Replaced, name)
}

// checkRedaction compares what the copy says is hidden with what is.
func (v *verifier) checkRedaction(c *Check) {
	r, hidden := v.redaction, &v.log.hidden
	if r == nil {
		c.Note = "nothing says that this is a redacted copy"
		return
	}
	c.Count = hidden.count
	if r.Origin != v.log.origin() {
		v.find(RedactionDiffers, bundle.RedactedFile, "the file is of another log", v.log.origin(), r.Origin)
	}
	if !slices.Equal(r.Hidden, hidden.ranges) {
		v.find(RedactionDiffers, bundle.RedactedFile, "other entries are hidden than the file says", rangesText(hidden.ranges), rangesText(r.Hidden))
	}
	for _, name := range r.LeftOut {
		if _, there := v.files[name]; there {
			v.find(RedactionDiffers, bundle.RedactedFile, "a file is there that is said to be left out", "", name)
		}
	}
	v.report.Redaction = &Redaction{Entries: hidden.count, Hidden: []string{}, Steps: []HiddenInStep{}, LeftOut: append([]string{}, r.LeftOut...)}
	for _, h := range hidden.ranges[:min(len(hidden.ranges), maxRanges)] {
		v.report.Redaction.Hidden = append(v.report.Redaction.Hidden, h.String())
	}
	for _, step := range hidden.order[:min(len(hidden.order), maxRanges)] {
		v.report.Redaction.Steps = append(v.report.Redaction.Steps, HiddenInStep{shorten(step), hidden.steps[step]})
	}
	v.find(Redacted, bundle.RedactedFile, fmt.Sprintf("%d of %d entries stand as their hash alone (%s), and %d file(s) are left out", hidden.count, v.log.size, rangesText(hidden.ranges), len(r.LeftOut)), "", "")
}

// maxRanges is the most ranges of hidden entries and steps with such that a
// report shows.
const maxRanges = 1000

func rangesText(list []bundle.Range) string {
	s := ""
	for i, r := range list {
		if i == 20 {
			return fmt.Sprintf("%s and %d more", s, len(list)-i)
		}
		if i > 0 {
			s += ", "
		}
		s += r.String()
	}
	return s
}

// A Redaction is what a redacted copy hides.
type Redaction struct {
	Entries int64          `json:"entries"`  // how many
	Hidden  []string       `json:"hidden"`   // which: "12", "14-20"
	Steps   []HiddenInStep `json:"steps"`    // where; in the order of the log
	LeftOut []string       `json:"left_out"` // files that are not in the copy
}

// HiddenInStep says how many entries of a step are hidden.
type HiddenInStep struct {
	Step    string `json:"step"` // "" outside a step
	Entries int64  `json:"entries"`
}

// redactedHeadline is the verdict on a copy that is sound as far as it goes.
func (r *Report) redactedHeadline(anchored bool) string {
	s := fmt.Sprintf("REDACTED: %d of %d entries are hidden; what is shown ", r.Redaction.Entries, r.Log.Size)
	if anchored {
		s += "is sound and anchored"
	} else {
		s += "is consistent with itself, but nothing from outside anchors all of it"
	}
	if r.Log.Result == "aborted" {
		s += "; the ceremony was given up"
	}
	return s
}
