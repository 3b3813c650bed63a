// Package p11 makes the calls of package token on a real PKCS#11 library. It is
// the only package that uses cgo for it and the only one that imports
// github.com/miekg/pkcs11.
//
// A library runs inside this process: one that is broken or hostile can do
// whatever the process can. What it is, is therefore recorded before it is
// loaded (Path, SHA256), and every call's intent is on disk before it is made.
//
// One token.Call can stand for several C calls: C_GetSlotList,
// C_GetMechanismList and C_Sign are called once for the length and once for
// the result, C_GetAttributeValue twice for each attribute.
package p11

import (
	"fmt"

	"github.com/miekg/pkcs11"

	"github.com/keyrite/keyrite/internal/token"
)

// A Module is a loaded PKCS#11 library. It implements token.Module and is not
// safe for concurrent use.
type Module struct {
	ctx    *pkcs11.Ctx
	path   string
	sha256 string
	size   int64
}

// Open loads the PKCS#11 library at path. It calls no PKCS#11 function but
// C_GetFunctionList; C_Initialize is a call of its own. The library stays
// loaded until the process ends.
//
// The error says what is wrong with the file and what to do: it is not there,
// no shared library, one for another processor, not a PKCS#11 module, or needs
// a library that is not there.
func Open(path string) (*Module, error) {
	file, err := inspect(path)
	if err != nil {
		return nil, fmt.Errorf("opening PKCS#11 module %q: %w", path, err)
	}
	if err := probe(file.path); err != nil {
		return nil, fmt.Errorf("opening PKCS#11 module %q: %w", path, err)
	}
	ctx := pkcs11.New(file.path)
	if ctx == nil {
		return nil, fmt.Errorf("opening PKCS#11 module %q: it could be loaded once, but not a second time", path)
	}
	return &Module{ctx: ctx, path: file.path, sha256: file.sha256, size: file.size}, nil
}

// Path returns the library's absolute path with symbolic links followed.
func (m *Module) Path() string { return m.path }

// SHA256 returns the hash of the library's file just before it was loaded, in
// lower-case hex. It does not cover the libraries that it loads in turn.
func (m *Module) SHA256() string { return m.sha256 }

// Size returns the size of the library's file in bytes.
func (m *Module) Size() int64 { return m.size }

// Do makes a call. It returns an RV (as an error) for every return value other
// than CKR_OK, and what [token.Call.Check] says of a call that is unfit to be
// made.
func (m *Module) Do(c token.Call) (token.Result, error) {
	if err := c.Check(); err != nil {
		return token.Result{Seq: -1}, err
	}
	handle, ok := handlers[c.Function]
	if !ok {
		panic("p11: no handler for " + string(c.Function))
	}
	r := token.Result{Seq: -1}
	if err := handle(m.ctx, c, &r); err != nil {
		return token.Result{Seq: -1}, rv(err)
	}
	return r, nil
}

// rv turns the binding's error into an RV.
func rv(err error) error {
	if e, ok := err.(pkcs11.Error); ok {
		return token.RV(e)
	}
	return err
}
