package sqlite

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
)

const (
	logOrigin = "keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0"

	childPath    = "KEYRITE_TEST_CHILD_LOG"     // the test binary is to write to this log
	childSegment = "KEYRITE_TEST_CHILD_SEGMENT" // as this segment
)

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	path := os.Getenv(childPath)
	if path == "" {
		os.Exit(m.Run())
	}
	segment, err := strconv.Atoi(os.Getenv(childSegment))
	if err == nil {
		err = writeForever(path, segment)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// openLog opens or creates the log at path as a new segment.
func openLog(path string, segment int) (*audit.Log, error) {
	open, begin := Open, audit.Reopen
	if segment == 0 {
		open, begin = Create, audit.Create
	}
	s, err := open(path)
	if err != nil {
		return nil, err
	}
	k, err := audit.NewLogKey(logOrigin, rand.Reader)
	if err != nil {
		return nil, err
	}
	l, err := begin(audit.Config{Store: s, Key: k, Origin: logOrigin, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	var first audit.Data = &audit.LogOpen{Format: 1, Origin: logOrigin, Mode: audit.ModeRehearsal, LogKey: k.VerifierKey()}
	if segment > 0 {
		first = &audit.SegmentOpen{Segment: segment, LogKey: k.VerifierKey(), Reason: "break"}
	}
	_, err = l.AppendSync("", first)
	return l, err
}

// writeForever appends, and prints the number of every entry whose AppendSync
// has returned.
func writeForever(path string, segment int) error {
	l, err := openLog(path, segment)
	for err == nil {
		fmt.Println(l.Size() - 1)
		for range 3 {
			if _, err := l.Append("s", &audit.Result{Name: "not", Value: "synced"}); err != nil {
				return err
			}
		}
		if _, err = l.AppendSync("s", &audit.Result{Name: "is", Value: "synced"}); err == nil && l.Size()%20 < 4 {
			err = l.Keep()
		}
	}
	return err
}

// checked reads a log as a follower does and returns how long it is.
func checked(t *testing.T, path string) int64 {
	t.Helper()
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, r)
	c, err := audit.CheckStore(r)
	if err != nil {
		t.Fatal(err)
	}
	return c.Size
}

// A writer is killed again and again. Each time the log is whole and holds
// every entry that was said to be durable; the next process goes on.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.db")
	for segment := range 12 {
		acknowledged := killWriter(t, path, segment, 3+segment*segment)
		if n := checked(t, path); n <= acknowledged {
			t.Fatalf("segment %d: entry %d was said to be durable, and %d are there", segment, acknowledged, n)
		}
	}
	if err := Finalize(path); err != nil {
		t.Fatal(err)
	}
	checked(t, path)
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("the folder holds %q", got)
	}
}

// killWriter starts a writer, kills it (SIGKILL) once it has said after times
// that an entry is durable, and returns the last entry that it named.
func killWriter(t *testing.T, path string, segment, after int) int64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childPath+"="+path, childSegment+"="+strconv.Itoa(segment))
	var failure bytes.Buffer
	cmd.Stderr = &failure
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := int64(-1)
	lines := bufio.NewScanner(out)
	for n := 1; lines.Scan(); n++ {
		if last, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
		if n == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || failure.Len() > 0 {
		t.Fatalf("the writer ended by itself: %v, %s", err, failure.String())
	}
	return last
}

// Another process is refused at once, and the log of the first is sound.
func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	l, err := openLog(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childPath+"="+path, childSegment+"=1")
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte(ErrBusy.Error())) {
		t.Errorf("the second process: %v, %s", err, out)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it was refused only after %v", took)
	}
	if _, err := l.AppendSync("", &audit.Pause{}); err != nil {
		t.Error(err)
	}
	if n := checked(t, path); n != 2 {
		t.Errorf("%d entries", n)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// fillDisk appends until nothing fits any more and returns the size of the log
// as the last entry that was written made it.
func fillDisk(t *testing.T, l *audit.Log) int64 {
	t.Helper()
	value := string(bytes.Repeat([]byte("x"), 1000))
	for range 10000 {
		if _, err := l.AppendSync("s", &audit.Result{Name: "n", Value: value}); err != nil {
			if !errors.Is(err, ErrFull) || !errors.Is(l.Err(), ErrFull) {
				t.Errorf("on a full disk: %v, want ErrFull", err)
			}
			return l.Size()
		}
	}
	t.Fatal("the disk does not get full")
	return 0
}

// A database that may not grow, wherever the test runs.
func TestFullByPageLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	l, err := openLog(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.conn.exec("PRAGMA max_page_count=60"); err != nil {
		t.Fatal(err)
	}
	k, err := audit.NewLogKey(logOrigin, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	l, err = audit.Reopen(audit.Config{Store: s, Key: k, Origin: logOrigin, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.AppendSync("", &audit.SegmentOpen{Segment: 1, LogKey: k.VerifierKey()}); err != nil {
		t.Fatal(err)
	}
	size := fillDisk(t, l)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	goesOn(t, path, size)
}

// smallDisk mounts a tmpfs of 1 MiB for a test. It takes the right to mount;
// without it the test fails, since it would show nothing.
func smallDisk(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("keyrite-test", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatalf("mounting a tmpfs of 1 MiB: %v (run the tests as root, with the right to mount)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A real full disk.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t)
	path := filepath.Join(dir, "audit.db")
	l, err := openLog(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	size := fillDisk(t, l)
	if n := checked(t, path); n != size {
		t.Errorf("a follower sees %d entries, %d were written", n, size)
	}
	if err := l.Close(); err != nil {
		t.Errorf("closing on the full disk: %v", err)
	}
	if err := Finalize(path); !errors.Is(err, ErrFull) {
		t.Errorf("sealing on the full disk: %v, want ErrFull", err)
	}
	if n := checked(t, path); n != size {
		t.Errorf("after the failed sealing %d entries, want %d", n, size)
	}
	if _, err := Create(filepath.Join(dir, "other.db")); !errors.Is(err, ErrFull) {
		t.Errorf("creating another log there: %v, want ErrFull", err)
	}
	// What the hint says to do: copy the folder to where there is room.
	elsewhere := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(elsewhere, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	goesOn(t, filepath.Join(elsewhere, "audit.db"), size)
}

// A disk that can only be read.
func TestReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t)
	path := filepath.Join(dir, "audit.db")
	s := create(t, path)
	fill(t, s, 0, 3)
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("keyrite-test", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, r); n != 3 {
		t.Errorf("%d entries", n)
	}
	closeStore(t, r)
	if _, err := Create(path + "2"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("creating: %v, want ErrReadOnly", err)
	}
	s, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append(3, nil, []byte("x"), false, true); !errors.Is(err, ErrReadOnly) {
		t.Errorf("appending: %v, want ErrReadOnly", err)
	}
	closeStore(t, s)
}

// goesOn checks that a log that met a full disk holds size entries, verifies,
// goes on where there is room, and can be sealed.
func goesOn(t *testing.T, path string, size int64) {
	t.Helper()
	if n := checked(t, path); n != size {
		t.Errorf("%d entries, want %d", n, size)
	}
	l, err := openLog(path, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Finalize(path); err != nil {
		t.Error(err)
	}
	if n := checked(t, path); n != size+1 {
		t.Errorf("%d entries after going on, want %d", n, size+1)
	}
}
