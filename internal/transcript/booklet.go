package transcript

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A Booklet is a script on paper: what everybody reads before a ceremony and
// follows in the room.
type Booklet struct {
	Cover  Cover
	SHA256 [32]byte   // of the script file
	Tokens [][]Detail // the tokens expected, each as its details
	Keys   [][]Detail // the keys that are made or used
	Steps  []BookletStep

	Initials  map[string]string // by participant id
	Approvers []string          // names of those who approve the script; none if it asks for no approvals
	Approvals int               // how many of them must
	Brought   []string          // files that are brought to the ceremony
}

// A Detail is a named value.
type Detail struct{ Name, Value string }

// A BookletStep is a step as the paper shows it. Actor and Witnesses are
// participant ids.
type BookletStep struct {
	Step
	Kind, Does           string
	Actor                string
	Effect, Irreversible string
	Details              []Detail
}

// booklet names the renderer of booklets in their footer.
const booklet = "keyrite-script/1"

// ComposeBooklet makes the pages of a booklet: a cover with the script's hash,
// roster and materials, a box for each step with blanks for time and initials,
// and a page for deviations. The same booklet gives the same pages.
func ComposeBooklet(b Booklet) []Page {
	blocks := []block{
		kept(titleLines(b.Cover.Title)...),
		free(text(Prose, 0, prose(b.Cover.Purpose))...),
		gap(),
		free(b.about()...),
		gap(), heading(Subheading, "People"),
	}
	for _, p := range b.Cover.Participants {
		blocks = append(blocks, kept(b.person(p)...))
	}
	blocks = append(blocks, b.approvals()...)
	blocks = append(blocks, b.things("Tokens", b.Tokens)...)
	blocks = append(blocks, b.things("Keys", b.Keys)...)
	blocks = append(blocks, b.materials()...)
	for i, s := range b.Steps {
		blocks = append(blocks, b.step(i, s)...)
	}
	blocks = append(blocks, deviationSheet()...)
	return b.pages(paginate(blocks))
}

func (b *Booklet) about() []Line {
	lines := coverPair("Organisation", b.Cover.Organisation)
	lines = append(lines, coverPair("Place", b.Cover.Place)...)
	lines = append(lines, coverPair("Mode", b.Cover.Mode)...)
	lines = append(lines, coverPair("Steps", fmt.Sprint(len(b.Steps)))...)
	lines = append(lines, coverRows("Script SHA-256", hexRows(hex.EncodeToString(b.SHA256[:])))...)
	return append(lines, coverRows("  in words", wordRows(b.SHA256[:]))...)
}

func (b *Booklet) person(p Participant) []Line {
	return pair(Plain, 0, 36, clean(p.Name), clean(p.ID+": "+strings.Join(p.Roles, ", ")))
}

// approvals are lines on which the script is approved: of those whom it names,
// or three for anybody.
func (b *Booklet) approvals() []block {
	line := "date ________________   signature " + strings.Repeat("_", 40)
	if len(b.Approvers) == 0 {
		return []block{gap(), heading(Subheading, "Approved"), kept(Line{}, Line{Text: "name " + strings.Repeat("_", 30) + "   date __________   signature " + strings.Repeat("_", 28)}, Line{},
			Line{Text: "name " + strings.Repeat("_", 30) + "   date __________   signature " + strings.Repeat("_", 28)})}
	}
	blocks := []block{gap(), heading(Subheading, fmt.Sprintf("Approved: %d of %d must", b.Approvals, len(b.Approvers)))}
	for _, name := range b.Approvers {
		blocks = append(blocks, kept(pair(Plain, 0, 36, clean(name), "")...), kept(Line{}, Line{Text: line}))
	}
	return blocks
}

// materials is a list to be filled in by hand when things come out of their
// bags, and when they go back.
func (b *Booklet) materials() []block {
	blocks := []block{gap(), heading(Subheading, "Materials, and the bags they come out of and go back into")}
	line := "out of bag ____________   seal ____________   into bag ____________   seal ____________"
	for _, details := range b.Tokens {
		name := "token"
		for _, d := range details {
			if d.Name == "name" || d.Name == "serial" {
				name += " " + clean(d.Value)
			}
		}
		blocks = append(blocks, kept(Line{Text: name, Lead: Columns}, Line{Text: line}))
	}
	for _, name := range b.Brought {
		blocks = append(blocks, kept(Line{Text: "file " + clean(name), Lead: Columns}, Line{Text: "medium ____________   SHA-256, on paper by another way ______________________________"}))
	}
	for range 2 {
		blocks = append(blocks, kept(Line{}, Line{Text: strings.Repeat("_", 30)}, Line{Text: line}))
	}
	return blocks
}

