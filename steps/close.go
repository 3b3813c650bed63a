package steps

import (
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A closing step is the last one. What it announces is done when everybody has
// acknowledged it: the log ends with the step.
type closing struct{}

// Check marks the end of the script.
func (a *closing) Check(w *ceremony.World) { w.Closed = true }

// Run says what follows.
func (a *closing) Run(s *ceremony.Session) error {
	s.Show(room.Text{Text: "With this step the log ends. The transcript's pages are composed and their checksums signed, the last checkpoint is made, and the key that signed this log is wiped from memory. Afterwards the transcript is printed, compared with the screen and signed by everybody."})
	return nil
}
