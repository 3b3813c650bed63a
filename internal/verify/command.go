package verify

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// A Terminal is where a command's words go.
type Terminal struct {
	Out, Err io.Writer
	Color    bool // Out shows colours
	Progress bool // Err is watched by a person
}

// A Request is a command line of the check, understood.
type Request struct {
	Dir  string
	JSON bool
	Help bool

	PolicyFile string // read into Policy
	TSACAFile  string // read into TSACA
	Options
}

// Usage is the help text of the check. %[1]s is what the reader typed to get
// it: "keyrite-verify" or "keyrite verify".
const Usage = `usage: %[1]s [options] DIR

Checks the bundle of a key ceremony in the folder DIR and says what holds, what
does not, and what no log can tell. It reads nothing outside DIR but the files
that options name, and writes nothing.

options, before or after DIR:
  --log-key KEY        the log key that was read aloud, in the form
                       NAME+HASH+KEY; once for each segment
  --head HEAD          the log's head as noted at the close: 64 hex digits, or
                       32 words in quotes
  --witness-key KEY    the verifier key of a witness, or PERSON=KEY: what it
                       cosigned, it vouches for; once for each witness
  --policy FILE        whose cosignatures are wanted, as a C2SP tlog-policy
  --count-exposed      let the keys of witnesses count that were unlocked on the
                       ceremony machine, which no policy does by itself
  --tsa-ca FILE        certificates (PEM) of the CAs of time-stamp authorities
                       that you trust, for after/head.tsr
  --script-sha256 HEX  the SHA-256 of the script that was agreed
  --require-anchor     exit 1 if nothing from outside vouches for the log
  --json               print the report as JSON (docs/verify.schema.json)
  --help               print this

example:
  %[1]s --head "$(cat noted-head.txt)" root-ceremony/
  %[1]s root-ceremony/ --witness-key "$(cat alice.vkey)" --tsa-ca tsa-ca.pem

exit codes:
  0  sound: verified, consistent with itself, or aborted and closed
  1  failed, not closed, or not anchored though that was required
  2  wrong use
  3  there is no bundle to read
`

// ParseArgs reads a command line, options in any place before "--". The error
// wraps [ErrUsage].
func ParseArgs(args []string) (*Request, error) {
	r := new(Request)
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.BoolVar(&r.JSON, "json", false, "")
	fs.BoolVar(&r.RequireAnchor, "require-anchor", false, "")
	fs.BoolVar(&r.CountExposed, "count-exposed", false, "")
	fs.StringVar(&r.PolicyFile, "policy", "", "")
	fs.StringVar(&r.TSACAFile, "tsa-ca", "", "")
	fs.Func("witness-key", "", func(s string) error { r.WitnessKeys = append(r.WitnessKeys, s); return nil })
	fs.StringVar(&r.Head, "head", "", "")
	fs.StringVar(&r.ScriptSHA256, "script-sha256", "", "")
	fs.Func("log-key", "", func(s string) error { r.LogKeys = append(r.LogKeys, s); return nil })
	options, rest := Arrange(args, []string{"head", "script-sha256", "log-key", "witness-key", "policy", "tsa-ca"})
	err := fs.Parse(options)
	if errors.Is(err, flag.ErrHelp) {
		r.Help = true
		return r, nil
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	case len(rest) == 0:
		return nil, fmt.Errorf("%w: which bundle? name its folder", ErrUsage)
	case len(rest) > 1:
		return nil, fmt.Errorf("%w: one bundle at a time, found %q besides %q", ErrUsage, rest[1], rest[0])
	case rest[0] == "" || rest[0] == "-":
		return nil, fmt.Errorf("%w: folder %q", ErrUsage, rest[0])
	}
	r.Dir = rest[0]
	return r, nil
}

// Arrange parts a command line into options and other arguments, wherever they
// stand, as package flag would read them if all options came first. valued
// names the options that take a value. What follows "--" is no option.
func Arrange(args, valued []string) (options, rest []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return options, append(rest, args[i+1:]...)
		}
		if len(arg) < 2 || arg[0] != '-' {
			rest = append(rest, arg)
			continue
		}
		options = append(options, arg)
		name := strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
		if slices.Contains(valued, name) && i+1 < len(args) {
			i++
			options = append(options, args[i])
		}
	}
	return options, rest
}

// Run makes the check that a request asks for and prints the report. It
// returns the exit code.
func Run(r *Request, t Terminal) int {
	o, err := r.read()
	if err != nil {
		fmt.Fprintf(t.Err, "error: %v\n", err)
		return ExitUsage
	}
	if t.Progress {
		o.Progress = func(n int64) {
			if n > 0 {
				fmt.Fprintf(t.Err, "\r%d entries read", n)
			}
		}
	}
	report, err := Bundle(r.Dir, o)
	if t.Progress && report != nil && report.Log.Size > 4096 {
		fmt.Fprint(t.Err, "\r\x1b[K")
	}
	if report == nil {
		fmt.Fprintf(t.Err, "error: %v\n", err)
		if errors.Is(err, ErrUsage) {
			return ExitUsage
		}
		return ExitUnreadable
	}
	if err == nil && r.JSON {
		err = report.WriteJSON(t.Out)
	} else if err == nil {
		err = report.WriteText(t.Out, t.Color)
	}
	if err != nil {
		fmt.Fprintf(t.Err, "error: %v\n", err)
		return ExitUnreadable
	}
	return report.Exit
}

// read returns the options with the files that they name.
func (r *Request) read() (Options, error) {
	o := r.Options
	for _, f := range []struct {
		name string
		into *[]byte
	}{{r.PolicyFile, &o.Policy}, {r.TSACAFile, &o.TSACA}} {
		if f.name == "" {
			continue
		}
		b, err := readGiven(f.name)
		if err != nil {
			return o, fmt.Errorf("%w: %w", ErrUsage, err)
		}
		*f.into = b
	}
	return o, nil
}

// readGiven reads a small file that an option names. An empty one is none.
func readGiven(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, err)
	}
	if len(b) == 0 || len(b) > maxSmall {
		return nil, fmt.Errorf("reading %q: %d bytes, not 1 to %d", name, len(b), maxSmall)
	}
	return b, nil
}
