package ceremony

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
)

// readBackTries is how often something may be typed back wrongly before the step
// stops.
const readBackTries = 3

// ReadBack has a person type what the actor reads from the screen, and compares
// it: case, spaces and grouping do not count, and hex may be typed as PGP words.
// Each try is recorded, what was typed wrongly is not. Nothing is asked if person
// is "". It is an error if the third try is wrong.
func (s *Session) ReadBack(person, what, value string) error {
	if person == "" {
		return nil
	}
	person = s.Who(person)
	if err := s.Here(person); err != nil {
		return err
	}
	for range readBackTries {
		v, err := s.AskWord(person, "read-back", fmt.Sprintf("%s reads aloud, and %s types what is heard, without looking at the screen: %s", s.r.Script.Shown(s.Step.Actor), s.r.Script.Shown(person), what), value)
		if err != nil {
			return err
		}
		d := &audit.ReadBack{Person: person, What: what, Value: value, Match: audit.SameHeard(v, value)}
		if d.Match && v != value {
			d.Typed = v
		}
		if _, err := s.Record(d); err != nil || d.Match {
			return err
		}
		s.Show(room.Warning{Text: "What was typed is not what the screen shows. Read it again."})
	}
	return fmt.Errorf("%s was typed back wrongly %d times by %s: it is not what the screen shows", what, readBackTries, s.r.Script.Shown(person))
}

// CheckReadBack reports what is wrong with the participant who types back what
// the step's actor reads; "" is nobody.
func (w *World) CheckReadBack(id string) {
	const field = "read_back"
	switch {
	case id == "":
	case w.Script.Participant(id) == nil:
		w.Problem(field, "%q is not a participant of the script", id)
	case id == w.Step.Actor:
		w.Problem(field, "%q reads aloud in this step as its actor, and somebody else types what is heard", id)
	case w.Present != nil && !w.Present[id]:
		w.Problem(field, "%q was not called at the roll call", id)
	}
}
