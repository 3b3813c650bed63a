package ceremony

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/recorded"
)

// A Token is a token of the script, bound to a slot by its serial number. Its
// calls are recorded.
type Token struct {
	*recorded.Module
	Name  string
	Spec  *TokenSpec
	Model *token.Model
	Slot  uint
	Info  token.TokenInfo

	s    *Session
	news []string // what it says of itself that no call of this log explains
}

// Token finds a token of the script among those present, by serial number.
//
// Before a token was identified (or after C_InitToken gave it a new serial
// number) a token whose serial the script leaves open is bound by its label, or
// as the only one that is not initialised. It is an error if none or more than
// one fits.
//
// One with the serial number of the token that was identified, and that is not of
// the model expected, is an error, too.
//
// What a token says of its counters that no call of this log explains is
// recorded as a problem: another program may use it between two calls.
func (s *Session) Token(name string) (*Token, error) {
	t, err := s.token(name)
	if err != nil {
		return t, err
	}
	if s.State().Tokens[name] != nil && !t.Model.Takes(t.Info) {
		return t, t.otherModel()
	}
	return t, t.noteNews()
}

// otherModel is the error of a token that is not of the script's model: what is
// known of the model's PINs and tries does not hold for it, so nothing is done
// with it.
func (t *Token) otherModel() error {
	return fmt.Errorf("token %q (serial %q, slot %d) looks like %q, expected %q: nothing is done with it; take it out and insert the right one, or correct the script",
		t.Name, t.Info.Serial, t.Slot, token.Recognise(t.Info), t.Model.Name)
}

// token is Token, with the news left to the caller.
func (s *Session) token(name string) (*Token, error) {
	spec := s.r.Script.Token(name)
	if spec == nil {
		return nil, fmt.Errorf("the script has no token %q", name)
	}
	if err := s.r.initialize(s.entryStep()); err != nil {
		return nil, err
	}
	t := &Token{Module: s.r.HSM, Name: name, Spec: spec, Model: s.r.model(spec), s: s}
	before, sessions := maps.Clone(s.State().looks), s.State().sessions
	deadline := s.r.Now().Add(t.Model.Away)
	for {
		err := t.bind()
		if err == nil {
			m := t.Model.WithInfo(t.Info)
			t.Model = &m
			t.news = t.unexplained(before[t.Info.Serial], sessions)
		}
		if err == nil || !errors.Is(err, errNoToken) || s.r.Now().After(deadline) {
			return t, err
		}
		s.r.Sleep(500 * time.Millisecond)
	}
}

// Token returns a token of the script by name, or nil.
func (s *Script) Token(name string) *TokenSpec {
	for i := range s.Tokens {
		if s.Tokens[i].Name == name {
			return &s.Tokens[i]
		}
	}
	return nil
}

// Key returns a key of the script by name, or nil.
func (s *Script) Key(name string) *KeySpec {
	for i := range s.Keys {
		if s.Keys[i].Name == name {
			return &s.Keys[i]
		}
	}
	return nil
}

var errNoToken = errors.New("the token is not there")

// bind looks through the tokens that are there for the one meant.
func (t *Token) bind() error {
	list, err := t.Tokens()
	if err != nil {
		return err
	}
	var seen []string
	fits, best := []recorded.Present{}, 1
	for _, p := range list {
		seen = append(seen, fmt.Sprintf("slot %d: label %q, serial %q", p.Slot, p.Info.Label, p.Info.Serial))
		switch n := t.fits(p.Info); {
		case n > best:
			fits, best = []recorded.Present{p}, n
		case n == best:
			fits = append(fits, p)
		}
	}
	switch {
	case len(fits) == 1:
		t.Slot, t.Info = fits[0].Slot, fits[0].Info
		return nil
	case len(fits) > 1:
		return fmt.Errorf("token %q: more than one fits (%s): take the others away", t.Name, strings.Join(seen, "; "))
	case len(seen) == 0:
		return fmt.Errorf("token %q: %w: no slot has a token; insert it and try again", t.Name, errNoToken)
	}
	return fmt.Errorf("token %q: %w: expected %s, seen %s", t.Name, errNoToken, t.expects(), strings.Join(seen, "; "))
}

