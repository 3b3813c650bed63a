package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// checkWitnesses draws up what each witness who was present said last. A
// missing verdict is a finding where the ceremony asks for verdicts at all.
func (v *verifier) checkWitnesses(c *Check) {
	f := v.log
	if f.open == nil {
		c.Result = "not done"
		return
	}
	asked := len(f.verdicts) > 0 || slices.ContainsFunc(f.open.Plan, func(p audit.PlanStep) bool { return p.Kind == "verdict" })
	if !asked {
		c.Note = "the script asks for no verdicts"
	}
	for _, p := range f.open.Participants {
		a := f.attendance[p.ID]
		if !isWitness(p.Roles) || a == nil || !a.Present {
			continue
		}
		c.Count++
		if asked {
			v.takeVerdict(p)
		}
	}
	for person, g := range f.verdicts {
		if !slices.ContainsFunc(f.open.Participants, func(p audit.Participant) bool { return p.ID == person }) {
			v.findEntry(LogGrammar, f.file, g.seq, "a verdict of somebody who is not on the roster", "", person)
		}
	}
}

func isWitness(roles []string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return strings.HasSuffix(r, "witness") })
}

func (v *verifier) takeVerdict(p audit.Participant) {
	g, given := v.log.verdicts[p.ID]
	w := WitnessVerdict{Person: p.ID, Name: p.Name, Given: given, Entry: -1}
	if given {
		w.Agrees, w.Because, w.Entry = g.Agree, g.Because, g.seq
	}
	v.report.Verdicts = append(v.report.Verdicts, w)
	switch {
	case !given && v.closed():
		v.find(VerdictMissing, v.log.file, fmt.Sprintf("witness %s was present and gave no verdict", p.Name), "", "")
	case given && !g.Agree:
		v.findEntry(WitnessDisagrees, v.log.file, g.seq, fmt.Sprintf("witness %s does not agree: %s", p.Name, g.Because), "", "")
	}
}

// describe fills in what the log says of itself.
func (v *verifier) describe() {
	f := v.log
	l := Log{Size: f.size, Head: f.root.String(), Opened: rfc3339(f.openedAt), Ended: rfc3339(f.last), Segments: f.segments}
	if l.Segments == nil {
		l.Segments = []Segment{}
	}
	if f.open != nil {
		l.Title, l.Organisation, l.Place = f.open.Title, f.open.Organisation, f.open.Place
		l.Mode, l.Origin = f.open.Mode, f.open.Origin
		if l.Mode == audit.ModeRehearsal {
			v.findEntry(CeremonyIsRehearsal, f.file, 0, "the log says that this was a rehearsal", "", "")
		}
	}
	if f.close != nil {
		l.Result = f.close.Result
	}
	v.report.Log = l
	r := v.report
	r.Anchors = append([]string{}, r.Anchors...)
	r.Signatures = append([]SignatureCount{}, r.Signatures...)
	r.Verdicts = append([]WitnessVerdict{}, r.Verdicts...)
	r.Findings = append([]Finding{}, r.Findings...)
}
