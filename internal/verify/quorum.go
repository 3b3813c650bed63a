package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// A quorum is what the log says of who is in the room, who stands in for whom,
// and who has approved what.
type quorum struct {
	left    map[string]bool                       // who left and is not back
	stands  map[string]string                     // absent participant → who takes the place; replaced when it changes
	phrases map[string]int                        // segment in which somebody last set a passphrase, plus one
	given   map[string]map[string]map[string]bool // step → act → people who approved it
	told    map[string]bool                       // "step act" of which it was said that approvals are missing
	shown   map[string]*audit.ToBeSigned          // step → what it announced last
	saw     map[act]*audit.ToBeSigned             // what had been announced when somebody approved the step; nil for nothing

	refusals  []refused
	approvals []approved
}

// An act of a step that a person approved.
type act struct{ step, person string }

// refused is somebody's no with its place.
type refused struct {
	seq  int64
	step string
	*audit.Refusal
}

// approved is an approval with its place.
type approved struct {
	seq  int64
	step string
	*audit.Approval
}

func newQuorum() quorum {
	return quorum{left: map[string]bool{}, stands: map[string]string{}, phrases: map[string]int{}, given: map[string]map[string]map[string]bool{}, told: map[string]bool{},
		shown: map[string]*audit.ToBeSigned{}, saw: map[act]*audit.ToBeSigned{}}
}

// who returns who acts for a participant of the script.
func (q *quorum) who(id string) string {
	if other := q.stands[id]; other != "" {
		return other
	}
	return id
}

// takeQuorum reads an entry about people and approvals, and looks where an act
// begins that needs some.
func (f *facts) takeQuorum(e *audit.Entry, size int) {
	switch d := e.Data.(type) {
	case *audit.Attendance:
		f.standAnew(d)
	case *audit.Presence:
		f.takePresence(e, d)
	case *audit.Alternate:
		f.takeAlternate(e, d)
	case *audit.Passphrase:
		if why := f.away(d.Person); why != "" {
			f.find(LogGrammar, e.Seq, "a passphrase of somebody who "+why, "", d.Person)
		}
		if d.Result == "set" && f.roster[d.Person] {
			f.quorum.phrases[d.Person] = len(f.segments)
		}
	case *audit.Refusal:
		f.takeRefusal(e, d, size)
	case *audit.Approval:
		f.takeApproval(e, d, size)
	case *audit.HSMIntent:
		if e.Step != "" && e.Step == f.running && f.now.StepBegin != nil && !(slices.Contains(showing, f.now.StepKind) && onlyReads(d)) {
			f.needs(e, "step", f.now.Approve)
		}
		if d.Function == "C_Sign" {
			f.sawWhatIsSigned(e, d)
		}
	case *audit.ToBeSigned:
		f.quorum.shown[e.Step] = d
	case *audit.StepEnd:
		if d.Result == "done" && f.now.StepBegin != nil && e.Step == f.running {
			f.needs(e, "step", f.now.Approve)
			if f.now.stopped != "" {
				f.find(AckMissing, e.Seq, fmt.Sprintf("the step %q is done though a no of %s stopped it", e.Step, f.now.stopped), "", "")
			}
		}
	case *audit.Deviation:
		f.takeDecided(e, d)
	}
}

// showing are the kinds of steps that show what they sign before it is approved.
var showing = []string{"self-sign-root", "sign-csr", "sign-crl", "sign-file", "key-compare"}

// reading are the calls that such a step makes before: it logs in, finds the key
// and draws a serial number. None signs or changes anything.
var reading = []string{
	"C_Initialize", "C_Finalize", "C_GetInfo", "C_GetSlotList", "C_GetSlotInfo", "C_GetTokenInfo", "C_GetMechanismList", "C_GetMechanismInfo",
	"C_OpenSession", "C_CloseSession", "C_CloseAllSessions", "C_GetSessionInfo", "C_Login", "C_Logout",
	"C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal", "C_GetAttributeValue", "C_GenerateRandom",
}

