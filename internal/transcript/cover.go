package transcript

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// coverBlocks draws the cover: what, who, where, when, how it ended, the
// values that tie the paper to the log, and the lines to sign on.
func (f *facts) coverBlocks() []block {
	c := f.src.Cover
	blocks := []block{
		kept(titleLines(c.Title)...),
		free(text(Prose, 0, prose(c.Purpose))...),
		gap(),
		free(f.ceremonyLines()...),
		gap(), heading(Subheading, "What the log holds"),
		free(f.countLines()...),
		gap(), heading(Subheading, "What ties this paper to the log"),
		free(f.identityLines()...),
	}
	for i := range f.segments {
		blocks = append(blocks, kept(f.segmentLines(&f.segments[i])...))
	}
	if len(f.deviations) > 0 {
		blocks = append(blocks, gap(), heading(Subheading, "Departures from the script"))
		blocks = append(blocks, f.deviationBlocks()...)
	}
	blocks = append(blocks, f.signatureBlocks()...)
	return blocks
}

func titleLines(title string) []Line {
	lines := []Line{}
	for _, l := range wrap(prose(title), 48) {
		lines = append(lines, Line{Style: Title, Text: l})
	}
	return lines
}

// coverPair sets a line of the cover's tables.
func coverPair(label, value string) []Line {
	if value == "" {
		value = "–"
	}
	return pair(Plain, 0, coverLabel, label, clean(value))
}

func coverRows(label string, values []string) []Line {
	return rows(Plain, 0, coverLabel, label, values)
}

// wordRows sets the PGP words of bytes, four to a row.
func wordRows(b []byte) []string {
	words := audit.Words(b)
	var lines []string
	for len(words) > 0 {
		n := min(4, len(words))
		row := ""
		for _, w := range words[:n] {
			row += pad(w, 16)
		}
		lines = append(lines, strings.TrimRight(row, " "))
		words = words[n:]
	}
	return lines
}

func (f *facts) ceremonyLines() []Line {
	c := f.src.Cover
	lines := coverPair("Organisation", c.Organisation)
	lines = append(lines, coverPair("Place", c.Place)...)
	if n := len(f.src.Entries); n > 0 {
		first, last := f.src.Entries[0].Time, f.src.Entries[n-1].Time
		lines = append(lines, coverPair("Begun", moment(first))...)
		lines = append(lines, coverPair("Ended", moment(last)+" (last entry before these pages)")...)
	}
	mode := f.mode()
	if mode != "production" {
		mode += " – nothing made in it may be trusted"
	}
	lines = append(lines, coverPair("Mode", mode)...)
	return append(lines, coverPair("Outcome", f.outcome())...)
}

func (f *facts) countLines() []Line {
	lines := coverPair("Steps", fmt.Sprintf("%d done, %d skipped, %s failed", f.done, f.skipped, plural(f.failed, "attempt")))
	lines = append(lines, coverPair("HSM calls", fmt.Sprintf("%d with an outcome, %d of them failed; %d without an outcome", f.calls, f.refused, len(f.intents)-f.answered()))...)
	label := "Signatures"
	for _, key := range sortedKeys(f.signatures) {
		lines = append(lines, coverPair(label, fmt.Sprintf("%s by key %s", plural(f.signatures[key], "signature"), key))...)
		label = ""
	}
	if len(f.signatures) == 0 {
		lines = append(lines, coverPair(label, "none")...)
	}
	label = "Keys made in"
	for _, key := range sortedKeys(f.origins) {
		lines = append(lines, coverPair(label, key+": "+f.origin(key))...)
		label = ""
	}
	lines = append(lines, coverPair("Exceptions", fmt.Sprintf("%s, %s, %s", plural(len(f.deviations), "deviation"), plural(f.problems, "problem"), plural(f.clockJumps, "clock jump")))...)
	label = "Interruptions"
	for _, s := range f.segments {
		if s.reason != "" {
			lines = append(lines, coverPair(label, "unobserved from "+moment(s.from)+" to "+moment(s.to)+" ("+s.reason+")")...)
			lines = append(lines, coverPair("", adopted(s.adopt))...)
			label = ""
		}
	}
	if label != "" {
		lines = append(lines, coverPair(label, "none")...)
	}
	return lines
}

// adopted says what the room knew of the time that nobody observed.
func adopted(d *audit.SegmentAdopt) string {
	if d == nil {
		return "nobody took up the log as it was found"
	}
	return fmt.Sprintf("token held by: %s; bag: %s; head on disk compared with notes: %s", d.Custody, d.Bag, d.Seen)
}

// answered counts the intents that have an outcome.
func (f *facts) answered() int {
	n := 0
	for seq := range f.intents {
		if f.outcomes[seq] != nil {
			n++
		}
	}
	return n
}

