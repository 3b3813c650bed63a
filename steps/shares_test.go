package steps_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/steps"
	"github.com/keyrite/keyrite/templates"
)

// sharesOf gives both PINs of the root-ca template to three custodians each, two
// of whom are enough.
func sharesOf(s string) string {
	var people strings.Builder
	for i, id := range []string{"so-2", "so-3", "user-2", "user-3"} {
		role := "so-pin-custodian"
		if i > 1 {
			role = "user-pin-custodian"
		}
		fmt.Fprintf(&people, "  - id: %s\n    name: Example Custodian %d\n    initials: EC%c\n    roles: [%s]\n", id, i+1, 'P'+i, role)
	}
	s = strings.Replace(s, "  - id: witness-1\n", people.String()+"  - id: witness-1\n", 1)
	s = strings.Replace(s, "    so_pin_custodian: so-custodian\n", "    so_pin: {way: shares, custodians: [so-custodian, so-2, so-3], threshold: 2}\n", 1)
	return strings.Replace(s, "    user_pin_custodian: user-custodian\n", "    user_pin: {way: shares, custodians: [user-custodian, user-2, user-3], threshold: 2}\n", 1)
}

const shareAnswers = `  "*/so-pin-alone/*": "ready"
  "*/user-pin-alone/*": "ready"
  "*/so-pin-share/*": "@slip"
  "*/user-pin-share/*": "@slip"
  "*/so-pin-gives/*": "yes"
  "*/user-pin-gives/*": "yes"
  "*/user-pin-gives/user-custodian": "no"
  "*/so-pin-void/*": "destroyed"
  "*/user-pin-void/*": "destroyed"
`

// A listener keeps what is shown to one person alone, as that person's paper
// does, and may answer a prompt for a secret in their place.
type listener struct {
	room.Room
	slips  map[string][][]string // rows, by person and slip; one for each time it was shown
	secret func(l *listener, p room.Prompt) (row string, ok bool)
}

func (l *listener) Private(p room.Prompt, s room.Slip) error {
	var rows []string
	for _, row := range s.Rows {
		row.Reveal(func(b []byte) { rows = append(rows, string(b)) })
	}
	key := p.Person + "|" + s.Name
	l.slips[key] = append(l.slips[key], rows)
	return l.Room.Private(p, s)
}

func (l *listener) Secret(p room.Prompt) (token.PIN, error) {
	if l.secret != nil {
		if row, ok := l.secret(l, p); ok {
			return token.NewPIN([]byte(row)), nil
		}
	}
	return l.Room.Secret(p)
}

func listening(st *stage, secret func(*listener, room.Prompt) (string, bool)) *listener {
	l := &listener{slips: map[string][][]string{}, secret: secret}
	st.room = func(r room.Room) room.Room { l.Room = r; return l }
	return l
}

