package ceremony

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/tries"
)

// Sources of what is known of a PIN's tries.
const (
	byCard  = "card"
	byFlags = "flags"
	byNone  = "nobody"
)

// pinKinds are both PINs, in the order of a try-ledger entry.
var pinKinds = [...]token.PINKind{token.SOPIN, token.UserPIN}

// toldTries is what the room has heard of differences: each stands in a
// try-ledger entry, and then as a problem that the room decided about. A run that
// broke off in between tells it again.
type toldTries struct{ written, heard map[string]string } // by serial number and PIN

func newToldTries() toldTries {
	return toldTries{written: map[string]string{}, heard: map[string]string{}}
}

func (t toldTries) take(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.TryLedger:
		for _, a := range d.PINs {
			if d.At == audit.TriesDiffer && a.Differs != "" {
				t.written[pinName(d.Serial, a.PIN)] = a.Differs
			}
		}
	case *audit.Problem:
		for pin, what := range t.written {
			t.heard[pin] = what
			delete(t.written, pin)
		}
	}
}

// LookTries asks the token what tries are left and shows the room, for both PINs,
// what it says, what was spent in this ceremony and what was expected. It is called
// before a PIN is asked for or sent. counted is what the card itself says; a PIN is
// missing if it does not.
//
// The error is that a number is not what log or script explain. It is recorded,
// and once the room has heard of it, the token's number counts.
func (t *Token) LookTries() (counted map[token.PINKind]int, err error) {
	if err := t.look(); err != nil {
		return nil, err
	}
	before := t.expectations()
	if counted, err = t.counters(); err != nil {
		return nil, err
	}
	t.showLedger(before)
	return counted, t.triesDiffer()
}

// expectations says of each PIN what the next look should show.
func (t *Token) expectations() map[token.PINKind]string {
	list := map[token.PINKind]string{}
	for _, kind := range pinKinds {
		a := t.account(kind)
		numbers, more := a.Expected()
		script := t.scriptTries(kind)
		switch {
		case a.Anew && t.Model.Rule(kind).Tries > 0:
			list[kind] = fmt.Sprintf("%d left", t.Model.Rule(kind).Tries)
		case a.Seen < 0 && script != tries.Unknown:
			list[kind] = fmt.Sprintf("%d left", script)
		case more:
			list[kind] = fmt.Sprintf("%d left, or more", numbers[0])
		case numbers != nil:
			list[kind] = numbersLeft(numbers)
		default:
			list[kind] = "what is seen first"
		}
		if t.Model.Rule(kind).Tries == 0 {
			list[kind] = "nothing: it never locks"
		}
	}
	return list
}

func numbersLeft(numbers []int) string {
	var list []string
	for _, n := range numbers {
		list = append(list, strconv.Itoa(n))
	}
	return strings.Join(list, " or ") + " left"
}

func (t *Token) account(kind token.PINKind) *tries.Account {
	return t.s.State().ledger.Account(t.Info.Serial, kind.String())
}

// scriptTries is how many tries the script expects at the start: the number that
// it gives, or all of a SO-PIN with which it initialises the token. What the user
// PIN of such a token had before does not matter.
func (t *Token) scriptTries(kind token.PINKind) int {
	if n := t.Spec.Tries.of(kind); n != nil {
		return *n
	}
	most := t.Model.Rule(kind).Tries
	if kind == token.SOPIN && most > 0 && t.s.r.Script.initialises(t.Name) {
		return most
	}
	return tries.Unknown
}

// initialises reports whether a step of the script initialises a token.
func (s *Script) initialises(name string) bool {
	return slices.ContainsFunc(s.Steps, func(step Step) bool {
		a, ok := step.Action.(initialiser)
		return ok && a.InitialisesToken() == name
	})
}

