// Package tokentest is the suite that every token.Module has to pass, and a
// SoftHSM2 to run tests on.
package tokentest

import (
	"errors"
	"testing"

	"github.com/keyrite/keyrite/internal/token"
)

// PINs for throw-away tokens, by the rules of every model.
const (
	SOPIN      = "8675309124680135"
	OtherSOPIN = "9081726354019283"
	UserPIN    = "739154"
	OtherPIN   = "48205917"
	WrongPIN   = "60431827"
	wrongSOPIN = "1209348756120937"
)

// A harness is a module with one initialised token on it.
type harness struct {
	t     *testing.T
	m     token.Module
	model token.Model
	match func(token.TokenInfo) bool // the token that is tested
}

// pin makes a PIN of its own bytes, as a person's input would be.
func pin(s string) token.PIN { return token.NewPIN([]byte(s)) }

// must makes a call that has to succeed.
func (h *harness) must(c token.Call) token.Result {
	h.t.Helper()
	r, err := h.m.Do(c)
	if err != nil {
		h.t.Fatalf("%s: %v", c.Function, err)
	}
	return r
}

// fails makes a call that has to return one of some return values.
func (h *harness) fails(c token.Call, want ...token.RV) {
	h.t.Helper()
	r, err := h.m.Do(c)
	if err == nil {
		h.t.Fatalf("%s: CKR_OK, want %v", c.Function, want)
	}
	if r.Signature != nil || r.Random != nil || r.Session != 0 || r.Attributes != nil {
		h.t.Errorf("%s: an error, but also a result: %+v", c.Function, r)
	}
	for _, rv := range want {
		if errors.Is(err, rv) {
			return
		}
	}
	h.t.Fatalf("%s: %v, want %v", c.Function, err, want)
}

// start initialises the module and picks its first token.
func start(t *testing.T, m token.Module) (*harness, uint) {
	t.Helper()
	h := &harness{t: t, m: m}
	h.must(token.Call{Function: token.Initialize})
	slots := h.must(token.Call{Function: token.GetSlotList, Present: true}).Slots
	if len(slots) == 0 {
		t.Fatal("the module has no token")
	}
	info := h.must(token.Call{Function: token.GetTokenInfo, Slot: slots[0]}).Token
	h.model = token.Models[token.Recognise(info)].WithInfo(info)
	return h, slots[0]
}

// factorySOPIN returns the SO-PIN of the token as new.
func (h *harness) factorySOPIN() token.PIN {
	if p, ok := h.model.FactoryPIN(token.SOPIN); ok {
		return p
	}
	return pin(SOPIN)
}

// initialise runs C_InitToken on the token in a slot and finds it again.
func (h *harness) initialise(slot uint, label string) uint {
	h.t.Helper()
	before := h.must(token.Call{Function: token.GetTokenInfo, Slot: slot}).Token
	h.must(token.Call{Function: token.InitToken, Slot: slot, PIN: h.factorySOPIN(), Label: label})
	h.match = func(info token.TokenInfo) bool {
		if h.model.SerialFromStart {
			return info.Serial == before.Serial
		}
		return h.model.Labelled(info, label)
	}
	return h.slot()
}

// slot finds the token again; one that was initialised may be gone for a moment.
func (h *harness) slot() uint {
	h.t.Helper()
	for range 3 {
		for _, slot := range h.must(token.Call{Function: token.GetSlotList, Present: true}).Slots {
			if h.match(h.must(token.Call{Function: token.GetTokenInfo, Slot: slot}).Token) {
				return slot
			}
		}
	}
	h.t.Fatal("the initialised token is in no slot")
	return 0
}

// open opens a read-write session with the token.
func (h *harness) open() uint {
	h.t.Helper()
	return h.must(token.Call{Function: token.OpenSession, Slot: h.slot(), ReadWrite: true}).Session
}

// ready returns a harness with an initialised token that has a user PIN.
func ready(t *testing.T, m token.Module) *harness {
	t.Helper()
	h, slot := start(t, m)
	h.initialise(slot, "conformance")
	s := h.open()
	h.must(token.Call{Function: token.Login, Session: s, User: token.SO, PIN: h.factorySOPIN()})
	h.must(token.Call{Function: token.InitPIN, Session: s, PIN: pin(UserPIN)})
	h.must(token.Call{Function: token.Logout, Session: s})
	h.must(token.Call{Function: token.CloseSession, Session: s})
	return h
}

// user returns a session in which the user is logged in.
func (h *harness) user() uint {
	h.t.Helper()
	s := h.open()
	h.must(token.Call{Function: token.Login, Session: s, User: token.NormalUser, PIN: pin(UserPIN)})
	return s
}
