package verify

import (
	"cmp"
	"encoding/pem"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/machine"
)

func driftText(d *audit.Drift) string {
	return fmt.Sprintf("%d ms between entries %d and %d, %d allowed, %d jumps by %d ms", d.DriftMS, d.First, d.Last, d.LimitMS, d.Jumps, d.JumpsMS)
}

// checkHeard compares what was typed back with what was read, and that with
// what the log says of it.
func (v *verifier) checkHeard(c *Check) {
	for _, a := range v.log.acts.all {
		for _, h := range a.heard {
			c.Count++
			same := audit.SameReading
			if h.back {
				same = audit.SameHeard
			}
			switch {
			case h.typed != "" && (!h.matches || !same(h.typed, h.value)):
				v.findEntry(ReadBackDiffers, v.log.file, h.seq, "what was typed back is not what was read: "+h.what, h.value, h.typed)
			case h.reader != "" && h.reader == h.person:
				v.findEntry(ReadBackDiffers, v.log.file, h.seq, "one person read and typed back: "+h.what, "two people", h.person)
			}
			if want, known := v.meant(a, h); known && !h.short(want) {
				v.unless(want == "" && v.hides(0, h.seq), ReadBackDiffers, v.log.file, h.seq, "what was read back is not what the log says of it: "+h.what, want, h.value)
			}
		}
	}
}

// sumsBegin is how many digits of the checksums' SHA-256 are typed back.
const sumsBegin = 16

// short reports whether what was heard is the value, or as much of it as is
// asked for.
func (h heard) short(want string) bool {
	if strings.HasSuffix(h.what, bySecond) {
		return len(h.value) >= sumsBegin && strings.HasPrefix(want, h.value)
	}
	return want != "" && strings.EqualFold(h.value, want) // fingerprints are in capitals (BR 8.6)
}

// How entries call what is read back.
const (
	fromOutside = ", taken from outside"
	bySecond    = "/" + bundle.SumsFile + " by the second machine"
)

// meant returns the value that the log has for what was read back; "" if it has
// none. known is false if the log is not where it stands.
func (v *verifier) meant(a *acted, h heard) (want string, known bool) {
	what := strings.TrimSuffix(strings.TrimPrefix(h.what, "the "), fromOutside)
	if strings.HasSuffix(what, bySecond) {
		return sumsOf(a.exported(strings.TrimSuffix(strings.TrimPrefix(what, "SHA-256 of "), bySecond))), true
	}
	switch env := cmp.Or(a.env, new(audit.Environment)); what {
	case "SHA-256 of the program keyrite":
		return env.Program.SHA256, true
	case "SHA-256 of the PKCS#11 module":
		return env.Module.SHA256, true
	case "SHA-256 of the image":
		return cmp.Or(env.Image, new(audit.File)).SHA256, true
	case "SHA-256 of the certificate request":
		return cmp.Or(a.csr, new(audit.CSR)).File.SHA256, a.csr != nil
	}
	if name, ok := strings.CutPrefix(what, "serial number of token "); ok {
		return a.serials[name], true
	}
	if name, ok := strings.CutPrefix(what, "SHA-256 of the public key "); ok {
		return cmp.Or(v.log.keys[name], new(audit.Key)).SPKISHA256, true
	}
	if name, ok := strings.CutPrefix(what, "SHA-256 fingerprint of "); ok {
		return v.fingerprint(name)
	}
	return "", false
}

// fingerprint returns the SHA-256 over the DER of an artifact.
func (v *verifier) fingerprint(name string) (string, bool) {
	l, ok := v.log.files[bundle.ArtifactsDir+"/"+name]
	if !ok {
		return "", true
	}
	b, ok := v.bound(l.file)
	if !ok {
		return "", false // reported with the artifacts
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return "", false
	}
	return hash(block.Bytes), true
}

