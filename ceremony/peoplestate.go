package ceremony

import (
	"maps"

	"github.com/keyrite/keyrite/audit"
)

// Acts that can need approvals.
const (
	actStep   = "step"
	actSkip   = EffectSkip
	actRepeat = EffectRepeat
)

// Results of an approval.
const (
	approved       = "approved"
	notApproved    = "does not approve"
	wrongPhrase    = "wrong passphrase"
	noMoreTries    = "no more tries"
	noSignature    = "no signature"
	byPassphrase   = "passphrase"
	byKey          = "key"
	phraseSet      = "set"
	onRefusalStop  = "stop"
	onRefusalGoOn  = "continue"
	alternateOwn   = "script"
	alternateVoted = "deviation"
)

// An act names what somebody approves, and who.
type act struct{ act, person string }

// Who returns who acts for a participant of the script: the one whom the roll
// call put in the place of somebody absent, else the participant.
func (st *State) Who(id string) string {
	if other := st.stands[id]; other != "" {
		return other
	}
	return id
}

// Who returns who acts for a participant of the script, as [State.Who] does. A
// step asks by this whoever the script names in its fields.
func (s *Session) Who(id string) string { return s.State().Who(id) }

// whos is Who for a list.
func (s *Session) whos(ids []string) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = s.Who(id)
	}
	return list
}

// Here reports whether somebody was called, came and has not left.
func (st *State) Here(id string) bool { return st.Present[id] && !st.away[id] }

// applyPeople takes entries about who is there and who approves what.
func (st *State) applyPeople(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.Attendance:
		delete(st.away, d.Person)
		maps.DeleteFunc(st.stands, func(absent, person string) bool {
			return absent == d.Person || person == d.Person && !d.Present
		})
	case *audit.Presence:
		if st.away[d.Person] = !d.Present; d.Present {
			delete(st.away, d.Person)
		}
	case *audit.Alternate:
		st.stands[d.Absent] = d.Person
	case *audit.Passphrase:
		st.phrased[d.Person] = st.phrased[d.Person] || d.Result == phraseSet
	case *audit.Approval:
		s := st.Step(e.Step)
		switch d.Result {
		case approved:
			s.approved[act{d.Act, d.Person}] = true
		case wrongPhrase, noMoreTries:
			s.wrong[act{d.Act, d.Person}]++
		}
	}
}
