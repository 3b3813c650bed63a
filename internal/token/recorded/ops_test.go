package recorded

import (
	"errors"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/fake"
	"github.com/keyrite/keyrite/internal/token/tokentest"
)

// TestSuite: a recorded module is a module like any other.
func TestSuite(t *testing.T) {
	tokentest.Run(t, func(*testing.T) token.Module {
		return New(fake.New(), newMemory(), audit.File{})
	})
}

func TestFindAll(t *testing.T) {
	st, inner := staged(t)
	s := st.calls[token.FindObjectsInit].Session
	for i := range 70 {
		if _, err := inner.Do(tokentest.ECPair(s, "P-256", byte(10+i))); err != nil {
			t.Fatal(err)
		}
	}
	found, err := st.m.FindAll(s, nil)
	if err != nil || len(found) != 2*71 {
		t.Fatalf("%d objects, %v", len(found), err)
	}
	if got := inner.Count(token.FindObjectsFinal); got != 1 {
		t.Errorf("the search was ended %d times", got)
	}
}

func TestFindAllEnds(t *testing.T) {
	tests := map[string]struct {
		fails map[token.Function]token.RV
		want  []token.RV
		final int
	}{
		"init":  {map[token.Function]token.RV{token.FindObjectsInit: token.CKR_DEVICE_ERROR}, []token.RV{token.CKR_DEVICE_ERROR}, 0},
		"find":  {map[token.Function]token.RV{token.FindObjects: token.CKR_DEVICE_ERROR}, []token.RV{token.CKR_DEVICE_ERROR}, 1},
		"final": {map[token.Function]token.RV{token.FindObjectsFinal: token.CKR_DEVICE_ERROR}, []token.RV{token.CKR_DEVICE_ERROR}, 1},
		"both": {map[token.Function]token.RV{token.FindObjects: token.CKR_DEVICE_ERROR, token.FindObjectsFinal: token.CKR_GENERAL_ERROR},
			[]token.RV{token.CKR_DEVICE_ERROR, token.CKR_GENERAL_ERROR}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			st, inner := staged(t)
			for f, rv := range test.fails {
				inner.FailNext(f, rv)
			}
			found, err := st.m.FindAll(st.calls[token.FindObjects].Session, nil)
			for _, rv := range test.want {
				if !errors.Is(err, rv) {
					t.Errorf("error %v, want %v in it", err, rv)
				}
			}
			if found != nil || inner.Count(token.FindObjectsFinal) != test.final {
				t.Errorf("found %v, ended %d times", found, inner.Count(token.FindObjectsFinal))
			}
		})
	}
}

var errStep = errors.New("the step failed")

func TestWithSession(t *testing.T) {
	st, inner := staged(t)
	slot := st.calls[token.OpenSession].Slot
	err := st.m.WithSession(slot, false, func(uint) error { return errStep })
	if !errors.Is(err, errStep) || inner.Count(token.CloseSession) != 1 {
		t.Errorf("%v, closed %d times", err, inner.Count(token.CloseSession))
	}
	inner.FailNext(token.CloseSession, token.CKR_DEVICE_ERROR)
	err = st.m.WithSession(slot, false, func(uint) error { return errStep })
	if !errors.Is(err, errStep) || !errors.Is(err, token.CKR_DEVICE_ERROR) {
		t.Errorf("%v: one of two errors is missing", err)
	}
	inner.FailNext(token.CloseSession, token.CKR_SESSION_HANDLE_INVALID)
	err = st.m.WithSession(slot, false, func(uint) error { return errStep })
	if errors.Is(err, token.CKR_SESSION_HANDLE_INVALID) {
		t.Errorf("%v: that the session is gone says nothing new", err)
	}
	inner.FailNext(token.CloseSession, token.CKR_SESSION_HANDLE_INVALID)
	err = st.m.WithSession(slot, false, func(uint) error { return nil })
	if !errors.Is(err, token.CKR_SESSION_HANDLE_INVALID) {
		t.Errorf("%v: a session that is gone after a success is an error", err)
	}
	inner.FailNext(token.OpenSession, token.CKR_TOKEN_NOT_PRESENT)
	called := false
	err = st.m.WithSession(slot, false, func(uint) error { called = true; return nil })
	if !errors.Is(err, token.CKR_TOKEN_NOT_PRESENT) || called {
		t.Errorf("%v, called %v", err, called)
	}
}

