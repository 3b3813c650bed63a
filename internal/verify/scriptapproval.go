package verify

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// outlineApprovals are the approvals that a script asks for.
type outlineApprovals struct {
	Count     int               `yaml:"count"`
	Approvers []outlineApprover `yaml:"approvers"`
}

type outlineApprover struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	Key  string `yaml:"key"`
}

// An ApprovalSeen is an approval of the script that the log records.
type ApprovalSeen struct {
	Person string `json:"person"`
	Name   string `json:"name"`
	How    string `json:"how"`   // "note" or "paper"
	At     string `json:"at"`    // by the approver's clock, RFC 3339; "" for one from paper
	Holds  bool   `json:"holds"` // it is by the approver, and of this script
	Entry  int64  `json:"entry"`
}

// scriptApproved is an approval of the script with its place.
type scriptApproved struct {
	seq int64
	*audit.ScriptApproval
}

// takeScriptApproval checks the place and the form of an approval: before the first
// step, one of each approver.
func (f *facts) takeScriptApproval(e *audit.Entry, d *audit.ScriptApproval) {
	if len(f.steps) > 0 || f.running != "" {
		f.find(LogGrammar, e.Seq, "an approval stands before the first step", "", e.Kind())
	}
	note, paper := d.How == "note" && d.Note != "" && d.Typed == "", d.How == "paper" && d.Note == "" && d.Typed != ""
	if !note && !paper {
		f.find(LogGrammar, e.Seq, "how an approval was given", "a signed note, or what was typed from paper", d.How)
	}
	if slices.ContainsFunc(f.scriptApprovals, func(a scriptApproved) bool { return a.Person == d.Person }) {
		f.find(ScriptApprovalTwice, e.Seq, "a second approval by the same approver", "one", d.Person)
	}
	f.scriptApprovals = append(f.scriptApprovals, scriptApproved{e.Seq, d})
}

// checkScriptApprovals checks the approvals against the script, the files in
// approvals/, and what the script asks for.
func (v *verifier) checkScriptApprovals(c *Check) {
	v.report.Approvals = []ApprovalSeen{}
	if v.log.open == nil {
		c.Result = "not done"
		return
	}
	v.checkApprovalFiles()
	b, ok := v.load(bundle.ScriptFile)
	if !ok || hash(b) != v.log.open.Script.SHA256 {
		c.Result = "not done"
		return
	}
	o, err := v.readOutline(b)
	if err != nil {
		c.Result = "not done" // found where the plan was compared
		return
	}
	if o.Approvals == nil {
		c.Note = "the script asks for no approvals"
		o.Approvals = new(outlineApprovals)
	}
	holds := map[string]bool{}
	for _, a := range v.log.scriptApprovals {
		c.Count++
		seen := ApprovalSeen{Person: a.Person, Name: shorten(a.Name), How: a.How, Entry: a.seq}
		if seen.Holds = v.checkScriptApproval(a, o, &seen); seen.Holds {
			holds[a.Person] = true
		}
		v.report.Approvals = append(v.report.Approvals, seen)
	}
	v.enoughApprovals(len(holds), o.Approvals.Count)
}

// enoughApprovals finds a ceremony that went on with fewer approvals than its
// script asks for. A rehearsal needs none, and one that never came to its first
// step has not gone on.
func (v *verifier) enoughApprovals(n, asked int) {
	f := v.log
	if n >= asked || f.open.Mode != audit.ModeProduction || len(f.steps) == 0 {
		return
	}
	first := f.lastSeq
	if len(f.begun) > 0 {
		first = f.begun[0].seq
	}
	v.unless(v.hides(0, first), ScriptNotApproved, f.file, 0, "the ceremony began with fewer approvals of its script than that asks for", fmt.Sprint(asked), fmt.Sprint(n))
}

