package plain

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/internal/room"
)

// A page collects the lines of one message. Everything that enters it as text
// from outside is cleaned; only paint adds terminal commands.
type page struct {
	strings.Builder
	width int // columns of the screen
	color bool
}

// A style is the parameter of the terminal's SGR command (ECMA-48, 8.3.117).
type style string

const (
	plainStyle style = ""
	strong     style = "1"
	good       style = "32"
	caution    style = "33"
	bad        style = "1;31"
	onPaper    style = "97;40" // white blocks on black, for QR codes
)

// plainLine is a line that is shown as it is; it is clean already.
type plainLine string

// paint gives a style to clean text if there is colour.
func (p *page) paint(st style, s string) string {
	if !p.color || st == plainStyle || s == "" {
		return s
	}
	return "\x1b[" + string(st) + "m" + s + "\x1b[0m"
}

func (p *page) line(s string) {
	p.WriteString(strings.TrimRight(s, " "))
	p.WriteByte('\n')
}

// text is the number of columns that prose may take.
func (p *page) text() int { return min(p.width, mostText) }

// block sets prose with an indentation.
func (p *page) block(indent int, st style, s string) {
	for _, l := range wrap(s, p.text()-indent) {
		p.line(strings.Repeat(" ", indent) + p.paint(st, l))
	}
}

// hang sets a label and prose beside it, all lines of which begin at column
// col. A label too long for that has a line of its own.
func (p *page) hang(indent, col int, st style, label, s string) {
	col = min(col, p.text()/2)
	head := strings.Repeat(" ", indent) + label
	if columns(head) >= col {
		p.block(indent, st, label)
		label = ""
	}
	for i, l := range wrap(s, p.text()-col) {
		if i > 0 || label == "" {
			p.line(strings.Repeat(" ", col) + l)
			continue
		}
		p.line(strings.Repeat(" ", indent) + p.paint(st, label) + strings.Repeat(" ", col-columns(head)) + l)
	}
}

func (p *page) message(m room.Message) {
	switch m := m.(type) {
	case room.Step:
		p.step(m)
	case room.StepDone:
		p.stepDone(m)
	case room.Fact:
		p.fact(m)
	case room.Text:
		p.line("")
		p.block(2, plainStyle, m.Text)
	case room.Verbatim:
		p.line("")
		for _, l := range paragraphs(m.Text) {
			p.line(clean(l))
		}
	case room.Warning:
		p.line("")
		p.marked("!", caution, m.Text)
	case room.Failure:
		p.failure(m)
	case room.Table:
		p.table(m)
	case room.Code:
		p.code(m)
	case room.Ceremony, room.LogState, room.TokenState:
		// The lines above have said it.
	case plainLine:
		p.line(string(m))
	default:
		panic(fmt.Sprintf("plain: no message: %T", m))
	}
}

// step draws the header and what the room needs to know beforehand.
func (p *page) step(m room.Step) {
	p.line("")
	p.stepHeader(m)
	p.hang(2, 14, plainStyle, "acts", m.Actor)
	if len(m.Witnesses) > 0 {
		p.hang(2, 14, plainStyle, "witnesses", strings.Join(m.Witnesses, ", "))
	}
	if strings.TrimSpace(m.Say) != "" {
		p.line("")
		p.block(2, plainStyle, m.Say)
	}
	if m.Watch+m.Effect+m.Irreversible != "" {
		p.line("")
	}
	p.part(strong, "Look at:", m.Watch)
	p.part(strong, "On the token:", m.Effect)
	p.part(bad, "Cannot be undone:", m.Irreversible)
	p.line("")
}

func (p *page) part(st style, label, s string) {
	if s != "" {
		p.hang(2, 20, st, label, s)
	}
}

func (p *page) stepHeader(m room.Step) {
	title := fmt.Sprintf("step %d of %d · %s", m.Number, m.Of, m.Title)
	if m.Attempt > 1 {
		title += fmt.Sprintf(" · attempt %d", m.Attempt)
	}
	kind := "[" + clean(m.Kind) + "]"
	rule := strings.Repeat("─", p.text())
	lines := wrap(title, p.text())
	p.line(rule)
	for i, l := range lines {
		gap := p.text() - columns(l) - columns(kind)
		if i < len(lines)-1 || gap < 2 {
			p.line(p.paint(strong, l))
			continue
		}
		p.line(p.paint(strong, l) + strings.Repeat(" ", gap) + kind)
		kind = ""
	}
	if kind != "" {
		p.line(strings.Repeat(" ", max(0, p.text()-columns(kind))) + kind)
	}
	p.line(rule)
}

func (p *page) stepDone(m room.StepDone) {
	mark, st := "✗", bad
	switch m.Result {
	case "done":
		mark, st = "✓", good
	case "skipped":
		mark, st = "–", caution
	}
	p.line("")
	p.marked(mark, st, fmt.Sprintf("step %d of %d · %s: %s", m.Number, m.Of, m.Title, m.Result))
}

// marked sets a paragraph behind a mark of one column.
func (p *page) marked(mark string, st style, s string) {
	p.hang(2, 4, st, mark, s)
}

func (p *page) failure(m room.Failure) {
	p.line("")
	p.marked("✗", bad, m.What)
	if m.RV != "" {
		p.hang(4, 18, plainStyle, "return code", m.RV)
	}
	if m.Hint != "" {
		p.hang(4, 18, strong, "What to do:", m.Hint)
	}
	p.line("")
}