func TestWithLogin(t *testing.T) {
	st, inner := staged(t)
	s := st.calls[token.Logout].Session
	if err := st.m.do(token.Call{Function: token.Logout, Session: s}); err != nil {
		t.Fatal(err)
	}
	err := st.m.WithLogin(s, token.NormalUser, pin(tokentest.UserPIN), func() error { return errStep })
	if !errors.Is(err, errStep) || inner.Count(token.Logout) != 3 {
		t.Errorf("%v, logged out %d times", err, inner.Count(token.Logout))
	}
	err = st.m.WithLogin(s, token.NormalUser, pin(tokentest.WrongPIN), func() error { return errStep })
	if !errors.Is(err, token.CKR_PIN_INCORRECT) || inner.Count(token.Logout) != 3 {
		t.Errorf("%v, logged out %d times", err, inner.Count(token.Logout))
	}
}

// TestTokens: a SmartCard-HSM is missing right after C_InitToken and comes back;
// a token that cannot be read is left out, a broken module is an error.
func TestTokens(t *testing.T) {
	inner := fake.NewSmartCardHSM("DENK0100001")
	m := New(inner, newMemory(), audit.File{})
	if err := m.Initialize(); err != nil {
		t.Fatal(err)
	}
	so := pin(token.NitrokeyFactorySOPIN)
	if err := m.do(token.Call{Function: token.InitToken, Slot: 0, PIN: so, Label: "a"}); err != nil {
		t.Fatal(err)
	}
	if list, err := m.Tokens(); err != nil || len(list) != 0 {
		t.Errorf("%v, %v: the token should be gone for a moment", list, err)
	}
	list, err := m.Tokens()
	if err != nil || len(list) != 1 || list[0].Slot != 0 || list[0].Info.Serial != "DENK0100001" {
		t.Errorf("%+v, %v", list, err)
	}
	inner.FailNext(token.GetTokenInfo, token.CKR_TOKEN_NOT_PRESENT)
	if list, err := m.Tokens(); err != nil || len(list) != 0 {
		t.Errorf("%v, %v: a token that went away should be left out", list, err)
	}
	inner.FailNext(token.GetSlotList, token.CKR_DEVICE_ERROR)
	if _, err := m.Tokens(); !errors.Is(err, token.CKR_DEVICE_ERROR) {
		t.Errorf("%v", err)
	}
}

// TestSignRefusedFirst: Sign without an entry does not begin an operation.
func TestSignRefusedFirst(t *testing.T) {
	st, inner := staged(t)
	c := st.calls[token.SignInit]
	if _, err := st.m.Sign(c.Session, c.Mechanism, c.Object, []byte("x"), 0); err == nil || inner.Count(token.SignInit) != 0 {
		t.Errorf("%v, C_SignInit was called %d times", err, inner.Count(token.SignInit))
	}
	digest := make([]byte, 32)
	r, err := st.m.Sign(c.Session, c.Mechanism, c.Object, digest, 5)
	if err != nil || len(r.Signature) != 64 || r.Seq != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestShortRandom(t *testing.T) {
	m := New(broken{}, newMemory(), audit.File{})
	if r, _, err := m.Random(1, 8, token.PurposeSerial); err == nil || r != nil {
		t.Errorf("%d bytes of 8, %v", len(r), err)
	}
}

func TestReads(t *testing.T) {
	st, _ := staged(t)
	c := st.calls[token.GetAttribute]
	attrs, err := st.m.Attributes(c.Session, c.Object, token.CKA_LABEL)
	if err != nil || len(attrs) != 1 || attrs[0].Shown() != "key" {
		t.Errorf("%+v, %v", attrs, err)
	}
	if err := st.m.Finalize(); err != nil {
		t.Error(err)
	}
}
