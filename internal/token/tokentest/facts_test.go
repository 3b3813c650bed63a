package tokentest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/cardtest"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/p11"
)

// A fact is a row of the table of facts in docs/tokens.md: what is seen through
// the real OpenSC on a simulated card, and on SoftHSM2. Each begins with a new
// token that has been initialised and has a user PIN.
var facts = map[string]struct {
	card func(*testing.T, *cardtest.Cards, *harness)
	soft func(*testing.T, *harness)
}{
	"login as SO with a wrong PIN": {
		card: func(t *testing.T, c *cardtest.Cards, h *harness) {
			s := h.open()
			h.must(token.Call{Function: token.Login, Session: s, User: token.SO, PIN: pin(wrongSOPIN)})
			counts(t, c, 15, 3)
			h.fails(token.Call{Function: token.InitPIN, Session: s, PIN: pin(OtherPIN)}, token.CKR_PIN_INCORRECT)
			counts(t, c, 14, 3)
			h.must(token.Call{Function: token.Logout, Session: s})
			h.must(token.Call{Function: token.Login, Session: s, User: token.SO, PIN: pin(wrongSOPIN)})
			h.fails(token.Call{Function: token.SetPIN, Session: s, PIN: pin(wrongSOPIN), NewPIN: pin(OtherSOPIN)}, token.CKR_PIN_INCORRECT)
			counts(t, c, 13, 3)
			if f := h.flags(); f&(token.CKF_SO_PIN_COUNT_LOW|token.CKF_SO_PIN_FINAL_TRY|token.CKF_SO_PIN_LOCKED) != 0 {
				t.Errorf("flags: %v", token.TokenFlags(f))
			}
		},
		soft: func(t *testing.T, h *harness) {
			h.fails(token.Call{Function: token.Login, Session: h.open(), User: token.SO, PIN: pin(wrongSOPIN)}, token.CKR_PIN_INCORRECT)
		},
	},
	"C_InitPIN twice in a session of the SO": {
		card: func(t *testing.T, c *cardtest.Cards, h *harness) {
			s := h.so()
			h.must(token.Call{Function: token.InitPIN, Session: s, PIN: pin(OtherPIN)})
			counts(t, c, 15, 3)
			h.fails(token.Call{Function: token.InitPIN, Session: s, PIN: pin(UserPIN)}, token.CKR_PIN_INCORRECT)
			counts(t, c, 14, 3) // a try of the SO-PIN, though it was right
			h.must(token.Call{Function: token.Logout, Session: s})
			h.onlyPIN(s, OtherPIN, UserPIN)
		},
		soft: func(t *testing.T, h *harness) {
			s := h.so()
			h.must(token.Call{Function: token.InitPIN, Session: s, PIN: pin(OtherPIN)})
			h.must(token.Call{Function: token.InitPIN, Session: s, PIN: pin(UserPIN)})
		},
	},
	"label": {
		card: func(t *testing.T, _ *cardtest.Cards, h *harness) {
			for asked, told := range map[string]string{
				"Example Root":                     "Example Root (UserPIN)",
				"Example Root CA of the Year 2026": "Example Root CA of ... (UserPIN)",
			} {
				h.initialise(h.slot(), asked)
				if got := h.info().Label; got != told || !h.model.Labelled(h.info(), asked) {
					t.Errorf("label %q for %q", got, asked)
				}
			}
		},
		soft: func(t *testing.T, h *harness) {
			h.initialise(h.slot(), "Example Root CA of the Year 2026")
			if got := h.info().Label; got != "Example Root CA of the Year 2026" {
				t.Errorf("label %q", got)
			}
		},
	},
	"after C_InitToken": {
		card: func(t *testing.T, _ *cardtest.Cards, h *harness) {
			before, slot := h.info().Serial, h.slot()
			if after := h.initialise(slot, "again"); after != slot || h.info().Serial != before {
				t.Errorf("slot %d, serial number %q", after, h.info().Serial)
			}
		},
		soft: func(t *testing.T, h *harness) {
			slots := h.must(token.Call{Function: token.GetSlotList, Present: true}).Slots
			free := slots[len(slots)-1]
			if i := h.must(token.Call{Function: token.GetTokenInfo, Slot: free}).Token; i.Serial != "" || i.Flags&token.CKF_TOKEN_INITIALIZED != 0 {
				t.Errorf("a new token says %+v", i)
			}
			h.initialise(free, "another")
			h.must(token.Call{Function: token.Finalize})
			h.must(token.Call{Function: token.Initialize})
			if moved := h.slot(); moved == free || h.info().Serial == "" {
				t.Errorf("slot %d before and %d after, serial number %q", free, moved, h.info().Serial)
			}
		},
	},
	"forms of PINs": {
		card: func(t *testing.T, c *cardtest.Cards, h *harness) {
			s := h.so()
			for so, want := range map[string]token.RV{"123456789012345": token.CKR_PIN_LEN_RANGE, "12345678901234567": token.CKR_PIN_LEN_RANGE} {
				h.fails(token.Call{Function: token.SetPIN, Session: s, PIN: pin(cardtest.FactorySOPIN), NewPIN: pin(so)}, want)
			}
			h.fails(token.Call{Function: token.InitPIN, Session: s, PIN: pin("12345")}, token.CKR_DATA_LEN_RANGE, token.CKR_PIN_LEN_RANGE)
			counts(t, c, 15, 3)
			h.must(token.Call{Function: token.Logout, Session: s})
			h.must(token.Call{Function: token.CloseSession, Session: s})
			if i := h.info(); i.MinPIN != 6 || i.MaxPIN != 15 {
				t.Errorf("the token info says %d to %d", i.MinPIN, i.MaxPIN)
			}
		},
		soft: func(t *testing.T, h *harness) {
			h.fails(token.Call{Function: token.InitPIN, Session: h.so(), PIN: pin("123")}, token.CKR_PIN_LEN_RANGE)
			if i := h.info(); i.MinPIN != 4 || i.MaxPIN != 255 {
				t.Errorf("the token info says %d to %d", i.MinPIN, i.MaxPIN)
			}
		},
	},
	"wrong user PINs": {
		card: func(t *testing.T, c *cardtest.Cards, h *harness) {
			login := token.Call{Function: token.Login, Session: h.open(), User: token.NormalUser, PIN: pin(WrongPIN)}
			for i, want := range []struct {
				rv   token.RV
				says token.Tries
			}{{token.CKR_PIN_INCORRECT, token.TriesLow}, {token.CKR_PIN_INCORRECT, token.TriesLast}, {token.CKR_PIN_LOCKED, token.TriesNone}} {
				login.PIN = pin(WrongPIN)
				h.fails(login, want.rv)
				counts(t, c, 15, 2-i)
				if got := h.model.Tries(token.UserPIN, h.flags()); got != want.says {
					t.Errorf("after %d: %v", i+1, got)
				}
			}
			login.PIN = pin(UserPIN)
			h.fails(login, token.CKR_PIN_LOCKED)
			h.must(token.Call{Function: token.CloseSession, Session: login.Session})
			s := h.so()
			h.must(token.Call{Function: token.InitPIN, Session: s, PIN: pin(OtherPIN)})
			counts(t, c, 15, 3)
		},
		soft: func(t *testing.T, h *harness) {
			s := h.open()
			for range 20 {
				h.fails(token.Call{Function: token.Login, Session: s, User: token.NormalUser, PIN: pin(WrongPIN)}, token.CKR_PIN_INCORRECT)
			}
			h.must(token.Call{Function: token.Login, Session: s, User: token.NormalUser, PIN: pin(UserPIN)})
		},
	},
	"attributes of a key": {
		card: func(t *testing.T, _ *cardtest.Cards, h *harness) {
			for attr, v := range h.privateKey() {
				want := byte(0)
				if attr == token.CKA_SIGN || attr == token.CKA_TOKEN || attr == token.CKA_PRIVATE {
					want = 1
				}
				if len(v) > 0 && v[0] != want {
					t.Errorf("%s = %x", token.AttributeName(attr), v)
				}
			}
		},
		soft: func(t *testing.T, h *harness) {
			for attr, v := range h.privateKey() {
				if want := attr != token.CKA_EXTRACTABLE; len(v) != 1 || (v[0] == 1) != want {
					t.Errorf("%s = %x", token.AttributeName(attr), v)
				}
			}
		},
	},
	"mechanisms": {
		card: func(t *testing.T, _ *cardtest.Cards, h *harness) {
			h.offers(t, true, token.CKM_ECDSA, token.CKM_ECDSA_SHA256, token.CKM_RSA_PKCS, token.CKM_SHA256_RSA_PKCS, token.CKM_EC_KEY_PAIR_GEN, token.CKM_RSA_PKCS_KEY_PAIR_GEN)
		},
		soft: func(t *testing.T, h *harness) {
			h.offers(t, true, token.CKM_ECDSA, token.CKM_RSA_PKCS, token.CKM_EC_KEY_PAIR_GEN, token.CKM_RSA_PKCS_KEY_PAIR_GEN)
			h.offers(t, false, token.CKM_ECDSA_SHA256)
		},
	},
}

