package steps

import (
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A pause is a planned break.
type pause struct {
	Reason string `yaml:"reason,required" desc:"why, and for how long"`
}

// Check has nothing to simulate.
func (a *pause) Check(*ceremony.World) {}

// Run asks whether the program ends over the break.
func (a *pause) Run(s *ceremony.Session) error {
	if s.Done().Resumed {
		s.Show(room.Text{Text: "The break is over."})
		return s.Headcount()
	}
	v, err := s.Ask(s.Step.Actor, "break", "Planned break: "+a.Reason+". Does the machine stay on?",
		room.Choice{Word: "stays", Does: "wait here; answer when everybody is back"},
		room.Choice{Word: "stops", Does: "end the program; 'keyrite resume' goes on after the break"})
	if err != nil {
		return err
	}
	if v == "stops" {
		return &ceremony.Stop{Reason: a.Reason, Person: s.Step.Actor}
	}
	return s.Headcount()
}