// onlyReads reports whether a call is one of those, or asks a card something
// beside PKCS#11: before a PIN it is asked how many tries are left.
func onlyReads(d *audit.HSMIntent) bool {
	return slices.Contains(reading, d.Function) || strings.HasPrefix(d.Function, "SCard") && !changes(d.Function, d.Command)
}

// standAnew takes in that a roll call was held, perhaps again.
func (f *facts) standAnew(d *audit.Attendance) {
	q := &f.quorum
	delete(q.left, d.Person)
	over := func(absent, person string) bool { return absent == d.Person || person == d.Person && !d.Present }
	for absent, person := range q.stands {
		if over(absent, person) {
			q.stands = maps.Clone(q.stands)
			maps.DeleteFunc(q.stands, over)
			return
		}
	}
}

func (f *facts) takePresence(e *audit.Entry, d *audit.Presence) {
	was := f.quorum.left[d.Person]
	a := f.attendance[d.Person]
	if f.open == nil || !f.roster[d.Person] || a == nil || !a.Present || was != d.Present {
		f.unless(f.hidden.count > 0, LogGrammar, e.Seq, "somebody leaves or comes back who was not there, or was", "", d.Person)
	}
	if f.roster[d.Person] {
		f.quorum.left[d.Person] = !d.Present
	}
}

func (f *facts) takeAlternate(e *audit.Entry, d *audit.Alternate) {
	a := f.attendance[d.Absent]
	if a == nil || a.Present {
		f.unless(f.hidden.count > 0, LogGrammar, e.Seq, "somebody takes the place of a person who is not absent", "", d.Absent)
	}
	if why := f.away(d.Person); why != "" {
		f.find(LogGrammar, e.Seq, "an alternate who "+why, "", d.Person)
	}
	switch p := f.participant(d.Person); {
	case d.How == "deviation" && (f.now.StepBegin == nil || !f.now.deviated):
		f.unless(f.inAttempt(e.Seq), LogGrammar, e.Seq, "an alternate by decision of the room, and no deviation says so", "deviation", d.Person)
	case d.How == "script" && (p == nil || p.AlternateFor != d.Absent), d.How != "script" && d.How != "deviation":
		f.find(LogGrammar, e.Seq, "an alternate whom the script does not name for "+d.Absent, "", d.Person)
	}
	if f.roster[d.Absent] && f.roster[d.Person] {
		f.quorum.stands = maps.Clone(f.quorum.stands)
		f.quorum.stands[d.Absent] = d.Person
	}
}

// participant returns the person of the roster, nil if there is none.
func (f *facts) participant(id string) *audit.Participant {
	if f.open == nil {
		return nil
	}
	for i := range f.open.Participants {
		if f.open.Participants[i].ID == id {
			return &f.open.Participants[i]
		}
	}
	return nil
}

func (f *facts) takeRefusal(e *audit.Entry, d *audit.Refusal, size int) {
	f.find(Refused, e.Seq, fmt.Sprintf("%s, asked as %s, does not agree with %q: %s", f.name(d.Person), d.As, d.What, d.Because), "", "")
	if why := f.away(d.Person); why != "" {
		f.find(LogGrammar, e.Seq, "a no of somebody who "+why, "", d.Person)
	}
	if f.hold(e.Seq, size) {
		f.quorum.refusals = append(f.quorum.refusals, refused{e.Seq, e.Step, d})
	}
	if f.now.StepBegin == nil || e.Step != f.running {
		return
	}
	switch {
	case d.Effect != "continue":
		f.now.stopped = f.name(d.Person)
	case d.As == "actor" || f.now.OnRefusal != "continue":
		f.find(LogGrammar, e.Seq, "a no that does not stop the step, though the script does not say that it goes on", "stop", d.Effect)
	case d.As == "witness":
		f.sees(d.Person)
	}
}

