// Package tty is the terminal that people type at, as all rooms use it: its
// modes, whole lines, secrets, and the signals that must not end the program.
//
// While a [Console] is open, Ctrl-C, Ctrl-Z, Ctrl-\\ and Ctrl-S, SIGHUP, SIGTERM
// and SIGPIPE do not end or stop the program: Ctrl-C ends the prompt that
// waits, or else the next one; a closed terminal is an error of the next
// prompt.
//
// A secret is edited by the kernel and handed over as one line into memory
// that becomes the PIN: no library sees it, and no copy stays.
package tty

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

// A Console is a terminal, or a pipe in its place, and the program's signals.
// It must not be used for two prompts at a time.
type Console struct {
	term  *terminal
	watch *watch
	close func() error
}

// Open takes the terminal and the program's signals over until Close. Only one
// console should be open in a program at a time.
func Open(in *os.File) (*Console, error) {
	w, err := newWatch()
	if err != nil {
		return nil, err
	}
	t, err := openTerminal(in)
	if err != nil {
		return nil, errors.Join(err, t.restore(), w.close())
	}
	c := &Console{term: t, watch: w}
	c.close = sync.OnceValue(func() error { return errors.Join(t.restore(), w.close()) })
	return c, nil
}

// Close gives the terminal back as it was found, and the signals. What was
// typed and not asked for is thrown away. It returns the same error when
// called again.
func (c *Console) Close() error { return c.close() }

// Terminal reports whether people type at a terminal: a secret is read from
// nothing else.
func (c *Console) Terminal() bool { return c.term.tty }

// Interrupted receives a Ctrl-C pressed while no prompt waits. Who takes it
// from here has it; else the next prompt returns room.ErrInterrupted. A Ctrl-C
// pressed twice counts once.
func (c *Console) Interrupted() <-chan struct{} { return c.watch.interrupted }

// News receives after a signal came; Check says what it means.
func (c *Console) News() <-chan struct{} { return c.watch.news }

// Check returns room.ErrGone if nobody can answer any more and
// room.ErrInterrupted if there is a Ctrl-C, which is taken.
func (c *Console) Check() error { return c.watch.check() }

// Leave notes why nobody can answer any more and returns it as room.ErrGone;
// the first reason stays.
func (c *Console) Leave(cause error) error { return c.watch.leave(cause) }

// Lines sets the terminal to whole lines, echoed or not, and throws away what
// was typed before: an answer is given after its question was shown. It
// returns what Check returns, or room.ErrGone if the terminal refuses.
func (c *Console) Lines(echo bool) error {
	return c.begin(func() error { return c.term.echo(echo) })
}

// Keys is Lines for single key strokes, which are not echoed and are read with
// Read.
func (c *Console) Keys() error { return c.begin(c.term.keys) }

func (c *Console) begin(mode func() error) error {
	if err := c.watch.check(); err != nil {
		return err
	}
	if err := mode(); err != nil {
		return c.watch.leave(err)
	}
	return nil
}

// Quiet switches the echo off and throws away what was typed. A terminal that
// refuses is found gone at the next prompt.
func (c *Console) Quiet() {
	if err := c.term.echo(false); err != nil {
		c.watch.leave(err)
	}
}

// Flush throws away what was typed and not read.
func (c *Console) Flush() {
	if err := c.term.flush(); err != nil {
		c.watch.leave(err)
	}
}

// Line reads a line into b and returns its length without the line end. The
// errors are ErrTooLong, room.ErrInterrupted and room.ErrGone, the last also
// for an end of the input and any error of reading.
func (c *Console) Line(b []byte) (int, error) {
	n, err := c.term.readLine(b, func() error { return c.watch.wait(c.term.fd) })
	switch {
	case err == nil, errors.Is(err, ErrTooLong), errors.Is(err, room.ErrGone), errors.Is(err, room.ErrInterrupted):
		return n, err
	case errors.Is(err, io.EOF):
		return 0, c.watch.leave(errors.New("the input is at its end"))
	}
	return 0, c.watch.leave(err)
}

// Answer reads a line that is no secret, without the space around it.
func (c *Console) Answer() (string, error) {
	b := make([]byte, MaxAnswer+1)
	n, err := c.Line(b)
	if errors.Is(err, ErrTooLong) {
		return "", TooLong(MaxAnswer)
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(b[:n])), nil
}

// TooLong is the error of an answer with more than n bytes.
func TooLong(n int) error { return fmt.Errorf("this is longer than %d bytes", n) }

// Secret reads a secret, from a terminal alone; the terminal must be set to
// lines that are not echoed. An empty line is an empty PIN. More than MaxSecret
// bytes, a control character or invalid UTF-8 are room.ErrMistyped; what was
// typed then is wiped.
func (c *Console) Secret() (token.PIN, error) { return c.secret(make([]byte, MaxSecret+1)) }

// secret reads a secret into b, which becomes the PIN; without one, b is wiped.
func (c *Console) secret(b []byte) (pin token.PIN, err error) {
	given := false
	defer func() {
		if !given {
			clear(b)
		}
	}()
	n, err := c.Line(b)
	switch {
	case errors.Is(err, ErrTooLong):
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

// Read waits until keys were typed or stop can be read, and returns the keys,
// none in the second case; io.EOF if the terminal was closed. It is for a
// terminal set with Keys.
func (c *Console) Read(b []byte, stop int) (int, error) {
	_, stopped, err := poll(c.term.fd, stop)
	if err != nil || stopped {
		return 0, err
	}
	n, err := read(c.term.fd, b)
	if err == nil && n == 0 {
		err = io.EOF
	}
	return n, err
}
