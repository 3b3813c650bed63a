package transcript

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
)

func drawScriptApproval(t *teller, d *audit.ScriptApproval) {
	if d.Note == "" {
		t.say("%s (%s) APPROVED the script in the room (%s).", d.Name, d.Person, d.How)
		t.some("typed", d.Typed)
		return
	}
	t.say("%s (%s) APPROVED the script with a key (%s).", d.Name, d.Person, d.How)
	t.some("typed", d.Typed)
	t.listing("signed note", signedLines(d.Note))
}

// approvalLines say on the cover who approved the script.
func (f *facts) approvalLines() []Line {
	var lines []Line
	label := "Script approved by"
	for _, e := range f.approved {
		d := e.Data.(*audit.ScriptApproval)
		how := "typed its SHA-256 in the room from the approved paper"
		if a, key, err := audit.ReadScriptApproval([]byte(d.Note)); err == nil {
			how = fmt.Sprintf("signed note of %s by the key %s", moment(a.At), key)
		}
		lines = append(lines, coverPair(label, fmt.Sprintf("%s: %s (entry %d)", d.Name, how, e.Seq))...)
		label = ""
	}
	return lines
}

func drawPlace(t *teller, d *audit.Place) {
	t.say("The place file of this machine was read.")
	t.file("file", d.File)
	for _, s := range d.Settings {
		t.fact(s.Name, s.Value)
	}
}
