package ceremony

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
)

// maxPhraseTries is how often a passphrase may be typed wrongly before that
// person can no longer approve this.
const maxPhraseTries = 3

// rule returns the rule as the log has it, nil for none.
func (a *Approve) rule() *audit.ApproveRule {
	if a == nil {
		return nil
	}
	return &audit.ApproveRule{Count: a.Count, Of: append([]string{}, a.Of...)}
}

// means reports whether the rule means a participant: by the id or by a role.
func (a *Approve) means(p *Participant) bool {
	return slices.ContainsFunc(a.Of, func(of string) bool { return of == p.ID || slices.Contains(p.Roles, of) })
}

// Words says whose approval it is, for people.
func (a *Approve) Words(s *Script) string {
	of := make([]string, len(a.Of))
	for i, id := range a.Of {
		if of[i] = id; s.Participant(id) != nil {
			of[i] = s.Shown(id)
		}
	}
	return fmt.Sprintf("%d of: %s", a.Count, strings.Join(of, ", "))
}

// rules are all the rules for approvals of the script.
func (s *Script) rules() []*Approve {
	var list []*Approve
	for i := range s.Steps {
		if a := s.Steps[i].Approve; a != nil {
			list = append(list, a)
		}
	}
	if s.Deviations != nil && s.Deviations.Approve != nil {
		list = append(list, s.Deviations.Approve)
	}
	return list
}

// canBeAsked reports whether some rule of the script means a person.
func (s *Session) canBeAsked(person string) bool {
	return slices.ContainsFunc(s.r.Script.rules(), func(a *Approve) bool { return slices.Contains(s.meant(a), person) })
}

// meant lists those whom a rule means, as the roll call left them: alternates in
// the places of the absent. An alternate who takes no place is not meant, and
// never the one who acts.
func (s *Session) meant(a *Approve) []string {
	var list []string
	for i := range s.r.Script.Participants {
		p := &s.r.Script.Participants[i]
		who := s.Who(p.ID)
		if who == p.ID && p.AlternateFor != "" || !a.means(p) || slices.Contains(list, who) {
			continue
		}
		if s.State().Present[who] {
			list = append(list, who)
		}
	}
	return list
}

// Approvals blocks until enough people have approved the step; see approvals. A
// step that is no [Shower] need not call it.
func (s *Session) Approvals() error { return s.approvals(s.Step.Approve, actStep) }

// approvals blocks until as many distinct people as the rule says have approved
// the act; those who did so in an earlier attempt of the step, or before a break,
// are not asked again. It returns an error if too few can be asked.
func (s *Session) approvals(rule *Approve, what string) error {
	if rule == nil {
		return nil
	}
	asked := map[string]bool{}
	for {
		list := slices.DeleteFunc(s.meant(rule), func(id string) bool { return id == s.Step.Actor })
		have := 0
		var next, away []string
		for _, id := range list {
			a := act{what, id}
			switch {
			case s.Done().approved[a]:
				have++
			case asked[id], s.Done().wrong[a] >= maxPhraseTries:
			case s.State().away[id]:
				away = append(away, id)
			default:
				next = append(next, id)
			}
		}
		switch {
		case have >= rule.Count:
			return nil
		case len(next) > 0:
			s.Show(room.Text{Text: fmt.Sprintf("This needs approval, %s. Given so far: %d.", rule.Words(s.r.Script), have)})
			asked[next[0]] = true
			if err := s.approve(next[0], what); err != nil {
				return err
			}
			continue
		case len(away) > 0:
			back, err := s.waitForOne(away)
			if err != nil || back {
				if err != nil {
					return err
				}
				continue
			}
		}
		return fmt.Errorf("this needs approval, %s, and %d approved: nobody else can be asked now", rule.Words(s.r.Script), have)
	}
}

// waitForOne waits until one of those who are away is back; back is false if
// the room does not wait.
func (s *Session) waitForOne(away []string) (back bool, err error) {
	p := []room.Choice{}
	for _, id := range away {
		p = append(p, room.Choice{Word: id, Does: s.r.Script.Shown(id) + " is back in the room"})
	}
	p = append(p, room.Choice{Word: "nobody", Does: "do not wait: the room decides how it goes on"})
	id, err := s.AskOnly(s.Step.Actor, "approver-back", "Too few are in the room to approve this. Who is back?", p...)
	if err != nil || id == "nobody" {
		return false, err
	}
	if s.State().away[id] {
		return true, s.present(id, true, "")
	}
	return true, nil
}

// approve asks one person for their approval, in their own way, and records
// what they said. A no is a refusal: the error is a *Refused if it stops the
// step.
func (s *Session) approve(person, what string) error {
	d := &audit.Approval{Person: person, Act: what, How: byPassphrase}
	if s.WitnessKey(person) != nil {
		d.How = byKey
	}
	question := map[string]string{
		actStep:   fmt.Sprintf("Do you approve that this is done now: %q?", s.Step.Title),
		actSkip:   fmt.Sprintf("Do you approve that this step is left out: %q?", s.Step.Title),
		actRepeat: fmt.Sprintf("Do you approve that this step is done anew: %q?", s.Step.Title),
	}[what]
	agrees, err := s.initials(person, question)
	if err != nil {
		return err
	}
	if !agrees {
		return s.disapproves(d, question)
	}
	if d.How == byKey {
		return s.approveByKey(d)
	}
	if err := s.Passphrase(person); err != nil {
		return err
	}
	for s.Done().wrong[act{what, person}] < maxPhraseTries {
		right, err := s.typedPhrase(d)
		if err != nil || right {
			return err
		}
	}
	return nil
}

