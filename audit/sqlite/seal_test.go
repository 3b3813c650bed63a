package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func TestSeal(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.db")
	s := create(t, path)
	fill(t, s, 0, 200)
	if got := names(t, dir); len(got) != 3 {
		t.Errorf("while writing the folder holds %q, not the log with -wal and -shm", got)
	}
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !reflect.DeepEqual(got, []string{"audit.db"}) {
		t.Errorf("after sealing the folder holds %q", got)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b[18] != 1 || b[19] != 1 {
		t.Errorf("file format versions %d, %d in the header, not 1, 1: not in rollback mode", b[18], b[19])
	}
	if !bytes.Equal(b[36:40], []byte{0, 0, 0, 0}) {
		t.Errorf("free pages: % x", b[36:40])
	}
	if string(b[68:72]) != "kyrt" {
		t.Errorf("application id % x", b[68:72])
	}
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, r)
	if n := count(t, r); n != 200 {
		t.Errorf("%d entries", n)
	}
	kept := 0
	if err := r.Kept(func(int64, []byte) error { kept++; return nil }); err != nil || kept != 20 {
		t.Errorf("%d kept checkpoints, %v", kept, err)
	}
}

// The same log gives the same file, however it was written.
func TestSealedFileIsReproducible(t *testing.T) {
	var files [2][]byte
	for i := range files {
		path := filepath.Join(t.TempDir(), "audit.db")
		s := create(t, path)
		fill(t, s, 0, 50)
		if i == 1 {
			closeStore(t, s)
			var err error
			if s, err = Open(path); err != nil {
				t.Fatal(err)
			}
		}
		fill(t, s, 50, 50)
		if err := s.Seal(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = b
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two sealed files of the same log differ")
	}
}

// A crash in the middle of sealing leaves a whole log, which is sealed as if
// nothing had been.
func TestSealAfterCrash(t *testing.T) {
	straight, crashed := filepath.Join(t.TempDir(), "audit.db"), filepath.Join(t.TempDir(), "audit.db")
	for _, path := range []string{straight, crashed} {
		s := create(t, path)
		fill(t, s, 0, 50)
		if path == crashed { // WAL mode is left, the copy half written
			if err := s.leaveWAL(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), tempPrefix+"audit.db"), []byte("half"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		closeStore(t, s)
		if err := Finalize(path); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(straight)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(crashed)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the sealed file differs (%v)", err)
	}
	if got := names(t, filepath.Dir(crashed)); !reflect.DeepEqual(got, []string{"audit.db"}) {
		t.Errorf("the folder holds %q", got)
	}
}

// A log that was sealed can go on, and be sealed again.
func TestSealGoOnSeal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	s := create(t, path)
	fill(t, s, 0, 5)
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 5, 5)
	closeStore(t, s)
	if err := Finalize(path); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, r)
	if n := count(t, r); n != 10 {
		t.Errorf("%d entries", n)
	}
}

// A follower that reads for a moment only delays the sealing; the log goes on
// if one stays too long.
func TestSealWithReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	s := create(t, path)
	fill(t, s, 0, 5)
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	s.patience = 50 * time.Millisecond
	if err := s.Seal(); !errors.Is(err, ErrBusy) {
		t.Errorf("sealing under a reader: %v, want ErrBusy", err)
	}
	fill(t, s, 5, 1)
	s.patience = sealPatience
	go func() {
		time.Sleep(100 * time.Millisecond)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Seal(); err != nil {
		t.Errorf("sealing after the reader left: %v", err)
	}
	if got := names(t, filepath.Dir(path)); !reflect.DeepEqual(got, []string{"audit.db"}) {
		t.Errorf("the folder holds %q", got)
	}
}
