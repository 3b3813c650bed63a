package steps

import (
	"fmt"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// A pinUnblock step has the security officer set the user PIN of a token that
// is blocked. It is an exception, and the room says why.
type pinUnblock struct {
	Token string `yaml:"token,required" desc:"the token whose user PIN is blocked"`
}

// Check is that of the user PIN set by the security officer.
func (a *pinUnblock) Check(w *ceremony.World) {
	if t := w.Tokens[a.Token]; t != nil && t.Identified && t.Initialised && t.UserPIN == "" {
		w.Problem("token", "token %q has no user PIN by then that could be blocked: a set-user-pin step sets the first one", a.Token)
	}
	a.set().Check(w)
}

func (a *pinUnblock) set() *setUserPIN { return &setUserPIN{Token: a.Token, Way: "by-so"} }

// Announce says what a wrong SO-PIN costs.
func (a *pinUnblock) Announce(*ceremony.Session) (effect, irreversible string) {
	return "the security officer sets the blocked user PIN anew; a wrong SO-PIN costs a try",
		"a try of the SO-PIN may never come back, and without the SO-PIN the token can never be unblocked nor initialised again"
}

// Run asks why, sets the PIN once and proves it with a login.
func (a *pinUnblock) Run(s *ceremony.Session) error {
	t, err := s.Token(a.Token)
	if err != nil {
		return err
	}
	_, happened := s.Done().Happened(token.InitPIN)
	_, said := s.Done().Said(token.InitPIN)
	if !happened && !said {
		if err := a.exception(s, t); err != nil {
			return err
		}
	}
	if err := a.set().Run(s); err != nil {
		return err
	}
	if err := (&loginProof{Token: a.Token}).Run(s); err != nil {
		return err
	}
	return showTries(s, t, token.UserPIN, "after")
}

// exception shows the state of the PIN and has the room say why it is to be set
// by somebody who does not hold it.
func (a *pinUnblock) exception(s *ceremony.Session, t *ceremony.Token) error {
	if err := showTries(s, t, token.UserPIN, "before"); err != nil {
		return err
	}
	if err := showTries(s, t, token.SOPIN, "before"); err != nil {
		return err
	}
	for why := ""; why == ""; {
		var err error
		if why, err = s.Ask(s.Step.Actor, "reason", "Why is the user PIN blocked, and who agreed that it is set anew? (one line, for the record)"); err != nil {
			return err
		}
	}
	if !t.Model.Rule(token.UserPIN).InFlags || t.Model.Tries(token.UserPIN, t.Info.Flags) == token.TriesNone {
		return nil
	}
	v, err := s.Decide(s.Step.Actor, "not-blocked", fmt.Sprintf("Token %s says that its user PIN is NOT blocked. Is it set anew all the same?", a.Token),
		room.Choice{Word: "stop", Does: "do not set it: whoever holds the PIN can still use it"},
		room.Choice{Word: "set", Does: "set it; the log says that it was not blocked"})
	if err == nil && v == "stop" {
		err = fmt.Errorf("the user PIN of token %q is not blocked, and the room does not set it", a.Token)
	}
	return err
}
