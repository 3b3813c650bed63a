package steps_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

// twoHolders gives both PINs of the root-ca template to two custodians each.
func twoHolders(s string) string {
	s = strings.Replace(s, "  - id: witness-1\n", `  - id: so-custodian-2
    name: Example Second SO-PIN Custodian
    initials: ETC
    roles: [so-pin-custodian]
  - id: user-custodian-2
    name: Example Second User PIN Custodian
    initials: ETU
    roles: [user-pin-custodian]
  - id: witness-1
`, 1)
	s = strings.Replace(s, "    so_pin_custodian: so-custodian\n", "    so_pin: {way: halves, custodians: [so-custodian, so-custodian-2]}\n", 1)
	return strings.Replace(s, "    user_pin_custodian: user-custodian\n", "    user_pin: {way: halves, custodians: [user-custodian, user-custodian-2]}\n", 1)
}

// halfAnswers are what the four type; they win over the template's own.
const halfAnswers = `  "new-so-pin/so-pin-new/so-custodian": "60293847"
  "new-so-pin/so-pin-new/so-custodian-2": "15263748"
  "user-pin/so-pin-current/so-custodian": "60293847"
  "user-pin/so-pin-current/so-custodian-2": "15263748"
  "user-pin/user-pin-new/user-custodian": "7392"
  "user-pin/user-pin-new/user-custodian-2": "0461"
  "*/user-pin-current/user-custodian": "7392"
  "*/user-pin-current/user-custodian-2": "0461"
`

// secretsOf returns the entries about secrets of a step as lines.
func secretsOf(entries []*audit.Entry, step string) string {
	var b strings.Builder
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Secret); ok && e.Step == step {
			b.WriteString(strings.Join([]string{d.Person, d.Use, d.Secret, d.Part, d.Result}, "|") + "\n")
		}
	}
	return b.String()
}

// TestHalves holds a ceremony in which two people have a part of each PIN.
func TestHalves(t *testing.T) {
	st, err := play(t, "root-ca", twoHolders, halfAnswers)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	for step, want := range map[string]string{
		// The factory SO-PIN is nobody's secret.
		"init-token": "so-custodian|current|SO-PIN||accepted\n",
		"new-so-pin": "so-custodian|current|SO-PIN||accepted\n" +
			"so-custodian|new|SO-PIN|1 of 2|accepted\nso-custodian-2|new|SO-PIN|2 of 2|accepted\n",
		"user-pin": "so-custodian|current|SO-PIN|1 of 2|accepted\nso-custodian-2|current|SO-PIN|2 of 2|accepted\n" +
			"user-custodian|new|user PIN|1 of 2|accepted\nuser-custodian-2|new|user PIN|2 of 2|accepted\n",
		"first-crl": "user-custodian|current|user PIN|1 of 2|accepted\nuser-custodian-2|current|user PIN|2 of 2|accepted\n",
	} {
		if got := secretsOf(entries, step); got != want {
			t.Errorf("step %s:\n%swant:\n%s", step, got, want)
		}
	}
	for _, secret := range []string{"60293847", "15263748", "7392\n", "0461\n", "73920461"} {
		findPlanted(t, st, secret)
	}
}

// findPlanted looks for a secret in every file of a stage, the token's own store
// among them, and shows in the answers that it would find it.
func findPlanted(t *testing.T, st *stage, secret string) {
	t.Helper()
	secret = strings.TrimSpace(secret)
	seen := 0
	err := filepath.WalkDir(st.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found := bytes.Contains(b, []byte(secret))
		switch {
		case path == st.answers:
			seen++
			if !found {
				t.Errorf("the answers do not hold %q: this test would not find it", secret)
			}
		case found && len(secret) >= 8: // four digits stand anywhere
			t.Errorf("%s holds %q", path, secret)
		}
		return nil
	})
	if err != nil || seen != 1 {
		t.Errorf("looking for %q: %v, %d files of answers", secret, err, seen)
	}
}

// TestHalvesRefused: what is wrong with a part is said with its custodian's
// name, what is wrong with the whole to both; nothing reaches the token.
func TestHalvesRefused(t *testing.T) {
	more := `  "new-so-pin/so-pin-new/so-custodian": ["6029384", "60293847", "60293846", "12345678", "12345678", "60293847", "60293847"]
  "new-so-pin/so-pin-new/so-custodian-2": ["90123456", "90123456", "15263748", "15263748"]
`
	rest := halfAnswers[strings.Index(halfAnswers, `  "user-pin/so-pin-current/so-custodian"`):]
	st, err := play(t, "root-ca", twoHolders, more+rest)
	if err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	const weak = "joined with the other part: this new SO-PIN is too easy to guess: it counts up or down; choose another one"
	want := `so-custodian|current|SO-PIN||accepted
so-custodian|new|SO-PIN|1 of 2|the part of Example SO-PIN Custodian (ESC) must be 8 characters (the whole has exactly 16 digits 0-9 (no letters: one with A-F did not match afterwards on some tokens, OpenSC issue 674))
so-custodian|new|SO-PIN|1 of 2|the two entries of Example SO-PIN Custodian (ESC)'s part differ
so-custodian|new|SO-PIN|1 of 2|accepted
so-custodian-2|new|SO-PIN|2 of 2|accepted
so-custodian|new|SO-PIN|1 of 2|` + weak + `
so-custodian-2|new|SO-PIN|2 of 2|` + weak + `
so-custodian|new|SO-PIN|1 of 2|accepted
so-custodian-2|new|SO-PIN|2 of 2|accepted
`
	if got := secretsOf(entries, "new-so-pin"); got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
	sets := 0
	for _, e := range entries {
		if d, ok := e.Data.(*audit.HSMIntent); ok && d.Function == "C_SetPIN" {
			sets++
		}
	}
	if sets != 1 {
		t.Errorf("%d calls of C_SetPIN, want 1", sets)
	}
	untouched(t, entries, "new-so-pin", "new")
}

// TestHalfAway: a PIN of two halves needs both people.
func TestHalfAway(t *testing.T) {
	optional := func(s string) string {
		return in("roll-call", "    say: >-", "    required: [administrator]\n    say: >-")(twoHolders(s))
	}
	st, err := play(t, "root-ca", optional, halfAnswers+"  \"roll-call/present/so-custodian-2\": \"no\"\n"+abortOnFailure)
	if p := problems(aborted(t, st, err)); !strings.Contains(p, "this needs Example Second SO-PIN Custodian (ETC), absent at the roll call") {
		t.Errorf("problems: %s", p)
	}
}

// filesBelow returns what all files below a folder hold.
func filesBelow(t *testing.T, dir string) (all [][]byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, b)
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d files below %s: %v", len(all), dir, err)
	}
	return all
}
