package plain

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/keyrite/keyrite/internal/room"
)

// What empties a terminal and what it kept to scroll back to: ED 2 of ECMA-48, ED 3
// as xterm and the Linux console have it. The slip stands on the alternate screen
// (mode 1049), which keeps no lines; a terminal without one is cleared all the same.
const (
	clearScreen = "\x1b[H\x1b[2J\x1b[3J"
	enterOther  = "\x1b[?1049h" + clearScreen
	leaveOther  = clearScreen + "\x1b[?1049l" + clearScreen
)

// Private shows a slip on a cleared screen until its person presses Enter; what
// else is typed is thrown away.
func (r *Room) Private(p room.Prompt, s room.Slip) error {
	if !r.term.Terminal() || !r.live {
		return fmt.Errorf("%w: the room is no terminal, and a slip is shown on nothing else", room.ErrGone)
	}
	if err := r.begin(false); err != nil {
		return err
	}
	width, height := r.extent()
	b := SlipPage(p, s, width, height)
	defer r.unshow() // whatever happens
	r.slip.Store(true)
	r.raw(b)
	clear(b)
	typed, err := r.term.Secret()
	typed.Wipe()
	r.unshow()
	if err != nil && !errors.Is(err, room.ErrMistyped) {
		return r.ended(err)
	}
	r.Show(room.Text{Text: "The screen was cleared. What " + p.Person + " saw is not shown again."})
	return r.Err()
}

// unshow takes a slip off the screen, if one is shown.
func (r *Room) unshow() {
	if r.slip.Swap(false) {
		r.raw([]byte(leaveOther))
	}
}

// SlipPage returns the bytes that show a slip on a screen cleared for it, of width
// columns and height lines: its rows, and its QR code beside or below them where there
// is room. The caller wipes them. ClearSlip takes the slip off again.
func SlipPage(p room.Prompt, s room.Slip, width, height int) []byte {
	b := make([]byte, 0, 1<<16) // never grown, so no copy is left behind
	add := func(text string) { b = append(b, text+"\r\n"...) }
	b = append(b, enterOther...)
	add("  FOR " + clean(p.Person) + " ALONE. Everybody else looks away.")
	add("")
	add("  " + clean(s.Title))
	for _, line := range s.Lines {
		add("  " + clean(line))
	}
	add("")
	code := slipCode(s.Code)
	widest := 0
	for _, row := range s.Rows {
		row.Reveal(func(secret []byte) { widest = max(widest, len(secret)) })
	}
	used := 8 + len(s.Lines) + len(s.Rows) // lines, and the columns of a row beside it
	columns := 0
	if len(code) > 0 {
		columns = len([]rune(code[0]))
	}
	beside := len(code) > 0 && widest+8+columns < width && len(code)+used-len(s.Rows) < height
	below := len(code) > 0 && !beside && columns+2 < width && len(code)+used < height
	for i := range max(len(s.Rows), len(code)) {
		if i >= len(s.Rows) && !beside {
			break
		}
		n := 0
		if i < len(s.Rows) {
			b = append(b, fmt.Sprintf("  %2s  ", strconv.Itoa(i+1))...)
			s.Rows[i].Reveal(func(secret []byte) { b, n = append(b, secret...), 6+len(secret) })
		}
		if beside && i < len(code) {
			b = append(append(b, strings.Repeat(" ", widest+8-n)...), code[i]...)
		}
		add("")
	}
	if below {
		for _, line := range code {
			add("  " + line)
		}
	} else if len(code) > 0 && !beside {
		add(fmt.Sprintf("  (no room for the QR code: it needs %d columns and %d lines)", columns+3, len(code)+used+1))
	}
	add("")
	add("  " + clean(p.Question))
	return append(b, "  (press Enter when it is written down) "...)
}

// slipCode draws a QR code, two modules a character, as [Screen.Show] does.
func slipCode(dark [][]bool) (lines []string) {
	grid := framed(dark)
	for y := 0; y < len(grid); y += 2 {
		lines = append(lines, halfBlocks(grid[y], grid[y+1]))
	}
	return lines
}

// ClearSlip returns the bytes that take a slip off a terminal, with what it may
// have kept to scroll back to.
func ClearSlip() []byte { return []byte(leaveOther) }

// extent returns the terminal's columns and lines, 80 and 24 if it does not say.
func (s *Screen) extent() (width, height int) {
	if f, ok := s.out.(*os.File); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return defaultWidth, 24
}

// raw writes bytes as they are.
func (s *Screen) raw(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		_, s.err = s.out.Write(b)
	}
}
