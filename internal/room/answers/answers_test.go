package answers

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/plain"
	"github.com/keyrite/keyrite/internal/token"
)

const sample = `keyrite-answers: 1
answers:
  "*/ready/*": "@word"
  "*/*/*": "@initials"
  "clock/room-time/*": "@now"
  "clock/*/le": everything of LE
  "*/note/*": "@empty"
  "token-init/so-pin-current/*": "3537363231383830"
  "set-user-pin/user-pin-new/*": ["48273659", "48273659"]
  "once/*/*": [yes please]
`

func load(t *testing.T, text string) *Answers {
	t.Helper()
	file := filepath.Join(t.TempDir(), "answers.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	a.file = "answers.yaml"
	a.Now = func() time.Time { return time.Date(2026, 1, 31, 15, 5, 9, 5, time.FixedZone("", 3600)) }
	return a
}

func open(t *testing.T, text string) (room.Room, *Answers, *bytes.Buffer) {
	t.Helper()
	a, out := load(t, text), new(bytes.Buffer)
	return New(plain.NewScreen(out, false, 80), a), a, out
}

func reveal(p token.PIN) (s string) {
	p.Reveal(func(b []byte) { s = string(b) })
	return s
}

func TestAsk(t *testing.T) {
	for _, c := range []struct{ key, word, want string }{
		{"any/thing/yh", "", "YH"},
		{"any/ready/yh", "UNDERSTOOD", "UNDERSTOOD"},
		{"any/ready/yh", "", "YH"},
		{"clock/room-time/yh", "", "2026-01-31T14:05:09Z"},
		{"clock/room-time/le", "", "2026-01-31T14:05:09Z"},
		{"clock/other/le", "", "everything of LE"},
		{"any/note/yh", "", ""},
	} {
		r, _, out := open(t, sample)
		got, err := r.Ask(room.Prompt{Key: c.key, Person: "山田 花子 (YH)", Question: "Well?", Initials: "YH", Word: c.word})
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.key, got, err, c.want)
		}
		want := "\n  ▸ 山田 花子 (YH)\n    Well?\n    > " + c.want + "   (answer from answers.yaml)\n"
		if want = strings.Replace(want, ">    (", "> (", 1); out.String() != want {
			t.Errorf("%s: shown:\n%swant:\n%s", c.key, out, want)
		}
	}
}

func TestSecret(t *testing.T) {
	r, a, out := open(t, sample)
	p := room.Prompt{Key: "set-user-pin/user-pin-new/le", Question: "The new user PIN"}
	for range 2 {
		pin, err := r.Secret(p)
		if err != nil || reveal(pin) != "48273659" {
			t.Fatalf("secret %q, %v", reveal(pin), err)
		}
	}
	if pin, err := r.Secret(p); !errors.Is(err, room.ErrGone) || !pin.Empty() ||
		!strings.Contains(err.Error(), `only 2 answers to "set-user-pin/user-pin-new/le" (The new user PIN): add one to the list of "set-user-pin/user-pin-new/*"`) {
		t.Errorf("the list is used up: %v", err)
	}
	p.Key = "token-init/so-pin-current/le"
	for range 3 {
		if pin, err := r.Secret(p); err != nil || reveal(pin) != "3537363231383830" {
			t.Errorf("secret %q, %v", reveal(pin), err)
		}
	}
	if strings.Contains(out.String(), "48273659") || strings.Contains(out.String(), "353736") {
		t.Errorf("a secret is shown: %s", out)
	}
	if !strings.Contains(out.String(), "(not shown) > (answer from answers.yaml)\n") {
		t.Errorf("it does not say where the secret came from: %s", out)
	}
	if got := a.Unused(); slices.Contains(got, "set-user-pin/user-pin-new/*") || slices.Contains(got, "token-init/so-pin-current/*") {
		t.Errorf("unused: %v", got)
	}
}

// A wipe of one answer must leave the next alone.
func TestSecretIsACopy(t *testing.T) {
	r, _, _ := open(t, sample)
	p := room.Prompt{Key: "token-init/so-pin-current/le"}
	pin, _ := r.Secret(p)
	pin.Wipe()
	if again, err := r.Secret(p); err != nil || reveal(again) != "3537363231383830" {
		t.Errorf("after a wipe: %q, %v", reveal(again), err)
	}
}

func TestListOfOneIsGivenOnce(t *testing.T) {
	r, _, _ := open(t, sample)
	p := room.Prompt{Key: "once/what/le"}
	if got, err := r.Ask(p); got != "yes please" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := r.Ask(p); !errors.Is(err, room.ErrGone) {
		t.Errorf("a list of one was given twice: %v", err)
	}
}

func TestNoAnswer(t *testing.T) {
	text := "keyrite-answers: 1\nanswers:\n  \"s/w/p\": x\n"
	for _, c := range []struct {
		p    room.Prompt
		want string
	}{
		{room.Prompt{Key: "env/room-time/le", Question: "Read the\nsecond clock"},
			`nobody can answer any more: answers.yaml has no answer to "env/room-time/le" (Read the second clock): add the line   "env/room-time/le": "…"`},
		{room.Prompt{Key: "s/w/q", Word: "GO"}, `add the line   "s/w/q": "@word"`},
		{room.Prompt{Key: "s/w/q", Choices: []room.Choice{{Word: "stop"}}}, `add the line   "s/w/q": "stop"`},
		{room.Prompt{Key: "s/w"}, `no answer to "s/w"`},
		{room.Prompt{Key: "s/w/p/r"}, `no answer to "s/w/p/r"`},
	} {
		r, _, out := open(t, text)
		_, err := r.Ask(c.p)
		if !errors.Is(err, room.ErrGone) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.p.Key, err, c.want)
		}
		if !strings.Contains(out.String(), "> (no answer in answers.yaml)\n") {
			t.Errorf("%s: shown: %s", c.p.Key, out)
		}
		if pin, err := r.Secret(c.p); !errors.Is(err, room.ErrGone) || !pin.Empty() {
			t.Errorf("%s: secret: %v", c.p.Key, err)
		}
	}
}