func (f *facts) identityLines() []Line {
	lines := coverPair("Log origin", f.src.Origin)
	lines = append(lines, coverPair("Entries", fmt.Sprintf("%d, numbered from 0: these pages were made from them", len(f.src.Entries)))...)
	lines = append(lines, coverRows("Root over them", hexRows(f.src.Head.String()))...)
	lines = append(lines, coverRows("  in words", wordRows(f.src.Head[:]))...)
	label := "Not written before"
	for _, d := range f.fresh {
		lines = append(lines, coverPair(label, fmt.Sprintf("%s: %s (public since %s, as said)", d.Source, d.Value, d.Claimed))...)
		label = ""
	}
	if f.open != nil {
		lines = append(lines, coverRows("Script SHA-256", hexRows(f.open.Script.SHA256))...)
		if b := bytesOf(f.open.Script.SHA256); b != nil {
			lines = append(lines, coverRows("  in words", wordRows(b))...)
		}
	}
	return append(lines, f.approvalLines()...)
}

func (f *facts) segmentLines(s *segment) []Line {
	label := "Log key"
	if s.number > 0 || len(f.segments) > 1 {
		label = fmt.Sprintf("Log key, segment %d", s.number)
	}
	lines := coverPair(label, s.key)
	if s.read == nil {
		return append(lines, pair(Alarm, 0, coverLabel, "", "this key was not read aloud")...)
	}
	lines = append(lines, coverPair("  read aloud as", s.read.Words)...)
	return append(lines, coverPair("  confirmed by", fmt.Sprintf("%s (entry %d)", f.names(s.read.People), s.readEntry))...)
}

// deviationBlocks tells each departure in few lines, which stay together.
func (f *facts) deviationBlocks() []block {
	var blocks []block
	for _, e := range f.deviations {
		d := e.Data.(*audit.Deviation)
		where := e.Step
		if where == "" {
			where = "outside the steps"
		}
		blocks = append(blocks, kept(coverPair(fmt.Sprintf("entry %d", e.Seq), where+": "+d.Happened+" → "+d.Decided)...))
	}
	return blocks
}

// signatureBlocks draws the lines on which everybody signs.
func (f *facts) signatureBlocks() []block {
	blocks := []block{gap(), heading(Heading, "Signatures"), block{next: true, keep: true, lines: text(Prose, 0,
		"Sign only what you saw. Whoever does not agree says so: it is recorded either way, and the ceremony is not thereby undone.")}}
	for _, p := range f.src.Cover.Participants {
		blocks = append(blocks, f.signature(p))
	}
	return blocks
}

func (f *facts) signature(p Participant) block {
	presence := "NOT CALLED at a roll call"
	if a := f.present[p.ID]; a != nil {
		presence = "present"
		if !a.Present {
			presence = "ABSENT"
		}
	}
	lines := []Line{{}}
	lines = append(lines, text(Strong, 0, clean(p.Name))...)
	lines = append(lines, text(Plain, 0, clean(strings.Join(p.Roles, ", ")+" · "+presence))...)
	for _, v := range append(f.refusalsOf(p.ID), f.verdictsOf(p.ID)...) {
		lines = append(lines, text(Plain, 0, clean(v))...)
	}
	lines = append(lines, f.witnessLines(p)...)
	return kept(append(lines, Line{}, Line{},
		Line{Text: "☐ agree   ☐ do not agree    Date ________________   Signature " + strings.Repeat("_", 33)})...)
}

// verdictsOf says what a participant's verdicts in the log are.
func (f *facts) verdictsOf(id string) []string {
	var said []string
	for _, e := range f.verdicts[id] {
		v := e.Data.(*audit.Verdict)
		s := fmt.Sprintf("in the log, entry %d: AGREES with the first %s", e.Seq, plural(int(v.Size), "entry"))
		switch {
		case v.Missing:
			s = fmt.Sprintf("in the log, entry %d: NO VERDICT on the first %s, which is no agreement", e.Seq, plural(int(v.Size), "entry"))
		case !v.Agree:
			s = fmt.Sprintf("in the log, entry %d: DOES NOT AGREE with the first %s", e.Seq, plural(int(v.Size), "entry"))
		}
		if v.Because != "" {
			s += ", because: " + v.Because
		}
		if v.Note != "" {
			s += " (signed with the witness's key)"
		}
		if v.Exposed {
			s += ", a key EXPOSED TO THE MACHINE"
		}
		said = append(said, s)
	}
	return said
}

// witnessLines say how a witness vouches for the log: with a key of their own,
// or on this sheet beside the head in words.
func (f *facts) witnessLines(p Participant) []Line {
	k := f.keyOf[p.ID]
	if k == nil {
		if !isWitness(p.Roles) {
			return nil
		}
		return []Line{{}, {Text: "The head in words, as I wrote it down at the close (first four, last four):"}, {},
			{Text: strings.Repeat("_", 38) + "  " + strings.Repeat("_", 38)}}
	}
	lines := text(Plain, 0, clean("witness key "+k.Key))
	if seq, is := f.exposed[publicPart(k.Key)]; is {
		lines = append(lines, text(Alarm, 0, fmt.Sprintf("this key was EXPOSED TO THE MACHINE (entry %d): what it signs, the machine could have signed", seq))...)
	}
	for _, c := range f.cosigned[p.ID] {
		line := fmt.Sprintf("cosigned the checkpoint of %s", plural(int(c.Size), "entry"))
		if c.Exposed {
			line += ", with the key exposed to the machine"
		}
		lines = append(lines, text(Plain, 0, line)...)
	}
	return lines
}

func isWitness(roles []string) bool {
	for _, r := range roles {
		if strings.HasSuffix(r, "witness") {
			return true
		}
	}
	return false
}
