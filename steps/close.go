package steps

import (
	"maps"
	"slices"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// A closing step is the last one. What it announces is done when everybody has
// acknowledged it: the log ends with the step.
type closing struct{}

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
	w.Closed = true
}

// Run says what follows.
func (a *closing) Run(s *ceremony.Session) error {
	s.Show(room.Text{Text: "With this step the log ends. The transcript's pages are composed and their checksums signed, the last checkpoint is made, and the key that signed this log is wiped from memory. Afterwards the transcript is printed, compared with the screen and signed by everybody."})
	return nil
}
