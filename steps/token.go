package steps

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// knownToken returns the model's state of a token the script names, or reports
// that it names none.
func knownToken(w *ceremony.World, name string) *ceremony.TokenState {
	t := w.Tokens[name]
	if t == nil {
		w.Problem("token", "%q is not one of the script's tokens", name)
	}
	return t
}

// identified is knownToken for steps that act on a token: it must have been
// identified before.
func identified(w *ceremony.World, name string) *ceremony.TokenState {
	t := knownToken(w, name)
	if t != nil && !t.Identified {
		w.Problem("token", "token %q is used before a token-identify step has found it", name)
	}
	return t
}

// custodian reports a current PIN that nobody, or not enough people, are there
// to enter.
func custodian(w *ceremony.World, t *ceremony.TokenState, kind token.PINKind) {
	of := t.Asked(kind)
	pin := fmt.Sprintf("the %s of token %s", kind, t.Spec.Name)
	if kind == token.SOPIN && t.SOPIN != "set" {
		pin = fmt.Sprintf("the factory's, or first, SO-PIN of token %s", t.Spec.Name)
	}
	tell(w, of, map[string]string{ceremony.One: "type " + pin, ceremony.Halves: "type your part of " + pin, ceremony.Shares: "type your share of " + pin})
	asked(w, t, kind, of)
}

// tell notes for each custodian of a PIN what a step asks of them, by the way it
// is held.
func tell(w *ceremony.World, of ceremony.PINSpec, byWay map[string]string) {
	for _, who := range of.Custodians {
		w.Asks(who, byWay[of.Way])
	}
}

// holders reports a new PIN for which one of those who are to hold it is not
// there, and notes that it is made.
func holders(w *ceremony.World, t *ceremony.TokenState, kind token.PINKind) {
	all := t.Spec.Held(kind)
	all.Threshold = len(all.Custodians)
	pin := fmt.Sprintf("the new %s of token %s", kind, t.Spec.Name)
	tell(w, all, map[string]string{ceremony.One: "type " + pin + ", twice", ceremony.Halves: "type your part of " + pin + ", twice", ceremony.Shares: "receive your share of " + pin + " and type it back"})
	asked(w, t, kind, all)
	t.Made[kind] = true
}

func asked(w *ceremony.World, t *ceremony.TokenState, kind token.PINKind, of ceremony.PINSpec) {
	name := map[token.PINKind]string{token.SOPIN: "so_pin", token.UserPIN: "user_pin"}[kind]
	if len(of.Custodians) == 0 {
		w.Problem("token", "the %s of %q is needed, and the token's %s names nobody", kind, t.Spec.Name, name)
		return
	}
	if w.Present == nil {
		return // reported as a step before the roll call
	}
	var away []string
	for _, who := range of.Custodians {
		if !w.Present[who] && w.Script.Participant(who) != nil {
			away = append(away, strconv.Quote(who))
		}
	}
	if there := len(of.Custodians) - len(away); there < of.Needed() {
		w.Problem("token", "the %s of %q is asked of %s, who was not called at the roll call", kind, t.Spec.Name, strings.Join(away, " and "))
	}
}

// A tokenIdentify step finds a token and compares it with the script.
type tokenIdentify struct {
	Token    string `yaml:"token,required" desc:"the token to find"`
	ReadBack string `yaml:"read_back" desc:"participant who types back the token's serial number, as the actor reads it aloud; it is compared"`
}

// Check notes that the token is known from here on.
func (a *tokenIdentify) Check(w *ceremony.World) {
	w.CheckReadBack(a.ReadBack)
	if t := knownToken(w, a.Token); t != nil {
		t.Identified = true
	}
}

// Announce says that the token is only read.
func (a *tokenIdentify) Announce(*ceremony.Session) (effect, irreversible string) {
	return "its description is read; nothing changes", ""
}

