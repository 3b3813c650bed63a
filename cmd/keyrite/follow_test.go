package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
)

// A follower is 'keyrite follow', and what it shows.
type follower struct {
	t   *testing.T
	cmd *exec.Cmd

	mu   sync.Mutex
	seen bytes.Buffer
}

func (f *follower) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen.Write(b)
}

func (f *follower) shown() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen.String()
}

func follow(t *testing.T, args ...string) *follower {
	t.Helper()
	f := &follower{t: t, cmd: exec.Command("keyrite", append([]string{"follow"}, args...)...)}
	f.cmd.Stdout, f.cmd.Stderr = f, f
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.cmd.Process.Kill() })
	return f
}

func (f *follower) sees(text string) {
	f.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(f.shown(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("the follower never showed %q; it showed:\n%s", text, tail(f.shown()))
		}
	}
}

func (f *follower) exits(code int) {
	f.t.Helper()
	timer := time.AfterFunc(patience, func() { f.cmd.Process.Kill() })
	defer timer.Stop()
	f.cmd.Wait()
	if got := f.cmd.ProcessState.ExitCode(); got != code {
		f.t.Fatalf("the follower's exit code is %d, want %d; it showed:\n%s", got, code, tail(f.shown()))
	}
}

// TestFollow follows a ceremony from before its beginning, over a killed
// program and a resume, to its end. Sealing is not disturbed: the bundle
// verifies, and its database is one file.
func TestFollow(t *testing.T) {
	t.Parallel()
	s := setUp(t, "rehearsal")
	f := follow(t, s.out, "--wait")
	f.sees("Waiting for the log")
	c := s.run()
	c.until("Generate the root key")
	f.sees("log key in words: ")
	f.sees("head of the log at ")
	c.kill(syscall.SIGKILL)
	s.goneOn("break")
	f.exits(0)
	f.sees("segment 1 after a break")
	f.sees("The log is closed: complete, ")
	list := s.entries()
	for _, e := range list {
		line, err := readable(mustEncode(t, s, e.Seq))
		if err != nil || !strings.Contains(f.shown(), line) {
			t.Errorf("entry %d is not shown as %q (%v)", e.Seq, line, err)
		}
	}
	late := follow(t, "--json", s.out)
	late.exits(0)
	if n := strings.Count(late.shown(), "\n{\"") + 1; n != len(list) {
		t.Errorf("%d entries are shown as JSON, want %d", n, len(list))
	}
}

func mustEncode(t *testing.T, s *stage, seq int64) (encoded []byte) {
	t.Helper()
	store, err := sqlite.OpenReader(filepath.Join(s.out, bundle.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	stop := errSeen
	if err := store.Entries(seq, func(_ int64, b []byte) error { encoded = b; return stop }); err != stop {
		t.Fatal(err)
	}
	return encoded
}

var errSeen = audit.ErrClosed // any error that ends the reading

// TestFollowAborted follows an aborted ceremony: exit 1, with a verdict.
func TestFollowAborted(t *testing.T) {
	t.Parallel()
	s := setUp(t, "rehearsal")
	c := s.run()
	f := follow(t, s.out, "--wait")
	c.until("second clock")
	c.say("!", "abort", "ABORT", "enough was shown")
	c.exits(1)
	f.exits(1)
	f.sees("The log is closed: aborted, ")
}

// TestFollowTampered names the entry that does not check.
func TestFollowTampered(t *testing.T) {
	t.Parallel()
	b := tamper(t, false, func(b *tampered) {
		db := b.read(bundle.DatabaseFile)
		b.write(bundle.DatabaseFile, bytes.Replace(db, []byte(`"typed":"ECA"`), []byte(`"typed":"ECB"`), 1))
	})
	f := follow(t, b.dir)
	f.exits(1)
	f.sees("THE LOG DOES NOT CHECK: entry ")
	f.sees(": prev is ")
}
