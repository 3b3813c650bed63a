package recorded

import (
	"errors"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/fake"
)

// TestTables: every function has its rules, and no other has.
func TestTables(t *testing.T) {
	known := map[token.Function]bool{}
	for _, f := range token.Functions {
		known[f] = true
		if _, ok := intents[f]; !ok {
			t.Errorf("%s: not in the table of what is recorded", f)
		}
	}
	if len(intents) != len(known) {
		t.Errorf("the table has %d functions, there are %d", len(intents), len(known))
	}
	for f := range outcomes {
		if !known[f] {
			t.Errorf("%s: outcome of an unknown function", f)
		}
	}
}

// TestIntentFirst: for every function the intent is in the log before the
// module is called, durably if it changes something, and the outcome after.
func TestIntentFirst(t *testing.T) {
	for _, f := range token.Functions {
		t.Run(string(f), func(t *testing.T) {
			st, inner := staged(t)
			before := inner.Total()
			r, err := st.m.Do(st.calls[f])
			if len(st.log.entries) != 2 {
				t.Fatalf("%d entries", len(st.log.entries))
			}
			if st.log.seen[0] != before || st.log.seen[1] != before+1 {
				t.Errorf("calls seen by the module at intent and outcome: %v, before: %d", st.log.seen, before)
			}
			intent, ok := st.log.entries[0].Data.(*audit.HSMIntent)
			if !ok || intent.Function != string(f) || st.log.entries[0].Step != "a-step" {
				t.Errorf("intent: %+v", st.log.entries[0])
			}
			out, ok := st.log.entries[1].Data.(*audit.HSMOutcome)
			if !ok || out.Function != string(f) || out.Intent != 0 || out.Micros != 1000 || out.RV != rvName(err) {
				t.Errorf("outcome: %+v after %v", out, err)
			}
			if r.Seq != 1 {
				t.Errorf("Seq is %d, want the outcome's", r.Seq)
			}
			if synced := st.log.synced == 2; synced != (f.Effect() == token.Changes) {
				t.Errorf("durable: %v, but the effect is %d", synced, f.Effect())
			}
		})
	}
}

// TestNoRecordNoCall: a log that cannot be written keeps every function but
// those that leave the token from being called.
func TestNoRecordNoCall(t *testing.T) {
	for _, f := range token.Functions {
		t.Run(string(f), func(t *testing.T) {
			st, inner := staged(t)
			st.log.failAt = 0
			before := inner.Count(f)
			r, err := st.m.Do(st.calls[f])
			if f.Effect() == token.Leaves {
				if inner.Count(f) != before+1 || err != nil || r.Seq != -1 {
					t.Errorf("called %d times, %v, Seq %d", inner.Count(f)-before, err, r.Seq)
				}
				if u := st.m.Unrecorded(); len(u) != 1 || u[0] != f {
					t.Errorf("unrecorded calls: %v", u)
				}
				return
			}
			var refused *NotRecorded
			if !errors.As(err, &refused) || refused.Function != f || !errors.Is(err, errDisk) {
				t.Errorf("error %v", err)
			}
			if inner.Count(f) != before {
				t.Error("the module was called")
			}
			if len(st.m.Unrecorded()) != 0 || r.Seq != -1 {
				t.Errorf("unrecorded %v, Seq %d", st.m.Unrecorded(), r.Seq)
			}
		})
	}
}

// TestOutcomeLost: after an outcome that could not be written, nothing is
// called any more but what leaves the token, even if the log works again.
func TestOutcomeLost(t *testing.T) {
	for _, f := range token.Functions {
		t.Run(string(f), func(t *testing.T) {
			st, inner := staged(t)
			st.log.failAt = 1
			r, err := st.m.Do(st.calls[f])
			var lost *OutcomeLost
			if !errors.As(err, &lost) || lost.Function != f || lost.Intent != 0 || !errors.Is(err, errDisk) {
				t.Fatalf("error %v", err)
			}
			if r.Seq != -1 || r.Signature != nil || r.Random != nil || r.Session != 0 {
				t.Errorf("a result that is not in the log: %+v", r)
			}
			var rv token.RV
			if errors.As(err, &rv) {
				t.Errorf("%v is in the chain of an error that does not say that the call failed", rv)
			}
			st.log.failAt = -1
			afterLoss(t, st, inner)
		})
	}
}

func afterLoss(t *testing.T, st stage, inner *fake.Module) {
	t.Helper()
	entries := len(st.log.entries)
	var leaving []token.Function
	for _, f := range token.Functions {
		before := inner.Count(f)
		_, err := st.m.Do(st.calls[f])
		called := inner.Count(f) - before
		if f.Effect() == token.Leaves {
			leaving = append(leaving, f)
			if called != 1 {
				t.Errorf("%s: called %d times", f, called)
			}
			continue
		}
		var refused *NotRecorded
		if called != 0 || !errors.As(err, &refused) {
			t.Errorf("%s: called %d times, %v", f, called, err)
		}
	}
	if len(st.log.entries) != entries {
		t.Errorf("%d entries were written after an outcome was lost", len(st.log.entries)-entries)
	}
	if got := st.m.Unrecorded(); len(got) != len(leaving) {
		t.Errorf("unrecorded %v, want %v", got, leaving)
	}
}

