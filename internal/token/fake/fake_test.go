package fake

import (
	"errors"
	"testing"

	"github.com/keyrite/keyrite/internal/token"
)

// The conformance suite runs on this package from internal/token/tokentest;
// here is what only the fake has.

func pin(s string) token.PIN { return token.NewPIN([]byte(s)) }

func TestHandlers(t *testing.T) {
	for _, f := range token.Functions {
		if handlers[f] == nil {
			t.Errorf("%s has no handler", f)
		}
	}
}

func must(t *testing.T, m *Module, c token.Call) token.Result {
	t.Helper()
	r, err := m.Do(c)
	if err != nil {
		t.Fatalf("%s: %v", c.Function, err)
	}
	return r
}

func fails(t *testing.T, m *Module, c token.Call, want error) {
	t.Helper()
	if _, err := m.Do(c); !errors.Is(err, want) {
		t.Fatalf("%s: %v, want %v", c.Function, err, want)
	}
}

func TestCountAndFail(t *testing.T) {
	m := New()
	must(t, m, token.Call{Function: token.Initialize})
	m.Fail(token.GetInfo, 2, token.CKR_DEVICE_REMOVED)
	must(t, m, token.Call{Function: token.GetInfo})
	fails(t, m, token.Call{Function: token.GetInfo}, token.CKR_DEVICE_REMOVED)
	must(t, m, token.Call{Function: token.GetInfo})
	m.FailNext(token.GetInfo, token.CKR_DEVICE_ERROR)
	fails(t, m, token.Call{Function: token.GetInfo}, token.CKR_DEVICE_ERROR)
	if _, err := m.Do(token.Call{Function: token.Login}); err == nil {
		t.Error("a login without a PIN")
	}
	if m.Count(token.GetInfo) != 4 || m.Count(token.Login) != 0 || m.Total() != 5 {
		t.Errorf("%d, %d, %d calls", m.Count(token.GetInfo), m.Count(token.Login), m.Total())
	}
}

func openRW(t *testing.T, m *Module) uint {
	t.Helper()
	return must(t, m, token.Call{Function: token.OpenSession, Slot: 0, ReadWrite: true}).Session
}

// TestSmartCardCounters counts both PINs of a SmartCard-HSM down to the lock.
func TestSmartCardCounters(t *testing.T) {
	m := NewSmartCardHSM("DENK0100001")
	must(t, m, token.Call{Function: token.Initialize})
	model := token.Models["nitrokey-hsm"]
	tries := func(kind token.PINKind) token.Tries {
		return model.Tries(kind, must(t, m, token.Call{Function: token.GetTokenInfo}).Token.Flags)
	}
	s := openRW(t, m)
	wrong := token.Call{Function: token.Login, Session: s, User: token.NormalUser, PIN: pin("999111")}
	right := wrong
	right.PIN = pin("648219")
	for _, want := range []token.Tries{token.TriesLow, token.TriesLast, token.TriesNone} {
		fails(t, m, wrong, token.CKR_PIN_INCORRECT)
		if got := tries(token.UserPIN); got != want {
			t.Errorf("user PIN: %v, want %v", got, want)
		}
	}
	fails(t, m, right, token.CKR_PIN_LOCKED)
	// The SO unblocks it; a wrong SO-PIN is found by C_InitPIN, not C_Login.
	unblock := func(so string, want error) {
		t.Helper()
		must(t, m, token.Call{Function: token.Login, Session: s, User: token.SO, PIN: pin(so)})
		_, err := m.Do(token.Call{Function: token.InitPIN, Session: s, PIN: pin("648219")})
		if !errors.Is(err, want) {
			t.Fatalf("C_InitPIN: %v, want %v", err, want)
		}
		must(t, m, token.Call{Function: token.Logout, Session: s})
	}
	unblock("0000000000000001", token.CKR_PIN_INCORRECT)
	if m.Tries(0, token.SOPIN) != 14 || tries(token.SOPIN) != token.TriesNotTold {
		t.Errorf("SO-PIN: %d tries, %v", m.Tries(0, token.SOPIN), tries(token.SOPIN))
	}
	unblock(token.NitrokeyFactorySOPIN, nil)
	must(t, m, right)
	must(t, m, token.Call{Function: token.Logout, Session: s})
	if m.Tries(0, token.SOPIN) != 15 || m.Tries(0, token.UserPIN) != 3 {
		t.Errorf("%d and %d tries", m.Tries(0, token.SOPIN), m.Tries(0, token.UserPIN))
	}
	for range 15 {
		unblock("0000000000000001", token.CKR_PIN_INCORRECT)
	}
	unblock(token.NitrokeyFactorySOPIN, token.CKR_PIN_LOCKED)
	must(t, m, token.Call{Function: token.CloseSession, Session: s})
	fails(t, m, token.Call{Function: token.InitToken, PIN: pin(token.NitrokeyFactorySOPIN), Label: "a"}, token.CKR_PIN_LOCKED)
}