// initials asks for a person's initials; agrees is false for a no.
func (s *Session) initials(person, question string) (agrees bool, err error) {
	p := s.prompt(person, "approve", question)
	p.Question += fmt.Sprintf(" – type your initials %s, or %s if you do not agree", p.Initials, refuse)
	for {
		v, err := s.ask(p)
		switch {
		case err != nil:
			return false, err
		case strings.EqualFold(v, p.Initials):
			return true, nil
		case strings.EqualFold(v, refuse):
			return false, nil
		}
		if err := s.another(person, question, v); err != nil {
			return false, err
		}
		s.warn(fmt.Sprintf("%q is not your initials %s. Nothing was approved; please type it again (or ! for other choices).", v, p.Initials))
	}
}

// disapproves takes down that somebody does not approve.
func (s *Session) disapproves(d *audit.Approval, question string) error {
	if err := s.because(d.Person, &d.Because); err != nil {
		return err
	}
	d.Result = notApproved
	if _, err := s.Record(d); err != nil {
		return err
	}
	no := &audit.Refusal{Person: d.Person, As: "approver", What: question, Because: d.Because, Effect: onRefusalStop}
	if s.Step.OnRefusal == onRefusalGoOn {
		no.Effect = onRefusalGoOn
	}
	if _, err := s.Record(no); err != nil || no.Effect == onRefusalGoOn {
		return err
	}
	return &Refused{Person: s.r.Script.Shown(d.Person), Because: d.Because}
}

// typedPhrase asks for a passphrase once and records whether it was right.
func (s *Session) typedPhrase(d *audit.Approval) (right bool, err error) {
	phrase, err := s.secret(d.Person, "approve-passphrase", "Your passphrase, to approve")
	if err != nil {
		return false, err
	}
	defer phrase.Wipe()
	try := s.Done().wrong[act{d.Act, d.Person}] + 1
	switch {
	case s.r.phrases[d.Person].is(phrase):
		d.Result = approved
	case try < maxPhraseTries:
		d.Result = wrongPhrase
	default:
		d.Result = noMoreTries
	}
	if _, err := s.Record(d); err != nil {
		return false, err
	}
	if d.Result != approved {
		s.warn(fmt.Sprintf("This is not the passphrase that was set. Nothing was approved (try %d of %d).", try, maxPhraseTries))
	}
	return d.Result == approved, nil
}

// approveByKey has a person sign the approval on a machine of their own.
func (s *Session) approveByKey(d *audit.Approval) error {
	k := s.WitnessKey(d.Person)
	note, p, err := s.Checkpoint()
	if err != nil {
		return err
	}
	d.Size, d.Head = p.Size, p.Root.String()
	n := audit.ApprovalNote{Origin: s.State().Open.Origin, Step: s.Step.ID, Act: d.Act, Size: p.Size, Root: p.Root, Person: d.Person}
	if err := s.ShowCheckpoint(note, p, ""); err != nil {
		return err
	}
	s.Show(room.Text{Text: "This text is to be signed with the key " + k.Name() + " on the approver's own machine (keyrite-verify cosign --approve), after comparing size and head there:"})
	s.Show(room.Verbatim{Text: n.Text()})
	s.ShowCode("approval of "+s.r.Script.Shown(d.Person), n.Text())
	given, err := s.Bring(Signing{Person: d.Person, What: "approval-signature", Asked: "The signature of your approval", Take: func(text string) error {
		b, err := SignedNote(text, n.Text(), k.Name(), func(text string) ([]byte, error) { return audit.ParseTypedApproval(text, n, k) })
		if err != nil {
			return err
		}
		if got, err := audit.OpenApprovalNote(b, k); err != nil || got != n {
			return fmt.Errorf("the signature does not verify with the key %s and the text shown (%v)", k.Name(), err)
		}
		d.Note = string(b)
		return nil
	}})
	if err != nil {
		return err
	}
	if d.Result = approved; !given {
		d.Result, d.Size, d.Head = noSignature, 0, ""
	}
	_, err = s.Record(d)
	return err
}

// agreed reports whether those who agree to a deviation are enough for its
// effect: the one who acts and, if the script says whose approval it takes, as
// many of those; else a witness of the step, if it has any.
func (s *Session) agreed(people []string, effect string) (bool, error) {
	if !slices.Contains(people, s.Step.Actor) {
		return false, nil
	}
	if d := s.r.Script.Deviations; d != nil {
		if effect == EffectNone {
			return true, nil
		}
		err := s.approvals(d.Approve, effect)
		if err != nil && !Fatal(err) {
			s.warn(err.Error())
			return false, nil
		}
		return err == nil, err
	}
	return len(s.Step.Witnesses) == 0 || slices.ContainsFunc(s.Step.Witnesses, func(w string) bool { return slices.Contains(people, w) }), nil
}

// whoMustAgree says whom it takes to leave a step out or do it anew.
func (s *Session) whoMustAgree() string {
	if d := s.r.Script.Deviations; d != nil {
		return "the actor must, and the script asks for approval, " + d.Approve.Words(s.r.Script)
	}
	return "the actor must, and one of the witnesses"
}

func (s *Session) warn(text string) { s.Show(room.Warning{Text: text}) }
