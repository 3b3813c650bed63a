package ceremony

import (
	"errors"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
)

// A Stop ends the run in good order: the room wants to pause or to abort, or
// nobody can answer any more.
type Stop struct {
	Abort  bool
	Reason string
	Person string // participant id, "" if nobody said it
}

// Error says what the room decided.
func (s *Stop) Error() string {
	if s.Abort {
		return "the room aborted the ceremony: " + s.Reason
	}
	return "the ceremony is paused: " + s.Reason
}

// Participant returns the participant with an id, or nil.
func (s *Script) Participant(id string) *Participant {
	for i := range s.Participants {
		if s.Participants[i].ID == id {
			return &s.Participants[i]
		}
	}
	return nil
}

// Shown returns a participant's name as the room sees it.
func (s *Script) Shown(id string) string {
	if p := s.Participant(id); p != nil {
		return fmt.Sprintf("%s (%s)", p.Name, p.Initials)
	}
	return id
}

// AskOnly asks a person and records nothing; the caller records the answer in
// an entry of its own kind.
func (s *Session) AskOnly(person, what, question string, choices ...room.Choice) (string, error) {
	p := s.prompt(person, what, question)
	p.Choices = choices
	return s.ask(p)
}

// AskWord asks a person for a certain word and returns what was typed; it
// records nothing.
func (s *Session) AskWord(person, what, question, word string) (string, error) {
	p := s.prompt(person, what, question)
	p.Word = word
	return s.ask(p)
}

// Ask asks a person for a line of text and records question and answer.
func (s *Session) Ask(person, what, question string, choices ...room.Choice) (string, error) {
	v, err := s.AskOnly(person, what, question, choices...)
	if err != nil {
		return "", err
	}
	_, err = s.Record(&audit.Answer{Person: person, Question: question, Value: v})
	return v, err
}

// Acknowledge waits until a person, or who takes their place, is there and has
// typed their initials, or the word the step sets, and records it. as is "actor"
// or "witness". Whoever types no is asked why, which is recorded; the error is
// then a *Refused, or nil if the script says that the step goes on.
func (s *Session) Acknowledge(person, as, what, question string) error {
	if err := s.Here(person); err != nil {
		return err
	}
	person = s.Who(person)
	p := s.prompt(person, what, question)
	want := p.Initials
	if s.Step.Acknowledge != "" {
		want, p.Word = s.Step.Acknowledge, s.Step.Acknowledge
	}
	p.Question += fmt.Sprintf(" – type %s, or %s if you do not agree", s.wanted(want), refuse)
	for {
		v, err := s.ask(p)
		if err != nil {
			return err
		}
		if strings.EqualFold(v, want) {
			_, err = s.Record(&audit.Ack{Person: person, As: as, What: question, Typed: v})
			return err
		}
		if strings.EqualFold(v, refuse) {
			return s.refused(person, as, question)
		}
		if err := s.another(person, question, v); err != nil {
			return err
		}
		s.Show(room.Warning{Text: fmt.Sprintf("%q is not %s. Nothing was acknowledged; please type it again (or ! for other choices).", v, s.wanted(want))})
	}
}

// another writes down that somebody else typed their own initials where a
// person was asked: of what is typed wrongly, that alone is known to be no
// secret and no slip of the keyboard.
func (s *Session) another(person, question, typed string) error {
	for _, p := range s.r.Script.Participants {
		if p.ID == person || !strings.EqualFold(typed, p.Initials) || !s.writable() {
			continue
		}
		_, err := s.Record(&audit.Answer{Person: person, Question: question, Value: "not taken: the initials of " + s.r.Script.Shown(p.ID) + " were typed"})
		return err
	}
	return nil
}

func (s *Session) wanted(want string) string {
	if s.Step.Acknowledge != "" {
		return "the word " + want
	}
	return "your initials " + want
}

// Decide lets a person choose and records the decision.
func (s *Session) Decide(person, what, question string, choices ...room.Choice) (string, error) {
	v, err := s.AskOnly(person, what, question, choices...)
	if err != nil {
		return "", err
	}
	d := &audit.Decision{Question: question, Options: []string{}, Chosen: v, Person: person}
	for _, c := range choices {
		d.Options = append(d.Options, c.Word)
	}
	_, err = s.Record(d)
	return v, err
}

func (s *Session) prompt(person, what, question string) room.Prompt {
	p := room.Prompt{Key: s.Step.ID + "/" + what + "/" + person, Person: s.r.Script.Shown(person), Question: question}
	if who := s.r.Script.Participant(person); who != nil {
		p.Initials = who.Initials
	}
	return p
}

// ask puts a prompt to the room until it is answered. "!" and Ctrl-C open the
// menu: no prompt is without a way out.
func (s *Session) ask(p room.Prompt) (string, error) {
	for {
		v, err := s.r.Room.Ask(p)
		switch {
		case (errors.Is(err, room.ErrInterrupted) || err == nil && strings.HasPrefix(v, "!")) && !s.writable():
			return "", &Stop{Reason: "the room stopped at a question that the log has no place for"}
		case errors.Is(err, room.ErrInterrupted), err == nil && strings.HasPrefix(v, "!"):
			if err := s.menu(); err != nil {
				return "", err
			}
			if err := s.stayed(p); err != nil {
				return "", err
			}
		case err != nil:
			return "", gone(err)
		default:
			return v, nil
		}
	}
}

