package verify

import (
	"bytes"
	"fmt"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// A recordedLine is a cosignature entry.
type recordedLine struct {
	seq int64
	*audit.Cosigned
	line audit.Cosignature
}

// takeWitnessed checks the place and the form of what witnesses bring: keys at
// a roll call, cosignatures and public values in steps of their own. Whether a
// signature verifies is judged elsewhere.
func (f *facts) takeWitnessed(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.WitnessKeyRead:
		f.broughtIn(e, "attendance", d.Person)
		f.bindKey(e, d)
		if d.How != "script" && d.How != "adopted" {
			f.find(LogGrammar, e.Seq, "how a witness key was bound", "script or adopted", d.How)
		}
	case *audit.Cosigned:
		f.broughtIn(e, "cosign", d.Person)
		if d.Size <= 0 || d.Size > e.Seq {
			f.find(LogGrammar, e.Seq, "a cosignature for a log of another size than there was", fmt.Sprintf("1 to %d", e.Seq), fmt.Sprint(d.Size))
		}
		f.tellsExposed(e, d.Person, d.Exposed)
		c, err := audit.ParseCosignature(d.NoteLine)
		if err != nil {
			f.find(LogGrammar, e.Seq, "a cosignature that is none", "", err.Error())
		} else if f.hold(e.Seq, len(d.NoteLine)) {
			f.cosigned = append(f.cosigned, recordedLine{e.Seq, d, c})
		}
	case *audit.WitnessKeyExposed:
		f.takeExposed(e, d)
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

// bindKey notes a witness's key. A person has one, and no two the same.
func (f *facts) bindKey(e *audit.Entry, d *audit.WitnessKeyRead) {
	k, err := audit.ParseWitnessKey(d.Key)
	if err != nil {
		f.find(LogGrammar, e.Seq, "a witness key that is none", "", err.Error())
		return
	}
	for person, other := range f.keyOf {
		if person == d.Person {
			f.find(WitnessKeyDiffers, e.Seq, "a second key of the same witness", other.String(), d.Key)
		} else if other.Name() == k.Name() || other.Public().Equal(k.Public()) {
			f.find(WitnessKeyDiffers, e.Seq, "the key, or its name, is that of another witness", person, d.Person)
		}
	}
	if f.keyOf[d.Person] == nil && f.hold(e.Seq, len(d.Key)) {
		f.keyOf[d.Person] = k
	}
}

// checkWitnessKeyFiles compares the files with witnesses' keys with the log.
func (v *verifier) checkWitnessKeyFiles() {
	for person, k := range v.log.keyOf {
		name := bundle.WitnessKeyFile(person)
		b, ok := v.load(name)
		switch {
		case !ok && v.closed():
			v.find(FileMissing, name, "the file with the witness's key is missing", k.String(), "")
		case ok && !bytes.Equal(b, []byte(k.String()+"\n")):
			v.find(KeyFileDiffers, name, "the file does not hold the key of its witness, as one line", k.String(), string(b))
		}
	}
}

// isWitnessKey reports whether a file has the name of one with the key of a
// witness of this log.
func (v *verifier) isWitnessKey(name string) bool {
	for person := range v.log.keyOf {
		if bundle.WitnessKeyFile(person) == name {
			return true
		}
	}
	return false
}
