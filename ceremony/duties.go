package ceremony

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Where somebody may act.
type reach int

const (
	nowhere reach = iota // acts in no step
	inRoom               // acts in steps that touch no token
	onToken              // acts in any step
)

// A Role is what one may do in a ceremony who has it. With several roles one may
// do what any of them may.
type Role struct {
	Does     string   // in a line
	acts     reach    // in which steps as the one who acts
	runs     bool     // may hold the roll call and close the ceremony
	witness  bool     // may witness a step
	approves bool     // may approve
	holds    []string // the secrets that may be asked of them: SO-PIN, user PIN, recovery
}

// Secrets that a role may hold.
const (
	soPIN    = "SO-PIN"
	userPIN  = "user PIN"
	recovery = "means to restore keys"
)

// Roles are the roles of a ceremony.
var Roles = map[string]Role{
	administrator:        {"runs the script and holds no credential", onToken, true, false, false, nil},
	operator:             {"the only hands on the keyboard; may be the administrator", onToken, true, false, false, nil},
	"internal-witness":   {"follows the script and records exceptions; never the administrator", inRoom, false, true, true, nil},
	"crypto-officer":     {"holds a credential that uses keys", onToken, false, true, true, []string{userPIN}},
	"recovery-holder":    {"holds a part of the means to restore keys; never a crypto officer", onToken, false, true, true, []string{recovery}},
	"so-pin-custodian":   {"holds the SO-PIN or a part of it", onToken, false, true, true, []string{soPIN}},
	"user-pin-custodian": {"holds the user PIN or a part of it", onToken, false, true, true, []string{userPIN}},
	"safe-controller":    {"opens one safe", inRoom, false, true, true, nil},
	"security-officer":   {"signs the report", inRoom, false, true, true, nil},
	independentWitness:   {"an auditor or notary from outside", inRoom, false, true, true, nil},
	externalWitness:      {"a guest who watches", nowhere, false, true, false, nil},
}

// rolesThat lists the roles for which f holds, in order.
func rolesThat(f func(Role) bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(Roles)), func(name string) bool { return !f(Roles[name]) })
}

// may reports whether f holds for one of a participant's roles.
func (p *Participant) may(f func(Role) bool) bool {
	return slices.ContainsFunc(p.Roles, func(name string) bool { return f(Roles[name]) })
}

// known reports whether a participant has roles, all of which there are; others
// were reported.
func (p *Participant) known() bool {
	return len(p.Roles) > 0 && !slices.ContainsFunc(p.Roles, func(name string) bool { _, is := Roles[name]; return !is })
}

// duties judges whether those whom a step names may do there what it says. What
// is not on the roster was reported.
func (c *checker) duties(step *Step) {
	if p := c.Participant(step.Actor); p != nil && p.known() {
		c.acts(step, p)
	}
	for i, id := range step.Witnesses {
		p := c.Participant(id)
		if p == nil || !p.known() || hasRole(p, administrator) || p.may(func(r Role) bool { return r.witness }) {
			continue
		}
		c.wrong(fmt.Sprintf("%s.witnesses[%d]", step.Path, i+1), "%q has no role that witnesses a step: %s do", id, strings.Join(rolesThat(func(r Role) bool { return r.witness }), ", "))
	}
}

// acts judges the one who acts.
func (c *checker) acts(step *Step, p *Participant) {
	needs, where := inRoom, "a step"
	if _, touches := step.Action.(Announcer); touches {
		needs, where = onToken, "a step that touches a token"
	}
	able := func(r Role) bool { return r.acts >= needs }
	if step.Kind == "attendance" || step.Kind == "close" {
		able, where = func(r Role) bool { return r.runs }, "a step of kind "+step.Kind
	}
	if !p.may(able) {
		c.wrong(step.Path+".actor", "%q has no role that acts in %s: %s do", p.ID, where, strings.Join(rolesThat(able), ", "))
	}
}

// DescribeRoles returns the Markdown table of the roles and of what each may do
// that docs/script.md has between its marks.
func DescribeRoles() string {
	var b strings.Builder
	b.WriteString("| role | the person | acts | witnesses | approves | holds |\n|---|---|---|---|---|---|\n")
	yes := map[bool]string{true: "yes", false: "no"}
	for _, name := range slices.Sorted(maps.Keys(Roles)) {
		r := Roles[name]
		acts := [...]string{nowhere: "in no step", inRoom: "in steps that touch no token", onToken: "in steps on a token, too"}[r.acts]
		if r.runs {
			acts = "in every step"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", name, r.Does, acts, yes[r.witness], yes[r.approves], strings.Join(r.holds, ", "))
	}
	return b.String()
}
