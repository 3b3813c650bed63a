package verify

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// Bounds on what is looked at, so that no number of lines keeps an auditor
// waiting.
const (
	maxExtra      = 4096     // notes with further signature lines
	maxExtraBytes = 16 << 20 // of them
	maxLines      = 20000    // lines that are verified
	maxCosigned   = 200      // cosignatures in the report
)

// An extraNote is a signed checkpoint that has further signature lines than the
// log's.
type extraNote struct {
	file string
	what string
	note []byte
}

// A CosignatureSeen is a cosignature that a known key has made.
type CosignatureSeen struct {
	Key     string `json:"key"`    // name of the key
	Person  string `json:"person"` // "" if not known
	Size    int64  `json:"size"`   // entries that it is about
	Time    string `json:"time"`   // by the witness's machine, RFC 3339
	File    string `json:"file"`
	Late    bool   `json:"late"`    // it came after the close
	Trusted bool   `json:"trusted"` // the key is known from outside
	Exposed bool   `json:"exposed"` // the key was unlocked on the ceremony machine

	by *knownKey
}

// A signedFacts is what the log says of witnesses' keys and of time.
type signedFacts struct {
	keys   []boundKey
	fresh  []fresh
	clocks []clockRead
}

type boundKey struct {
	seq int64
	*audit.WitnessKeyRead
}

type fresh struct {
	seq int64
	*audit.Freshness
}

type clockRead struct {
	seq int64
	*audit.Clock
}

// takeSigned notes what later checks need.
func (f *facts) takeSigned(e *audit.Entry, size int) {
	s := &f.signed
	switch d := e.Data.(type) {
	case *audit.WitnessKeyRead:
		if f.hold(e.Seq, size) {
			s.keys = append(s.keys, boundKey{e.Seq, d})
		}
	case *audit.Freshness:
		if f.hold(e.Seq, size) {
			s.fresh = append(s.fresh, fresh{e.Seq, d})
		}
	case *audit.Clock:
		if f.hold(e.Seq, size) {
			s.clocks = append(s.clocks, clockRead{e.Seq, d})
		}
	}
}

// setAside keeps a checkpoint's note for when the witnesses' keys are known.
func (v *verifier) setAside(what, file string, b []byte) {
	if v.extraBytes += len(b); len(v.extra) < maxExtra && v.extraBytes <= maxExtraBytes {
		v.extra = append(v.extra, extraNote{file, what, bytes.Clone(b)})
	} else if !v.extraTold {
		v.extraTold = true
		v.find(TooMuch, file, "more cosigned checkpoints than any ceremony makes; what follows is not looked at", fmt.Sprintf("%d, of %d bytes", maxExtra, maxExtraBytes), "")
	}
}

// checkCosignatures verifies every line that witnesses added to checkpoints: to
// those of the bundle, and to copies of the final one that came later.
func (v *verifier) checkCosignatures(c *Check) {
	seen := map[string]bool{}                                                                           // lines that were verified, with their checkpoint
	slices.SortStableFunc(v.extra, func(a, b extraNote) int { return strings.Compare(b.file, a.file) }) // checkpoint before audit.db
	for _, x := range v.extra {
		v.checkLines(c, x, false, seen)
	}
	v.checkBrought(c)
	late := 0
	for _, name := range slices.Sorted(maps.Keys(v.files)) {
		if bundle.IsCosignatureFile(name) && v.has(name) {
			late++
			v.checkLate(c, name, seen)
		}
	}
	if late > 0 {
		c.Note = fmt.Sprintf("%d file(s) came after the close", late)
	}
	slices.SortStableFunc(v.report.Cosignatures, func(a, b CosignatureSeen) int { return int(min(1, max(-1, a.Size-b.Size))) })
}

// checkLate reads a copy of the final checkpoint with further lines.
func (v *verifier) checkLate(c *Check, name string, seen map[string]bool) {
	b, ok := v.load(name)
	if !ok || !v.finalReads {
		return
	}
	p, _, err := audit.Cosignatures(b)
	switch {
	case err != nil:
		v.find(CosignatureBroken, name, "the file is not a signed checkpoint with a cosignature", "", err.Error())
		return
	case p != v.final:
		v.find(CosignatureReplayed, name, "the file is the cosignature of another checkpoint", v.final.Text(), p.Text())
		return
	}
	if _, err := audit.OpenNote(b, v.lastKey()); err != nil {
		v.find(CosignatureBroken, name, "the checkpoint in the file is not signed by the log key of the last segment", v.lastKey(), err.Error())
		return
	}
	v.checkLines(c, extraNote{name, "copy of the final checkpoint", b}, true, seen)
}

