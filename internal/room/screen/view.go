package screen

import (
	"fmt"
	"strings"
	"time"

	"github.com/gdamore/tcell/v3"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/plain"
)

// A view is what the room has in front of it, and which part of it.
type view struct {
	ceremony room.Ceremony
	step     room.Step
	log      room.LogState
	tokens   []room.TokenState // in the order in which they were seen
	busy     *busy
	body     body

	began  int  // the message with which the running step begins
	fresh  int  // the first message that nobody has answered since
	top    int  // the first line shown
	rows   int  // lines of the page when it was drawn last
	height int  // lines of the screen then
	read   int  // up to here, without a gap, lines stood on the page since the question was asked
	held   bool // scrolled by hand: top stays
	hasty  bool // an answer came before everything was on the page
	whole  bool // the page gets the whole screen
}

func (v *view) show(m room.Message) {
	switch m := m.(type) {
	case room.Ceremony:
		v.ceremony = m
		return
	case room.LogState:
		v.log = m
		return
	case room.TokenState:
		v.token(m)
		return
	case room.Step:
		v.step = m
		v.began = len(v.body.messages)
		v.fresh = v.began
	case room.StepDone:
		if i := m.Number - 1; i >= 0 && i < len(v.ceremony.Plan) {
			v.ceremony.Plan[i].Result = m.Result
		}
	}
	v.body.add(m)
	v.held = false
}

func (v *view) token(m room.TokenState) {
	for i := range v.tokens {
		if v.tokens[i].Name == m.Name {
			v.tokens[i] = m
			return
		}
	}
	v.tokens = append(v.tokens, m)
}

// asked begins a prompt: what was shown since the last answer is shown from its
// beginning.
func (v *view) asked() {
	v.held, v.whole, v.hasty, v.read = false, false, false, 0
}

// seen notes that the page stands on the screen. What came before the last
// answer need not be read again.
func (v *view) seen() {
	v.read = max(v.read, v.body.start(v.fresh))
	if v.top <= v.read {
		v.read = max(v.read, min(v.top+v.rows, len(v.body.lines)))
	}
}

// unread reports whether something shown since the last answer was not on the
// page yet. Then no answer counts, and the first line of it is turned to.
func (v *view) unread() bool {
	if v.read >= len(v.body.lines) {
		return false
	}
	v.hasty, v.whole = true, false
	v.move(v.read - v.top)
	return true
}

// fit sets the lines for a size. What was read to its end stays read.
func (v *view) fit(width, tall int) {
	whole := v.body.before(v.read)
	if v.body.fit(width, tall) {
		v.read = v.body.start(whole)
	}
}

// enlarge gives a QR code that is larger than the page, as it was drawn, the
// whole screen if it fits there and is what is to be read next; ok is false if
// nothing changes.
func (v *view) enlarge() (ok bool) {
	first, height := v.body.code(v.fresh)
	if height <= v.rows || height > v.height-wholeOverhead || v.read < first || v.read >= first+height {
		return false
	}
	v.whole, v.held = true, false
	return true
}

func (v *view) answered(l *line, answer string, err error) {
	switch {
	case err != nil:
		answer = "(no answer: " + err.Error() + ")"
	case l.secret:
		answer = "(entered, not shown)"
	default:
		answer = "» " + answer
	}
	v.body.add(answered{l.prompt.Person, l.prompt.Question, answer})
	v.fresh, v.held, v.whole = len(v.body.messages), false, false
}

// place chooses the first line shown: the step's beginning while all of it
// fits, else what is new, from its beginning if somebody is asked to read it.
func (v *view) place(rows int, asked bool) {
	v.rows = rows
	last := max(0, len(v.body.lines)-rows)
	if v.held {
		v.top = min(v.top, last)
		return
	}
	v.top = max(last, 0)
	if began := v.body.start(v.began); began >= last {
		v.top = began
	}
	if asked {
		v.top = min(v.top, v.body.start(v.fresh))
	}
	if first, height := v.body.code(v.fresh); asked && v.whole && height > 0 {
		v.top = max(0, first)
	}
}

// below is the number of lines below those shown.
func (v *view) below() int { return max(0, len(v.body.lines)-v.top-v.rows) }

// next turns to the next page; ok is false if there is none. One line stays in
// view.
func (v *view) next() (ok bool) {
	if v.below() == 0 {
		if ok, v.whole = v.whole, false; ok {
			v.held, v.top = true, len(v.body.lines)
		}
		return ok
	}
	if !v.whole && v.enlarge() {
		return true
	}
	v.move(max(1, v.rows-1))
	return true
}

func (v *view) move(lines int) {
	v.held = true
	v.top = max(0, min(v.top+lines, len(v.body.lines)-v.rows))
}

// scroll moves by a key; other keys do nothing.
func (v *view) scroll(k tcell.Key) {
	page := max(1, v.rows-1)
	switch k {
	case tcell.KeyUp:
		v.move(-1)
	case tcell.KeyDown:
		v.move(1)
	case tcell.KeyPgUp:
		v.move(-page)
	case tcell.KeyPgDn:
		v.move(page)
	case tcell.KeyHome:
		v.move(-len(v.body.lines))
	case tcell.KeyEnd:
		v.move(len(v.body.lines))
	}
}

// done counts the steps that are over.
func (v *view) done() (n int) {
	for _, p := range v.ceremony.Plan {
		if p.Result == "done" || p.Result == "skipped" {
			n++
		}
	}
	return n
}

// stepTitle is the step in a line.
func (v *view) stepTitle() string {
	if v.step.Of == 0 {
		return "before the first step"
	}
	s := fmt.Sprintf("step %d of %d · %s", v.step.Number, v.step.Of, plain.Clean(v.step.Title))
	if v.step.Attempt > 1 {
		s += fmt.Sprintf(" · attempt %d", v.step.Attempt)
	}
	return s
}

// tokenLines says what is known of each token.
func (v *view) tokenLines(width int) []string {
	var lines []string
	for _, t := range v.tokens {
		parts := []string{}
		for _, p := range t.PINs {
			mark := ""
			if p.Alarm {
				mark = "! "
			}
			parts = append(parts, mark+p.Name+": "+p.Tries)
		}
		if t.User != "" {
			parts = append(parts, "logged in: "+t.User)
		}
		lines = append(lines, plain.Wrap("token "+plain.Clean(t.Name)+" · "+strings.Join(parts, " · "), width)...)
	}
	return lines
}

// clock is the time as the log has it.
func clock(now time.Time) string { return now.UTC().Format("15:04:05") + " UTC" }
