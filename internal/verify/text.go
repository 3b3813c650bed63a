package verify

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// WriteJSON writes the report as one JSON object (docs/verify.schema.json).
func (r *Report) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// A printer writes lines and keeps the first error.
type printer struct {
	w     io.Writer
	color bool
	err   error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// The ANSI colours.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	bold   = "1"
)

func (p *printer) paint(code, s string) string {
	if !p.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// WriteText writes the report for a person: one page, the verdict first.
// color adds ANSI colours.
func (r *Report) WriteText(w io.Writer, color bool) error {
	p := &printer{w: w, color: color}
	r.writeVerdict(p)
	r.writeLog(p)
	r.writeFindings(p, Failure, "What does not hold")
	r.writeFindings(p, Warning, "What a reader must know")
	r.writeFindings(p, Remark, "Good to know")
	if r.More > 0 {
		p.line("  … and %d more findings of the same kinds", r.More)
	}
	r.writeChecks(p)
	r.writeVerdicts(p)
	r.writeRefusals(p)
	r.writeMatrix(p)
	r.writeCosignatures(p)
	r.writeTimes(p)
	p.line("")
	p.line("%s", p.paint(bold, "What no log can tell"))
	for _, s := range r.CannotKnow {
		p.line("  - %s", s)
	}
	if p.err != nil {
		return fmt.Errorf("writing the report: %w", p.err)
	}
	return nil
}

func (r *Report) writeVerdict(p *printer) {
	color := map[Verdict]string{Verified: green, Consistent: yellow, Aborted: yellow, InPart: yellow, NotClosed: red, Failed: red}[r.Verdict]
	p.line("%s", p.paint(bold+";"+color, r.headline()))
	for _, s := range r.explain() {
		p.line("  %s", s)
	}
}

// headline is the verdict in capitals.
func (r *Report) headline() string {
	but := ""
	if r.Has(PDFNotCompared) || r.Has(PagesNotCompared) {
		but = "; transcript.pdf was NOT compared with the log"
	}
	switch r.Verdict {
	case Verified:
		return "VERIFIED, anchored by " + strings.Join(r.Anchors, " and ") + but
	case Consistent:
		return "CONSISTENT WITH ITSELF, but nothing from outside anchors all of it" + but
	case Aborted:
		return "ABORTED, sound: the ceremony was given up and its log is closed and whole" + but
	case InPart:
		return r.redactedHeadline(r.anchored())
	case NotClosed:
		return "NOT CLOSED: the ceremony was paused or broke off"
	}
	n := 0
	for _, f := range r.Findings {
		if f.Weight == Failure {
			n++
		}
	}
	return fmt.Sprintf("FAILED: %d findings say that this evidence does not hold", n+r.MoreFailures)
}

func (r *Report) explain() []string {
	var out []string
	if r.Log.Mode == "rehearsal" {
		out = append(out, "This was a REHEARSAL: nothing made in it may be trusted.")
	}
	if r.Log.AbortedBecause != "" {
		out = append(out, "The reason given for the abort: "+Clean(r.Log.AbortedBecause))
	}
	if n := r.unanchored(); n != "" && r.Has(SegmentUnanchored) {
		out = append(out, n)
	}
	if r.Verdict != Verified && len(r.Anchors) > 0 {
		out = append(out, "From outside agrees: "+strings.Join(r.Anchors, " and ")+".")
	}
	if r.WouldAnchor != "" && r.Verdict != Verified {
		out = append(out, r.WouldAnchor)
	}
	return out
}

func (r *Report) writeLog(p *printer) {
	p.line("")
	for _, pair := range [][2]string{
		{"Ceremony", r.Log.Title},
		{"Held by", strings.Trim(r.Log.Organisation+", "+r.Log.Place, ", ")},
		{"Mode", r.Log.Mode},
		{"Time", r.Log.Opened + " to " + r.Log.Ended + " by the machine's clock"},
		{"Log", fmt.Sprintf("%d entries, %d segment(s), %s", r.Log.Size, len(r.Log.Segments), r.Log.Origin)},
		{"Head", r.Log.Head},
		{"Script", "SHA-256 " + r.Script},
	} {
		p.line("  %-9s %s", pair[0], oneLine(pair[1]))
	}
	r.writeApprovals(p)
	for _, s := range r.Log.Segments {
		mark := "not anchored"
		if s.Anchored {
			mark = "anchored"
		}
		p.line("  %-9s %s (entries %d to %d, %s)", fmt.Sprintf("Log key %d", s.Number), Clean(s.LogKey), s.First, s.Last, mark)
	}
	for _, t := range r.Tokens {
		p.line("  %-9s %s", "Token", oneLine(fmt.Sprintf("%s: model %q, serial %q", t.Name, t.Model, t.Serial)))
	}
	r.writeOrigins(p)
	if r.NotTold > 0 {
		p.line("  %-9s %d attribute(s) of keys that a token did not tell", "Not told", r.NotTold)
	}
	for _, s := range r.Signatures {
		p.line("  %-9s key %s signed %d time(s)", "Signed", Clean(s.Key), s.Count)
	}
}

func (r *Report) writeFindings(p *printer, w Weight, title string) {
	color := map[Weight]string{Failure: red, Warning: yellow, Remark: bold}[w]
	first := true
	for _, f := range r.Findings {
		if f.Weight != w {
			continue
		}
		if first {
			p.line("")
			p.line("%s", p.paint(bold, title))
			first = false
		}
		p.line("  %s %s: %s", p.paint(color, string(f.Code)), f.where(), Clean(f.What))
		switch {
		case f.Weight != Failure && f.Expected == "" && f.Found != "":
			p.line("      found %s", Clean(f.Found))
		case f.Expected != "" || f.Found != "":
			p.line("      expected %s, found %s", Clean(orNothing(f.Expected)), Clean(orNothing(f.Found)))
		}
		p.line("      → %s", f.Code.remedy())
	}
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// where says the place of a finding.
func (f *Finding) where() string {
	s := f.File
	if f.Entry >= 0 {
		s = strings.TrimPrefix(s+fmt.Sprintf(", entry %d", f.Entry), ", ")
	}
	if f.Offset >= 0 {
		s += fmt.Sprintf(", byte %d", f.Offset)
	}
	if s == "" {
		return "bundle"
	}
	return Clean(s)
}

func (r *Report) writeChecks(p *printer) {
	p.line("")
	p.line("%s", p.paint(bold, "What was checked"))
	for _, c := range r.Checks {
		color := map[string]string{"holds": green, "fails": red, "not done": yellow}[c.Result]
		counted := ""
		if c.Of != "" {
			counted = fmt.Sprintf(" (%d %s)", c.Count, c.Of)
		}
		note := ""
		if c.Note != "" {
			note = ": " + c.Note
		}
		p.line("  %s %s%s%s", p.paint(color, fmt.Sprintf("%-8s", c.Result)), c.Name, counted, Clean(note))
	}
}

func (r *Report) writeVerdicts(p *printer) {
	if len(r.Verdicts) == 0 {
		return
	}
	p.line("")
	p.line("%s", p.paint(bold, "What the witnesses said last"))
	for _, v := range r.Verdicts {
		said := "gave no verdict"
		switch {
		case v.Given && v.Agrees:
			said = fmt.Sprintf("agrees (entry %d)", v.Entry)
		case v.Given:
			said = fmt.Sprintf("does NOT agree (entry %d): %s", v.Entry, v.Because)
		}
		p.line("  - %s %s", oneLine(v.Name), oneLine(said))
	}
}

func (r *Report) writeRefusals(p *printer) {
	if len(r.Refusals) == 0 {
		return
	}
	p.line("")
	p.line("%s", p.paint(bold, "Who did not agree when asked"))
	for _, s := range r.Refusals {
		effect := "the step went on"
		if s.Stopped {
			effect = "the attempt ended with it"
		}
		p.line("  - %s (entry %d, as %s): %s; %s", oneLine(s.Name), s.Entry, oneLine(s.As), oneLine(s.Because), effect)
	}
}

// maxLine is the most bytes of a text from the bundle on a line of the report.
const maxLine = 160

// oneLine makes one short line of a text from the bundle: white space folded,
// cut off, cleaned.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxLine {
		s = strings.ToValidUTF8(s[:maxLine], "") + "…"
	}
	return Clean(s)
}

// Clean replaces control, format and bidirectional characters, which could
// change what a terminal shows, by "�".
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}
