package verify

import (
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// A WitnessKeySeen is a witness's key that the log names or that was given from
// outside.
type WitnessKeySeen struct {
	Key    string `json:"key"`    // verifier key, type 0x04
	Person string `json:"person"` // participant whose key it is; "" if that is not known
	Bound  string `json:"bound"`  // how the log binds it: "script", "adopted", or "" (it does not)
	Given  bool   `json:"given"`  // known from outside

	Exposed bool `json:"exposed"` // it was unlocked on the ceremony machine
}

// A knownKey is a witness's key and why it is known.
type knownKey struct {
	*audit.WitnessKey
	person string
	bound  string
	entry  int64 // that binds it; -1 for none
	given  bool  // from outside, alone or in a policy
	alone  bool  // given as a key whose word is enough
}

// A givenKey is a witness's key from outside. name is a participant, or what
// the auditor calls the key.
type givenKey struct {
	name string
	key  *audit.WitnessKey
}

// parseGivenKey reads VKEY or NAME=VKEY.
func parseGivenKey(s string) (givenKey, error) {
	k, err := audit.ParseWitnessKey(s)
	if err == nil {
		return givenKey{key: k}, nil
	}
	name, vkey, named := strings.Cut(s, "=")
	if !named || strings.HasPrefix(s, "PRIVATE+KEY+") {
		return givenKey{}, err
	}
	if k, err = audit.ParseWitnessKey(vkey); err != nil {
		return givenKey{}, err
	}
	return givenKey{name, k}, nil
}

// gatherKeys lists the witnesses' keys: those that the log binds, then those
// from outside alone.
func (v *verifier) gatherKeys() {
	for _, w := range v.log.signed.keys {
		k, err := audit.ParseWitnessKey(w.Key)
		if err != nil {
			continue // found where the entry was read
		}
		if v.known(k) != nil {
			continue // likewise
		}
		v.keys = append(v.keys, &knownKey{WitnessKey: k, person: w.Person, bound: w.How, entry: w.seq})
	}
	for _, g := range v.given.witnesses {
		v.addGiven(g.name, g.key).alone = true
	}
	if v.given.policy != nil {
		for _, w := range v.given.policy.witnesses {
			v.addGiven(w.name, w.key)
		}
	}
}

// known returns a key that has the public key of k.
func (v *verifier) known(k *audit.WitnessKey) *knownKey {
	for _, old := range v.keys {
		if slices.Equal(old.Public(), k.Public()) {
			return old
		}
	}
	return nil
}

// addGiven notes a key from outside. Where it is said to be a participant's,
// the log must not bind another one.
func (v *verifier) addGiven(name string, k *audit.WitnessKey) *knownKey {
	old := v.known(k)
	if old != nil && old.Name() == k.Name() {
		if old.given = true; old.person == "" {
			old.person = name
		}
	} else {
		old = &knownKey{WitnessKey: k, person: name, entry: -1, given: true}
		v.keys = append(v.keys, old)
	}
	for _, other := range v.keys {
		if v.log.roster[name] && other.bound != "" && other.person == name && !slices.Equal(other.Public(), k.Public()) {
			v.findEntry(WitnessKeyDiffers, v.log.file, other.entry, "the key of "+v.log.name(name)+" that was given from outside is not the one that the log binds", k.String(), other.String())
		}
	}
	if old.bound != "" && v.log.roster[name] && old.person != name {
		v.findEntry(WitnessKeyDiffers, v.log.file, old.entry, "the key of "+v.log.name(name)+" that was given from outside is bound to somebody else", name, old.person)
	}
	return old
}

// keyOf returns the key, if it is known, that made a cosignature by its name
// and hash.
func (v *verifier) keyOf(c audit.Cosignature) *knownKey {
	for _, k := range v.keys {
		if k.Made(c) {
			return k
		}
	}
	return nil
}

// checkWitnessKeys compares the witnesses' keys with the script and with what
// was given.
func (v *verifier) checkWitnessKeys(c *Check) {
	v.gatherKeys()
	c.Count = int64(len(v.keys))
	v.compareScriptKeys()
	v.checkExposed()
	v.report.WitnessKeys = []WitnessKeySeen{}
	for _, k := range v.keys {
		v.report.WitnessKeys = append(v.report.WitnessKeys, WitnessKeySeen{Key: k.String(), Person: k.person, Bound: k.bound, Given: k.given, Exposed: v.isExposed(k.WitnessKey)})
	}
}

// compareScriptKeys holds the keys that the log binds against the script.
func (v *verifier) compareScriptKeys() {
	b, ok := v.load(bundle.ScriptFile)
	if !ok || v.log.open == nil || hash(b) != v.log.open.Script.SHA256 {
		return
	}
	o, err := v.readOutline(b)
	if err != nil {
		return // found where the plan was compared
	}
	script := map[string]string{}
	for _, p := range o.Participants {
		script[p.ID] = p.WitnessKey
	}
	for _, k := range v.keys {
		want := script[k.person]
		switch {
		case k.bound == "script" && want != k.String():
			v.findEntry(WitnessKeyDiffers, v.log.file, k.entry, "the key of "+v.log.name(k.person)+" is not the one in the script", want, k.String())
		case k.bound == "adopted" && want != "":
			v.findEntry(WitnessKeyDiffers, v.log.file, k.entry, "the script has a key of "+v.log.name(k.person)+", and another one was adopted", want, k.String())
		}
	}
}