// fits says how well a token fits: 0 not at all, 2 as expected, 1 if nothing
// better is there. A token without a serial number is expected by its label once
// it may have been initialised, and not initialised before.
func (t *Token) fits(info token.TokenInfo) int {
	known := t.s.State().Tokens[t.Name]
	switch {
	case known != nil && known.Info.Serial != "":
		return 2 * one(info.Serial == known.Info.Serial)
	case t.serial() != AnySerial:
		return 2 * one(info.Serial == t.serial())
	}
	blank := info.Flags&token.CKF_TOKEN_INITIALIZED == 0
	switch labelled := !blank && t.Model.Labelled(info, t.Spec.Label); {
	case t.s.r.initialised(t.Name):
		return 2*one(labelled) + one(blank)
	default:
		return 2*one(blank) + one(labelled)
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// serial is the number that the script expects, or in a rehearsal on another
// token that one's, if it has one before it is initialised.
func (t *Token) serial() string {
	if t.s.r.Stand {
		return cmp.Or(t.s.r.Serials[t.Name], AnySerial)
	}
	return t.Spec.Serial
}

// AnySerial in a script means that the token has no serial number before it is
// initialised, as a SoftHSM2 slot.
const AnySerial = "any"

func (t *Token) expects() string {
	if known := t.s.State().Tokens[t.Name]; known != nil && known.Info.Serial != "" {
		return fmt.Sprintf("serial %q as identified before", known.Info.Serial)
	}
	switch serial := t.serial(); {
	case t.s.r.Stand && serial != AnySerial:
		return fmt.Sprintf("serial %q, the token of this rehearsal", serial)
	case serial != AnySerial:
		return fmt.Sprintf("serial %q as in the script", serial)
	}
	return fmt.Sprintf("a token that is not initialised, or with the label %q", t.Spec.Label)
}

// Describe reads module, token and mechanisms and records them as an entry of
// kind token. differs lists what is not as the script says.
func (t *Token) Describe() (differs []string, err error) {
	info, err := t.Do(token.Call{Function: token.GetInfo})
	if err != nil {
		return nil, err
	}
	ti, err := t.Do(token.Call{Function: token.GetTokenInfo, Slot: t.Slot})
	if err != nil {
		return nil, err
	}
	mechs, err := t.Do(token.Call{Function: token.GetMechanismList, Slot: t.Slot})
	if err != nil {
		return nil, err
	}
	t.Info = ti.Token
	d := &audit.Token{
		Name: t.Name, Model: t.Model.Name, Slot: fmt.Sprint(t.Slot),
		Module: recorded.ModuleInfo(info.Info), Info: recorded.TokenInfo(ti.Token),
		Mechanisms: []string{}, Differs: append(t.differs(), t.lacks(mechs.Mechanisms)...),
	}
	for _, m := range mechs.Mechanisms {
		d.Mechanisms = append(d.Mechanisms, token.MechanismName(m))
	}
	slices.Sort(d.Mechanisms)
	_, err = t.s.Record(d)
	return d.Differs, err
}

func (t *Token) differs() []string {
	d := []string{}
	if serial := t.serial(); serial != AnySerial && t.Info.Serial != serial {
		d = append(d, fmt.Sprintf("serial: the script says %q, the token %q", serial, t.Info.Serial))
	}
	if t.s.r.initialised(t.Name) && t.Model.Label.Sticks && !t.Model.Labelled(t.Info, t.Spec.Label) {
		d = append(d, fmt.Sprintf("label: the script says %q, the token %q", t.Spec.Label, t.Info.Label))
	}
	if !t.Model.Takes(t.Info) {
		d = append(d, fmt.Sprintf("model: expected %q, this looks like %q", t.Model.Name, token.Recognise(t.Info)))
	}
	return d
}

// lacks says which mechanisms the token does not have that the script's keys on
// it need: better known before it is initialised than at the first key.
func (t *Token) lacks(has []uint) (lacking []string) {
	needed := map[uint]bool{}
	for i := range t.s.r.Script.Keys {
		if k := &t.s.r.Script.Keys[i]; k.Token == t.Name {
			makes, signs := k.Mechanisms()
			needed[makes], needed[signs] = true, true
		}
	}
	for _, m := range slices.Sorted(maps.Keys(needed)) {
		if !slices.Contains(has, m) {
			lacking = append(lacking, "mechanisms: the script's keys need "+token.MechanismName(m)+", which the token does not offer")
		}
	}
	return lacking
}

// WithSession opens a session, calls f and closes the session whatever happens.
func (t *Token) WithSession(readWrite bool, f func(session uint) error) error {
	return t.Module.WithSession(t.Slot, readWrite, f)
}

// WithLogin asks those who hold it for the current PIN, logs in, calls f in that
// session and logs out whatever happens.
func (t *Token) WithLogin(user token.User, f func(session uint, pin token.PIN) error) error {
	kind := token.UserPIN
	if user == token.SO {
		kind = token.SOPIN
	}
	if err := t.WarnLastTry(kind); err != nil {
		return err
	}
	pin, err := t.PIN(kind, Current)
	if err != nil {
		return err
	}
	defer pin.Wipe()
	err = t.WithSession(true, func(session uint) error {
		in := false
		err := t.Module.WithLogin(session, user, pin, func() error {
			in = true
			return f(session, pin)
		})
		if err != nil && !in {
			return fmt.Errorf("logging in to %q with the %s: %w%s", t.Name, kind, err, t.Tries(kind))
		}
		return err
	})
	if err != nil {
		return err
	}
	return t.look()
}

// look asks the token for its counters once more, after a login changed them: what
// they are is what the next look is held against.
func (t *Token) look() error {
	r, err := t.Do(token.Call{Function: token.GetTokenInfo, Slot: t.Slot})
	if err == nil {
		t.Info = r.Token
	}
	return err
}

// Card holds the token's card for commands that PKCS#11 has no call for, while f
// runs: see [recorded.Module.Card]. f makes no call of PKCS#11.
func (t *Token) Card(f func(*recorded.Card) error) error { return t.Module.Card(t.Info.Serial, f) }

// FindKey looks for the two halves of a key by label and id in a session.
// found is false if there is neither; half a key is an error.
func (t *Token) FindKey(session uint, k *KeySpec) (public, private uint, found bool, err error) {
	pub, err := t.FindAll(session, keyTemplate(token.CKO_PUBLIC_KEY, k))
	if err != nil {
		return 0, 0, false, err
	}
	priv, err := t.FindAll(session, keyTemplate(token.CKO_PRIVATE_KEY, k))
	if err != nil {
		return 0, 0, false, err
	}
	switch {
	case len(pub) == 0 && len(priv) == 0:
		return 0, 0, false, nil
	case len(pub) == 1 && len(priv) == 1:
		return pub[0], priv[0], true, nil
	}
	return 0, 0, false, fmt.Errorf("key %q (label %q, id %s): the token has %d public and %d private halves, expected one of each", k.Name, k.Label, k.KeyID, len(pub), len(priv))
}

func keyTemplate(class uint, k *KeySpec) []token.Attribute {
	return []token.Attribute{
		token.Ulong(token.CKA_CLASS, class),
		token.Text(token.CKA_LABEL, k.Label),
		token.Bytes(token.CKA_ID, k.ID()),
	}
}

// LabelFree reports an error if another token that is present has the label
// that this one is to get.
func (t *Token) LabelFree() error {
	list, err := t.Tokens()
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.Slot != t.Slot && p.Info.Flags&token.CKF_TOKEN_INITIALIZED != 0 && t.Model.Labelled(p.Info, t.Spec.Label) {
			return fmt.Errorf("the label %q is taken by the token in slot %d (serial %q): take that token away, or give this one another label in the script", t.Spec.Label, p.Slot, p.Info.Serial)
		}
	}
	return nil
}

// Unused reports an error if any object on the token has the label or the id
// that a key is to get.
func (t *Token) Unused(session uint, k *KeySpec) error {
	for _, template := range [][]token.Attribute{{token.Text(token.CKA_LABEL, k.Label)}, {token.Bytes(token.CKA_ID, k.ID())}} {
		found, err := t.FindAll(session, template)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return fmt.Errorf("the label %q or the id %s is used by another object on token %q: give the key another label and id in the script", k.Label, k.KeyID, t.Name)
		}
	}
	return nil
}