// sees notes that a witness of the running step has said what they saw.
func (f *facts) sees(person string) {
	for _, w := range f.now.Witnesses {
		if f.quorum.who(w) == person && !slices.Contains(f.now.seen, w) {
			f.now.seen = append(f.now.seen, w)
		}
	}
}

// takeApproval counts an approval of somebody who may give one.
func (f *facts) takeApproval(e *audit.Entry, d *audit.Approval, size int) {
	if f.hold(e.Seq, size) && d.Note != "" {
		f.quorum.approvals = append(f.quorum.approvals, approved{e.Seq, e.Step, d})
		f.heads = append(f.heads, spoken{e.Seq, d.Size, d.Head, "the approval of " + d.Person})
	}
	if d.Result != "approved" {
		f.find(WentWrong, e.Seq, fmt.Sprintf("%s was asked to approve and did not: %s %s", f.name(d.Person), d.Result, d.Because), "", "")
		return
	}
	why := f.away(d.Person)
	switch {
	case why != "":
	case f.now.StepBegin == nil || e.Step != f.running:
		why = "was asked outside of a step"
	case d.Person == f.quorum.who(f.now.Actor):
		why = "acts in the step"
	case d.How == "key" && d.Note == "":
		why = "signed nothing with a key"
	case d.How == "passphrase" && f.quorum.phrases[d.Person] != len(f.segments):
		why = "had set no passphrase in this segment"
		if f.hidden.count > 0 {
			f.unchecked(e.Seq, "somebody approved with a passphrase that was not set")
			why = ""
		}
	case d.How != "key" && d.How != "passphrase", d.Act != "step" && d.Act != "skip" && d.Act != "repeat":
		why = "approved something that nobody asks for, or in no known way"
	}
	if why != "" {
		f.find(QuorumNotMet, e.Seq, "somebody is said to approve who "+why, "", d.Person)
		return
	}
	acts := f.quorum.given[e.Step]
	if acts == nil {
		acts = map[string]map[string]bool{}
		f.quorum.given[e.Step] = acts
	}
	if acts[d.Act] == nil {
		acts[d.Act] = map[string]bool{}
	}
	acts[d.Act][d.Person] = true
	if d.Act == "step" {
		f.quorum.saw[act{e.Step, d.Person}] = f.quorum.shown[e.Step]
	}
}

// sawWhatIsSigned finds that somebody whose approval counts for a signature had
// been shown other bytes than the token gets now, or none.
func (f *facts) sawWhatIsSigned(e *audit.Entry, d *audit.HSMIntent) {
	t := f.tbs[d.For]
	if t == nil || f.now.StepBegin == nil || e.Step != f.running || f.now.Approve == nil {
		return
	}
	for _, person := range slices.Sorted(maps.Keys(f.quorum.given[e.Step]["step"])) {
		saw := f.quorum.saw[act{e.Step, person}]
		switch {
		case !f.meant(f.now.Approve, person):
		case saw == nil:
			f.unless(f.hidden.steps[e.Step] > 0, ApprovedUnseen, e.Seq, f.name(person)+" approved this signature before its bytes were announced", t.TBS.SHA256, "")
		case saw.TBS == t.TBS && saw.Object == challenged && t.Object == challenged:
			// A challenge says itself which two keys sign it.
		case saw.TBS != t.TBS, saw.Input != t.Input, saw.Mechanism != t.Mechanism, saw.Key != t.Key, saw.For != t.For:
			f.unless(f.hidden.steps[e.Step] > 0, ApprovedOther, e.Seq, "the token gets other bytes, or for another purpose, than had been announced when "+f.name(person)+" approved", saw.TBS.SHA256, t.TBS.SHA256)
		}
	}
}

