// Package plain is a room on a terminal, line by line: what is shown scrolls
// by, what is asked is typed below it.
//
// A [Screen] shows; a [Room] is a screen with a terminal to type at. While a
// room is open, Ctrl-C, Ctrl-Z, Ctrl-\ and Ctrl-S, SIGHUP, SIGTERM and SIGPIPE
// do not end or stop the program: Ctrl-C ends the prompt that waits, or else
// the next one; a closed terminal is an error of the next prompt.
//
// Everything shown is escaped first: a token's label cannot move the cursor.
package plain

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/tty"
	"github.com/keyrite/keyrite/internal/token"
)

// Options are what a room is made of.
type Options struct {
	In    *os.File  // where people type: a terminal; else no secret can be asked for
	Out   io.Writer // where it is shown: the terminal
	Color bool      // use colour as an accent
	Width int       // columns; 0 asks the terminal at each message, 80 if it is none
}

// A Room is a terminal with people in front of it. Its prompts must not be
// used concurrently; showing may go on beside them.
type Room struct {
	*Screen
	term *tty.Console
	slip atomic.Bool // one is shown
}

var _ room.Room = (*Room)(nil)

// New takes the terminal and the program's signals over until Close. Only one
// room should be open in a program at a time.
func New(o Options) (*Room, error) {
	if o.In == nil || o.Out == nil {
		return nil, errors.New("opening the room: it needs an input and an output")
	}
	t, err := tty.Open(o.In)
	if err != nil {
		return nil, fmt.Errorf("opening the room: %w", err)
	}
	return &Room{Screen: NewScreen(o.Out, o.Color, o.Width), term: t}, nil
}

// Close gives the terminal back as it was found, without a slip that is shown, and
// the signals. What was typed and not asked for is thrown away. It returns the same
// error when called again.
func (r *Room) Close() error {
	r.unshow()
	return r.term.Close()
}

// Interrupted receives a Ctrl-C pressed while no prompt waits. Who takes it
// from here has it; else the next prompt returns room.ErrInterrupted. A Ctrl-C
// pressed twice counts once.
func (r *Room) Interrupted() <-chan struct{} { return r.term.Interrupted() }

// Ask asks until there is an answer that can be shown and, if there are
// choices, is one of them: its word in any case or an unambiguous beginning of
// it; the word is returned. An answer that begins with "!" is returned as
// typed, choices or not: it asks for another way out.
func (r *Room) Ask(p room.Prompt) (string, error) {
	if err := r.begin(true); err != nil {
		return "", err
	}
	defer r.term.Quiet()
	r.Question(p, false)
	for {
		line, err := r.answer()
		if err == nil {
			line, err = Accept(p, line)
		}
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, room.ErrGone), errors.Is(err, room.ErrInterrupted):
			return "", r.ended(err)
		}
		r.again(err)
	}
}

// Secret asks for a secret once. It is only ever read from a terminal, and not
// echoed. An empty line is an empty PIN. More than tty.MaxSecret bytes, a control
// character or invalid UTF-8 are errors, after which it can be asked again.
func (r *Room) Secret(p room.Prompt) (token.PIN, error) {
	if !r.term.Terminal() {
		return token.PIN{}, fmt.Errorf("%w: the input is no terminal, and a secret is read from nothing else", room.ErrGone)
	}
	if err := r.begin(false); err != nil {
		return token.PIN{}, err
	}
	r.Question(p, true)
	pin, err := r.term.Secret()
	if err != nil {
		return token.PIN{}, r.ended(err)
	}
	r.Answered("", "")
	return pin, nil
}

// begin looks for what happened since the last prompt and sets the echo.
func (r *Room) begin(echo bool) error {
	if err := r.Err(); err != nil {
		return r.term.Leave(fmt.Errorf("nothing can be shown: %w", err))
	}
	return r.term.Lines(echo)
}

// ended leaves the line of a prompt that got no answer, and throws away what
// was typed of one.
func (r *Room) ended(err error) error {
	r.term.Flush()
	r.Answered("", "")
	return err
}

func (r *Room) again(err error) {
	p := r.page()
	p.marked("!", caution, err.Error()+" – please type it again")
	p.WriteString(answerMark)
	r.write(p.String())
}

func (r *Room) answer() (string, error) {
	line, err := r.term.Answer()
	if err == nil && !r.term.Terminal() {
		r.Answered(line, "")
	}
	return line, err
}

// Accept checks what was typed at a prompt and returns the choice it means, or
// the line as it is.
func Accept(p room.Prompt, line string) (string, error) {
	if clean(line) != line {
		return "", errors.New("this holds a character that cannot be shown (an arrow key?)")
	}
	if len(p.Choices) == 0 || strings.HasPrefix(line, "!") {
		return line, nil
	}
	return Choose(p.Choices, line)
}