// TestUnfit: a call that is refused leaves no trace in the log, and the module
// is not called.
func TestUnfit(t *testing.T) {
	st, inner := staged(t)
	noFor := st.calls[token.Sign]
	noFor.For = 0
	before := inner.Total()
	for _, c := range []token.Call{
		noFor,
		{Function: "C_WrapKey"},
		{Function: token.Login, User: token.SO},
		{Function: token.GetAttribute, Want: []uint{0x11}},
	} {
		r, err := st.m.Do(c)
		var rv token.RV
		if err == nil || errors.As(err, &rv) || r.Seq != -1 {
			t.Errorf("%s: %v", c.Function, err)
		}
	}
	if inner.Total() != before || len(st.log.entries) != 0 {
		t.Errorf("%d calls, %d entries", inner.Total()-before, len(st.log.entries))
	}
}

// A broken module panics or returns an error of its own.
type broken struct {
	panics any
	err    error
}

func (b broken) Do(token.Call) (token.Result, error) {
	if b.panics != nil {
		panic(b.panics)
	}
	return token.Result{Session: 9, Signature: []byte{1}}, b.err
}

// TestBroken: a module that breaks off, or talks, cannot get a PIN into the log
// or an error text, and its result is not used.
func TestBroken(t *testing.T) {
	pinCall := token.Call{Function: token.Login, User: token.SO, PIN: pin(plantedPIN)}
	tests := map[string]struct {
		module broken
		call   token.Call
		rv     string
	}{
		"panic":           {broken{panics: "login with " + plantedPIN}, pinCall, RVNone},
		"error":           {broken{err: errors.New("login with " + plantedPIN)}, pinCall, RVNone},
		"wrapped RV":      {broken{err: errors.Join(errors.New(plantedPIN), token.CKR_PIN_INCORRECT)}, pinCall, "CKR_PIN_INCORRECT"},
		"RV":              {broken{err: token.CKR_DEVICE_REMOVED}, token.Call{Function: token.GetInfo}, "CKR_DEVICE_REMOVED"},
		"unknown RV":      {broken{err: token.RV(0x80000123)}, token.Call{Function: token.GetInfo}, "CKR_0x80000123"},
		"error, no PIN":   {broken{err: errors.New("socket closed")}, token.Call{Function: token.GetInfo}, RVNone},
		"panic, no PIN":   {broken{panics: 1}, token.Call{Function: token.GetInfo}, RVNone},
		"panic at leaves": {broken{panics: 1}, token.Call{Function: token.Finalize}, RVNone},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			log := newMemory()
			m := New(test.module, log, audit.File{})
			r, err := m.Do(test.call)
			if err == nil || strings.Contains(err.Error(), plantedPIN) {
				t.Errorf("error %v", err)
			}
			if got := log.entries[1].Data.(*audit.HSMOutcome).RV; got != test.rv {
				t.Errorf("outcome %q, want %q", got, test.rv)
			}
			if strings.Contains(log.text(t), plantedPIN) {
				t.Error("the PIN is in the log")
			}
			if r.Session != 0 || r.Signature != nil || r.Seq != 1 {
				t.Errorf("result of a failed call: %+v", r)
			}
		})
	}
}

// TestSignInput: the input of C_Sign stands in the log as it is where the
// mechanism takes a digest, and as a named digest where it hashes itself.
func TestSignInput(t *testing.T) {
	for mechanism, want := range map[uint]string{
		token.CKM_ECDSA:           "616263",
		token.CKM_RSA_PKCS:        "616263",
		token.CKM_SHA256_RSA_PKCS: "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		token.CKM_ECDSA_SHA384:    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		0x80001234:                "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	} {
		log := newMemory()
		m := New(broken{}, log, audit.File{})
		if _, err := m.Sign(3, mechanism, 1, []byte("abc"), 5); err != nil {
			t.Fatal(err)
		}
		if got := log.entries[2].Data.(*audit.HSMIntent).Data; got != want {
			t.Errorf("%s: input %s, want %s", token.MechanismName(mechanism), got, want)
		}
	}
	log := newMemory()
	m := New(broken{}, log, audit.File{})
	if _, err := m.Do(token.Call{Function: token.Sign, Session: 4, Data: []byte("abc"), For: 1}); err != nil {
		t.Fatal(err)
	}
	if got := log.entries[0].Data.(*audit.HSMIntent).Data; !strings.HasPrefix(got, "sha256:") {
		t.Errorf("input without a C_SignInit: %s", got)
	}
}

// TestRandom: what C_GenerateRandom gave is recorded for the purposes that are
// published, and for no other.
func TestRandom(t *testing.T) {
	for purpose, recorded := range map[token.Purpose]bool{
		token.PurposeSerial: true, token.PurposeChallenge: true, token.PurposeSecret: false,
	} {
		st, _ := staged(t)
		c := st.calls[token.GenerateRandom]
		r, seq, err := st.m.Random(c.Session, 16, purpose)
		if err != nil || len(r) != 16 || seq != 1 {
			t.Fatalf("%d bytes, seq %d, %v", len(r), seq, err)
		}
		if got := st.log.entries[1].Data.(*audit.HSMOutcome).Random; (got != "") != recorded {
			t.Errorf("%s: recorded %q", purpose, got)
		}
	}
}
