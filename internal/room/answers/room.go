package answers

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/plain"
	"github.com/keyrite/keyrite/internal/token"
)

// patience is how often in a row the same question is answered: an answer that
// is refused again and again would otherwise be given for ever.
const patience = 20

type answering struct {
	*plain.Screen
	a *Answers

	last  string // the question before
	asked int    // how often in a row

	slips map[string][]string // rows shown to one person alone, by person and slip
}

// New returns a room that shows everything on a screen, marks which answers
// come from the file, and shows nothing of a secret. Every error of its prompts
// is room.ErrGone and names the prompt's key: there is no answer, a list is used
// up, an answer is none of the choices, or the same question came 20 times in a
// row. A slip is shown to nobody and kept in memory, for "@slip" to type its
// rows back.
func New(s *plain.Screen, a *Answers) room.Room {
	return &answering{Screen: s, a: a, slips: map[string][]string{}}
}

// Private keeps a slip for the prompts that ask for its rows. Nothing of it is
// shown.
func (r *answering) Private(p room.Prompt, s room.Slip) error {
	r.Question(p, true)
	r.Answered("", "a slip, shown to nobody in a rehearsal from "+filepath.Base(r.a.file))
	var rows []string
	for _, row := range s.Rows {
		row.Reveal(func(b []byte) { rows = append(rows, string(b)) })
	}
	r.slips[p.Person+"\n"+s.Name] = rows
	return nil
}

// Ask answers a question from the file.
func (r *answering) Ask(p room.Prompt) (string, error) {
	r.Question(p, false)
	v, err := r.answer(p)
	if err != nil {
		r.Answered("", "no answer in "+r.a.file)
		return "", err
	}
	r.Answered(v, "answer from "+filepath.Base(r.a.file))
	return v, nil
}

// Secret answers a question for a secret from the file.
func (r *answering) Secret(p room.Prompt) (token.PIN, error) {
	r.Question(p, true)
	v, err := r.answer(p)
	if err != nil {
		r.Answered("", "no answer in "+r.a.file)
		return token.PIN{}, err
	}
	r.Answered("", "answer from "+filepath.Base(r.a.file))
	return token.NewPIN([]byte(v)), nil
}

func (r *answering) answer(p room.Prompt) (string, error) {
	if question := p.Key + "\n" + p.Question; question == r.last {
		r.asked++
	} else {
		r.last, r.asked = question, 1
	}
	if r.asked > patience {
		return "", fmt.Errorf("%w: the answer of %s to %q (%s) was refused %d times", room.ErrGone, r.a.file, p.Key, oneLine(p.Question), patience)
	}
	v, err := r.a.give(p)
	if err == nil && v == slip {
		v, err = r.row(p)
	}
	if err != nil || len(p.Choices) == 0 || strings.HasPrefix(v, "!") {
		return v, err
	}
	w, err := plain.Choose(p.Choices, v)
	if err != nil {
		return "", fmt.Errorf("%w: the answer of %s to %q (%s): %w", room.ErrGone, r.a.file, p.Key, oneLine(p.Question), err)
	}
	return w, nil
}

// row returns the row that a prompt asks for of a slip that its person was shown.
func (r *answering) row(p room.Prompt) (string, error) {
	rows := r.slips[p.Person+"\n"+p.Slip]
	if p.Row < 1 || p.Row > len(rows) {
		return "", fmt.Errorf("%w: %s answers %q with %s, and nothing such was shown to %s in this run", room.ErrGone, r.a.file, p.Key, slip, p.Person)
	}
	return rows[p.Row-1], nil
}
