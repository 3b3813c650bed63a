package transcript

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A Booklet is a script on paper: what everybody reads before a ceremony and
// follows in the room.
type Booklet struct {
	Cover    Cover
	SHA256   [32]byte   // of the script file
	Tokens   [][]Detail // the tokens expected, each as its details
	Keys     [][]Detail // the keys that are made or used
	Profiles [][]Detail // what certificates and lists are to be
	Steps    []BookletStep

	Initials  map[string]string // by participant id
	Approvers []string          // names of those who approve the script; none if it asks for no approvals
	Approvals int               // how many of them must
	Rules     []Detail          // what holds for the whole ceremony
	Brought   []string          // files that are brought to the ceremony
	Bags      []string          // what comes out of bags, or goes into them, as the steps name it

	For   *Part // whose booklet it is; nil for everybody's
	Large bool  // composed for large print
}

// A Part is what one person has to do.
type Part struct {
	Person string   // id
	Roles  []Detail // each role with what it is
	Holds  []string // secrets
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
	Duties               map[string][]string // by participant id: what they do in it besides
}

// booklet names the renderer of booklets in their footer.
const booklet = "keyrite-script/2"

// LargeColumns are the columns of a page in large print, and largeUnits the
// height of its body in lines.
const (
	LargeColumns = 52
	largeUnits   = 28
)

// width returns the columns of the booklet's pages.
func (b *Booklet) width() width {
	if b.Large {
		return LargeColumns
	}
	return Columns
}

// ComposeBooklet makes the pages of a booklet: for one person's, what that
// person does; a cover with the script's hash, roster and materials; a box for
// each step with blanks for time and initials; a page for deviations. The same
// booklet gives the same pages.
func ComposeBooklet(b Booklet) []Page {
	blocks := b.part()
	blocks = append(blocks, b.title(b.Cover.Title),
		free(b.text(Prose, prose(b.Cover.Purpose))...),
		gap(),
		free(b.about()...),
		gap(), b.heading(Subheading, "People"))
	for _, p := range b.Cover.Participants {
		blocks = append(blocks, kept(b.person(p)...))
	}
	blocks = append(blocks, b.approvals()...)
	blocks = append(blocks, b.things("Tokens", b.Tokens)...)
	blocks = append(blocks, b.things("Keys", b.Keys)...)
	blocks = append(blocks, b.things("Certificates and lists", b.Profiles)...)
	if len(b.Rules) > 0 {
		blocks = append(blocks, b.things("What holds throughout", [][]Detail{b.Rules})...)
	}
	blocks = append(blocks, b.materials()...)
	for i, s := range b.Steps {
		blocks = append(blocks, b.step(i, s)...)
	}
	blocks = append(blocks, b.deviationSheet()...)
	return b.pages(paginateOn(b.units(), blocks))
}

// units is the height of a page's body.
func (b *Booklet) units() int {
	if b.Large {
		return largeUnits
	}
	return Units
}

// heading is a block that stays with what follows it. A heading that is too long
// for its line is set smaller, on several.
func (b *Booklet) heading(style Style, s string) block {
	if Width(s) <= int(b.width())*3/4 {
		return b.width().heading(style, s)
	}
	lines := []Line{}
	for _, l := range wrap(s, int(b.width())*7/8) {
		lines = append(lines, Line{Style: Subheading, Text: l})
	}
	return block{lines: lines, keep: true, next: true}
}

func (b *Booklet) text(style Style, s string) []Line { return b.width().text(style, 0, s) }

// label is the columns of the names of things.
func (b *Booklet) label() int {
	if b.Large {
		return 14
	}
	return coverLabel
}

func (b *Booklet) pair(label, value string) []Line {
	if value == "" {
		value = "–"
	}
	return b.width().pair(Plain, 0, b.label(), label, clean(value))
}

// blanks sets pieces beside each other, each whole, as many to a line as it
// holds, and lines apart so that a hand can write on them.
func (b *Booklet) blanks(pieces ...string) []Line {
	var lines []Line
	text := ""
	for _, p := range pieces {
		p = fit(p, int(b.width()))
		if text != "" && Width(text)+3+Width(p) > int(b.width()) {
			lines = append(lines, Line{}, Line{Text: text})
			text = ""
		}
		if text != "" {
			text += "   "
		}
		text += p
	}
	return append(lines, Line{}, Line{Text: text}, Line{})
}

// rule is a named line to write on, to the right margin.
func (b *Booklet) rule(name string) []Line {
	return []Line{{}, {Text: pad(name, b.label()) + strings.Repeat("_", int(b.width())-b.label()), Lead: b.label()}}
}

func (b *Booklet) title(title string) block {
	lines := []Line{}
	for _, l := range wrap(prose(title), int(b.width())/2) {
		lines = append(lines, Line{Style: Title, Text: l})
	}
	return block{lines: lines, keep: true, fresh: b.For != nil}
}