// writable reports whether what is said now can have an entry: not before a
// resumed log is adopted, and not after its close.
func (s *Session) writable() bool { return s.r.log != nil && !s.State().Closed }

func gone(err error) error {
	if errors.Is(err, room.ErrGone) {
		return &Stop{Reason: err.Error()}
	}
	return err
}

// menu is what anybody may ask for at any prompt.
func (s *Session) menu() error {
	actor := s.Step.Actor
	p := s.prompt(actor, "menu", "The step waits. What does the room want?")
	p.Choices = []room.Choice{
		{Word: "continue", Does: "go back to the question"},
		{Word: "question", Does: "write down what somebody asks, and the answer, then go on"},
		{Word: "incident", Does: "write down something that happened, and what is done about it, then go on"},
		{Word: "deviation", Does: "write down something that is not as the script says, then go on"},
		{Word: "leave", Does: "somebody leaves the room; what needs them waits"},
		{Word: "return", Does: "somebody is back"},
		{Word: "pause", Does: "stop here; 'keyrite resume' goes on later"},
		{Word: "abort", Does: "give the ceremony up: log out, list what is left on the token, seal the log"},
	}
	v, err := s.r.Room.Ask(p)
	if errors.Is(err, room.ErrInterrupted) {
		return &Stop{Reason: "Ctrl-C was pressed twice"}
	}
	if err != nil {
		return gone(err)
	}
	switch v {
	case "question", "incident":
		return s.interject(v)
	case "deviation":
		_, err := s.Deviation(EffectNone)
		return err
	case "leave", "return":
		return s.leaveOrReturn(v == "leave")
	case "pause", "abort":
		return s.stop(v == "abort", "")
	}
	return nil
}

// giveUp is the word without which a ceremony is not aborted.
const giveUp = "ABORT"

// stop asks the actor why the ceremony is paused or aborted, and returns the
// Stop; after is what led to it. An abort is asked for twice, the second time by
// a word: nil means that it was not meant. It asks past the menu, which may be
// where it is called.
func (s *Session) stop(abort bool, after string) error {
	actor := s.Step.Actor
	if abort {
		p := s.prompt(actor, "give-up", "An aborted ceremony cannot go on. Type "+giveUp+" to give it up; anything else goes back")
		p.Word = giveUp
		v, err := s.r.Room.Ask(p)
		if errors.Is(err, room.ErrGone) {
			return gone(err)
		}
		if err != nil || !strings.EqualFold(v, giveUp) {
			s.Show(room.Text{Text: "The ceremony is not aborted."})
			return nil
		}
	}
	why, err := s.r.Room.Ask(s.prompt(actor, "reason", "Why? (one line, for the record)"))
	if err != nil || why == "" {
		why = "no reason was given"
	}
	return &Stop{Abort: abort, Reason: why + after, Person: actor}
}

// Deviation asks the actor what was expected, what happened and what was
// decided, and records it with the people who agree to it and the answers of
// those who do not. A step is only left out or done anew if the actor agrees and
// those whose approval the script asks for, or else one of the step's witnesses
// where it has any: agreed says so.
func (s *Session) Deviation(effect string) (agreed bool, err error) {
	d := &audit.Deviation{Effect: effect, People: []string{}}
	for _, q := range []struct {
		into           *string
		what, question string
	}{
		{&d.Expected, "expected", "What does the script expect? (one line)"},
		{&d.Happened, "happened", "What happened instead? (one line)"},
		{&d.Decided, "decided", "What does the room decide? (one line)"},
	} {
		for *q.into == "" {
			if *q.into, err = s.AskOnly(s.Step.Actor, q.what, q.question); err != nil {
				return false, err
			}
		}
	}
	for _, person := range append([]string{s.Step.Actor}, s.Step.Witnesses...) {
		if s.State().away[person] || s.State().Absent[person] {
			continue // nobody agrees for them
		}
		p := s.prompt(person, "deviation", "Do you agree that this is written down so? – type your initials, or anything else if not")
		v, err := s.ask(p)
		if err != nil {
			return false, err
		}
		if strings.EqualFold(v, p.Initials) {
			d.People = append(d.People, person)
		} else if _, err := s.Record(&audit.Answer{Person: person, Question: "agrees to the deviation?", Value: v}); err != nil {
			return false, err
		}
	}
	if agreed, err = s.agreed(d.People, effect); err != nil {
		return false, err
	}
	if !agreed && effect != EffectNone {
		d.Effect = EffectNone
		s.Show(room.Warning{Text: "It is written down, but not enough people agree: " + s.whoMustAgree() + ". The step stays as it is."})
	}
	_, err = s.Record(d)
	return agreed, err
}
