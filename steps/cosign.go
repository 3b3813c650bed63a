package steps

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A cosign step shows the current checkpoint and takes a cosignature of it from
// each witness with a key.
type cosign struct {
	To string `yaml:"to" desc:"folder to make on the medium, into which the checkpoint is written for the witnesses' machines; none if left out" line:"one"`
}

// Check wants somebody to cosign, and a name that can be a folder.
func (a *cosign) Check(w *ceremony.World) {
	if len(w.Step.Witnesses) == 0 {
		w.Problem("witnesses", "a cosignature needs at least one witness")
	}
	for _, id := range w.Step.Witnesses {
		w.Asks(id, "cosign the head of the log with your key; without one, sign on paper")
	}
	folderName(w, a.To)
}

// Run shows the checkpoint, collects the lines and keeps the checkpoint with
// them.
func (a *cosign) Run(s *ceremony.Session) error {
	note, p, err := s.Checkpoint()
	if err != nil {
		return err
	}
	to := a.To
	if len(cosigners(s)) == 0 {
		to = "" // nobody has a machine to carry it to
	}
	if err := s.ShowCheckpoint(note, p, to); err != nil {
		return err
	}
	bare := len(note)
	for _, id := range s.Step.Witnesses {
		line, err := a.line(s, id, p)
		if err != nil {
			return err
		}
		if line == "" {
			continue
		}
		if _, err := s.Record(&audit.Cosigned{Person: id, Size: p.Size, NoteLine: line, Exposed: s.Exposed(s.WitnessKey(id))}); err != nil {
			return err
		}
		if note, err = audit.AddCosignature(note, line, s.WitnessKey(id)); err != nil {
			return err
		}
	}
	if len(note) == bare {
		return nil
	}
	return s.KeepCosigned(note)
}

// line returns a witness's cosignature as a note's line, "" if there is none:
// then the witness signs on paper, which is recorded.
func (a *cosign) line(s *ceremony.Session, id string, p audit.Checkpoint) (string, error) {
	k := s.WitnessKey(id)
	line := ""
	if k != nil {
		given, err := s.Bring(cosigning(s, id, p, fmt.Sprintf("Your cosignature of the checkpoint of %d entries", p.Size), ceremony.ForCosign, &line))
		if err != nil || given {
			return line, err
		}
		why, err := s.Ask(id, "no-cosignature", "Why is there no cosignature? (one line)")
		if err != nil {
			return "", err
		}
		s.Show(room.Warning{Text: s.Script().Shown(id) + " gave no cosignature: " + why})
	}
	return "", s.Acknowledge(id, "witness", "paper", fmt.Sprintf("I have written my name and my signature on paper beside the size (%d) and the words of this head", p.Size))
}

// cosigning is a cosignature of a checkpoint, whose line is put into line.
func cosigning(s *ceremony.Session, id string, p audit.Checkpoint, asked, use string, line *string) ceremony.Signing {
	k := s.WitnessKey(id)
	return ceremony.Signing{
		Person: id, What: "cosignature", Asked: asked, Use: use,
		Take: func(text string) error {
			c, err := s.Cosignature(text, p, k)
			*line = c.Line()
			return err
		},
		Sign: func(key *audit.WitnessSigner) (string, error) {
			c, err := key.Cosign(p, s.Now())
			return c.Line(), err
		},
	}
}

// cosigners are the witnesses of the step who have a key.
func cosigners(s *ceremony.Session) []string {
	var with []string
	for _, id := range s.Step.Witnesses {
		if s.WitnessKey(id) != nil {
			with = append(with, id)
		}
	}
	return with
}

// describeFinal tells the room what the closing step offers.
func describeFinal(s *ceremony.Session) {
	var names []string
	for _, id := range cosigners(s) {
		names = append(names, s.Script().Shown(id))
	}
	if len(names) > 0 {
		s.Show(room.Text{Text: "Once the log is closed, its final checkpoint is shown, and " + strings.Join(names, ", ") + " can cosign it."})
	}
}