// sumsOf returns the SHA-256 of the list of checksums of files, "" for none.
func sumsOf(files []audit.File) string {
	if len(files) == 0 {
		return ""
	}
	files = slices.SortedFunc(slices.Values(files), func(a, b audit.File) int { return strings.Compare(path.Base(a.Name), path.Base(b.Name)) })
	var s strings.Builder
	for _, f := range files {
		fmt.Fprintf(&s, "%s  %s\n", f.SHA256, path.Base(f.Name))
	}
	return hash([]byte(s.String()))
}

// checkActs compares what was seen, read, taken and filmed in the steps that are
// done with what the script says of them.
func (v *verifier) checkActs(c *Check) {
	for _, a := range v.log.acts.all {
		i, planned := v.log.plan[a.step]
		o := v.outlined
		if a.result != "done" || !planned || o == nil || o.outline == nil || i >= len(o.outline.Steps) {
			continue
		}
		switch s := o.outline.Steps[i].act.(type) {
		case *outlineMachine:
			c.Count++
			v.checkMachine(a, s)
		case *outlineMaterials:
			c.Count += int64(len(s.Items))
			v.checkMaterials(a, s)
		case *outlineCustody:
			c.Count += int64(len(s.Items))
			v.checkCustody(a, s.Items)
		case *outlineHandover:
			c.Count += int64(len(s.Media))
			v.checkCustody(a, s.items())
		case *outlineEvidence:
			c.Count++
			got := make([]string, len(a.filmed))
			for i, x := range a.filmed {
				got[i] = fmt.Sprintf("%s by %s: %s", x.Form, x.Person, x.Shows)
			}
			v.sameList(a, "photographs and recordings", []string{fmt.Sprintf("%s by %s: %s", s.Form, a.who(s.By), s.Shows)}, got)
		}
	}
}

// sameList reports lists that differ, unless an entry of the attempt is hidden.
func (v *verifier) sameList(a *acted, what string, want, got []string) {
	if !slices.Equal(want, got) {
		v.unless(v.hides(a.begin, a.end), ActsDiffer, v.log.file, a.end, fmt.Sprintf("the %s of the step %q are not those of the script", what, a.step), strings.Join(want, "; "), strings.Join(got, "; "))
	}
}

// checkMachine compares the machine with the script's expectation once more.
func (v *verifier) checkMachine(a *acted, s *outlineMachine) {
	if a.env == nil {
		v.unless(v.hides(a.begin, a.end), ActsDiffer, v.log.file, a.end, fmt.Sprintf("the step %q does not say what the machine is", a.step), "environment", "")
		return
	}
	outside := []string{}
	for _, h := range a.heard {
		if strings.HasSuffix(h.what, fromOutside) {
			outside = append(outside, fmt.Sprintf("%s: %s to %s", h.what, h.reader, h.person))
		}
	}
	want := []string{}
	for _, what := range s.Outside {
		if what == "image" && a.env.Image == nil && v.log.open.Mode == audit.ModeRehearsal {
			continue // there was none to compare with
		}
		name := map[string]string{"program": "program keyrite", "module": "PKCS#11 module"}[what]
		want = append(want, fmt.Sprintf("SHA-256 of the %s%s: %s to %s", cmp.Or(name, what), fromOutside, a.who(s.Reader), a.who(s.Typist)))
	}
	v.sameList(a, "hashes taken from outside", want, outside)
	if s.Expect == nil {
		return
	}
	compared, differs := s.Expect.Compare(a.env, a.devices)
	if len(a.checks) != 1 || !slices.Equal(a.checks[0].Compared, compared) || !slices.Equal(a.checks[0].Differs, differs) {
		said := "not compared"
		if len(a.checks) > 0 {
			said = strings.Join(a.checks[0].Differs, "; ")
		}
		v.unless(v.hides(a.begin, a.end), ActsDiffer, v.log.file, a.end, fmt.Sprintf("the machine in the step %q, compared with the script, is not as the log says", a.step), strings.Join(differs, "; "), said)
	}
	if len(differs) > 0 && !v.hides(a.begin, a.end) {
		v.findEntry(MachineDiffers, v.log.file, a.end, fmt.Sprintf("the step %q was done on a machine that is not as the script says", a.step), "", strings.Join(differs, "; "))
		if v.log.open.Mode == audit.ModeProduction {
			v.findEntry(ActsDiffer, v.log.file, a.end, fmt.Sprintf("the step %q was done although the machine is not as the script says: a ceremony stops there", a.step), "", "")
		}
	}
}

