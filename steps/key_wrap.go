package steps

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/dkek"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu"
	"github.com/keyrite/keyrite/internal/token/recorded"
)

// A keyWrap step takes a key out of its token, encrypted.
type keyWrap struct {
	Key  string `yaml:"key,required" desc:"the key to back up, from the script's keys"`
	To   string `yaml:"to,required" desc:"folder to make on the medium: beside the script, or in the folder that --media names"`
	File string `yaml:"file,required" desc:"file to make there, in the form of sc-hsm-tool; it is not put into the bundle"`
}

// Check wants a key on a token whose DKEK is complete.
func (a *keyWrap) Check(w *ceremony.World) {
	onMedium(w, "to", a.To, a.File)
	k := signingKey(w, a.Key)
	if k == nil {
		return
	}
	if t := identified(w, k.Spec.Token); t != nil {
		backsUp(w, t, "key")
		allShares(w, t, "key")
	}
}

// allShares reports a token that the script initialises and that lacks shares of
// its DKEK.
func allShares(w *ceremony.World, t *ceremony.TokenState, field string) {
	switch {
	case t.ComesBlank() && t.Shares == 0:
		w.Problem(field, "token %q is initialised without a DKEK: its token-init step needs dkek_shares", t.Spec.Name)
	case t.ComesBlank() && t.Imported < t.Shares:
		w.Problem(field, "%d of the %d shares of the DKEK of token %q are missing by then: each needs a dkek-import step", t.Shares-t.Imported, t.Shares, t.Spec.Name)
	}
}

// Announce says what the file is worth.
func (a *keyWrap) Announce(s *ceremony.Session) (effect, irreversible string) {
	return fmt.Sprintf("the key %s leaves token %s, encrypted, and is written to %s/%s", a.Key, s.Script().Key(a.Key).Token, a.To, a.File),
		"whoever gets the file and all shares of the key backup key has the key"
}

// Run wraps the key once.
func (a *keyWrap) Run(s *ceremony.Session) error {
	if s.Done().Wrote("key-wrap") {
		s.Show(room.Text{Text: fmt.Sprintf("%s/%s was written in an earlier attempt.", a.To, a.File)})
		return nil
	}
	k := s.Script().Key(a.Key)
	t, without, err := backupToken(s, k.Token)
	if err != nil || without {
		return err
	}
	d := &audit.KeyWrap{Key: a.Key, Token: t.Name, Serial: t.Info.Serial}
	var w dkek.Wrapped
	err = t.WithLogin(token.NormalUser, func(session uint, _ token.PIN) error {
		if err := sameAsKnown(s, t, session, k); err != nil {
			return err
		}
		return t.Card(func(c *recorded.Card) error {
			w, err = a.wrap(s, t, c, k)
			d.Call = c.Seq
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("wrapping key %q: %w", a.Key, err)
	}
	d.KeyCheck, d.Blob = w.CheckValue(), sumOf(w.Blob)
	if d.File, err = toMedium(s, a.To, a.File, w.Bytes()); err != nil {
		return err
	}
	if _, err := s.Record(d); err != nil {
		return err
	}
	s.Show(room.Fact{Name: "key check value", Value: d.KeyCheck, Big: true})
	s.Show(room.Fact{Name: "SHA-256 of " + d.File.Name + ", read back", Value: d.File.SHA256, Big: true})
	return nil
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// wrap has the card give out the key, last of all, after what belongs to it was
// read.
func (a *keyWrap) wrap(s *ceremony.Session, t *ceremony.Token, c *recorded.Card, k *ceremony.KeySpec) (w dkek.Wrapped, err error) {
	d, err := completeDKEK(s, t, c)
	if err != nil {
		return w, err
	}
	number, description, err := findOnCard(c, k)
	if err != nil {
		return w, err
	}
	w.Description = description
	if w.Certificate, err = c.ReadFile(apdu.Attestation | uint16(number)); err != nil && !errors.Is(err, apdu.FileNotFound) {
		return w, err
	}
	blob, status, err := c.Transmit(apdu.Wrap(number))
	if err != nil || status != apdu.OK {
		return w, errors.Join(err, commandRefused("WRAP KEY", status))
	}
	w.Blob = blob
	if w.CheckValue() != d.KeyCheck {
		return w, fmt.Errorf("the card gave a key under the key check value %s, and says that its own is %s", w.CheckValue(), d.KeyCheck)
	}
	return w, nil
}

// findOnCard returns the number that the card knows a key by, and its
// description: that with the key's label and id, of which there must be one.
func findOnCard(c *recorded.Card, k *ceremony.KeySpec) (number byte, description []byte, err error) {
	files, err := c.Files()
	if err != nil {
		return 0, nil, err
	}
	for _, f := range files {
		if f&0xFF00 != apdu.KeyDescription || !slices.Contains(files, apdu.PrivateKey|f&0xFF) {
			continue
		}
		b, err := c.ReadFile(f)
		if err != nil {
			return 0, nil, err
		}
		label, id, ok := dkek.Names(b)
		if !ok || label != k.Label || !bytes.Equal(id, k.ID()) {
			continue
		}
		if description != nil {
			return 0, nil, fmt.Errorf("the card has more than one key with the label %q and the id %s", k.Label, k.KeyID)
		}
		number, description = byte(f), b
	}
	if description == nil {
		return 0, nil, fmt.Errorf("the card has no key with the label %q and the id %s", k.Label, k.KeyID)
	}
	return number, description, nil
}
