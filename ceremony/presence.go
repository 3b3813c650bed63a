package ceremony

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
)

// Here waits until all of the people, or those who stand in for them, are in
// the room. It returns an error that names those of them who were absent at the
// roll call: for them nobody waits.
func (s *Session) Here(people ...string) error {
	var absent []string
	for _, id := range people {
		if id = s.Who(id); s.State().Absent[id] {
			absent = append(absent, s.r.Script.Shown(id))
		}
	}
	if len(absent) > 0 {
		return fmt.Errorf("this needs %s, absent at the roll call", strings.Join(absent, ", "))
	}
	for _, id := range people {
		if err := s.waitFor(s.Who(id)); err != nil {
			return err
		}
	}
	return nil
}

// waitFor waits until somebody who left the room is back.
func (s *Session) waitFor(id string) error {
	for s.State().away[id] {
		who := s.r.Script.Shown(id)
		s.Show(room.Warning{Text: who + " has left the room and is needed here. The step waits."})
		_, err := s.AskOnly(id, "back", "Is "+who+" back in the room?", room.Choice{Word: "back", Does: who + " is in the room again"})
		if err != nil {
			return err
		}
		if s.State().away[id] {
			if err := s.present(id, true, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// present records that somebody came back or left.
func (s *Session) present(id string, present bool, because string) error {
	_, err := s.Record(&audit.Presence{Person: id, Present: present, Because: because})
	if err != nil || !present {
		return err
	}
	return s.Passphrase(id)
}

// leaveOrReturn is what the menu does when somebody leaves or comes back.
func (s *Session) leaveOrReturn(leaves bool) error {
	p := s.prompt(s.Step.Actor, "who-returns", "Who is back?")
	if leaves {
		p = s.prompt(s.Step.Actor, "who-leaves", "Who leaves the room?")
	}
	for _, who := range s.r.Script.Participants {
		if leaves && s.State().Here(who.ID) || !leaves && s.State().away[who.ID] {
			p.Choices = append(p.Choices, room.Choice{Word: who.ID, Does: s.r.Script.Shown(who.ID)})
		}
	}
	if len(p.Choices) == 0 {
		s.Show(room.Text{Text: "Nobody is away, or no roll call was held yet."})
		return nil
	}
	p.Choices = append(p.Choices, room.Choice{Word: "nobody", Does: "go back to the question"})
	id, err := s.plainly(p)
	if err != nil || id == "nobody" {
		return err
	}
	because := ""
	if leaves {
		if because, err = s.plainly(s.prompt(id, "leaves-because", "Why, and for how long? (one line, for the record)")); err != nil {
			return err
		}
	}
	return s.present(id, !leaves, because)
}

// plainly asks inside the menu, where "!" opens no other.
func (s *Session) plainly(p room.Prompt) (string, error) {
	for {
		v, err := s.r.Room.Ask(p)
		switch {
		case errors.Is(err, room.ErrInterrupted):
			return "", &Stop{Reason: "Ctrl-C was pressed twice"}
		case err != nil:
			return "", gone(err)
		case p.Choices == nil && v != "", slices.ContainsFunc(p.Choices, func(c room.Choice) bool { return c.Word == v }):
			return v, nil
		}
	}
}

// Headcount asks after a break for everybody who was there before it, records
// who is back and who is not, and names the witnesses who are missing.
func (s *Session) Headcount() error {
	var missing []string
	n := 0
	for _, p := range s.r.Script.Participants {
		if !s.State().Present[p.ID] {
			continue
		}
		n++
		v, err := s.AskOnly(p.ID, "headcount", "Is "+s.r.Script.Shown(p.ID)+" in the room?",
			room.Choice{Word: "yes", Does: "in the room"}, room.Choice{Word: "no", Does: "not back yet: a step that needs this person waits"})
		if err != nil {
			return err
		}
		if back := v == "yes"; back != s.State().Here(p.ID) {
			because := ""
			if !back {
				because = "not back from the break"
			}
			if err := s.present(p.ID, back, because); err != nil {
				return err
			}
		}
		if v == "no" {
			who := s.r.Script.Shown(p.ID)
			if p.IsWitness() {
				who += ", who is a witness"
			}
			missing = append(missing, who)
		}
	}
	value := fmt.Sprintf("%d of %d are in the room", n-len(missing), n)
	if len(missing) > 0 {
		value += "; not back: " + strings.Join(missing, "; ")
	}
	return s.Result("headcount", value, false)
}

// A left means that the one who was asked has left the room, at a question that
// does not wait for them.
type left struct{ person string }

func (e *left) Error() string { return e.person + " left the room" }

// stayed looks, after the menu, whether the one who is asked is still there: if
// not, the question waits, unless the session goes on without them.
func (s *Session) stayed(p room.Prompt) error {
	asked := p.Key[strings.LastIndexByte(p.Key, '/')+1:]
	if !s.State().away[asked] || strings.Contains(p.Key, "/back/") {
		return nil
	}
	if s.goesOn {
		return &left{asked}
	}
	return s.waitFor(asked)
}

// hasLeft reports whether err is that of somebody who left, for whom nobody
// waits.
func hasLeft(err error) bool {
	var l *left
	return errors.As(err, &l)
}
