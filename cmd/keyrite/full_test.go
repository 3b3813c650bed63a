package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token/softhsm"
)

// smallDisk mounts a file system of its own for the bundle. It needs root, as
// does a ceremony machine that is set up from nothing.
func (s *stage) smallDisk(size string) {
	s.t.Helper()
	dir := filepath.Join(s.dir, "disk")
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	size, readOnly := strings.CutSuffix(size, ",ro")
	flags := uintptr(0)
	if readOnly {
		flags = syscall.MS_RDONLY
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, "size="+size); err != nil {
		s.t.Fatalf("mounting a disk of %s (the test has to be run as root): %v", size, err)
	}
	s.t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			s.t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	s.out = filepath.Join(dir, "bundle")
}

func (s *stage) enlarge(size string) {
	s.t.Helper()
	if err := syscall.Mount("tmpfs", filepath.Dir(s.out), "tmpfs", syscall.MS_REMOUNT, "size="+size); err != nil {
		s.t.Fatal(err)
	}
}

// TestReadOnly begins on a disk that cannot be written.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	s.smallDisk("1m,ro")
	c := s.run()
	c.exits(3)
	c.sees("making the bundle's folder: mkdir")
	c.sees("read-only file system")
	s.keyrite(0, "new", "root-ca", "--answers", "-o", "answers.yaml")
	out := s.keyrite(3, "rehearse", "script.yaml", "--answers", "answers.yaml", "--out", s.out)
	if !strings.Contains(out, "read-only file system") {
		t.Errorf("a rehearsal says %q", out)
	}
	if left, err := os.ReadDir(filepath.Dir(s.out)); err != nil || len(left) > 0 {
		t.Errorf("there is %v, %v", left, err)
	}
}

// fill leaves no byte on the disk.
func (s *stage) fill() {
	s.t.Helper()
	f, err := os.Create(filepath.Join(filepath.Dir(s.out), "filler"))
	if err != nil {
		s.t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	f.Close()
}

// TestFullDisk runs a ceremony on a disk of 1 MiB. It fills up in the middle;
// on a larger one the ceremony goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	s.smallDisk("1m")
	c := s.run()
	c.ends(3)
	c.sees("the disk is full")
	c.sees("to go on: keyrite resume " + s.out)
	s.enlarge("16m")
	s.goneOn("break")
}

// TestFullDiskWhileLoggedIn fills the disk when a signature is about to be
// made. None is made, and the token is left logged out: OpenSC's recorder
// between keyrite and the token saw it.
func TestFullDiskWhileLoggedIn(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	s.smallDisk("16m")
	recorder, spied := s.spy()
	c := open(t, s.dir, s.env, "run", "script.yaml", "--out", s.out, "--module", recorder)
	c.until("Type the word SIGN")
	s.fill()
	before := spied()
	c.say("SIGN")
	c.exits(3)
	c.sees("the disk is full")
	after := strings.TrimPrefix(spied(), before)
	for _, f := range []string{"C_Logout", "C_CloseSession", "C_Finalize"} {
		if !strings.Contains(after, f) {
			t.Errorf("%s was not called when the disk was full:\n%s", f, after)
		}
	}
	if strings.Contains(after, "C_Sign") {
		t.Errorf("a signature was made that could not be recorded:\n%s", after)
	}
	if err := os.Remove(filepath.Join(filepath.Dir(s.out), "filler")); err != nil {
		t.Fatal(err)
	}
	s.goneOn("break")
	if n := s.calls("C_Sign", "CKR_OK"); n != 2 {
		t.Errorf("%d signatures", n)
	}
	for _, e := range s.entries() {
		if d, ok := e.Data.(*audit.HSMUnknown); ok && d.Person != "" {
			t.Errorf("the room was asked what became of entry %d", d.Intent)
		}
	}
}

// spy finds OpenSC's recorder of PKCS#11 calls and sets it up to stand between
// keyrite and the token; read returns what it has written.
func (s *stage) spy() (recorder string, read func() string) {
	s.t.Helper()
	found, err := filepath.Glob("/usr/lib/*/pkcs11-spy.so")
	if err != nil || len(found) == 0 {
		s.t.Fatal("there is no pkcs11-spy.so: apt-get install opensc-pkcs11")
	}
	module, err := softhsm.Module()
	if err != nil {
		s.t.Fatal(err)
	}
	out := filepath.Join(s.dir, "calls")
	s.env = append(s.env, "PKCS11SPY="+module, "PKCS11SPY_OUTPUT="+out)
	return found[0], func() string {
		b, err := os.ReadFile(out)
		if err != nil {
			s.t.Fatal(err)
		}
		return string(b)
	}
}
