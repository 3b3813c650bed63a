// Package fake is a token in memory for tests. It keeps PKCS#11's rules about
// sessions, logins and PIN tries as SoftHSM2 does or, on request, with the
// departures of a SmartCard-HSM behind OpenSC, makes real keys, counts calls
// and fails where a test wants it to.
package fake

import (
	"crypto/rand"
	"io"
	"strconv"

	"github.com/keyrite/keyrite/internal/token"
)

// Quirks are departures from PKCS#11 at the letter.
type Quirks struct {
	// SOLoginUnchecked: C_Login as SO takes any PIN, which is kept for one
	// C_InitPIN or C_SetPIN; that finds a wrong one and spends a try.
	SOLoginUnchecked bool
	// Counters: wrong tries count down (user 3, SO 15) and lock the PIN; those of
	// the user PIN show in the token's flags.
	Counters bool
	// AttributesReadZero: SENSITIVE, ALWAYS_SENSITIVE, NEVER_EXTRACTABLE and
	// LOCAL read false.
	AttributesReadZero bool
	// VanishesAfterInit: after C_InitToken the token is missing from the next
	// C_GetSlotList.
	VanishesAfterInit bool
	// LabelStays: C_InitToken does not change the label.
	LabelStays bool
	// SlotMoves: C_InitToken moves the token to a new slot and leaves a free
	// one with an uninitialised token behind.
	SlotMoves bool
	// StrictPINs: the token's PINs have the forms of a SmartCard-HSM: SO-PIN of 16
	// hex digits, user PIN of 6 to 15 bytes; any other is CKR_PIN_LEN_RANGE.
	StrictPINs bool
}

// A Module is an in-memory PKCS#11 module. It implements token.Module and is
// not safe for concurrent use.
type Module struct {
	Rand io.Reader // where keys and random bytes come from; crypto/rand

	quirks      Quirks
	initialised bool
	slots       map[uint]*tokenState
	nextSlot    uint
	sessions    map[uint]*session
	nextHandle  uint
	counts      map[token.Function]int
	total       int
	faults      map[fault]error
}

// A fault is the n-th call of a function, from 1.
type fault struct {
	function token.Function
	n        int
}

// New returns a module that behaves like SoftHSM2: one free slot with a token
// that is not initialised.
func New() *Module {
	m := empty(Quirks{SlotMoves: true})
	m.addFree()
	return m
}

// NewSmartCardHSM returns a module that behaves like OpenSC with a new
// SmartCard-HSM: factory SO-PIN and user PIN, 3 and 15 tries.
func NewSmartCardHSM(serial string) *Module {
	m := empty(Quirks{
		SOLoginUnchecked: true, Counters: true, AttributesReadZero: true,
		VanishesAfterInit: true, LabelStays: true, StrictPINs: true,
	})
	m.slots[0] = &tokenState{
		label: "SmartCard-HSM (UserPIN)", manufacturer: "www.CardContact.de",
		model: "PKCS#15 emulated", serial: serial,
		initialised: true, so: []byte(token.NitrokeyFactorySOPIN), user: []byte("648219"),
		minPIN: 6, maxPIN: 15, soTries: soTries, userTries: userTries,
		objects: map[uint]*object{},
	}
	m.nextSlot = 1
	return m
}

// WithQuirks returns a module like New's with the given departures.
func WithQuirks(q Quirks) *Module {
	m := empty(q)
	m.addFree()
	return m
}

func empty(q Quirks) *Module {
	return &Module{
		Rand: rand.Reader, quirks: q,
		slots: map[uint]*tokenState{}, sessions: map[uint]*session{}, nextHandle: 1,
		counts: map[token.Function]int{}, faults: map[fault]error{},
	}
}

// addFree adds a slot with a token that is not initialised.
func (m *Module) addFree() {
	m.slots[m.nextSlot] = &tokenState{
		manufacturer: "SoftHSM project", model: "SoftHSM v2", minPIN: 4, maxPIN: 255,
		soTries: soTries, userTries: userTries, objects: map[uint]*object{},
	}
	m.nextSlot++
}

// Count returns how often a function was called, failed calls included.
func (m *Module) Count(f token.Function) int { return m.counts[f] }

// Total returns how many calls were made.
func (m *Module) Total() int { return m.total }

// Fail makes the n-th call (from 1) of a function return err instead of doing
// anything. err is normally a token.RV.
func (m *Module) Fail(f token.Function, n int, err error) { m.faults[fault{f, n}] = err }

// FailNext makes the next call of a function return err.
func (m *Module) FailNext(f token.Function, err error) { m.Fail(f, m.counts[f]+1, err) }

// Unplug takes the token out of a slot: sessions with it are gone.
func (m *Module) Unplug(slot uint) {
	if t := m.slots[slot]; t != nil {
		t.unplugged = true
		m.dropSessions(slot)
	}
}

// Plug puts it back, as it was.
func (m *Module) Plug(slot uint) {
	if t := m.slots[slot]; t != nil {
		t.unplugged = false
	}
}

