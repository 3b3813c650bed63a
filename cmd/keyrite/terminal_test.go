package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// patience is how long a test waits for the program to show something, and
// most is how long a program may take in all.
const (
	patience = 30 * time.Second
	most     = 2 * time.Minute
)

// A terminal is a pseudo-terminal with keyrite at its other end, and everything
// that was shown on it.
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	pins   pins
	latest time.Time
	exited chan error // the program's end; holds one value

	mu    sync.Mutex
	seen  []byte
	ended bool
	spent int // bytes of seen up to the last prompt that was answered
	found int // bytes of seen up to what sees found last
}

// pins are what the custodians type.
type pins struct{ factory, so, user string }

// usual are no factory PINs and nothing that is too easy to guess.
var usual = pins{factory: "3537363231383830", so: "6029384715263748", user: "73920461"}

// open runs keyrite line by line on a terminal of its own, in the folder dir.
func open(t *testing.T, dir string, env []string, args ...string) *terminal {
	t.Helper()
	return openFull(t, dir, env, append(args, "--plain")...)
}

// openFull is open with the full screen.
func openFull(t *testing.T, dir string, env []string, args ...string) *terminal {
	t.Helper()
	path, err := exec.LookPath("keyrite")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "TERM=xterm", "NO_COLOR=1", "GOTRACEBACK=single"), env...)
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 160})
	if err != nil {
		t.Fatal(err)
	}
	// A blocking read would keep the terminal from being closed.
	fd, err := syscall.Dup(int(master.Fd()))
	if err == nil {
		err = errors.Join(syscall.SetNonblock(fd, true), master.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "terminal")
	c := &terminal{t: t, master: master, cmd: cmd, pins: usual, latest: time.Now().Add(most), exited: make(chan error, 1)}
	go c.drain()
	t.Cleanup(func() {
		cmd.Process.Kill()
		c.master.Close()
		if t.Failed() {
			t.Logf("keyrite %v ended with this on its terminal:\n%s", args, tail(c.screen()))
		}
	})
	return c
}

// drain keeps what is shown until the terminal has no other end any more.
func (c *terminal) drain() {
	b := make([]byte, 4096)
	for {
		n, err := c.master.Read(b)
		c.mu.Lock()
		c.seen = append(c.seen, b[:n]...)
		c.ended = err != nil
		c.mu.Unlock()
		if err != nil {
			c.exited <- c.cmd.Wait()
			return
		}
	}
}

func tail(s string) string { return s[max(0, len(s)-2500):] }

// screen is everything that was shown.
func (c *terminal) screen() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.seen)
}

// A prompt is a question that waits for an answer.
type prompt struct {
	step string // "step 8 of 19 · Replace the factory SO-PIN"
	text string // person, question and choices, in one line
}

var (
	mark    = []byte("> ")
	stepRow = regexp.MustCompile(`step \d+ of \d+ · [^\r\n\[:]*`)
)

// waiting returns the prompt that waits; ok is false if none does.
func (c *terminal) waiting() (p prompt, ok, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) == c.spent || !bytes.HasSuffix(c.seen, mark) {
		return p, false, c.ended
	}
	start := bytes.LastIndex(c.seen, []byte("▸ "))
	if start < 0 {
		return p, false, c.ended
	}
	steps := stepRow.FindAll(c.seen[:start], -1)
	if len(steps) > 0 {
		p.step = strings.TrimSpace(string(steps[len(steps)-1]))
	}
	p.text = strings.Join(strings.Fields(string(c.seen[start:])), " ")
	return p, true, c.ended
}

// next waits for the next prompt; ok is false if the program ended instead.
func (c *terminal) next() (p prompt, ok bool) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && time.Now().Before(c.latest); time.Sleep(500 * time.Microsecond) {
		p, ok, ended := c.waiting()
		if ok || ended {
			return p, ok
		}
	}
	c.t.Fatal("the program neither asks nor ends")
	return p, false
}

// keys sends key strokes; the prompt that waits goes on waiting.
func (c *terminal) keys(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.master, s); err != nil {
		c.t.Fatal(err)
	}
}

// enter sends key strokes that end the prompt that waits.
func (c *terminal) enter(s string) {
	c.t.Helper()
	c.mu.Lock()
	c.spent = len(c.seen)
	c.mu.Unlock()
	c.keys(s)
}

// say types lines, each when there is a prompt for it.
func (c *terminal) say(lines ...string) {
	c.t.Helper()
	for _, l := range lines {
		if _, ok := c.next(); !ok {
			c.t.Fatalf("the program ended before %q could be typed", l)
		}
		c.enter(l + "\r")
	}
}

