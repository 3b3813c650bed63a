package steps

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// A keyDestroy step destroys both halves of a key and shows that they are gone.
type keyDestroy struct {
	Key           string `yaml:"key,required" desc:"the key to destroy, from the script's keys"`
	Authorisation string `yaml:"authorisation,required" desc:"who has ordered it, when and why; read aloud before anything is done"`
}

// Check wants a key that can be there, and notes that it is gone from here on.
func (a *keyDestroy) Check(w *ceremony.World) {
	k := w.Keys[a.Key]
	if k == nil {
		w.Problem("key", "%q is not one of the script's keys", a.Key)
		return
	}
	t := w.Tokens[k.Spec.Token]
	if t == nil {
		return // reported with the key itself
	}
	switch {
	case k.Destroyed:
		w.Problem("key", "key %q is destroyed already", a.Key)
	case !k.Exists && t.ComesBlank():
		w.Problem("key", "key %q does not exist by then: a step initialises token %q, and none makes the key", a.Key, k.Spec.Token)
	case !t.Identified:
		w.Problem("key", "token %q is used before a token-identify step has found it", k.Spec.Token)
	case t.UserPIN == "":
		w.Problem("key", "token %q has no user PIN by then, without which a private key is not seen", k.Spec.Token)
	}
	custodian(w, t, token.UserPIN)
	k.Exists, k.Destroyed = false, true
}

// Announce says what is lost.
func (a *keyDestroy) Announce(s *ceremony.Session) (effect, irreversible string) {
	k := s.Script().Key(a.Key)
	return fmt.Sprintf("the key %s (label %q, id %s) on token %s is destroyed", a.Key, k.Label, k.KeyID, k.Token),
		"nothing brings the key back; what it was to sign is signed by nobody any more"
}

// Run destroys what an earlier attempt has not destroyed yet.
func (a *keyDestroy) Run(s *ceremony.Session) error {
	if err := authorised(s, a.Authorisation); err != nil {
		return err
	}
	k := s.Script().Key(a.Key)
	t, err := s.Token(k.Token)
	if err != nil {
		return err
	}
	var d *audit.Destroyed
	err = t.WithLogin(token.NormalUser, func(session uint, _ token.PIN) error {
		objects, _, err := t.Inventory(session, true, "", nil)
		if err != nil {
			return err
		}
		showObjects(s, objects)
		if err := a.destroy(s, t, session, k); err != nil {
			return err
		}
		d, err = a.absent(s, t, session, k)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := s.Record(d); err != nil {
		return err
	}
	return s.Result("key "+a.Key, "destroyed: no object on token "+k.Token+" has its label or its id", false)
}

// authorised reads aloud and records who has ordered what cannot be undone.
func authorised(s *ceremony.Session, text string) error {
	s.Show(room.Text{Text: "Read aloud:"})
	return s.Result("authorisation", text, false)
}

// destroy calls C_DestroyObject for each half that is there: the private one
// first, since that is the one that counts.
func (a *keyDestroy) destroy(s *ceremony.Session, t *ceremony.Token, session uint, k *ceremony.KeySpec) error {
	public, private, err := t.Halves(session, k)
	if err != nil {
		return err
	}
	_, tried := s.Done().Attempted(token.DestroyObject)
	switch {
	case len(public)+len(private) == 0 && !tried:
		return fmt.Errorf("key %q (label %q, id %s) is not on token %q: there is nothing to destroy", a.Key, k.Label, k.KeyID, t.Name)
	case len(public)+len(private) == 0:
		s.Show(room.Text{Text: "An earlier attempt destroyed the key; it is not there any more."})
		return nil
	case len(public)+len(private) == 2:
		if err := sameAsKnown(s, t, session, k); err != nil {
			return err
		}
	}
	if err := confirmWord(s, "destroy", "DESTROY", "destroy key "+a.Key); err != nil {
		return err
	}
	for _, h := range append(private, public...) {
		if _, err := t.Do(token.Call{Function: token.DestroyObject, Session: session, Object: h}); err != nil {
			return fmt.Errorf("destroying key %q: %w", a.Key, err)
		}
	}
	return nil
}

// sameAsKnown stops when the key on the token is not the one that the log knows
// by this name, if it knows one.
func sameAsKnown(s *ceremony.Session, t *ceremony.Token, session uint, k *ceremony.KeySpec) error {
	known := s.State().Keys[k.Name]
	if known == nil {
		return nil
	}
	now, err := readKey(t, session, k, known.Generated)
	if err == nil && now.SPKI != known.SPKI {
		err = fmt.Errorf("key %q on the token is not the one of this ceremony: its public key has the SHA-256 %s, the log says %s", k.Name, now.SPKISHA256, known.SPKISHA256)
	}
	return err
}

// confirmWord waits until the actor has typed a word, and records it as the
// acknowledgement of what.
func confirmWord(s *ceremony.Session, prompt, word, what string) error {
	for {
		v, err := s.AskWord(s.Step.Actor, prompt, "Type the word "+word+" to "+what+", or ! for other choices", word)
		if err != nil {
			return err
		}
		if strings.EqualFold(v, word) {
			_, err := s.Record(&audit.Ack{Person: s.Step.Actor, As: "actor", What: what, Typed: v})
			return err
		}
		s.Show(room.Warning{Text: fmt.Sprintf("%q is not %s; nothing was done.", v, word)})
	}
}

// absent shows that nothing on the token has the key's label or id.
func (a *keyDestroy) absent(s *ceremony.Session, t *ceremony.Token, session uint, k *ceremony.KeySpec) (*audit.Destroyed, error) {
	left := func(objects []audit.Object) (differs []string) {
		for _, o := range objects {
			if o.Label == k.Label || o.ID == k.KeyID {
				differs = append(differs, "still there: "+objectName(o.Class, o.Label, o.ID))
			}
		}
		return differs
	}
	objects, seq, err := t.Inventory(session, true, "without key "+a.Key, left)
	if err != nil {
		return nil, err
	}
	showObjects(s, objects)
	if differs := left(objects); len(differs) > 0 {
		return nil, fmt.Errorf("key %q: %s", a.Key, strings.Join(differs, "; "))
	}
	return &audit.Destroyed{Token: t.Name, Key: a.Key, Call: doneBy(s, token.DestroyObject), After: seq}, nil
}

// doneBy is the entry of the call that a step made: of its outcome, or of its
// intent where only the room knows what became of it.
func doneBy(s *ceremony.Session, f token.Function) int64 {
	if seq, ok := s.Done().Happened(f); ok {
		return seq
	}
	seq, _ := s.Done().Attempted(f)
	return seq
}
