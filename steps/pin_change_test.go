package steps_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/fake"
	"github.com/keyrite/keyrite/steps"
	"github.com/keyrite/keyrite/templates"
)

// before puts steps before another one of a script.
func before(id, more string) func(string) string {
	return func(s string) string {
		at := strings.Index(s, "  - id: "+id+"\n")
		return s[:at] + more + "\n" + s[at:]
	}
}

// results are the facts that a step recorded, "name: value" each.
func results(entries []*audit.Entry, step string) string {
	var all []string
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Result); ok && e.Step == step {
			all = append(all, d.Name+": "+d.Value)
		}
	}
	return strings.Join(all, "\n")
}

// has compares texts that must be there, in this order.
func has(t *testing.T, text string, want ...string) {
	t.Helper()
	rest := text
	for _, w := range want {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Errorf("%q is missing, or not in its place, in:\n%s", w, text)
			return
		}
		rest = after
	}
}

// calls are the return values of a function in a step.
func calls(entries []*audit.Entry, step, function string) (rvs []string) {
	for _, e := range entries {
		if d, ok := e.Data.(*audit.HSMOutcome); ok && e.Step == step && d.Function == function {
			rvs = append(rvs, d.RV)
		}
	}
	return rvs
}

const pinSteps = `  - id: change-user
    kind: pin-change
    title: Change the user PIN
    actor: user-custodian
    witnesses: [witness-1, witness-2]
    token: hsm
    pin: user
    reason: The yearly change.
    old_pin: try

  - id: change-so
    kind: pin-change
    title: Change the SO-PIN
    actor: so-custodian
    witnesses: [witness-1, witness-2]
    token: hsm
    pin: so
    reason: A custodian leaves.

  - id: unblock
    kind: pin-unblock
    title: Unblock the user PIN
    actor: administrator
    witnesses: [witness-1, witness-2]
    token: hsm
`

const pinAnswers = `  "change-user/user-pin-current/*": ["73920461", "84031572"]
  "change-user/user-pin-new/*": "84031572"
  "change-user/try-old/*": "try"
  "change-so/so-pin-current/*": "6029384715263748"
  "change-so/so-pin-new/*": "7130495826374859"
  "unblock/reason/*": "three wrong tries at the monthly signing, agreed by the security officer"
  "unblock/so-pin-current/*": "7130495826374859"
  "unblock/user-pin-new/*": "95142683"
  "unblock/user-pin-current/*": "95142683"
`

func TestPINChange(t *testing.T) {
	st, err := play(t, "root-ca", before("hand-out", pinSteps), pinAnswers)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	has(t, results(all, "change-user"), "reason for the change: The yearly change.", "tries of the user PIN before: ", "user PIN: replaced",
		"old user PIN: refused: CKR_PIN_INCORRECT", "login with the user PIN: accepted: CKS_RW_USER_FUNCTIONS", "tries of the user PIN after: ")
	if got := strings.Join(calls(all, "change-user", "C_Login"), " "); got != "CKR_OK CKR_PIN_INCORRECT CKR_OK" {
		t.Errorf("logins: %s", got)
	}
	has(t, results(all, "change-so"), "SO-PIN: replaced", "login with the SO-PIN: accepted: CKS_RW_SO_FUNCTIONS")
	if got := strings.Join(calls(all, "change-so", "C_Login"), " "); got != "CKR_OK CKR_OK" {
		t.Errorf("logins of the SO: %s", got)
	}
	has(t, results(all, "unblock"), "tries of the SO-PIN before: ", "user PIN: set (by-so)", "login with the user PIN: accepted")
	why, _ := entriesOf[*audit.Answer](all)
	found := false
	for _, a := range why {
		found = found || a.Person == "administrator" && strings.HasPrefix(a.Value, "three wrong tries")
	}
	if !found {
		t.Error("the reason for the exception is not in the log")
	}
}

// TestPINChangeGoesOn: a change that broke off after C_SetPIN is not made
// again, and the new PIN is proved.
func TestPINChangeGoesOn(t *testing.T) {
	st, err := play(t, "root-ca", before("hand-out", pinSteps), pinAnswers+"  \"change-user/seen/witness-1\": \"!\"\n  \"*/menu/*\": \"pause\"\n  \"*/reason/*\": \"lunch\"\n")
	var stop *ceremony.Stop
	if !errors.As(err, &stop) || stop.Abort {
		t.Fatalf("expected a pause, got %v", err)
	}
	if err := st.goOn(strings.ReplaceAll(pinAnswers, `["73920461", "84031572"]`, `"84031572"`)); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	if n := len(calls(all, "change-user", "C_SetPIN")); n != 1 {
		t.Errorf("C_SetPIN was called %d times", n)
	}
	has(t, results(all, "change-user"), "old user PIN: refused", "old user PIN: not tried: the step broke off", "login with the user PIN: accepted")
}

// playCard is play on a card that counts tries.
func playCard(t *testing.T, change func(string) string, more string) (*stage, error) {
	t.Helper()
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	st.script, st.card = []byte(change(string(st.script))), fake.NewSmartCardHSM("DENK0000000")
	b, err := os.ReadFile(st.answers)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.prepare([]byte(string(b) + more)); err != nil {
		t.Fatal(err)
	}
	return st, st.start()
}

