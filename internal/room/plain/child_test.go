package plain

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// The tests of the terminal run this test binary again as a child that has a
// pseudo-terminal of its own as its controlling one, so that Ctrl-C and a
// hangup are the real thing. The child does what its argument lists, reports
// on descriptor 3 and is told to go on through descriptor 4.

const childEnv = "KEYRITE_TEST_ROOM_CHILD"

func TestMain(m *testing.M) {
	if script := os.Getenv(childEnv); script != "" {
		child(strings.Fields(script))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A report is what one of the child's acts came to.
type report struct {
	Act, Value, Err   string
	Gone, Interrupted bool
}

// child opens a room and plays the acts in it.
func child(acts []string) {
	out, in := json.NewEncoder(os.NewFile(3, "reports")), bufio.NewReader(os.NewFile(4, "orders"))
	say := func(act, value string, err error) {
		r := report{Act: act, Value: value, Gone: errors.Is(err, room.ErrGone), Interrupted: errors.Is(err, room.ErrInterrupted)}
		if err != nil {
			r.Err = err.Error()
		}
		out.Encode(r)
	}
	r, err := New(Options{In: os.Stdin, Out: os.Stdout})
	if err != nil {
		say("new", "", err)
		return
	}
	r.tick = 5 * time.Millisecond
	defer func() {
		what := fmt.Sprint(recover())
		m, err := unix.IoctlGetTermios(0, unix.TCGETS)
		if err == nil && m.Lflag&unix.ECHO != 0 {
			what += ", and the echo is on"
		}
		err = r.Close()
		if inputWaits() {
			what += ", and input is left"
		}
		say("close", what, err)
		in.ReadByte()
	}()
	for _, act := range acts {
		value, err := play(r, act, func() { say("hold", "", nil); in.ReadByte() })
		say(act, value, err)
	}
}

func play(r *Room, act string, hold func()) (string, error) {
	p := room.Prompt{Key: "s/w/p", Person: "Łukasz Example (LE)", Question: "Question of " + act}
	switch act {
	case "hold":
		hold()
	case "ask":
		return r.Ask(p)
	case "choose":
		p.Choices = menu
		return r.Ask(p)
	case "secret":
		pin, err := r.Secret(p)
		return reveal(pin), err
	case "private":
		return "", r.Private(p, room.Slip{Name: "hsm/so-pin", Title: "Share 2 of 3", Lines: []string{"token hsm\x1b[2J"},
			Rows: []token.PIN{token.NewPIN([]byte("aardvark " + planted)), token.NewPIN([]byte("second row"))}})
	case "step":
		r.Show(fullStep)
	case "busy":
		done := r.Busy("generating the key", 40*time.Second)
		hold()
		done()
		done()
	case "interrupted":
		select {
		case <-r.Interrupted():
			return "yes", nil
		case <-time.After(5 * time.Second):
			return "no", nil
		}
	case "await-interrupt":
		for len(r.Interrupted()) == 0 {
			time.Sleep(time.Millisecond)
		}
	case "lose-output":
		gone, w, err := os.Pipe()
		if err != nil {
			return "", err
		}
		gone.Close()
		return "", unix.Dup3(int(w.Fd()), 1, 0)
	case "await-input":
		for !inputWaits() {
			time.Sleep(time.Millisecond)
		}
	case "await-gone":
		for !errors.Is(r.term.Check(), room.ErrGone) {
			time.Sleep(time.Millisecond)
		}
	case "panic":
		r.out = writerFunc(func(b []byte) (int, error) {
			if bytes.Contains(b, []byte("cannot be shown")) {
				panic("planted")
			}
			return os.Stdout.Write(b)
		})
		return r.Ask(p)
	case "panic-secret", "panic-slip": // in the runner, while something waits for an answer
		other := map[string]string{"panic-secret": "secret", "panic-slip": "private"}[act]
		go play(r, other, hold)
		hold()
		r.Show("planted")
	case "panic-busy": // in what shows the time
		start := time.Now()
		calls := 0
		r.now = func() time.Time {
			if calls++; calls > 1 {
				panic("planted in the clock")
			}
			return start
		}
		done := r.Busy("generating the key", 40*time.Second)
		hold()
		done()
	default:
		panic("no such act: " + act)
	}
	return "", nil
}

// inputWaits reports whether a typed line waits to be read.
func inputWaits() bool {
	fds := []unix.PollFd{{Fd: 0, Events: unix.POLLIN}}
	n, _ := unix.Poll(fds, 0)
	return n > 0 && fds[0].Revents&unix.POLLIN != 0
}

func reveal(p token.PIN) (s string) {
	p.Reveal(func(b []byte) { s = string(b) })
	return s
}

// A session is the test's side: it sees all that the terminal shows and types.
type session struct {
	t       *testing.T
	master  *os.File
	before  unix.Termios
	cmd     *exec.Cmd
	reports *json.Decoder
	orders  *os.File
	drained chan struct{}

	mu   sync.Mutex
	seen bytes.Buffer
	from int // what expect has matched already
}

// start runs a child with the acts on a terminal of 80 columns.
func start(t *testing.T, acts string) *session { return startSized(t, acts, 80) }

func startSized(t *testing.T, acts string, width uint16) *session {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	pty.Setsize(master, &pty.Winsize{Rows: 25, Cols: width})
	before, err := unix.IoctlGetTermios(int(master.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	syscall.SetNonblock(int(master.Fd()), true)
	nonblocking := os.NewFile(uintptr(dup(t, master)), "master")
	reportsR, reportsW := pipe(t)
	ordersR, ordersW := pipe(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+acts)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, os.Stderr
	cmd.ExtraFiles = []*os.File{reportsW, ordersR}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{slave, reportsW, ordersR, master} {
		f.Close()
	}
	s := &session{t: t, master: nonblocking, before: *before, cmd: cmd, reports: json.NewDecoder(reportsR), orders: ordersW, drained: make(chan struct{})}
	reportsR.SetReadDeadline(time.Now().Add(20 * time.Second))
	go s.drain()
	t.Cleanup(s.end)
	return s
}

func dup(t *testing.T, f *os.File) int {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.SetNonblock(fd, true)
	return fd
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

func (s *session) drain() {
	defer close(s.drained)
	io.Copy(writerFunc(func(b []byte) (int, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.seen.Write(b)
	}), s.master)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func (s *session) end() {
	s.orders.Close()
	s.master.Close()
	timer := time.AfterFunc(10*time.Second, func() { s.cmd.Process.Kill() })
	defer timer.Stop()
	s.cmd.Wait()
}

// screen returns all that was shown.
func (s *session) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.String()
}

// expect waits until the terminal shows text after what was expected before.
func (s *session) expect(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if i := strings.Index(s.screen()[s.from:], text); i >= 0 {
			s.from += i + len(text)
			return
		}
	}
	s.t.Fatalf("the terminal never showed %q; it showed:\n%q", text, s.screen())
}

func (s *session) send(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.master, keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) order() { s.orders.Write([]byte{'g'}) }

// next returns the child's next report, which must be that of act.
func (s *session) next(act string) report {
	s.t.Helper()
	var r report
	if err := s.reports.Decode(&r); err != nil {
		s.t.Fatalf("no report of %q: %v; the terminal shows:\n%q", act, err, s.screen())
	}
	if r.Act != act {
		s.t.Fatalf("report %+v, want one of %q", r, act)
	}
	return r
}

// value returns the value of the child's next report, which must be no error.
func (s *session) value(act string) string {
	s.t.Helper()
	r := s.next(act)
	if r.Err != "" {
		s.t.Fatalf("%s: %s", act, r.Err)
	}
	return r.Value
}

// restored fails the test if the terminal is not as it was before.
func (s *session) restored() {
	s.t.Helper()
	now := s.mode()
	if now != s.before {
		s.t.Errorf("the terminal's mode is %+v, it was %+v", now, s.before)
	}
}

func (s *session) mode() (m unix.Termios) {
	conn, err := s.master.SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	conn.Control(func(fd uintptr) {
		got, gerr := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		if err = gerr; err == nil {
			m = *got
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}
