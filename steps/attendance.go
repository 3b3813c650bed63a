package steps

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
)

// An attendance step is the roll call.
type attendance struct {
	People   []string `yaml:"people" desc:"participants called; all of the script if left out"`
	Required []string `yaml:"required" desc:"participants without whom, or an alternate, the ceremony does not start; all called but the alternates if left out"`
	Keys     bool     `yaml:"adopt_keys" desc:"ask each witness without a key in the script for a verifier key of their own"`
}

// Check notes who is in the room from here on.
func (a *attendance) Check(w *ceremony.World) {
	called := a.called(w.Script)
	for i, id := range called {
		if w.Script.Participant(id) == nil {
			w.Problem(fmt.Sprintf("people[%d]", i), "%q is not a participant of the script", id)
		}
		w.Call(id, a.Keys)
	}
	for i, id := range a.Required {
		if !w.Present[id] {
			w.Problem(fmt.Sprintf("required[%d]", i), "%q is not called at this roll call", id)
		}
	}
}

func (a *attendance) called(s *ceremony.Script) []string {
	if len(a.People) > 0 {
		return a.People
	}
	var ids []string
	for _, p := range s.Participants {
		ids = append(ids, p.ID)
	}
	return ids
}

// Run calls everybody.
func (a *attendance) Run(s *ceremony.Session) error {
	rows := [][]string{}
	absent := map[string]bool{}
	for _, id := range a.called(s.Script()) {
		d, err := a.call(s, s.Script().Participant(id))
		if err != nil {
			return err
		}
		absent[id] = !d.Present
		if d.Present {
			if err := a.key(s, s.Script().Participant(id)); err != nil {
				return err
			}
		}
		rows = append(rows, []string{d.Name, strings.Join(d.Roles, ", "), yesNo(d.Present, "present", "ABSENT"), d.Identity})
	}
	s.Show(room.Table{Header: []string{"name", "roles", "", "identity seen"}, Rows: rows})
	if err := a.replace(s, absent); err != nil {
		return err
	}
	if err := a.missing(s, absent); err != nil {
		return err
	}
	return s.Passphrases()
}

// replace puts alternates in the places of those absent: the ones whom the
// script names, and for somebody who is required and still missing, whomever the
// room decides.
func (a *attendance) replace(s *ceremony.Session, absent map[string]bool) error {
	for _, id := range a.called(s.Script()) {
		if !absent[id] {
			continue
		}
		if err := s.Replace(id); err != nil {
			return err
		}
		if s.Who(id) == id && slices.Contains(a.required(s.Script()), id) {
			if err := s.ReplaceByDecision(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// required lists those without whom the ceremony does not start.
func (a *attendance) required(s *ceremony.Script) []string {
	if len(a.Required) > 0 {
		return a.Required
	}
	return slices.DeleteFunc(slices.Clone(a.called(s)), func(id string) bool {
		p := s.Participant(id)
		return p != nil && p.AlternateFor != ""
	})
}

func (a *attendance) call(s *ceremony.Session, p *ceremony.Participant) (*audit.Attendance, error) {
	d := &audit.Attendance{Person: p.ID, Name: p.Name, Roles: append([]string{}, p.Roles...)}
	v, err := s.AskOnly(p.ID, "present", fmt.Sprintf("Is %s (%s) here?", p.Name, strings.Join(p.Roles, ", ")),
		room.Choice{Word: "yes", Does: "present"}, room.Choice{Word: "no", Does: "absent"})
	if err != nil {
		return nil, err
	}
	if d.Present = v == "yes"; d.Present {
		d.Identity, err = s.AskOnly(p.ID, "identity", "Which identity document was seen, and by whom? (kind only, no number)")
		if err != nil {
			return nil, err
		}
	}
	_, err = s.Record(d)
	return d, err
}

// missing says why the ceremony cannot start with those who are there.
func (a *attendance) missing(s *ceremony.Session, absent map[string]bool) error {
	var lacks, who []string
	for _, id := range a.required(s.Script()) {
		if absent[id] && s.Who(id) == id {
			who = append(who, s.Script().Shown(id))
		}
	}
	if len(who) > 0 {
		lacks = append(lacks, strings.Join(who, ", ")+" must be here and is absent")
	}
	if lacks = append(lacks, s.BelowFloor()...); len(lacks) > 0 {
		return fmt.Errorf("the ceremony cannot start: %s", strings.Join(lacks, "; "))
	}
	return nil
}

func yesNo(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}
