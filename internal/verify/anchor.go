package verify

import (
	"fmt"
	"slices"
	"strings"
)

// wants reports whether the auditor brought along something that should vouch
// for all of the log, or asks for it.
func (v *verifier) wants() bool {
	return v.RequireAnchor || len(v.LogKeys) > 0 || v.Head != "" || len(v.WitnessKeys) > 0 || len(v.Policy) > 0
}

// anchorByWitnesses takes the word of witnesses whose keys are known from
// outside. A cosignature of a checkpoint vouches for every entry under it, and so
// for the log key of each segment that was adopted before it.
func (v *verifier) anchorByWitnesses(c *Check) {
	c.Count += int64(len(v.given.witnesses))
	if v.given.policy != nil {
		c.Count++
	}
	if !v.closed() {
		return
	}
	told := map[string]bool{}
	for i := range v.log.segments {
		s := &v.log.segments[i]
		from := s.First
		if s.Number > 0 {
			from = s.adoptedAt
		}
		by := v.vouching(func(x CosignatureSeen) bool { return x.Size > from })
		if by == "" || s.Number > 0 && !s.adopted {
			continue
		}
		s.Anchored = true
		if !told[by] {
			told[by] = true
			v.report.Anchors = append(v.report.Anchors, by)
		}
	}
	v.checkPolicy()
}

// vouching says which trusted cosignatures, of those that are about enough,
// make it trusted; "" if they do not. A policy's quorum is one of the final
// checkpoint.
func (v *verifier) vouching(enough func(CosignatureSeen) bool) string {
	signed, unexposed := map[string]bool{}, map[string]bool{}
	var alone []string
	for _, x := range v.report.Cosignatures {
		if !x.Trusted || !enough(x) || !v.counts(x) {
			continue
		}
		if x.Size == v.log.size {
			signed[publicHex(x.by.WitnessKey)] = true
			if !x.Exposed {
				unexposed[publicHex(x.by.WitnessKey)] = true
			}
		}
		if x.by.alone {
			alone = append(alone, v.cosignerText(x))
		}
	}
	if p := v.given.policy; p != nil && p.met(signed) {
		by := fmt.Sprintf("the quorum %q of the policy", p.quorum)
		if !p.met(unexposed) {
			by += countedText
		}
		return by
	}
	if len(alone) == 0 {
		return ""
	}
	slices.Sort(alone)
	alone = slices.Compact(alone)
	more := ""
	if n := len(alone) - maxNamed; n > 0 {
		alone, more = alone[:maxNamed], fmt.Sprintf(" and %d more", n)
	}
	return "the cosignature of " + strings.Join(alone, ", ") + more
}

// countedText follows what would not vouch for the log without an exposed key.
const countedText = ", COUNTING a key that was exposed to the ceremony machine"

// maxNamed is how many witnesses the first line names.
const maxNamed = 4

func (v *verifier) cosignerText(x CosignatureSeen) string {
	who := x.Key
	if x.Person != "" {
		who = v.log.name(x.Person) + " (" + x.Key + ")"
	}
	if x.Exposed {
		who += " [key EXPOSED to the ceremony machine]"
	}
	if x.Size != v.log.size {
		return fmt.Sprintf("%s at %d entries", who, x.Size)
	}
	return who
}

// checkPolicy finds a quorum that the final checkpoint has not.
func (v *verifier) checkPolicy() {
	p := v.given.policy
	if p == nil || p.quorum == "none" {
		return
	}
	signed := map[string]bool{}
	n := 0
	for _, x := range v.report.Cosignatures {
		if x.Trusted && x.Size == v.log.size && v.counts(x) && !signed[publicHex(x.by.WitnessKey)] {
			signed[publicHex(x.by.WitnessKey)] = true
			n++
		}
	}
	if !p.met(signed) {
		what := "the final checkpoint has not the cosignatures that the policy asks for"
		if why := v.exposedText(); why != "" {
			what += "; " + why
		}
		v.find(PolicyNotMet, "", what, fmt.Sprintf("quorum %q", p.quorum), fmt.Sprintf("cosigned by %d of %d witnesses", n, len(p.witnesses)))
	}
}

// checkAnchors names the segments that nothing vouches for, and the one value
// that would make the log evidence. Where nothing was brought along, a log of
// one segment is told by the verdict alone.
func (v *verifier) checkAnchors() {
	anchored := 0
	for _, s := range v.log.segments {
		if s.Anchored {
			anchored++
		}
	}
	if anchored < len(v.log.segments) {
		v.report.WouldAnchor = "One value would make it evidence: the log's head as it was read aloud at the close (--head), the log key of each segment (--log-key), or " +
			v.wouldCosign() + ": from the room's notes or from the witness, not from the bundle."
		if why := v.exposedText(); why != "" {
			v.report.WouldAnchor += " Of those given, " + why + "."
		}
	}
	for _, s := range v.log.segments {
		if !s.Anchored && (anchored > 0 || s.Number > 0 || v.wants() && v.closed()) {
			v.findEntry(SegmentUnanchored, "", s.First, fmt.Sprintf("nothing from outside vouches for segment %d, entries %d to %d", s.Number, s.First, s.Last), "", s.LogKey)
		}
	}
}

// wouldCosign names the witnesses whose keys would do, if one had them from
// elsewhere.
func (v *verifier) wouldCosign() string {
	var names []string
	for _, x := range v.report.Cosignatures {
		if x.Size == v.log.size && v.counts(x) && !slices.Contains(names, x.Key) && len(names) < maxNamed {
			names = append(names, x.Key)
		}
	}
	for _, s := range v.strangers {
		if !slices.Contains(names, s) && len(names) < maxNamed {
			names = append(names, s)
		}
	}
	if len(names) == 0 {
		return "the key of a witness who cosigned it (--witness-key)"
	}
	return "the key of " + strings.Join(names, " or ") + ", whose line the final checkpoint has (--witness-key)"
}
