package steps

import (
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu"
)

// A tokenInit step initialises a token.
type tokenInit struct {
	Token  string `yaml:"token,required" desc:"the token to initialise; it gets the label the script names"`
	Shares int    `yaml:"dkek_shares" desc:"the token gets a key backup key (DKEK) of that many shares, 1 to 255, which dkek-import steps bring; only a key that is made under one can be backed up. Left out: it gets none"`
	Held   bool   `yaml:"held_so_pin" desc:"the SO-PIN that is asked for is the one that its custodians hold from before; else it is the factory's, or a first one, and the first custodian types it alone"`
}

// InitialisesToken returns the name of the token.
func (a *tokenInit) InitialisesToken() string { return a.Token }

// HeldSOPIN reports whether the SO-PIN was its custodians' own before.
func (a *tokenInit) HeldSOPIN() bool { return a.Held }

// Check notes that everything on the token is gone.
func (a *tokenInit) Check(w *ceremony.World) {
	t := identified(w, a.Token)
	if t == nil {
		return
	}
	for _, k := range w.Keys {
		if k.Spec.Token == a.Token && k.Exists {
			w.Problem("token", "initialising token %q would destroy the key %q made before", a.Token, k.Spec.Name)
		}
	}
	if a.Held {
		t.SOPIN = "set"
	}
	custodian(w, t, token.SOPIN)
	if t.SOPIN != "set" {
		t.SOPIN = "factory"
	}
	t.Initialised, t.UserPIN = true, ""
	if a.Shares < 0 || a.Shares > 255 {
		w.Problem("dkek_shares", "expected 1 to 255 shares")
	}
	if a.Shares > 0 {
		backsUp(w, t, "dkek_shares")
	}
	t.Shares, t.Imported = a.Shares, 0
}

// Announce says what is lost.
func (a *tokenInit) Announce(s *ceremony.Session) (effect, irreversible string) {
	return fmt.Sprintf("token %s is initialised and gets the label %q", a.Token, s.Script().Token(a.Token).Label),
		"every key and certificate on the token is destroyed for good"
}

// Run calls C_InitToken once and looks at what came of it.
func (a *tokenInit) Run(s *ceremony.Session) error {
	done, err := a.done(s)
	if err != nil {
		return err
	}
	if !done {
		if err := a.init(s); err != nil {
			return err
		}
	}
	t, err := s.Token(a.Token)
	if err != nil {
		return err
	}
	differs, err := t.Describe()
	if err != nil {
		return err
	}
	showToken(s, t)
	if !t.Model.Labelled(t.Info, t.Spec.Label) {
		if err := s.Result("label", fmt.Sprintf("%q was asked for, the token says %q", t.Spec.Label, t.Info.Label), false); err != nil {
			return err
		}
	}
	if t.Blank() {
		differs = append(differs, "it is not initialised")
	}
	if len(differs) > 0 {
		return fmt.Errorf("after C_InitToken token %q is not as the script says: %v", a.Token, differs)
	}
	return nil
}

// done reports whether the token was initialised in an earlier attempt. What
// the room says of a call without an outcome must show on the token; where it
// cannot, the token is initialised again, which harms nothing: there is no key.
func (a *tokenInit) done(s *ceremony.Session) (bool, error) {
	if _, ok := s.Done().Happened(apdu.InitializeDevice); ok {
		t, err := s.Token(a.Token)
		return err == nil && t.Model.Labelled(t.Info, t.Spec.Label), err
	}
	if _, ok := s.Done().Happened(token.InitToken); ok {
		return true, nil
	}
	if _, ok := s.Done().Said(token.InitToken); !ok {
		return false, nil
	}
	t, err := s.Token(a.Token)
	if err != nil {
		return false, err
	}
	shows := t.Model.Label.Sticks && !t.Blank() && t.Model.Labelled(t.Info, t.Spec.Label)
	if !shows {
		s.Show(room.Warning{Text: "The token does not show that it was initialised; it is initialised again."})
	}
	return shows, nil
}

