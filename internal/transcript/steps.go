package transcript

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
)

// A section is the entries between two headings: one attempt of a step, or
// what stands outside the steps.
type section struct {
	begin   *audit.StepBegin // nil if the section does not begin a step
	entries []*audit.Entry
}

// keepUpTo is the height up to which an entry or a table is kept on one page.
const keepUpTo = 14

// sections divides the log. A new section begins with a step's beginning, with
// a segment, after a step's end and wherever the step changes.
func sections(entries []*audit.Entry) []section {
	var all []section
	ended := true
	for _, e := range entries {
		begin, isBegin := e.Data.(*audit.StepBegin)
		_, isSegment := e.Data.(*audit.SegmentOpen)
		if isBegin || isSegment || ended || all[len(all)-1].entries[0].Step != e.Step {
			all = append(all, section{begin: begin})
		}
		last := &all[len(all)-1]
		last.entries = append(last.entries, e)
		_, ended = e.Data.(*audit.StepEnd)
	}
	return all
}

// stepBlocks draws the log, section by section.
func (f *facts) stepBlocks() []block {
	var blocks []block
	for i, s := range sections(f.src.Entries) {
		b := f.sectionBlocks(s)
		b[0].fresh = i == 0
		blocks = append(blocks, b...)
	}
	return blocks
}

// sectionBlocks draws a section: heading, what the script says, what happened
// in the log's order, the HSM calls.
func (f *facts) sectionBlocks(s section) []block {
	blocks := []block{f.sectionHead(s)}
	day := date(s.entries[0].Time)
	for _, e := range s.entries {
		switch e.Data.(type) {
		case *audit.StepBegin, *audit.HSMIntent, *audit.HSMOutcome:
			continue
		}
		if d := date(e.Time); d != day {
			blocks = append(blocks, block{lines: []Line{{Style: Strong, Text: pad("", margin-10) + d}}, keep: true, next: true})
			day = d
		}
		lines := f.tell(e)
		blocks = append(blocks, block{lines: lines, keep: height(lines) <= keepUpTo})
	}
	if calls := f.callsIn(s.entries); len(calls) > 0 {
		lines := append([]Line{callHead()}, f.callTable(calls)...)
		blocks = append(blocks, gap(), block{lines: lines, keep: len(lines) <= keepUpTo, head: lines[:1:1]})
	}
	return append(blocks, gap())
}

// sectionHead is a section's heading with its facts and instructions; it stays
// with what follows.
func (f *facts) sectionHead(s section) block {
	first, last := s.entries[0], s.entries[len(s.entries)-1]
	when := fmt.Sprintf("entries %d to %d · %s – %s UTC", first.Seq, last.Seq, date(first.Time)+" "+clock(first.Time), clock(last.Time))
	if d := date(last.Time); d != date(first.Time) {
		when = fmt.Sprintf("entries %d to %d · %s – %s", first.Seq, last.Seq, moment(first.Time), moment(last.Time))
	}
	title, meta := f.sectionTitle(s)
	b := heading(Heading, clean(title))
	b.lines = append(b.lines, text(Quiet, 0, when)...)
	if s.begin == nil {
		b.lines = append(b.lines, Line{})
		return b
	}
	b.lines = append(b.lines, text(Quiet, 0, clean(meta))...)
	witnesses, say, watch := f.told(first.Step, s.begin)
	if len(witnesses) > 0 {
		b.lines = append(b.lines, text(Quiet, 0, clean("watching: "+f.names(witnesses)))...)
	}
	if s.begin.Approve != nil {
		b.lines = append(b.lines, text(Quiet, 0, clean("needs the approval of "+f.ruleText(s.begin.Approve)))...)
	}
	if s.begin.OnRefusal == "continue" {
		b.lines = append(b.lines, text(Quiet, 0, "a witness's no is written down and does not stop it")...)
	}
	if s.begin.Attempt <= 1 {
		b.lines = append(b.lines, instruction("", say)...)
		b.lines = append(b.lines, instruction("Watch: ", watch)...)
	}
	b.lines = append(b.lines, Line{})
	return b
}

func (f *facts) sectionTitle(s section) (title, meta string) {
	if d := s.begin; d != nil {
		title = fmt.Sprintf("Step %d of %d · %s", d.Number, d.Of, d.Title)
		if d.Attempt > 1 {
			title += fmt.Sprintf(" (attempt %d)", d.Attempt)
		}
		return title, fmt.Sprintf("%s, a step of the kind %s · acting: %s", s.entries[0].Step, d.StepKind, f.name(d.Actor))
	}
	first := s.entries[0]
	switch first.Data.(type) {
	case *audit.LogOpen:
		return "The log is opened", ""
	case *audit.SegmentOpen:
		return "Interruption and resumption", ""
	}
	if first.Step != "" {
		return "Step " + first.Step + ", continued", ""
	}
	return "Outside the steps", ""
}

// told returns who was to watch a step and what the script says of it: as the
// log has it, else as the cover has it.
func (f *facts) told(id string, d *audit.StepBegin) (witnesses []string, say, watch string) {
	if len(d.Witnesses) > 0 || d.Say != "" || d.Watch != "" {
		return d.Witnesses, d.Say, d.Watch
	}
	for _, s := range f.src.Cover.Steps {
		if s.ID == id {
			return s.Witnesses, s.Say, s.Watch
		}
	}
	return nil, "", ""
}

// instruction sets what the script says of a step.
func instruction(lead, s string) []Line {
	if s = prose(s); s == "" {
		return nil
	}
	return text(Prose, 0, lead+s)
}
