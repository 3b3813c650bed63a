package screen

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/screen/screentest"
	"github.com/keyrite/keyrite/internal/token"
)

const (
	enter = "\r"
	// planted is a PIN that must be seen nowhere.
	planted = "48273659"
	// soon is how long a test waits for the screen to show something.
	soon = 10 * time.Second
)

// A projector is a pseudo-terminal with a room at its other end and what it
// shows.
type projector struct {
	t       *testing.T
	room    *Room
	master  *os.File
	slave   *os.File
	before  unix.Termios
	display *screentest.Display
	drained chan struct{}

	mu  sync.Mutex
	raw []byte // all that was ever written
}

func project(t *testing.T, w, h int) *projector {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := &projector{t: t, master: master, slave: slave, drained: make(chan struct{})}
	pty.Setsize(master, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)})
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	p.before = *before
	if p.display, err = screentest.New(w, h); err != nil {
		t.Fatal(err)
	}
	go p.drain()
	if p.room, err = New(Options{In: slave, Out: slave}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.room.Close()
		slave.Close()
		<-p.drained
		master.Close()
		p.display.Close()
	})
	return p
}

func (p *projector) drain() {
	defer close(p.drained)
	b := make([]byte, 4096)
	for {
		n, err := p.master.Read(b)
		p.mu.Lock()
		p.raw = append(p.raw, b[:n]...)
		p.mu.Unlock()
		p.display.Write(b[:n])
		if err != nil {
			return
		}
	}
}

func (p *projector) resize(w, h int) {
	p.t.Helper()
	p.display.Resize(w, h)
	pty.Setsize(p.master, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)})
	if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil {
		p.t.Fatal(err)
	}
}

func (p *projector) keys(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p.master, s); err != nil {
		p.t.Fatal(err)
	}
}

// shows waits until the screen has all the texts, each in one line.
func (p *projector) shows(texts ...string) {
	p.t.Helper()
	p.until(func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	}, fmt.Sprintf("has %q", texts))
}

func (p *projector) shedsAll(text string) {
	p.t.Helper()
	p.until(func(screen string) bool { return !strings.Contains(screen, text) }, fmt.Sprintf("is without %q", text))
}

func (p *projector) until(ok func(screen string) bool, what string) {
	p.t.Helper()
	for deadline := time.Now().Add(soon); !ok(p.display.Text()); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("no screen %s; it shows:\n%s", what, p.display.Text())
		}
	}
}

// An outcome is what a prompt came to.
type outcome struct {
	answer string
	err    error
}

func (p *projector) ask(q room.Prompt) <-chan outcome {
	c := make(chan outcome, 1)
	go func() {
		answer, err := p.room.Ask(q)
		c <- outcome{answer, err}
	}()
	return c
}

func (p *projector) secret(q room.Prompt) <-chan outcome {
	c := make(chan outcome, 1)
	go func() {
		pin, err := p.room.Secret(q)
		c <- outcome{reveal(pin), err}
	}()
	return c
}

func reveal(p token.PIN) (s string) {
	p.Reveal(func(b []byte) { s = string(b) })
	return s
}

func (p *projector) wants(c <-chan outcome, want string) {
	p.t.Helper()
	if got := p.gets(c); got.err != nil || got.answer != want {
		p.t.Fatalf("the answer is %q, %v; want %q", got.answer, got.err, want)
	}
}

func (p *projector) gets(c <-chan outcome) outcome {
	p.t.Helper()
	select {
	case got := <-c:
		return got
	case <-time.After(soon):
		p.t.Fatalf("no answer; the screen shows:\n%s", p.display.Text())
		return outcome{}
	}
}

var (
	question = room.Prompt{Person: "Example Witness (EW)", Question: "I have seen this done – type your initials EW"}
	choices  = []room.Choice{{Word: "yes", Does: "present"}, {Word: "no", Does: "absent"}}
	head     = strings.Fields("aardvark adroitness absurd adviser accrue aftermath acme aggregate")
)

func ceremony() room.Ceremony {
	c := room.Ceremony{Title: "Example Root CA", Rehearsal: true}
	for i := range 19 {
		c.Plan = append(c.Plan, room.PlanStep{Title: fmt.Sprintf("Example step %d", i+1)})
	}
	for i := range 7 {
		c.Plan[i].Result = "done"
	}
	return c
}

// stage shows what a running ceremony shows.
func (p *projector) stage() {
	p.room.Show(ceremony())
	p.room.Show(room.TokenState{Name: "hsm", Label: "Example Root CA", Serial: "DENK0000000", PINs: []room.PINState{
		{Name: "SO-PIN", Tries: "ONE TRY LEFT (of 15)", Alarm: true}, {Name: "user PIN", Tries: "all tries left (of 3)"}}, User: "user"})
	p.room.Show(room.LogState{Size: 123, Head: "00", In: head})
	p.room.Show(room.Step{Number: 8, Of: 19, ID: "so-pin", Kind: "so-pin-set", Title: "Example step 8", Actor: "Example Custodian (EC)",
		Witnesses: []string{"Example Witness (EW)"}, Say: "Something is said.", Watch: "What is looked at.",
		Effect: "Something changes on the token.", Irreversible: "Nobody can go back.", Attempt: 1})
}