// checkLines verifies a note's lines besides the log's.
func (v *verifier) checkLines(c *Check, x extraNote, late bool, seen map[string]bool) {
	p, _, err := audit.Cosignatures(x.note)
	if err != nil {
		return // found where the checkpoint was checked
	}
	_, lines, _ := strings.Cut(string(x.note), "\n\n")
	made := map[string]bool{} // by name and hash, in this note
	for i, line := range strings.Split(strings.TrimSuffix(lines, "\n"), "\n") {
		if i == 0 && strings.HasPrefix(line, "— "+p.Origin+" ") {
			continue // the log's own
		}
		sig, err := audit.ParseCosignature(line)
		if err != nil {
			v.findEntry(CosignatureBroken, x.file, p.Size-1, "the "+x.what+" has a signature line that is no cosignature", "", line)
			continue
		}
		key := fmt.Sprintf("%s %08x", sig.Name, sig.KeyHash)
		if made[key] {
			v.findEntry(CosignatureBroken, x.file, p.Size-1, "the "+x.what+" has two lines by one key", "", sig.Name)
			continue
		}
		made[key] = true
		if id := line + p.Text(); !seen[id] {
			if seen[id] = true; len(seen) > maxLines {
				v.findEntry(TooMuch, x.file, p.Size-1, "more cosignatures than any ceremony has; what follows is not looked at", fmt.Sprint(maxLines), "")
				return
			}
			c.Count++
			v.checkLine(x, p, sig, late)
		}
	}
}

// checkLine verifies one cosignature.
func (v *verifier) checkLine(x extraNote, p audit.Checkpoint, sig audit.Cosignature, late bool) {
	k := v.keyOf(sig)
	if k == nil {
		if v.finalReads && p == v.final && !slices.Contains(v.strangers, sig.Name) && len(v.strangers) < maxNamed {
			v.strangers = append(v.strangers, sig.Name)
		}
		v.findEntry(CosignatureUnknown, x.file, p.Size-1, "the "+x.what+" has a cosignature by a key that nobody has named", "", sig.Name)
		return
	}
	if k.Check(sig, p) != nil {
		v.brokenLine(x, p, sig, k)
		return
	}
	if len(v.report.Cosignatures) < maxCosigned {
		v.report.Cosignatures = append(v.report.Cosignatures, CosignatureSeen{
			Key: k.Name(), Person: k.person, Size: p.Size, Time: rfc3339(sig.At()), File: x.file, Late: late, Trusted: k.given,
			Exposed: v.isExposed(k.WitnessKey), by: k,
		})
	}
}

// brokenLine says what is wrong with a cosignature: whether it is of another
// checkpoint of this bundle, as far as that can be told.
func (v *verifier) brokenLine(x extraNote, p audit.Checkpoint, sig audit.Cosignature, k *knownKey) {
	for i, other := range v.extra {
		q, _, err := audit.Cosignatures(other.note)
		if err == nil && i < maxReplays && q != p && k.Check(sig, q) == nil {
			v.findEntry(CosignatureReplayed, x.file, p.Size-1, "the cosignature of "+sig.Name+" on the "+x.what+" is of another checkpoint", p.Text(), q.Text())
			return
		}
	}
	if v.finalReads && v.final != p && k.Check(sig, v.final) == nil {
		v.findEntry(CosignatureReplayed, x.file, p.Size-1, "the cosignature of "+sig.Name+" on the "+x.what+" is of the final checkpoint", p.Text(), v.final.Text())
		return
	}
	v.findEntry(CosignatureBroken, x.file, p.Size-1, "the cosignature of "+sig.Name+" on the "+x.what+" does not verify: it was changed, or is of another checkpoint", k.String(), sig.Line())
}

// maxReplays is how many checkpoints of the bundle a broken cosignature is tried
// on.
const maxReplays = 64

// checkBrought verifies the cosignatures that were brought into the room: each
// by the key of who brought it, of the log as it was at that size, and kept on
// the checkpoint for that size.
func (v *verifier) checkBrought(c *Check) {
	kept, sizes := map[string]bool{}, []int64{}
	for _, x := range v.extra {
		if p, lines, err := audit.Cosignatures(x.note); err == nil && x.file == bundle.DatabaseFile {
			for _, sig := range lines {
				kept[fmt.Sprint(p.Size, sig.Line())] = true
			}
		}
	}
	for _, b := range v.log.cosigned {
		sizes = append(sizes, b.Size)
	}
	roots := v.rootsAt(sizes)
	for _, b := range v.log.cosigned {
		c.Count++
		if v.kept != nil && !kept[fmt.Sprint(b.Size, b.NoteLine)] {
			v.findEntry(CosignatureMissing, v.log.file, b.seq, "the cosignature of "+v.log.name(b.Person)+" stands in the log and not on the checkpoint kept for its size", fmt.Sprintf("on the checkpoint of %d entries", b.Size), "")
		}
		k := v.log.keyOf[b.Person]
		if k == nil {
			v.unless(v.hides(0, b.seq), CosignatureBroken, v.log.file, b.seq, "a cosignature of somebody who brought no key", "", b.Person)
		} else if err := k.Check(b.line, audit.Checkpoint{Origin: v.log.origin(), Size: b.Size, Root: roots[b.Size]}); err != nil {
			v.findEntry(CosignatureBroken, v.log.file, b.seq, "the cosignature that "+v.log.name(b.Person)+" brought does not verify", "", err.Error())
		}
	}
}