// needs finds that an act begins or ends without the approvals that it needs.
func (f *facts) needs(e *audit.Entry, act string, rule *audit.ApproveRule) {
	if rule == nil || f.quorum.told[e.Step+" "+act] {
		return
	}
	var who []string
	for person := range f.quorum.given[e.Step][act] {
		if f.meant(rule, person) {
			who = append(who, person)
		}
	}
	if len(who) >= rule.Count && rule.Count > 0 {
		return
	}
	slices.Sort(who)
	f.quorum.told[e.Step+" "+act] = true
	what := map[string]string{"step": "is carried out", "skip": "is left out", "repeat": "is done anew"}[act]
	f.unless(f.hidden.steps[e.Step] > 0, QuorumNotMet, e.Seq, fmt.Sprintf("the step %q %s without the approvals that it needs", e.Step, what),
		fmt.Sprintf("%d of %s", rule.Count, strings.Join(rule.Of, ", ")), strings.Join(who, ", "))
}

// meant reports whether a rule means a person: by id or by a role, their own or
// that of somebody whose place they take. An alternate who takes no place is
// not meant.
func (f *facts) meant(rule *audit.ApproveRule, person string) bool {
	p := f.participant(person)
	if p == nil {
		return false
	}
	for _, as := range f.open.Participants {
		if f.quorum.who(as.ID) != person || as.ID == person && as.AlternateFor != "" {
			continue
		}
		for _, of := range rule.Of {
			if of == as.ID || slices.Contains(as.Roles, of) {
				return true
			}
		}
	}
	return false
}

// takeDecided looks whether a step may be left out or done anew, and forgets
// what was approved for that.
func (f *facts) takeDecided(e *audit.Entry, d *audit.Deviation) {
	if f.now.StepBegin != nil && e.Step == f.running {
		f.now.deviated = true
	}
	if d.Effect == "none" || f.open == nil {
		return
	}
	f.needs(e, d.Effect, f.open.Deviations)
	if d.Effect == "repeat" {
		delete(f.quorum.given, e.Step)
		delete(f.quorum.told, e.Step+" step")
	}
}

// checkApprovals compares signed approvals with the entries that they stand in,
// and lists who said no.
func (v *verifier) checkApprovals(c *Check) {
	for _, r := range v.log.quorum.refusals {
		if len(v.report.Refusals) < maxVerdicts {
			v.report.Refusals = append(v.report.Refusals, RefusalSeen{Person: r.Person, Name: v.log.name(r.Person), Step: r.step, As: r.As, What: shorten(r.What), Because: shorten(r.Because), Stopped: r.Effect != "continue", Entry: r.seq})
		}
	}
	for _, a := range v.log.quorum.approvals {
		c.Count++
		v.checkApprovalNote(a)
	}
}

func (v *verifier) checkApprovalNote(a approved) {
	who := v.log.name(a.Person)
	known := false
	var err error
	for _, k := range v.keys {
		if k.person != a.Person {
			continue
		}
		known = true
		said, kerr := audit.OpenApprovalNote([]byte(a.Note), k.WitnessKey)
		if err = kerr; err != nil {
			continue
		}
		want := audit.ApprovalNote{Origin: v.log.origin(), Step: a.step, Act: a.Act, Size: a.Size, Root: said.Root, Person: a.Person}
		if said != want || said.Root.String() != a.Head || a.Size > a.seq || !oneSignature([]byte(a.Note)) {
			v.findEntry(ApprovalSignature, v.log.file, a.seq, "what "+who+" signed is not what the entry says", want.Text(), said.Text())
		}
		return
	}
	what := "the signed approval of " + who + " is not by a key of that person"
	if !known {
		what = "the approval of " + who + " is signed, and no key of that person is known"
	}
	v.unless(!known && v.hides(0, a.seq), ApprovalSignature, v.log.file, a.seq, what, "", fmt.Sprint(err))
}

// A RefusalSeen is somebody's no at an acknowledgement.
type RefusalSeen struct {
	Person  string `json:"person"`
	Name    string `json:"name"`
	Step    string `json:"step"` // "" outside the steps
	As      string `json:"as"`
	What    string `json:"what"`
	Because string `json:"because"`
	Stopped bool   `json:"stopped"` // the attempt of the step ended with it
	Entry   int64  `json:"entry"`
}
