package ceremony

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
)

// interject writes down what somebody says while a step waits, and returns to
// its prompt: a question with its answer, or something that happened.
func (s *Session) interject(choice string) error {
	if choice == "question" {
		return s.question()
	}
	return s.incident()
}

func (s *Session) question() error {
	d := new(audit.Asked)
	var err error
	if d.Person, err = s.who("asked-by", "Who asks? – type the initials"); err != nil {
		return err
	}
	if d.Question, err = s.typed(d.Person, "question", "What is the question? (one line)"); err != nil {
		return err
	}
	if d.Answerer, err = s.who("answered-by", "Who answers? – type the initials"); err != nil {
		return err
	}
	if d.Answer, err = s.typed(d.Answerer, "answer", "What is the answer? (one line)"); err != nil {
		return err
	}
	_, err = s.Record(d)
	return err
}

func (s *Session) incident() error {
	d := new(audit.Incident)
	var err error
	if d.Person, err = s.who("reported-by", "Who reports it? – type the initials"); err != nil {
		return err
	}
	if d.What, err = s.typed(d.Person, "incident", "What happened? (one line)"); err != nil {
		return err
	}
	if d.Action, err = s.typed(s.Step.Actor, "action", "What is done about it? (one line)"); err != nil {
		return err
	}
	_, err = s.Record(d)
	return err
}

// who asks for somebody's initials until they are those of a participant who is
// not away, and returns the id.
func (s *Session) who(what, question string) (string, error) {
	for {
		v, err := s.AskOnly(s.Step.Actor, what, question)
		if err != nil {
			return "", err
		}
		for _, p := range s.r.Script.Participants {
			if strings.EqualFold(v, p.Initials) && !s.State().Absent[p.ID] && !s.State().away[p.ID] {
				return p.ID, nil
			}
		}
		s.Show(room.Warning{Text: fmt.Sprintf("%q are the initials of nobody who is here.", v)})
	}
}
