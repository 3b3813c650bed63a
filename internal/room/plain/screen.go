package plain

import (
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/keyrite/keyrite/internal/room"
)

const (
	defaultWidth = 80
	leastWidth   = 32
	mostText     = 100 // longer lines of prose are hard to read
)

// A Screen is the output side of a room: it shows messages and questions and
// reads nothing. Its methods can be called concurrently.
type Screen struct {
	out   io.Writer
	live  bool // out is a terminal: a line can be written over
	color bool
	size  func() int       // columns
	now   func() time.Time // for the time passing
	tick  time.Duration    // between two looks at the time passing

	mu   sync.Mutex
	busy string // the line that is written over, if any
	err  error  // the first failed write
}

// NewScreen returns a screen that writes to out, with colour as an accent if
// color. width is in columns; 0 asks out's terminal at each message, or is 80
// if out is none.
func NewScreen(out io.Writer, color bool, width int) *Screen {
	s := &Screen{out: out, color: color, now: time.Now, tick: time.Second}
	f, ok := out.(*os.File)
	s.live = ok && term.IsTerminal(int(f.Fd()))
	s.size = func() int { return width }
	if width <= 0 {
		s.size = func() int { return terminalWidth(f, s.live) }
	}
	return s
}

func terminalWidth(f *os.File, live bool) int {
	if !live {
		return defaultWidth
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil || w <= 0 {
		return defaultWidth
	}
	return w
}

// Err returns the first error of writing to the output, or nil. What is shown
// after it reaches nobody.
func (s *Screen) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Show presents a message. It panics on a type that is no message of package
// room.
func (s *Screen) Show(m room.Message) {
	p := s.page()
	p.message(m)
	if p.Len() > 0 {
		s.write(p.String())
	}
}

// Question shows who is asked, what, and the choices, and leaves the cursor
// where the answer is typed.
func (s *Screen) Question(q room.Prompt, secret bool) {
	p := s.page()
	p.question(q, secret)
	s.write(p.String())
}

// Answered ends the line that Question left open: with the text that answers
// it, if any, and a note about it, if any.
func (s *Screen) Answered(text, note string) {
	p := s.page()
	p.answered(text, note)
	s.write(p.String())
}

func (s *Screen) page() *page {
	return &page{width: max(s.size(), leastWidth), color: s.color}
}

func (s *Screen) write(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(s.erasure() + text)
}

// erasure removes the line that is written over. s.mu is held.
func (s *Screen) erasure() string {
	if s.busy == "" {
		return ""
	}
	n := columns(s.busy)
	s.busy = ""
	return "\r" + strings.Repeat(" ", n) + "\r"
}

// put writes text. s.mu is held.
func (s *Screen) put(text string) {
	if s.err != nil || text == "" {
		return
	}
	_, s.err = io.WriteString(s.out, text)
}