// TestFacts shows every row of the table on both tokens.
func TestFacts(t *testing.T) {
	for name, fact := range facts {
		t.Run(name+"/SmartCard-HSM", func(t *testing.T) {
			c := cardtest.New(t, 1)
			fact.card(t, c, labelled(t, openSC(t)))
		})
		t.Run(name+"/SoftHSM2", func(t *testing.T) { fact.soft(t, labelled(t, SoftHSM(t).Open(t))) })
	}
}

// TestFactoryState: what a new token says of itself.
func TestFactoryState(t *testing.T) {
	c := cardtest.New(t, 1)
	h, _ := start(t, openSC(t))
	h.match = func(i token.TokenInfo) bool { return true }
	if i := h.info(); i.Serial != c.Serial(0) || !h.model.Takes(i) || !h.model.FactoryInitialised ||
		i.Flags&token.CKF_TOKEN_INITIALIZED == 0 || i.Flags&token.CKF_USER_PIN_INITIALIZED == 0 {
		t.Errorf("a new card says %+v, %v", i, token.TokenFlags(i.Flags))
	}
	counts(t, c, 15, 3)
	h.onlyPIN(h.open(), cardtest.FactoryUserPIN, WrongPIN)
}

// TestInitTokenWrong: C_InitToken with a wrong SO-PIN costs a try and erases
// nothing; none left is the end.
func TestInitTokenWrong(t *testing.T) {
	c := cardtest.New(t, 1)
	h := labelled(t, openSC(t))
	h.fails(token.Call{Function: token.InitToken, Slot: h.slot(), PIN: pin(wrongSOPIN), Label: "b"}, token.CKR_PIN_INCORRECT)
	counts(t, c, 14, 3)
	h.onlyPIN(h.open(), UserPIN, WrongPIN)
	c.Remove(0)
	c.Spend(0, token.SOPIN, 0)
	h.must(token.Call{Function: token.Finalize})
	c.Insert(0, 0)
	h.must(token.Call{Function: token.Initialize})
	_, err := h.m.Do(token.Call{Function: token.InitToken, Slot: h.slot(), PIN: pin(cardtest.FactorySOPIN), Label: "b"})
	if !errors.Is(err, token.CKR_PIN_LOCKED) {
		t.Errorf("with a locked SO-PIN: %v", err)
	}
	counts(t, c, 0, 3)
}

