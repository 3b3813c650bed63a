package redact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// A Plan says what a copy hides and lacks.
type Plan struct {
	bundle.Redaction
	Size  int64    // entries in the log
	Frame []string // entries that were selected and stay, because no log can be checked without them: "12 (step-begin)"

	entries [][]byte // as the copy has them
	hidden  []*audit.Entry
	script  []byte
}

// A line is one entry of the source.
type line struct {
	*audit.Entry // nil if it is hidden there already
	encoded      []byte
	hide         bool
}

// newPlan decides what is hidden of a log, given its entries.
func newPlan(encoded [][]byte, s Selection) (*Plan, error) {
	lines, err := parse(encoded)
	if err != nil {
		return nil, err
	}
	open, ok := lines[0].Data.(*audit.LogOpen)
	if !ok {
		return nil, fmt.Errorf("redacting: entry 0 is %s, not log-open", lines[0].Kind())
	}
	if err := s.check(open, int64(len(lines))); err != nil {
		return nil, err
	}
	p := &Plan{Size: int64(len(lines))}
	p.Origin = open.Origin
	if err := p.mark(lines, s); err != nil {
		return nil, err
	}
	together(lines)
	for i := range lines {
		p.take(int64(i), &lines[i])
	}
	return p, nil
}

func parse(encoded [][]byte) ([]line, error) {
	lines := make([]line, len(encoded))
	for i, b := range encoded {
		lines[i] = line{encoded: b}
		if _, hidden := audit.ParseHidden(b); hidden {
			continue
		}
		e, err := audit.Parse(b)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		lines[i].Entry = e
	}
	if len(lines) == 0 || lines[0].Entry == nil {
		return nil, fmt.Errorf("redacting: there is no first entry")
	}
	return lines, nil
}

// mark marks the entries that the selection takes in.
func (p *Plan) mark(lines []line, s Selection) error {
	any := false
	for i := range lines {
		l := &lines[i]
		if l.Entry == nil {
			continue
		}
		selected, err := s.selects(l.Entry, l.encoded)
		if err != nil {
			return err
		}
		switch {
		case !selected:
		case slices.Contains(frame, l.Kind()) && s.named(l.Seq):
			return fmt.Errorf("hiding entry=%d: it is of the kind %s, which is never hidden: without it nobody could check the log", l.Seq, l.Kind())
		case slices.Contains(frame, l.Kind()):
			p.Frame = append(p.Frame, fmt.Sprintf("%d (%s)", l.Seq, l.Kind()))
		default:
			l.hide, any = true, true
		}
	}
	if !any {
		return fmt.Errorf("nothing in the log is hidden by this selection")
	}
	return nil
}

// together marks what must be hidden besides: the entries that commit to the
// transcript, whose digests are not salted, and of each object to be signed
// both its announcement and the artifact, which hold the same bytes.
func together(lines []line) {
	objects := map[string]bool{}
	for i := range lines {
		if l := &lines[i]; l.Entry != nil && l.hide {
			for _, name := range objectsOf(l.Entry) {
				objects[name] = true
			}
		}
	}
	for i := range lines {
		l := &lines[i]
		if l.Entry == nil {
			continue
		}
		_, page := l.Data.(*audit.Transcript)
		l.hide = l.hide || page || slices.ContainsFunc(objectsOf(l.Entry), func(name string) bool { return objects[name] })
	}
}

// objectsOf returns the artifacts that an entry announces or records: a detached
// signature belongs to the file that it is for.
func objectsOf(e *audit.Entry) []string {
	switch d := e.Data.(type) {
	case *audit.ToBeSigned:
		return []string{d.For, d.TBS.Name}
	case *audit.Artifact:
		if file, sig := strings.CutSuffix(d.File.Name, ".sig"); sig && d.Object == "signature" {
			return []string{d.File.Name, file}
		}
		return []string{d.File.Name}
	}
	return nil
}

// take takes an entry into the copy.
func (p *Plan) take(seq int64, l *line) {
	if l.hide {
		p.hidden = append(p.hidden, l.Entry)
		l.encoded = audit.Hidden{Seq: seq, Hash: audit.LeafHash(l.encoded)}.Marshal()
	}
	p.entries = append(p.entries, l.encoded)
	if !l.hide && l.Entry != nil {
		return
	}
	if n := len(p.Hidden); n > 0 && p.Hidden[n-1].To+1 == seq {
		p.Hidden[n-1].To = seq
	} else {
		p.Hidden = append(p.Hidden, bundle.Range{From: seq, To: seq})
	}
}

// leaveOut decides which files are not in the copy, given the source's files and
// those that the source itself lacks.
func (p *Plan) leaveOut(files []bundle.File, before []string) error {
	bound := map[string]int64{} // by a hidden entry
	for _, e := range p.hidden {
		for _, name := range filesOf(e) {
			bound[name] = e.Seq
		}
	}
	for i, b := range p.entries {
		if e, err := audit.Parse(b); err == nil {
			for _, name := range filesOf(e) {
				if seq, both := bound[name]; both {
					return fmt.Errorf("hiding entry %d: entry %d, which stays, speaks of the same file, %s: hide both, or neither", seq, i, name)
				}
			}
		}
	}
	p.LeftOut = slices.Clone(before)
	for _, f := range files {
		_, hidden := bound[f.Name]
		if hidden || f.Name == bundle.TranscriptFile || strings.HasPrefix(f.Name, bundle.AfterDir+"/") && !harmless(f.Name) {
			p.LeftOut = append(p.LeftOut, f.Name)
		}
	}
	slices.Sort(p.LeftOut)
	p.LeftOut = slices.Compact(p.LeftOut)
	p.Replaced = []string{bundle.DatabaseFile, bundle.LogFile}
	return nil
}

// harmless reports whether a file in after/ speaks of the head alone.
func harmless(name string) bool {
	return bundle.IsCosignatureFile(name) || name == bundle.TimestampFile
}

// filesOf returns the files that show what an entry says.
func filesOf(e *audit.Entry) []string {
	switch d := e.Data.(type) {
	case *audit.ToBeSigned:
		return []string{d.TBS.Name}
	case *audit.Artifact:
		return []string{d.File.Name}
	case *audit.CSR:
		return []string{d.File.Name}
	case *audit.ScriptApproval:
		if d.Note != "" {
			return []string{bundle.ApprovalFile(d.Person)}
		}
	case *audit.WitnessKeyRead:
		return []string{bundle.WitnessKeyFile(d.Person)}
	}
	return nil
}
