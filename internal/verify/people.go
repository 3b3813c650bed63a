package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// checkWitnesses draws up what each witness said: last, and whatever they did
// not agree with before. A missing verdict is a finding where the ceremony asks
// for verdicts at all.
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
	for _, person := range f.witnesses() {
		c.Count++
		if asked {
			v.showVerdicts(person)
		}
	}
	for _, g := range f.verdicts {
		switch {
		case g.Missing:
			v.findEntry(VerdictMissing, f.file, g.seq, fmt.Sprintf("witness %s was asked and gave no verdict: %s", f.name(g.Person), g.Because), "", "")
		case !g.Agree:
			v.findEntry(WitnessDisagrees, f.file, g.seq, fmt.Sprintf("witness %s does not agree: %s", f.name(g.Person), g.Because), "", "")
		}
	}
	v.checkSignedAfter()
}

// witnesses are the people who should give a verdict: those that a verdict step
// names, those present with a witness's role, and whoever gave one.
func (f *facts) witnesses() []string {
	var list []string
	add := func(person string) {
		if !slices.Contains(list, person) {
			list = append(list, person)
		}
	}
	for _, p := range f.open.Participants {
		if a := f.attendance[p.ID]; isWitness(p.Roles) && a != nil && a.Present {
			add(p.ID)
		}
	}
	for _, b := range f.begun {
		if b.StepKind == "verdict" {
			for _, person := range b.Witnesses {
				add(f.quorum.who(person))
			}
		}
	}
	for _, g := range f.verdicts {
		add(g.Person)
	}
	return list
}

func isWitness(roles []string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return strings.HasSuffix(r, "witness") })
}

// name returns a participant's name, or the id of somebody else.
func (f *facts) name(person string) string {
	if f.open == nil {
		return person
	}
	for _, p := range f.open.Participants {
		if p.ID == person {
			return p.Name
		}
	}
	return person
}

// showVerdicts puts a witness's last verdict into the report, and before it
// those in which they did not agree.
func (v *verifier) showVerdicts(person string) {
	last := WitnessVerdict{Person: person, Name: v.log.name(person), Entry: -1}
	for _, g := range v.log.verdicts {
		if g.Person != person || g.Missing {
			continue
		}
		if last.Given && !last.Agrees && len(v.report.Verdicts) < maxVerdicts {
			v.report.Verdicts = append(v.report.Verdicts, last)
		}
		last.Given, last.Agrees, last.Because, last.Entry = true, g.Agree, shorten(g.Because), g.seq
	}
	if len(v.report.Verdicts) < maxVerdicts {
		v.report.Verdicts = append(v.report.Verdicts, last)
	}
	if !last.Given && v.closed() {
		v.unless(v.log.hidden.verdict, VerdictMissing, v.log.file, -1, fmt.Sprintf("witness %s gave no verdict", last.Name), "", "")
	}
}

// maxVerdicts is the most verdicts that a report shows; findings count the rest.
const maxVerdicts = 200

// checkSignedAfter finds what the token signed after the last verdict.
func (v *verifier) checkSignedAfter() {
	n := len(v.log.verdicts)
	if n == 0 {
		return
	}
	last := v.log.verdicts[n-1].seq
	for i := range v.log.signs {
		if s := &v.log.signs[i]; s.seq > last {
			v.unless(v.hides(last, v.log.lastSeq), SignedAfterVerdict, v.log.file, s.place(), "the token signed something that no verdict speaks of", fmt.Sprintf("before entry %d", last), "")
		}
	}
}

// describe fills in what the log says of itself.
func (v *verifier) describe() {
	f := v.log
	l := Log{Size: f.size, Head: f.root.String(), Opened: rfc3339(f.openedAt), Ended: rfc3339(f.last), Segments: f.segments, AbortedBecause: f.because}
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
	v.describeTokens()
	r := v.report
	r.KeyOrigins = append([]KeyOriginSeen{}, r.KeyOrigins...)
	r.Anchors = append([]string{}, r.Anchors...)
	r.Signatures = append([]SignatureCount{}, r.Signatures...)
	r.Verdicts = append([]WitnessVerdict{}, r.Verdicts...)
	r.Refusals = append([]RefusalSeen{}, r.Refusals...)
	r.Findings = append([]Finding{}, r.Findings...)
	r.WitnessKeys = append([]WitnessKeySeen{}, r.WitnessKeys...)
	r.Cosignatures = append([]CosignatureSeen{}, r.Cosignatures...)
	r.VerdictSteps = append([]VerdictStep{}, r.VerdictSteps...)
	t := &r.Times
	t.NotBefore, t.NotAfter, t.Clocks = append([]Bound{}, t.NotBefore...), append([]Bound{}, t.NotAfter...), append([]ClockSeen{}, t.Clocks...)
}
