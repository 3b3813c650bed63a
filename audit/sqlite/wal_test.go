package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func walLength(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + walSuffix)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// The write-ahead log has its full length from the first entry on, never gets
// longer, and what is read after a crash is what was written.
func TestLongWAL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	s := create(t, path)
	if _, err := os.Stat(path + walSuffix); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the first append there is a write-ahead log: %v", err)
	}
	fill(t, s, 0, 1)
	if n := walLength(t, path); n != walSize {
		t.Errorf("after the first append it has %d bytes, want %d", n, walSize)
	}
	crashed := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(crashed, os.DirFS(filepath.Dir(path))); err != nil {
		t.Fatal(err)
	}
	for from := int64(1); from < 1200; from++ {
		fill(t, s, from, 1)
	}
	if n := walLength(t, path); n != walSize {
		t.Errorf("after 1200 appends it has %d bytes, want %d", n, walSize)
	}
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	if n := len(names(t, filepath.Dir(path))); n != 1 {
		t.Errorf("sealed, %d files are left", n)
	}
	again := filepath.Join(crashed, "audit.db")
	s, err := Open(again)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	fill(t, s, 1, 1)
	if n := count(t, s); n != 2 {
		t.Errorf("%d entries after a crash and an append, want 2", n)
	}
	if n := walLength(t, again); n != walSize {
		t.Errorf("after a crash it has %d bytes, want %d", n, walSize)
	}
}

// A crash between the zeros and the first entry leaves an empty log.
func TestZeroWAL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	s := create(t, path)
	if err := s.ready(true); err != nil {
		t.Fatal(err)
	}
	crashed := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(crashed, os.DirFS(filepath.Dir(path))); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	path = filepath.Join(crashed, "audit.db")
	if n := walLength(t, path); n != walSize {
		t.Fatalf("the write-ahead log has %d bytes, want %d", n, walSize)
	}
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, r); n != 0 {
		t.Errorf("%d entries, want 0", n)
	}
	closeStore(t, r)
	s, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 0, 2)
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
}

// On a small disk nothing is written in advance; a write-ahead log with
// something in it is left alone; one that does not fit is cut back.
func TestWALNotLengthened(t *testing.T) {
	dir := smallDisk(t)
	path := filepath.Join(dir, "audit.db")
	s := create(t, path)
	fill(t, s, 0, 1)
	if n := walLength(t, path); n == 0 || n >= walSize/10 {
		t.Errorf("on a disk of 1 MiB the write-ahead log has %d bytes", n)
	}
	closeStore(t, s)

	f, err := os.Create(filepath.Join(dir, "full"))
	if err != nil {
		t.Fatal(err)
	}
	if err := writeZeros(f); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("4 MB on a disk of 1 MiB: %v, want ENOSPC", err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("what did not fit was left: %v, %v", info, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	other := filepath.Join(t.TempDir(), "audit.db")
	for name, content := range map[string]string{other: "database", other + walSuffix: "frames"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := lengthenWAL(other); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(other + walSuffix); err != nil || string(b) != "frames" {
		t.Errorf("a write-ahead log with something in it became %q, %v", b, err)
	}
}