// Run binds the token by serial number and shows what it says of itself.
func (a *tokenIdentify) Run(s *ceremony.Session) error {
	t, err := s.Token(a.Token)
	if err != nil {
		return err
	}
	differs, err := t.Describe()
	if err != nil {
		return err
	}
	showToken(s, t)
	if len(differs) > 0 {
		return fmt.Errorf("token %q is not as the script says: %s", a.Token, strings.Join(differs, "; "))
	}
	if t.Info.Serial == "" {
		return nil
	}
	return s.ReadBack(a.ReadBack, "the serial number of token "+a.Token, t.Info.Serial)
}

func showToken(s *ceremony.Session, t *ceremony.Token) {
	i := t.Info
	s.Show(room.Table{Header: []string{"token", t.Name}, Rows: [][]string{
		{"model", i.Model + " by " + i.Manufacturer},
		{"serial number", orNone(i.Serial)},
		{"label", orNone(i.Label)},
		{"hardware, firmware", i.Hardware + ", " + i.Firmware},
		{"slot", fmt.Sprint(t.Slot)},
		{"says of itself", strings.Join(token.TokenFlags(i.Flags), " ")},
		{"SO-PIN", t.Model.Tries(token.SOPIN, i.Flags).String()},
		{"user PIN", t.Model.Tries(token.UserPIN, i.Flags).String()},
	}})
	if i.Serial != "" {
		s.Show(room.Fact{Name: "serial number, to be compared with the device", Value: i.Serial, Big: true})
	}
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// A tokenInventory step lists what is on a token.
type tokenInventory struct {
	Token  string `yaml:"token,required" desc:"the token to look at"`
	Expect string `yaml:"expect,required" enum:"empty,keys,anything" desc:"empty: no object; keys: exactly the keys of this ceremony; anything: just list"`
	Login  bool   `yaml:"login" desc:"log in with the user PIN first, so that private objects are seen"`
}

// Check compares with what the model knows to be there.
func (a *tokenInventory) Check(w *ceremony.World) {
	t := identified(w, a.Token)
	if t == nil {
		return
	}
	if a.Login {
		if t.UserPIN == "" {
			w.Problem("login", "token %q has no user PIN yet", a.Token)
		}
		custodian(w, t, token.UserPIN)
	}
	made := 0
	for _, k := range w.Keys {
		if k.Spec.Token == a.Token && k.Exists {
			made++
		}
	}
	if a.Expect == "empty" && made > 0 {
		w.Problem("expect", "token %q holds %d keys by then and cannot be empty", a.Token, made)
	}
	if a.Expect == "keys" && made == 0 {
		w.Problem("expect", "token %q holds no key of this ceremony by then", a.Token)
	}
}

// Announce says that the token is only read.
func (a *tokenInventory) Announce(*ceremony.Session) (effect, irreversible string) {
	return "its objects are listed; nothing changes", ""
}

// Run lists, shows and compares.
func (a *tokenInventory) Run(s *ceremony.Session) error {
	t, err := s.Token(a.Token)
	if err != nil {
		return err
	}
	var objects []audit.Object
	list := func(session uint) error {
		objects, err = t.Objects(session)
		return err
	}
	// A token that was never initialised opens no session and holds nothing.
	blank := t.Blank()
	switch {
	case blank:
		objects = []audit.Object{}
	case a.Login:
		err = t.WithLogin(token.NormalUser, func(session uint, _ token.PIN) error { return list(session) })
	default:
		err = t.WithSession(false, list)
	}
	if err != nil {
		return err
	}
	d := &audit.Inventory{Token: a.Token, Login: a.Login, Objects: objects, Expected: a.Expect, Differs: a.differs(s, objects)}
	if _, err := s.Record(d); err != nil {
		return err
	}
	showObjects(s, objects)
	if blank {
		s.Show(room.Text{Text: "The token was never initialised: it holds no object."})
	}
	if len(d.Differs) > 0 {
		return fmt.Errorf("the content of token %q is not as expected: %s", a.Token, strings.Join(d.Differs, "; "))
	}
	return nil
}

func showObjects(s *ceremony.Session, objects []audit.Object) {
	if len(objects) == 0 {
		s.Show(room.Fact{Name: "objects on the token", Value: "none"})
		return
	}
	rows := [][]string{}
	for _, o := range objects {
		rows = append(rows, []string{o.Class, o.Label, o.ID, o.Type})
	}
	s.Show(room.Table{Header: []string{"class", "label", "id", "type"}, Rows: rows})
}

func (a *tokenInventory) differs(s *ceremony.Session, objects []audit.Object) []string {
	differs := []string{}
	objects = ceremony.Held(objects)
	switch a.Expect {
	case "empty":
		for _, o := range objects {
			differs = append(differs, fmt.Sprintf("unexpected %s %q (id %s)", o.Class, o.Label, o.ID))
		}
	case "keys":
		want := map[string]bool{}
		for _, k := range s.State().Keys {
			if k.Token == a.Token {
				want[objectName("CKO_PUBLIC_KEY", k.Label, k.ID)] = true
				if a.Login {
					want[objectName("CKO_PRIVATE_KEY", k.Label, k.ID)] = true
				}
			}
		}
		for _, o := range objects {
			n := objectName(o.Class, o.Label, o.ID)
			// Without a login some tokens show private keys and some do not.
			if !want[n] && (a.Login || o.Class != "CKO_PRIVATE_KEY") {
				differs = append(differs, "unexpected "+n)
			}
			delete(want, n)
		}
		for n := range want {
			differs = append(differs, "missing "+n)
		}
	}
	return differs
}

func objectName(class, label, id string) string {
	return fmt.Sprintf("%s %q (id %s)", class, label, id)
}

// A loginProof step logs in with the user PIN.
type loginProof struct {
	Token string `yaml:"token,required" desc:"the token to log in to"`
}

// Check wants a user PIN and somebody who knows it.
func (a *loginProof) Check(w *ceremony.World) {
	t := identified(w, a.Token)
	if t == nil {
		return
	}
	if t.UserPIN == "" {
		w.Problem("token", "token %q has no user PIN yet: a set-user-pin step must come first", a.Token)
	}
	custodian(w, t, token.UserPIN)
}

// Announce says what a wrong PIN would cost.
func (a *loginProof) Announce(*ceremony.Session) (effect, irreversible string) {
	return "the user PIN is tried; a wrong one costs a try", ""
}

// Run logs in, asks the token for the session's state and logs out.
func (a *loginProof) Run(s *ceremony.Session) error {
	t, err := s.Token(a.Token)
	if err != nil {
		return err
	}
	return t.WithLogin(token.NormalUser, func(session uint, _ token.PIN) error {
		return loggedIn(s, t, session, token.UserPIN)
	})
}

// loggedIn has the token say that a session is logged in, and records it. Where
// the login of the SO checks nothing the token is not asked: OpenSC's
// C_GetSessionInfo finds no SO-PIN given, and closes every session. There
// provePIN was the proof.
func loggedIn(s *ceremony.Session, t *ceremony.Token, session uint, kind token.PINKind) error {
	if kind == token.SOPIN && !t.Model.SOLoginChecks {
		return s.Result("login with the "+kind.String(), "accepted: the token set the SO-PIN to itself", false)
	}
	r, err := t.Do(token.Call{Function: token.GetSessionInfo, Session: session})
	if err != nil {
		return err
	}
	want := token.CKS_RW_USER_FUNCTIONS
	if kind == token.SOPIN {
		want = token.CKS_RW_SO_FUNCTIONS
	}
	if r.State != want {
		return fmt.Errorf("after the login the token says %s, expected %s", token.StateName(r.State), token.StateName(want))
	}
	return s.Result("login with the "+kind.String(), "accepted: "+token.StateName(r.State), false)
}
