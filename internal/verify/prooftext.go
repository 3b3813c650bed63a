package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// WriteJSON writes the report as one JSON object (docs/proof.md).
func (r *ProofReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

func writeJSON(w io.Writer, report any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(report); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// WriteText writes the report for a person: the verdict, the entry, the log,
// who signed, and what it does not show.
func (r *ProofReport) WriteText(w io.Writer, color bool) error {
	p := &printer{w: w, color: color}
	r.writeHeadline(p)
	r.writeEntry(p)
	r.writeTree(p)
	r.writeSignatures(p)
	if r.Kind != "" {
		p.line("")
		p.line("%s", p.paint(bold, "What this proof does not show"))
		for _, s := range r.notShown() {
			p.line("  - %s", s)
		}
	}
	if p.err != nil {
		return fmt.Errorf("writing the report: %w", p.err)
	}
	return nil
}

func (r *ProofReport) writeHeadline(p *printer) {
	what := fmt.Sprintf("entry %d is in the log", r.Number)
	if r.Kind == "consistency" {
		what = fmt.Sprintf("the log of %d entries begins with the %d whose head you noted", r.Size, r.Number)
	}
	switch r.Verdict {
	case Verified:
		p.line("%s", p.paint(bold+";"+green, "PROVED: "+what+"; anchored by "+Clean(strings.Join(r.Anchors, " and "))))
	case Consistent:
		p.line("%s", p.paint(bold+";"+yellow, "CONSISTENT WITH ITSELF: "+what+", if its head is genuine; nothing from outside vouches for that"))
		p.line("  Anybody can make a log, and a proof that it holds what they like.")
		p.line("  %s", r.WouldAnchor)
	default:
		p.line("%s", p.paint(bold+";"+red, "FAILED: this file does not prove what it should"))
		for _, s := range r.Problems {
			p.line("  - %s", Clean(s))
		}
		if len(r.Anchors) > 0 {
			p.line("  From outside agrees: %s.", Clean(strings.Join(r.Anchors, " and ")))
		}
	}
	if r.Mode == audit.ModeRehearsal {
		p.line("  This was a REHEARSAL: nothing made in it may be trusted.")
	}
}

// writeEntry shows the entry: each member of its data on a line.
func (r *ProofReport) writeEntry(p *printer) {
	if r.entry == nil {
		return
	}
	e := r.entry
	step := "outside a step"
	if e.Step != "" {
		step = "step " + e.Step
	}
	p.line("")
	p.line("%s", p.paint(bold, fmt.Sprintf("Entry %d: %s", e.Seq, e.Kind())))
	p.line("  %s by the machine's clock, %s", e.Time.Format("2006-01-02 15:04:05 UTC"), Clean(step))
	var outer struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(r.Entry, &outer); err == nil {
		for _, m := range flatten("", outer.Data) {
			p.line("  %-20s %s", Clean(m[0]), Clean(m[1]))
		}
	}
}

// flatten lists the members of a JSON value, those of objects and lists inside
// it by their path.
func flatten(path string, b json.RawMessage) (list [][2]string) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	token, err := dec.Token()
	if err != nil {
		return nil
	}
	delim, _ := token.(json.Delim)
	if delim == 0 {
		return [][2]string{{path, fmt.Sprint(token)}}
	}
	for i := 0; dec.More(); i++ {
		at := fmt.Sprintf("%s[%d]", path, i)
		if delim == '{' {
			name, err := dec.Token()
			if err != nil {
				return list
			}
			at = strings.TrimPrefix(fmt.Sprintf("%s.%s", path, name), ".")
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return list
		}
		list = append(list, flatten(at, value)...)
	}
	if len(list) == 0 {
		list = [][2]string{{path, "(none)"}}
	}
	return list
}

func (r *ProofReport) writeTree(p *printer) {
	if r.Kind == "" {
		return
	}
	p.line("")
	p.line("%s", p.paint(bold, "The log that it is of"))
	p.line("  %-9s %s", "Log", Clean(r.Origin))
	p.line("  %-9s %d entries", "Size", r.Size)
	p.line("  %-9s %s", "Head", r.Root)
	if r.EntryHash != "" {
		p.line("  %-9s %s", "Entry", "hash "+r.EntryHash)
	}
}

func (r *ProofReport) writeSignatures(p *printer) {
	if len(r.Signatures) == 0 {
		return
	}
	p.line("")
	p.line("%s", p.paint(bold, "Who signed its head"))
	for _, s := range r.Signatures {
		mark := "not checked: no such key was given"
		if s.Holds {
			mark = p.paint(green, "holds")
		}
		at := ""
		if s.Time != "" {
			at = " of " + s.Time
		}
		p.line("  %s%s by %s, key hash %s: %s", s.Kind, at, oneLine(s.Name), s.KeyHash, mark)
	}
}

// notShown is what a reader might take the proof for.
func (r *ProofReport) notShown() []string {
	if r.Kind == "consistency" {
		return []string{
			"what the entries are: only that the earlier ones were not changed, removed or moved",
			"whether the log is sound otherwise: 'keyrite-verify DIR' checks a whole one",
		}
	}
	list := []string{
		"whether what the entry says is true: only that it stands in this log, in these words",
		"what the other entries say; another may contradict or withdraw it",
		"whether the log is sound otherwise: 'keyrite-verify DIR' checks a whole one",
	}
	closed := false
	if r.entry != nil {
		_, closed = r.entry.Data.(*audit.Close)
	}
	if !closed {
		list = append(list, "whether the log was closed with this head, or went on")
	}
	return list
}
