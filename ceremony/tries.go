package ceremony

import (
	"errors"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu"
	"github.com/keyrite/keyrite/internal/token/recorded"
)

// spentTries is what the log says of wrong PINs: how many each PIN of each token has
// seen since the last right one. Where a module does not tell, it is all that
// is known.
type spentTries struct {
	serials map[string]string // of the token that was last seen in a slot
	slots   map[string]string // of the sessions
	asSO    map[string]bool   // sessions in which the SO has logged in
	wrong   map[string]int    // by serial number and PIN
}

func newTries() *spentTries {
	return &spentTries{serials: map[string]string{}, slots: map[string]string{}, asSO: map[string]bool{}, wrong: map[string]int{}}
}

// count takes in the outcome of a call. A call that spends a try says so by its
// return value alone; C_Login as SO proves nothing where the model does not
// check.
func (t *spentTries) count(st *State, in *audit.HSMIntent, out *audit.HSMOutcome) {
	if in == nil {
		return
	}
	ok := out.RV == "CKR_OK"
	switch {
	case out.Token != nil && ok:
		t.serials[in.Slot] = out.Token.Serial
	case in.Function == string(token.OpenSession) && ok:
		t.slots[out.Session] = in.Slot
		delete(t.asSO, out.Session)
	case in.PIN != "":
		t.countPIN(st, in, out.RV)
	}
}

func (t *spentTries) countPIN(st *State, in *audit.HSMIntent, rv string) {
	slot := in.Slot
	if in.Session != "" {
		slot = t.slots[in.Session]
	}
	serial, kind, proves := t.serials[slot], token.SOPIN, true
	switch token.Function(in.Function) {
	case token.Login:
		t.asSO[in.Session] = in.User == token.SO.Name()
		if !t.asSO[in.Session] {
			kind = token.UserPIN
		} else {
			proves = st.soLoginChecks(serial)
		}
	case token.SetPIN:
		if !t.asSO[in.Session] {
			kind = token.UserPIN
		}
	}
	switch pin := pinName(serial, kind.String()); {
	case rv == "CKR_OK" && proves:
		t.wrong[pin] = 0
	case rv == "CKR_PIN_INCORRECT", rv == "CKR_PIN_LOCKED":
		t.wrong[pin]++
	}
	if token.Function(in.Function) == token.InitPIN && rv == "CKR_OK" {
		t.wrong[pinName(serial, token.UserPIN.String())] = 0 // it is set anew, with all its tries
	}
}

// soLoginChecks reports whether the token with a serial number is of a model
// whose C_Login as SO finds a wrong SO-PIN.
func (st *State) soLoginChecks(serial string) bool {
	for _, d := range st.Tokens {
		if d.Info.Serial == serial {
			return token.Models[d.Model].SOLoginChecks
		}
	}
	return true
}

// WrongTries returns how many wrong tries of a PIN of the token with a serial
// number the log holds since the last right one.
func (st *State) WrongTries(serial string, kind token.PINKind) int {
	return st.tries.wrong[pinName(serial, kind.String())]
}

// cardPINs are the PINs of a card, by the references that it knows them by.
var cardPINs = []struct {
	kind      token.PINKind
	reference byte
}{{token.SOPIN, apdu.SOPIN}, {token.UserPIN, apdu.UserPIN}}

// counters asks the card itself how many tries are left, where the model says
// that it tells. A PIN is missing if it does not; a card that cannot be asked is
// told to the room. The error is that the log cannot be written.
func (t *Token) counters() (map[token.PINKind]int, error) {
	left := map[token.PINKind]int{}
	if !t.Model.CardTells {
		return left, nil
	}
	err := t.Card(func(c *recorded.Card) error {
		for _, p := range cardPINs {
			n, told, err := c.Tries(p.reference)
			if err != nil {
				return err
			}
			if told {
				left[p.kind] = n
			}
		}
		return nil
	})
	switch {
	case err == nil, errors.Is(err, recorded.ErrNoCards):
		return left, nil
	case Fatal(err):
		return nil, err
	}
	t.s.Show(room.Warning{Text: "The card could not be asked how many tries are left: " + err.Error() + "."})
	return map[token.PINKind]int{}, nil
}

