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
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

const (
	// MaxSecret is the most bytes a secret may have.
	MaxSecret = 256
	// MaxAnswer is the most bytes an answer may have. It is below the 4096 at
	// which the kernel cuts a line without a word.
	MaxAnswer = 2048
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
	term  *terminal
	watch *watch
	close func() error
}

var _ room.Room = (*Room)(nil)

// New takes the terminal and the program's signals over until Close. Only one
// room should be open in a program at a time.
func New(o Options) (*Room, error) {
	if o.In == nil || o.Out == nil {
		return nil, errors.New("opening the room: it needs an input and an output")
	}
	w, err := newWatch()
	if err != nil {
		return nil, fmt.Errorf("opening the room: %w", err)
	}
	t, err := openTerminal(o.In)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the room: %w", err), t.restore(), w.close())
	}
	r := &Room{Screen: NewScreen(o.Out, o.Color, o.Width), term: t, watch: w}
	r.close = sync.OnceValue(func() error { return errors.Join(t.restore(), w.close()) })
	return r, nil
}

// Close gives the terminal back as it was found, and the signals. What was
// typed and not asked for is thrown away. It returns the same error when
// called again.
func (r *Room) Close() error { return r.close() }

// Interrupted receives a Ctrl-C pressed while no prompt waits. Who takes it
// from here has it; else the next prompt returns room.ErrInterrupted. A Ctrl-C
// pressed twice counts once.
func (r *Room) Interrupted() <-chan struct{} { return r.watch.interrupted }

// Ask asks until there is an answer that can be shown and, if there are
// choices, is one of them: its word in any case or an unambiguous beginning of
// it; the word is returned. An answer that begins with "!" is returned as
// typed, choices or not: it asks for another way out.
func (r *Room) Ask(p room.Prompt) (string, error) {
	if err := r.begin(true); err != nil {
		return "", err
	}
	defer r.quiet()
	r.Question(p, false)
	for {
		line, err := r.answer()
		if err == nil {
			line, err = accept(p, line)
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
// echoed. An empty line is an empty PIN. More than MaxSecret bytes, a control
// character or invalid UTF-8 are errors, after which it can be asked again.
func (r *Room) Secret(p room.Prompt) (token.PIN, error) {
	if !r.term.tty {
		return token.PIN{}, fmt.Errorf("%w: the input is no terminal, and a secret is read from nothing else", room.ErrGone)
	}
	if err := r.begin(false); err != nil {
		return token.PIN{}, err
	}
	r.Question(p, true)
	pin, err := r.secret(make([]byte, MaxSecret+1))
	if err != nil {
		return token.PIN{}, r.ended(err)
	}
	r.Answered("", "")
	return pin, nil
}

// begin looks for what happened since the last prompt and sets the echo.
func (r *Room) begin(echo bool) error {
	if err := r.Err(); err != nil {
		return r.watch.leave(fmt.Errorf("nothing can be shown: %w", err))
	}
	if err := r.watch.check(); err != nil {
		return err
	}
	if err := r.term.echo(echo); err != nil {
		return r.watch.leave(err)
	}
	return nil
}

// quiet switches the echo off after a question. A terminal that refuses is
// found gone at the next prompt.
func (r *Room) quiet() {
	if err := r.term.echo(false); err != nil {
		r.watch.leave(err)
	}
}

// ended leaves the line of a prompt that got no answer, and throws away what
// was typed of one.
func (r *Room) ended(err error) error {
	if ferr := r.term.flush(); ferr != nil {
		r.watch.leave(ferr)
	}
	r.Answered("", "")
	return err
}

func (r *Room) again(err error) {
	p := r.page()
	p.marked("!", caution, err.Error()+" – please type it again")
	p.WriteString(answerMark)
	r.write(p.String())
}

// line reads a line into b. An end of the input, and any error of reading but
// one too long, mean that nobody can answer any more.
func (r *Room) line(b []byte) (int, error) {
	n, err := r.term.readLine(b, func() error { return r.watch.wait(r.term.fd) })
	switch {
	case err == nil, errors.Is(err, errTooLong), errors.Is(err, room.ErrGone), errors.Is(err, room.ErrInterrupted):
		return n, err
	case errors.Is(err, io.EOF):
		return 0, r.watch.leave(errors.New("the input is at its end"))
	}
	return 0, r.watch.leave(err)
}

func (r *Room) answer() (string, error) {
	b := make([]byte, MaxAnswer+1)
	n, err := r.line(b)
	if errors.Is(err, errTooLong) {
		return "", fmt.Errorf("this is longer than %d bytes", MaxAnswer)
	}
	if err != nil {
		return "", err
	}
	line := strings.TrimSpace(string(b[:n]))
	if !r.term.tty {
		r.Answered(line, "")
	}
	return line, nil
}

// accept checks an answer and returns the choice it means.
func accept(p room.Prompt, line string) (string, error) {
	if clean(line) != line {
		return "", errors.New("this holds a character that cannot be shown (an arrow key?)")
	}
	if len(p.Choices) == 0 || strings.HasPrefix(line, "!") {
		return line, nil
	}
	return Choose(p.Choices, line)
}

// secret reads a secret into b, which becomes the PIN; without one, b is wiped.
func (r *Room) secret(b []byte) (pin token.PIN, err error) {
	given := false
	defer func() {
		if !given {
			clear(b)
		}
	}()
	n, err := r.line(b)
	switch {
	case errors.Is(err, errTooLong):
		err = fmt.Errorf("%w: it is longer than %d bytes", room.ErrMistyped, MaxSecret)
	case err == nil && !utf8.Valid(b[:n]):
		err = fmt.Errorf("%w: it is not valid UTF-8", room.ErrMistyped)
	case err == nil && hasControl(b[:n]):
		err = fmt.Errorf("%w: it holds a control character (an arrow key?)", room.ErrMistyped)
	}
	if err != nil {
		return token.PIN{}, err
	}
	given = true
	return token.NewPIN(b[:n:n]), nil
}

// hasControl reports whether valid UTF-8 holds a C0 or C1 control character.
func hasControl(b []byte) bool {
	return bytes.ContainsFunc(b, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 })
}
