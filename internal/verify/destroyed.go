package verify

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
)

// An end is a call that destroys, or an inventory that shows it.
type end struct {
	step     string
	function string // "" for an inventory
	clean    bool   // an inventory in which nothing differs
	ok       bool   // a call that returned CKR_OK, or of which nobody knows
	objects  []audit.Object
}

// gone is one destroyed entry.
type gone struct {
	seq  int64
	step string
	*audit.Destroyed
	key   *audit.Key // as the log knew it; nil if it did not
	after *end       // the inventory; nil if there is none
	call  *end
}

// takeDestroyed reads what leads to the end of a key, and the end.
func (f *facts) takeDestroyed(e *audit.Entry, size int) {
	switch d := e.Data.(type) {
	case *audit.HSMIntent:
		if d.Function == "C_DestroyObject" || d.Function == "C_InitToken" {
			f.made.finals[e.Seq] = &end{step: e.Step, function: d.Function, ok: true}
		}
	case *audit.HSMOutcome:
		if c := f.made.finals[d.Intent]; c != nil {
			c.ok = false
			f.made.finals[e.Seq] = &end{step: e.Step, function: c.function, ok: d.RV == "CKR_OK"}
		}
	case *audit.Inventory:
		if f.hold(e.Seq, size) {
			f.made.finals[e.Seq] = &end{step: e.Step, clean: len(d.Differs) == 0, objects: d.Objects}
		}
	case *audit.Destroyed:
		if f.hold(e.Seq, size) {
			f.made.gone = append(f.made.gone, gone{e.Seq, e.Step, d, f.keys[d.Key], f.made.finals[d.After], f.made.finals[d.Call]})
		}
	}
}

// checkDestroyed checks that what is said to be destroyed was: by a call of that
// step, shown by an inventory after it, and never used again.
func (v *verifier) checkDestroyed(c *Check) {
	for _, g := range v.log.made.gone {
		c.Count++
		what, function := fmt.Sprintf("key %q", g.Key), "C_DestroyObject"
		if g.Key == "" {
			what, function = fmt.Sprintf("everything on token %q", g.Token), "C_InitToken"
		}
		if g.call == nil || g.call.function != function || g.call.step != g.step || !g.call.ok || g.Call >= g.seq {
			v.unless(v.hides(g.Call-2, g.Call), ArtifactKey, v.log.file, g.seq, "no "+function+" of its step destroyed "+what, function, fmt.Sprintf("entry %d", g.Call))
		}
		if g.after == nil || g.after.function != "" || g.after.step != g.step || g.After <= g.Call || g.After >= g.seq || !g.after.clean || g.holds() {
			v.unless(v.hides(g.After, g.After), ArtifactKey, v.log.file, g.seq, "no inventory after the call shows that "+what+" is gone", "", fmt.Sprintf("entry %d", g.After))
		}
		v.checkUsedAfter(g, what)
	}
}

// holds reports whether the inventory shows what is said to be gone. An object
// of class CKO_PROFILE says what the module can do (pkcs11-profiles-v3.0, section
// 3) and is nobody's.
func (g *gone) holds() bool {
	for _, o := range g.after.objects {
		if o.Class == "CKO_PROFILE" {
			continue
		}
		if g.Key == "" || g.key != nil && (o.Label == g.key.Label || o.ID == g.key.ID) {
			return true
		}
	}
	return false
}

// checkUsedAfter finds signatures of a key after its end, unless it was made
// anew.
func (v *verifier) checkUsedAfter(g gone, what string) {
	for i := range v.log.signs {
		s := &v.log.signs[i]
		t := v.log.tbs[s.of]
		if t == nil || s.seq < g.seq || s.unknown {
			continue
		}
		k := v.log.keys[t.Key]
		if k == nil || k.Token != g.Token || g.Key != "" && t.Key != g.Key || k.Generated > g.seq {
			continue
		}
		v.findEntry(SignatureUnexplained, v.log.file, s.place(), fmt.Sprintf("key %q signed after %s was destroyed in entry %d", t.Key, what, g.seq), "", "")
	}
}
