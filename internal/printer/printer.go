// Package printer prints a slip for one person straight to a printer's character
// device, so that what stands on it is in no file and no spooler's queue.
//
// Two page languages: "postscript" (level 2, a sheet that is folded twice) and
// "escpos" (receipt printers: a strip). docs/shares.md says what a slip looks like.
package printer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/keyrite/keyrite/internal/room"
)

// The page languages.
const (
	PostScript = "postscript"
	ESCPOS     = "escpos"
)

// patience is how long a printer may take nothing: it has no paper, or is off.
const patience = time.Minute

// A Printer is a character device that takes a page language.
type Printer struct {
	path, language string
	note           string
	patience       time.Duration
}

// New looks at a device, opened for a moment, and returns the printer. Refused is
// what is no character device, or is one that is no printer for certain: a file, a
// FIFO (another program reads it), a disk, memory, /dev/null, a console, the
// terminal that people sit at. Nothing is printed.
func New(path, language string) (*Printer, error) {
	p := &Printer{path: path, language: language, patience: patience}
	if language != PostScript && language != ESCPOS {
		return nil, fmt.Errorf("printer %s: there is no page language %q: expected %s or %s", path, language, PostScript, ESCPOS)
	}
	fd, err := p.open()
	if err != nil {
		return nil, err
	}
	return p, closed(unix.Close(fd), path)
}

func closed(err error, path string) error {
	if err != nil {
		return fmt.Errorf("closing the printer %s: %w", path, err)
	}
	return nil
}

// Name returns the device and its page language.
func (p *Printer) Name() string { return p.path + " (" + p.language + ")" }

// Note returns why it cannot be known that nothing behind the device keeps what it
// is sent, "" for a printer's own device and a serial line.
func (p *Printer) Note() string { return p.note }

// Print prints a slip for a person. The page is made in memory that is wiped. The
// error says that it was not printed whole: what came out is no slip.
func (p *Printer) Print(person string, s room.Slip) error {
	page := p.page(person, s)
	defer clear(page[:cap(page)])
	fd, err := p.open()
	if err != nil {
		return err
	}
	restore, err := rawOutput(fd)
	if err == nil {
		err = p.write(fd, page)
		err = errors.Join(err, restore())
	}
	if err != nil {
		err = fmt.Errorf("printing on %s: %w", p.path, err)
	}
	return errors.Join(err, closed(unix.Close(fd), p.path))
}

func (p *Printer) page(person string, s room.Slip) []byte {
	if p.language == ESCPOS {
		return escpos(person, s)
	}
	return postScript(person, s)
}

// open opens the device and judges what was opened, not what a name stood for.
func (p *Printer) open() (fd int, err error) {
	if !filepath.IsAbs(p.path) {
		return 0, fmt.Errorf("printer %q: expected the path of a device, as /dev/usb/lp0; the name of a print queue is none", p.path)
	}
	// O_NONBLOCK: a FIFO without a reader, or a line without a carrier, must not hang.
	fd, err = unix.Open(p.path, unix.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("opening the printer: %w", &os.PathError{Op: "open", Path: p.path, Err: err})
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil {
		p.note, err = judge(&st)
	}
	if err == nil && ownTerminal(&st) {
		err = errors.New("it is the terminal that people sit at")
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("printer %s: %w", p.path, err), closed(unix.Close(fd), p.path))
	}
	return fd, nil
}

// write writes all of b, however slowly the printer takes it.
func (p *Printer) write(fd int, b []byte) error {
	for last := time.Now(); len(b) > 0; {
		n, err := unix.Write(fd, b)
		switch {
		case n > 0:
			b, last = b[n:], time.Now()
			continue
		case err != nil && err != unix.EAGAIN && err != unix.EINTR:
			return err
		case time.Since(last) > p.patience:
			return fmt.Errorf("it has taken nothing for %s, with %d bytes to go: is it on, has it paper?", p.patience, len(b))
		}
		// A device that cannot be polled says at once that it is ready.
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, 200); err != nil && err != unix.EINTR {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}
