package verify

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// ProofUsage is the help text of "keyrite-verify proof".
const ProofUsage = `usage: keyrite-verify proof [options] FILE

Checks a proof made by 'keyrite log DIR --proof N': that one entry stands in a
ceremony's log, shown without the rest of the log. Or one made by 'keyrite log
DIR --consistency M': that the log still begins with the M entries whose head
you noted earlier. It reads nothing but FILE (docs/proof.md).

options, before or after FILE:
  --log-key KEY        the log key that was read aloud, in the form
                       NAME+HASH+KEY; of a ceremony of several runs, that of
                       the run which signed the checkpoint: the last one's for
                       a final one. It may be given more than once
  --witness-key KEY    the key of a witness who cosigned, also as NAME=KEY; may
                       be given more than once
  --head HEAD          the log's head as noted: 64 hex digits, or 32 words in
                       quotes
  --old-head HEAD      of a consistency proof: the head that you noted earlier
  --require-anchor     exit 1 if no key or head from outside vouches for it
  --json               print the report as JSON (docs/proof.md)
  --help               print this

examples:
  keyrite-verify proof --log-key "$(cat noted-key.txt)" entry-12.tlog-proof
  keyrite-verify proof --old-head "$(cat noted-in-may.txt)" growth.proof

exit codes:
  0  the proof holds; without a key or head it is only consistent with itself
  1  it does not hold, or is not anchored though that was required
  2  wrong use
  3  the file cannot be read
`

// A ProofRequest is a command line of "keyrite-verify proof", understood.
type ProofRequest struct {
	File       string
	JSON, Help bool
	ProofOptions
}

// ParseProofArgs reads the arguments behind "proof", options in any place before
// "--". The error wraps [ErrUsage].
func ParseProofArgs(args []string) (*ProofRequest, error) {
	r := new(ProofRequest)
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.BoolVar(&r.JSON, "json", false, "")
	fs.BoolVar(&r.RequireAnchor, "require-anchor", false, "")
	fs.StringVar(&r.Head, "head", "", "")
	fs.StringVar(&r.OldHead, "old-head", "", "")
	fs.Func("log-key", "", func(s string) error { r.LogKeys = append(r.LogKeys, s); return nil })
	fs.Func("witness-key", "", func(s string) error { r.WitnessKeys = append(r.WitnessKeys, s); return nil })
	options, rest := Arrange(args, []string{"head", "old-head", "log-key", "witness-key"})
	err := fs.Parse(options)
	switch {
	case errors.Is(err, flag.ErrHelp):
		r.Help = true
		return r, nil
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	case len(rest) != 1 || rest[0] == "":
		return nil, fmt.Errorf("%w: one file with a proof is wanted, found %d", ErrUsage, len(rest))
	}
	r.File = rest[0]
	return r, nil
}

// RunProof checks the proof that a request names and prints the report. It
// returns the exit code.
func RunProof(r *ProofRequest, t Terminal) int {
	report, err := CheckProof(r.File, r.ProofOptions)
	if err != nil {
		return t.refuse(err)
	}
	return t.print(report, r.JSON, report.Exit)
}

// refuse says why nothing was checked and returns the exit code.
func (t Terminal) refuse(err error) int {
	fmt.Fprintf(t.Err, "error: %v\n", err)
	if errors.Is(err, ErrUsage) {
		return ExitUsage
	}
	return ExitUnreadable
}

// print writes a report and returns its exit code.
func (t Terminal) print(report interface {
	WriteJSON(io.Writer) error
	WriteText(io.Writer, bool) error
}, asJSON bool, exit int) int {
	var err error
	if asJSON {
		err = report.WriteJSON(t.Out)
	} else {
		err = report.WriteText(t.Out, t.Color)
	}
	if err != nil {
		return t.refuse(err)
	}
	return exit
}
