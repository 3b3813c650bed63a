package recorded

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/fake"
	"github.com/keyrite/keyrite/internal/token/tokentest"
)

var errDisk = errors.New("no space left on device")

// A memory is a log in memory that can be made to fail.
type memory struct {
	entries []*audit.Entry
	synced  int // entries that are durable
	failAt  int // the entry that cannot be written, from 0; -1: none
	dead    bool
	calls   func() int // how many calls the module has seen
	seen    []int      // calls seen when each entry was written
}

func newMemory() *memory { return &memory{failAt: -1, calls: func() int { return 0 }} }

func (l *memory) Append(step string, d audit.Data) (*audit.Entry, error) {
	if l.dead || len(l.entries) == l.failAt {
		return nil, errDisk
	}
	e := &audit.Entry{Seq: int64(len(l.entries)), Step: step, Data: d}
	l.entries = append(l.entries, e)
	l.seen = append(l.seen, l.calls())
	return e, nil
}

func (l *memory) AppendSync(step string, d audit.Data) (*audit.Entry, error) {
	e, err := l.Append(step, d)
	if err == nil {
		l.synced = len(l.entries)
	}
	return e, err
}

// text returns everything that was recorded as JSON.
func (l *memory) text(t *testing.T) string {
	t.Helper()
	b, err := json.Marshal(l.entries)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A stage is a recorded token ready for one call of each function.
type stage struct {
	m     *Module
	log   *memory
	calls map[token.Function]token.Call // one valid call a function
}

// tick is a clock that goes on by a millisecond at each look.
func tick() func() time.Time {
	now := time.Unix(0, 0)
	return func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
}

// stageOn prepares inner, an initialised module with one throw-away SoftHSM2-like
// token, so that every function can be called once. Its clock ticks.
func stageOn(t *testing.T, inner token.Module) stage {
	t.Helper()
	must := func(c token.Call) token.Result {
		t.Helper()
		r, err := inner.Do(c)
		if err != nil {
			t.Fatalf("%s: %v", c.Function, err)
		}
		return r
	}
	must(token.Call{Function: token.Initialize})
	slot := must(token.Call{Function: token.GetSlotList, Present: true}).Slots[0]
	must(token.Call{Function: token.InitToken, Slot: slot, PIN: pin(tokentest.SOPIN), Label: "stage"})
	slot = findLabel(must, "stage")
	s := must(token.Call{Function: token.OpenSession, Slot: slot, ReadWrite: true}).Session
	must(token.Call{Function: token.Login, Session: s, User: token.SO, PIN: pin(tokentest.SOPIN)})
	must(token.Call{Function: token.InitPIN, Session: s, PIN: pin(tokentest.UserPIN)})
	must(token.Call{Function: token.Logout, Session: s})
	must(token.Call{Function: token.Login, Session: s, User: token.NormalUser, PIN: pin(tokentest.UserPIN)})
	keys := must(tokentest.ECPair(s, "P-256", 1))
	log := newMemory()
	m := New(inner, log, audit.File{Name: "/usr/lib/module.so", SHA256: "00ff", Size: 42})
	m.Now = tick()
	m.SetStep("a-step")
	return stage{m, log, everyCall(slot, s, keys.Public, keys.Private)}
}

func findLabel(must func(token.Call) token.Result, label string) uint {
	for _, slot := range must(token.Call{Function: token.GetSlotList, Present: true}).Slots {
		if must(token.Call{Function: token.GetTokenInfo, Slot: slot}).Token.Label == label {
			return slot
		}
	}
	panic("no token " + label)
}

func pin(s string) token.PIN { return token.NewPIN([]byte(s)) }

// everyCall returns one call for every function with every argument set, also
// those that the function does not take: they must not be recorded.
func everyCall(slot, session, public, private uint) map[token.Function]token.Call {
	calls := map[token.Function]token.Call{}
	for _, f := range token.Functions {
		keys := tokentest.ECPair(session, "P-256", 2)
		calls[f] = token.Call{
			Function: f, Slot: slot, Session: session, User: token.NormalUser,
			PIN: pin(plantedPIN), NewPIN: pin(plantedNewPIN), Label: "a label",
			Present: true, ReadWrite: true, Mechanism: token.CKM_EC_KEY_PAIR_GEN,
			Template: keys.Template, Private: keys.Private,
			Want: []uint{token.CKA_LABEL, token.CKA_TOKEN, token.CKA_KEY_TYPE, token.CKA_ID, token.CKA_MODULUS}, Object: public, Max: 8,
			Data: []byte("0123456789abcdef0123456789abcdef"), Length: 8, Purpose: token.PurposeSerial, For: 7,
		}
	}
	sign := calls[token.SignInit]
	sign.Mechanism, sign.Object = token.CKM_ECDSA, private
	calls[token.SignInit] = sign
	return calls
}

// The planted PINs: nothing else in the tests has these digits.
const (
	plantedPIN    = "5550193846207715"
	plantedNewPIN = "6661704935281836"
)

// staged returns a stage on a fake with what the log sees of its calls.
func staged(t *testing.T) (stage, *fake.Module) {
	t.Helper()
	inner := fake.New()
	st := stageOn(t, inner)
	st.log.calls = inner.Total
	return st, inner
}
