package token

import (
	"crypto/subtle"
	"fmt"
)

// A PIN is a secret that opens a token. However it is printed or encoded, it
// shows as [redacted]; its bytes and its length are only for the PKCS#11
// binding. The zero PIN is no PIN and is never sent.
//
// The bytes stand two pointers away: package fmt does not call Format on a PIN
// in somebody's unexported field, and follows one pointer when the verb does not
// fit. Copies of a PIN share the bytes, so wiping one wipes all.
type PIN struct{ secret *secret }

type secret struct{ b *[]byte }

const redacted = "[redacted]"

// NewPIN takes b over; Wipe later overwrites it.
func NewPIN(b []byte) PIN { return PIN{&secret{&b}} }

func (p PIN) bytes() []byte {
	if p.secret == nil {
		return nil
	}
	return *p.secret.b
}

// Empty reports whether there is no PIN.
func (p PIN) Empty() bool { return len(p.bytes()) == 0 }

// Equal reports whether two PINs are the same, in constant time for PINs of one
// length.
func (p PIN) Equal(q PIN) bool { return subtle.ConstantTimeCompare(p.bytes(), q.bytes()) == 1 }

// Reveal calls f with the PIN's bytes. f must not keep them.
func (p PIN) Reveal(f func([]byte)) { f(p.bytes()) }

// Wipe overwrites the bytes with zeros. Copies made by the Go runtime or by
// the PKCS#11 library are out of reach: see docs/threat-model.md.
func (p *PIN) Wipe() {
	if p.secret != nil {
		clear(*p.secret.b)
		*p.secret.b = nil
	}
	p.secret = nil
}

// String returns "[redacted]".
func (p PIN) String() string { return redacted }

// GoString returns "[redacted]".
func (p PIN) GoString() string { return redacted }

// Format prints "[redacted]" for every verb.
func (p PIN) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// MarshalText returns "[redacted]".
func (p PIN) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[redacted]" as a JSON string.
func (p PIN) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// Join returns the parts one after the other as one PIN. The caller still wipes
// the parts.
func Join(parts ...PIN) PIN {
	n := 0
	for _, p := range parts {
		n += len(p.bytes())
	}
	b := make([]byte, 0, n) // never grown, so nothing is left behind
	for _, p := range parts {
		b = append(b, p.bytes()...)
	}
	return NewPIN(b)
}
