package ceremony

import (
	"cmp"
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
	wrong map[string]int  // by serial number and PIN
	right map[string]bool // PINs that were right once
}

func newTries() *spentTries {
	return &spentTries{wrong: map[string]int{}, right: map[string]bool{}}
}

// count takes in the outcome of a call. A call that spends a try says so by its
// return value alone; C_Login as SO proves nothing where the model does not
// check.
func (t *spentTries) count(st *State, in *audit.HSMIntent, rv string) {
	if in == nil || in.PIN == "" {
		return
	}
	serial, name := st.ledger.PINOf(in)
	proves := name != token.SOPIN.String() || in.Function != string(token.Login) || st.soLoginChecks(serial)
	switch pin := pinName(serial, name); {
	case rv == "CKR_OK" && proves:
		t.wrong[pin], t.right[pin] = 0, true
	case rv == "CKR_PIN_INCORRECT", rv == "CKR_PIN_LOCKED":
		t.wrong[pin]++
	}
	user := pinName(serial, token.UserPIN.String())
	switch f := token.Function(in.Function); {
	case f == token.InitPIN && rv == "CKR_OK": // it is set anew, with all its tries
		t.wrong[user], t.right[user] = 0, true
	case f == token.InitToken && rv == "CKR_OK":
		t.wrong[user], t.right[user] = 0, false
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

// cardGone reports whether a card could not be asked since it is not there, or
// was taken out meanwhile: no PIN is asked for before it is back.
func cardGone(err error) bool {
	return errors.Is(err, recorded.ErrNoCard) || errors.Is(err, apdu.NoSmartcard) || errors.Is(err, apdu.Unpowered) || goneMeanwhile(err)
}

func goneMeanwhile(err error) bool {
	return errors.Is(err, apdu.RemovedCard) || errors.Is(err, apdu.ResetCard) || errors.Is(err, apdu.ReaderGone)
}

// counters asks the card itself how many tries are left, where the model says
// that it tells. A PIN is missing if it does not; a card that is there and cannot be
// asked is told to the room. The error is that there is no card, or that the log
// cannot be written.
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
	case Fatal(err), cardGone(err):
		return nil, fmt.Errorf("asking the card of %q how many tries are left: %w", t.Name, err)
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

// WarnLastTry shows what is known of the tries, refuses to use a locked PIN and
// asks for an explicit word before the last try of a PIN. It is called before a
// PIN is asked for.
func (t *Token) WarnLastTry(kind token.PINKind) error {
	counted, err := t.LookTries()
	if err != nil {
		return err
	}
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

// countedAs says what the card has counted, and what the flags say beside it; "" if
// the card does not tell.
func countedAs(counted map[token.PINKind]int, kind token.PINKind, flags token.Tries) string {
	n, told := counted[kind]
	switch {
	case !told:
		return ""
	case n == 0:
		return token.TriesNone.String()
	case flags == token.TriesNotTold:
		return fmt.Sprintf("%d left", n)
	}
	return fmt.Sprintf("%d left; %v", n, flags)
}

// Tries tells what the token says of the tries that are left, for an error.
func (t *Token) Tries(kind token.PINKind) string {
	r, err := t.Do(token.Call{Function: token.GetTokenInfo, Slot: t.Slot})
	if err != nil {
		return ""
	}
	t.Info = r.Token
	text := t.Model.Tries(kind, r.Token.Flags).String()
	if counted, err := t.counters(); err == nil {
		text = cmp.Or(countedAs(counted, kind, t.Model.Tries(kind, r.Token.Flags)), text)
	}
	if n := t.s.State().WrongTries(t.Info.Serial, kind); n > 0 {
		text += fmt.Sprintf("; wrong in this ceremony since the last right one: %d", n)
	}
	if n := t.Model.Rule(kind).Tries; n > 0 {
		text += fmt.Sprintf("; locked after %d", n)
	}
	return " (tries: " + text + ")"
}