// ledgerOf returns the account of a PIN as it is recorded.
func (t *Token) ledgerOf(kind token.PINKind) audit.TryAccount {
	a, said := t.account(kind), t.Model.Tries(kind, t.Info.Flags)
	d := audit.TryAccount{
		PIN: kind.String(), Source: byNone, Says: token.TriesNotTold.String(), Script: t.scriptTries(kind),
		Start: a.Start, Spent: a.Spent, GivenBack: a.GivenBack, Unexplained: a.Unexplained, Left: a.Left, Seen: a.Seen,
		Differs: t.differing(kind),
	}
	switch {
	case a.Seen >= 0:
		d.Source, d.Says = byCard, fmt.Sprintf("%d left", a.Left)
		if a.Unsure {
			d.Says += ", and not asked since the last call that may have changed it"
		}
	case said != token.TriesNotTold && t.Model.Rule(kind).Tries > 0:
		d.Source, d.Says = byFlags, said.String()
	}
	return d
}

// differing says what of a PIN's tries is not as log or script explain.
func (t *Token) differing(kind token.PINKind) string {
	a, most, script := t.account(kind), t.Model.Rule(kind).Tries, t.scriptTries(kind)
	switch {
	case a.Seen < 0:
		return t.flagsDiffer(kind)
	case a.Differs != nil && len(a.Differs.Expected) > 0:
		return fmt.Sprintf("%d left (entry %d), %s by this log", a.Differs.Found, a.Differs.Seq, numbersLeft(a.Differs.Expected))
	case a.Differs != nil:
		return fmt.Sprintf("%d left (entry %d), fewer than this log explains", a.Differs.Found, a.Differs.Seq)
	case a.Fresh != tries.Unknown && most > 0 && a.Fresh != most:
		return fmt.Sprintf("%d tries after the token was initialised, %d expected of its model", a.Fresh, most)
	case script != tries.Unknown && a.Start != script:
		return fmt.Sprintf("%d tries at the start, %d expected by the script", a.Start, script)
	}
	return ""
}

// flagsDiffer is differing for a token that tells by its flags alone, which say
// whether a try was spent, not how many.
func (t *Token) flagsDiffer(kind token.PINKind) string {
	said, rule, script := t.Model.Tries(kind, t.Info.Flags), t.Model.Rule(kind), t.scriptTries(kind)
	wrong := t.s.State().WrongTries(t.Info.Serial, kind)
	right := t.s.State().tries.right[pinName(t.Info.Serial, kind.String())]
	whole := right || script == rule.Tries
	switch {
	case said == token.TriesNotTold || rule.Tries == 0:
	case said != token.TriesAll && wrong == 0 && whole:
		return fmt.Sprintf("the flags say: %v; no wrong one expected by this log", said)
	case said == token.TriesAll && (wrong > 0 || !right && script != tries.Unknown && script < rule.Tries):
		return fmt.Sprintf("the flags say: %v; at least one wrong one expected by this log", said)
	case script == 0 && !right && said != token.TriesNone:
		return fmt.Sprintf("the flags say: %v; locked expected by the script", said)
	}
	return ""
}

// triesDiffer records a difference that the room has not decided about yet, and
// returns it as an error.
func (t *Token) triesDiffer() error {
	d := t.tryLedger(audit.TriesDiffer)
	var news []string
	written := true
	for _, a := range d.PINs {
		pin := pinName(d.Serial, a.PIN)
		if a.Differs == "" || t.s.State().told.heard[pin] == a.Differs {
			continue
		}
		news = append(news, a.PIN+": "+a.Differs)
		written = written && t.s.State().told.written[pin] == a.Differs
	}
	if news == nil {
		return nil
	}
	if !written {
		if _, err := t.s.Record(d); err != nil {
			return err
		}
	}
	return fmt.Errorf("the tries left on token %q are not as expected: %s; no PIN was asked for. Find out who used the token; if the room tries the step again, the token's number counts from here", t.Name, strings.Join(news, "; "))
}

func (t *Token) tryLedger(at string) *audit.TryLedger {
	d := &audit.TryLedger{Token: t.Name, Serial: t.Info.Serial, At: at}
	for _, kind := range pinKinds {
		d.PINs = append(d.PINs, t.ledgerOf(kind))
	}
	return d
}