func (a *tokenInit) init(s *ceremony.Session) error {
	t, err := s.Token(a.Token)
	if err != nil {
		return err
	}
	if err := t.LabelFree(); err != nil {
		return err
	}
	if err := t.WarnLastTry(token.SOPIN); err != nil {
		return err
	}
	pin, err := t.PIN(token.SOPIN, ceremony.Current)
	if err != nil {
		return err
	}
	defer pin.Wipe()
	if a.Shares > 0 && t.Model.CardTells {
		return initDKEK(s, t, pin, a.Shares)
	}
	_, err = t.Do(token.Call{Function: token.InitToken, Slot: t.Slot, PIN: pin, Label: t.Spec.Label})
	if err != nil {
		return fmt.Errorf("initialising token %q: %w%s", a.Token, err, t.Tries(token.SOPIN))
	}
	return nil
}

// A setSOPIN step replaces the SO-PIN.
type setSOPIN struct {
	Token string `yaml:"token,required" desc:"the token whose SO-PIN is replaced"`
}

// Check notes that the SO-PIN is the custodian's own from here on.
func (a *setSOPIN) Check(w *ceremony.World) {
	t := identified(w, a.Token)
	if t == nil {
		return
	}
	if !t.Initialised {
		w.Problem("token", "token %q is not initialised yet: a token-init step must come first", a.Token)
	}
	custodian(w, t, token.SOPIN)
	holders(w, t, token.SOPIN)
	t.SOPIN = "set"
}

// Announce says what a wrong SO-PIN costs.
func (a *setSOPIN) Announce(*ceremony.Session) (effect, irreversible string) {
	return "the SO-PIN is replaced; a wrong current one costs a try that never comes back",
		"whoever loses the new SO-PIN can never initialise the token nor unblock its user PIN"
}

// Run logs in as security officer and calls C_SetPIN once.
func (a *setSOPIN) Run(s *ceremony.Session) error {
	if seq, done := s.Done().Happened(token.SetPIN); done {
		return s.Result("SO-PIN", earlier(seq), false)
	}
	t, err := s.Token(a.Token)
	if err != nil {
		return err
	}
	if err := replacePIN(s, t, token.SOPIN, nil); err != nil {
		return err
	}
	return s.Result("SO-PIN", "set", false)
}

// A proof is called in the login that changed a PIN, with the old one and the
// new one, and leaves the session logged in.
type proof func(session uint, old, fresh token.PIN) error

// replacePIN has a PIN that is in use replaced by a new one, once. Where the room
// says that an earlier attempt did it, whose outcome the log does not have, the new
// PIN is typed to prove it.
func replacePIN(s *ceremony.Session, t *ceremony.Token, kind token.PINKind, after proof) error {
	_, said := s.Done().Said(token.SetPIN)
	if said {
		s.Show(room.Text{Text: sayProof(kind.String())})
	}
	return t.WithLogin(userOf(kind), func(session uint, pin token.PIN) error {
		if said {
			return provePIN(t, session, kind, pin)
		}
		return changePIN(t, session, kind, pin, after)
	})
}

// provePIN shows that a PIN with which a session is logged in is the token's:
// where the login of the SO proves nothing, setting the SO-PIN to itself does.
func provePIN(t *ceremony.Token, session uint, kind token.PINKind, pin token.PIN) error {
	if kind == token.UserPIN {
		return nil
	}
	if err := t.Model.CheckNew(token.SOPIN, pin); err != nil {
		return fmt.Errorf("what was typed is not a new SO-PIN: %w", err)
	}
	if t.Model.SOLoginChecks {
		return nil
	}
	return setPIN(t, session, token.SOPIN, pin, pin)
}

// userOf returns who logs in with a PIN.
func userOf(kind token.PINKind) token.User {
	if kind == token.SOPIN {
		return token.SO
	}
	return token.NormalUser
}

// earlier is what is said of a PIN that an earlier attempt has set.
func earlier(seq int64) string { return fmt.Sprintf("was set in an earlier attempt (entry %d)", seq) }

func sayProof(pin string) string {
	return "The log does not know whether the new " + pin + " was set. The room says that it was; the new one is now typed to prove it. If the token refuses it, choose \"repeat\" to set it."
}

