package ceremony

import (
	"fmt"
	"slices"
	"strings"
)

// approvers lists who can approve by a rule when all are there who are on the
// roster: not the one who acts, and no alternates, who come for somebody else.
func (s *Script) approvers(a *Approve, actor string) []string {
	var list []string
	for i := range s.Participants {
		if p := &s.Participants[i]; p.ID != actor && p.AlternateFor == "" && a.means(p) && p.may(func(r Role) bool { return r.approves }) {
			list = append(list, p.ID)
		}
	}
	return list
}

// approve judges whose approval a step asks for.
func (c *checker) approve(step *Step) {
	a := step.Approve
	if a == nil {
		return
	}
	path := step.Path + ".approve"
	if step.Kind == "attendance" {
		c.wrong(path, "who approves is only known after the roll call: ask for approval in the step after it")
	}
	if !c.rule(path, a) {
		return
	}
	if i := slices.Index(a.Of, step.Actor); i >= 0 {
		c.wrong(fmt.Sprintf("%s.of[%d]", path, i+1), "%q acts in this step and cannot approve it, too", step.Actor)
	}
	if n := len(c.approvers(a, step.Actor)); a.Count > n {
		c.wrong(path+".count", "%d have to approve, and besides the one who acts only %d can", a.Count, n)
	}
}

// rule judges a rule for itself. It reports whether its list can be counted.
func (c *checker) rule(path string, a *Approve) bool {
	ok := true
	wrong := func(field, format string, args ...any) {
		ok = false
		c.wrong(path+field, format, args...)
	}
	if a.Count < 1 {
		wrong(".count", "expected 1 or more: without approval leave the field out")
	}
	seen := map[string]bool{}
	for i, of := range a.Of {
		field := fmt.Sprintf(".of[%d]", i+1)
		role, isRole := Roles[of]
		p := c.Participant(of)
		switch {
		case of == "":
			ok = false // reported when it was read
		case seen[of]:
			wrong(field, "%q is there twice", of)
		case isRole && p != nil:
			wrong(field, "%q is a role and a participant: give the participant another id", of)
		case isRole && !role.approves:
			wrong(field, "whoever is only %s approves nothing: %s do", of, strings.Join(rolesThat(func(r Role) bool { return r.approves }), ", "))
		case isRole && !slices.ContainsFunc(c.Participants, func(p Participant) bool { return hasRole(&p, of) && p.AlternateFor == "" }):
			wrong(field, "nobody has the role %s", of)
		case !isRole && p == nil:
			wrong(field, "%q is neither a role nor one of the script's participants", of)
		case !isRole && p.AlternateFor != "":
			wrong(field, "%q is the alternate of %q: name that one, whose place the alternate takes", of, p.AlternateFor)
		case !isRole && p.known() && !p.may(func(r Role) bool { return r.approves }):
			wrong(field, "%q has no role that approves: %s do", of, strings.Join(rolesThat(func(r Role) bool { return r.approves }), ", "))
		}
		seen[of] = true
	}
	return ok
}

// deviations judges whose approval it takes to skip or repeat a step.
func (c *checker) deviations() {
	if c.Deviations == nil || c.Deviations.Approve == nil || !c.rule("deviations.approve", c.Deviations.Approve) {
		return
	}
	a := c.Deviations.Approve
	for i := range c.Steps {
		step := &c.Steps[i]
		if n := len(c.approvers(a, step.Actor)); a.Count > n {
			c.wrong("deviations.approve.count", "%d have to approve, and besides %q, who acts in step %d (%s), only %d can", a.Count, step.Actor, step.Number, step.ID, n)
			return
		}
	}
}

// alternate judges whose place somebody may take. An alternate can do all that
// the other one does, and has no part besides.
func (c *checker) alternate(i int, p *Participant) {
	path := at("participants", i, "alternate_for")
	if p.AlternateFor == "" || !c.refers(path, p.AlternateFor, "participants", c.ids()) {
		return
	}
	other := c.Participant(p.AlternateFor)
	if other.ID == p.ID {
		c.wrong(path, "nobody is their own alternate")
		return
	}
	if other.AlternateFor != "" {
		c.wrong(path, "%q is an alternate, too: name the one whose place both would take", other.ID)
	}
	for _, role := range other.Roles {
		if len(p.Roles) > 0 && !hasRole(p, role) {
			c.wrong(path, "%q has the role %s, which %q needs to take that place", other.ID, role, p.ID)
		}
	}
}

// named reports an alternate whom the script gives a part of their own.
func (c *checker) named(path, id string) {
	if p := c.Participant(id); p != nil && p.AlternateFor != "" {
		c.wrong(path, "%q is the alternate of %q: name that one, whose place the alternate takes", id, p.AlternateFor)
	}
}
