package steps_test

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
)

const destroySteps = `  - id: destroy-root
    kind: key-destroy
    title: Destroy the root key
    actor: user-custodian
    witnesses: [witness-1, witness-2]
    key: root
    authorisation: By the resolution of the board of 2026-11-01.

  - id: nothing-left
    kind: token-inventory
    title: Nothing is left
    actor: administrator
    witnesses: [witness-1, witness-2]
    token: hsm
    expect: empty
    login: true

  - id: wipe
    kind: token-wipe
    title: Wipe the token
    actor: so-custodian
    witnesses: [witness-1, witness-2]
    token: hsm
    authorisation: By the resolution of the board of 2026-11-01.
    login: true
    old_pin: try
`

const destroyAnswers = `  "destroy-root/destroy/*": ["yes", "@word"]
  "wipe/wipe/*": "@word"
  "wipe/so-pin-current/*": "6029384715263748"
`

// TestDestroy: a key is destroyed and a token wiped; the log shows that both are
// gone, and that the old PIN opens nothing.
func TestDestroy(t *testing.T) {
	for name, run := range map[string]func() (*stage, error){
		"SoftHSM2": func() (*stage, error) { return play(t, "root-ca", before("deviations", destroySteps), destroyAnswers) },
		"card": func() (*stage, error) {
			return playCard(t, before("deviations", destroySteps), destroyAnswers+"  \"wipe/try-old/*\": \"try\"\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := run()
			if err != nil {
				t.Fatal(err)
			}
			if err := sound(st.bundle()); err != nil {
				t.Fatal(err)
			}
			all := st.entries(t)
			ends, _ := entriesOf[*audit.Destroyed](all)
			if len(ends) != 2 || ends[0].Key != "root" || ends[1].Key != "" {
				t.Fatalf("ends: %+v", ends)
			}
			if rvs := calls(all, "destroy-root", "C_DestroyObject"); len(rvs) != 2 {
				t.Errorf("C_DestroyObject: %v", rvs)
			}
			for _, d := range ends {
				i := all[d.After].Data.(*audit.Inventory)
				if len(i.Objects) != 0 || len(i.Differs) != 0 {
					t.Errorf("after: %+v", i)
				}
			}
			has(t, results(all, "destroy-root"), "authorisation: By the resolution", "key root: destroyed")
			has(t, results(all, "wipe"), "authorisation: By the resolution", "old user PIN: refused: CKR_")
			if st.card != nil && (st.card.Objects(0) != 0 || st.card.Tries(0, token.SOPIN) != 15) {
				t.Errorf("%d objects, %d tries of the SO-PIN", st.card.Objects(0), st.card.Tries(0, token.SOPIN))
			}
		})
	}
}

// TestDestroyGoesOn: a break after the destruction destroys nothing again.
func TestDestroyGoesOn(t *testing.T) {
	st, err := play(t, "root-ca", before("deviations", destroySteps), destroyAnswers+"  \"wipe/seen/witness-1\": \"!\"\n  \"*/menu/*\": \"pause\"\n  \"*/reason/*\": \"lunch\"\n")
	if err == nil {
		t.Fatal("expected a pause")
	}
	if err := st.goOn(""); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	if n := len(calls(st.entries(t), "wipe", "C_InitToken")); n != 1 {
		t.Errorf("C_InitToken was called %d times", n)
	}
}

func TestDestroyImpossible(t *testing.T) {
	with := before("deviations", destroySteps)
	destroy := strings.SplitAfter(destroySteps, "of 2026-11-01.\n")[0]
	for name, c := range map[string]struct {
		with       func(string) string
		path, want string
	}{
		"a key that is not there": {before("make-root-key", destroy), ".key: ", "does not exist by then"},
		"a key twice":             {before("nothing-left-2", strings.Replace(destroy, "destroy-root", "destroy-again", 1)), ".key: ", "is destroyed already"},
		"a CRL after its key":     {before("first-crl", destroy), ".key: ", "is used before"},
		"an empty token wiped":    {before("init-token", "  - id: wipe"+strings.SplitAfter(destroySteps, "  - id: wipe")[1]), ".token: ", "is not initialised by then"},
		"a login after the wipe": {func(s string) string {
			return before("deviations", "  - id: late\n    kind: login-proof\n    title: Late\n    actor: user-custodian\n    token: hsm\n")(with(s))
		}, ".token: ", "has no user PIN yet"},
		"without an authorisation": {func(s string) string {
			return strings.Replace(with(s), "    authorisation: By the resolution of the board of 2026-11-01.\n", "", 1)
		}, "steps[", "authorisation"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(name, "twice") {
				c.with = func(s string) string {
					return before("nothing-left", strings.Replace(destroy, "destroy-root", "destroy-again", 1))(with(s))
				}
			}
			impossible(t, "root-ca", c.with, nil, c.path, c.want)
		})
	}
}
