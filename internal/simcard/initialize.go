package simcard

import (
	"errors"

	"github.com/keyrite/keyrite/internal/cvc/tlv"
	"github.com/keyrite/keyrite/internal/simcard/apdu"
)

// A setup is what INITIALIZE DEVICE holds.
type setup struct {
	options byte
	user    []byte
	so      []byte
	tries   int
	dkek    *dkek
}

// readSetup reads 80 options, 81 user PIN, 82 SO-PIN, 91 tries of the user PIN,
// 92 number of DKEK shares. An object that this card does not know (public key
// authentication 93, biometry 95 and 96, key domains 97) is refused, not
// passed over.
func readSetup(data []byte) (setup, error) {
	list, err := tlv.All(data)
	if err != nil {
		return setup{}, apdu.WrongData
	}
	w := setup{tries: 3}
	for _, o := range list {
		switch {
		case o.Tag == 0x80 && len(o.Value) == 2:
			w.options = o.Value[1]
		case o.Tag == 0x81:
			w.user = o.Value
		case o.Tag == 0x82:
			w.so = o.Value
		case o.Tag == 0x91 && len(o.Value) == 1:
			w.tries = int(o.Value[0])
		case o.Tag == 0x92 && len(o.Value) == 1:
			w.dkek = &dkek{Shares: int(o.Value[0])}
		default:
			return setup{}, apdu.WrongData
		}
	}
	if !userLength(w.user) || len(w.so) != soLength || w.options&^(optionResetRetry|optionTransport) != 0 {
		return setup{}, apdu.WrongData
	}
	if w.tries < 1 || w.tries > mostTries(len(w.user)) {
		return setup{}, apdu.WrongData
	}
	return w, nil
}

// mostTries: a short PIN may be tried less often.
func mostTries(length int) int {
	switch length {
	case 6:
		return 3
	case 7:
		return 5
	}
	return 10
}

// initialize is INITIALIZE DEVICE (80 50): everything but the device's own key
// is erased. It takes the SO-PIN that is in force; a wrong one costs a try and
// is answered 6985, none left 6983. A command that is malformed costs nothing.
// Afterwards nothing is selected but the applet, and no PIN is given.
func (c *Card) initialize(cmd apdu.Command) ([]byte, error) {
	if cmd.P1 != 0 || cmd.P2 != 0 {
		return nil, apdu.WrongParameters
	}
	w, err := readSetup(cmd.Data)
	if err != nil {
		return nil, err
	}
	if err := c.try(soPIN, w.so); err != nil {
		var status apdu.Status
		if errors.As(err, &status) {
			if _, counted := status.Left(); counted {
				return nil, apdu.ConditionsNotMet
			}
		}
		return nil, err
	}
	user, err := newPIN(c.random, w.user, w.tries)
	if err != nil {
		return nil, err
	}
	if w.dkek != nil && w.dkek.Shares == 0 {
		if err := w.dkek.random(c.random); err != nil {
			return nil, err
		}
	}
	c.current, c.user = 0, false
	return nil, c.change(func(s *state) error {
		s.Options, s.User, s.DKEK = w.options, user, w.dkek
		s.Keys, s.Files = map[uint8]key{}, map[uint16][]byte{}
		return nil
	})
}
