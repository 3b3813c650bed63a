package screen

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/gdamore/tcell/v3"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/keyrite/keyrite/internal/room/tty"
)

const (
	enterAlternate = "\x1b[?1049h\x1b[H\x1b[2J"
	leaveAlternate = "\x1b[H\x1b[2J\x1b[?1049l"

	// restored is what leaves the page without the library: colours and cursor, too.
	restored = "\x1b[0m" + leaveAlternate + "\x1b[?25h"

	defaultWidth, defaultHeight = 80, 24
)

// A device is the terminal as the library sees it. It hands keys over only
// while its gate is open, which is the time of a question whose answer is no
// secret: a secret never passes through the library.
type device struct {
	console *tty.Console
	out     *os.File
	wake    [2]int // a pipe, readable when the gate closes

	reading sync.Mutex // held while keys are read

	mu      sync.Mutex
	changed *sync.Cond
	open    bool
	stopped bool
	mute    bool  // what the library draws is dropped
	err     error // the first failed write

	winch chan os.Signal
}

var _ tcell.Tty = (*device)(nil)

func newDevice(c *tty.Console, out *os.File) (*device, error) {
	d := &device{console: c, out: out}
	d.changed = sync.NewCond(&d.mu)
	if err := unix.Pipe2(d.wake[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("making a pipe for the keys: %w", err)
	}
	return d, nil
}

// Start goes to the terminal's alternate screen, from which nothing stays in
// the scrollback.
func (d *device) Start() error {
	_, err := d.write([]byte(enterAlternate))
	return err
}

// Stop leaves the alternate screen, also while what the library draws is dropped. The terminal's mode is the console's.
func (d *device) Stop() error {
	_, err := d.write([]byte(restored))
	return err
}

// Drain ends a Read that waits.
func (d *device) Drain() error {
	d.mu.Lock()
	d.stopped = true
	d.changed.Broadcast()
	d.mu.Unlock()
	d.rouse()
	return nil
}

// Close releases what the device holds.
func (d *device) Close() error {
	d.NotifyResize(nil)
	d.reading.Lock() // no Read is in the pipe any more
	defer d.reading.Unlock()
	return errors.Join(unix.Close(d.wake[0]), unix.Close(d.wake[1]))
}

// rouse wakes a Read; a full pipe wakes just as well.
func (d *device) rouse() { unix.Write(d.wake[1], []byte{0}) }

// hear opens the gate.
func (d *device) hear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = true
	d.changed.Broadcast()
}

// deafen closes the gate and returns when nothing is read any more.
func (d *device) deafen() {
	d.mu.Lock()
	d.open = false
	d.mu.Unlock()
	d.rouse()
	d.reading.Lock()
	defer d.reading.Unlock()
	for b := make([]byte, 64); ; {
		if n, err := unix.Read(d.wake[0], b); n <= 0 || err != nil {
			return
		}
	}
}

// Read waits for keys while the gate is open. The end of a line closes it, and
// what was typed after that is thrown away: the next question is answered after
// it was shown.
func (d *device) Read(b []byte) (int, error) {
	for {
		if err := d.await(); err != nil {
			return 0, err
		}
		n, err := d.keys(b)
		if err != nil {
			return 0, d.console.Leave(fmt.Errorf("reading from the terminal: %w", err))
		}
		if i := bytes.IndexAny(b[:n], "\r\n"); i >= 0 {
			clear(b[i+1 : n])
			n = i + 1
			d.mu.Lock()
			d.open = false
			d.mu.Unlock()
		}
		if n > 0 {
			return n, nil
		}
	}
}

// await waits until the gate is open; io.EOF if the screen ends.
func (d *device) await() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.open && !d.stopped {
		d.changed.Wait()
	}
	if d.stopped {
		return io.EOF
	}
	return nil
}

func (d *device) keys(b []byte) (int, error) {
	d.reading.Lock()
	defer d.reading.Unlock()
	d.mu.Lock()
	ready := d.open && !d.stopped
	d.mu.Unlock()
	if !ready {
		return 0, nil
	}
	return d.console.Read(b, d.wake[0])
}

// Write shows what the library draws. After an error, which stays, nothing
// reaches anybody.
func (d *device) Write(b []byte) (int, error) {
	d.mu.Lock()
	mute := d.mute
	d.mu.Unlock()
	if mute {
		return len(b), nil
	}
	return d.write(b)
}

// seize drops what the library draws from now on, or no longer.
func (d *device) seize(mute bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mute = mute
}

func (d *device) write(b []byte) (int, error) {
	if err := d.failed(); err != nil {
		return 0, err
	}
	n, err := d.out.Write(b)
	if err != nil {
		d.mu.Lock()
		d.err = err
		d.mu.Unlock()
	}
	return n, err
}

func (d *device) failed() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// WindowSize is the terminal's size in cells; one that does not know it, as a
// serial line, has 80 by 24.
func (d *device) WindowSize() (tcell.WindowSize, error) {
	w, h, err := term.GetSize(int(d.out.Fd()))
	if err != nil || w <= 0 || h <= 0 {
		w, h = defaultWidth, defaultHeight
	}
	return tcell.WindowSize{Width: w, Height: h}, nil
}

// NotifyResize has a change of the size told to c, or to nobody.
func (d *device) NotifyResize(c chan<- bool) {
	if d.winch != nil {
		signal.Stop(d.winch)
		close(d.winch)
		d.winch = nil
	}
	if c == nil {
		return
	}
	winch := make(chan os.Signal, 1)
	signal.Notify(winch, syscall.SIGWINCH)
	d.winch = winch
	go func() {
		for range winch {
			select {
			case c <- true:
			default:
			}
		}
	}()
}