// openSC loads OpenSC. At the test's end it is finalised.
func openSC(t *testing.T) token.Module {
	t.Helper()
	path, err := p11.Find("opensc")
	if err != nil {
		t.Fatalf("this test drives the real OpenSC: %v", err)
	}
	m, err := p11.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := m.Do(token.Call{Function: token.Finalize})
		if err != nil && !errors.Is(err, token.CKR_CRYPTOKI_NOT_INITIALIZED) {
			t.Errorf("finalising OpenSC: %v", err)
		}
	})
	return m
}

// labelled is ready, on the first token of a module.
func labelled(t *testing.T, m token.Module) *harness {
	t.Helper()
	h := ready(t, m)
	if !strings.HasPrefix(h.info().Label, "conformance") {
		t.Fatalf("the token is labelled %q", h.info().Label)
	}
	return h
}

// counts wants that so many tries are left on card 0.
func counts(t *testing.T, c *cardtest.Cards, so, user int) {
	t.Helper()
	if gotSO, gotUser := c.Tries(0, token.SOPIN), c.Tries(0, token.UserPIN); gotSO != so || gotUser != user {
		t.Errorf("tries: SO-PIN %d, user PIN %d; want %d and %d", gotSO, gotUser, so, user)
	}
}

func (h *harness) info() token.TokenInfo {
	h.t.Helper()
	return h.must(token.Call{Function: token.GetTokenInfo, Slot: h.slot()}).Token
}

