package verify

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// WriteJSON writes the report as one JSON object (docs/verify.md).
func (r *ForkReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// WriteText writes the report for a person.
func (r *ForkReport) WriteText(w io.Writer, color bool) error {
	p := &printer{w: w, color: color}
	paint := map[Relation]string{Same: green, Prefix: green, Different: yellow, Forked: red, NotAllSound: red, Unprovable: yellow}[r.Relation]
	p.line("%s", p.paint(bold+";"+paint, r.headline()))
	if r.Relation == Forked && r.Common >= 0 {
		p.line("  Somebody copied or rolled back the folder, and two runs went on from entry %d. The head or the log key that", r.Common-1)
		p.line("  the room noted tells which of them it held: keyrite-verify DIR --head HEAD.")
	}
	if r.Note != "" {
		p.line("  %s", r.Note)
	}
	for i := range r.Sides {
		r.writeSide(p, i)
	}
	if p.err != nil {
		return fmt.Errorf("writing the report: %w", p.err)
	}
	return nil
}

func (r *ForkReport) headline() string {
	a, b := &r.Sides[0], &r.Sides[1]
	switch r.Relation {
	case Same:
		return fmt.Sprintf("SAME: one log, %d entries on both sides", r.Common)
	case Prefix:
		short, long := a, b
		if b.Size < a.Size {
			short, long = b, a
		}
		return fmt.Sprintf("PREFIX: %s is the beginning of %s: they share %d entries", Clean(short.Name), Clean(long.Name), r.Common)
	case Different:
		return "DIFFERENT LOGS: their origins differ, so they have nothing to do with each other"
	case Forked:
		if r.Common < 0 {
			return "FORK: one log with two heads"
		}
		return fmt.Sprintf("FORK: they share the first %d entries and part at entry %d", r.Common, r.Common)
	case Unprovable:
		return "CANNOT TELL: what was given does not decide it"
	}
	return "FAILED: not both sides verify"
}

func (r *ForkReport) writeSide(p *printer, i int) {
	s := &r.Sides[i]
	p.line("")
	p.line("%s", p.paint(bold, fmt.Sprintf("%c: %s", 'A'+rune(i), Clean(s.Name))))
	what := s.Kind
	if s.Verdict != "" {
		what += ", " + string(s.Verdict)
	}
	p.line("  %-9s %s", "Is", what)
	for _, problem := range s.Problems {
		p.line("  %-9s %s", "Problem", Clean(problem))
	}
	p.line("  %-9s %s, %d entries", "Log", Clean(s.Origin), s.Size)
	p.line("  %-9s %s", "Head", s.Head)
	if e := s.Entry; e != nil {
		step := "outside a step"
		if e.Step != "" {
			step = "step " + e.Step
		}
		p.line("  %-9s entry %d: %s, %s, %s", "Goes on", e.Seq, Clean(e.Kind), Clean(step), e.Time)
		p.line("  %-9s its hash is %s", "", e.Hash)
	}
	if s.Key != "" {
		p.line("  %-9s %s", "Signed by", Clean(s.Key))
	}
}

// ForkUsage is the help text of "keyrite-verify fork".
const ForkUsage = `usage: keyrite-verify fork [options] A B

Says how two logs stand to each other: the same, one the beginning of the other,
two different logs, or a FORK: one log that was continued in two ways, as when
its folder was copied in a break. Then it names the first entry in which they
part, and which key signed each side. A and B are folders of bundles, both
checked first; one or both may be a file with a checkpoint or a proof.

options, before or after A and B:
  --json               print the report as JSON (docs/verify.md)
  --help               print this

example:
  keyrite-verify fork ceremony-from-the-vault/ ceremony-from-the-auditor/

exit codes:
  0  the same, one the beginning of the other, or different logs
  1  a fork; or a side does not verify, or it cannot be told
  2  wrong use
  3  a side cannot be read
`

// A ForkRequest is a command line of "keyrite-verify fork", understood.
type ForkRequest struct {
	A, B       string
	JSON, Help bool
	Options
}

// ParseForkArgs reads the arguments behind "fork", options in any place before
// "--". The error wraps [ErrUsage].
func ParseForkArgs(args []string) (*ForkRequest, error) {
	r := new(ForkRequest)
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.BoolVar(&r.JSON, "json", false, "")
	options, rest := Arrange(args, nil)
	err := fs.Parse(options)
	switch {
	case errors.Is(err, flag.ErrHelp):
		r.Help = true
		return r, nil
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	case len(rest) != 2 || rest[0] == "" || rest[1] == "":
		return nil, fmt.Errorf("%w: two bundles are wanted, found %d", ErrUsage, len(rest))
	}
	r.A, r.B = rest[0], rest[1]
	return r, nil
}

// RunFork compares what a request names and prints the report. It returns the
// exit code.
func RunFork(r *ForkRequest, t Terminal) int {
	report, err := Fork(r.A, r.B, r.Options)
	if err != nil {
		return t.refuse(err)
	}
	return t.print(report, r.JSON, report.Exit)
}
