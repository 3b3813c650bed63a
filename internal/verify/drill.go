package verify

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/drill"
)

// A drilled is what a log says of a drill: a fault that was hidden from the room
// of a rehearsal.
type drilled struct {
	entries   int64 // that speak of it
	committed *audit.Hash
	at        int64 // seq of the commitment
	revealed  int   // how often it was told
}

// takeDrill reads an entry of a drill. What is told must be what was committed
// to, and nothing of it has a place in a ceremony that counts.
func (f *facts) takeDrill(e *audit.Entry, d *audit.Result) {
	switch d.Name {
	case drill.Committed, drill.Revealed, drill.Reported:
	default:
		return
	}
	f.drill.entries++
	if f.open != nil && f.open.Mode != audit.ModeRehearsal {
		f.find(DrillDiffers, e.Seq, "a drill in a log that is no rehearsal's", "", d.Name)
	}
	switch d.Name {
	case drill.Committed:
		hash, ok := drill.ReadCommitment(d)
		switch {
		case !ok:
			f.find(DrillDiffers, e.Seq, "what a drill hides is not in its one form", "", d.Value)
		case f.drill.committed != nil:
			f.find(DrillDiffers, e.Seq, fmt.Sprintf("a second drill is hidden (the first in entry %d)", f.drill.at), "", d.Value)
		default:
			f.drill.committed, f.drill.at = &hash, e.Seq
		}
	case drill.Revealed:
		f.takeReveal(e, d)
	}
}

func (f *facts) takeReveal(e *audit.Entry, d *audit.Result) {
	f.drill.revealed++
	s, ok := drill.ReadReveal(d)
	switch {
	case !ok:
		f.find(DrillDiffers, e.Seq, "what a drill reveals is not in its one form", "", d.Value)
	case f.drill.committed == nil && f.hidden.count == 0:
		f.find(DrillDiffers, e.Seq, "a drill is revealed to which the log did not commit", "", s.Fault)
	case f.drill.committed != nil && s.Hash() != *f.drill.committed:
		f.find(DrillDiffers, e.Seq, fmt.Sprintf("what a drill reveals is not what entry %d committed to", f.drill.at), f.drill.committed.String(), s.Hash().String())
	}
}

// checkDrill checks that a drill was revealed before the log was closed.
func (v *verifier) checkDrill(c *Check) {
	d := v.log.drill
	c.Count = d.entries
	if v.log.found[DrillDiffers] > 0 {
		c.Result = "fails"
	}
	if d.committed != nil && d.revealed != 1 && v.closed() && v.log.hidden.count == 0 {
		v.findEntry(DrillDiffers, v.log.file, d.at, "a drill was not revealed once before the log was closed", "1", fmt.Sprint(d.revealed))
	}
}