func (h *harness) flags() uint { h.t.Helper(); return h.info().Flags }

// so returns a session in which the SO is logged in.
func (h *harness) so() uint {
	h.t.Helper()
	s := h.open()
	h.must(token.Call{Function: token.Login, Session: s, User: token.SO, PIN: h.factorySOPIN()})
	return s
}

// privateKey makes an EC key and reads its attributes in a later session.
func (h *harness) privateKey() map[uint][]byte {
	h.t.Helper()
	s := h.user()
	h.must(token.Call{Function: token.GenerateKeyPair, Session: s, Mechanism: token.CKM_EC_KEY_PAIR_GEN,
		Template: []token.Attribute{token.Bool(token.CKA_TOKEN, true), token.Bool(token.CKA_VERIFY, true), token.Text(token.CKA_LABEL, "k"), token.Bytes(token.CKA_ID, []byte{7}),
			token.Bytes(token.CKA_EC_PARAMS, []byte{0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07})},
		Private: []token.Attribute{token.Bool(token.CKA_TOKEN, true), token.Bool(token.CKA_PRIVATE, true), token.Bool(token.CKA_SENSITIVE, true), token.Bool(token.CKA_EXTRACTABLE, false),
			token.Bool(token.CKA_SIGN, true), token.Text(token.CKA_LABEL, "k"), token.Bytes(token.CKA_ID, []byte{7})}})
	h.must(token.Call{Function: token.FindObjectsInit, Session: s, Template: []token.Attribute{token.Ulong(token.CKA_CLASS, token.CKO_PRIVATE_KEY)}})
	found := h.must(token.Call{Function: token.FindObjects, Session: s, Max: 2}).Objects
	h.must(token.Call{Function: token.FindObjectsFinal, Session: s})
	if len(found) != 1 {
		h.t.Fatalf("%d private keys", len(found))
	}
	all := map[uint][]byte{}
	for _, a := range h.must(token.Call{Function: token.GetAttribute, Session: s, Object: found[0], Want: []uint{token.CKA_TOKEN, token.CKA_PRIVATE, token.CKA_SIGN, token.CKA_SENSITIVE,
		token.CKA_EXTRACTABLE, token.CKA_ALWAYS_SENSITIVE, token.CKA_NEVER_EXTRACTABLE, token.CKA_LOCAL}}).Attributes {
		all[a.Type] = a.Value
		judged, _ := h.model.Judge(a.Type, a.Value, a.Err == nil)
		if judged == token.Bad {
			h.t.Errorf("%s = %x is judged bad", token.AttributeName(a.Type), a.Value)
		}
	}
	return all
}

func (h *harness) offers(t *testing.T, want bool, mechanisms ...uint) {
	t.Helper()
	has := h.must(token.Call{Function: token.GetMechanismList, Slot: h.slot()}).Mechanisms
	for _, m := range mechanisms {
		if slices.Contains(has, m) != want {
			t.Errorf("%s: %v", token.MechanismName(m), !want)
		}
	}
}