// TestSmartCardQuirks: C_InitPIN works once a login, PINs have the card's
// forms, the label stays, the token is missing once after C_InitToken.
func TestSmartCardQuirks(t *testing.T) {
	m := NewSmartCardHSM("DENK0100001")
	must(t, m, token.Call{Function: token.Initialize})
	s := openRW(t, m)
	must(t, m, token.Call{Function: token.Login, Session: s, User: token.SO, PIN: pin(token.NitrokeyFactorySOPIN)})
	initPIN := token.Call{Function: token.InitPIN, Session: s, PIN: pin("739154")}
	must(t, m, initPIN)
	fails(t, m, initPIN, token.CKR_PIN_INCORRECT)
	if m.Tries(0, token.SOPIN) != 15 {
		t.Errorf("a second C_InitPIN spent a try: %d left", m.Tries(0, token.SOPIN))
	}
	for _, so := range []string{"123", "86753091246801355", "867530912468013g"} {
		fails(t, m, token.Call{Function: token.SetPIN, Session: s, PIN: pin(token.NitrokeyFactorySOPIN), NewPIN: pin(so)}, token.CKR_PIN_LEN_RANGE)
	}
	must(t, m, token.Call{Function: token.CloseAllSessions})
	must(t, m, token.Call{Function: token.InitToken, PIN: pin(token.NitrokeyFactorySOPIN), Label: "mine"})
	fails(t, m, token.Call{Function: token.OpenSession}, token.CKR_TOKEN_NOT_PRESENT)
	if got := must(t, m, token.Call{Function: token.GetSlotList, Present: true}).Slots; len(got) != 0 {
		t.Errorf("slots right after C_InitToken: %v", got)
	}
	if got := must(t, m, token.Call{Function: token.GetSlotList, Present: true}).Slots; len(got) != 1 {
		t.Errorf("slots later: %v", got)
	}
	if got := must(t, m, token.Call{Function: token.GetTokenInfo}).Token.Label; got != "SmartCard-HSM (UserPIN)" {
		t.Errorf("label %q", got)
	}
}

func TestUnplug(t *testing.T) {
	m := NewSmartCardHSM("DENK0100001")
	must(t, m, token.Call{Function: token.Initialize})
	s := openRW(t, m)
	m.Unplug(0)
	fails(t, m, token.Call{Function: token.GetSessionInfo, Session: s}, token.CKR_SESSION_HANDLE_INVALID)
	fails(t, m, token.Call{Function: token.GetTokenInfo}, token.CKR_TOKEN_NOT_PRESENT)
	fails(t, m, token.Call{Function: token.OpenSession}, token.CKR_TOKEN_NOT_PRESENT)
	m.Plug(0)
	must(t, m, token.Call{Function: token.GetTokenInfo})
	if got := must(t, m, token.Call{Function: token.GetSessionInfo, Session: openRW(t, m)}).State; got != token.CKS_RW_PUBLIC_SESSION {
		t.Errorf("state after plugging in: %s", token.StateName(got))
	}
}

// TestSlotMoves: as SoftHSM2's, an initialised token gets a new slot number and
// leaves a free one.
func TestSlotMoves(t *testing.T) {
	m := New()
	must(t, m, token.Call{Function: token.Initialize})
	must(t, m, token.Call{Function: token.InitToken, Slot: 0, PIN: pin("48171936"), Label: "a"})
	fails(t, m, token.Call{Function: token.GetTokenInfo, Slot: 0}, token.CKR_SLOT_ID_INVALID)
	slots := must(t, m, token.Call{Function: token.GetSlotList, Present: true}).Slots
	if len(slots) != 2 {
		t.Fatalf("slots %v", slots)
	}
	a := must(t, m, token.Call{Function: token.GetTokenInfo, Slot: slots[0]}).Token
	b := must(t, m, token.Call{Function: token.GetTokenInfo, Slot: slots[1]}).Token
	if a.Label != "a" || a.Serial == "" || b.Flags&token.CKF_TOKEN_INITIALIZED != 0 || m.Objects(slots[0]) != 0 {
		t.Errorf("%+v, %+v", a, b)
	}
}

func TestWithQuirks(t *testing.T) {
	m := WithQuirks(Quirks{VanishesAfterInit: true})
	must(t, m, token.Call{Function: token.Initialize})
	must(t, m, token.Call{Function: token.InitToken, PIN: pin("48171936"), Label: "a"})
	if got := must(t, m, token.Call{Function: token.GetSlotList, Present: true}).Slots; len(got) != 0 {
		t.Errorf("slots %v", got)
	}
}
