package steps_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/cardtest"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/verify"
)

// twoLogins is a script in which a token is used before and after a pause.
func twoLogins(s string) string {
	head, _, _ := strings.Cut(s, "\nsteps:\n")
	const people = "    actor: administrator\n    witnesses: [witness-1, witness-2]\n"
	step := func(id, kind, fields string) string {
		return "  - id: " + id + "\n    kind: " + kind + "\n    title: A step\n" + people + fields
	}
	return head + "\nsteps:\n" + step("roll-call", "attendance", "") + step("see", "token-identify", "    token: hsm\n") +
		step("before", "login-proof", "    token: hsm\n") + step("lunch", "pause", "    reason: an hour\n") +
		step("after", "login-proof", "    token: hsm\n") + step("the-end", "close", "")
}

// TestTriesBetween: tries that are spent while keyrite does not run are seen at
// the next look, also those of the SO-PIN, of which no flag tells. The step
// stops; the balance says that nothing in the log explains them.
func TestTriesBetween(t *testing.T) {
	cards := cardtest.New(t, 0)
	cards.Make(0, "Example Root CA R1")
	cards.Insert(0, 0)
	const pins = "  \"*/user-pin-current/*\": " + rightUser + "\n  \"lunch/headcount/*\": \"yes\"\n  \"lunch/break/*\": [\"stops\"]\n"
	st := onCards(t, cards, twoLogins, pins)
	st.unchecked = true
	var stop *ceremony.Stop
	if err := st.start(); !errors.As(err, &stop) || stop.Abort {
		t.Fatalf("expected a pause, got %v\n%s", err, problems(st.entries(t)))
	}
	cards.Remove(0)
	cards.Spend(0, token.SOPIN, 14)
	cards.Insert(0, 0)
	out, err := exec.Command("pkcs11-tool", "--module", st.opensc.Path(), "--login", "--pin", strings.Trim(wrongUser, `"`), "--list-objects").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "CKR_PIN_INCORRECT") {
		t.Fatalf("pkcs11-tool: %v\n%s", err, out)
	}
	if so, user := cards.Tries(0, token.SOPIN), cards.Tries(0, token.UserPIN); so != 14 || user != 2 {
		t.Fatalf("tries left after the break: %d, %d", so, user)
	}
	var kept strings.Builder
	for line := range strings.Lines(readAnswers(t)) {
		if !strings.Contains(line, "*/user-pin-current/*") {
			kept.WriteString(line)
		}
	}
	if err := st.prepare([]byte(kept.String() + pins + "  \"*/on-failure/*\": \"again\"\n  \"*/differs/*\": \"on\"\n" + resumeAnswers("after", ""))); err != nil {
		t.Fatal(err)
	}
	if err := st.resume(); err != nil {
		t.Fatalf("%v\n%s", err, problems(st.entries(t)))
	}
	all := st.entries(t)
	has(t, problems(all), `the tries left on token "hsm" are not as expected: SO-PIN: 14 left`, "15 left by this log", "user PIN: 2 left", "3 left by this log")
	ledgers, _ := entriesOf[*audit.TryLedger](all)
	if len(ledgers) != 2 || ledgers[0].At != audit.TriesDiffer || ledgers[1].At != audit.TriesEnd {
		t.Fatalf("%d ledgers", len(ledgers))
	}
	for i, want := range []audit.TryAccount{
		{Start: 15, Unexplained: -1, Left: 14},
		{Start: 3, GivenBack: 1, Unexplained: -1, Left: 3},
	} {
		got := ledgers[1].PINs[i]
		got = audit.TryAccount{Start: got.Start, Spent: got.Spent, GivenBack: got.GivenBack, Unexplained: got.Unexplained, Left: got.Left}
		if got != want {
			t.Errorf("account %d: %+v, want %+v", i, got, want)
		}
	}
	r, err := verify.Bundle(st.bundle(), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Exit != verify.ExitSound || !r.Has(verify.TriesUnexplained) {
		t.Errorf("verdict %s", r.Verdict)
	}
}