// left is what is known of the tries of a PIN: what the card itself has
// counted, else what the token's flags say or, where they say nothing, how many the model has less those that this log saw
// spent. What was spent before, nobody has told.
func (t *Token) left(kind token.PINKind, counted map[token.PINKind]int) token.Tries {
	if n, told := counted[kind]; told {
		switch {
		case n == 0:
			return token.TriesNone
		case n == 1:
			return token.TriesLast
		}
		return token.TriesAll
	}
	said := t.Model.Tries(kind, t.Info.Flags)
	most, spent := t.Model.Rule(kind).Tries, t.s.State().WrongTries(t.Info.Serial, kind)
	if said != token.TriesNotTold || most == 0 || spent == 0 {
		return said
	}
	switch {
	case spent >= most:
		return token.TriesNone
	case spent == most-1:
		return token.TriesLast
	}
	return token.TriesLow
}

// showTries tells the room, before a PIN is asked for, what is known of the
// tries of both.
func (t *Token) showTries(counted map[token.PINKind]int) {
	table := room.Table{Header: []string{"tries of " + t.Name, "the token says", "wrong in this ceremony", "locked after"}}
	for _, kind := range []token.PINKind{token.SOPIN, token.UserPIN} {
		locks := "never"
		rule := t.Model.Rule(kind)
		if rule.Tries > 0 {
			locks = fmt.Sprintf("%d wrong ones, the SO unblocks it", rule.Tries)
		}
		if rule.Final {
			locks = fmt.Sprintf("%d wrong ones, for good", rule.Tries)
		}
		says := t.Model.Tries(kind, t.Info.Flags).String()
		if n, told := counted[kind]; told {
			says = fmt.Sprintf("%d left", n)
		}
		table.Rows = append(table.Rows, []string{kind.String(), says, fmt.Sprint(t.s.State().WrongTries(t.Info.Serial, kind)), locks})
	}
	t.s.Show(table)
}

// WarnLastTry shows what is known of the tries, refuses to use a locked PIN and
// asks for an explicit word before the last try of a PIN. It is called before a
// PIN is asked for.
func (t *Token) WarnLastTry(kind token.PINKind) error {
	if err := t.look(); err != nil {
		return err
	}
	counted, err := t.counters()
	if err != nil {
		return err
	}
	t.showTries(counted)
	switch t.left(kind, counted) {
	case token.TriesNone:
		what := "the security officer has to set it anew (a step pin-unblock)"
		if t.Model.Rule(kind).Final {
			what = "nobody can unlock it; go on with the spare token"
		}
		return fmt.Errorf("the %s of %q is locked: no further try is possible; %s", kind, t.Name, what)
	case token.TriesLast:
		return t.lastTry(kind)
	}
	return nil
}

func (t *Token) lastTry(kind token.PINKind) error {
	means := "The security officer can then set it anew."
	if t.Model.Rule(kind).Final {
		means = "NOBODY can unlock it then: the token can never be initialised again."
	}
	t.s.Show(room.Warning{Text: fmt.Sprintf("Only ONE try is left on the %s of %s. If it is wrong, the PIN is locked. %s", kind, t.Name, means)})
	const words = "LAST TRY"
	v, err := t.s.AskWord(t.s.Step.Actor, "last-try", "Type the words "+words+" to spend it, anything else to stop (no PIN here: this is shown)", words)
	if err != nil {
		return err
	}
	d := &audit.Decision{Question: "spend the last try of the " + kind.String() + "?", Options: []string{"spend", "stop"}, Chosen: "stop", Person: t.s.Step.Actor}
	if strings.EqualFold(v, words) {
		d.Chosen = "spend"
	}
	if _, err := t.s.Record(d); err != nil {
		return err
	}
	if d.Chosen == "stop" {
		return &Stop{Reason: fmt.Sprintf("the last try of the %s was not spent", kind), Person: t.s.Step.Actor}
	}
	return nil
}

// Tries tells what the token says of the tries that are left, for an error.
func (t *Token) Tries(kind token.PINKind) string {
	r, err := t.Do(token.Call{Function: token.GetTokenInfo, Slot: t.Slot})
	if err != nil {
		return ""
	}
	t.Info = r.Token
	text := t.Model.Tries(kind, r.Token.Flags).String()
	if n := t.s.State().WrongTries(t.Info.Serial, kind); n > 0 {
		text += fmt.Sprintf("; wrong in this ceremony since the last right one: %d", n)
	}
	if n := t.Model.Rule(kind).Tries; n > 0 {
		text += fmt.Sprintf("; locked after %d", n)
	}
	return " (tries: " + text + ")"
}
