package transcript

import (
	"fmt"
	"slices"
	"strings"
)

// step is the box of one step.
func (b *Booklet) step(i int, s BookletStep) []block {
	title := fmt.Sprintf("Step %d of %d · %s", i+1, len(b.Steps), clean(s.Title))
	lines := b.text(Quiet, clean(s.ID+" · "+s.Kind+": "+s.Does))
	if b.For != nil {
		lines = append(lines, b.yours(s)...)
	}
	lines = append(lines, b.pair("Acts", b.name(s.Actor))...)
	if len(s.Witnesses) > 0 {
		var names []string
		for _, w := range s.Witnesses {
			names = append(names, b.name(w))
		}
		lines = append(lines, b.pair("Witnesses", strings.Join(names, ", "))...)
	}
	for _, d := range s.Details {
		lines = append(lines, b.pair(clean(d.Name), prose(d.Value))...)
	}
	if s.Say != "" {
		lines = append(append(append(lines, Line{}), b.text(Prose, prose(s.Say))...), Line{})
	}
	for _, d := range []Detail{{"Look at", s.Watch}, {"On the token", s.Effect}, {"Cannot be undone", s.Irreversible}} {
		if d.Value != "" {
			lines = append(lines, b.pair(d.Name, prose(d.Value))...)
		}
	}
	return b.box(b.heading(Heading, title).lines, lines, b.done(s))
}

// box keeps a step on one page. One that is longer begins a page: its heading
// stays with the first lines, and its last lines with the frame.
func (b *Booklet) box(heading, lines, done []Line) []block {
	if height(heading)+height(lines)+height(done) <= b.units() {
		return []block{gap(), kept(slices.Concat(heading, lines, done)...)}
	}
	whole := min(len(lines), 3)
	first, rest, last := lines[:whole], lines[whole:], []Line(nil)
	if n := len(rest) - 3; n > 0 {
		rest, last = rest[:n], rest[n:]
	}
	return []block{{lines: slices.Concat(heading, first), keep: true, fresh: true}, free(rest...), kept(slices.Concat(last, done)...)}
}

// does says what a person does in a step; nothing if the step goes on without
// them.
func (b *Booklet) does(person string, s BookletStep) (list []string) {
	if s.Actor == person {
		list = append(list, "act")
	}
	if slices.Contains(s.Witnesses, person) {
		list = append(list, "witness")
	}
	return append(list, s.Duties[person]...)
}

// yours marks a step of the one whose booklet it is.
func (b *Booklet) yours(s BookletStep) []Line {
	does := b.does(b.For.Person, s)
	if len(does) == 0 {
		return nil
	}
	return b.text(Alarm, clean("→ You "+strings.Join(does, "; you ")+"."))
}

// part is the page in front of one person's booklet: who they are in the
// ceremony, and in which steps they do what.
func (b *Booklet) part() []block {
	if b.For == nil {
		return nil
	}
	you := b.For.Person
	blocks := []block{
		b.heading(Heading, "What you do, "+clean(b.name(you))),
		free(b.text(Prose, "This booklet is yours: "+prose(b.Cover.Title)+". The script in it is the same as in everybody's. Your steps have a bar at the margin and say what you do.")...),
		gap(), b.heading(Subheading, "Who you are here"),
	}
	var lines []Line
	for _, r := range b.For.Roles {
		lines = append(lines, b.pair(clean(r.Name), r.Value)...)
	}
	for _, h := range b.For.Holds {
		lines = append(lines, b.pair("you hold", h)...)
	}
	if initials := b.Initials[you]; initials != "" {
		lines = append(lines, b.pair("your initials", initials+", typed by you alone whenever you acknowledge something")...)
	}
	blocks = append(blocks, free(lines...), gap(), b.heading(Subheading, "Your steps"))
	none := true
	for i, s := range b.Steps {
		if does := b.does(you, s); len(does) > 0 {
			none = false
			label := fmt.Sprintf("%3d", i+1)
			blocks = append(blocks, kept(b.width().pair(Plain, 0, 5, label, clean(s.Title+": "+strings.Join(does, "; ")))...))
		}
	}
	if none {
		blocks = append(blocks, free(b.text(Plain, "none by name: you come in somebody's place, or are asked to approve")...))
	}
	return append(blocks, gap(), b.heading(Subheading, "At any moment"), free(b.text(Prose,
		"Say so at once when something is not as the script says, or when you do not understand it; it is written down. Type “no” instead of your initials if you do not agree: that is recorded with your reason. Tell the administrator before you leave the room.")...))
}

// done is the frame to be filled in by hand when a step is done: the time, and
// the initials of those who act and watch.
func (b *Booklet) done(s BookletStep) []Line {
	lines := []Line{{}, {Style: Framed}}
	text := " Done at __________ UTC  "
	indent := strings.Repeat(" ", Width(text))
	if b.Large {
		indent = " "
	}
	for _, id := range append([]string{s.Actor}, s.Witnesses...) {
		who := b.Initials[id]
		if who == "" {
			who = id
		}
		blank := clean(who) + " ________  "
		if Width(text)+Width(blank) > int(b.width()) {
			lines = append(lines, Line{Style: Framed, Text: strings.TrimRight(text, " ")}, Line{Style: Framed})
			text = indent
		}
		text += blank
	}
	return append(lines, Line{Style: Framed, Text: strings.TrimRight(text, " ")})
}

// deviationSheet is the last page: what was not as the script says.
func (b *Booklet) deviationSheet() []block {
	sheet := b.heading(Heading, "Departures from the script")
	sheet.fresh = true
	blocks := []block{sheet,
		free(b.text(Prose, "Whatever is not as the script says is written here while it happens: what was expected, what happened, what was decided, by whom. The same is typed at the machine, so that it stands in the log.")...),
	}
	for range 5 {
		lines := b.blanks("step ______", "time ____________", "initials ______ ______ ______")
		for _, name := range []string{"expected", "happened", "decided"} {
			lines = append(lines, b.rule(name)...)
		}
		blocks = append(blocks, kept(lines...))
	}
	return blocks
}
