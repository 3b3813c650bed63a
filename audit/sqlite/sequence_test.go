package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/storetest"
)

// TestSequences lives through random lives of logs on disk. A crash leaves what
// the files hold at that moment: the folder is copied while the writer has it
// open, and the next one goes on in the copy.
func TestSequences(t *testing.T) {
	storetest.Sequences(t, 20, func(t *testing.T) storetest.Place {
		path, n := filepath.Join(t.TempDir(), "audit.db"), 0
		return storetest.Place{
			Open: func() (storetest.Keeper, error) {
				if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
					return Create(path)
				}
				return Open(path)
			},
			Crash: func(t *testing.T) {
				n++
				to := filepath.Join(t.TempDir(), strconv.Itoa(n))
				if err := os.CopyFS(to, os.DirFS(filepath.Dir(path))); err != nil {
					t.Fatal(err)
				}
				path = filepath.Join(to, "audit.db")
			},
		}
	})
}

// TestFollowerNeverBlocks reads a log over and over as a follower does while
// another goes on writing: the writer is never refused and never waits long, the
// follower never sees anything but a log that verifies and only grows.
func TestFollowerNeverBlocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	l, err := openLog(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan int64)
	for range 2 {
		go func() { done <- follow(t, path, stop) }()
	}
	slowest := time.Duration(0)
	for i := range 300 {
		began := time.Now()
		if _, err := l.AppendSync("s", &audit.Result{Name: "n", Value: strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
		if i%50 == 49 {
			if err := l.Keep(); err != nil {
				t.Fatal(err)
			}
		}
		slowest = max(slowest, time.Since(began))
	}
	close(stop)
	for range 2 {
		if polls := <-done; polls < 2 {
			t.Errorf("a follower looked %d times", polls)
		}
	}
	if slowest > 4*time.Second {
		t.Errorf("an append took %v while followers read", slowest)
	}
	if n := checked(t, path); n != 301 {
		t.Errorf("%d entries", n)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := Finalize(path); err != nil {
		t.Errorf("sealing after followers: %v", err)
	}
}

// follow polls the log until stop is closed, and returns how often it looked.
func follow(t *testing.T, path string, stop <-chan struct{}) (polls int64) {
	before := int64(0)
	for {
		r, err := OpenReader(path)
		if err != nil {
			t.Error(err)
			return polls
		}
		c, err := audit.CheckStore(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Error(err)
			return polls
		}
		if c.Size < before {
			t.Errorf("the log had %d entries, now it has %d", before, c.Size)
		}
		before = c.Size
		polls++
		select {
		case <-stop:
			return polls
		default:
		}
	}
}
