package steps_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/cardtest"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/p11"
)

// onCards is a stage on simulated cards under the real OpenSC. The script's
// token is card 0. What more answers, the usual answers leave out.
func onCards(t *testing.T, cards *cardtest.Cards, script func(string) string, more string) *stage {
	t.Helper()
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	st.opensc = openSC(t)
	text := string(st.script)
	if script != nil {
		text = script(text)
	}
	st.script = []byte(strings.ReplaceAll(text, "DENK0000000", cards.Serial(0)))
	var kept strings.Builder
	for line := range strings.Lines(readAnswers(t)) {
		if key, _, _ := strings.Cut(line, ":"); !strings.Contains(more, key+":") {
			kept.WriteString(line)
		}
	}
	if err := os.WriteFile(st.answers, []byte(kept.String()+more), 0o600); err != nil {
		t.Fatal(err)
	}
	return st
}

// openSC loads the real OpenSC.
func openSC(t *testing.T) *p11.Module {
	t.Helper()
	path, err := p11.Find("opensc")
	if err != nil {
		t.Fatalf("this test drives the real OpenSC: %v", err)
	}
	m, err := p11.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	// A run that stopped has finalised it.
	t.Cleanup(func() { _, _ = m.Do(token.Call{Function: token.Finalize}) })
	return m
}

// meanwhile does something once, before the first call of a function.
type meanwhile struct {
	token.Module
	before token.Function
	do     func()
}

func (m *meanwhile) Do(c token.Call) (token.Result, error) {
	if c.Function == m.before && m.do != nil {
		do := m.do
		m.do = nil
		do()
	}
	return m.Module.Do(c)
}

// atSecret does something once, while a PIN is typed.
type atSecret struct {
	room.Room
	what string
	do   func()
}

func (a *atSecret) Secret(p room.Prompt) (token.PIN, error) {
	if a.do != nil && a.what != "" && strings.Contains(p.Key, a.what) {
		do := a.do
		a.do = nil
		do()
	}
	return a.Room.Secret(p)
}

const tryAgain = "  \"*/on-failure/*\": \"again\"\n  \"*/unknown/*\": \"it-did-not-happen\"\n  \"*/unknown-seen/*\": \"@initials\"\n  \"*/unknown-agreed/*\": \"@initials\"\n"

// exchange puts each card into the other's reader.
func exchange(c *cardtest.Cards) {
	c.Remove(0)
	c.Remove(1)
	c.Insert(0, 1)
	c.Insert(1, 0)
}

// TestBoundBySerial: whatever slot the token is in, it is the one with the
// serial number of the script; another one beside it is not touched.
func TestBoundBySerial(t *testing.T) {
	for name, c := range map[string]struct {
		before  token.Function // do is done before its first call,
		typed   string         // or while this is typed
		do      func(*cardtest.Cards)
		answers string
		says    string // a problem on the way, "" for none
	}{
		"two cards":                         {},
		"swapped after it was identified":   {before: token.OpenSession, do: exchange, answers: tryAgain},
		"swapped while the SO-PIN is typed": {typed: "so-pin-current", do: exchange, answers: tryAgain, says: "CKR_DEVICE_REMOVED"},
		"swapped while the PIN is typed":    {typed: "user-pin-current", do: exchange, answers: tryAgain, says: "CKR_DEVICE_REMOVED"},
		"late after it was initialised": {before: token.InitPIN, do: func(c *cardtest.Cards) {
			c.Remove(0)
			c.InsertLater(0, 0, time.Second)
		}, answers: tryAgain, says: "CKR_GENERAL_ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			cards := cardtest.New(t, 2)
			other := cards.State(1)
			st := onCards(t, cards, nil, c.answers)
			if c.do != nil {
				st.token = func(m token.Module) token.Module { return &meanwhile{m, c.before, func() { c.do(cards) }} }
				st.room = func(r room.Room) room.Room { return &atSecret{r, c.typed, func() { c.do(cards) }} }
			}
			if err := st.start(); err != nil {
				t.Fatalf("%v\n%s", err, problems(st.entries(t)))
			}
			if err := sound(st.bundle()); err != nil {
				t.Fatal(err)
			}
			all := st.entries(t)
			if got := problems(all); (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
				t.Errorf("problems on the way: %s", got)
			}
			identified, _ := entriesOf[*audit.Token](all)
			for _, d := range identified {
				if d.Info.Serial != cards.Serial(0) {
					t.Errorf("token %s has the serial number %q", d.Name, d.Info.Serial)
				}
			}
			if !bytes.Equal(other, cards.State(1)) {
				t.Error("the other card was changed")
			}
		})
	}
}

// TestLabelTaken: a second token that has the label is found, also as OpenSC
// shows it.
func TestLabelTaken(t *testing.T) {
	cards := cardtest.New(t, 1)
	cards.Make(1, "Example Root CA R1")
	cards.Insert(1, 1)
	st := onCards(t, cards, nil, abortOnFailure)
	all := aborted(t, st, st.start())
	has(t, problems(all), `the label "Example Root CA R1" is taken by the token in slot`, cards.Serial(1))
	if n := len(calls(all, "init-token", "C_InitToken")); n != 0 {
		t.Errorf("C_InitToken was called %d times", n)
	}
}

