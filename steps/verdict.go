package steps

import (
	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A verdict step asks each witness of the step for a verdict on everything up
// to here.
type verdict struct{}

// Check refuses a verdict that nobody gives.
func (a *verdict) Check(w *ceremony.World) {
	if len(w.Step.Witnesses) == 0 {
		w.Problem("witnesses", "a verdict needs at least one witness")
	}
}

// Run asks the witnesses one after the other. Saying no is an answer like any
// other: it is recorded with its reason and stops nothing by itself.
func (a *verdict) Run(s *ceremony.Session) error {
	size, head := s.Head()
	s.Show(room.Text{Text: "Each witness now says whether everything up to here was done as the script says."})
	s.Show(room.Fact{Name: "log head", Value: head.String(), Big: true})
	for _, id := range s.Step.Witnesses {
		v, err := s.AskOnly(id, "verdict", "Do you agree with what was done and written down up to here?",
			room.Choice{Word: "agree", Does: "it was done as the script and the log say"},
			room.Choice{Word: "disagree", Does: "it was not; you are asked why"})
		if err != nil {
			return err
		}
		d := &audit.Verdict{Person: id, Agree: v == "agree", Size: size, Head: head.String()}
		if !d.Agree {
			if d.Because, err = s.AskOnly(id, "because", "What do you not agree with? (one line)"); err != nil {
				return err
			}
		}
		if _, err := s.Record(d); err != nil {
			return err
		}
	}
	return nil
}
