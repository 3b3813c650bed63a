package ceremony

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
)

// refuse is what somebody types who does not agree, at any acknowledgement.
const refuse = "no"

// A Refused is somebody's no: the attempt of the step ends with it.
type Refused struct {
	Person  string // as shown
	Because string
}

// Error says who does not agree, and with what.
func (e *Refused) Error() string { return e.Person + " does not agree: " + e.Because }

// refused takes down somebody's no. It returns nil if the script lets the step
// go on, which it never does against the one who acts; a *Refused in a step; a
// *Stop where no step runs.
func (s *Session) refused(person, as, question string) error {
	d := &audit.Refusal{Person: person, As: as, What: question, Effect: onRefusalStop}
	if err := s.because(person, &d.Because); err != nil {
		return err
	}
	if as == "witness" && s.Step.OnRefusal == onRefusalGoOn && !s.between() {
		d.Effect = onRefusalGoOn
	}
	if _, err := s.Record(d); err != nil {
		return err
	}
	who := s.r.Script.Shown(person)
	switch {
	case d.Effect == onRefusalGoOn:
		s.Show(room.Warning{Text: who + " does not agree. It is written down; the script says that the step goes on."})
		return nil
	case s.between():
		return &Stop{Reason: fmt.Sprintf("%s does not agree with %q: %s", who, question, d.Because), Person: person}
	}
	return &Refused{Person: who, Because: d.Because}
}

// because asks why somebody does not agree.
func (s *Session) because(person string, into *string) (err error) {
	for strings.TrimSpace(*into) == "" {
		if *into, err = s.AskOnly(person, "because", "What do you not agree with? (one line, for the record)"); err != nil {
			return err
		}
	}
	return nil
}

// between reports whether no step runs: before the first, after the one that
// just ended, when a run goes on.
func (s *Session) between() bool { return s.Step.outside || s.Done().Result != "" }
