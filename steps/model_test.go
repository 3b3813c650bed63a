package steps_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/fake"
)

// TestOtherModel: a token that is not of the script's model stops the step that
// looks for it.
func TestOtherModel(t *testing.T) {
	st, err := playCard(t, swap("model: nitrokey-hsm", "model: softhsm2"), abortOnFailure)
	all := aborted(t, st, err)
	identified, _ := entriesOf[*audit.Token](all)
	if len(identified) != 1 || len(identified[0].Differs) != 1 || !strings.Contains(identified[0].Differs[0], `expected "softhsm2", this looks like "nitrokey-hsm"`) {
		t.Errorf("identified: %+v", identified)
	}
	has(t, problems(all), `token "hsm" is not as the script says`)
	if n := st.card.Count(token.Login) + st.card.Count(token.InitToken); n != 0 {
		t.Errorf("%d calls to log in or to initialise", n)
	}
}

// changed is a token of another maker from its first list of mechanisms on.
type changed struct {
	token.Module
	other bool
}

func (c *changed) Do(call token.Call) (token.Result, error) {
	r, err := c.Module.Do(call)
	if c.other && r.Token.Manufacturer != "" {
		r.Token.Manufacturer, r.Token.Label = "Example Corp", "HSM 9000"
	}
	c.other = c.other || call.Function == token.GetMechanismList
	return r, err
}

// TestOtherModelLater: a token with the serial number of the one that was
// identified, and of another model, is not used.
func TestOtherModelLater(t *testing.T) {
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	st.card = fake.NewSmartCardHSM("DENK0000000")
	st.token = func(m token.Module) token.Module { return &changed{Module: m} }
	if err := st.prepare([]byte(readAnswers(t) + abortOnFailure)); err != nil {
		t.Fatal(err)
	}
	all := aborted(t, st, st.start())
	has(t, problems(all), `looks like "generic", expected "nitrokey-hsm": nothing is done with it`)
	if n := st.card.Count(token.OpenSession); n != 0 {
		t.Errorf("C_OpenSession was called %d times", n)
	}
}

// without is a token that does not offer a mechanism.
type without struct {
	token.Module
	mechanism uint
}

func (w without) Do(c token.Call) (token.Result, error) {
	r, err := w.Module.Do(c)
	r.Mechanisms = slices.DeleteFunc(r.Mechanisms, func(m uint) bool { return m == w.mechanism })
	return r, err
}

// TestMechanismLacking: what the script's keys need and the token does not offer
// is known before it is initialised.
func TestMechanismLacking(t *testing.T) {
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	st.token = func(m token.Module) token.Module { return without{m, token.CKM_ECDSA} }
	if err := st.prepare([]byte(readAnswers(t) + abortOnFailure)); err != nil {
		t.Fatal(err)
	}
	all := aborted(t, st, st.start())
	has(t, problems(all), "the script's keys need CKM_ECDSA, which the token does not offer")
	if n := len(calls(all, "init-token", "C_InitToken")); n != 0 {
		t.Errorf("C_InitToken was called %d times", n)
	}
}
