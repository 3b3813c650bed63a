package steps

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/cvc/tlv"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu"
	"github.com/keyrite/keyrite/internal/token/recorded"
)

// backsUp reports a token whose model has no key backup that keyrite knows.
func backsUp(w *ceremony.World, t *ceremony.TokenState, field string) {
	if m, ok := token.Models[t.Spec.Model]; ok && !m.CardTells {
		w.Problem(field, "token %q is a %s, which has no DKEK: keyrite backs up keys of a SmartCard-HSM only", t.Spec.Name, m.Title)
	}
}

// backupToken is the token of a step that backs up a key. without is true where the
// token of a rehearsal only stands in for one with a DKEK: the step is then
// talked through, which is recorded.
func backupToken(s *ceremony.Session, name string) (t *ceremony.Token, without bool, err error) {
	t, err = s.Token(name)
	if err != nil || t.Model.CardTells {
		return t, false, err
	}
	if !s.Stand() {
		return t, false, fmt.Errorf("token %q is a %s, which has no DKEK", name, t.Model.Title)
	}
	const note = "REHEARSAL: the token that stands in has no DKEK; the step is talked through and nothing is done. Rehearse it with --token nitrokey-sim"
	s.Show(room.Warning{Text: note})
	return t, true, s.Result("token "+name, note, false)
}

// commandRefused says that a card answered a command with another status than
// 9000, and what to do.
func commandRefused(what string, status apdu.Status) error {
	if status == apdu.OK {
		return nil
	}
	return fmt.Errorf("%s: %w", what, status)
}

// noDKEK is what a card says that was initialised without a DKEK.
const noDKEK apdu.Status = 0x6D00

// askDKEK asks a card what it says of its DKEK.
func askDKEK(c *recorded.Card) (apdu.DKEK, error) {
	b, status, err := c.Transmit(apdu.AskDKEK())
	switch {
	case err != nil:
		return apdu.DKEK{}, err
	case status == noDKEK:
		return apdu.DKEK{}, errors.New("the token was initialised without a DKEK, so that no key leaves it or comes in; only a token-init step with dkek_shares changes that, which destroys what is on it")
	case status != apdu.OK:
		return apdu.DKEK{}, commandRefused("asking for the DKEK", status)
	}
	return apdu.ParseDKEK(b)
}

// completeDKEK is askDKEK for a card that must have all shares, and the key check
// value that the log has of it, if it has one.
func completeDKEK(s *ceremony.Session, t *ceremony.Token, c *recorded.Card) (apdu.DKEK, error) {
	d, err := askDKEK(c)
	if err != nil {
		return d, err
	}
	if d.Outstanding > 0 {
		return d, fmt.Errorf("token %q: %d of the %d shares of its DKEK are missing: a dkek-import step for each must come first; nothing was done", t.Name, d.Outstanding, d.Shares)
	}
	if known := s.State().Backup.KeyCheck(t.Name); known != "" && known != d.KeyCheck {
		return d, fmt.Errorf("token %q: its key check value is %s, the log says %s: it was set up anew, or is another one; nothing was done", t.Name, d.KeyCheck, known)
	}
	return d, nil
}

// wrongSOPIN is what INITIALIZE DEVICE is answered when the SO-PIN is wrong.
const wrongSOPIN apdu.Status = 0x6985

// initDKEK initialises a card with a DKEK of so many shares, which C_InitToken
// cannot do. The user PIN that the card must be given is made of random digits and
// known to nobody; the security officer sets the real one afterwards, as after
// C_InitToken.
func initDKEK(s *ceremony.Session, t *ceremony.Token, soPIN token.PIN, shares int) error {
	so := make([]byte, 8)
	defer clear(so)
	n := 0
	soPIN.Reveal(func(b []byte) {
		if len(b) == 2*len(so) {
			n, _ = hex.Decode(so, b)
		}
	})
	if n != len(so) {
		return fmt.Errorf("initialising token %q: its SO-PIN has 16 digits", t.Name)
	}
	user, err := passingPIN(s.Rand())
	if err != nil {
		return err
	}
	defer clear(user)
	err = t.Card(func(c *recorded.Card) error {
		set := apdu.Initialize(so, user, byte(t.Model.User.Tries), byte(shares))
		defer clear(set.Data)
		_, status, err := c.Transmit(set)
		if err != nil {
			return err
		}
		if status != apdu.OK {
			return initRefused(c, status)
		}
		if _, status, err = c.Transmit(apdu.Verify(apdu.UserPIN, user)); err != nil || status != apdu.OK {
			return errors.Join(err, commandRefused("giving the passing user PIN", status))
		}
		_, status, err = c.Transmit(apdu.UpdateBinary(apdu.TokenInfo, 0, tokenInfo(t.Spec.Label)))
		return errors.Join(err, commandRefused("writing the label", status))
	})
	if err != nil {
		return fmt.Errorf("initialising token %q: %w", t.Name, err)
	}
	if err := s.Result("token "+t.Name, fmt.Sprintf("initialised with a DKEK of %d shares, none of which it has yet; %d tries of the user PIN", shares, t.Model.User.Tries), false); err != nil {
		return err
	}
	return s.Reopen()
}

// initRefused says why a card was not initialised.
func initRefused(c *recorded.Card, status apdu.Status) error {
	if status != wrongSOPIN {
		return commandRefused("INITIALIZE DEVICE", status)
	}
	err := fmt.Errorf("the SO-PIN was wrong (%04X), which costs a try; nothing was changed", uint16(status))
	if left, told, terr := c.Tries(apdu.SOPIN); terr == nil && told {
		err = fmt.Errorf("%w; tries left: %d", err, left)
	}
	return err
}

// passingPIN is eight random digits.
func passingPIN(random io.Reader) ([]byte, error) {
	pin := make([]byte, 0, 8)
	var b [1]byte
	for len(pin) < cap(pin) {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return nil, fmt.Errorf("drawing a passing user PIN: %w", err)
		}
		if b[0] < 250 {
			pin = append(pin, '0'+b[0]%10)
		}
	}
	return pin, nil
}

// tokenInfo is the TokenInfo that OpenSC reads the label from (PKCS #15, 6.9):
// version, label, and the flag that the card makes random numbers.
func tokenInfo(label string) []byte {
	info := tlv.Append(nil, 0x02, []byte{0})
	info = tlv.Append(info, 0x80, []byte(label))
	info = tlv.Append(info, 0x03, []byte{4, 0x10})
	return tlv.Append(nil, 0x30, info)
}