func playShares(t *testing.T, change func(string) string, more string, secret func(*listener, room.Prompt) (string, bool)) (*stage, *listener, error) {
	t.Helper()
	st := stageOf(t, "root-ca", func(s string) string {
		s = sharesOf(s)
		if change != nil {
			s = change(s)
		}
		return s
	}, shareAnswers+more)
	screen, err := os.Create(st.dir + "/screen.txt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	st.out = screen
	l := listening(st, secret)
	return st, l, st.start()
}

// TestShares holds a ceremony in which both PINs are made in the room, seen by
// nobody and held in shares; no share is in any file, nor on the screen.
func TestShares(t *testing.T) {
	st, l, err := playShares(t, nil, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	seen := map[string]*audit.Share{}
	for _, e := range entries {
		switch d := e.Data.(type) {
		case *audit.Share:
			seen[d.Commitment] = d
			if d.Threshold != 2 || d.Shares != 3 || len(d.Set) != 6 || d.Number >= e.Seq {
				t.Errorf("entry %d: %+v", e.Seq, d)
			}
		case *audit.HSMOutcome:
			if in := intentOf(entries, d.Intent); in.Purpose == "secret" && d.Random != "" {
				t.Errorf("entry %d holds random bytes that are to stay secret", e.Seq)
			}
		}
	}
	if len(seen) != 6 || len(l.slips) != 6 {
		t.Errorf("%d shares with commitments of their own, %d slips; want 6", len(seen), len(l.slips))
	}
	if got, want := secretsOf(entries, "first-crl"), "user-2|current|user PIN|share|accepted\nuser-3|current|user PIN|share|accepted\n"; got != want {
		t.Errorf("first-crl:\n%swant:\n%s", got, want)
	}
	for who, slips := range l.slips {
		for _, row := range slips[0] {
			findNowhere(t, st.dir, row, strings.Join(strings.Fields(row)[:3], " "))
			if len(strings.Fields(row)) < 3 {
				t.Errorf("%s: row %q", who, row)
			}
		}
	}
	// The search finds what is planted.
	if err := os.WriteFile(st.dir+"/planted", []byte("x"+l.slips["Example Custodian 1 (ECP)|hsm/so-pin"][0][0]), 0o600); err != nil {
		t.Fatal(err)
	}
	if !foundIn(t, st.dir, l.slips["Example Custodian 1 (ECP)|hsm/so-pin"][0][0]) {
		t.Error("a planted share is not found")
	}
}

func intentOf(entries []*audit.Entry, seq int64) *audit.HSMIntent {
	if d, ok := entries[seq].Data.(*audit.HSMIntent); ok {
		return d
	}
	return &audit.HSMIntent{}
}

// foundIn reports whether a file below dir holds the text, in any case.
func foundIn(t *testing.T, dir, text string) bool {
	t.Helper()
	return slices.ContainsFunc(filesBelow(t, dir), func(b []byte) bool {
		return strings.Contains(strings.ToLower(string(b)), strings.ToLower(text))
	})
}

func findNowhere(t *testing.T, dir string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if foundIn(t, dir, text) {
			t.Errorf("a file holds %q", text)
		}
	}
}

// TestWrongShares: every wrong share is named before the token's counter is
// touched, and the right one is taken after it.
func TestWrongShares(t *testing.T) {
	const own, other = "Example User PIN Custodian (EUC)", "Example Custodian 3 (ECR)"
	// What is typed at the first login with the user PIN, in this order.
	var script []func(l *listener) string
	user := func(l *listener, who string, row int) string { return l.slips[who+"|hsm/user-pin"][0][row-1] }
	all := func(who string, slip string) {
		for row := range 8 {
			script = append(script, func(l *listener) string {
				rows := l.slips[who+"|hsm/"+slip][0]
				if row >= len(rows) {
					return "skip"
				}
				return rows[row]
			})
		}
	}
	script = append(script,
		func(l *listener) string { return strings.Replace(user(l, own, 1), " ", " xyzzy ", 1) },
		func(l *listener) string { return user(l, own, 2) },
	)
	all("Example SO-PIN Custodian (ESC)", "so-pin") // a share of the other PIN
	all(other, "user-pin")                          // somebody else's
	all(own, "user-pin")
	at := 0
	st, _, err := playShares(t, nil, "  \"prove-login/user-pin-gives/user-custodian\": \"yes\"\n", func(l *listener, p room.Prompt) (string, bool) {
		for strings.HasPrefix(p.Key, "prove-login/user-pin-share/user-custodian") && at < len(script) {
			at++
			if row := script[at-1](l); row != "skip" {
				return row, true
			}
		}
		return "", false
	})
	if err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	got := secretsOf(entries, "prove-login")
	want := []string{
		"user-custodian|current|user PIN|share|row 1: its word 2 is not in the list of words",
		"user-custodian|current|user PIN|share|row 1: its last word does not fit the others: a word is not the one on the slip, or this is another row",
		"user-custodian|current|user PIN|share|this is a share of the SO-PIN, and the user PIN is asked for",
		"user-custodian|current|user PIN|share|this is share 2, which is that of Example Custodian 3 (ECR)",
		"user-custodian|current|user PIN|share|accepted",
		"user-2|current|user PIN|share|accepted",
	}
	if got != strings.Join(want, "\n")+"\n" {
		t.Errorf("%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
	untouched(t, entries, "prove-login", "current")
}

// TestTooFewShares: k-1 shares are named, and nothing is sent.
func TestTooFewShares(t *testing.T) {
	more := "  \"prove-login/user-pin-gives/*\": \"no\"\n  \"prove-login/user-pin-row/*\": \"without\"\n" + abortOnFailure
	st, _, err := playShares(t, nil, more, func(l *listener, p room.Prompt) (string, bool) {
		return "", p.Key == "prove-login/user-pin-share/user-3" // an empty row
	})
	entries := aborted(t, st, err)
	if p := problems(entries); !strings.Contains(p, `1 of the 2 shares of the user PIN of token "hsm" that are needed were entered: nothing was sent to the token`) {
		t.Errorf("problems: %s", p)
	}
	if n := pinCalls(entries, "prove-login", 0, int64(len(entries))); n != 0 {
		t.Errorf("%d calls with a PIN", n)
	}
}

// TestShareCannotBeRead: what was copied wrongly is found before the token is
// touched; the PIN and all shares are made anew, and the old ones open nothing.
func TestShareCannotBeRead(t *testing.T) {
	asked := 0
	st, l, err := playShares(t, nil, "  \"new-so-pin/so-pin-row/*\": \"anew\"\n", func(l *listener, p room.Prompt) (string, bool) {
		if p.Key == "new-so-pin/so-pin-share/so-2" {
			asked++
		}
		return "", p.Key == "new-so-pin/so-pin-share/so-2" && asked == 3
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(l.slips["Example SO-PIN Custodian (ESC)|hsm/so-pin"]); n != 2 {
		t.Errorf("the first custodian got %d slips, want 2", n)
	}
	shares := 0
	for _, e := range st.entries(t) {
		if d, ok := e.Data.(*audit.Share); ok && d.Secret == "SO-PIN" {
			shares++
		}
	}
	if shares != 3 {
		t.Errorf("%d shares of the SO-PIN in the log, want those 3 that count", shares)
	}
	if v := voids(st.entries(t)); len(v) != 1 || !slices.Equal(v[0].People, []string{"so-custodian", "so-2"}) {
		t.Errorf("declared void: %+v, want the set that two had seen", v)
	}
}

// TestShareHolderAway: at the dealing everybody must be there; at a login k of
// them are enough.
func TestShareHolderAway(t *testing.T) {
	optional := in("roll-call", "    say: >-", "    required: [administrator]\n    say: >-")
	st, _, err := playShares(t, optional, "  \"roll-call/present/so-3\": \"no\"\n"+abortOnFailure, nil)
	if p := problems(aborted(t, st, err)); !strings.Contains(p, "Example Custodian 2 (ECQ)") {
		t.Errorf("problems: %s", p)
	}
	var stop *ceremony.Stop
	if !errors.As(err, &stop) {
		t.Errorf("%v", err)
	}
}

// laterScript is a ceremony on the token of an earlier one, whose shares are
// still in the custodians' hands.
const laterScript = `keyrite: 1
title: Example use of a key in shares
organisation: Example Trust Services
place: Ceremony room 1, Example City
purpose: Show that the shares are still right and open the token.
mode: production
participants:
  - {id: administrator, name: Example Ceremony Administrator, initials: ECA, roles: [ceremony-administrator, operator]}
  - {id: user-custodian, name: Example User PIN Custodian, initials: EUC, roles: [user-pin-custodian]}
  - {id: user-2, name: Example Custodian 3, initials: ECR, roles: [user-pin-custodian]}
  - {id: user-3, name: Example Custodian 4, initials: ECS, roles: [user-pin-custodian]}
tokens:
  - name: hsm
    model: nitrokey-hsm
    serial: "DENK0000000"
    label: Example Root CA R1
    user_pin:
      way: shares
      custodians: [user-custodian, user-2, user-3]
      threshold: 2
      commitments: [COMMITMENTS]
steps:
  - {id: roll-call, kind: attendance, title: Roll call, actor: administrator}
  - {id: see-token, kind: token-identify, title: Find the token, actor: administrator, token: hsm}
  - {id: still-right, kind: secret-check, title: The shares are still right, actor: administrator, token: hsm, pin: user}
  - {id: prove-login, kind: login-proof, title: Log in, actor: administrator, token: hsm}
  - {id: the-end, kind: close, title: Close, actor: administrator}
`

// rowAnswers are the rows of a share as an answers file has them.
func rowAnswers(step, person string, rows ...[]string) string {
	var all []string
	for _, r := range rows {
		all = append(all, r...)
	}
	return fmt.Sprintf("  \"%s/user-pin-share/%s\": [\"%s\"]\n", step, person, strings.Join(all, `", "`))
}

// TestSharesLater: in a later ceremony the shares are held against the
// commitments of the log that made them, and open the token; one of another
// ceremony is named before.
func TestSharesLater(t *testing.T) {
	checking := in("prove-login", "  - id: prove-login", "  - id: look\n    kind: secret-check\n    title: Look at the shares\n    actor: administrator\n    token: hsm\n    pin: user\n\n  - id: prove-login")
	st, l, err := playShares(t, checking, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	other, strangers, err := playShares(t, nil, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if other.bundle() == st.bundle() {
		t.Fatal("one stage")
	}
	var commitments []string
	for _, e := range st.entries(t) {
		switch d := e.Data.(type) {
		case *audit.Share:
			if d.Secret == "user PIN" {
				commitments = append(commitments, d.Commitment)
			}
		case *audit.ShareCheck:
			if d.Result != "right" || d.Against != "this log" || !slices.Contains(commitments, d.Commitment) {
				t.Errorf("entry %d: %+v", e.Seq, d)
			}
		}
	}
	slip := func(l *listener, name string) []string { return l.slips[name+"|hsm/user-pin"][0] }
	one, two, three := slip(l, "Example User PIN Custodian (EUC)"), slip(l, "Example Custodian 3 (ECR)"), slip(l, "Example Custodian 4 (ECS)")
	foreign := slip(strangers, "Example User PIN Custodian (EUC)")

	if err := os.Rename(st.bundle(), st.dir+"/first"); err != nil {
		t.Fatal(err)
	}
	st.script, st.room = []byte(strings.Replace(laterScript, "COMMITMENTS", strings.Join(commitments, ", "), 1)), nil
	answers := "keyrite-answers: 1\nanswers:\n  \"*/*/*\": \"@initials\"\n  \"*/present/*\": \"yes\"\n  \"*/on-failure/*\": [\"again\"]\n  \"*/user-pin-gives/*\": \"yes\"\n" +
		rowAnswers("still-right", "user-custodian", foreign, one) + rowAnswers("still-right", "user-2", two, two) + rowAnswers("still-right", "user-3", three, three) +
		rowAnswers("prove-login", "user-custodian", foreign, one) + rowAnswers("prove-login", "user-2", two)
	if err := st.prepare([]byte(answers)); err != nil {
		t.Fatal(err)
	}
	if err := st.start(); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	results := map[string]int{}
	for _, e := range entries {
		if d, ok := e.Data.(*audit.ShareCheck); ok {
			results[d.Person+"|"+d.Against+"|"+strings.Split(d.Result, ":")[0]]++
		}
	}
	want := map[string]int{"user-custodian|script|it is not the one committed to": 1, "user-custodian|script|right": 1, "user-2|script|right": 2, "user-3|script|right": 2}
	if fmt.Sprint(results) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", results, want)
	}
	if got := secretsOf(entries, "prove-login"); got != "user-custodian|current|user PIN|share|this is not the share 1 that the script commits to: it is of another ceremony, or was changed\n"+
		"user-custodian|current|user PIN|share|accepted\nuser-2|current|user PIN|share|accepted\n" {
		t.Errorf("prove-login:\n%s", got)
	}
	untouched(t, entries, "prove-login", "current")
}

// TestSecretCheckImpossible: shares that are not made yet, a PIN that is not in
// shares, somebody without one.
func TestSecretCheckImpossible(t *testing.T) {
	step := func(before, pin, more string) func(string) string {
		return in(before, "  - id: "+before, "  - id: look\n    kind: secret-check\n    title: Look\n    actor: administrator\n    token: hsm\n    pin: "+pin+"\n"+more+"\n  - id: "+before)
	}
	text, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b := string(text)
	for name, c := range map[string]struct {
		script string
		want   string
	}{
		"before it is made": {step("user-pin", "user", "")(sharesOf(b)), `.pin: no share of the user PIN of "hsm" is made before this step`},
		"a PIN of one":      {step("prove-login", "user", "")(b), `.pin: the user PIN of "hsm" is not held in shares: a part that is only in somebody's head has no check value`},
		"halves":            {step("prove-login", "so", "")(twoHolders(b)), `.pin: the SO-PIN of "hsm" is not held in shares`},
		"of a stranger":     {step("prove-login", "user", "    custodians: [user-2, witness-1]\n")(sharesOf(b)), `.custodians[2]: "witness-1" holds no share of the user PIN of "hsm"`},
		"twice":             {step("prove-login", "user", "    custodians: [user-2, user-2]\n")(sharesOf(b)), `.custodians[2]: "user-2" is there twice`},
		"holder away":       {in("roll-call", "    say: >-", "    people: [administrator, witness-1, witness-2, so-custodian, so-2, so-3, user-custodian, user-2]\n    say: >-")(sharesOf(b)), `the user PIN of "hsm" is asked of "user-3", who was not called`},
		"k-1 at a login":    {strings.Replace(strings.Replace(laterScript, "      commitments: [COMMITMENTS]\n", "", 1), "title: Roll call", "title: Roll call, people: [administrator, user-2]", 1), `the user PIN of "hsm" is asked of "user-custodian" and "user-3", who was not called`},
	} {
		_, problems := ceremony.ParseAndCheck("s.yaml", []byte(c.script), steps.Kinds())
		if err := problems.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// pinCalls counts the calls of a step with a PIN, from one place in the log to
// another.
func pinCalls(entries []*audit.Entry, step string, first, last int64) (n int) {
	for _, e := range entries {
		if d, ok := e.Data.(*audit.HSMIntent); ok && e.Step == step && first <= e.Seq && e.Seq <= last && (d.PIN != "" || d.NewPIN != "") {
			n++
		}
	}
	return n
}

// untouched wants something that was typed for a PIN refused, and no call with
// a PIN, whatever became of it, until all that was typed in its place is
// accepted; then there is one, or the test would see none anywhere.
func untouched(t *testing.T, entries []*audit.Entry, step, use string) {
	t.Helper()
	refused, last := int64(-1), int64(-1)
	for _, e := range entries {
		d, ok := e.Data.(*audit.Secret)
		switch {
		case !ok || e.Step != step || d.Use != use: // another
		case d.Result == "accepted":
			last = e.Seq
		case refused < 0:
			refused = e.Seq
		}
	}
	if refused < 0 || last < refused {
		t.Fatalf("step %s: nothing was refused and then accepted", step)
	}
	if n := pinCalls(entries, step, refused, last); n != 0 {
		t.Errorf("step %s: %d calls with a PIN before what was typed was right", step, n)
	}
	if pinCalls(entries, step, last, int64(len(entries))) == 0 {
		t.Errorf("step %s: no call with a PIN at all", step)
	}
}
