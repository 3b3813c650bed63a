package steps

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// A tokenWipe step initialises a token at the end of its life and shows that
// nothing is left on it.
type tokenWipe struct {
	Token         string `yaml:"token,required" desc:"the token to wipe; it keeps its SO-PIN and gets the label the script names"`
	Authorisation string `yaml:"authorisation,required" desc:"who has ordered it, when and why; read aloud before anything is done"`
	Login         bool   `yaml:"login" desc:"log in with the user PIN for the inventory before, so that private objects are seen"`
	OldPIN        string `yaml:"old_pin" enum:"leave,try" desc:"try: the user PIN that was in use is sent once more afterwards and must be refused; where the token counts its tries, the room is asked first. leave, if left out: it is not tried"`
}

// Check notes that everything on the token is gone.
func (a *tokenWipe) Check(w *ceremony.World) {
	t := identified(w, a.Token)
	if t == nil {
		return
	}
	if !t.Initialised {
		w.Problem("token", "token %q is not initialised by then: there is nothing on it", a.Token)
	}
	custodian(w, t, token.SOPIN)
	if a.Login || a.OldPIN == tryOld {
		if t.UserPIN == "" {
			w.Problem("token", "token %q has no user PIN by then", a.Token)
		}
		custodian(w, t, token.UserPIN)
	}
	t.UserPIN = ""
	for _, k := range w.Keys {
		if k.Spec.Token == a.Token {
			k.Destroyed = k.Destroyed || k.Exists || !t.ComesBlank()
			k.Exists = false
		}
	}
}

// Announce says what is lost.
func (a *tokenWipe) Announce(*ceremony.Session) (effect, irreversible string) {
	return fmt.Sprintf("token %s is initialised again; a wrong SO-PIN costs a try that may never come back", a.Token),
		"every key and certificate on the token is destroyed for good"
}

// Run initialises the token once and looks at what is left.
func (a *tokenWipe) Run(s *ceremony.Session) error {
	if err := authorised(s, a.Authorisation); err != nil {
		return err
	}
	if _, tried := s.Done().Attempted(token.InitToken); !tried {
		if err := a.before(s); err != nil {
			return err
		}
	}
	if err := (&tokenInit{Token: a.Token, Held: true}).Run(s); err != nil {
		return err
	}
	t, err := s.Token(a.Token)
	if err != nil {
		return err
	}
	seq, err := a.empty(s, t)
	if err != nil {
		return err
	}
	if err := a.oldPIN(s, t); err != nil {
		return err
	}
	_, err = s.Record(&audit.Destroyed{Token: a.Token, Call: doneBy(s, token.InitToken), After: seq})
	return err
}

// before lists what is on the token, and has the actor confirm.
func (a *tokenWipe) before(s *ceremony.Session) error {
	t, err := s.Token(a.Token)
	if err != nil {
		return err
	}
	list := func(session uint) error {
		objects, _, err := t.Inventory(session, a.Login, "", nil)
		if err == nil {
			showObjects(s, objects)
		}
		return err
	}
	if a.Login {
		err = t.WithLogin(token.NormalUser, func(session uint, _ token.PIN) error { return list(session) })
	} else {
		err = t.WithSession(false, list)
	}
	if err != nil {
		return err
	}
	return confirmWord(s, "wipe", "WIPE", "wipe token "+a.Token)
}

// empty shows that no object is left. seq is that of the inventory.
func (a *tokenWipe) empty(s *ceremony.Session, t *ceremony.Token) (seq int64, err error) {
	left := 0
	err = t.WithSession(false, func(session uint) error {
		var objects []audit.Object
		objects, seq, err = t.Inventory(session, false, "empty", func(objects []audit.Object) (differs []string) {
			for _, o := range ceremony.Held(objects) {
				differs = append(differs, "still there: "+objectName(o.Class, o.Label, o.ID))
			}
			return differs
		})
		left = len(ceremony.Held(objects))
		showObjects(s, objects)
		return err
	})
	if err == nil && left > 0 {
		err = fmt.Errorf("token %q still has %d objects after it was initialised", a.Token, left)
	}
	return seq, err
}

// oldPIN shows that the user PIN of before opens nothing.
func (a *tokenWipe) oldPIN(s *ceremony.Session, t *ceremony.Token) error {
	if t.Info.Flags&token.CKF_USER_PIN_INITIALIZED == 0 {
		if err := s.Result("user PIN", "none: the token says that it has none any more", false); err != nil {
			return err
		}
	}
	if a.OldPIN != tryOld {
		return nil
	}
	try := t.Info.Flags&token.CKF_USER_PIN_INITIALIZED == 0
	if !try {
		var err error
		if try, err = mayTry(s, t, token.UserPIN); err != nil || !try {
			return err
		}
	}
	s.Show(room.Text{Text: "The user PIN that was in use is typed once more, to show that it opens nothing."})
	pin, err := t.PIN(token.UserPIN, ceremony.Current)
	if err != nil {
		return err
	}
	defer pin.Wipe()
	return t.WithSession(true, func(session uint) error { return refused(s, t, session, token.UserPIN, pin) })
}
