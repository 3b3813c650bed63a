package screen

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// private shows a slip with the planted secret.
func (p *projector) private() <-chan outcome {
	c := make(chan outcome, 1)
	go func() {
		err := p.room.Private(room.Prompt{Person: "Example Custodian (EC)", Question: "Write it down."},
			room.Slip{Title: "Share 1 of 3", Rows: []token.PIN{token.NewPIN([]byte(planted))}})
		c <- outcome{"", err}
	}()
	p.shows(planted)
	return c
}

// given checks that the terminal is as it was before the room.
func (p *projector) given() {
	p.t.Helper()
	p.until(func(text string) bool { return !p.display.Alternate() && !strings.Contains(text, planted) }, "is the one before, without a secret")
	if _, _, shown := p.display.Cursor(); !shown {
		p.t.Error("the cursor is hidden")
	}
	after, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil || *after != p.before {
		p.t.Errorf("the terminal's mode is %+v (%v), it was %+v", after, err, p.before)
	}
}

// TestDrawingPanics: a panic of the goroutine that draws ends the room, whatever it
// waits for; a slip is taken off, the terminal given back, and Close says what it was.
func TestDrawingPanics(t *testing.T) {
	for what, wait := range map[string]func(p *projector) <-chan outcome{
		"a question": func(p *projector) <-chan outcome { return p.ask(question) },
		"a secret":   func(p *projector) <-chan outcome { return p.secret(question) },
		"a slip":     (*projector).private,
	} {
		t.Run(what, func(t *testing.T) {
			p := project(t, 80, 24)
			p.stage()
			answer := wait(p)
			if what != "a slip" {
				p.shows("I have seen this done")
			}
			p.room.mu.Lock()
			p.room.now = func() time.Time { panic("planted") }
			p.room.mu.Unlock()
			if o := p.gets(answer); !errors.Is(o.err, room.ErrGone) || !strings.Contains(o.err.Error(), "the screen failed: planted") {
				t.Errorf("the prompt ends with %v", o.err)
			}
			p.room.Show(room.Text{Text: "does nothing"})
			if err := p.room.Close(); err == nil || !strings.Contains(err.Error(), "the screen failed: planted\n") || !strings.Contains(err.Error(), "screen.(*Room).paint") {
				t.Errorf("closing says %v", err)
			}
			p.given()
		})
	}
}

// TestListeningPanics is the same of the goroutine that takes keys.
func TestListeningPanics(t *testing.T) {
	p := project(t, 80, 24)
	p.stage()
	answer := p.ask(question)
	p.shows("I have seen this done")
	p.room.mu.Lock()
	p.room.now = func() time.Time {
		if p.room.line != nil && len(p.room.line.text) > 0 { // a key was typed and is not drawn yet
			panic("planted")
		}
		return time.Now()
	}
	p.room.mu.Unlock()
	p.keys("E")
	if o := p.gets(answer); !errors.Is(o.err, room.ErrGone) || !strings.Contains(o.err.Error(), "the screen failed: planted") {
		t.Errorf("the question ends with %v", o.err)
	}
	if err := p.room.Close(); err == nil || !strings.Contains(err.Error(), "screen.(*Room).key") || strings.Contains(err.Error(), "screen.(*Room).paint") {
		t.Errorf("closing says %v", err)
	}
	p.given()
}

// TestRunnerPanics: a panic elsewhere, while a secret is typed or a slip is shown,
// leaves no page, no secret and no silent terminal when the room is closed on the way.
func TestRunnerPanics(t *testing.T) {
	for what, wait := range map[string]func(p *projector){
		"a question": func(p *projector) { p.ask(question); p.shows("I have seen this done") },
		"a secret":   func(p *projector) { p.secret(question); p.shows("(not shown) >") },
		"a slip":     func(p *projector) { p.private() },
	} {
		t.Run(what, func(t *testing.T) {
			p := project(t, 80, 24)
			p.stage()
			wait(p)
			func() {
				defer func() {
					if recover() == nil {
						t.Error("nothing panicked")
					}
				}()
				defer func() {
					if err := p.room.Close(); err != nil {
						t.Error(err)
					}
				}()
				panic("planted")
			}()
			p.given()
		})
	}
}
