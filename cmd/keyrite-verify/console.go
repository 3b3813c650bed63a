package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/term"

	"github.com/keyrite/keyrite/internal/verify"
)

// A console is what a witness's commands need of the machine besides files.
type console struct {
	verify.Terminal
	in         *bufio.Reader
	inTaken    bool // in is something else than what a person types
	now        func() time.Time
	rand       io.Reader
	passphrase func(prompt string) ([]byte, error) // never empty; the caller overwrites it
}

func newConsole(t verify.Terminal) *console {
	c := &console{Terminal: t, in: bufio.NewReader(os.Stdin), now: time.Now, rand: rand.Reader}
	c.passphrase = func(prompt string) ([]byte, error) {
		if !c.inTaken {
			return c.readPassphrase(os.Stdin, prompt)
		}
		tty, err := os.OpenFile(ttyName(runtime.GOOS), os.O_RDWR, 0)
		if err != nil {
			return nil, fmt.Errorf("the standard input is the checkpoint, and there is no terminal to read the passphrase from: %w", err)
		}
		b, err := c.readPassphrase(tty, prompt)
		return b, errors.Join(err, tty.Close())
	}
	return c
}

// ttyName returns the name of the terminal that a program was started from.
func ttyName(system string) string {
	if system == "windows" {
		return "CONIN$"
	}
	return "/dev/tty"
}

// maxPassphrase is the most bytes of a passphrase.
const maxPassphrase = 1024

// readPassphrase asks for a passphrase: without echo on a terminal, else it is
// the next line of the input. An empty one is an error, never a passphrase.
func (c *console) readPassphrase(f *os.File, prompt string) ([]byte, error) {
	var b []byte
	var err error
	if term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(c.Err, prompt)
		b, err = term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(c.Err)
	} else {
		b, err = c.readLine()
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the passphrase: %w", err)
	case len(b) == 0:
		return nil, errors.New("reading the passphrase: it is empty")
	}
	return b, nil
}

// readLine reads a line of the input, without its end, byte by byte: no copy of
// it is made on the way.
func (c *console) readLine() ([]byte, error) {
	line := make([]byte, 0, maxPassphrase)
	for len(line) < maxPassphrase {
		b, err := c.in.ReadByte()
		if err != nil {
			clear(line)
			return nil, err
		}
		if b == '\n' {
			return bytes.TrimSuffix(line, []byte("\r")), nil
		}
		line = append(line, b)
	}
	clear(line)
	return nil, fmt.Errorf("over %d bytes", maxPassphrase)
}

// A failure is an error with the exit code it means.
type failure struct {
	exit int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// wrongUse, refused and unreadable are the ways in which a command fails.
func wrongUse(format string, args ...any) error {
	return &failure{verify.ExitUsage, fmt.Errorf(format, args...)}
}
func refused(format string, args ...any) error {
	return &failure{verify.ExitFailed, fmt.Errorf(format, args...)}
}
func unreadable(format string, args ...any) error {
	return &failure{verify.ExitUnreadable, fmt.Errorf(format, args...)}
}

// finish says how a command ended and returns the exit code. help is the
// command's help text.
func (c *console) finish(err error, command, help string) int {
	var f *failure
	switch {
	case err == nil:
		return verify.ExitSound
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.Out, help)
		return verify.ExitSound
	case !errors.As(err, &f):
		f = &failure{verify.ExitUnreadable, err}
	}
	if f.err != nil {
		fmt.Fprintf(c.Err, "error: %v\n", f.err)
	}
	if f.exit == verify.ExitUsage {
		fmt.Fprintf(c.Err, "run '%s %s --help' for the options\n", name, command)
	}
	return f.exit
}

// parse reads a command's options, in any place before "--", and returns the
// other arguments.
func parse(fs *flag.FlagSet, args []string) ([]string, error) {
	fs.SetOutput(io.Discard)
	var valued []string
	fs.VisitAll(func(f *flag.Flag) {
		if b, ok := f.Value.(interface{ IsBoolFlag() bool }); !ok || !b.IsBoolFlag() {
			valued = append(valued, f.Name)
		}
	})
	options, rest := verify.Arrange(args, valued)
	if err := fs.Parse(options); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, wrongUse("%w", err)
	}
	return rest, nil
}