func TestChoices(t *testing.T) {
	choices := []room.Choice{{Word: "pause"}, {Word: "abort"}}
	for answer, want := range map[string]string{"PAUSE": "pause", "ab": "abort", "!": "!", "stop": ""} {
		r, _, _ := open(t, "keyrite-answers: 1\nanswers:\n  \"*/*/*\": \""+answer+"\"\n")
		got, err := r.Ask(room.Prompt{Key: "s/menu/p", Choices: choices})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", answer, got, err, want)
		}
		if err != nil && (!errors.Is(err, room.ErrGone) || !strings.Contains(err.Error(), "none of the words: pause, abort")) {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

// An answer that is refused for ever must not be given for ever.
func TestRefusedForEver(t *testing.T) {
	r, _, _ := open(t, sample)
	p := room.Prompt{Key: "a/b/c", Question: "?"}
	for range 3 {
		for range 20 {
			if _, err := r.Ask(p); err != nil {
				t.Fatal(err)
			}
		}
		r.Ask(room.Prompt{Key: "other/b/c"})
	}
	for range 20 {
		r.Ask(p)
	}
	if _, err := r.Ask(p); !errors.Is(err, room.ErrGone) || !strings.Contains(err.Error(), "refused 20 times") {
		t.Errorf("asked 21 times: %v", err)
	}
}

func TestUnused(t *testing.T) {
	r, a, _ := open(t, sample)
	r.Ask(room.Prompt{Key: "x/ready/y"})
	r.Secret(room.Prompt{Key: "set-user-pin/user-pin-new/y"})
	r.Ask(room.Prompt{Key: "once/x/y"})
	want := []string{"*/*/*", "*/note/*", "clock/*/le", "clock/room-time/*", "set-user-pin/user-pin-new/*", "token-init/so-pin-current/*"}
	if got := a.Unused(); !slices.Equal(got, want) {
		t.Errorf("unused:\n%q\nwant:\n%q", got, want)
	}
}

func TestPrecedence(t *testing.T) {
	// From the most specific to the least.
	all := []string{"s/w/p", "s/w/*", "s/*/p", "*/w/p", "s/*/*", "*/w/*", "*/*/p", "*/*/*"}
	for first := range all {
		for _, reversed := range []bool{false, true} {
			keys := slices.Clone(all[first:])
			if reversed {
				slices.Reverse(keys)
			}
			text := "keyrite-answers: 1\nanswers:\n  \"other/w/p\": wrong\n"
			for _, k := range keys {
				text += "  \"" + k + "\": \"by " + k + "\"\n"
			}
			r, _, _ := open(t, text)
			if got, err := r.Ask(room.Prompt{Key: "s/w/p"}); got != "by "+all[first] || err != nil {
				t.Errorf("of %q: %q, %v", keys, got, err)
			}
		}
	}
}

func TestShowsThroughTheScreen(t *testing.T) {
	r, _, out := open(t, sample)
	r.Show(room.Text{Text: "hello"})
	r.Busy("signing", time.Second)()
	if !strings.Contains(out.String(), "hello") || !strings.Contains(out.String(), "signing: took") {
		t.Errorf("shown: %s", out)
	}
}

// TestSlip: what was shown to one person alone can be typed back, row by row,
// and is neither on the screen nor given to another or for another slip.
func TestSlip(t *testing.T) {
	r, _, out := open(t, "keyrite-answers: 1\nanswers:\n  \"deal/share/*\": \"@slip\"\n")
	rows := []token.PIN{token.NewPIN([]byte("secret row one")), token.NewPIN([]byte("secret row two"))}
	if err := r.Private(room.Prompt{Key: "deal/look/le", Person: "LE"}, room.Slip{Name: "hsm/so-pin", Rows: rows}); err != nil {
		t.Fatal(err)
	}
	p := room.Prompt{Key: "deal/share/le", Person: "LE", Slip: "hsm/so-pin", Row: 2}
	if pin, err := r.Secret(p); err != nil || reveal(pin) != "secret row two" {
		t.Errorf("%q, %v", reveal(pin), err)
	}
	for _, q := range []room.Prompt{
		{Key: p.Key, Person: "YH", Slip: p.Slip, Row: 1},
		{Key: p.Key, Person: "LE", Slip: "hsm/user-pin", Row: 1},
		{Key: p.Key, Person: "LE", Slip: p.Slip, Row: 3},
		{Key: p.Key, Person: "LE"},
	} {
		if pin, err := r.Secret(q); !errors.Is(err, room.ErrGone) || !pin.Empty() {
			t.Errorf("%+v: %q, %v", q, reveal(pin), err)
		}
	}
	if strings.Contains(out.String(), "secret row") {
		t.Errorf("a slip is shown: %s", out)
	}
}