// Tries returns how many tries are left on a PIN of the token in a slot.
func (m *Module) Tries(slot uint, kind token.PINKind) int {
	if kind == token.SOPIN {
		return m.slots[slot].soTries
	}
	return m.slots[slot].userTries
}

// Objects returns how many objects are on the token in a slot.
func (m *Module) Objects(slot uint) int { return len(m.slots[slot].objects) }

// Do makes a call as token.Module says.
func (m *Module) Do(c token.Call) (token.Result, error) {
	nothing := token.Result{Seq: -1}
	if err := c.Check(); err != nil {
		return nothing, err
	}
	m.counts[c.Function]++
	m.total++
	if err, ok := m.faults[fault{c.Function, m.counts[c.Function]}]; ok {
		return nothing, err
	}
	if !m.initialised && c.Function != token.Initialize {
		return nothing, token.CKR_CRYPTOKI_NOT_INITIALIZED
	}
	r := nothing
	if rv := handlers[c.Function](m, c, &r); rv != token.CKR_OK {
		return nothing, rv
	}
	return r, nil
}

// handlers has one function for every token.Function.
var handlers = map[token.Function]func(*Module, token.Call, *token.Result) token.RV{
	token.Initialize:       (*Module).initialize,
	token.Finalize:         (*Module).finalize,
	token.GetInfo:          (*Module).getInfo,
	token.GetSlotList:      (*Module).getSlotList,
	token.GetSlotInfo:      (*Module).getSlotInfo,
	token.GetTokenInfo:     (*Module).getTokenInfo,
	token.GetMechanismList: (*Module).getMechanismList,
	token.GetMechanismInfo: (*Module).getMechanismInfo,
	token.InitToken:        (*Module).initToken,
	token.InitPIN:          (*Module).initPIN,
	token.SetPIN:           (*Module).setPIN,
	token.OpenSession:      (*Module).openSession,
	token.CloseSession:     (*Module).closeSession,
	token.CloseAllSessions: (*Module).closeAllSessions,
	token.GetSessionInfo:   (*Module).getSessionInfo,
	token.Login:            (*Module).login,
	token.Logout:           (*Module).logout,
	token.DestroyObject:    (*Module).destroyObject,
	token.GetAttribute:     (*Module).getAttribute,
	token.FindObjectsInit:  (*Module).findObjectsInit,
	token.FindObjects:      (*Module).findObjects,
	token.FindObjectsFinal: (*Module).findObjectsFinal,
	token.SignInit:         (*Module).signInit,
	token.Sign:             (*Module).sign,
	token.GenerateKeyPair:  (*Module).generateKeyPair,
	token.GenerateRandom:   (*Module).generateRandom,
}

func (m *Module) initialize(token.Call, *token.Result) token.RV {
	if m.initialised {
		return token.CKR_CRYPTOKI_ALREADY_INITIALIZED
	}
	m.initialised = true
	return token.CKR_OK
}

func (m *Module) finalize(token.Call, *token.Result) token.RV {
	m.initialised = false
	clear(m.sessions)
	for _, t := range m.slots {
		t.loggedIn = nobody
	}
	return token.CKR_OK
}

func (m *Module) getInfo(_ token.Call, r *token.Result) token.RV {
	r.Info = token.ModuleInfo{
		CryptokiVersion: "2.40", Manufacturer: "keyrite",
		Library: "token in memory, for tests", LibraryVersion: "1.0",
	}
	return token.CKR_OK
}

func (m *Module) getSlotList(c token.Call, r *token.Result) token.RV {
	for slot := range m.nextSlot {
		t := m.slots[slot]
		if t == nil {
			continue
		}
		if c.Present && (t.unplugged || t.vanished) {
			t.vanished = false
			continue
		}
		r.Slots = append(r.Slots, slot)
	}
	return token.CKR_OK
}

func (m *Module) getSlotInfo(c token.Call, r *token.Result) token.RV {
	t := m.slots[c.Slot]
	if t == nil {
		return token.CKR_SLOT_ID_INVALID
	}
	r.SlotInfo = token.SlotInfo{Description: "fake slot " + strconv.FormatUint(uint64(c.Slot), 10), Manufacturer: "keyrite"}
	if !t.unplugged && !t.vanished {
		r.SlotInfo.Flags = token.CKF_TOKEN_PRESENT
	}
	return token.CKR_OK
}

// present returns the token in a slot.
func (m *Module) present(slot uint) (*tokenState, token.RV) {
	t := m.slots[slot]
	switch {
	case t == nil:
		return nil, token.CKR_SLOT_ID_INVALID
	case t.unplugged || t.vanished:
		return nil, token.CKR_TOKEN_NOT_PRESENT
	}
	return t, token.CKR_OK
}

func (m *Module) getTokenInfo(c token.Call, r *token.Result) token.RV {
	t, rv := m.present(c.Slot)
	if rv != token.CKR_OK {
		return rv
	}
	r.Token = t.info(m.quirks.Counters)
	return token.CKR_OK
}
