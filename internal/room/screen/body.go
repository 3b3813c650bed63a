package screen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v3"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/plain"
)

// A body is everything that was shown, in lines for the width it has now.
type body struct {
	messages []room.Message
	starts   []int // the line at which each message begins
	lines    []row
	width    int
	tall     int // the most lines that a page can have
}

// A row is a clean line and how it looks.
type row struct {
	text  string
	style tcell.Style
}

// An answered question stands in the body in one line.
type answered struct{ person, question, answer string }

func (b *body) add(m room.Message) {
	b.messages = append(b.messages, m)
	if b.width > 0 {
		b.set(m)
	}
}

// fit sets the lines for a size; it reports whether that is another one.
func (b *body) fit(width, tall int) bool {
	if width == b.width && tall == b.tall {
		return false
	}
	b.width, b.tall, b.lines, b.starts = width, tall, nil, nil
	for _, m := range b.messages {
		b.set(m)
	}
	return true
}

// before is how many messages end before a line or there.
func (b *body) before(line int) (n int) {
	for n < len(b.starts) && b.start(n+1) <= line {
		n++
	}
	return n
}

// start is the line at which a message begins; the number of messages stands
// for the end.
func (b *body) start(message int) int {
	if message >= len(b.starts) {
		return len(b.lines)
	}
	return b.starts[message]
}

func (b *body) set(m room.Message) {
	b.starts = append(b.starts, len(b.lines))
	for _, l := range b.rows(m) {
		if l.text == "" && (len(b.lines) == 0 || b.lines[len(b.lines)-1].text == "") {
			continue // one empty line is enough
		}
		b.lines = append(b.lines, l)
	}
}

func (b *body) rows(m room.Message) []row {
	style := tcell.StyleDefault
	switch m := m.(type) {
	case room.Step:
		return b.step(m)
	case answered:
		return b.answered(m)
	case room.Fact:
		style = style.Bold(m.Big)
	case room.Warning:
		style = warning
	case room.Failure:
		style = alarm
	case room.StepDone:
		style = style.Bold(true)
	}
	lines := plain.Lines(m, b.width)
	var rows []row
	if _, isCode := m.(room.Code); isCode && len(lines) > b.tall {
		rows = append(rows, row{fmt.Sprintf("  The code below has %d lines; to read it with a camera, enlarge the window.", len(lines)), warning})
	}
	for _, l := range lines {
		rows = append(rows, row{l, style})
	}
	return rows
}

// answered is a question in a line, and its answer below if it is a long one.
func (b *body) answered(m answered) []row {
	question, _, _ := strings.Cut(m.question, "\n")
	if m.person != "" {
		question = m.person + ": " + question
	}
	question, answer := plain.Clean(question), plain.Clean(m.answer)
	room := b.width - 6 - plain.Columns(answer)
	if room < b.width/2 {
		rows := []row{{"  ▸ " + short(question, b.width-4), tcell.StyleDefault}}
		for _, l := range plain.Wrap(answer, b.width-8) {
			rows = append(rows, row{"      " + l, tcell.StyleDefault.Bold(true)})
		}
		return rows
	}
	return []row{{"  ▸ " + short(question, room-2) + "  " + answer, tcell.StyleDefault}}
}

// step is what the room needs to know before a step.
func (b *body) step(m room.Step) []row {
	rows := []row{{}}
	add := func(style tcell.Style, label, text string) {
		if strings.TrimSpace(text) == "" {
			return
		}
		for i, l := range plain.Wrap(text, min(b.width, 100)-2-len(label)) {
			if i > 0 {
				label = strings.Repeat(" ", len(label))
			}
			rows = append(rows, row{"  " + label + l, style})
		}
		rows = append(rows, row{})
	}
	if m.Attempt > 1 {
		add(warning, "", fmt.Sprintf("This is attempt %d.", m.Attempt))
	}
	add(alarm, "Cannot be undone: ", m.Irreversible)
	add(tcell.StyleDefault, "On the token:     ", m.Effect)
	add(tcell.StyleDefault, "", m.Say)
	add(tcell.StyleDefault.Bold(true), "Look at:          ", m.Watch)
	return rows
}

// short cuts a clean text to a number of columns.
func short(s string, n int) string {
	if plain.Columns(s) <= n {
		return s
	}
	if n < 2 {
		return ""
	}
	s, _ = plain.Cut(s, n-1)
	return s + "…"
}

// code finds the first QR code from a message on: the line at which it begins and
// how many lines it has, 0 if there is none.
func (b *body) code(from int) (first, height int) {
	i := slices.IndexFunc(b.messages[min(from, len(b.messages)):], func(m room.Message) bool { _, ok := m.(room.Code); return ok })
	if i < 0 {
		return 0, 0
	}
	first = b.start(from + i)
	return first, b.start(from+i+1) - first
}