// checkMaterials compares the numbers of bags and seals, and who read and typed
// them.
func (v *verifier) checkMaterials(a *acted, s *outlineMaterials) {
	want, got := []string{}, []string{}
	add := func(what, name, value string) {
		want = append(want, fmt.Sprintf("number of the %s of %s, %s, %s to %s", what, name, value, a.who(s.Reader), a.who(s.Typist)))
	}
	for i, m := range s.Items {
		bag, at := m.Bag, len(want)
		if bag == "" && at < len(a.heard) {
			bag = a.heard[at].value // the script leaves it open
		}
		add("bag", s.Items[i].Name, bag)
		if m.Seal != "" {
			add("seal", m.Name, m.Seal)
		}
	}
	for _, h := range a.heard {
		got = append(got, fmt.Sprintf("%s, %s, %s to %s", h.what, h.value, h.reader, h.person))
	}
	v.sameList(a, "bags and seals", want, got)
}

// checkCustody compares who took what, and where to.
func (v *verifier) checkCustody(a *acted, items []outlineItem) {
	want, got := []string{}, []string{}
	for i, x := range items {
		bag := cmp.Or(x.Bag, "none")
		if bag == "asked" && i < len(a.custody) {
			bag = a.custody[i].Bag
		}
		want = append(want, fmt.Sprintf("%s, bag %s, by %s to %s", x.Item, bag, a.who(x.Holder), x.Place))
	}
	for _, x := range a.custody {
		got = append(got, fmt.Sprintf("%s, bag %s, by %s to %s", x.Item, x.Bag, x.Person, x.Place))
	}
	v.sameList(a, "things taken", want, got)
}

// What is compared of a step's own fields, by kind.
type (
	outlineMachine struct {
		Expect  *machine.Expectation `yaml:"expect"`
		Outside []string             `yaml:"outside"`
		Reader  string               `yaml:"outside_reader"`
		Typist  string               `yaml:"outside_typist"`
	}
	outlineMaterials struct {
		Items []struct {
			Name string `yaml:"name"`
			Bag  string `yaml:"bag"`
			Seal string `yaml:"seal"`
		} `yaml:"items"`
		Reader string `yaml:"reader"`
		Typist string `yaml:"typist"`
	}
	outlineCustody struct {
		Items []outlineItem `yaml:"items"`
	}
	outlineItem struct {
		Item   string `yaml:"item"`
		Bag    string `yaml:"bag"`
		Holder string `yaml:"holder"`
		Place  string `yaml:"place"`
	}
	outlineHandover struct {
		To    string `yaml:"to"`
		Media []struct {
			Medium string `yaml:"medium"`
			Place  string `yaml:"place"`
		} `yaml:"media"`
	}
	outlineEvidence struct {
		Form  string `yaml:"form"`
		Shows string `yaml:"shows"`
		By    string `yaml:"by"`
	}
)

// items are the media, as they are taken.
func (h *outlineHandover) items() []outlineItem {
	var list []outlineItem
	for _, m := range h.Media {
		list = append(list, outlineItem{Item: "medium " + m.Medium, Holder: h.To, Place: m.Place})
	}
	return list
}

// ownFields gives a step the fields of its kind that are compared.
func ownFields(into any, _ func(string, string)) (any, bool) {
	s, ok := into.(*outlineStep)
	if !ok {
		return nil, false
	}
	switch s.Kind {
	case "environment":
		s.act = new(outlineMachine)
	case "materials":
		s.act = new(outlineMaterials)
	case "custody":
		s.act = new(outlineCustody)
	case "handover":
		s.act = new(outlineHandover)
	case "evidence":
		s.act = new(outlineEvidence)
	}
	return s.act, false
}
