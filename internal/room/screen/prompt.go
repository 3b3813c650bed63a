package screen

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gdamore/tcell/v3"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/plain"
	"github.com/keyrite/keyrite/internal/room/tty"
	"github.com/keyrite/keyrite/internal/token"
)

// A line is a question and what has been typed as its answer.
type line struct {
	prompt  room.Prompt
	secret  bool // what is typed is not here
	held    bool // Enter is all that is wanted
	text    []rune
	refused string // why what was typed is no answer
	done    chan string
}

// Ask asks until there is an answer that can be shown and, if there are
// choices, is one of them, as the line-by-line room does. An empty line shows
// the next page while there is one below. Before everything shown since the last
// answer was on the page, no answer counts but one that opens the menu.
func (r *Room) Ask(p room.Prompt) (string, error) {
	return r.ask(&line{prompt: p, done: make(chan string, 1)})
}

// Wait shows a text until Enter is pressed: the last page of a run stays in
// view until somebody has read it. It returns at once if nobody can.
func (r *Room) Wait(text string) {
	// However it ends, there is nothing more to show.
	_, _ = r.ask(&line{prompt: room.Prompt{Question: text}, held: true, done: make(chan string, 1)})
}

func (r *Room) ask(l *line) (string, error) {
	if err := r.begin(l, r.console.Keys); err != nil {
		return "", err
	}
	r.device.hear()
	answer, err := r.wait(l)
	r.device.deafen()
	r.console.Quiet()
	r.end(l, answer, err)
	return answer, err
}

// begin shows a question, once the terminal is set for its answer.
func (r *Room) begin(l *line, mode func() error) error {
	if err := r.device.failed(); err != nil {
		return r.console.Leave(fmt.Errorf("nothing can be shown: %w", err))
	}
	if err := mode(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.line = l
	r.view.asked()
	r.paint()
	if r.view.enlarge() {
		r.paint()
	}
	return nil
}

func (r *Room) end(l *line, answer string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.line = nil
	if !l.held {
		r.view.answered(l, answer, err)
	}
	r.paint()
}

// wait returns the answer, or why there is none.
func (r *Room) wait(l *line) (string, error) {
	for {
		select {
		case answer := <-l.done:
			return answer, nil
		case <-r.console.News():
			if err := r.console.Check(); err != nil {
				return "", err
			}
		}
	}
}

// Secret asks for a secret once. It is not echoed, and read by the console
// alone. An empty line shows the next page while there is one below, and is an
// empty PIN at the end; a secret typed before the end is thrown away, as Ask does
// with an answer.
func (r *Room) Secret(p room.Prompt) (token.PIN, error) {
	l := &line{prompt: p, secret: true}
	if err := r.begin(l, func() error { return r.console.Lines(false) }); err != nil {
		return token.PIN{}, err
	}
	pin, err := r.console.Secret()
	for err == nil && r.early(l, &pin) {
		pin, err = r.console.Secret()
	}
	if err != nil {
		r.console.Flush()
	}
	r.end(l, "", err)
	return pin, err
}

// Private shows a slip on a cleared screen until its person presses Enter; what
// else is typed is thrown away. The slip goes to the terminal past the library
// that draws the page, which keeps no copy of it.
func (r *Room) Private(p room.Prompt, s room.Slip) error {
	if err := r.console.Lines(false); err != nil {
		return err
	}
	size, err := r.device.WindowSize()
	if err != nil {
		return err
	}
	var werr error
	unshow := sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.closed { // Close has cleared it
			return
		}
		_, werr = r.device.write(append(plain.ClearSlip(), enterAlternate...))
		r.device.seize(false)
		if r.crash.Load() == nil {
			r.screen.Sync()
		}
	})
	defer unshow() // whatever happens
	if err = r.showSlip(p, s, size); err == nil {
		var typed token.PIN
		typed, err = r.console.Secret()
		typed.Wipe()
	}
	unshow()
	if err != nil && !errors.Is(err, room.ErrMistyped) {
		r.console.Flush()
		return err
	}
	if werr != nil {
		return r.console.Leave(fmt.Errorf("nothing can be shown: %w", werr))
	}
	r.Show(room.Text{Text: "The screen was cleared. What " + p.Person + " saw is not shown again."})
	return nil
}

func (r *Room) showSlip(p room.Prompt, s room.Slip, size tcell.WindowSize) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.device.seize(true)
	b := plain.SlipPage(p, s, size.Width, size.Height)
	defer clear(b)
	_, err := r.device.write(b)
	return err
}

// early reports whether there was more to read when a secret was typed, and
// shows it. The secret is wiped then.
func (r *Room) early(l *line, pin *token.PIN) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !(pin.Empty() && r.view.next()) && !r.hasty(l) {
		return false
	}
	pin.Wipe()
	r.paint()
	return true
}

// hasty reports whether an answer came before all was on the page, and turns to
// what was not. r.mu is held.
func (r *Room) hasty(l *line) bool {
	if !r.view.unread() {
		return false
	}
	l.text, l.refused = nil, ""
	if r.view.rows == 0 {
		l.refused = "enlarge the window, read to the end"
	}
	return true
}

// key takes a key stroke at the prompt that waits.
func (r *Room) key(e *tcell.EventKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.line
	if l == nil || l.secret {
		return
	}
	switch e.Key() {
	case tcell.KeyEnter, tcell.KeyCtrlJ:
		r.enter(l)
	case tcell.KeyRune:
		l.add(e.Str())
	case tcell.KeyBackspace, tcell.KeyBackspace2, tcell.KeyDelete:
		l.text = l.text[:max(0, len(l.text)-1)]
	case tcell.KeyCtrlU:
		l.text = nil
	case tcell.KeyCtrlW:
		l.text = []rune(withoutLastWord(string(l.text)))
	case tcell.KeyCtrlL:
		r.screen.Sync()
	case tcell.KeyTab:
		r.view.whole = !r.view.whole
	default:
		r.view.scroll(e.Key())
	}
	if r.now().Sub(r.painted) < calm { // a text that is pasted
		r.later()
		return
	}
	r.paint()
}

func withoutLastWord(s string) string {
	s = strings.TrimRight(s, " ")
	return s[:strings.LastIndex(s, " ")+1]
}

// add adds typed characters, up to the most that an answer may have.
func (l *line) add(s string) {
	if l.held || plain.Clean(s) != s {
		return
	}
	l.refused = ""
	if len(string(l.text))+len(s) > tty.MaxAnswer {
		l.refused = tty.TooLong(tty.MaxAnswer).Error()
		return
	}
	l.text = append(l.text, []rune(s)...)
}

// enter takes what was typed as the answer, if it can be one. r.mu is held.
func (r *Room) enter(l *line) {
	typed := strings.TrimSpace(string(l.text))
	if typed == "" && r.view.next() || !strings.HasPrefix(typed, "!") && r.hasty(l) {
		r.device.hear()
		return
	}
	answer, err := plain.Accept(l.prompt, typed)
	if err == nil && !utf8.ValidString(answer) {
		err = errors.New("this is not valid UTF-8")
	}
	if err != nil {
		l.refused, l.text = err.Error(), nil
		r.device.hear()
		return
	}
	select {
	case l.done <- answer:
	default: // answered already
	}
}
