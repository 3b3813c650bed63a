package steps

import (
	"maps"
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A closing step is the last one. What it announces is done when everybody has
// acknowledged it: the log ends with the step.
type closing struct {
	Cosign bool   `yaml:"cosign" desc:"after the last entry, ask each witness of the step who has a key to cosign the final checkpoint"`
	To     string `yaml:"to" desc:"folder to make on the medium, into which the final checkpoint is written for the witnesses' machines" line:"one"`
}

// CosignFinal offers the final checkpoint to the witnesses of the step who have
// a key, and returns it with their lines. Who has none now can give one later.
func (a *closing) CosignFinal(s *ceremony.Session, note []byte, p audit.Checkpoint) []byte {
	with := cosigners(s)
	if !a.Cosign || len(with) == 0 {
		return note
	}
	if err := s.ShowCheckpoint(note, p, a.To); err != nil {
		s.Show(room.Warning{Text: err.Error()})
	}
	for _, id := range with {
		k := s.WitnessKey(id)
		line := ""
		given, err := s.Bring(cosigning(s, id, p, "Your cosignature of the final checkpoint", ceremony.ForFinal, &line))
		if err == nil && given {
			note, err = withLine(note, line, k)
		}
		if err != nil || !given {
			s.Show(room.Warning{Text: s.Script().Shown(id) + " gave no cosignature now; it can be given later with keyrite-verify cosign, and goes into after/."})
		}
	}
	return note
}

// withLine adds a line to a note, which is returned as it is if that fails.
func withLine(note []byte, line string, k *audit.WitnessKey) ([]byte, error) {
	b, err := audit.AddCosignature(note, line, k)
	if err != nil {
		return note, err
	}
	return b, nil
}

// Check marks the end of the script, and refuses to end on what must not stay
// so: a factory SO-PIN (AUDIT 16), a CA that has certified another one and
// issued no CRL (BR 4.9.7).
func (a *closing) Check(w *ceremony.World) {
	for _, name := range slices.Sorted(maps.Keys(w.Tokens)) {
		if w.Tokens[name].SOPIN == "factory" {
			w.Problem("", "token %q still has the SO-PIN it was initialised with, which is the factory's on a new one: a set-so-pin step must come before", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Subs)) {
		if !w.CRLs[name] {
			w.Problem("", "key %q has signed the certificate of another CA and no CRL: a sign-crl step must come before (BR 4.9.7)", name)
		}
	}
	folderName(w, a.To)
	if a.To != "" && !a.Cosign {
		w.Problem("to", "the final checkpoint is only written there to be cosigned: set cosign to true")
	}
	w.Closed = true
}

// Run balances the tries of the PINs, says what follows, and asks who cosigns on
// this machine.
func (a *closing) Run(s *ceremony.Session) error {
	if err := s.BalanceTries(); err != nil {
		return err
	}
	s.Show(room.Text{Text: "With this step the log ends. The transcript's pages are composed and their checksums signed, the last checkpoint is made, and the key that signed this log is wiped from memory. Afterwards the transcript is printed, compared with the screen and signed by everybody."})
	if a.Cosign {
		describeFinal(s)
		return declareFinal(s)
	}
	return nil
}

// declareFinal asks the witnesses of the closing step who have a key whether they
// mean to unlock it on this machine for the final checkpoint. After the close
// nothing has an entry, so it is said, and the file tried, before.
func declareFinal(s *ceremony.Session) error {
	for _, id := range cosigners(s) {
		if !s.MayExpose(s.WitnessKey(id)) {
			continue
		}
		for {
			v, err := s.Ask(id, "final-key", "With which machine will you cosign the final checkpoint, after the close?",
				room.Choice{Word: "own", Does: "with your own, now or later; or not at all"},
				room.Choice{Word: "here", Does: "with this one: your key is unlocked here, and is exposed to it"})
			if err != nil {
				return err
			}
			if v == "own" {
				break
			}
			file, err := s.AskOnly(id, "key-file", "The name of your key file on the medium")
			if err != nil {
				return err
			}
			key, refused, err := s.UnlockKey(id, file, ceremony.ForFinal)
			if err != nil {
				return err
			}
			if key != nil {
				key.Wipe()
				s.Show(room.Text{Text: "The file opens, and the key was wiped again. For the signature the passphrase is asked for once more."})
				break
			}
			s.Show(room.Warning{Text: "Not unlocked: " + refused + "."})
		}
	}
	return nil
}
