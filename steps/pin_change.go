package steps

import (
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// What a script can ask to be done with a PIN that was replaced.
const (
	leaveOld = "leave"
	tryOld   = "try"
)

// A pinChange step replaces a PIN that is in use, says why, and shows that the
// token took the new one.
type pinChange struct {
	Token  string `yaml:"token,required" desc:"the token whose PIN is changed"`
	PIN    string `yaml:"pin,required" enum:"user,so" desc:"which PIN"`
	Reason string `yaml:"reason,required" desc:"why it is changed: a custodian leaves, a date, a suspicion"`
	OldPIN string `yaml:"old_pin" enum:"leave,try" desc:"try: the old PIN is sent once more and must be refused; on a token that counts the tries of the user PIN the room is asked first, and where a try never comes back it cannot be asked for. leave, if left out: it is not tried"`
}

func (a *pinChange) kind() token.PINKind {
	if a.PIN == "so" {
		return token.SOPIN
	}
	return token.UserPIN
}

// Check wants a PIN that there is, its custodian, and no try that never comes
// back.
func (a *pinChange) Check(w *ceremony.World) {
	t := identified(w, a.Token)
	if t == nil {
		return
	}
	state := &t.UserPIN
	if a.kind() == token.SOPIN {
		state = &t.SOPIN
	}
	if *state == "" {
		w.Problem("pin", "token %q has no %s by then that could be changed", a.Token, a.kind())
	}
	custodian(w, t, a.kind())
	holders(w, t, a.kind())
	if m, known := token.Models[t.Spec.Model]; known {
		if why := triesNever(&m, a.kind()); a.OldPIN == tryOld && why != "" {
			w.Problem("old_pin", "the old %s of a %s cannot be tried: %s; write leave", a.kind(), t.Spec.Model, why)
		}
	}
	*state = "set"
}

// triesNever says why an old PIN is never tried on tokens of a model, "" if it
// can be.
func triesNever(m *token.Model, kind token.PINKind) string {
	rule := m.Rule(kind)
	switch {
	case kind == token.SOPIN && !m.SOLoginChecks:
		return "its login refuses none"
	case rule.Tries > 0 && rule.Final:
		return "a wrong try may never come back"
	}
	return ""
}

// Announce says what a wrong PIN costs.
func (a *pinChange) Announce(s *ceremony.Session) (effect, irreversible string) {
	if a.kind() == token.SOPIN {
		return (&setSOPIN{Token: a.Token}).Announce(s)
	}
	return "the user PIN is replaced; a wrong current one costs a try", ""
}

// Run changes the PIN once, and proves it.
func (a *pinChange) Run(s *ceremony.Session) error {
	kind := a.kind()
	if err := s.Result("reason for the change", a.Reason, false); err != nil {
		return err
	}
	t, err := s.Token(a.Token)
	if err != nil {
		return err
	}
	if err := showTries(s, t, kind, "before"); err != nil {
		return err
	}
	seq, happened := s.Done().Happened(token.SetPIN)
	_, said := s.Done().Said(token.SetPIN)
	if happened || said {
		err = a.proveAgain(s, t, seq, happened)
	} else {
		err = a.change(s, t)
	}
	if err != nil {
		return err
	}
	return showTries(s, t, kind, "after")
}

// change asks what has to be asked before a PIN is in memory, then changes it.
func (a *pinChange) change(s *ceremony.Session, t *ceremony.Token) error {
	kind := a.kind()
	try := false
	if a.OldPIN == tryOld {
		var err error
		if try, err = mayTry(s, t, kind); err != nil {
			return err
		}
	}
	return replacePIN(s, t, kind, func(session uint, old, fresh token.PIN) error {
		if err := s.Result(kind.String(), "replaced", false); err != nil {
			return err
		}
		if _, err := t.Do(token.Call{Function: token.Logout, Session: session}); err != nil {
			return err
		}
		if try {
			if err := refused(s, t, session, kind, old); err != nil {
				return err
			}
		}
		if _, err := t.Do(token.Call{Function: token.Login, Session: session, User: userOf(kind), PIN: fresh}); err != nil {
			return fmt.Errorf("the token does not take the new %s that it has just been given: %w%s", kind, err, t.Tries(kind))
		}
		if err := provePIN(t, session, kind, fresh); err != nil {
			return err
		}
		return loggedIn(s, t, session, kind)
	})
}

// proveAgain has the new PIN typed after an earlier attempt changed it. The old
// one is in no memory any more, so nothing can be said of it.
func (a *pinChange) proveAgain(s *ceremony.Session, t *ceremony.Token, seq int64, happened bool) error {
	kind := a.kind()
	if happened {
		s.Show(room.Text{Text: fmt.Sprintf("The %s %s. The new one is typed to prove it.", kind, earlier(seq))})
	} else {
		s.Show(room.Text{Text: sayProof(kind.String())})
	}
	if a.OldPIN == tryOld {
		if err := s.Result("old "+kind.String(), "not tried: the step broke off after the change, and nothing holds the old PIN any more", false); err != nil {
			return err
		}
	}
	return t.WithLogin(userOf(kind), func(session uint, pin token.PIN) error {
		if err := provePIN(t, session, kind, pin); err != nil {
			return err
		}
		return loggedIn(s, t, session, kind)
	})
}

// showTries shows and records what the token says of the tries of a PIN.
func showTries(s *ceremony.Session, t *ceremony.Token, kind token.PINKind, when string) error {
	r, err := t.Do(token.Call{Function: token.GetTokenInfo, Slot: t.Slot})
	if err != nil {
		return err
	}
	t.Info = r.Token
	return s.Result("tries of the "+kind.String()+" "+when, t.Model.Tries(kind, t.Info.Flags).String(), false)
}

// mayTry reports whether a PIN that is no longer right may be tried: without a
// question where nothing is counted, never where a try may not come back, else
// only while none was spent and if the room agrees.
func mayTry(s *ceremony.Session, t *ceremony.Token, kind token.PINKind) (bool, error) {
	why := triesNever(t.Model, kind)
	rule := t.Model.Rule(kind)
	if left := t.Model.Tries(kind, t.Info.Flags); why == "" && rule.Tries > 0 && left != token.TriesAll {
		why = "the token says of the tries: " + left.String()
	}
	switch {
	case why != "":
		return false, s.Result("old "+kind.String(), "not tried: "+why, false)
	case rule.Tries == 0:
		return true, nil
	}
	v, err := s.Decide(s.Step.Actor, "try-old", fmt.Sprintf("The old %s is to be tried once more and refused. That spends one of %d tries, which the right one gives back at once. Is it tried?", kind, rule.Tries),
		room.Choice{Word: "try", Does: "send the old one once; the new one follows in the same session"},
		room.Choice{Word: "leave", Does: "do not try it; the log says so"})
	if err != nil || v == "try" {
		return err == nil, err
	}
	return false, s.Result("old "+kind.String(), "not tried: the room decided so", false)
}

// refused sends a PIN that must not be right any more, after the room has seen
// what tries are left. The ledger counts it as spent.
func refused(s *ceremony.Session, t *ceremony.Token, session uint, kind token.PINKind, old token.PIN) error {
	if _, err := t.LookTries(); err != nil {
		return err
	}
	s.Show(room.Text{Text: fmt.Sprintf("The old %s is sent now, on purpose, and must be refused.", kind)})
	_, err := t.Do(token.Call{Function: token.Login, Session: session, User: userOf(kind), PIN: old})
	var rv token.RV
	switch {
	case err == nil:
		return fmt.Errorf("the token still takes the old %s", kind)
	case errors.Is(err, token.CKR_PIN_INCORRECT), errors.Is(err, token.CKR_USER_PIN_NOT_INITIALIZED):
		return s.Result("old "+kind.String(), "refused: "+err.Error(), false)
	case errors.As(err, &rv):
		return fmt.Errorf("the old %s was neither taken nor refused as wrong: %w", kind, err)
	}
	return err
}