// ctrlC presses Ctrl-C at the prompt that waits, which opens the menu.
func (c *terminal) ctrlC() {
	c.t.Helper()
	c.enter("\x03")
	c.until("The step waits.")
}

// until answers as the people in the room would, up to a prompt whose step,
// person or question has the text; that one waits for an answer.
func (c *terminal) until(text string) prompt {
	c.t.Helper()
	for range 400 {
		p, ok := c.next()
		if !ok {
			c.t.Fatalf("the program ended without a prompt that has %q", text)
		}
		if strings.Contains(p.text, text) || strings.Contains(p.step, text) {
			return p
		}
		c.enter(c.answer(p) + "\r")
	}
	c.t.Fatalf("no prompt has %q", text)
	return prompt{}
}

// pass answers the prompt that waits as usual, then goes on as until does.
func (c *terminal) pass(text string) prompt {
	c.t.Helper()
	p, ok := c.next()
	if !ok {
		c.t.Fatalf("the program ended without a prompt that has %q", text)
	}
	c.enter(c.answer(p) + "\r")
	return c.until(text)
}

// ends answers as usual to the end of the program and wants its exit code.
func (c *terminal) ends(code int) {
	c.t.Helper()
	for range 400 {
		p, ok := c.next()
		if !ok {
			c.exits(code)
			return
		}
		c.enter(c.answer(p) + "\r")
	}
	c.t.Fatal("the program asks for ever")
}

// exits waits for the program's end, answering nothing, and wants its exit code.
func (c *terminal) exits(code int) {
	c.t.Helper()
	var exit *exec.ExitError
	select {
	case err := <-c.exited:
		if err != nil && !errors.As(err, &exit) {
			c.t.Fatal(err)
		}
		if got := c.cmd.ProcessState.ExitCode(); got != code {
			c.t.Fatalf("exit code %d (%v), want %d", got, c.cmd.ProcessState, code)
		}
	case <-time.After(patience):
		c.t.Fatalf("the program does not end; exit code %d was expected", code)
	}
}

// kill ends the program with a signal and waits until it is gone.
func (c *terminal) kill(sig syscall.Signal) *os.ProcessState {
	c.t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		c.t.Fatal(err)
	}
	select {
	case <-c.exited:
	case <-time.After(patience):
		c.t.Fatalf("the program did not end on %v", sig)
	}
	return c.cmd.ProcessState
}

// sees waits until the text is shown after what sees found before. Line ends
// and indents between words do not count.
func (c *terminal) sees(text string) {
	c.t.Helper()
	words := strings.Fields(text)
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	re := regexp.MustCompile(strings.Join(words, `\s+`))
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		at, ended := re.FindIndex(c.seen[c.found:]), c.ended
		if at != nil {
			c.found += at[1]
		}
		c.mu.Unlock()
		if at != nil {
			return
		}
		if ended || time.Now().After(deadline) {
			c.t.Fatalf("the terminal never showed %q", text)
		}
	}
}

var initials = regexp.MustCompile(`^▸ [^(]*\((\w+)\)`)

// answer is what the person who is asked would type.
func (c *terminal) answer(p prompt) string {
	has := func(s string) bool { return strings.Contains(p.text, s) }
	switch {
	case has("(not shown) >"):
		return c.pin(p)
	case has("your initials"):
		return initials.FindStringSubmatch(p.text)[1]
	case has("yes present"):
		return "yes"
	case has("Which identity document"):
		return "passport, seen by a witness"
	case has("second clock"):
		return time.Now().UTC().Format(time.DateTime)
	case has("network interface is up"):
		return "on"
	case has("Type the word SIGN"):
		return "SIGN"
	case has("Was anything not as the script says"):
		return "no"
	case has("Do you agree with what was done"):
		return "agree"
	case has("Type the head that you noted"):
		return "none"
	case has("Who held the token since then"):
		return "the administrator, in the safe"
	case has("Which number has the bag"):
		return "7"
	case has("Do you witness with a key of your own"):
		return "none"
	case has("What does it say now"):
		return "a value of today"
	case has("Since when is that public"):
		return time.Now().UTC().Format(time.DateTime)
	case has("How does the room go on?"):
		return "again"
	}
	c.t.Fatalf("nobody knows an answer to %q (%s)", p.text, p.step)
	return ""
}

// pin is the PIN that is asked for.
func (c *terminal) pin(p prompt) string {
	first := strings.Contains(p.step, "Initialise") || strings.Contains(p.step, "Replace")
	switch {
	case strings.Contains(p.text, "user PIN"):
		return c.pins.user
	case first && strings.Contains(p.text, "current SO-PIN"):
		return c.pins.factory
	}
	return c.pins.so
}
