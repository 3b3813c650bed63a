package steps

import (
	"bytes"
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

// A keyUnwrap step restores a key onto a second token.
type keyUnwrap struct {
	Key      string `yaml:"key,required" desc:"the copy, from the script's keys: on the second token, with algorithm, label and id of the key that was wrapped"`
	Of       string `yaml:"of,required" desc:"the key that it is a copy of, from the script's keys"`
	From     string `yaml:"from,required" desc:"folder on the medium: beside the script, or in the folder that --media names"`
	File     string `yaml:"file,required" desc:"the wrapped key's file there, made by a key-wrap step or sc-hsm-tool"`
	SHA256   string `yaml:"sha256" desc:"SHA-256 of the file, if an earlier ceremony made it: 64 hex digits"`
	ReadBack string `yaml:"read_back" desc:"participant who types back the SHA-256 of the copy's public key, as the actor reads it aloud; it is compared"`
}

// Check wants a second token with a complete DKEK, and a key to copy.
func (a *keyUnwrap) Check(w *ceremony.World) {
	w.CheckReadBack(a.ReadBack)
	onMedium(w, "from", a.From, a.File)
	hexField(w, "sha256", a.SHA256, 64)
	k, of := w.Keys[a.Key], w.Keys[a.Of]
	if k == nil || of == nil {
		for field, name := range map[string]string{"key": a.Key, "of": a.Of} {
			if w.Keys[name] == nil {
				w.Problem(field, "%q is not one of the script's keys", name)
			}
		}
		return
	}
	switch {
	case k.Spec.Token == of.Spec.Token:
		w.Problem("key", "key %q is on the token of %q: a copy goes onto a second one", a.Key, a.Of)
	case k.Spec.Algorithm != of.Spec.Algorithm || k.Spec.Label != of.Spec.Label || k.Spec.KeyID != of.Spec.KeyID:
		w.Problem("key", "a copy has the algorithm, label and id of its key: give %q those of %q", a.Key, a.Of)
	case k.Exists:
		w.Problem("key", "key %q exists already", a.Key)
	}
	k.Exists = true
	t := identified(w, k.Spec.Token)
	if t == nil {
		return
	}
	if t.UserPIN == "" {
		w.Problem("key", "token %q has no user PIN yet: a set-user-pin step must come first", k.Spec.Token)
	}
	custodian(w, t, token.UserPIN)
	backsUp(w, t, "key")
	allShares(w, t, "key")
}

// Announce says where the copy comes to be.
func (a *keyUnwrap) Announce(s *ceremony.Session) (effect, irreversible string) {
	return fmt.Sprintf("token %s takes in a copy of key %s from %s/%s", s.Script().Key(a.Key).Token, a.Of, a.From, a.File),
		"from then on the key is in two tokens, and each has to be guarded as the only one"
}

// Run takes the key in once, and has PKCS#11 show it.
func (a *keyUnwrap) Run(s *ceremony.Session) error {
	k := s.Script().Key(a.Key)
	t, without, err := backupToken(s, k.Token)
	if err != nil || without {
		return err
	}
	if !s.Done().Wrote("key-unwrap") {
		w, d, err := a.read(s, t, k)
		if err != nil {
			return err
		}
		if err := a.unwrap(s, t, k, w, d); err != nil {
			return fmt.Errorf("restoring key %q: %w", a.Of, err)
		}
		if _, err := s.Record(d); err != nil {
			return err
		}
		if err := s.Reopen(); err != nil {
			return err
		}
	}
	copied, err := keyOn(s, k, a.find)
	if err != nil {
		return err
	}
	copied.Found = true
	if known := s.State().Keys[a.Of]; known != nil && known.SPKI != copied.SPKI {
		return fmt.Errorf("the copy %q has the public key %s (SHA-256), key %q has %s: it is another key", a.Key, copied.SPKISHA256, a.Of, known.SPKISHA256)
	}
	if err := reportKey(s, k, copied); err != nil {
		return err
	}
	s.Show(room.Text{Text: "The copy was not made in this token: nothing attests that it was, and what the card keeps beside it is the attestation of the first one."})
	return s.ReadBack(a.ReadBack, "the SHA-256 of the public key "+k.Name, copied.SPKISHA256)
}

func (a *keyUnwrap) find(_ *ceremony.Session, t *ceremony.Token, session uint, k *ceremony.KeySpec) (int64, error) {
	_, _, found, err := t.FindKey(session, k)
	if err == nil && !found {
		err = fmt.Errorf("key %q (label %q, id %s) is not seen on token %q", k.Name, k.Label, k.KeyID, t.Name)
	}
	return 0, err
}

// read reads the file, which must be the right one.
func (a *keyUnwrap) read(s *ceremony.Session, t *ceremony.Token, k *ceremony.KeySpec) (dkek.Wrapped, *audit.KeyUnwrap, error) {
	const bring = "; nothing was sent to the token: bring the right medium"
	name := a.From + "/" + a.File
	b, err := s.ReadMedia(name, apdu.MaxData)
	if err != nil {
		return dkek.Wrapped{}, nil, err
	}
	f := ceremony.FileOf(name, b)
	w, err := dkek.ParseWrapped(b)
	if err != nil {
		return w, nil, fmt.Errorf("%s: %w"+bring, name, err)
	}
	wrapped := s.State().Backup.Wraps[a.Of]
	label, id, ok := dkek.Names(w.Description)
	switch {
	case a.SHA256 != "" && f.SHA256 != a.SHA256:
		err = fmt.Errorf("%s is another file than the script says: its SHA-256 is %s, expected %s"+bring, name, f.SHA256, a.SHA256)
	case wrapped != nil && wrapped.File.SHA256 != f.SHA256:
		err = fmt.Errorf("%s is not what key %q was wrapped to: its SHA-256 is %s, the log says %s"+bring, name, a.Of, f.SHA256, wrapped.File.SHA256)
	case !ok || label != k.Label || !bytes.Equal(id, k.ID()):
		err = fmt.Errorf("%s holds the key with the label %q and the id %x, expected %q and %s"+bring, name, label, id, k.Label, k.KeyID)
	}
	return w, &audit.KeyUnwrap{Key: a.Key, Of: a.Of, Token: t.Name, Serial: t.Info.Serial, KeyCheck: w.CheckValue(), File: f, Blob: sumOf(w.Blob)}, err
}

// unwrap gives the card the key and what belongs to it, unless an earlier attempt
// did.
func (a *keyUnwrap) unwrap(s *ceremony.Session, t *ceremony.Token, k *ceremony.KeySpec, w dkek.Wrapped, d *audit.KeyUnwrap) error {
	seq, attempted := s.Done().Attempted(apdu.UnwrapKey)
	return t.WithLogin(token.NormalUser, func(session uint, _ token.PIN) error {
		if !attempted {
			if err := t.Unused(session, k); err != nil {
				return err
			}
		}
		return t.Card(func(c *recorded.Card) error {
			state, err := completeDKEK(s, t, c)
			if err != nil {
				return err
			}
			if state.KeyCheck != d.KeyCheck {
				return fmt.Errorf("the key is wrapped under the key check value %s, and token %q has %s: its shares are others; nothing was sent: initialise this token anew with the shares of the first one", d.KeyCheck, t.Name, state.KeyCheck)
			}
			number, there, err := place(c, w, attempted)
			if err != nil {
				return err
			}
			if there {
				s.Show(room.Text{Text: "The card has a key that an earlier attempt gave it; it is not given again."})
				if out, ok := s.Done().Happened(apdu.UnwrapKey); ok {
					seq = out
				}
				d.Call = seq
			} else {
				_, status, err := c.Transmit(apdu.Unwrap(number, w.Blob))
				d.Call = c.Seq
				if err != nil || status != apdu.OK {
					return errors.Join(err, commandRefused("UNWRAP KEY", status))
				}
			}
			if err := write(c, apdu.KeyDescription|uint16(number), w.Description); err != nil {
				return err
			}
			return write(c, apdu.Attestation|uint16(number), w.Certificate)
		})
	})
}

// place returns the first number that no key has or, after an attempt, that of a
// key without a description or with this one: the attempt took it in.
func place(c *recorded.Card, w dkek.Wrapped, attempted bool) (number byte, there bool, err error) {
	files, err := c.Files()
	if err != nil {
		return 0, false, err
	}
	for n := uint16(1); n <= 0xFF; n++ {
		has := slices.Contains(files, apdu.PrivateKey|n)
		described := slices.Contains(files, apdu.KeyDescription|n)
		switch {
		case !has && !described && !attempted:
			return byte(n), false, nil
		case !has || !attempted:
			continue
		}
		if described {
			b, err := c.ReadFile(apdu.KeyDescription | n)
			if err != nil {
				return 0, false, err
			}
			if !bytes.Equal(b, w.Description) && len(b) > 0 {
				continue
			}
		}
		return byte(n), true, nil
	}
	if attempted {
		return place(c, w, false)
	}
	return 0, false, errors.New("the card has no place for another key")
}

// chunk is how many bytes of a file are written at once.
const chunk = 1000

// write writes a file of the card, nothing if there is nothing to write.
func write(c *recorded.Card, file uint16, b []byte) error {
	for at := 0; at < len(b); at += chunk {
		_, status, err := c.Transmit(apdu.UpdateBinary(file, at, b[at:min(at+chunk, len(b))]))
		if err != nil || status != apdu.OK {
			return errors.Join(err, commandRefused(fmt.Sprintf("writing file %04X", file), status))
		}
	}
	return nil
}
