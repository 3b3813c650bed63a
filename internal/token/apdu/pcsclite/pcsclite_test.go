package pcsclite_test

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/cvc"
	"github.com/keyrite/keyrite/internal/simcard"
	"github.com/keyrite/keyrite/internal/simcard/pcsc"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu"
	"github.com/keyrite/keyrite/internal/token/apdu/pcsclite"
	"github.com/keyrite/keyrite/internal/token/p11"
	"github.com/keyrite/keyrite/internal/token/recorded"
)

// PINs of the simulated cards as they leave the factory.
const factoryUser = "648219"

// A journal takes entries and counts them.
type journal struct{ entries []*audit.Entry }

func (j *journal) Append(step string, d audit.Data) (*audit.Entry, error) {
	e := &audit.Entry{Seq: int64(len(j.entries)), Step: step, Data: d}
	j.entries = append(j.entries, e)
	return e, nil
}

func (j *journal) AppendSync(step string, d audit.Data) (*audit.Entry, error) {
	return j.Append(step, d)
}

// rig starts a pcscd with two simulated cards in it, ZZSIM000001 and
// ZZSIM000002, for this process.
func rig(t *testing.T) [2]*pcsc.Seat {
	t.Helper()
	dir := t.TempDir()
	d, err := pcsc.Start(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv(pcsc.SocketEnv, d.Socket())
	var seats [2]*pcsc.Seat
	for slot := range seats {
		b, err := simcard.Manufacture(fmt.Sprintf("ZZSIM%06d", slot+1), "", rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		f := simcard.File(filepath.Join(dir, fmt.Sprint("card", slot)))
		if err := f.Create(b); err != nil {
			t.Fatal(err)
		}
		card, err := simcard.Open(f, simcard.Options{Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		if seats[slot], err = d.Insert(slot, card); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := seats[slot].Remove(); err != nil {
				t.Error(err)
			}
		})
	}
	return seats
}

// opensc is the recorded PKCS#11 module of OpenSC, with the same cards by PC/SC.
func opensc(t *testing.T) (*recorded.Module, *journal) {
	t.Helper()
	list, err := filepath.Glob("/usr/lib/*/opensc-pkcs11.so")
	if err != nil || len(list) == 0 {
		t.Fatalf("there is no opensc-pkcs11.so (%v): type scripts/install-deps test", err)
	}
	lib, err := p11.Open(list[0])
	if err != nil {
		t.Fatal(err)
	}
	j := new(journal)
	m := recorded.New(lib, j, audit.File{})
	m.UseCards(pcsclite.New())
	if err := m.Initialize(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Finalize(); err != nil {
			t.Error(err)
		}
	})
	return m, j
}

// TestCards: one pcscd for all, since libpcsclite asks only once which it is.
func TestCards(t *testing.T) {
	seats := rig(t)
	t.Run("beside OpenSC", besideOpenSC)
	t.Run("without OpenSC", func(t *testing.T) { withoutOpenSC(t, seats) })
	t.Run("pulled out", func(t *testing.T) { pulledOut(t, seats) })
}

// besideOpenSC: a card that OpenSC has open, with the user logged in and a
// key just made, is read by PC/SC, by its serial number; OpenSC's session goes
// on, logged in, and signs. The request that the card keeps attests the key.
func besideOpenSC(t *testing.T) {
	m, j := opensc(t)
	slot := slotOf(t, m, "ZZSIM000002")
	err := m.WithSession(slot, true, func(session uint) error {
		return m.WithLogin(session, token.NormalUser, token.NewPIN([]byte(factoryUser)), func() error {
			r, err := m.Do(token.Call{Function: token.GenerateKeyPair, Session: session, Mechanism: token.CKM_EC_KEY_PAIR_GEN,
				Template: []token.Attribute{token.Bool(token.CKA_TOKEN, true), token.Bytes(token.CKA_ID, []byte{7}), token.Bytes(token.CKA_EC_PARAMS, []byte{0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07})},
				Private:  []token.Attribute{token.Bool(token.CKA_TOKEN, true), token.Bool(token.CKA_SIGN, true), token.Bytes(token.CKA_ID, []byte{7})}})
			if err != nil {
				return err
			}
			if err := m.Card("ZZSIM000002", func(c *recorded.Card) error { return attested(t, c) }); err != nil {
				return err
			}
			digest := sha256.Sum256([]byte("signed after the card was read"))
			_, err = m.Sign(session, token.CKM_ECDSA, r.Private, digest[:], 1)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range j.entries {
		if in, ok := e.Data.(*audit.HSMIntent); ok && in.Command == "SELECT APPLET" && strings.HasSuffix(in.Reader, "01") {
			t.Errorf("the applet that OpenSC uses was selected again: %+v", in)
		}
	}
}

// attested reads what the card says of itself and of its only key.
func attested(t *testing.T, c *recorded.Card) error {
	files, err := c.Files()
	if err != nil {
		return err
	}
	if !slices.Contains(files, apdu.Attestation|1) {
		t.Errorf("files: %X", files)
	}
	b, err := c.ReadFile(apdu.Attestation | 1)
	if err != nil {
		return err
	}
	a, err := cvc.ParseAttested(b)
	if err != nil {
		return err
	}
	device, _, err := cvc.Parse(c.Chain)
	if err != nil {
		return err
	}
	if left, told, err := c.Tries(apdu.UserPIN); err != nil || told {
		t.Errorf("while the user is logged in the card tells no tries: %d %v %v", left, told, err)
	}
	if left, told, err := c.Tries(apdu.SOPIN); err != nil || !told || left != 15 {
		t.Errorf("tries of the SO-PIN: %d %v %v", left, told, err)
	}
	return a.Verify(device)
}

func slotOf(t *testing.T, m *recorded.Module, serial string) uint {
	t.Helper()
	list, err := m.Tokens()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.Info.Serial == serial {
			return p.Slot
		}
	}
	t.Fatalf("no token %s in %+v", serial, list)
	return 0
}

// withoutOpenSC: a card that nobody has used is read as well; one that was
// pulled out is not found, and the other still is.
func withoutOpenSC(t *testing.T, seats [2]*pcsc.Seat) {
	j := new(journal)
	m := recorded.New(nil, j, audit.File{})
	m.UseCards(pcsclite.New())
	tries := func(serial string) error {
		return m.Card(serial, func(c *recorded.Card) error {
			left, told, err := c.Tries(apdu.UserPIN)
			if left != 3 || !told {
				t.Errorf("%s: tries %d, %v", serial, left, told)
			}
			return err
		})
	}
	for _, serial := range []string{"ZZSIM000001", "ZZSIM000002", "ZZSIM000001"} {
		if err := tries(serial); err != nil {
			t.Fatal(err)
		}
	}
	if err := tries("ZZSIM000003"); !errors.Is(err, recorded.ErrNoCard) {
		t.Errorf("a serial number that no card has: %v", err)
	}
	if err := seats[0].Remove(); err != nil {
		t.Fatal(err)
	}
	if err := tries("ZZSIM000001"); err == nil {
		t.Error("a card that was pulled out is found")
	}
	if err := tries("ZZSIM000002"); err != nil {
		t.Error(err)
	}
}

// pulledOut: a card that goes away while it is held says so, and letting it
// go is no error of its own.
func pulledOut(t *testing.T, seats [2]*pcsc.Seat) {
	m := recorded.New(nil, new(journal), audit.File{})
	m.UseCards(pcsclite.New())
	err := m.Card("ZZSIM000002", func(c *recorded.Card) error {
		if err := seats[1].Remove(); err != nil {
			t.Fatal(err)
		}
		_, err := c.Files()
		return err
	})
	var code apdu.Code
	if !errors.As(err, &code) {
		t.Errorf("%v, want a return value of PC/SC", err)
	}
}

// TestOutOfOrder: calls that make no sense are refused, not sent.
func TestOutOfOrder(t *testing.T) {
	s := pcsclite.New()
	for _, c := range []apdu.Call{{Function: apdu.Connect, Reader: "r"}, {Function: apdu.Transmit, Command: apdu.Enumerate()}, {Function: apdu.Transmit}, {Function: "SCardControl"}} {
		if _, err := s.Do(c); err == nil {
			t.Errorf("%s is made", c.Function)
		}
	}
	if _, err := s.Do(apdu.Call{Function: apdu.Disconnect}); err != nil {
		t.Errorf("letting go of nothing: %v", err)
	}
}