func (b *Booklet) things(title string, list [][]Detail) []block {
	if len(list) == 0 {
		return nil
	}
	blocks := []block{gap(), heading(Subheading, title)}
	for _, details := range list {
		var lines []Line
		for _, d := range details {
			lines = append(lines, coverPair(clean(d.Name), d.Value)...)
		}
		blocks = append(blocks, kept(lines...))
	}
	return blocks
}

// step is the box of one step.
func (b *Booklet) step(i int, s BookletStep) []block {
	title := fmt.Sprintf("Step %d of %d · %s", i+1, len(b.Steps), clean(s.Title))
	lines := text(Quiet, 0, clean(s.ID+" · "+s.Kind+": "+s.Does))
	lines = append(lines, coverPair("Acts", b.name(s.Actor))...)
	if len(s.Witnesses) > 0 {
		var names []string
		for _, w := range s.Witnesses {
			names = append(names, b.name(w))
		}
		lines = append(lines, coverPair("Witnesses", strings.Join(names, ", "))...)
	}
	for _, d := range s.Details {
		lines = append(lines, coverPair(clean(d.Name), d.Value)...)
	}
	if s.Say != "" {
		lines = append(append(append(lines, Line{}), text(Prose, 0, prose(s.Say))...), Line{})
	}
	for _, d := range []Detail{{"Look at", s.Watch}, {"On the token", s.Effect}, {"Cannot be undone", s.Irreversible}} {
		if d.Value != "" {
			lines = append(lines, coverPair(d.Name, prose(d.Value))...)
		}
	}
	return []block{gap(), heading(Heading, title), {lines: lines, keep: true, next: true}, kept(b.blanks(s)...)}
}

func (b *Booklet) name(id string) string {
	for _, p := range b.Cover.Participants {
		if p.ID == id {
			return p.Name
		}
	}
	return id
}

// blanks is the frame to be filled in by hand when a step is done: the time, and
// the initials of those who act and watch.
func (b *Booklet) blanks(s BookletStep) []Line {
	lines := []Line{{}, {Style: Framed}}
	text := " Done at __________ UTC  "
	for _, id := range append([]string{s.Actor}, s.Witnesses...) {
		who := b.Initials[id]
		if who == "" {
			who = id
		}
		blank := clean(who) + " ________  "
		if Width(text)+Width(blank) > Columns {
			lines = append(lines, Line{Style: Framed, Text: strings.TrimRight(text, " ")}, Line{Style: Framed})
			text = strings.Repeat(" ", 25)
		}
		text += blank
	}
	return append(lines, Line{Style: Framed, Text: strings.TrimRight(text, " ")})
}

// deviationSheet is the last page: what was not as the script says.
func deviationSheet() []block {
	blocks := []block{
		{lines: heading(Heading, "Departures from the script").lines, keep: true, next: true, fresh: true},
		free(text(Prose, 0, "Whatever is not as the script says is written here while it happens: what was expected, what happened, what was decided, by whom. The same is typed at the machine, so that it stands in the log.")...),
	}
	rule := strings.Repeat("_", Columns-coverLabel)
	for range 5 {
		lines := []Line{{}, {Style: Plain, Text: pad("step ______", coverLabel) + "time ____________   initials ______   ______   ______"}, {}}
		for _, l := range []string{"expected", "happened", "decided"} {
			lines = append(lines, Line{Style: Plain, Text: pad(l, coverLabel) + rule}, Line{})
		}
		blocks = append(blocks, kept(lines...))
	}
	return blocks
}

func (b *Booklet) pages(bodies [][]Line) []Page {
	pages := make([]Page, len(bodies))
	for i, lines := range bodies {
		p := Page{Number: i + 1, Of: len(bodies), Lines: lines}
		banner := ""
		if b.Cover.Mode == "rehearsal" {
			p.Mark = "REHEARSAL"
			banner = centre(bannerText(p.Mark))
		}
		number := fmt.Sprintf("page %d of %d", p.Number, p.Of)
		p.Header = [3]Line{
			{Strong, banner, 0},
			{Strong, spread(clean(b.Cover.Title), number), 0},
			{Plain, spread(clean(b.Cover.Organisation), "script, "+clean(b.Cover.Mode)), 0},
		}
		p.Footer = Line{Quiet, spread(booklet, "script "+hex.EncodeToString(b.SHA256[:])), 0}
		pages[i] = p
	}
	return pages
}
