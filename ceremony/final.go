package ceremony

import (
	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
)

// A finalCosigner is the Action of a closing step that offers the final
// checkpoint to witnesses. It returns the checkpoint's signed note with the
// lines that came. The log is closed by then: nothing of it has an entry.
type finalCosigner interface {
	CosignFinal(s *Session, note []byte, p audit.Checkpoint) []byte
}

// keepFinal keeps the final checkpoint, with the lines of the witnesses to whom
// the last step offers it. An aborted ceremony offers it to nobody.
func (r *Runner) keepFinal(result string) error {
	step := &r.Script.Steps[len(r.Script.Steps)-1]
	a, ok := step.Action.(finalCosigner)
	if !ok || result != "complete" || r.state.Step(step.ID).Result != Done {
		return keep(r.log.Keep())
	}
	s := &Session{r: r, Step: step}
	bare, p, err := s.Checkpoint()
	if err != nil {
		return &Failure{Err: err}
	}
	note := a.CosignFinal(s, bare, p)
	if len(note) == len(bare) {
		return keep(r.log.Keep())
	}
	err = r.log.KeepCosigned(note)
	if err == nil {
		r.Room.Show(room.Text{Text: "The final checkpoint is kept with its cosignatures."})
	}
	return keep(err)
}

func keep(err error) error {
	if err != nil {
		return &Failure{Err: err}
	}
	return nil
}
