package fake

import (
	"crypto/subtle"
	"encoding/hex"
	"io"

	"github.com/keyrite/keyrite/internal/token"
)

// Tries of a SmartCard-HSM until a PIN is locked.
const (
	soTries   = 15
	userTries = 3
)

// Who is logged in to a token.
const (
	nobody = iota
	asSO
	asUser
)

// A tokenState is one token.
type tokenState struct {
	label, manufacturer, model, serial string
	initialised                        bool
	so, user                           []byte // the PINs; nil if not set
	minPIN, maxPIN                     uint
	soTries, userTries                 int
	unplugged, vanished                bool
	loggedIn                           int
	cachedSO                           []byte // given to an unchecked login
	objects                            map[uint]*object
}

// A session is an open session.
type session struct {
	slot      uint
	readWrite bool
	searching bool
	found     []uint
	mechanism uint
	signKey   *object // set between C_SignInit and C_Sign
}

func (t *tokenState) info(counters bool) token.TokenInfo {
	flags := token.CKF_RNG | token.CKF_LOGIN_REQUIRED
	if t.initialised {
		flags |= token.CKF_TOKEN_INITIALIZED
	} else {
		flags |= token.CKF_SO_PIN_LOCKED // as SoftHSM2 does
	}
	if t.user != nil {
		flags |= token.CKF_USER_PIN_INITIALIZED
	}
	if counters {
		// As OpenSC: of the SO-PIN no flag tells.
		flags |= triesFlags(t.userTries, userTries, token.CKF_USER_PIN_COUNT_LOW)
	}
	return token.TokenInfo{
		Label: t.label, Manufacturer: t.manufacturer, Model: t.model, Serial: t.serial,
		Flags: flags, MinPIN: t.minPIN, MaxPIN: t.maxPIN, Hardware: "24.13", Firmware: "3.5",
		Sessions: token.Unavailable, RWSessions: token.Unavailable, FreePublic: token.Unavailable, FreePrivate: token.Unavailable,
	}
}

// triesFlags returns COUNT_LOW, FINAL_TRY or LOCKED, which follow each other.
func triesFlags(left, of int, low uint) uint {
	switch {
	case left == 0:
		return low << 2
	case left == 1:
		return low << 1
	case left < of:
		return low
	}
	return 0
}

// try compares a PIN and counts. A locked one is CKR_PIN_LOCKED whatever it is.
func (m *Module) try(p token.PIN, right []byte, left *int, of int) token.RV {
	var rv token.RV
	p.Reveal(func(b []byte) { rv = m.tryBytes(b, right, left, of) })
	return rv
}

func (m *Module) tryBytes(b, right []byte, left *int, of int) token.RV {
	if m.quirks.Counters && *left == 0 {
		return token.CKR_PIN_LOCKED
	}
	if subtle.ConstantTimeCompare(b, right) == 1 {
		*left = of
		return token.CKR_OK
	}
	if m.quirks.Counters {
		*left--
	}
	return token.CKR_PIN_INCORRECT
}

// keep copies a new PIN, if its form is one that the token takes.
func (m *Module) keep(p token.PIN, t *tokenState, so bool) (kept []byte, rv token.RV) {
	p.Reveal(func(b []byte) {
		low, high := int(t.minPIN), int(t.maxPIN)
		if m.quirks.StrictPINs && so {
			low, high = 16, 16
			if _, err := hex.DecodeString(string(b)); err != nil {
				high = 0
			}
		}
		if len(b) < low || len(b) > high {
			rv = token.CKR_PIN_LEN_RANGE
			return
		}
		kept = append([]byte(nil), b...)
	})
	return kept, rv
}

func (m *Module) initToken(c token.Call, _ *token.Result) token.RV {
	t, rv := m.present(c.Slot)
	if rv != token.CKR_OK {
		return rv
	}
	for _, s := range m.sessions {
		if s.slot == c.Slot {
			return token.CKR_SESSION_EXISTS
		}
	}
	if t.initialised {
		rv = m.try(c.PIN, t.so, &t.soTries, soTries)
	} else {
		t.so, rv = m.keep(c.PIN, t, true)
	}
	if rv != token.CKR_OK {
		return rv
	}
	return m.erase(c.Slot, t, c.Label)
}

// erase is what C_InitToken does once the SO-PIN is right.
func (m *Module) erase(slot uint, t *tokenState, label string) token.RV {
	t.initialised, t.user, t.userTries = true, nil, userTries
	clear(t.objects)
	if !m.quirks.LabelStays {
		t.label = label
	}
	t.vanished = m.quirks.VanishesAfterInit
	if t.serial == "" || m.quirks.SlotMoves {
		serial := make([]byte, 8)
		if _, err := io.ReadFull(m.Rand, serial); err != nil {
			return token.CKR_GENERAL_ERROR
		}
		t.serial = hex.EncodeToString(serial)
	}
	if m.quirks.SlotMoves {
		delete(m.slots, slot)
		m.slots[m.nextSlot] = t
		m.nextSlot++
		if !m.hasFree() {
			m.addFree()
		}
	}
	return token.CKR_OK
}

func (m *Module) hasFree() bool {
	for _, t := range m.slots {
		if !t.initialised {
			return true
		}
	}
	return false
}

// initPIN sets the user PIN, as SO.
func (m *Module) initPIN(c token.Call, _ *token.Result) token.RV {
	s, t, rv := m.session(c.Session)
	switch {
	case rv != token.CKR_OK:
		return rv
	case !s.readWrite:
		return token.CKR_SESSION_READ_ONLY
	case t.loggedIn != asSO:
		return token.CKR_USER_NOT_LOGGED_IN
	}
	pin, rv := m.keep(c.PIN, t, false)
	if rv != token.CKR_OK {
		return rv
	}
	if rv := m.spendCached(t); rv != token.CKR_OK {
		return rv
	}
	t.user, t.userTries = pin, userTries
	return token.CKR_OK
}

// spendCached checks the SO-PIN that an unchecked login kept. It is gone after
// that, so a second call in the same login fails; that spends no try.
func (m *Module) spendCached(t *tokenState) token.RV {
	if !m.quirks.SOLoginUnchecked {
		return token.CKR_OK
	}
	given := t.cachedSO
	t.cachedSO = nil
	if given == nil {
		return token.CKR_PIN_INCORRECT
	}
	return m.tryBytes(given, t.so, &t.soTries, soTries)
}

// setPIN changes the PIN of who is logged in, or the user's if nobody is.
func (m *Module) setPIN(c token.Call, _ *token.Result) token.RV {
	s, t, rv := m.session(c.Session)
	switch {
	case rv != token.CKR_OK:
		return rv
	case !s.readWrite:
		return token.CKR_SESSION_READ_ONLY
	}
	so := t.loggedIn == asSO
	pin, rv := m.keep(c.NewPIN, t, so)
	if rv != token.CKR_OK {
		return rv
	}
	if so {
		if rv := m.try(c.PIN, t.so, &t.soTries, soTries); rv != token.CKR_OK {
			return rv
		}
		t.so = pin
		return token.CKR_OK
	}
	if t.user == nil {
		return token.CKR_USER_PIN_NOT_INITIALIZED
	}
	if rv := m.try(c.PIN, t.user, &t.userTries, userTries); rv != token.CKR_OK {
		return rv
	}
	t.user = pin
	return token.CKR_OK
}
