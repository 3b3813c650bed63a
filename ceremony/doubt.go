package ceremony

import (
	"fmt"
	"maps"
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
)

// A doubt is a call of which nobody knows whether the token carried it out. It
// stays known after the room has said what became of it: a PIN that is refused
// afterwards shows that what was said was wrong, and the room is asked again.
type doubt struct {
	Pending
	open bool // the room is still to say what became of it
}

// doubted are the calls that leave something on a token and cannot simply be
// made again: those of which the room is asked what became of them.
func doubted(in *audit.HSMIntent) bool {
	f := token.Function(in.Function)
	return lasting(in) && f != token.Login && f != token.Sign
}

// applyDoubt notes calls that the token may have carried out or not, and what
// clears that up.
func (st *State) applyDoubt(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.HSMOutcome:
		in := st.intents[d.Intent]
		if in == nil {
			return
		}
		step := st.Step(e.Step)
		switch {
		case d.RV == "CKR_OK", d.OK() && doubted(in):
			delete(step.doubts, deed(in))
		case doubted(in) && audit.DoubtfulRV(d.RV):
			step.doubts[deed(in)] = &doubt{Pending{Seq: d.Intent, Step: e.Step, Intent: in, Answer: d.RV}, true}
		case d.RV == "CKR_PIN_INCORRECT", d.RV == "CKR_PIN_LOCKED":
			step.contradicted(in)
		}
	case *audit.HSMUnknown:
		in, step := st.intents[d.Intent], st.Step(e.Step)
		if in == nil || !doubted(in) {
			return
		}
		if x := step.doubts[deed(in)]; x != nil && x.Seq == d.Intent {
			x.open = false
			return
		}
		step.doubts[deed(in)] = &doubt{Pending{Seq: d.Intent, Step: e.Step, Intent: in}, false}
	}
}

// contradicted opens a doubt again when a PIN was refused that would be right if
// what the room said of it were.
func (s *StepState) contradicted(in *audit.HSMIntent) {
	again := func(f token.Function) {
		if d := s.doubts[string(f)]; d != nil {
			d.open = true
			delete(s.said, string(f))
		}
	}
	switch {
	case in.Function == string(token.SetPIN):
		again(token.SetPIN)
	case in.Function == string(token.Login):
		again(token.SetPIN)
		if in.User == token.NormalUser.Name() {
			again(token.InitPIN)
		}
	}
}

// Doubted reports whether the step has called function and it is not known
// whether the token carried it out, whatever the room said of it.
func (s *StepState) Doubted(function token.Function) bool { return s.doubts[string(function)] != nil }

// clearDoubts asks the room what became of calls of the step, before it is tried
// again.
func (s *Session) clearDoubts() error {
	doubts := s.Done().doubts
	for _, f := range slices.Sorted(maps.Keys(doubts)) {
		if d := doubts[f]; d.open {
			if err := s.settle(&d.Pending); err != nil {
				return err
			}
		}
	}
	return nil
}

// untold says why it is not known what became of a call.
func (p *Pending) untold() string {
	f := callName(p.Intent)
	if p.Answer == "" {
		return fmt.Sprintf("Entry %d says that %s was about to be called, and nothing says what came of it. Its outcome is UNKNOWN. It is not called again before the room has decided.", p.Seq, f)
	}
	text := fmt.Sprintf("%s (entry %d) came back with %s: the token, its reader or its driver failed while it was under way. Whether the token carried it out is UNKNOWN. It is not called again before the room has decided.", f, p.Seq, p.Answer)
	if p.Intent.Function == string(token.SetPIN) {
		text += " Either the old PIN is in force or the new one. Whoever types the wrong one spends a try; it is then known that the other one is right, and the room is asked again."
	}
	return text
}
