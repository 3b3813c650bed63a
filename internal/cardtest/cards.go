// Package cardtest puts simulated SmartCard-HSMs under a pcscd of their own, for
// tests that drive the real OpenSC.
package cardtest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/keyrite/keyrite/internal/simcard"
	"github.com/keyrite/keyrite/internal/simcard/apdu"
	"github.com/keyrite/keyrite/internal/simcard/pcsc"
	"github.com/keyrite/keyrite/internal/token"
)

// PINs of a simulated card as it leaves the factory.
const (
	FactorySOPIN   = token.NitrokeyFactorySOPIN
	FactoryUserPIN = "648219"
)

// Cards are simulated SmartCard-HSMs under a pcscd of their own, to be driven
// through the real OpenSC in this process.
type Cards struct {
	t      testing.TB
	daemon *pcsc.Daemon
	dir    string
	seats  map[int]*pcsc.Seat
}

// New makes n new cards, numbered from 0, and puts as many of them
// into the readers as there are, in order. OpenSC's PC/SC library takes the
// socket's name once for a process, so such tests cannot run in parallel.
func New(t testing.TB, n int) *Cards {
	t.Helper()
	c := &Cards{t: t, dir: filepath.Join(os.TempDir(), fmt.Sprintf("keyrite-cards-%d", os.Getpid())), seats: map[int]*pcsc.Seat{}}
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(c.dir); err != nil {
			t.Error(err)
		}
	})
	var err error
	if c.daemon, err = pcsc.Start(c.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for slot := range c.seats {
			c.Remove(slot)
		}
		if err := c.daemon.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv(pcsc.SocketEnv, c.daemon.Socket())
	for card := range n {
		c.Make(card, "")
		if card < pcsc.Slots {
			c.Insert(card, card)
		}
	}
	return c
}

// Serial is the serial number of a card.
func (c *Cards) Serial(card int) string { return fmt.Sprintf("ZZSIM%06d", card+1) }

func (c *Cards) file(card int) simcard.File {
	return simcard.File(filepath.Join(c.dir, fmt.Sprintf("card-%d", card)))
}

// Make makes a card, in use if it has a label, and inserts it nowhere.
func (c *Cards) Make(card int, label string) {
	c.t.Helper()
	b, err := simcard.Manufacture(c.Serial(card), label, rand.Reader)
	if err == nil {
		if rerr := os.Remove(string(c.file(card))); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
			c.t.Fatal(rerr)
		}
		err = c.file(card).Create(b)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// State is the memory of a card.
func (c *Cards) State(card int) []byte {
	c.t.Helper()
	b, err := c.file(card).Load()
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

func (c *Cards) card(card int) *simcard.Card {
	c.t.Helper()
	s, err := simcard.Open(c.file(card), simcard.Options{Random: rand.Reader})
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// Insert puts a card into a reader.
func (c *Cards) Insert(reader, card int) {
	c.t.Helper()
	seat, err := c.daemon.Insert(reader, c.card(card))
	if err != nil {
		c.t.Fatal(err)
	}
	c.seats[reader] = seat
}

// InsertLater does so after a while, while the test goes on. The returned
// function waits for it.
func (c *Cards) InsertLater(reader, card int, after time.Duration) (wait func()) {
	done := make(chan error, 1)
	go func() {
		time.Sleep(after)
		seat, err := c.daemon.Insert(reader, c.card(card))
		c.seats[reader] = seat
		done <- err
	}()
	return func() {
		c.t.Helper()
		if err := <-done; err != nil {
			c.t.Fatal(err)
		}
	}
}

// Remove takes the card out of a reader.
func (c *Cards) Remove(reader int) {
	c.t.Helper()
	seat := c.seats[reader]
	delete(c.seats, reader)
	if seat == nil {
		return
	}
	if err := seat.Remove(); err != nil {
		c.t.Error(err)
	}
}

// references are those of the PINs in VERIFY.
var references = map[token.PINKind]byte{token.UserPIN: 0x81, token.SOPIN: 0x88}

// Tries returns how many tries are left on a PIN of a card, as the card says
// itself.
func (c *Cards) Tries(card int, kind token.PINKind) int {
	c.t.Helper()
	s := c.card(card)
	c.selectApplet(s)
	return c.verify(s, kind, nil)
}

// Spend gives a card that is in no reader wrong PINs until so many tries are
// left.
func (c *Cards) Spend(card int, kind token.PINKind, left int) {
	c.t.Helper()
	s := c.card(card)
	c.selectApplet(s)
	for n := c.verify(s, kind, nil); n > left; n-- {
		c.verify(s, kind, []byte("87654321"))
	}
	if n := c.verify(s, kind, nil); n != left {
		c.t.Fatalf("%d tries are left on the %s of card %d, not %d", n, kind, card, left)
	}
}

func (c *Cards) selectApplet(s *simcard.Card) {
	c.t.Helper()
	name := []byte{0xE8, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x02, 0x01}
	if a := c.transmit(s, append([]byte{0x00, 0xA4, 0x04, 0x0C, byte(len(name))}, name...)); a != apdu.OK {
		c.t.Fatalf("SELECT: %v", a)
	}
}

// verify sends VERIFY and returns how many tries are left.
func (c *Cards) verify(s *simcard.Card, kind token.PINKind, value []byte) int {
	c.t.Helper()
	command := []byte{0x00, 0x20, 0x00, references[kind]}
	if len(value) > 0 {
		command = append(append(command, byte(len(value))), value...)
	}
	status := c.transmit(s, command)
	if status == apdu.Blocked {
		return 0
	}
	left, ok := status.Left()
	if !ok {
		c.t.Fatalf("VERIFY: %v", status)
	}
	return left
}

func (c *Cards) transmit(s *simcard.Card, command []byte) apdu.Status {
	c.t.Helper()
	a, err := s.Transmit(command)
	if err != nil || len(a) < 2 {
		c.t.Fatalf("the card answers %x, %v", a, err)
	}
	return apdu.Status(uint16(a[len(a)-2])<<8 | uint16(a[len(a)-1]))
}
