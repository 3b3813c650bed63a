package pcsc_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/internal/simcard"
	"github.com/keyrite/keyrite/internal/simcard/apdu"
	"github.com/keyrite/keyrite/internal/simcard/pcsc"
)

// TestAnotherCard: a card is pulled out at a command, another one takes its
// place, and the first comes back as it was.
func TestAnotherCard(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	r.remove(t, 1)
	r.fail(t, "CKR_PIN_INCORRECT", "pkcs11-tool", p11(t, "--login", "--pin", "111111", "--list-objects")...)
	r.remove(t, 0)
	// pcscd notices that a card is gone when it next looks.
	for deadline := time.Now().Add(20 * time.Second); ; {
		out, err := r.try(t, "pkcs11-tool", p11(t, "--list-slots")...)
		if err == nil && strings.Count(out, "(empty)") == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("without a card: %v\n%s", err, out)
		}
		time.Sleep(100 * time.Millisecond)
	}
	seat, err := r.daemon.Insert(0, r.cards[1])
	if err != nil {
		t.Fatal(err)
	}
	r.run(t, []string{"ZZSIM000002"}, "pkcs11-tool", p11(t, "--list-slots")...)
	if err := seat.Remove(); err != nil {
		t.Error(err)
	}
	r.insert(t, 0)
	r.run(t, []string{"ZZSIM000001", "user PIN count low"}, "pkcs11-tool", p11(t, "--list-slots")...)
}

// TestPulledOut: the command that is being carried out fails, and the seat says
// why.
func TestPulledOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	r.remove(t, 0)
	for at, fault := range map[int]simcard.Fault{
		8:  {Kind: simcard.Removed},
		9:  {Kind: simcard.Silent, For: 50 * time.Millisecond, After: true},
		10: {Kind: simcard.Removed, After: true},
	} {
		fault.At = at
		seat, err := r.daemon.Insert(0, &simcard.Faulty{Card: r.cards[0], Plan: []simcard.Fault{fault}, Sleep: time.Sleep})
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.try(t, "pkcs11-tool", p11(t, "--login", "--pin", factoryUser, "--keypairgen", "--key-type", "EC:secp256r1", "--id", "01")...)
		if err == nil {
			t.Errorf("command %d: a key is generated all the same:\n%s", at, out)
		}
		select {
		case <-seat.Done():
		case <-time.After(10 * time.Second):
			t.Fatalf("command %d: the card is still in", at)
		}
		if !errors.Is(seat.Err(), simcard.ErrRemoved) {
			t.Errorf("command %d: %v", at, seat.Err())
		}
	}
	r.insert(t, 0)
	r.run(t, []string{"ZZSIM000001"}, "pkcs11-tool", p11(t, "--list-slots")...)
}

// TestBadStatus: an answer that the card does not give by itself reaches the
// tool.
func TestBadStatus(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	r.remove(t, 0)
	seat, err := r.daemon.Insert(0, &simcard.Faulty{Card: r.cards[0], Plan: []simcard.Fault{
		{At: 1, Kind: simcard.BadStatus, Status: apdu.NoPreciseDiagnosis},
		{At: 2, Kind: simcard.Slow, For: 300 * time.Millisecond},
	}, Sleep: time.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	send := []string{"--card-driver", "default", "--send-apdu", "00A404000BE82B0601040181C31F020100"}
	r.run(t, []string{"SW1=0x6F, SW2=0x00"}, "opensc-tool", send...)
	begin := time.Now()
	r.run(t, []string{"SW1=0x90, SW2=0x00"}, "opensc-tool", send...)
	if took := time.Since(begin); took < 300*time.Millisecond {
		t.Errorf("a slow answer took %v", took)
	}
	if err := seat.Remove(); err != nil {
		t.Error(err)
	}
}

// TestStop: pcscd is gone, its socket too, a card that was in is out, and a
// second call does no harm. A pcscd of the machine has not changed.
func TestStop(t *testing.T) {
	t.Parallel()
	before, _ := os.ReadFile("/run/pcscd/pcscd.pid")
	r := newRig(t, 1)
	seat := r.seats[0]
	for range 2 {
		if err := r.daemon.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-seat.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the card is still in")
	}
	if _, err := os.Lstat(r.daemon.Socket()); err == nil {
		t.Error("the socket is still there")
	}
	if _, err := r.daemon.Insert(0, r.cards[0]); err == nil {
		t.Error("a card goes into a reader that is gone")
	}
	if after, _ := os.ReadFile("/run/pcscd/pcscd.pid"); string(after) != string(before) {
		t.Errorf("/run/pcscd/pcscd.pid was %q and is %q", before, after)
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	if _, err := pcsc.Start(filepath.Join(t.TempDir(), strings.Repeat("x", 100))); err == nil || !strings.Contains(err.Error(), "shorter") {
		t.Errorf("a long path: %v", err)
	}
	if _, err := pcsc.Start(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there is taken")
	}
	used := t.TempDir()
	if err := os.WriteFile(filepath.Join(used, "pcscd.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pcsc.Start(used); err == nil {
		t.Error("a log is overwritten")
	}
}

func TestInsertRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	b, err := simcard.Manufacture("ZZSIM000001", "", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := simcard.File(filepath.Join(r.dir, "card"))
	if err := f.Create(b); err != nil {
		t.Fatal(err)
	}
	c, err := simcard.Open(f, simcard.Options{Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	for _, slot := range []int{-1, pcsc.Slots} {
		if _, err := r.daemon.Insert(slot, c); err == nil {
			t.Errorf("slot %d takes a card", slot)
		}
	}
}
