package tokentest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/keyrite/keyrite/internal/token"
)

// Run runs the whole suite on new modules that open returns, one a test. It is
// destructive: each module must have a throw-away token as its first one, which
// is initialised and filled with keys.
func Run(t *testing.T, open func(*testing.T) token.Module) {
	tests := map[string]func(*testing.T, token.Module){
		"lifecycle":    testLifecycle,
		"unfit calls":  testUnfit,
		"information":  testInformation,
		"init token":   testInitToken,
		"sessions":     testSessions,
		"user login":   testUserLogin,
		"SO login":     testSOLogin,
		"init PIN":     testInitPIN,
		"set PIN":      testSetPIN,
		"set SO-PIN":   testSetSOPIN,
		"random":       testRandom,
		"search":       testSearch,
		"attributes":   testAttributes,
		"EC keys":      testEC,
		"RSA key":      testRSA,
		"signing":      testSigning,
		"destroy":      testDestroy,
		"visibility":   testVisibility,
		"wrong handle": testWrongHandles,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// RunReadOnly runs what changes nothing and needs no PIN on a module with
// tokens that are not ours.
func RunReadOnly(t *testing.T, open func(*testing.T) token.Module) {
	t.Run("lifecycle", func(t *testing.T) { testLifecycle(t, open(t)) })
	t.Run("unfit calls", func(t *testing.T) { testUnfit(t, open(t)) })
	t.Run("information", func(t *testing.T) { testInformation(t, open(t)) })
	t.Run("public objects", func(t *testing.T) { testPublic(t, open(t)) })
}

func testLifecycle(t *testing.T, m token.Module) {
	h := &harness{t: t, m: m}
	h.fails(token.Call{Function: token.GetSlotList}, token.CKR_CRYPTOKI_NOT_INITIALIZED)
	h.fails(token.Call{Function: token.Finalize}, token.CKR_CRYPTOKI_NOT_INITIALIZED)
	h.must(token.Call{Function: token.Initialize})
	h.fails(token.Call{Function: token.Initialize}, token.CKR_CRYPTOKI_ALREADY_INITIALIZED)
	h.must(token.Call{Function: token.Finalize})
	h.must(token.Call{Function: token.Initialize})
}

// testUnfit makes calls that must be refused before the module sees them.
func testUnfit(t *testing.T, m token.Module) {
	h := &harness{t: t, m: m}
	h.must(token.Call{Function: token.Initialize})
	for _, c := range Unfit() {
		_, err := m.Do(c)
		var rv token.RV
		if err == nil || errors.As(err, &rv) {
			t.Errorf("%s %+v: %v, want an error that is no RV", c.Function, c, err)
		}
	}
}

func testInformation(t *testing.T, m token.Module) {
	h, slot := start(t, m)
	if info := h.must(token.Call{Function: token.GetInfo}).Info; info.CryptokiVersion == "" || info.Library == "" {
		t.Errorf("C_GetInfo: %+v", info)
	}
	all := h.must(token.Call{Function: token.GetSlotList}).Slots
	present := h.must(token.Call{Function: token.GetSlotList, Present: true}).Slots
	if len(present) > len(all) {
		t.Errorf("%d slots have a token, of %d", len(present), len(all))
	}
	if flags := h.must(token.Call{Function: token.GetSlotInfo, Slot: slot}).SlotInfo.Flags; flags&token.CKF_TOKEN_PRESENT == 0 {
		t.Errorf("slot %d is listed with a token, but its flags are %v", slot, token.SlotFlags(flags))
	}
	info := h.must(token.Call{Function: token.GetTokenInfo, Slot: slot}).Token
	if info.Manufacturer == "" || info.MaxPIN < info.MinPIN {
		t.Errorf("C_GetTokenInfo: %+v", info)
	}
	mechanisms := h.must(token.Call{Function: token.GetMechanismList, Slot: slot}).Mechanisms
	if len(mechanisms) == 0 {
		t.Error("the token has no mechanism")
	}
	for _, mech := range mechanisms {
		h.must(token.Call{Function: token.GetMechanismInfo, Slot: slot, Mechanism: mech})
	}
	h.fails(token.Call{Function: token.GetMechanismInfo, Slot: slot, Mechanism: 0x7fffffff}, token.CKR_MECHANISM_INVALID)
	h.fails(token.Call{Function: token.GetTokenInfo, Slot: 0x7ffffff1}, token.CKR_SLOT_ID_INVALID)
}

func testPublic(t *testing.T, m token.Module) {
	h, slot := start(t, m)
	open := token.Call{Function: token.OpenSession, Slot: slot}
	info := h.must(token.Call{Function: token.GetTokenInfo, Slot: slot}).Token
	if info.Flags&token.CKF_TOKEN_INITIALIZED == 0 {
		h.fails(open, token.CKR_TOKEN_NOT_RECOGNIZED)
		return
	}
	s := h.must(open).Session
	if state := h.must(token.Call{Function: token.GetSessionInfo, Session: s}).State; state != token.CKS_RO_PUBLIC_SESSION {
		t.Errorf("state %s", token.StateName(state))
	}
	h.must(token.Call{Function: token.FindObjectsInit, Session: s})
	h.must(token.Call{Function: token.FindObjects, Session: s, Max: 16})
	h.must(token.Call{Function: token.FindObjectsFinal, Session: s})
	h.must(token.Call{Function: token.CloseSession, Session: s})
}

func testInitToken(t *testing.T, m token.Module) {
	h, slot := start(t, m)
	slot = h.initialise(slot, "Łódź 1")
	info := h.must(token.Call{Function: token.GetTokenInfo, Slot: slot}).Token
	if info.Flags&token.CKF_TOKEN_INITIALIZED == 0 {
		t.Errorf("after C_InitToken the flags are %v", token.TokenFlags(info.Flags))
	}
	if h.model.Label.Sticks && !h.model.Labelled(info, "Łódź 1") {
		t.Errorf("label %q, but the model says that it sticks", info.Label)
	}
	h.fails(token.Call{Function: token.InitToken, Slot: slot, PIN: pin(wrongSOPIN), Label: "wrong"}, token.CKR_PIN_INCORRECT)
	s := h.open()
	h.fails(token.Call{Function: token.InitToken, Slot: slot, PIN: h.factorySOPIN(), Label: "busy"}, token.CKR_SESSION_EXISTS)
	h.must(token.Call{Function: token.CloseSession, Session: s})
	// A second time, with the SO-PIN that it has now.
	h.initialise(slot, "again")
}

func testSessions(t *testing.T, m token.Module) {
	h := ready(t, m)
	slot := h.slot()
	readOnly := h.must(token.Call{Function: token.OpenSession, Slot: slot}).Session
	readWrite := h.must(token.Call{Function: token.OpenSession, Slot: slot, ReadWrite: true}).Session
	h.state(readOnly, token.CKS_RO_PUBLIC_SESSION)
	h.state(readWrite, token.CKS_RW_PUBLIC_SESSION)
	h.fails(token.Call{Function: token.Login, Session: readWrite, User: token.SO, PIN: h.factorySOPIN()}, token.CKR_SESSION_READ_ONLY_EXISTS)
	h.must(token.Call{Function: token.CloseSession, Session: readOnly})
	h.fails(token.Call{Function: token.CloseSession, Session: readOnly}, token.CKR_SESSION_HANDLE_INVALID)
	h.must(token.Call{Function: token.CloseAllSessions, Slot: slot})
	h.fails(token.Call{Function: token.GetSessionInfo, Session: readWrite}, token.CKR_SESSION_HANDLE_INVALID)
	h.fails(token.Call{Function: token.OpenSession, Slot: 0x7ffffff1}, token.CKR_SLOT_ID_INVALID)
}

func (h *harness) state(session, want uint) {
	h.t.Helper()
	if got := h.must(token.Call{Function: token.GetSessionInfo, Session: session}).State; got != want {
		h.t.Errorf("session state %s, want %s", token.StateName(got), token.StateName(want))
	}
}

func testUserLogin(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.open()
	login := token.Call{Function: token.Login, Session: s, User: token.NormalUser, PIN: pin(UserPIN)}
	wrong := login
	wrong.PIN = pin(WrongPIN)
	h.fails(wrong, token.CKR_PIN_INCORRECT)
	h.must(login)
	h.state(s, token.CKS_RW_USER_FUNCTIONS)
	h.fails(login, token.CKR_USER_ALREADY_LOGGED_IN)
	h.must(token.Call{Function: token.Logout, Session: s})
	h.state(s, token.CKS_RW_PUBLIC_SESSION)
	// Without a login SoftHSM2 says CKR_OK, others say what PKCS#11 wants.
	_, err := h.m.Do(token.Call{Function: token.Logout, Session: s})
	if err != nil && !errors.Is(err, token.CKR_USER_NOT_LOGGED_IN) {
		t.Errorf("C_Logout without a login: %v", err)
	}
}

func testSOLogin(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.open()
	wrong := token.Call{Function: token.Login, Session: s, User: token.SO, PIN: pin(wrongSOPIN)}
	if h.model.SOLoginChecks {
		h.fails(wrong, token.CKR_PIN_INCORRECT)
	} else {
		h.must(wrong)
		h.fails(token.Call{Function: token.InitPIN, Session: s, PIN: pin(OtherPIN)}, token.CKR_PIN_INCORRECT)
		h.must(token.Call{Function: token.Logout, Session: s})
	}
	h.must(token.Call{Function: token.Login, Session: s, User: token.SO, PIN: h.factorySOPIN()})
	h.state(s, token.CKS_RW_SO_FUNCTIONS)
	h.fails(token.Call{Function: token.Login, Session: s, User: token.NormalUser, PIN: pin(UserPIN)}, token.CKR_USER_ANOTHER_ALREADY_LOGGED_IN)
}

func testInitPIN(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.open()
	h.fails(token.Call{Function: token.InitPIN, Session: s, PIN: pin(OtherPIN)}, token.CKR_USER_NOT_LOGGED_IN)
	h.must(token.Call{Function: token.Login, Session: s, User: token.SO, PIN: h.factorySOPIN()})
	h.fails(token.Call{Function: token.InitPIN, Session: s, PIN: pin("123")}, token.CKR_PIN_LEN_RANGE)
	h.must(token.Call{Function: token.InitPIN, Session: s, PIN: pin(OtherPIN)})
	h.must(token.Call{Function: token.Logout, Session: s})
	h.onlyPIN(s, OtherPIN, UserPIN)
}

// onlyPIN checks that one user PIN works and another does not.
func (h *harness) onlyPIN(session uint, works, fails string) {
	h.t.Helper()
	h.fails(token.Call{Function: token.Login, Session: session, User: token.NormalUser, PIN: pin(fails)}, token.CKR_PIN_INCORRECT)
	h.must(token.Call{Function: token.Login, Session: session, User: token.NormalUser, PIN: pin(works)})
	h.must(token.Call{Function: token.Logout, Session: session})
}

func testSetPIN(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.user()
	change := token.Call{Function: token.SetPIN, Session: s, PIN: pin(WrongPIN), NewPIN: pin(OtherPIN)}
	h.fails(change, token.CKR_PIN_INCORRECT)
	change.PIN = pin(UserPIN)
	h.must(change)
	h.must(token.Call{Function: token.Logout, Session: s})
	h.onlyPIN(s, OtherPIN, UserPIN)
}

func testSetSOPIN(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.open()
	h.must(token.Call{Function: token.Login, Session: s, User: token.SO, PIN: h.factorySOPIN()})
	h.must(token.Call{Function: token.SetPIN, Session: s, PIN: h.factorySOPIN(), NewPIN: pin(OtherSOPIN)})
	h.must(token.Call{Function: token.Logout, Session: s})
	h.must(token.Call{Function: token.CloseSession, Session: s})
	slot := h.slot()
	h.fails(token.Call{Function: token.InitToken, Slot: slot, PIN: h.factorySOPIN(), Label: "old"}, token.CKR_PIN_INCORRECT)
	h.must(token.Call{Function: token.InitToken, Slot: slot, PIN: pin(OtherSOPIN), Label: "new"})
}

func testRandom(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.open()
	seen := map[string]bool{}
	for _, n := range []int{1, 8, 16, 20, 255, token.MaxRandom} {
		for range 2 {
			r := h.must(token.Call{Function: token.GenerateRandom, Session: s, Length: n, Purpose: token.PurposeSerial}).Random
			if len(r) != n {
				t.Errorf("%d random bytes asked for, %d came", n, len(r))
			}
			if n >= 8 && (seen[string(r)] || bytes.Equal(r, make([]byte, n))) {
				t.Errorf("the same %d random bytes twice, or all zero", n)
			}
			seen[string(r)] = true
		}
	}
}

// Unfit returns calls that [token.Call.Check] refuses.
func Unfit() []token.Call {
	long := token.NewPIN(bytes.Repeat([]byte("7"), 8))
	return []token.Call{
		{Function: ""},
		{Function: "C_WrapKey"},
		{Function: token.Login, User: token.SO},
		{Function: token.Login, User: token.NormalUser, PIN: token.NewPIN(nil)},
		{Function: token.Login, User: 2, PIN: long},
		{Function: token.InitPIN},
		{Function: token.SetPIN, PIN: long},
		{Function: token.SetPIN, NewPIN: long},
		{Function: token.InitToken, Label: "a"},
		{Function: token.InitToken, PIN: long},
		{Function: token.InitToken, PIN: long, Label: "a label of more than thirty-two b"},
		{Function: token.InitToken, PIN: long, Label: "\xff"},
		{Function: token.InitToken, PIN: long, Label: "a\n"},
		{Function: token.InitToken, PIN: long, Label: "a "},
		{Function: token.GetAttribute},
		{Function: token.GetAttribute, Want: []uint{token.CKA_LABEL, 0x11}}, // CKA_VALUE
		{Function: token.GetAttribute, Want: []uint{0x123}},                 // CKA_PRIVATE_EXPONENT
		{Function: token.GetAttribute, Want: []uint{0x124}},                 // CKA_PRIME_1
		{Function: token.GetAttribute, Want: []uint{0x80000001}},            // a vendor's
		{Function: token.FindObjectsInit, Template: []token.Attribute{{Type: 0x11}}},
		{Function: token.GenerateKeyPair, Private: []token.Attribute{{Type: 0x123}}},
		{Function: token.FindObjects},
		{Function: token.FindObjects, Max: token.MaxObjects + 1},
		{Function: token.Sign, For: 1},
		{Function: token.GenerateRandom, Length: 8},
		{Function: token.GenerateRandom, Length: 8, Purpose: "other"},
		{Function: token.GenerateRandom, Purpose: token.PurposeSerial},
		{Function: token.GenerateRandom, Length: token.MaxRandom + 1, Purpose: token.PurposeSerial},
	}
}
