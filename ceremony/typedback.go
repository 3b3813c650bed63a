package ceremony

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
)

// What a value that was typed back was compared with.
const (
	ComparedScript  = "the script"
	ComparedReader  = "what the reader typed"
	ComparedWritten = "what was written"
	ComparedMachine = "what the machine says of itself"
)

// typedBackTries is how often a value may be typed back before the step stops.
const typedBackTries = 3

// A Reading is a value that one person reads aloud and another types back.
type Reading struct {
	What     string // "bag of hsm": stands in the entry
	Prompt   string // in the prompts' keys: "bag"
	Reader   string
	Typist   string
	Expected string // what it must be; "" if only the reader knows: then both type it
	Compared string // with what: one of the constants; ComparedReader if Expected is empty
	Begins   int    // if not 0, so many characters of Expected are enough
}

// TypedBack has a value read aloud by one person and typed back by another, who
// has it from the reader's voice alone, and records it when both are equal. What
// differs is recorded as a problem; after three tries it is an error. Letters of
// either case and spaces make no difference, and hex may be typed as PGP words.
func (s *Session) TypedBack(r Reading) (string, error) {
	r.Reader, r.Typist = s.Who(r.Reader), s.Who(r.Typist)
	if err := s.Here(r.Reader, r.Typist); err != nil {
		return "", err
	}
	if r.Reader == r.Typist {
		return "", fmt.Errorf("the %s is to be read by one person and typed back by another, and both are %s", r.What, s.r.Script.Shown(r.Reader))
	}
	for range typedBackTries {
		want := r.Expected
		if want == "" {
			var err error
			if want, err = s.typed(r.Reader, r.Prompt+"-read", "Type the "+r.What+" as you read it, and read it aloud without showing the screen"); err != nil {
				return "", err
			}
			r.Compared = ComparedReader
		}
		question := fmt.Sprintf("%s reads the %s aloud. Type what you hear", s.r.Script.Shown(r.Reader), r.What)
		if r.Begins > 0 && len(want) > r.Begins {
			want = want[:r.Begins]
			question += fmt.Sprintf(": its first %d characters", r.Begins)
		}
		got, err := s.askWord(r, question, want)
		if err != nil {
			return "", err
		}
		if audit.SameReading(got, want) {
			d := &audit.TypedBack{What: r.What, Value: want, Reader: r.Reader, Person: r.Typist, Compared: r.Compared}
			if got != want {
				d.Typed = got
			}
			_, err := s.Record(d)
			return want, err
		}
		s.Show(room.Warning{Text: fmt.Sprintf("%q is not the %s by %s.", got, r.What, r.Compared)})
		if _, err := s.Record(&audit.Problem{What: fmt.Sprintf("the %s was typed back as %q, which it is not by %s", r.What, got, r.Compared)}); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("the %s is not the one by %s: look at both once more, then try the step again", r.What, r.Compared)
}

// askWord asks for what was heard. The word stands in no question: it is there
// for a rehearsal's answers alone.
func (s *Session) askWord(r Reading, question, want string) (string, error) {
	for {
		v, err := s.AskWord(r.Typist, r.Prompt, question, want)
		if err != nil || v != "" {
			return v, err
		}
	}
}

// typed asks until something is typed.
func (s *Session) typed(person, what, question string) (string, error) {
	for {
		v, err := s.AskOnly(person, what, question)
		if err != nil || v != "" {
			return v, err
		}
	}
}

// Line asks a person for a line that is not empty; the caller records it.
func (s *Session) Line(person, what, question string) (string, error) {
	return s.typed(person, what, question)
}
