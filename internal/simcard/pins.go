package simcard

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"github.com/keyrite/keyrite/internal/simcard/apdu"
)

// References of the PINs in P2.
const (
	refUser = 0x81
	refSO   = 0x88
)

// Lengths and tries. The SO-PIN has 8 bytes, sent as they are; the middleware
// makes them out of 16 hex digits.
const (
	userMin  = 6
	userMax  = 16
	soLength = 8
	soTries  = 15
)

// pinRounds is little, as everything else of a card lies beside it in clear.
const pinRounds = 1000

// pin is a PIN and its counter. The PIN is kept as PBKDF2-SHA-256.
type pin struct {
	Salt   []byte `json:"salt"`
	Hash   []byte `json:"hash"`
	Length int    `json:"length"`
	Left   int    `json:"left"`
	Max    int    `json:"max"`
}

func newPIN(random io.Reader, value []byte, tries int) (pin, error) {
	p := pin{Salt: make([]byte, 16), Length: len(value), Left: tries, Max: tries}
	if _, err := io.ReadFull(random, p.Salt); err != nil {
		return pin{}, fmt.Errorf("making a salt: %w", err)
	}
	hash, err := p.hash(value)
	p.Hash = hash
	return p, err
}

func (p *pin) hash(value []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, string(value), p.Salt, pinRounds, 32)
}

// try spends a try on value and gives it back if it is right. The counter is
// stored before the PIN is compared, so that a power cut between the two costs
// a try and never saves one. The error is a status: 63CX or 6983.
func (c *Card) try(which func(*state) *pin, value []byte) error {
	if which(c.s).Left <= 0 {
		return apdu.Blocked
	}
	if err := c.change(func(s *state) error { which(s).Left--; return nil }); err != nil {
		return err
	}
	p := which(c.s)
	hash, err := p.hash(value)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(hash, p.Hash) != 1 {
		return apdu.Tries(p.Left)
	}
	return c.change(func(s *state) error { which(s).Left = which(s).Max; return nil })
}

// Mistype spends a try of the SO-PIN or the user PIN, as whoever types a wrong one
// does. The error is that the card's memory could not be written.
func (c *Card) Mistype(so bool) error {
	which := userPIN
	if so {
		which = soPIN
	}
	wrong := make([]byte, 2*userMax) // longer than any PIN
	if _, err := io.ReadFull(c.random, wrong); err != nil {
		return fmt.Errorf("mistyping a PIN: %w", err)
	}
	err := c.try(which, wrong)
	var status apdu.Status
	if errors.As(err, &status) && !errors.Is(err, errStore) {
		return nil
	}
	return err
}

func userPIN(s *state) *pin { return &s.User }
func soPIN(s *state) *pin   { return &s.SO }

// verify is VERIFY (ISO/IEC 7816-4, 11.5.6). Without data it tells the state:
// 9000 for a user PIN that was given, else what is left. The SO-PIN is never
// given for longer than a command.
func (c *Card) verify(cmd apdu.Command) ([]byte, error) {
	if cmd.P1 != 0 {
		return nil, apdu.WrongParameters
	}
	switch cmd.P2 {
	case refSO:
		if len(cmd.Data) == 0 {
			return nil, apdu.Tries(c.s.SO.Left)
		}
		return nil, c.try(soPIN, cmd.Data)
	case refUser:
		return nil, c.verifyUser(cmd.Data)
	}
	return nil, apdu.ReferenceNotFound
}

func (c *Card) verifyUser(data []byte) error {
	switch {
	case c.s.Options&optionTransport != 0:
		return apdu.NotUsable
	case len(data) == 0 && c.user:
		return nil
	case len(data) == 0:
		return apdu.Tries(c.s.User.Left)
	}
	c.user = false
	if err := c.try(userPIN, data); err != nil {
		return err
	}
	c.user = true
	return nil
}

// changePIN is CHANGE REFERENCE DATA: the old PIN, then the new one. Where one
// ends the card knows from the old one's length.
func (c *Card) changePIN(cmd apdu.Command) ([]byte, error) {
	if cmd.P1 != 0 {
		return nil, apdu.WrongParameters
	}
	which := userPIN
	switch cmd.P2 {
	case refUser:
	case refSO:
		which = soPIN
	default:
		return nil, apdu.ReferenceNotFound
	}
	n := which(c.s).Length
	if len(cmd.Data) < n {
		return nil, apdu.WrongLength
	}
	old, fresh := cmd.Data[:n], cmd.Data[n:]
	if cmd.P2 == refSO && len(fresh) != soLength || cmd.P2 == refUser && !userLength(fresh) {
		return nil, apdu.WrongLength
	}
	if err := c.try(which, old); err != nil {
		return nil, err
	}
	return nil, c.setPIN(which, fresh, func(s *state) {
		if cmd.P2 == refUser {
			s.Options &^= optionTransport
		}
	})
}

func userLength(pin []byte) bool { return len(pin) >= userMin && len(pin) <= userMax }

// setPIN stores a new PIN with a full counter, together with what also changes.
func (c *Card) setPIN(which func(*state) *pin, value []byte, also func(*state)) error {
	p, err := newPIN(c.random, value, which(c.s).Max)
	if err != nil {
		return err
	}
	return c.change(func(s *state) error {
		*which(s) = p
		also(s)
		return nil
	})
}

// resetRetryCounter is RESET RETRY COUNTER for the user PIN: the SO-PIN, then
// (P1 00) a new user PIN. A wrong SO-PIN costs a try of 15, and nothing gives
// the SO-PIN its tries back but the right one.
func (c *Card) resetRetryCounter(cmd apdu.Command) ([]byte, error) {
	switch {
	case cmd.P2 != refUser:
		return nil, apdu.ReferenceNotFound
	case cmd.P1 > 1:
		return nil, apdu.WrongParameters
	case c.s.Options&optionResetRetry == 0:
		return nil, apdu.ConditionsNotMet
	case len(cmd.Data) < soLength:
		return nil, apdu.WrongLength
	}
	so, fresh := cmd.Data[:soLength], cmd.Data[soLength:]
	if cmd.P1 == 0 && !userLength(fresh) || cmd.P1 == 1 && len(fresh) > 0 {
		return nil, apdu.WrongLength
	}
	if err := c.try(soPIN, so); err != nil {
		return nil, err
	}
	c.user = false
	if cmd.P1 == 1 {
		return nil, c.change(func(s *state) error { s.User.Left = s.User.Max; return nil })
	}
	return nil, c.setPIN(userPIN, fresh, func(*state) {})
}
