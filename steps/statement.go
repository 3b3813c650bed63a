package steps

import (
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A statement is read aloud.
type statement struct {
	Text string `yaml:"text,required" desc:"what is read aloud"`
}

// Check has nothing to simulate.
func (a *statement) Check(*ceremony.World) {}

// Run shows and records the text; the acknowledgements follow as in every step.
func (a *statement) Run(s *ceremony.Session) error {
	s.Show(room.Text{Text: "Read aloud:"})
	return s.Result("read aloud", a.Text, false)
}
