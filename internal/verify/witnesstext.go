package verify

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// writeTimes says what speaks for the time of the ceremony.
func (r *Report) writeTimes(p *printer) {
	t := r.Times
	if len(t.NotBefore)+len(t.NotAfter)+len(t.Clocks) == 0 {
		return
	}
	p.line("")
	p.line("%s", p.paint(bold, "When it was, besides the machine's clock"))
	for _, b := range t.NotBefore {
		p.line("  not before %s  %s", b.Time, Clean(b.By))
		p.line("      %s", Clean(b.What))
	}
	for _, b := range t.NotAfter {
		p.line("  not after  %s  %s", b.Time, Clean(b.By))
		p.line("      %s", Clean(b.What))
	}
	for _, c := range t.Clocks {
		p.line("  %s (entry %d)", offsetText(c.OffsetMS), c.Entry)
	}
}

// offsetText says how far the machine's clock was from the room's.
func offsetText(ms int64) string {
	switch {
	case ms > 0:
		return fmt.Sprintf("the machine's clock was %s ahead of the room's second clock", seconds(ms))
	case ms < 0:
		return fmt.Sprintf("the machine's clock was %s behind the room's second clock", seconds(-ms))
	}
	return "the machine's clock and the room's second clock agreed"
}

func seconds(ms int64) string { return fmt.Sprintf("%d.%03d s", ms/1000, ms%1000) }

// writeCosignatures lists the witnesses' signatures that verify.
func (r *Report) writeCosignatures(p *printer) {
	if len(r.Cosignatures) == 0 {
		return
	}
	p.line("")
	p.line("%s", p.paint(bold, "Cosignatures that verify"))
	for _, c := range r.Cosignatures {
		what := fmt.Sprintf("%d entries", c.Size)
		if c.Size == r.Log.Size {
			what = "the final checkpoint"
		}
		var more []string
		if c.Late {
			more = append(more, "late: after the close")
		}
		if c.Trusted {
			more = append(more, "key known from outside")
		} else {
			more = append(more, "key known from this bundle alone")
		}
		if c.Exposed {
			more = append(more, "key EXPOSED TO THE MACHINE")
		}
		who := c.Key
		if c.Person != "" {
			who += " (" + r.personName(c.Person) + ")"
		}
		p.line("  - %s on %s, %s by its machine's clock; %s; in %s", Clean(who), what, c.Time, strings.Join(more, "; "), Clean(c.File))
	}
}

// personName returns a witness's name, or the id of somebody else.
func (r *Report) personName(id string) string {
	for _, v := range r.Verdicts {
		if v.Person == id {
			return v.Name
		}
	}
	return id
}

// writeMatrix draws the steps that asked for verdicts against the witnesses.
func (r *Report) writeMatrix(p *printer) {
	if len(r.VerdictSteps) == 0 || len(r.VerdictSteps[0].Said) == 0 {
		return
	}
	rows := [][]string{{""}}
	for _, s := range r.VerdictSteps[0].Said {
		rows[0] = append(rows[0], oneLine(r.personName(s.Person)))
	}
	for _, step := range r.VerdictSteps {
		row := []string{oneLine(step.Step)}
		for _, s := range step.Said {
			cell := map[string]string{"agree": "agrees", "do not agree": "DOES NOT AGREE", "missing": "none given"}[s.Said]
			if cell == "" {
				cell = "-"
			}
			if s.Signed {
				cell += ", signed"
			}
			if s.Exposed {
				cell += " (exposed to the machine)"
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	p.line("")
	p.line("%s", p.paint(bold, "Verdicts by step and witness"))
	for _, line := range columns(rows) {
		p.line("  %s", line)
	}
}

// columns sets rows of cells under one another.
func columns(rows [][]string) []string {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	out := make([]string, len(rows))
	for i, row := range rows {
		var line strings.Builder
		for j, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", width[j]-utf8.RuneCountInString(cell)+2))
		}
		out[i] = strings.TrimRight(line.String(), " ")
	}
	return out
}

// unanchored names the segments that nothing from outside vouches for; "" if
// there is none.
func (r *Report) unanchored() string {
	var which []string
	for _, s := range r.Log.Segments {
		if !s.Anchored && len(which) < maxNamed {
			which = append(which, fmt.Sprintf("segment %d (entries %d to %d)", s.Number, s.First, s.Last))
		}
	}
	if len(which) == 0 {
		return ""
	}
	return "NOTHING from outside vouches for " + strings.Join(which, ", ") + "."
}
