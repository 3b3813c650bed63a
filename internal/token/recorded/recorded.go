// Package recorded is the token that steps are given: it writes each PKCS#11
// call to the log before it is made and what came back after it.
//
// For a call whose [token.Effect] is Changes, the intent is durably on disk
// before the module is called, and the outcome is before Do returns. Intents
// and outcomes of calls that only read, or leave the token, are in the log in
// the same order and reach the disk with the next durable entry.
//
// What cannot be recorded is not done: if the intent cannot be written, the
// module is not called. Only C_Logout, C_CloseSession, C_CloseAllSessions and
// C_Finalize are made all the same, so that a full disk does not leave a token
// open; Unrecorded lists them.
//
// Commands to the same card by PC/SC (card.go) are recorded by the same rules:
// the intent of each is durable before the card sees it.
//
// What is recorded of a call is listed member by member in fields.go. What is
// not listed there is not recorded: PINs stand as "[redacted]", random bytes
// only where their purpose is to be published.
package recorded

import (
	"errors"
	"fmt"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu"
)

// A Recorder takes entries. Append puts one into the log, to reach the disk
// with the next durable one; AppendSync returns when it, and all before it, is
// durably there. audit.Log is one.
type Recorder interface {
	Append(step string, d audit.Data) (*audit.Entry, error)
	AppendSync(step string, d audit.Data) (*audit.Entry, error)
}

// RVNone stands in an outcome for a call that brought no return value: the
// module broke off, or could not be called at all.
const RVNone = "none"

// A Module records the calls it makes on another one. It implements
// token.Module and is not safe for concurrent use.
type Module struct {
	// Now is the clock that calls are timed with; time.Now unless it is set.
	Now func() time.Time

	inner      token.Module
	log        Recorder
	module     audit.File
	step       string
	mechanisms map[uint]uint // session → mechanism of its last C_SignInit
	lost       *OutcomeLost  // the first outcome that could not be written
	unrecorded []token.Function
	cards      apdu.Service // nil where no card can be reached
	card       *Card        // the card that is held, nil for none
}

// New returns a module that records the calls made on m to log. module is the
// PKCS#11 library's path, hash and size, recorded with C_Initialize.
func New(m token.Module, log Recorder, module audit.File) *Module {
	return &Module{Now: time.Now, inner: m, log: log, module: module, mechanisms: map[uint]uint{}}
}

// SetStep names the step that the calls from here on belong to; "" outside of
// one.
func (m *Module) SetStep(id string) { m.step = id }

// Unrecorded returns the calls that were made although they could not be
// recorded, in their order. They die with the process: a resumed run finds in
// the log that the module was in use, and records that such calls may be missing.
func (m *Module) Unrecorded() []token.Function {
	return append([]token.Function(nil), m.unrecorded...)
}

// A NotRecorded says that a call's intent could not be written, so the call was
// not made: the token is as it was.
type NotRecorded struct {
	Function token.Function
	Err      error // of the log
}

// Error says which call was not made and why.
func (e *NotRecorded) Error() string {
	return fmt.Sprintf("%s was not called, because the log could not be written: %v", e.Function, e.Err)
}

// Unwrap returns the log's error.
func (e *NotRecorded) Unwrap() error { return e.Err }

// An OutcomeLost says that a call was made but what came of it could not be
// written. Nothing more is called on the module but what leaves the token; the
// resume finds an intent without an outcome.
type OutcomeLost struct {
	Function token.Function
	Intent   int64 // seq of the intent
	Call     error // what the call itself returned; nil if CKR_OK
	Err      error // of the log
}

// Error says which call was made, how it ended, and why that is not recorded.
func (e *OutcomeLost) Error() string {
	rv := error(token.CKR_OK)
	if e.Call != nil {
		rv = e.Call
	}
	return fmt.Sprintf("%s was called (%v), but its outcome could not be written to the log: %v", e.Function, rv, e.Err)
}

// Unwrap returns the log's error. The call's own is not in the chain: whoever
// looks for an RV there must not take this for a call that simply failed.
func (e *OutcomeLost) Unwrap() error { return e.Err }

