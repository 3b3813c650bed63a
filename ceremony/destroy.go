package ceremony

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
)

// Halves looks for the two halves of a key by label and id, each of which may
// be missing: a destruction can break off between them. More than one of either
// is an error.
func (t *Token) Halves(session uint, k *KeySpec) (public, private []uint, err error) {
	if public, err = t.FindAll(session, keyTemplate(token.CKO_PUBLIC_KEY, k)); err != nil {
		return nil, nil, err
	}
	if private, err = t.FindAll(session, keyTemplate(token.CKO_PRIVATE_KEY, k)); err != nil {
		return nil, nil, err
	}
	if len(public) > 1 || len(private) > 1 {
		return nil, nil, fmt.Errorf("key %q (label %q, id %s): the token has %d public and %d private halves, expected at most one of each", k.Name, k.Label, k.KeyID, len(public), len(private))
	}
	return public, private, nil
}

// Inventory lists what a session can see on the token and records it. differs
// says what of it should not be there. seq is the entry's.
func (t *Token) Inventory(session uint, login bool, expected string, differs func([]audit.Object) []string) (objects []audit.Object, seq int64, err error) {
	if objects, err = t.Objects(session); err != nil {
		return nil, 0, err
	}
	d := &audit.Inventory{Token: t.Name, Login: login, Objects: objects, Expected: expected, Differs: []string{}}
	if differs != nil {
		d.Differs = append(d.Differs, differs(objects)...)
	}
	e, err := t.s.Record(d)
	if err != nil {
		return nil, 0, err
	}
	return objects, e.Seq, nil
}
