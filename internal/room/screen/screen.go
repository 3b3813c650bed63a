// Package screen is a room on a whole terminal: a calm page for the projector,
// and below it the operator's prompts.
//
// The page has a title, the step and how far the ceremony is, what was shown
// since the step began, the tokens and the log's head. Older text is reached by
// scrolling. It is drawn on the terminal's alternate screen, so that nothing
// stays in the scrollback; colour only adds to what the words say.
//
// Keys, signals and secrets are those of package tty: a secret is read as a line
// that the kernel edits, and never passes through the library that draws.
//
// Everything shown is escaped first: a token's label cannot move the cursor.
package screen

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gdamore/tcell/v3"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/tty"
)

// Options are what a room is made of.
type Options struct {
	In    *os.File // where people type: a terminal
	Out   *os.File // where it is shown: the same terminal
	Color bool     // use colour as an accent

	Now func() time.Time // the machine's clock, as it is shown; nil: time.Now
}

// A Room is a terminal with people in front of it. Its prompts must not be
// used concurrently; showing may go on beside them.
type Room struct {
	console *tty.Console
	device  *device
	screen  tcell.Screen
	now     func() time.Time

	soon    chan struct{} // holds a token when something is to be drawn
	stop    chan struct{}
	running sync.WaitGroup
	close   func() error

	mu     sync.Mutex
	view   view
	line   *line // the question that waits for an answer, nil if none does
	closed bool

	painted time.Time // when the page was drawn last

	crash atomic.Pointer[string] // the first panic of what draws or listens, with its stack
}

var _ room.Room = (*Room)(nil)

// calm is the time between two drawings of what changes by itself.
const calm = 30 * time.Millisecond

// New takes the terminal and the program's signals over until Close. Only one
// room should be open in a program at a time.
func New(o Options) (*Room, error) {
	if o.In == nil || o.Out == nil {
		return nil, errors.New("opening the room: it needs an input and an output")
	}
	c, err := tty.Open(o.In)
	if err != nil {
		return nil, fmt.Errorf("opening the room: %w", err)
	}
	r, err := open(c, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the room: %w", err), c.Close())
	}
	return r, nil
}

func open(c *tty.Console, o Options) (*Room, error) {
	if !c.Terminal() {
		return nil, errors.New("the input is no terminal")
	}
	d, err := newDevice(c, o.Out)
	if err != nil {
		return nil, err
	}
	// The terminal is asked nothing: a serial line would not answer, and an
	// answer is input. The device goes to the alternate screen itself, whatever
	// the environment says.
	options := []tcell.TerminfoScreenOption{tcell.OptNegotiation(false), tcell.OptAltScreen(false), tcell.OptSanitizeContent(true)}
	if !o.Color {
		options = append(options, tcell.OptColors(0))
	}
	s, err := tcell.NewTerminfoScreenFromTty(d, options...)
	if err == nil {
		err = s.Init()
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	r := &Room{
		console: c, device: d, screen: s, now: o.Now,
		soon: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	if r.now == nil {
		r.now = time.Now
	}
	r.close = sync.OnceValue(r.leave)
	r.running.Go(func() { defer r.caught(); r.draw() })
	r.running.Go(func() { defer r.caught(); r.listen() })
	return r, nil
}

// Close gives the terminal back as it was found, and the signals. If drawing or
// listening has panicked, the error says so, with the stack. It returns the same
// error when called again.
func (r *Room) Close() error { return r.close() }

// caught, deferred, ends the room where drawing or listening panics, as a closed
// terminal does: nothing is drawn any more, what waits for an answer gets none and
// takes a slip off, and the ceremony pauses.
func (r *Room) caught() {
	v := recover()
	if v == nil {
		return
	}
	text := fmt.Sprintf("the screen failed: %v\n%s", v, debug.Stack())
	r.crash.CompareAndSwap(nil, &text)
	// Whoever asks next gets this error.
	_ = r.console.Leave(fmt.Errorf("the screen failed: %v", v))
}

func (r *Room) leave() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	close(r.stop)
	if text := r.crash.Load(); text != nil { // the library may hold a lock for good
		_, err := r.device.write([]byte(restored))
		return errors.Join(errors.New(*text), err, r.console.Close())
	}
	r.screen.Fini()
	r.running.Wait()
	return r.console.Close()
}

// Interrupted receives a Ctrl-C pressed while no prompt waits. Who takes it
// from here has it; else the next prompt returns room.ErrInterrupted.
func (r *Room) Interrupted() <-chan struct{} { return r.console.Interrupted() }

// Show presents a message. It panics on a type that is no message of package
// room.
func (r *Room) Show(m room.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.view.show(m)
	r.later()
}

// later has what changed drawn in a moment.
func (r *Room) later() {
	select {
	case r.soon <- struct{}{}:
	default:
	}
}

// draw draws what changed, and the clock.
func (r *Room) draw() {
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-clock.C:
		case <-r.soon:
			time.Sleep(calm)
		}
		r.redraw()
	}
}

func (r *Room) redraw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paint()
}

// paint draws the page. r.mu is held.
func (r *Room) paint() {
	if r.closed || r.crash.Load() != nil {
		return
	}
	defer r.caught()
	size, err := r.device.WindowSize()
	if err != nil {
		return
	}
	c := &canvas{screen: r.screen, width: size.Width, height: size.Height}
	r.screen.Clear()
	r.view.draw(c, r.line, r.now())
	r.screen.Show()
	r.painted = r.now()
}

// listen takes the keys and the changes of the window's size.
func (r *Room) listen() {
	for {
		select {
		case <-r.stop:
			return
		case e, ok := <-r.screen.EventQ():
			if !ok {
				return
			}
			switch e := e.(type) {
			case *tcell.EventKey:
				r.key(e)
			case *tcell.EventResize:
				r.redraw()
			}
		}
	}
}
