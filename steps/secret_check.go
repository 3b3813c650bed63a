package steps

import (
	"errors"
	"fmt"
	"slices"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/token"
)

// A secretCheck step has custodians prove that their shares are still right.
type secretCheck struct {
	Token      string   `yaml:"token,required" desc:"the token whose PIN the shares are of; it is not touched"`
	PIN        string   `yaml:"pin,required" enum:"user,so" desc:"which PIN"`
	Custodians []string `yaml:"custodians" desc:"whose shares; those of all who hold one if left out"`
}

func (a *secretCheck) kind() token.PINKind { return (&pinChange{PIN: a.PIN}).kind() }

// Check wants shares that exist by then and something to hold them against.
func (a *secretCheck) Check(w *ceremony.World) {
	t := knownToken(w, a.Token)
	if t == nil {
		return
	}
	held := t.Spec.Held(a.kind())
	switch {
	case held.Way != ceremony.Shares:
		w.Problem("pin", "the %s of %q is not held in shares: a part that is only in somebody's head has no check value, and none is ever made", a.kind(), a.Token)
		return
	case !t.Made[a.kind()] && len(held.Commitments) == 0:
		w.Problem("pin", "no share of the %s of %q is made before this step, and the script gives no commitments of an earlier ceremony", a.kind(), a.Token)
	}
	for i, id := range a.Custodians {
		field := fmt.Sprintf("custodians[%d]", i)
		if !slices.Contains(held.Custodians, id) {
			w.Problem(field, "%q holds no share of the %s of %q", id, a.kind(), a.Token)
		} else if slices.Contains(a.Custodians[:i], id) {
			w.Problem(field, "%q is there twice", id)
		}
	}
	for _, id := range a.who(held) {
		w.Asks(id, fmt.Sprintf("show that your share of the %s of token %s is still right", a.kind(), a.Token))
		if w.Present != nil && !w.Present[id] && w.Script.Participant(id) != nil {
			w.Problem("custodians", "the share of %q is to be checked, who was not called at the roll call", id)
		}
	}
}

func (a *secretCheck) who(held ceremony.PINSpec) []string {
	if len(a.Custodians) > 0 {
		return a.Custodians
	}
	return held.Custodians
}

// Run checks one share after the other; what is wrong with one does not keep the
// others from being checked.
func (a *secretCheck) Run(s *ceremony.Session) error {
	var wrong []error
	for _, person := range a.who(s.Script().Token(a.Token).Held(a.kind())) {
		err := s.CheckShare(a.Token, a.kind(), person)
		if ceremony.Fatal(err) {
			return err
		}
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}
