package steps

import (
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A deviation step asks for departures from the script until there are no
// more. At any prompt "!" does the same at once.
type deviation struct{}

// Check has nothing to simulate.
func (a *deviation) Check(*ceremony.World) {}

// Run asks until the actor says that there is none.
func (a *deviation) Run(s *ceremony.Session) error {
	for {
		v, err := s.Ask(s.Step.Actor, "any", "Was anything not as the script says that is not yet written down?",
			room.Choice{Word: "no", Does: "all departures are written down"},
			room.Choice{Word: "yes", Does: "write one down"})
		if err != nil || v == "no" {
			return err
		}
		if _, err := s.Deviation(ceremony.EffectNone); err != nil {
			return err
		}
	}
}