func (b *Booklet) about() []Line {
	lines := b.pair("Organisation", b.Cover.Organisation)
	lines = append(lines, b.pair("Place", b.Cover.Place)...)
	lines = append(lines, b.pair("Mode", b.Cover.Mode)...)
	lines = append(lines, b.pair("Steps", fmt.Sprint(len(b.Steps)))...)
	hash, words := hexRows(hex.EncodeToString(b.SHA256[:])), wordRows(b.SHA256[:])
	if b.Large {
		hash, words = halved(hash, 4), halved(words, 15)
	}
	lines = append(lines, b.width().rows(Plain, 0, b.label(), "Script SHA-256", hash)...)
	return append(lines, b.width().rows(Plain, 0, b.label(), "  in words", words)...)
}

// halved breaks each row, of an even number of groups, in two; each group has so
// many columns.
func halved(rows []string, columns int) (halves []string) {
	for _, r := range rows {
		fields := strings.Fields(r)
		n := len(fields) / 2
		for _, half := range [][]string{fields[:n], fields[n:]} {
			row := ""
			for _, f := range half {
				row += pad(f, columns) + " "
			}
			halves = append(halves, strings.TrimRight(row, " "))
		}
	}
	return halves
}

// person is a line of the roster. The one whose booklet it is stands out.
func (b *Booklet) person(p Participant) []Line {
	name, style := clean(p.Name), Plain
	if b.owns(p.ID) {
		name, style = "→ "+name+" (you)", Alarm
	}
	initials := ""
	if i := b.Initials[p.ID]; i != "" {
		initials = " (" + i + ")"
	}
	return b.width().pair(style, 0, 3*b.label()/2+6, name, clean(p.ID+initials+": "+strings.Join(p.Roles, ", ")))
}

func (b *Booklet) owns(id string) bool { return b.For != nil && b.For.Person == id }

// approvals are lines on which the script is approved: of those whom it names,
// or two for anybody.
func (b *Booklet) approvals() []block {
	date, signature := "date ________________", "signature "+strings.Repeat("_", 40)
	if len(b.Approvers) == 0 {
		line := b.blanks("name "+strings.Repeat("_", 30), "date __________", "signature "+strings.Repeat("_", 28))
		return []block{gap(), b.heading(Subheading, "Approved"), kept(line...), kept(line...)}
	}
	blocks := []block{gap(), b.heading(Subheading, fmt.Sprintf("Approved: %d of %d must", b.Approvals, len(b.Approvers)))}
	for _, name := range b.Approvers {
		blocks = append(blocks, kept(append(b.text(Plain, clean(name)), b.blanks(date, signature)...)...))
	}
	return blocks
}

// materials is a list to be filled in by hand when things come out of their
// bags, and when they go back.
func (b *Booklet) materials() []block {
	blocks := []block{gap(), b.heading(Subheading, "Materials, and the bags they come out of and go back into")}
	bag := b.blanks("out of bag ____________", "seal ____________", "into bag ____________", "seal ____________")
	for _, details := range b.Tokens {
		name := "token"
		for _, d := range details {
			if d.Name == "name" || d.Name == "serial" {
				name += " " + clean(d.Value)
			}
		}
		blocks = append(blocks, kept(append(b.text(Strong, name), bag...)...))
	}
	for _, name := range b.Bags {
		blocks = append(blocks, kept(append(b.text(Strong, clean(name)), bag...)...))
	}
	for _, name := range b.Brought {
		line := b.blanks("medium ____________", "SHA-256, on paper by another way "+strings.Repeat("_", 16))
		blocks = append(blocks, kept(append(b.text(Strong, "file "+clean(name)), line...)...))
	}
	for range 2 {
		blocks = append(blocks, kept(append([]Line{{Text: strings.Repeat("_", 30)}}, bag...)...))
	}
	return blocks
}

func (b *Booklet) things(title string, list [][]Detail) []block {
	if len(list) == 0 {
		return nil
	}
	blocks := []block{gap(), b.heading(Subheading, title)}
	for i, details := range list {
		var lines []Line
		if i > 0 {
			lines = []Line{{}}
		}
		for _, d := range details {
			lines = append(lines, b.pair(clean(d.Name), d.Value)...)
		}
		blocks = append(blocks, kept(lines...))
	}
	return blocks
}

// name is how a participant is called on paper.
func (b *Booklet) name(id string) string {
	for _, p := range b.Cover.Participants {
		if p.ID == id {
			return p.Name
		}
	}
	return id
}

func (b *Booklet) pages(bodies [][]Line) []Page {
	pages := make([]Page, len(bodies))
	w := b.width()
	for i, lines := range bodies {
		p := Page{Number: i + 1, Of: len(bodies), Lines: lines}
		banner := ""
		if b.Cover.Mode == "rehearsal" {
			p.Mark = "REHEARSAL"
			banner = bannerText(p.Mark)
		}
		left, hash := clean(b.Cover.Organisation), hex.EncodeToString(b.SHA256[:])
		if b.For != nil {
			left = "for " + clean(b.name(b.For.Person))
		}
		if b.Large {
			hash = hash[:16] + "…"
		}
		p.Header = [3]Line{
			{Strong, fit(banner, int(w)), 0},
			{Strong, w.spread(clean(b.Cover.Title), fmt.Sprintf("page %d of %d", p.Number, p.Of)), 0},
			{Plain, w.spread(left, "script, "+clean(b.Cover.Mode)), 0},
		}
		p.Footer = Line{Quiet, w.spread(booklet, "script "+hash), 0}
		pages[i] = p
	}
	return pages
}
