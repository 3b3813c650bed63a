package tty

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/keyrite/keyrite/internal/room"
)

// A watch receives the program's signals while a room is open, so that none of
// them ends the program in the middle of something.
type watch struct {
	signals     chan os.Signal
	done        chan struct{}
	running     sync.WaitGroup
	interrupted chan struct{} // holds a Ctrl-C that nobody has taken yet
	wake        [2]int        // a pipe, readable when something happened
	news        chan struct{} // holds a token when something happened

	mu     sync.Mutex
	gone   error // why nobody can answer any more
	closed bool  // wake is no pipe of ours any more
}

func newWatch() (*watch, error) {
	s := &watch{
		signals:     make(chan os.Signal, 16),
		done:        make(chan struct{}),
		interrupted: make(chan struct{}, 1),
		news:        make(chan struct{}, 1),
	}
	if err := unix.Pipe2(s.wake[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("making a pipe for signals: %w", err)
	}
	signal.Notify(s.signals, syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGPIPE)
	s.running.Go(s.run)
	return s, nil
}

func (s *watch) run() {
	for {
		select {
		case sig := <-s.signals:
			s.receive(sig)
		case <-s.done:
			return
		}
	}
}

// receive notes a signal. SIGPIPE says nothing that a failed write does not.
func (s *watch) receive(sig os.Signal) {
	switch sig {
	case syscall.SIGINT:
		select {
		case s.interrupted <- struct{}{}:
		default:
		}
	case syscall.SIGHUP:
		s.leave(errors.New("the terminal was closed (SIGHUP)"))
	case syscall.SIGTERM:
		s.leave(errors.New("the program was told to end (SIGTERM)"))
	default:
		return
	}
	unix.Write(s.wake[1], []byte{0}) // a full pipe wakes just as well
	s.tell()
}

// tell says that something happened to whoever waits on news.
func (s *watch) tell() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// rouse wakes whoever waits for a line; a full pipe wakes just as well. s.mu is held.
func (s *watch) rouse() {
	if !s.closed {
		unix.Write(s.wake[1], []byte{0})
	}
}

// leave notes why nobody can answer any more; the first reason stays.
func (s *watch) leave(cause error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone == nil {
		s.gone = fmt.Errorf("%w: %w", room.ErrGone, cause)
		s.tell()
		s.rouse()
	}
	return s.gone
}

// check returns ErrGone if nobody can answer any more, ErrInterrupted if there
// is a Ctrl-C, which is taken.
func (s *watch) check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone != nil {
		return s.gone
	}
	select {
	case <-s.interrupted:
		return room.ErrInterrupted
	default:
		return nil
	}
}

// wait returns nil when fd can be read, or what check returns.
func (s *watch) wait(fd int) error {
	for {
		if err := s.check(); err != nil {
			return err
		}
		ready, woken, err := poll(fd, s.wake[0])
		if err != nil {
			return s.leave(err)
		}
		if woken {
			read(s.wake[0], make([]byte, 64))
			continue
		}
		if ready {
			return nil
		}
	}
}

// close ends what still waits, too.
func (s *watch) close() error {
	// It is no error of the closing.
	_ = s.leave(errors.New("the room was closed"))
	signal.Stop(s.signals)
	close(s.done)
	s.running.Wait()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return errors.Join(unix.Close(s.wake[0]), unix.Close(s.wake[1]))
}
