package verify

import (
	"fmt"
	"slices"

	"github.com/keyrite/keyrite/audit"
)

// A VerdictStep is a row of the matrix: what each witness said in a step that
// asked for verdicts.
type VerdictStep struct {
	Step  string        `json:"step"`
	Title string        `json:"title"`
	Said  []VerdictSaid `json:"said"` // one a witness, in the order of the report's verdicts
}

// A VerdictSaid is a cell of the matrix.
type VerdictSaid struct {
	Person  string `json:"person"`
	Said    string `json:"said"`    // "agree", "do not agree", "missing", or "" (not asked, or not reached)
	Because string `json:"because"` // why not
	Signed  bool   `json:"signed"`  // with a key that the log binds to the witness or that is known from outside
	Exposed bool   `json:"exposed"` // that key was unlocked on the ceremony machine
	Entry   int64  `json:"entry"`   // -1 for none
}

// checkVerdictNotes compares signed verdicts with the entries that they stand
// in, and draws up the matrix of steps and witnesses.
func (v *verifier) checkVerdictNotes(c *Check) {
	if v.log.open == nil {
		c.Result = "not done"
		return
	}
	signed := map[int64]bool{}
	for _, g := range v.log.verdicts {
		if g.Note != "" {
			c.Count++
			signed[g.seq] = v.checkVerdictNote(g)
		}
	}
	v.drawMatrix(signed)
}

// checkVerdictNote reports whether a verdict's note is by the witness's key and
// says what its entry says.
func (v *verifier) checkVerdictNote(g witnessed) bool {
	said, err := audit.ReadVerdictNote([]byte(g.Note))
	if err != nil {
		v.findEntry(VerdictSignature, v.log.file, g.seq, "the signed verdict of "+v.log.name(g.Person)+" is none", "", err.Error())
		return false
	}
	want := audit.VerdictNote{Origin: v.log.origin(), Step: g.step, Size: g.Size, Witness: g.Person, Agree: g.Agree, Because: g.Because, Root: said.Root}
	if said != want || said.Root.String() != g.Head {
		v.findEntry(VerdictSignature, v.log.file, g.seq, "what "+v.log.name(g.Person)+" signed is not what the entry says", want.Text(), said.Text())
		return false
	}
	known := false
	for _, k := range v.keys {
		if k.person != g.Person {
			continue
		}
		known = true
		if _, err = audit.OpenVerdictNote([]byte(g.Note), k.WitnessKey); err == nil {
			if !oneSignature([]byte(g.Note)) {
				v.findEntry(VerdictSignature, v.log.file, g.seq, "the signed verdict of "+v.log.name(g.Person)+" has further signatures", "one", "")
				return false
			}
			return true
		}
	}
	what := "the signed verdict of " + v.log.name(g.Person) + " is not by a key of that witness"
	if !known {
		what = "the verdict of " + v.log.name(g.Person) + " is signed, and no key of that witness is known"
	}
	v.unless(!known && v.hides(0, g.seq), VerdictSignature, v.log.file, g.seq, what, "", fmt.Sprint(err))
	return false
}

// maxMatrix bounds the matrix.
const maxMatrix = 100

// drawMatrix sets the rows: each step that asked for verdicts, with the last
// word of each witness in it.
func (v *verifier) drawMatrix(signed map[int64]bool) {
	var people []string
	for _, w := range v.report.Verdicts {
		if !slices.Contains(people, w.Person) && len(people) < maxMatrix {
			people = append(people, w.Person)
		}
	}
	rows := map[string]int{} // step → row, from 1
	for _, p := range v.log.open.Plan {
		if p.Kind != "verdict" || rows[p.ID] > 0 || len(v.report.VerdictSteps) >= maxMatrix {
			continue
		}
		row := VerdictStep{Step: p.ID, Title: p.Title, Said: []VerdictSaid{}}
		for _, person := range people {
			row.Said = append(row.Said, VerdictSaid{Person: person, Entry: -1})
		}
		v.report.VerdictSteps = append(v.report.VerdictSteps, row)
		rows[p.ID] = len(v.report.VerdictSteps)
	}
	for _, g := range v.log.verdicts {
		row, i := rows[g.step], slices.Index(people, g.Person)
		if row == 0 || i < 0 {
			continue
		}
		cell := VerdictSaid{Person: g.Person, Said: "agree", Because: shorten(g.Because), Signed: signed[g.seq], Entry: g.seq}
		for _, k := range v.keys {
			cell.Exposed = cell.Exposed || cell.Signed && k.person == g.Person && v.isExposed(k.WitnessKey)
		}
		if g.Missing {
			cell.Said = "missing"
		} else if !g.Agree {
			cell.Said = "do not agree"
		}
		v.report.VerdictSteps[row-1].Said[i] = cell
	}
}