// Do records a call, makes it, and records its outcome. Result.Seq is the
// outcome's place in the log.
//
// It returns an RV (as an error) for every return value other than CKR_OK,
// *NotRecorded if the call was not made because it could not be recorded, and
// *OutcomeLost if it was made and its outcome could not be recorded; the result
// is then empty. An error of any other kind says that the call was unfit to be
// made (and nothing was recorded, or called), or that the module broke off.
func (m *Module) Do(c token.Call) (token.Result, error) {
	if err := m.admit(c); err != nil {
		return token.Result{Seq: -1}, err
	}
	var r token.Result
	seq, err := m.record(c.Function, c.Function.Effect(), m.intent(c),
		func() (micros int64, err error) { r, micros, err = m.call(c); return micros, err },
		func(intent, micros int64, err error) *audit.HSMOutcome { return outcome(c, intent, r, micros, err) })
	if err != nil {
		r = token.Result{}
	}
	r.Seq = seq
	return r, err
}

// record writes a call's intent, makes the call and writes its outcome. It
// returns the outcome's place in the log, -1 if it has none.
func (m *Module) record(f token.Function, effect token.Effect, intent *audit.HSMIntent,
	call func() (micros int64, err error), outcome func(intent, micros int64, err error) *audit.HSMOutcome) (int64, error) {
	before, err := m.write(effect, intent)
	if err != nil && effect != token.Leaves {
		return -1, &NotRecorded{f, err}
	}
	if err != nil {
		m.unrecorded = append(m.unrecorded, f)
		_, err := call()
		return -1, err
	}
	micros, err := call()
	after, werr := m.write(effect, outcome(before.Seq, micros, err))
	if werr != nil {
		m.lost = &OutcomeLost{Function: f, Intent: before.Seq, Call: err, Err: werr}
		return -1, m.lost
	}
	return after.Seq, err
}

// admit refuses what must not reach the log, let alone the module.
func (m *Module) admit(c token.Call) error {
	if m.card != nil {
		return fmt.Errorf("calling %s: reader %q is held for commands to its card, and the PKCS#11 module would wait for it", c.Function, m.card.Reader)
	}
	if err := c.Check(); err != nil {
		return err
	}
	if c.Function == token.Sign && c.For <= 0 {
		return errors.New("calling C_Sign: it belongs to no entry of the log that says what is signed")
	}
	return nil
}

// write puts an entry into the log, durably for a call that changes something.
// After an outcome was lost nothing is written: the log's state is in doubt.
func (m *Module) write(effect token.Effect, d audit.Data) (*audit.Entry, error) {
	if m.lost != nil {
		return nil, m.lost
	}
	if effect == token.Changes {
		return m.log.AppendSync(m.step, d)
	}
	return m.log.Append(m.step, d)
}

// call makes a call on the module and measures it in microseconds. A panic of
// the module's binding becomes an error; its value is dropped, as is the text
// of an error that is no RV where a PIN was given: it could hold the PIN.
func (m *Module) call(c token.Call) (r token.Result, micros int64, err error) {
	begin := m.Now()
	defer func() {
		micros = max(0, m.Now().Sub(begin).Microseconds())
		if recover() != nil {
			r, err = token.Result{}, fmt.Errorf("calling %s: the PKCS#11 module broke off", c.Function)
		}
	}()
	r, err = m.inner.Do(c)
	var rv token.RV
	switch {
	case err == nil:
		m.note(c)
	case errors.As(err, &rv):
		err = rv
	case !c.PIN.Empty() || !c.NewPIN.Empty():
		err = fmt.Errorf("calling %s: the PKCS#11 module gave no return value", c.Function)
	}
	return r, 0, err
}

// note remembers the mechanism that a session signs with: it decides how
// C_Sign's input is recorded.
func (m *Module) note(c token.Call) {
	if c.Function == token.SignInit {
		m.mechanisms[c.Session] = c.Mechanism
	}
}
