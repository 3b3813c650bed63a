package verify

import (
	"fmt"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// maxPending is the most calls that may wait for what became of them.
const maxPending = 1000

// redacted stands for every secret.
const redacted = "[redacted]"

// changing are the PKCS#11 functions that change a token, sign, or may spend a
// PIN try: each belongs to a step of the script.
var changing = []string{
	"C_InitToken", "C_InitPIN", "C_SetPIN", "C_Login", "C_GenerateKeyPair",
	"C_SignInit", "C_Sign", "C_DestroyObject", "C_GenerateRandom",
}

// secrets are the members of an intent that hold a PIN, by function.
var secrets = map[string]struct{ pin, newPIN bool }{
	"C_Login":     {pin: true},
	"C_InitPIN":   {pin: true},
	"C_InitToken": {pin: true},
	"C_SetPIN":    {pin: true, newPIN: true},
}

// A call is an intent that waits for its outcome.
type call struct {
	seq     int64
	segment int
	step    string
	time    time.Time

	function, purpose, data, command string
	of                               int64 // C_Sign: seq of the to-be-signed entry
}

// lasting are the functions of which the room is asked what became of them, when
// that is not known: they leave something on the token that is made once.
var lasting = []string{"C_InitToken", "C_InitPIN", "C_SetPIN", "C_GenerateKeyPair", "C_DestroyObject"}

// A doubtedCall is a call of which the room said, or may be asked, what became of it.
type doubtedCall struct {
	*call
	rv string // "" if the log has none
}

// A signing is one C_Sign that returned CKR_OK, or may have.
type signing struct {
	call
	outcome   int64 // seq
	signature string
	unknown   bool // no outcome, and the room does not rule it out
	at        time.Time
}

// takeCall reads an entry about a PKCS#11 call.
func (f *facts) takeCall(e *audit.Entry, size int) {
	switch d := e.Data.(type) {
	case *audit.HSMIntent:
		f.takeIntent(e, d, size)
	case *audit.HSMOutcome:
		f.takeOutcome(e, d, size)
	case *audit.HSMUnknown:
		f.takeUnknown(e, d)
	}
}

func (f *facts) takeIntent(e *audit.Entry, d *audit.HSMIntent, size int) {
	f.ready(e.Seq)
	f.callsMade++
	if s := f.segment(); !s.keyRead {
		f.find(KeyNotRead, e.Seq, fmt.Sprintf("a PKCS#11 call of segment %d before its log key was read aloud", s.Number), "key-read", d.Function)
		s.keyRead = true // once is enough
	}
	if changes(d.Function, d.Command) && (f.running == "" || e.Step != f.running) {
		f.find(CallWithoutStep, e.Seq, "a call that changes the token belongs to no step", "", d.Function)
	}
	f.checkMembers(e.Seq, d.Function, "intent", d)
	f.checkAttributes(e.Seq, d.Template)
	f.checkAttributes(e.Seq, d.Private)
	f.checkCommand(e.Seq, d)
	want := secrets[d.Function]
	if !hidden(d.PIN, want.pin) || !hidden(d.NewPIN, want.newPIN) {
		f.find(SecretRecorded, e.Seq, "a PIN of "+d.Function+" is not redacted", redacted, "")
	}
	if p := f.pending[f.inCall]; p != nil && p.segment == len(f.segments)-1 {
		f.unless(f.hidden.between(p.seq, e.Seq), CallWithoutOutcome, p.seq, "the call has no outcome, and the next one was made", "", p.function)
		delete(f.pending, p.seq)
	}
	c := &call{seq: e.Seq, segment: len(f.segments) - 1, step: e.Step, time: e.Time, function: d.Function, purpose: d.Purpose, command: d.Command}
	if d.Function == "C_Sign" && f.hold(e.Seq, size) {
		c.data, c.of = d.Data, d.For
	}
	if len(f.pending) == maxPending {
		f.hold(e.Seq, f.v.limit())
		return
	}
	f.pending[e.Seq], f.inCall = c, e.Seq
}

// hidden reports whether a PIN's place in an intent holds what it should:
// nothing, or the word that stands for any PIN. C_Login without a PIN (a pad on
// the device) has nothing.
func hidden(pin string, takes bool) bool { return pin == "" || takes && pin == redacted }

func (f *facts) takeOutcome(e *audit.Entry, d *audit.HSMOutcome, size int) {
	p := f.pending[d.Intent]
	if p == nil && f.hidden.has(d.Intent) {
		p = f.hiddenCall(e, d)
	}
	switch {
	case p == nil:
		f.find(CallOutcome, e.Seq, "the outcome belongs to no open call", "", fmt.Sprintf("%s of entry %d", d.Function, d.Intent))
		return
	case p.function != d.Function || p.segment != len(f.segments)-1:
		f.find(CallOutcome, e.Seq, "the outcome is not that of the call it names", p.function, d.Function)
	}
	delete(f.pending, d.Intent)
	if audit.DoubtfulRV(d.RV) && lasts(p.function, p.command) && f.hold(e.Seq, size) {
		f.doubted[d.Intent] = doubtedCall{call: p, rv: d.RV}
	}
	f.checkMembers(e.Seq, d.Function, "outcome", d)
	f.checkAttributes(e.Seq, d.Attributes)
	f.checkRV(e.Seq, d)
	f.checkAnswer(e.Seq, p.command, d)
	if d.Random != "" && p.purpose != "serial" && p.purpose != "challenge" {
		f.find(SecretRecorded, e.Seq, "random bytes that were to stay secret stand in the log", "", "")
	}
	if d.RV != "CKR_OK" {
		return
	}
	switch d.Function {
	case "C_GenerateRandom":
		if p.purpose == "serial" && f.hold(e.Seq, size) {
			f.randoms[e.Seq] = d.Random
		}
	case "C_Sign":
		if f.hold(e.Seq, size) {
			f.signs = append(f.signs, signing{call: *p, outcome: e.Seq, signature: d.Signature, at: e.Time})
		}
	}
}

// takeUnknown reads what the room decided about a call without outcome, or with
// one that leaves open whether the token did it. A C_Sign that may have happened is
// a signature that nobody has seen.
func (f *facts) takeUnknown(e *audit.Entry, d *audit.HSMUnknown) {
	if x, ok := f.doubted[d.Intent]; ok {
		said := "it is not known what became of it"
		if x.rv != "" {
			said = "it came back with " + x.rv
		}
		f.find(CallUnknown, e.Seq, fmt.Sprintf("nobody saw whether the token carried out %s in entry %d (%s); the room decided: %s (the token: %s)", x.function, x.seq, said, d.Decided, d.Found), "", "")
		return
	}
	p := f.pending[d.Intent]
	if p == nil || p.segment == len(f.segments)-1 {
		f.unless(f.hidden.has(d.Intent), CallOutcome, e.Seq, "a decision about a call that waits for none", "", fmt.Sprintf("entry %d", d.Intent))
		return
	}
	delete(f.pending, d.Intent)
	if changes(p.function, p.command) {
		f.find(CallUnknown, e.Seq, fmt.Sprintf("nobody saw what became of %s in entry %d; the room decided: %s (the token: %s)", p.function, p.seq, d.Decided, d.Found), "", "")
	}
	if lasts(p.function, p.command) && f.hold(e.Seq, len(p.function)) { // a PIN that is refused can have the room decide again
		f.doubted[p.seq] = doubtedCall{call: p}
	}
	if p.function == "C_Sign" && d.Decided != "it did not happen" {
		f.signs = append(f.signs, signing{call: *p, outcome: -1, unknown: true, at: e.Time})
	}
}

// finishCalls finds the calls that nothing settled. In a log that is not
// closed the last ones may be settled when it goes on.
func (f *facts) finishCalls() {
	if f.close == nil {
		return
	}
	for _, p := range f.pending {
		f.unless(f.hidden.between(p.seq, f.lastSeq), CallWithoutOutcome, p.seq, "the call has neither an outcome nor a decision about it", "", p.function)
	}
}
