package fake

import (
	"bytes"
	"crypto"
	"io"
	"slices"

	"github.com/keyrite/keyrite/internal/token"
)

// An object is one object on a token.
type object struct {
	attributes map[uint][]byte
	key        crypto.Signer // of a private key
}

func (o *object) is(attr uint) bool { return bytes.Equal(o.attributes[attr], []byte{1}) }

func (m *Module) destroyObject(c token.Call, _ *token.Result) token.RV {
	s, t, rv := m.session(c.Session)
	switch {
	case rv != token.CKR_OK:
		return rv
	case m.visible(t, c.Object) == nil:
		return token.CKR_OBJECT_HANDLE_INVALID
	case !s.readWrite:
		return token.CKR_SESSION_READ_ONLY
	}
	delete(t.objects, c.Object)
	return token.CKR_OK
}

// visible returns an object that the session can see: private ones only after
// the user's login.
func (m *Module) visible(t *tokenState, handle uint) *object {
	o := t.objects[handle]
	if o == nil || o.is(token.CKA_PRIVATE) && t.loggedIn != asUser {
		return nil
	}
	return o
}

// readZero are the attributes that OpenSC does not know.
var readZero = []uint{token.CKA_SENSITIVE, token.CKA_ALWAYS_SENSITIVE, token.CKA_NEVER_EXTRACTABLE, token.CKA_LOCAL}

func (m *Module) getAttribute(c token.Call, r *token.Result) token.RV {
	_, t, rv := m.session(c.Session)
	if rv != token.CKR_OK {
		return rv
	}
	o := m.visible(t, c.Object)
	if o == nil {
		return token.CKR_OBJECT_HANDLE_INVALID
	}
	for _, typ := range c.Want {
		a := token.Attribute{Type: typ}
		value, ok := o.attributes[typ]
		switch {
		case ok && m.quirks.AttributesReadZero && slices.Contains(readZero, typ):
			a.Value = []byte{0}
		case ok:
			a.Value = bytes.Clone(value)
		default:
			a.Err = token.CKR_ATTRIBUTE_TYPE_INVALID
		}
		r.Attributes = append(r.Attributes, a)
	}
	return token.CKR_OK
}

func (m *Module) findObjectsInit(c token.Call, _ *token.Result) token.RV {
	s, t, rv := m.session(c.Session)
	switch {
	case rv != token.CKR_OK:
		return rv
	case s.searching:
		return token.CKR_OPERATION_ACTIVE
	}
	s.searching, s.found = true, nil
	for handle := range t.objects {
		if o := m.visible(t, handle); o != nil && o.matches(c.Template) {
			s.found = append(s.found, handle)
		}
	}
	slices.Sort(s.found)
	return token.CKR_OK
}

func (o *object) matches(template []token.Attribute) bool {
	for _, a := range template {
		if value, ok := o.attributes[a.Type]; !ok || !bytes.Equal(value, a.Value) {
			return false
		}
	}
	return true
}

func (m *Module) findObjects(c token.Call, r *token.Result) token.RV {
	s, _, rv := m.session(c.Session)
	switch {
	case rv != token.CKR_OK:
		return rv
	case !s.searching:
		return token.CKR_OPERATION_NOT_INITIALIZED
	}
	n := min(c.Max, len(s.found))
	r.Objects, s.found = s.found[:n:n], s.found[n:]
	return token.CKR_OK
}

func (m *Module) findObjectsFinal(c token.Call, _ *token.Result) token.RV {
	s, _, rv := m.session(c.Session)
	switch {
	case rv != token.CKR_OK:
		return rv
	case !s.searching:
		return token.CKR_OPERATION_NOT_INITIALIZED
	}
	s.searching, s.found = false, nil
	return token.CKR_OK
}

func (m *Module) generateRandom(c token.Call, r *token.Result) token.RV {
	if _, _, rv := m.session(c.Session); rv != token.CKR_OK {
		return rv
	}
	r.Random = make([]byte, c.Length)
	if _, err := io.ReadFull(m.Rand, r.Random); err != nil {
		return token.CKR_GENERAL_ERROR
	}
	return token.CKR_OK
}
