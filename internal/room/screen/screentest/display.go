// Package screentest shows tests what stands on a full screen: a terminal
// emulator that is fed with what a program writes to its terminal.
package screentest

import (
	"strings"
	"sync"

	"github.com/gdamore/tcell/v3/vt"
)

// A Display is what a terminal shows. Its methods can be called concurrently.
type Display struct {
	mu   sync.Mutex
	term vt.MockTerm
	w, h int

	last      []byte // the end of what was written, for commands cut in two
	alternate bool
	hidden    bool
}

// New returns an empty display of w columns and h lines.
func New(w, h int) (*Display, error) {
	d := &Display{term: vt.NewMockTerm(vt.MockOptSize{X: vt.Col(w), Y: vt.Row(h)}), w: w, h: h}
	if err := d.term.Start(); err != nil {
		return nil, err
	}
	return d, nil
}

// Close ends the emulator.
func (d *Display) Close() error { return d.term.Close() }

// Write takes what a program wrote to its terminal.
func (d *Display) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.modes(b)
	n, err := d.term.Write(b)
	if err == nil {
		err = d.term.Drain()
	}
	return n, err
}

// Resize gives the display another size.
func (d *Display) Resize(w, h int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.term.SetSize(vt.Coord{X: vt.Col(w), Y: vt.Row(h)})
	d.w, d.h = w, h
}

// Lines returns what is shown, without space at the ends of lines.
func (d *Display) Lines() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := make([]string, d.h)
	for y := range lines {
		var b strings.Builder
		for x := 0; x < d.w; x++ {
			c := d.term.GetCell(vt.Coord{X: vt.Col(x), Y: vt.Row(y)})
			if c.C == "" {
				c.C = " "
			}
			b.WriteString(c.C)
			x += max(0, c.W-1)
		}
		lines[y] = strings.TrimRight(b.String(), " ")
	}
	return lines
}

// Text is Lines in one text.
func (d *Display) Text() string { return strings.Join(d.Lines(), "\n") }

// modes follows what the emulator does not know.
func (d *Display) modes(b []byte) {
	text := string(d.last) + string(b)
	for name, mode := range map[string]*bool{"1049": &d.alternate, "25": &d.hidden} {
		on, off := strings.LastIndex(text, "\x1b[?"+name+"h"), strings.LastIndex(text, "\x1b[?"+name+"l")
		if on != off {
			*mode = (on > off) == (name == "1049")
		}
	}
	d.last = []byte(text[max(0, len(text)-len("\x1b[?1049")):])
}

// Cursor returns the line and column of the cursor; shown is false if it is
// hidden.
func (d *Display) Cursor() (line, column int, shown bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.term.Pos()
	return int(p.Y), int(p.X), !d.hidden
}

// Alternate reports whether the alternate screen is shown.
func (d *Display) Alternate() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.alternate
}
