// Package simcard is a SmartCard-HSM in software: the card that a Nitrokey HSM
// has inside, as far as OpenSC drives it. It exists for rehearsals and tests.
//
// Its keys lie in a file that whoever can read it can copy, and its device
// certificate hangs on a test authority whose private key is public. It proves
// nothing to anybody.
//
// It was written from what is public about the card: ISO/IEC 7816-4, BSI
// TR-03110-3, and what OpenSC 0.23 sends and expects. docs/tokens.md lists what
// the real card does and this one does not.
package simcard

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/keyrite/keyrite/internal/simcard/apdu"
)

// Files that are always there or have a meaning of their own; the first byte of
// the others tells what they hold.
const (
	fileDevAut    = 0x2F02 // the device's certificate and its issuer's
	fileTokenInfo = 0x2F03 // the label, written by OpenSC

	prefixKey       = 0xCC // CCxx stands for key xx, CC00 for the device's
	prefixEECert    = 0xCE // what attests key xx, until a certificate replaces it
	prefixProtected = 0xCD // read only after the user PIN
)

// A Card is one card. It is used by one goroutine at a time.
type Card struct {
	store   Store
	random  io.Reader
	profile Profile
	sleep   func(time.Duration)

	s *state // what the store holds

	// What a reset clears.
	chain    apdu.Chain
	selected bool   // the applet is
	current  uint16 // file, 0 for none
	user     bool   // the user PIN was given
}

// Options are what a card needs from outside.
type Options struct {
	Random  io.Reader           // keys, challenges, nonces
	Profile Profile             // how long commands take
	Sleep   func(time.Duration) // waits; nil does not
}

// Open puts a card together from what store holds: what Manufacture made, and
// what commands changed since.
func Open(store Store, o Options) (*Card, error) {
	b, err := store.Load()
	if err != nil {
		return nil, fmt.Errorf("loading a simulated card: %w", err)
	}
	s, err := parseState(b)
	if err != nil {
		return nil, fmt.Errorf("loading a simulated card: %w", err)
	}
	if o.Sleep == nil {
		o.Sleep = func(time.Duration) {}
	}
	return &Card{store: store, random: o.Random, profile: o.Profile, sleep: o.Sleep, s: s}, nil
}

// Serial returns the serial number that OpenSC reads out of the device's
// certificate.
func (c *Card) Serial() string { return c.s.Serial }

// ATR returns the answer to reset of a SmartCard-HSM 4K, by which OpenSC knows
// its driver: no protocol but T=1, historical bytes "HSM1", extended length.
func (c *Card) ATR() []byte {
	return []byte{0x3B, 0xDE, 0x96, 0xFF, 0x81, 0x91, 0xFE, 0x1F, 0xC3, 0x80, 0x31, 0x81,
		0x54, 0x48, 0x53, 0x4D, 0x31, 0x73, 0x80, 0x21, 0x40, 0x81, 0x07, 0x92}
}

// PowerUp ends what a session left: nothing is selected, no PIN is given.
func (c *Card) PowerUp() {
	c.chain, c.selected, c.current, c.user = apdu.Chain{}, false, 0, false
}

// Transmit answers a command. An error means that the store is broken in a way
// that no status word says: the card is dead.
func (c *Card) Transmit(b []byte) ([]byte, error) {
	cmd, err := apdu.Parse(b)
	if err != nil {
		return apdu.Response(nil, apdu.WrongLength), nil
	}
	whole, done, err := c.chain.Add(cmd)
	if err != nil {
		return apdu.Response(nil, apdu.ChainingRefused), nil
	}
	if !done {
		return apdu.Response(nil, apdu.OK), nil
	}
	data, status, err := c.execute(whole)
	if err != nil {
		return nil, err
	}
	return apdu.Response(data, status), nil
}

// execute runs a whole command.
func (c *Card) execute(cmd apdu.Command) ([]byte, apdu.Status, error) {
	run := c.handler(cmd)
	if run == nil {
		return nil, c.unknown(cmd), nil
	}
	c.sleep(c.profile.Command)
	data, err := run(cmd)
	var status apdu.Status
	switch {
	case err == nil:
		status = apdu.OK
	case errors.As(err, &status):
	case errors.Is(err, errStore):
		status = apdu.MemoryFailure
	default:
		return nil, 0, err
	}
	if cmd.Le == 0 {
		data = nil
	}
	if len(data) > cmd.Le {
		return nil, apdu.WrongLength, nil
	}
	return data, status, nil
}

// A handler returns the data of the response; an error that is a status is the
// response's, and the data goes out with it.
type handler func(apdu.Command) ([]byte, error)

// handler returns what runs a command, nil for one that the card does not know.
func (c *Card) handler(cmd apdu.Command) handler {
	if cmd.CLA == 0 && cmd.INS == 0xA4 {
		return c.selectFile
	}
	if !c.selected {
		return nil
	}
	switch uint16(cmd.CLA)<<8 | uint16(cmd.INS) {
	case 0x0020:
		return c.verify
	case 0x0024:
		return c.changePIN
	case 0x002C:
		return c.resetRetryCounter
	case 0x0046:
		return c.generateKeyPair
	case 0x0084:
		return c.getChallenge
	case 0x00B1:
		return c.readBinary
	case 0x00D7:
		return c.updateBinary
	case 0x00E4:
		return c.deleteFile
	case 0x8050:
		return c.initialize
	case 0x8052:
		return c.importShare
	case 0x8058:
		return c.enumerate
	case 0x8062:
		return c.decipher
	case 0x8068:
		return c.sign
	case 0x8072:
		return c.wrapKey
	case 0x8074:
		return c.unwrapKey
	}
	return nil
}

// unknown tells a class that the card does not have from an instruction.
func (c *Card) unknown(cmd apdu.Command) apdu.Status {
	if cmd.CLA != 0x00 && cmd.CLA != 0x80 {
		return apdu.ClassUnknown
	}
	return apdu.InstructionUnknown
}

// needUser is the condition of most commands.
func (c *Card) needUser() error {
	if !c.user {
		return apdu.NotAuthenticated
	}
	return nil
}

func (c *Card) getChallenge(cmd apdu.Command) ([]byte, error) {
	if cmd.P1 != 0 || cmd.P2 != 0 {
		return nil, apdu.WrongParameters
	}
	if cmd.Le == 0 || cmd.Le > maxChallenge {
		return nil, apdu.WrongLength
	}
	b := make([]byte, cmd.Le)
	if _, err := io.ReadFull(c.random, b); err != nil {
		return nil, fmt.Errorf("reading %d random bytes: %w", cmd.Le, err)
	}
	return b, nil
}

// maxChallenge is the most that OpenSC asks for.
const maxChallenge = 1024
