package recorded

import (
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/internal/token"
)

// findBatch is how many handles one C_FindObjects asks for.
const findBatch = 64

// maxObjects is the most objects a search goes on for: a module that never
// says that it has no more would be asked for ever.
const maxObjects = 10000

// Initialize calls C_Initialize: it comes first.
func (m *Module) Initialize() error { return m.do(token.Call{Function: token.Initialize}) }

// Finalize calls C_Finalize: the module is not used after it.
func (m *Module) Finalize() error { return m.do(token.Call{Function: token.Finalize}) }

func (m *Module) do(c token.Call) error {
	_, err := m.Do(c)
	return err
}

// A Present is a token and the slot it is in.
type Present struct {
	Slot uint
	Info token.TokenInfo
}

// Tokens returns the tokens that are there, in the order of the slot list.
// Slots move, so every step looks again. A token that goes away in between, or
// that cannot be read, is left out: the log has its return value.
func (m *Module) Tokens() ([]Present, error) {
	r, err := m.Do(token.Call{Function: token.GetSlotList, Present: true})
	if err != nil {
		return nil, err
	}
	var list []Present
	for _, slot := range r.Slots {
		t, err := m.Do(token.Call{Function: token.GetTokenInfo, Slot: slot})
		var rv token.RV
		if err != nil && !errors.As(err, &rv) {
			return nil, err
		}
		if err == nil {
			list = append(list, Present{Slot: slot, Info: t.Token})
		}
	}
	return list, nil
}

// WithSession opens a session, calls f with it, and closes it whatever f
// returns. An error of C_CloseSession is reported beside f's, except that the
// session is gone already.
func (m *Module) WithSession(slot uint, readWrite bool, f func(session uint) error) (err error) {
	r, err := m.Do(token.Call{Function: token.OpenSession, Slot: slot, ReadWrite: readWrite})
	if err != nil {
		return err
	}
	defer func() {
		err = ended(err, m.do(token.Call{Function: token.CloseSession, Session: r.Session}))
	}()
	return f(r.Session)
}

// WithLogin logs a user in to a session, calls f, and logs out whatever f
// returns. An error of C_Logout is reported beside f's, except that the session
// or the login is gone already.
func (m *Module) WithLogin(session uint, user token.User, pin token.PIN, f func() error) (err error) {
	if err := m.do(token.Call{Function: token.Login, Session: session, User: user, PIN: pin}); err != nil {
		return err
	}
	defer func() {
		err = ended(err, m.do(token.Call{Function: token.Logout, Session: session}))
	}()
	return f()
}

// ended joins what went wrong with what ending it brought, unless that only
// says that there was nothing left to end after something went wrong.
func ended(err, end error) error {
	if err != nil {
		for _, gone := range []token.RV{token.CKR_SESSION_HANDLE_INVALID, token.CKR_SESSION_CLOSED,
			token.CKR_USER_NOT_LOGGED_IN, token.CKR_DEVICE_REMOVED, token.CKR_TOKEN_NOT_PRESENT} {
			if errors.Is(end, gone) {
				return err
			}
		}
	}
	return errors.Join(err, end)
}

// FindAll returns the handles of all objects that match a template. The search
// is ended whatever happens; an error of C_FindObjectsFinal is reported beside
// the search's own.
func (m *Module) FindAll(session uint, template []token.Attribute) (found []uint, err error) {
	if err := m.do(token.Call{Function: token.FindObjectsInit, Session: session, Template: template}); err != nil {
		return nil, err
	}
	defer func() {
		err = ended(err, m.do(token.Call{Function: token.FindObjectsFinal, Session: session}))
		if err != nil {
			found = nil
		}
	}()
	for len(found) <= maxObjects {
		r, err := m.Do(token.Call{Function: token.FindObjects, Session: session, Max: findBatch})
		if err != nil {
			return nil, err
		}
		if len(r.Objects) == 0 {
			return found, nil
		}
		found = append(found, r.Objects...)
	}
	return nil, fmt.Errorf("searching for objects: the token has more than %d", maxObjects)
}

// Attributes reads attributes of an object, in the order of types. One that the
// token does not know or tell has Err set.
func (m *Module) Attributes(session, object uint, types ...uint) ([]token.Attribute, error) {
	r, err := m.Do(token.Call{Function: token.GetAttribute, Session: session, Object: object, Want: types})
	return r.Attributes, err
}

// Random returns n random bytes from the token, and the place in the log of the
// outcome that brought them.
func (m *Module) Random(session uint, n int, purpose token.Purpose) (random []byte, seq int64, err error) {
	r, err := m.Do(token.Call{Function: token.GenerateRandom, Session: session, Length: n, Purpose: purpose})
	if err == nil && len(r.Random) != n {
		err = fmt.Errorf("getting %d random bytes from the token: it gave %d", n, len(r.Random))
	}
	if err != nil {
		return nil, r.Seq, err
	}
	return r.Random, r.Seq, nil
}

// Sign signs data with a private key: C_SignInit, then C_Sign, which belongs to
// the entry forEntry of the log. Result has Signature and Seq.
func (m *Module) Sign(session, mechanism, key uint, data []byte, forEntry int64) (token.Result, error) {
	// Refused before C_SignInit, which would leave an operation open.
	call := token.Call{Function: token.Sign, Session: session, Data: data, For: forEntry}
	if err := m.admit(call); err != nil {
		return token.Result{Seq: -1}, err
	}
	init := token.Call{Function: token.SignInit, Session: session, Mechanism: mechanism, Object: key}
	if err := m.do(init); err != nil {
		return token.Result{Seq: -1}, err
	}
	return m.Do(call)
}