// showLedger tells the room, before a PIN is asked for, what is known of the
// tries of both.
func (t *Token) showLedger(expected map[token.PINKind]string) {
	table := room.Table{Header: []string{"tries of " + t.Name, "the token says", "spent in this ceremony", "expected", "locked after"}}
	for _, kind := range pinKinds {
		locks := "never"
		rule := t.Model.Rule(kind)
		if rule.Tries > 0 {
			locks = fmt.Sprintf("%d wrong ones, the SO unblocks it", rule.Tries)
		}
		if rule.Final {
			locks = fmt.Sprintf("%d wrong ones, for good", rule.Tries)
		}
		d := t.ledgerOf(kind)
		table.Rows = append(table.Rows, []string{d.PIN, d.Says, strconv.Itoa(d.Spent), expected[kind], locks})
	}
	t.s.Show(table)
}

// triesAfter asks the cards whose PINs a step has used what is left now, so that
// the account of each is settled while its card is there. Of a card that was
// taken away a problem is recorded; its account is settled at the next look.
func (s *Session) triesAfter() error {
	for i := range s.r.Script.Tokens {
		t := s.known(&s.r.Script.Tokens[i])
		if t == nil || !t.Model.CardTells || !t.account(token.SOPIN).Unsure && !t.account(token.UserPIN).Unsure {
			continue
		}
		_, err := t.counters()
		if Fatal(err) {
			return err
		}
		if err != nil {
			p := &audit.Problem{What: err.Error() + "; what this step has spent is seen at the next look"}
			s.Show(room.Warning{Text: p.What})
			if _, err := s.Record(p); err != nil {
				return err
			}
			continue
		}
		if err := t.triesDiffer(); err != nil {
			return err
		}
	}
	return nil
}

// known is a token as the log knows it, without a call; nil if it has not been
// identified.
func (s *Session) known(spec *TokenSpec) *Token {
	d := s.State().Tokens[spec.Name]
	if d == nil {
		return nil
	}
	info := token.TokenInfo{Serial: d.Info.Serial, Label: d.Info.Label, Flags: flagsOf(d.Info.Flags)}
	if l := s.State().looks[d.Info.Serial]; l != nil {
		info.Flags = flagsOf(l.flags)
	}
	return &Token{Module: s.r.HSM, Name: spec.Name, Spec: spec, Model: s.r.model(spec), Info: info, s: s}
}

// BalanceTries records, for each token whose PINs this log speaks of, the balance
// of their tries, and shows it. It makes no call.
func (s *Session) BalanceTries() error {
	for i := range s.r.Script.Tokens {
		t := s.known(&s.r.Script.Tokens[i])
		if t == nil || !s.State().ledger.Met(t.Info.Serial) {
			continue
		}
		d := t.tryLedger(audit.TriesEnd)
		if _, err := s.Record(d); err != nil {
			return err
		}
		table := room.Table{Header: []string{"tries of " + t.Name, "at the start", "spent", "given back", "unexplained", "left"}}
		for _, a := range d.PINs {
			table.Rows = append(table.Rows, []string{a.PIN, orUntold(a.Start), strconv.Itoa(a.Spent), strconv.Itoa(a.GivenBack), strconv.Itoa(a.Unexplained), orUntold(a.Left)})
			if a.Source != byCard {
				s.Show(room.Text{Text: fmt.Sprintf("The %s of %s: its tries cannot be balanced in numbers, since no card tells them. %s", a.PIN, t.Name, sourceSays(a))})
			}
			if a.Differs != "" {
				s.Show(room.Warning{Text: fmt.Sprintf("The tries of the %s of %s were not as expected: %s.", a.PIN, t.Name, a.Differs)})
			}
		}
		s.Show(table)
	}
	return nil
}

func sourceSays(a audit.TryAccount) string {
	if a.Source == byFlags {
		return "The token's flags say: " + a.Says + "."
	}
	return "Nobody tells what is left."
}

func orUntold(n int) string {
	if n == tries.Unknown {
		return "not told"
	}
	return strconv.Itoa(n)
}
