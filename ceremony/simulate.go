package ceremony

import (
	"fmt"
	"strings"
)

// Simulate walks through all steps on the model of the world and returns what
// would be impossible on the day, sorted by place: what the kinds of steps find
// (a key used before it is made) and, for every kind, a step before the roll
// call, somebody who was not called there, a step after the close, no close.
func Simulate(s *Script) Problems { return SimulateRest(s, nil) }

// SimulateRest walks through the script's steps when some of them are over, and
// returns what has become impossible of those that remain. done holds the
// result, [Done] or [Skipped], of each step that is over, by its id: a step that
// was done changes the world, one that was skipped leaves it as it is, and
// neither is judged again. Any other result is that of a step that remains.
func SimulateRest(s *Script, done map[string]string) Problems {
	m := &simulation{World: NewWorld(s)}
	for i := range s.Steps {
		m.Step = &s.Steps[i]
		switch result := done[m.Step.ID]; {
		case result == Skipped:
		case m.Step.Action == nil: // a kind that does not exist, reported as such
		case result == Done:
			m.report = func(string, string) {}
			m.Step.Action.Check(m.World)
		default:
			m.report = m.problem
			m.step()
		}
	}
	for i := range s.Participants {
		if p := &s.Participants[i]; p.AlternateFor != "" && m.Present != nil && !m.Present[p.ID] && s.Participant(p.AlternateFor) != nil {
			m.problem(at("participants", i, "alternate_for"), fmt.Sprintf("%q is called at no roll call and cannot take the place of %q", p.ID, p.AlternateFor))
		}
	}
	if n := len(s.Steps); n > 0 && !m.Closed {
		m.problem(s.Steps[n-1].Path, "the last step must be of kind close: without it nothing is sealed")
	}
	return m.problems.Sort()
}

type simulation struct {
	*World
	warned   bool // that there was no roll call
	problems Problems
}

func (m *simulation) problem(path, what string) {
	m.problems = append(m.problems, m.Script.doc.Problem(path, strings.ReplaceAll(what, "\n", "; ")))
}

// step judges a step that is still to come.
func (m *simulation) step() {
	if m.Closed {
		m.Problem("", "the step comes after the close, when the log is sealed: move it before the close")
	}
	called := m.Present
	m.Step.Action.Check(m.World)
	if called == nil {
		called = m.Present
	}
	if called == nil {
		if !m.warned {
			m.Problem("", "the step comes before the roll call: begin with a step of kind attendance")
		}
		m.warned = true
		return
	}
	m.called("actor", m.Step.Actor, called)
	for i, id := range m.Step.Witnesses {
		m.called(fmt.Sprintf("witnesses[%d]", i), id, called)
	}
	m.approvable(called)
}

// approvable judges whether enough of those who are in the room can approve a
// step.
func (m *simulation) approvable(called map[string]bool) {
	a := m.Step.Approve
	if a == nil {
		return
	}
	all := m.Script.approvers(a, m.Step.Actor)
	n := 0
	for _, id := range all {
		if called[id] {
			n++
		}
	}
	if n < a.Count && len(all) >= a.Count {
		m.Problem("approve.count", "%d have to approve, and of those who can %d are called at the roll call before this step", a.Count, n)
	}
}

// called judges whether somebody of the script is in the room.
func (m *simulation) called(field, id string, called map[string]bool) {
	if m.Script.Participant(id) != nil && !called[id] {
		m.Problem(field, "%q is not called at the roll call before this step", id)
	}
}
