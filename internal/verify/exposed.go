package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// A key that was unlocked on the ceremony machine signs nothing that the machine
// could not have signed. When it signed is not known either: the time in a
// cosignature is the signer's word, and whoever has the key can make the log and
// an early cosignature again. So a key that the log calls exposed counts as
// exposed in the whole bundle, its earlier and its late signatures included.

// An exposedKey is a witness's key that the log says was unlocked on the
// ceremony machine.
type exposedKey struct {
	seq  int64 // of the first entry that says so
	key  *audit.WitnessKey
	file string
}

// exposedIn are the kinds of steps in which a key is unlocked, by what for.
var exposedIn = map[string]string{"verdict": "verdict", "cosignature": "cosign", "final cosignature": "close"}

// takeExposed notes that a key was unlocked on the ceremony machine. Whose key
// it is, is not asked: a file may have held another one than its witness's.
func (f *facts) takeExposed(e *audit.Entry, d *audit.WitnessKeyExposed) {
	f.broughtIn(e, exposedIn[d.For], d.Person)
	if f.now.StepBegin != nil && !slices.Contains(f.now.Witnesses, d.Person) {
		f.find(LogGrammar, e.Seq, "a key of somebody who is no witness of the step was unlocked", "", d.Person)
	}
	k, err := audit.ParseWitnessKey(d.Key)
	if err != nil {
		f.find(LogGrammar, e.Seq, "a witness key that is none", "", err.Error())
		return
	}
	if _, known := f.exposed[publicHex(k)]; !known && f.hold(e.Seq, len(d.Key)) {
		f.exposed[publicHex(k)] = exposedKey{e.Seq, k, d.File}
	}
}

// tellsExposed compares what an entry with a witness's signature says of the key
// with what the entries before it say.
func (f *facts) tellsExposed(e *audit.Entry, person string, says bool) {
	k := f.keyOf[person]
	if k == nil {
		return // found where the signature is judged
	}
	_, was := f.exposed[publicHex(k)]
	switch {
	case says && !was:
		f.unless(f.hidden.count > 0, LogGrammar, e.Seq, "the entry calls the key of "+person+" exposed, and no entry says that it was unlocked on the ceremony machine", "witness-key-exposed", "")
	case !says && was:
		f.find(LogGrammar, e.Seq, "the key of "+person+" was unlocked on the ceremony machine, and the entry with its signature does not say so", "exposed", "")
	}
}

// isExposed reports whether a key counts as exposed.
func (v *verifier) isExposed(k *audit.WitnessKey) bool {
	_, is := v.log.exposed[publicHex(k)]
	return is
}

// checkExposed tells the reader which keys were exposed, and holds that against
// the script.
func (v *verifier) checkExposed() {
	for _, public := range slices.Sorted(maps.Keys(v.log.exposed)) {
		x := v.log.exposed[public]
		whose := "a key that the log binds to nobody"
		if k := v.known(x.key); k != nil && k.person != "" {
			whose = "the key of " + v.log.name(k.person)
		}
		v.findEntry(WitnessKeyExposed, v.log.file, x.seq, fmt.Sprintf("%s, %s, was unlocked on the ceremony machine: whatever it signs, that machine could have signed", whose, x.key.Name()), "", "")
	}
	allowed := v.scriptAllowsExposed()
	if v.log.hidden.exposed && allowed {
		v.findEntry(NotChecked, v.log.file, -1, notChecked+"a witness's key was unlocked on the ceremony machine", "", "")
	}
}

// scriptAllowsExposed reports whether the script allows that keys are unlocked on
// the ceremony machine, and finds one that was though it does not. A script that
// cannot be read is found where the plan is compared.
func (v *verifier) scriptAllowsExposed() bool {
	b, ok := v.load(bundle.ScriptFile)
	if !ok || v.log.open == nil || hash(b) != v.log.open.Script.SHA256 {
		return false
	}
	o, err := v.readOutline(b)
	if err != nil || o.AllowExposedKeys {
		return err == nil
	}
	for _, x := range v.log.exposed {
		v.findEntry(PlanDiffers, v.log.file, x.seq, "a witness's key was unlocked on the ceremony machine, and the script does not allow it", "allow_exposed_keys: true", "")
	}
	return false
}

// counts reports whether a cosignature may vouch for the log: not by an exposed
// key, unless the auditor asks for that.
func (v *verifier) counts(x CosignatureSeen) bool { return !x.Exposed || v.CountExposed }

// exposedText names the keys of trusted cosignatures of the final checkpoint
// that do not count because they were exposed, "" if there is none.
func (v *verifier) exposedText() string {
	var names []string
	for _, x := range v.report.Cosignatures {
		if x.Trusted && x.Size == v.log.size && !v.counts(x) && !slices.Contains(names, x.Key) && len(names) < maxNamed {
			names = append(names, x.Key)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "not counted, because the key was exposed to the ceremony machine: " + strings.Join(names, ", ") + " (--count-exposed counts it)"
}
