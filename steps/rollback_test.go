package steps_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
)

// A rollingBack store copies the ceremony's folder at one durable commit, and
// fails at a later one.
type rollingBack struct {
	ceremony.Store
	t         *testing.T
	dir, copy string
	n         int
	head      audit.Hash // as the room last saw it
}

var errPlug = errors.New("the plug was pulled")

// The durable commits at which the folder is copied and the plug is pulled.
const (
	copiedAt = 40
	pulledAt = 90
)

func (s *rollingBack) Append(from int64, entries [][]byte, checkpoint []byte, keep, sync bool) error {
	if !sync {
		return s.Store.Append(from, entries, checkpoint, keep, sync)
	}
	if s.n++; s.n == pulledAt {
		return errPlug
	}
	if err := s.Store.Append(from, entries, checkpoint, keep, sync); err != nil {
		return err
	}
	text, _, _ := strings.Cut(string(checkpoint), "\n\n")
	c, err := audit.ParseCheckpoint(text + "\n")
	if err != nil {
		return err
	}
	s.head = c.Root
	if s.n == copiedAt {
		return os.CopyFS(s.copy, os.DirFS(s.dir))
	}
	return nil
}

// TestRolledBack copies the folder of a ceremony that runs, pulls the plug later,
// puts the older copy in its place and resumes: every signature in it is right.
// The room types the head that it noted, the run does not go on, and nothing is
// written.
func TestRolledBack(t *testing.T) {
	dir := t.TempDir()
	st, err := openStage(dir, "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	back := &rollingBack{t: t, dir: st.bundle(), copy: filepath.Join(dir, "older")}
	st.store = func(s ceremony.Store) ceremony.Store { back.Store = s; return back }
	if err := st.start(); !errors.Is(err, errPlug) {
		t.Fatalf("the run ended with %v", err)
	}
	if err := os.RemoveAll(st.bundle()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(back.copy, st.bundle()); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(st.answers)
	if err != nil {
		t.Fatal(err)
	}
	noted := strings.Join(audit.Words(back.head[:])[:6], " ")
	more := strings.Replace(resumeAnswers("before", ""), `"none"`, `"`+noted+`"`, 1)
	st.store = nil
	if err := st.prepare(append(list, more...)); err != nil {
		t.Fatal(err)
	}
	size := len(st.entries(t))
	var rollback *ceremony.Rollback
	if err := st.resume(); !errors.As(err, &rollback) {
		t.Errorf("the run went on from an older log: %v", err)
	}
	if n := len(st.entries(t)); n != size {
		t.Errorf("%d entries were written after the older log's %d", n-size, size)
	}
}