// checkScriptApproval reports whether an approval is by an approver of the script and
// of this script.
func (v *verifier) checkScriptApproval(a scriptApproved, o *outline, seen *ApprovalSeen) bool {
	i := slices.IndexFunc(o.Approvals.Approvers, func(p outlineApprover) bool { return p.ID == a.Person })
	if i < 0 {
		v.findEntry(ScriptApprovalBroken, v.log.file, a.seq, "an approval by somebody whom the script does not name as approver", "", a.Person)
		return false
	}
	who, here := o.Approvals.Approvers[i], v.log.roster[a.Person]
	name := who.Name
	if here {
		name = v.log.name(a.Person)
	}
	if a.Name != name {
		v.findEntry(ScriptApprovalBroken, v.log.file, a.seq, "the approver has another name in the script", name, a.Name)
		return false
	}
	if a.How == "paper" {
		return v.checkTypedScript(a, here)
	}
	return v.checkScriptNote(a, who, o, seen)
}

// checkTypedScript reports whether somebody in the room typed the script's
// SHA-256.
func (v *verifier) checkTypedScript(a scriptApproved, here bool) bool {
	if !here {
		v.findEntry(ScriptApprovalBroken, v.log.file, a.seq, "an approval typed in the room by somebody who has no part in the ceremony", "", a.Person)
		return false
	}
	want := v.log.open.Script.SHA256
	digits := strings.ToLower(strings.Join(strings.Fields(a.Typed), ""))
	b, err := audit.ParseWords(a.Typed)
	if digits != want && (err != nil || hex.EncodeToString(b) != want) {
		v.findEntry(ScriptApprovalBroken, v.log.file, a.seq, "what "+v.log.name(a.Person)+" typed is not the script's SHA-256", want, a.Typed)
		return false
	}
	return true
}

// checkScriptNote reports whether a signed note is by the approver's key in
// the script, and of this script.
func (v *verifier) checkScriptNote(a scriptApproved, who outlineApprover, o *outline, seen *ApprovalSeen) bool {
	broken := func(what, expected, found string) bool {
		v.findEntry(ScriptApprovalBroken, v.log.file, a.seq, what, expected, found)
		return false
	}
	k, err := audit.ParseWitnessKey(who.Key)
	if err != nil {
		return broken("the script has no key of the approver "+a.Name, "", who.Key)
	}
	said, err := audit.OpenScriptApproval([]byte(a.Note), k)
	if err != nil {
		return broken("the approval is not signed by the key of "+a.Name+" in the script", k.String(), err.Error())
	}
	if sum := said.Script.String(); sum != v.log.open.Script.SHA256 {
		return broken(a.Name+" approved another script", v.log.open.Script.SHA256, sum)
	}
	if said.Title != o.Title || said.Mode != o.Mode {
		return broken("the approval says another title or mode than the script", o.Title+", "+o.Mode, said.Title+", "+said.Mode)
	}
	seen.At = said.At.UTC().Format("2006-01-02T15:04:05Z")
	if said.At.After(v.log.openedAt) {
		v.findEntry(TimesDisagree, v.log.file, a.seq, "the approval by "+a.Name+" says that it was signed after the ceremony began", v.log.openedAt.UTC().Format("2006-01-02T15:04:05Z"), seen.At)
	}
	return true
}

// checkApprovalFiles compares the files in approvals/ with the log.
func (v *verifier) checkApprovalFiles() {
	notes := map[string]bool{}
	for _, a := range v.log.scriptApprovals {
		if a.Note == "" {
			continue
		}
		name := bundle.ApprovalFile(a.Person)
		notes[name] = true
		b, ok := v.load(name)
		switch {
		case !ok && v.closed() && !v.leftOut(name):
			v.find(FileMissing, name, "the file with the signed approval is missing", "", "")
		case ok && string(b) != a.Note:
			v.find(ScriptApprovalDiffers, name, "the file is not the signed approval that the log has", a.Note, string(b))
		}
	}
	for name := range v.files {
		if strings.HasPrefix(name, bundle.ApprovalsDir+"/") && !notes[name] {
			v.find(FileUnknown, name, "the log has no approval of this name", "", "")
		}
	}
}

// writeApprovals says who approved the script.
func (r *Report) writeApprovals(p *printer) {
	for _, a := range r.Approvals {
		how := "typed in the room from the approved paper"
		if a.How == "note" {
			how = "signed note"
			if a.At != "" {
				how += " of " + a.At
			}
		}
		if !a.Holds {
			how += ", which does NOT hold"
		}
		p.line("  %-9s %s (%s; entry %d)", "Approved", oneLine(a.Name), how, a.Entry)
	}
}