// changePIN asks for a new PIN, sets it with the old one and has it proved, if
// there is a way.
func changePIN(t *ceremony.Token, session uint, kind token.PINKind, old token.PIN, after proof) error {
	fresh, err := t.PIN(kind, ceremony.New)
	if err != nil {
		return err
	}
	defer fresh.Wipe()
	if fresh.Equal(old) {
		return fmt.Errorf("the new %s is the old one; it was not sent", kind)
	}
	if err := setPIN(t, session, kind, old, fresh); err != nil || after == nil {
		return err
	}
	return after(session, old, fresh)
}

func setPIN(t *ceremony.Token, session uint, kind token.PINKind, old, fresh token.PIN) error {
	_, err := t.Do(token.Call{Function: token.SetPIN, Session: session, PIN: old, NewPIN: fresh})
	if err != nil {
		return fmt.Errorf("setting the %s of %q: %w%s", kind, t.Name, err, t.Tries(kind))
	}
	return nil
}

// A setUserPIN step sets the user PIN.
type setUserPIN struct {
	Token string `yaml:"token,required" desc:"the token whose user PIN is set"`
	Way   string `yaml:"way,required" enum:"by-so,change" desc:"by-so: the security officer sets it (C_InitPIN); change: with the old one (C_SetPIN)"`
}

// Check notes that there is a user PIN from here on.
func (a *setUserPIN) Check(w *ceremony.World) {
	t := identified(w, a.Token)
	if t == nil {
		return
	}
	if !t.Initialised {
		w.Problem("token", "a user PIN is set before token %q is initialised: a token-init step must come first", a.Token)
	}
	if a.Way == "by-so" {
		custodian(w, t, token.SOPIN)
	} else if t.UserPIN == "" {
		w.Problem("way", "token %q has no user PIN yet that could be changed; write by-so", a.Token)
	}
	holders(w, t, token.UserPIN)
	t.UserPIN = "set"
}

// Announce says which way is taken.
func (a *setUserPIN) Announce(*ceremony.Session) (effect, irreversible string) {
	if a.Way == "by-so" {
		return "the security officer sets the user PIN; a wrong SO-PIN costs a try that never comes back", ""
	}
	return "the user PIN is changed; a wrong current one costs a try", ""
}

// Run sets the PIN once, by the way the script says.
func (a *setUserPIN) Run(s *ceremony.Session) error {
	function := map[string]token.Function{"by-so": token.InitPIN, "change": token.SetPIN}[a.Way]
	if seq, done := s.Done().Happened(function); done {
		return s.Result("user PIN", earlier(seq), false)
	}
	t, err := s.Token(a.Token)
	if err != nil {
		return err
	}
	_, said := s.Done().Said(function)
	switch {
	case said && a.Way == "by-so":
		s.Show(room.Text{Text: sayProof("user PIN")})
		err = t.WithLogin(token.NormalUser, func(uint, token.PIN) error { return nil })
	case a.Way == "by-so":
		err = t.WithLogin(token.SO, func(session uint, _ token.PIN) error { return a.initPIN(t, session) })
	default:
		err = replacePIN(s, t, token.UserPIN, nil)
	}
	if err != nil {
		return err
	}
	return s.Result("user PIN", "set ("+a.Way+")", false)
}

func (a *setUserPIN) initPIN(t *ceremony.Token, session uint) error {
	pin, err := t.PIN(token.UserPIN, ceremony.New)
	if err != nil {
		return err
	}
	defer pin.Wipe()
	_, err = t.Do(token.Call{Function: token.InitPIN, Session: session, PIN: pin})
	if err == nil {
		return nil
	}
	if errors.Is(err, token.CKR_PIN_INCORRECT) && !t.Model.SOLoginChecks {
		err = fmt.Errorf("%w: this token does not check the SO-PIN at login, so it is the SO-PIN that was wrong", err)
	}
	return fmt.Errorf("setting the user PIN of %q: %w%s", a.Token, err, t.Tries(token.SOPIN))
}
