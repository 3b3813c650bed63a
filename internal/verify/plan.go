package verify

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/strictyaml"
)

// An outline is what the log repeats of a script.
type outline struct {
	Title        string        `yaml:"title"`
	Organisation string        `yaml:"organisation"`
	Place        string        `yaml:"place"`
	Purpose      string        `yaml:"purpose"`
	Mode         string        `yaml:"mode"`
	Participants []outlined    `yaml:"participants"`
	Steps        []outlineStep `yaml:"steps"`
	Deviations   *outlineRules `yaml:"deviations"`

	Approvals *outlineApprovals `yaml:"approvals"`

	AllowExposedKeys bool `yaml:"allow_exposed_keys"`
}

// outlineRules say whose approval a deviation needs.
type outlineRules struct {
	Approve *outlineRule `yaml:"approve"`
}

// An outlineRule says whose approval something needs.
type outlineRule struct {
	Count int      `yaml:"count"`
	Of    []string `yaml:"of"`
}

type outlined struct {
	ID       string   `yaml:"id"`
	Name     string   `yaml:"name"`
	Initials string   `yaml:"initials"`
	Roles    []string `yaml:"roles"`

	WitnessKey   string `yaml:"witness_key"`
	AlternateFor string `yaml:"alternate_for"`
}

type outlineStep struct {
	ID        string   `yaml:"id"`
	Kind      string   `yaml:"kind"`
	Title     string   `yaml:"title"`
	Actor     string   `yaml:"actor"`
	Witnesses []string `yaml:"witnesses"`
	Say       string   `yaml:"say"`
	Watch     string   `yaml:"watch"`

	Approve   *outlineRule `yaml:"approve"`
	OnRefusal string       `yaml:"on_refusal"`

	act any // of its kind; nil if nothing of it is compared
}

// checkPlan compares what the log says of the script with the script.
func (v *verifier) checkPlan(c *Check) {
	b, ok := v.load(bundle.ScriptFile)
	if !ok || v.log.open == nil || hash(b) != v.log.open.Script.SHA256 {
		c.Result = "not done"
		return
	}
	o, err := v.readOutline(b)
	if err != nil {
		v.find(PlanDiffers, bundle.ScriptFile, "the script cannot be read", "", err.Error())
		return
	}
	v.comparePlan(o)
	for _, b := range v.log.begun {
		c.Count++
		if i, ok := v.log.plan[b.step]; ok && i < len(o.Steps) {
			v.compareBegun(b, o.Steps[i])
		}
	}
}

// readOutline is the function, which takes its time with a long script: what it
// read of the same bytes before is not read again.
func (v *verifier) readOutline(b []byte) (*outline, error) {
	sum := sha256.Sum256(b)
	if v.outlined == nil || v.outlined.of != sum {
		o, err := readOutline(b)
		v.outlined = &outlinedScript{sum, o, err}
	}
	return v.outlined.outline, v.outlined.err
}

// An outlinedScript is what readOutline made of a script.
type outlinedScript struct {
	of      [sha256.Size]byte
	outline *outline
	err     error
}

// readOutline reads those fields of a script that the log repeats.
func readOutline(b []byte) (*outline, error) {
	doc, problems := strictyaml.Parse(bundle.ScriptFile, b)
	if doc == nil && len(problems) == 0 {
		return nil, fmt.Errorf("%s: no fields", bundle.ScriptFile)
	}
	o := new(outline)
	problems = append(problems, doc.DecodeRest(o, ownFields)...)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s", problems[0])
	}
	return o, nil
}

// comparePlan compares the log's first entry with the script. Only a rehearsal
// may be held with a script that says another mode.
func (v *verifier) comparePlan(o *outline) {
	d := v.log.open
	differs := func(what, script, log string) {
		if script != log {
			v.findEntry(PlanDiffers, v.log.file, 0, "the log says something else than the script: "+what, script, log)
		}
	}
	differs("title", o.Title, d.Title)
	differs("organisation", o.Organisation, d.Organisation)
	differs("place", o.Place, d.Place)
	differs("purpose", o.Purpose, d.Purpose)
	if d.Mode != audit.ModeRehearsal || o.Mode != audit.ModeProduction {
		differs("mode", o.Mode, d.Mode)
	}
	differs("number of participants", fmt.Sprint(len(o.Participants)), fmt.Sprint(len(d.Participants)))
	for i := range min(len(o.Participants), len(d.Participants)) {
		p, q := o.Participants[i], d.Participants[i]
		differs(fmt.Sprintf("participant %d", i+1), fmt.Sprintf("%q", p), fmt.Sprintf("%q", outlined{q.ID, q.Name, q.Initials, q.Roles, p.WitnessKey, q.AlternateFor}))
	}
	script := (*outlineRule)(nil)
	if o.Deviations != nil {
		script = o.Deviations.Approve
	}
	differs("whose approval a deviation needs", script.text(), ruleText(d.Deviations))
	differs("number of steps", fmt.Sprint(len(o.Steps)), fmt.Sprint(len(d.Plan)))
	for i := range min(len(o.Steps), len(d.Plan)) {
		p, q := o.Steps[i], d.Plan[i]
		differs(fmt.Sprintf("step %d", i+1), fmt.Sprintf("%s, %s, %q", p.ID, p.Kind, p.Title), fmt.Sprintf("%s, %s, %q", q.ID, q.Kind, q.Title))
	}
}

// compareBegun compares what the room was told of a step with the script.
func (v *verifier) compareBegun(b begun, s outlineStep) {
	differs := func(what, script, log string) {
		if script != log {
			v.findEntry(PlanDiffers, v.log.file, b.seq, fmt.Sprintf("the room was told something else than the script says of the step %q: %s", b.step, what), script, log)
		}
	}
	who := func(id string) string {
		if other := b.stands[id]; other != "" {
			return other
		}
		return id
	}
	differs("actor", who(s.Actor), b.Actor)
	differs("say", s.Say, b.Say)
	differs("watch", s.Watch, b.Watch)
	witnesses := make([]string, len(s.Witnesses))
	for i, w := range s.Witnesses {
		witnesses[i] = who(w)
	}
	if !slices.Equal(witnesses, b.Witnesses) {
		differs("witnesses", fmt.Sprintf("%q", witnesses), fmt.Sprintf("%q", b.Witnesses))
	}
	differs("whose approval it needs", s.Approve.text(), ruleText(b.Approve))
	on := s.OnRefusal
	if on == "stop" {
		on = ""
	}
	differs("what a refusal does", on, b.OnRefusal)
}

// text returns a script's rule as compared, "" for none.
func (r *outlineRule) text() string {
	if r == nil {
		return ""
	}
	return ruleText(&audit.ApproveRule{Count: r.Count, Of: r.Of})
}

// ruleText returns a rule as compared, "" for none.
func ruleText(r *audit.ApproveRule) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%d of %q", r.Count, r.Of)
}