// TestOtherSerial: the right kind of token, the wrong one.
func TestOtherSerial(t *testing.T) {
	cards := cardtest.New(t, 0)
	cards.Make(0, "")
	cards.Make(1, "")
	cards.Insert(0, 1)
	before := cards.State(1)
	st := onCards(t, cards, nil, abortOnFailure)
	all := aborted(t, st, st.start())
	has(t, problems(all), `token "hsm": the token is not there: expected serial "`+cards.Serial(0), cards.Serial(1))
	if !bytes.Equal(before, cards.State(1)) {
		t.Error("the other card was changed")
	}
}

// A pinCase is a cell of the table of PIN states in docs/tokens.md.
type pinCase struct {
	state, act string
	spent      map[token.PINKind]int // tries left before
	answers    string                // beside the usual ones
	returned   string                // by the call that uses the PIN, "" if none is made
	so, user   int                   // tries left afterwards
	says       []string              // what the room is told, in this order
}

// pinActs are the steps of the table: their fields, and the call that uses the PIN.
var pinActs = map[string]struct{ kind, fields, call string }{
	"login":   {"login-proof", "    token: hsm\n", "C_Login"},
	"change":  {"pin-change", "    token: hsm\n    pin: user\n    reason: a year\n", "C_Login"},
	"unblock": {"pin-unblock", "    token: hsm\n", "C_InitPIN"},
	"init":    {"token-init", "    token: hsm\n    held_so_pin: true\n", "C_InitToken"},
}

const (
	wrongUser = `"51604938"`
	rightUser = `"648219"`
	wrongSO   = `"7130495826374850"`
	rightSO   = `"3537363231383830"`
)

func userIs(pins string) string { return "  \"x/user-pin-current/*\": " + pins + "\n" }
func soIs(pins string) string   { return "  \"x/so-pin-current/*\": " + pins + "\n" }

// TestPINStates goes through the table on the real OpenSC.
func TestPINStates(t *testing.T) {
	for _, c := range pinStates() {
		t.Run(c.act+"/"+c.state, c.run)
	}
}

// expected is what the script says of the tries spent before.
func (c pinCase) expected() string {
	if c.spent == nil {
		return ""
	}
	so, user := 15, 3
	if n, ok := c.spent[token.SOPIN]; ok {
		so = n
	}
	if n, ok := c.spent[token.UserPIN]; ok {
		user = n
	}
	return fmt.Sprintf("    tries: {so: %d, user: %d}\n", so, user)
}

func (c pinCase) run(t *testing.T) {
	cards := cardtest.New(t, 0)
	cards.Make(0, "Example Root CA R1")
	for kind, left := range c.spent {
		cards.Spend(0, kind, left)
	}
	cards.Insert(0, 0)
	act := pinActs[c.act]
	more := c.answers
	for _, k := range []string{userIs(rightUser), soIs(rightSO), "  \"x/on-failure/*\": \"abort\"\n", "  \"x/user-pin-new/*\": \"95142683\"\n",
		"  \"x/reason/*\": \"it is blocked\"\n", "  \"x/not-blocked/*\": \"set\"\n", meant} {
		if key, _, _ := strings.Cut(k, ":"); !strings.Contains(c.answers, key) {
			more += k
		}
	}
	st := onCards(t, cards, func(s string) string {
		head, _, _ := strings.Cut(s, "\nsteps:\n")
		head = strings.Replace(head, "    label: Example Root CA R1\n", "    label: Example Root CA R1\n"+c.expected(), 1)
		const people = "    actor: administrator\n    witnesses: [witness-1, witness-2]\n"
		return head + "\nsteps:\n  - id: roll-call\n    kind: attendance\n    title: Roll call\n" + people +
			"  - id: see\n    kind: token-identify\n    title: See\n" + people + "    token: hsm\n" +
			"  - id: x\n    kind: " + act.kind + "\n    title: A step\n" + people + act.fields +
			"  - id: the-end\n    kind: close\n    title: The end\n" + people
	}, more)
	st.unchecked = true
	var screen bytes.Buffer
	st.out = &screen
	err := st.start()
	var stop *ceremony.Stop
	switch {
	case errors.As(err, &stop) && !stop.Abort: // the room would not spend the last try
		if !strings.Contains(stop.Reason, "was not spent") {
			t.Errorf("paused: %v", err)
		}
	case err != nil:
		aborted(t, st, err)
	default:
		err = sound(st.bundle())
		if err != nil {
			t.Error(err)
		}
	}
	all := st.entries(t)
	if got := strings.Join(calls(all, "x", act.call), " "); got != c.returned {
		t.Errorf("%s: %q, want %q\n%s", act.call, got, c.returned, problems(all))
	}
	if so, user := cards.Tries(0, token.SOPIN), cards.Tries(0, token.UserPIN); so != c.so || user != c.user {
		t.Errorf("tries left: SO-PIN %d, user PIN %d; want %d and %d", so, user, c.so, c.user)
	}
	has(t, strings.Join(strings.Fields(screen.String()), " "), c.says...)
}