// TestPINChangeCounted: where tries are counted the room is asked before the old
// PIN is spent on one; the new one gives it back.
func TestPINChangeCounted(t *testing.T) {
	for choice, want := range map[string]string{"try": "CKR_OK CKR_PIN_INCORRECT CKR_OK", "leave": "CKR_OK CKR_OK"} {
		t.Run(choice, func(t *testing.T) {
			st, err := playCard(t, before("hand-out", pinSteps), strings.ReplaceAll(pinAnswers, `/try-old/*": "try"`, `/try-old/*": "`+choice+`"`)+"  \"unblock/not-blocked/*\": \"set\"\n")
			if err != nil {
				t.Fatal(err)
			}
			if err := sound(st.bundle()); err != nil {
				t.Fatal(err)
			}
			all := st.entries(t)
			if got := strings.Join(calls(all, "change-user", "C_Login"), " "); got != want {
				t.Errorf("logins: %s", got)
			}
			if n := st.card.Tries(0, token.UserPIN); n != 3 {
				t.Errorf("%d tries are left", n)
			}
			has(t, results(all, "change-user"), "before: no wrong try", "old user PIN: ", "after: no wrong try")
			// The login proves nothing on this card; setting the SO-PIN to itself does.
			if n := len(calls(all, "change-so", "C_SetPIN")); n != 2 {
				t.Errorf("C_SetPIN of the SO-PIN was called %d times", n)
			}
		})
	}
}

const blocking = `  - id: block
    kind: login-proof
    title: Three wrong tries
    actor: user-custodian
    witnesses: [witness-1, witness-2]
    token: hsm

  - id: unblock
    kind: pin-unblock
    title: Unblock the user PIN
    actor: administrator
    witnesses: [witness-1, witness-2]
    token: hsm
`

const blockingAnswers = `  "block/user-pin-current/*": ["11112223", "11112224", "11112225"]
  "block/last-try/*": "LAST TRY"
  "block/on-failure/*": ["again", "again", "again", "skip"]
  "block/expected/*": "the PIN is right"
  "block/happened/*": "it was wrong three times"
  "block/decided/*": "the security officer unblocks it"
  "block/deviation/*": "@initials"
  "unblock/reason/*": "three wrong tries"
  "unblock/so-pin-current/*": "6029384715263748"
  "unblock/user-pin-new/*": "95142683"
  "unblock/user-pin-current/*": "95142683"
`

// TestPINUnblock: a blocked PIN is set anew; one that is not blocked only if the
// room says so.
func TestPINUnblock(t *testing.T) {
	st, err := playCard(t, before("hand-out", blocking), blockingAnswers)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	has(t, results(all, "unblock"), "tries of the user PIN before: locked", "login with the user PIN: accepted", "tries of the user PIN after: no wrong try")

	_, unblock, _ := strings.Cut(pinSteps, "  - id: unblock")
	st, err = playCard(t, before("hand-out", "  - id: unblock"+unblock), blockingAnswers+"  \"unblock/not-blocked/*\": \"stop\"\n  \"unblock/on-failure/*\": \"abort\"\n  \"unblock/give-up/*\": \"@word\"\n")
	all = aborted(t, st, err)
	if n := len(calls(all, "unblock", "C_InitPIN")); n != 0 || !strings.Contains(problems(all), "is not blocked") {
		t.Errorf("C_InitPIN was called %d times; problems: %s", n, problems(all))
	}
}

// TestPINChangeImpossible: what the model of the world refuses.
func TestPINChangeImpossible(t *testing.T) {
	for name, c := range map[string]struct{ old, fresh, path, want string }{
		"old SO-PIN on a card":        {"    pin: so\n", "    pin: so\n    old_pin: try\n", ".old_pin: ", "its login refuses none"},
		"PIN of no token":             {"token: hsm\n    pin: user", "token: hms\n    pin: user", ".token: ", "is not one of the script's tokens"},
		"unblock of nobody's SO-PIN":  {"    so_pin_custodian: so-custodian\n", "", ".token: ", "is needed"},
		"neither of the two PINs":     {"    pin: so\n", "    pin: admin\n", ".pin: ", "expected"},
		"a change without its reason": {"    reason: A custodian leaves.\n", "", "steps[", "reason"},
	} {
		t.Run(name, func(t *testing.T) {
			impossible(t, "root-ca", before("hand-out", pinSteps), swap(c.old, c.fresh), c.path, c.want)
		})
	}
	t.Run("change before there is one", func(t *testing.T) {
		impossible(t, "root-ca", before("user-pin", strings.SplitAfter(pinSteps, "old_pin: try\n")[0]), nil, ".pin: ", "no user PIN by then")
	})
	t.Run("unblock before there is one", func(t *testing.T) {
		_, unblock, _ := strings.Cut(pinSteps, "  - id: unblock")
		impossible(t, "root-ca", before("user-pin", "  - id: unblock"+unblock), nil, ".token: ", "no user PIN by then")
	})
}

// impossible holds a script made of a template against the model of the world:
// it finds what is said to be wrong, at the field. Without the last change the
// script is sound.
func impossible(t *testing.T, template string, with, wrong func(string) string, path, want string) {
	t.Helper()
	b, err := templates.Ceremonies.ReadFile("ceremonies/" + template + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	script := with(string(b))
	if wrong != nil {
		if _, problems := ceremony.ParseAndCheck("s.yaml", []byte(script), steps.Kinds()); len(problems) > 0 {
			t.Fatalf("the script is wrong to begin with: %v", problems)
		}
		changed := wrong(script)
		if changed == script {
			t.Fatal("the script was not changed")
		}
		script = changed
	}
	_, problems := ceremony.ParseAndCheck("s.yaml", []byte(script), steps.Kinds())
	for _, p := range problems {
		if s := p.String(); strings.Contains(s, path) && strings.Contains(s, want) && p.Line > 0 {
			return
		}
	}
	t.Errorf("nothing says %q at %q:\n%v", want, path, problems)
}
