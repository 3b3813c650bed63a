package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

// soundAndPaused wants a log that can be read to its end and says why it
// paused.
func (s *stage) soundAndPaused(why string) {
	s.t.Helper()
	list := s.entries()
	if d, ok := list[len(list)-1].Data.(*audit.Pause); !ok || !strings.Contains(d.Reason, why) {
		s.t.Errorf("the log ends with %+v, want a pause because of %q", list[len(list)-1].Data, why)
	}
}

// goneOn resumes and wants a whole ceremony with one key.
func (s *stage) goneOn(reason string) {
	s.t.Helper()
	c := s.resume()
	c.sees("resumed after a " + reason)
	c.ends(0)
	s.verified("CONSISTENT WITH ITSELF")
	if n := s.calls("C_GenerateKeyPair", "CKR_OK"); n != 1 {
		s.t.Errorf("%d keys were generated", n)
	}
	if p := s.paper(); !strings.Contains(p, "The ceremony was interrupted and resumed: segment 1 begins") || !strings.Contains(p, reason) {
		s.t.Errorf("the transcript does not tell of the %s", reason)
	}
}

// TestEnded ends the program at a prompt in the ways it can be told to end.
func TestEnded(t *testing.T) {
	for name, c := range map[string]struct {
		at  string
		end func(*terminal)
		why string
	}{
		"terminal closed":          {"Type the word SIGN", func(c *terminal) { c.master.Close() }, "nobody can answer any more"},
		"terminal closed at a PIN": {"The new SO-PIN again", func(c *terminal) { c.master.Close() }, "nobody can answer any more"},
		"SIGTERM":                  {"current user PIN", func(c *terminal) { c.cmd.Process.Signal(syscall.SIGTERM) }, "SIGTERM"},
		"Ctrl-C twice":             {"The rules of this ceremony", func(c *terminal) { c.ctrlC(); c.enter("\x03") }, "Ctrl-C was pressed twice"},
		"Ctrl-D":                   {"Set the user PIN", func(c *terminal) { c.enter("\x04") }, "the input is at its end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setUp(t, "production")
			room := s.run()
			room.until(c.at)
			c.end(room)
			room.exits(4)
			s.soundAndPaused(c.why)
			s.goneOn("pause")
		})
	}
}

// TestKeys presses keys that end or stop other programs.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := setUp(t, "rehearsal")
	c := s.run()
	c.until("current SO-PIN")
	c.keys("\x1c\x1a\x13") // Ctrl-\, Ctrl-Z, Ctrl-S
	c.ctrlC()
	c.sees("The step waits.")
	c.say("continue")
	c.until("current SO-PIN")
	c.ctrlC()
	c.say("deviation", "quiet", "Ctrl-C was pressed", "go on", "ECA", "EIW", "EIA")
	c.ends(0)
	s.verified("CONSISTENT WITH ITSELF")
}

// TestKilled kills the program at a prompt, where the token is logged in and a
// signature is announced.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	c := s.run()
	c.until("Type the word SIGN")
	c.kill(syscall.SIGKILL)
	s.keyrite(1, "verify", s.out)
	s.keyrite(0, "log", s.out)
	s.goneOn("break")
	if n := s.calls("C_Sign", "CKR_OK"); n != 2 {
		t.Errorf("%d signatures, want one of the certificate and one of the CRL", n)
	}
}

// TestTwoAtOnce starts more runs in the folder of one that waits.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	c := s.run()
	c.until("Generate the root key")
	if out := s.keyrite(3, "resume", s.out); !strings.Contains(out, "another process is using it") {
		t.Errorf("a second run says %q", out)
	}
	if out := s.keyrite(2, "run", "script.yaml", "--out", s.out); !strings.Contains(out, "nothing is overwritten") {
		t.Errorf("a second run says %q", out)
	}
	if out := s.keyrite(0, "log", s.out); !strings.Contains(out, "step 11 of 19") {
		t.Errorf("the log cannot be read beside the run: %s", out)
	}
	c.ends(0)
	s.verified("CONSISTENT WITH ITSELF")
}

// TestNoCore crashes the program where cores are allowed to everything else.
func TestNoCore(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGABRT, syscall.SIGSEGV, syscall.SIGQUIT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			s := setUp(t, "rehearsal")
			s.env = append(s.env, "GOTRACEBACK=crash")
			c := s.run()
			c.until("The new SO-PIN again")
			c.keys(c.pins.so) // typed, not entered
			limits, err := os.ReadFile(filepath.Join("/proc", pid(c), "limits"))
			if err != nil {
				t.Fatal(err)
			}
			if !coreZero.Match(limits) {
				t.Errorf("limits of the process:\n%s", limits)
			}
			if st := c.kill(sig).Sys().(syscall.WaitStatus); st.CoreDump() || st.ExitStatus() == 0 {
				t.Errorf("%v: core made: %t, exit status %d", sig, st.CoreDump(), st.ExitStatus())
			}
			if cores, _ := filepath.Glob(filepath.Join(s.dir, "*core*")); cores != nil {
				t.Errorf("there is %v", cores)
			}
			if strings.Contains(c.screen(), c.pins.so) {
				t.Error("the crash shows the PIN")
			}
			s.goneOn("break")
		})
	}
}
