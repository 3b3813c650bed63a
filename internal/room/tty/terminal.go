package tty

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A terminal is where people type. Line editing (backspace, Ctrl-U, Ctrl-W) is
// the kernel's: its canonical mode hands over whole lines and no program has
// to keep half a secret.
//
// From open to close the terminal does not echo, but for the time of a
// question whose answer is no secret: a PIN typed too early does not show.
type terminal struct {
	file  *os.File // kept, so that fd stays open
	fd    int
	tty   bool
	saved unix.Termios // as found; tty only

	mu    sync.Mutex
	given bool // back, and not set any more
}

// disabled is _POSIX_VDISABLE: a control character that cannot be typed.
const disabled = 0

func openTerminal(f *os.File) (*terminal, error) {
	t := &terminal{file: f, fd: int(f.Fd())}
	saved, err := unix.IoctlGetTermios(t.fd, unix.TCGETS)
	if err != nil {
		return t, nil // a pipe or a file
	}
	t.tty, t.saved = true, *saved
	return t, t.echo(false)
}

// mode is how the terminal is set while it is open: whole lines; Ctrl-C
// interrupts, but nothing typed stops the program, dumps it or freezes the
// screen (Ctrl-Z, Ctrl-\, Ctrl-S).
func (t *terminal) mode(echo bool) *unix.Termios {
	m := t.saved
	m.Iflag |= unix.ICRNL | unix.IUTF8
	m.Iflag &^= unix.IXON | unix.IGNCR | unix.INLCR | unix.ISTRIP
	m.Lflag |= unix.ICANON | unix.ISIG | unix.IEXTEN
	m.Lflag &^= unix.ECHO | unix.ECHONL | unix.NOFLSH
	if echo {
		m.Lflag |= unix.ECHO | unix.ECHOE | unix.ECHOK
	}
	m.Cc[unix.VSUSP], m.Cc[unix.VQUIT] = disabled, disabled
	return &m
}

// echo switches echo and throws away what was typed before: an answer is given
// after its question was shown.
func (t *terminal) echo(on bool) error {
	if !t.tty {
		return nil
	}
	return t.set(t.mode(on))
}

// keys switches to single key strokes, not echoed, for a question that the
// screen itself edits; Ctrl-C still interrupts. A read returns what is there.
// What was typed before is thrown away.
func (t *terminal) keys() error {
	if !t.tty {
		return nil
	}
	m := t.mode(false)
	m.Lflag &^= unix.ICANON | unix.IEXTEN
	m.Iflag &^= unix.ICRNL
	m.Cc[unix.VMIN], m.Cc[unix.VTIME] = 1, 0
	return t.set(m)
}

// set sets a mode, until the terminal was given back.
func (t *terminal) set(m *unix.Termios) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.given {
		return errors.New("the terminal was given back")
	}
	if err := unix.IoctlSetTermios(t.fd, unix.TCSETS, m); err != nil {
		return fmt.Errorf("setting the terminal's mode: %w", err)
	}
	return t.flush()
}

func (t *terminal) flush() error {
	if !t.tty {
		return nil
	}
	if err := unix.IoctlSetInt(t.fd, unix.TCFLSH, unix.TCIFLUSH); err != nil {
		return fmt.Errorf("discarding what was typed: %w", err)
	}
	return nil
}

// restore leaves the terminal as it was found. What was typed and not asked
// for is thrown away first, so that it does not end up in the shell.
func (t *terminal) restore() error {
	if !t.tty {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.given = true
	err := t.flush()
	if serr := unix.IoctlSetTermios(t.fd, unix.TCSETS, &t.saved); serr != nil {
		err = errors.Join(err, fmt.Errorf("restoring the terminal's mode: %w", serr))
	}
	return err
}

// ErrTooLong means that a line was longer than the memory for it.
var ErrTooLong = errors.New("the line is too long")

// readLine reads a line into b and returns its length without the line end.
// wait is called before each read and ends the reading with its error. A line
// longer than b is read to its end and is ErrTooLong; an end of input, also in
// the middle of a line, is io.EOF. Nothing beyond the line is read, and no
// byte of it is kept anywhere but in b.
func (t *terminal) readLine(b []byte, wait func() error) (int, error) {
	chunk := 1
	if t.tty {
		chunk = len(b) // the kernel gives a line at most
	}
	n, long := 0, false
	for {
		if n == len(b) {
			n, long = 0, true
		}
		if err := wait(); err != nil {
			return 0, err
		}
		got, err := read(t.fd, b[n:min(n+chunk, len(b))])
		switch {
		case err == unix.EAGAIN:
			continue
		case err != nil:
			return 0, fmt.Errorf("reading from the terminal: %w", err)
		case got == 0:
			return 0, io.EOF
		}
		n += got
		if b[n-1] == '\n' {
			if long {
				return 0, ErrTooLong
			}
			return n - 1, nil
		}
	}
}

// read returns what the kernel has, 0 at the end of the input.
func read(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Read(fd, b)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// poll waits until fd or wake can be read, or one of them is at its end, and
// reports which.
func poll(fd, wake int) (ready, woken bool, err error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return false, false, fmt.Errorf("waiting for input: %w", err)
		}
		return fds[0].Revents != 0, fds[1].Revents != 0, nil
	}
}
