package pcsc_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/internal/simcard"
	"github.com/keyrite/keyrite/internal/simcard/pcsc"
)

// PINs of cards as they leave the factory.
const (
	factorySO   = "3537363231383830"
	factoryUser = "648219"
)

// A rig is a pcscd with a card in each slot.
type rig struct {
	daemon *pcsc.Daemon
	dir    string
	files  [pcsc.Slots]simcard.File
	cards  [pcsc.Slots]*simcard.Card
	seats  [pcsc.Slots]*pcsc.Seat
}

// newRig starts pcscd and inserts n new cards. It is all stopped when the test
// ends.
func newRig(t *testing.T, n int) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir()}
	d, err := pcsc.Start(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	r.daemon = d
	t.Cleanup(func() {
		for slot := range r.seats {
			r.remove(t, slot)
		}
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	for slot := range n {
		r.files[slot] = simcard.File(filepath.Join(r.dir, "card"+string(rune('0'+slot))))
		b, err := simcard.Manufacture("ZZSIM00000"+string(rune('1'+slot)), "", rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.files[slot].Create(b); err != nil {
			t.Fatal(err)
		}
		r.insert(t, slot)
	}
	return r
}

func (r *rig) insert(t *testing.T, slot int) {
	t.Helper()
	var err error
	if r.cards[slot], err = simcard.Open(r.files[slot], simcard.Options{Random: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	if r.seats[slot], err = r.daemon.Insert(slot, r.cards[slot]); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) remove(t *testing.T, slot int) {
	t.Helper()
	if r.seats[slot] == nil {
		return
	}
	if err := r.seats[slot].Remove(); err != nil {
		t.Error(err)
	}
	r.seats[slot] = nil
}

// try runs a tool as a client of the rig's pcscd and returns what it printed on
// both outputs. A tool that is missing is a failure that says what to install.
func (r *rig) try(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: type scripts/install-deps test", err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), pcsc.SocketEnv+"="+r.daemon.Socket())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begin := time.Now()
	err = cmd.Run()
	t.Logf("%s %s (%v)", name, strings.Join(args, " "), time.Since(begin).Round(time.Millisecond))
	return out.String(), err
}

// run is try for a tool that must succeed and print all of want.
func (r *rig) run(t *testing.T, want []string, name string, args ...string) string {
	t.Helper()
	out, err := r.try(t, name, args...)
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Fatalf("%s %q does not print %q:\n%s", name, args, w, out)
		}
	}
	return out
}

// fail is try for a tool that must not succeed and print want.
func (r *rig) fail(t *testing.T, want string, name string, args ...string) {
	t.Helper()
	out, err := r.try(t, name, args...)
	if err == nil || !strings.Contains(out, want) {
		t.Fatalf("%s %q: expected a failure with %q, got %v\n%s", name, args, want, err, out)
	}
}

// module is OpenSC's PKCS#11 library.
func module(t *testing.T) string {
	t.Helper()
	list, err := filepath.Glob("/usr/lib/*/opensc-pkcs11.so")
	if err != nil || len(list) == 0 {
		t.Fatalf("there is no opensc-pkcs11.so (%v): type scripts/install-deps test", err)
	}
	return list[0]
}
