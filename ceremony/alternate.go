package ceremony

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// Replace puts an alternate whom the script names in the place of somebody
// absent, if one is there, and records it. One who takes another place already is
// refused by name.
func (s *Session) Replace(absent string) error {
	for i := range s.r.Script.Participants {
		p := &s.r.Script.Participants[i]
		if p.AlternateFor != absent || !s.State().Here(p.ID) || s.Who(absent) != absent {
			continue
		}
		if why := s.twoPlaces(p.ID, absent); why != "" {
			if err := s.notStand(absent, []string{why}); err != nil {
				return err
			}
			continue
		}
		return s.stand(absent, p.ID, alternateOwn)
	}
	return nil
}

// notStand says and records who does not take a place, and why.
func (s *Session) notStand(absent string, why []string) error {
	text := strings.Join(why, "; ")
	s.warn("Not in the place of " + s.r.Script.Shown(absent) + ": " + text + ".")
	_, err := s.Record(&audit.Answer{Person: s.Step.Actor, Question: "who cannot take the place of " + s.r.Script.Shown(absent) + "?", Value: text})
	return err
}

// twoPlaces says why somebody cannot take the place of somebody absent: they take
// another one, or one person would have two parts of a PIN. It is "" if they can.
func (s *Session) twoPlaces(person, absent string) string {
	for _, other := range slices.Sorted(maps.Keys(s.State().stands)) {
		if s.State().stands[other] == person {
			return fmt.Sprintf("%s takes the place of %s already", s.r.Script.Shown(person), s.r.Script.Shown(other))
		}
	}
	for i := range s.r.Script.Tokens {
		if secret := s.twoParts(&s.r.Script.Tokens[i], person, absent); secret != "" {
			return fmt.Sprintf("%s holds a part of %s already, and one person holds one part", s.r.Script.Shown(person), secret)
		}
	}
	return ""
}

// twoParts names the PIN of a token of which a person has a part, and that of
// somebody absent is another; "" if there is none. The halves of both PINs count
// together, as in the check of the script.
func (s *Session) twoParts(t *TokenSpec, person, absent string) string {
	both := func(ids ...string) bool {
		return slices.Contains(ids, absent) && slices.Contains(s.whos(ids), person)
	}
	var halves []string
	for _, kind := range []token.PINKind{token.SOPIN, token.UserPIN} {
		held := t.Held(kind)
		if held.Way != One && both(held.Custodians...) {
			return fmt.Sprintf("the %s of token %q", kind, t.Name)
		}
		if held.Way == Halves {
			halves = append(halves, held.Custodians...)
		}
	}
	if both(halves...) {
		return fmt.Sprintf("the PINs of token %q", t.Name)
	}
	return ""
}

func (s *Session) stand(absent, person, how string) error {
	_, err := s.Record(&audit.Alternate{Absent: absent, Person: person, How: how})
	if err == nil {
		s.warn(fmt.Sprintf("%s takes the place of %s, who is absent, in every step.", s.r.Script.Shown(person), s.r.Script.Shown(absent)))
	}
	return err
}

// ReplaceByDecision lets the room put somebody who is there in the place of
// somebody absent, as a recorded deviation. Only those are offered whom the
// roles and the steps allow, and the others are named whom the parts of a PIN keep
// away; nobody is put there if the one who acts does not agree and a witness with
// them.
func (s *Session) ReplaceByDecision(absent string) error {
	var choices []room.Choice
	var not []string
	for i := range s.r.Script.Participants {
		p := &s.r.Script.Participants[i]
		if !s.canStand(p, absent) {
			continue
		}
		if why := s.twoPlaces(p.ID, absent); why != "" {
			not = append(not, why)
			continue
		}
		choices = append(choices, room.Choice{Word: p.ID, Does: s.r.Script.Shown(p.ID)})
	}
	if len(not) > 0 {
		if err := s.notStand(absent, not); err != nil {
			return err
		}
	}
	if len(choices) == 0 || s.State().Absent[s.Step.Actor] {
		return nil
	}
	choices = append(choices, room.Choice{Word: "nobody", Does: "the place stays empty"})
	person, err := s.Decide(s.Step.Actor, "alternate", "Who takes the place of "+s.r.Script.Shown(absent)+", as a deviation from the script?", choices...)
	if err != nil || person == "nobody" {
		return err
	}
	agreed, err := s.Deviation(EffectNone)
	if err != nil || !agreed {
		return err
	}
	return s.stand(absent, person, alternateVoted)
}

// canStand reports whether somebody who is there can take the place of somebody
// absent by decision of the room: no rule keeps their roles apart, and no step
// would have them act and watch, or do one thing twice.
func (s *Session) canStand(p *Participant, absent string) bool {
	other := s.r.Script.Participant(absent)
	if !s.State().Here(p.ID) || other == nil || p.ID == absent {
		return false
	}
	both := Participant{ID: p.ID, Roles: slices.Concat(p.Roles, other.Roles)}
	if len(both.mixes()) > 0 {
		return false
	}
	for i := range s.r.Script.Steps {
		step := &s.r.Script.Steps[i]
		parts := append([]string{step.Actor}, step.Witnesses...)
		if slices.Contains(parts, absent) && slices.Contains(parts, p.ID) {
			return false
		}
	}
	return true
}

// BelowFloor says what those who truly came lack to hold the ceremony, each with
// the roles of those whose place they take, and which steps too few of them
// could approve; none if they are enough.
func (s *Session) BelowFloor() []string {
	var came []*Participant
	for i := range s.r.Script.Participants {
		p := s.r.Script.Participants[i]
		if !s.State().Here(p.ID) {
			continue
		}
		stands := false
		for absent, who := range s.State().stands {
			if other := s.r.Script.Participant(absent); who == p.ID && other != nil {
				p.Roles, stands = slices.Concat(p.Roles, other.Roles), true
			}
		}
		if p.AlternateFor == "" || stands {
			came = append(came, &p)
		}
	}
	return append(s.r.Script.below(came), s.tooFewApprove()...)
}

// tooFewApprove names the steps that too few of those who came could approve.
func (s *Session) tooFewApprove() (lacks []string) {
	for i := range s.r.Script.Steps {
		step := s.r.held(&s.r.Script.Steps[i])
		if step.Approve == nil {
			continue
		}
		n := len(slices.DeleteFunc(s.meant(step.Approve), func(id string) bool { return id == step.Actor }))
		if n < step.Approve.Count {
			lacks = append(lacks, fmt.Sprintf("step %q needs approval, %s, and only %d of those who came can approve it", step.ID, step.Approve.Words(s.r.Script), n))
		}
	}
	return lacks
}
