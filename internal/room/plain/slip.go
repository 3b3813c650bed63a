package plain

import (
	"errors"
	"fmt"
	"strconv"

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
	b := SlipPage(p, s)
	r.raw(b)
	clear(b)
	typed, err := r.term.Secret()
	typed.Wipe()
	r.raw([]byte(leaveOther))
	if err != nil && !errors.Is(err, room.ErrMistyped) {
		return r.ended(err)
	}
	r.Show(room.Text{Text: "The screen was cleared. What " + p.Person + " saw is not shown again."})
	return r.Err()
}

// SlipPage returns the bytes that show a slip on a screen cleared for it. The
// caller wipes them. ClearSlip takes it off again.
func SlipPage(p room.Prompt, s room.Slip) []byte {
	b := make([]byte, 0, 1<<14) // never grown, so no copy is left behind
	add := func(text string) { b = append(b, text+"\r\n"...) }
	b = append(b, enterOther...)
	add("  FOR " + clean(p.Person) + " ALONE. Everybody else looks away.")
	add("")
	add("  " + clean(s.Title))
	for _, line := range s.Lines {
		add("  " + clean(line))
	}
	add("")
	for i, row := range s.Rows {
		b = append(b, fmt.Sprintf("  %2s  ", strconv.Itoa(i+1))...)
		row.Reveal(func(secret []byte) { b = append(b, secret...) })
		add("")
	}
	add("")
	add("  " + clean(p.Question))
	return append(b, "  (press Enter when it is written down) "...)
}

// ClearSlip returns the bytes that take a slip off a terminal, with what it may
// have kept to scroll back to.
func ClearSlip() []byte { return []byte(leaveOther) }

// raw writes bytes as they are.
func (s *Screen) raw(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		_, s.err = s.out.Write(b)
	}
}
