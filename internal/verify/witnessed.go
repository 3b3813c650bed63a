package verify

import (
	"fmt"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// takeWitnessed checks the place and the form of what witnesses bring: keys at
// a roll call, cosignatures and public values in steps of their own. Whether a
// signature verifies is judged elsewhere.
func (f *facts) takeWitnessed(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.WitnessKeyRead:
		f.broughtIn(e, "attendance", d.Person)
		if _, err := audit.ParseWitnessKey(d.Key); err != nil {
			f.find(LogGrammar, e.Seq, "a witness key that is none", "", err.Error())
		}
		if d.How != "script" && d.How != "adopted" {
			f.find(LogGrammar, e.Seq, "how a witness key was bound", "script or adopted", d.How)
		}
	case *audit.Cosigned:
		f.broughtIn(e, "cosign", d.Person)
		if d.Size <= 0 || d.Size > e.Seq {
			f.find(LogGrammar, e.Seq, "a cosignature for a log of another size than there was", fmt.Sprintf("1 to %d", e.Seq), fmt.Sprint(d.Size))
		}
		if _, err := audit.ParseCosignature(d.NoteLine); err != nil {
			f.find(LogGrammar, e.Seq, "a cosignature that is none", "", err.Error())
		}
	case *audit.Freshness:
		f.broughtIn(e, "freshness", d.Person)
		if at, err := time.Parse(time.RFC3339, d.Claimed); err != nil || at.UTC().Format(time.RFC3339) != d.Claimed {
			f.find(LogGrammar, e.Seq, "since when a value was public", "RFC 3339, UTC", d.Claimed)
		}
	}
}

// broughtIn checks that an entry stands in a running step of the kind, and that
// the person can have been there.
func (f *facts) broughtIn(e *audit.Entry, kind, person string) {
	if f.now.StepBegin == nil || f.running == "" || f.now.StepKind != kind {
		f.find(LogGrammar, e.Seq, "an entry of its kind stands in a step of the kind "+kind, "", e.Kind())
	}
	if why := f.away(person); why != "" {
		f.find(LogGrammar, e.Seq, "an entry of somebody who "+why, "", person)
	}
}
