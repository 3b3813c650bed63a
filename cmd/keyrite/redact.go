package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/internal/redact"
	"github.com/keyrite/keyrite/internal/verify"
)

func (p *program) redactCommand() *cli.Command {
	return &cli.Command{
		Name:      "redact",
		Usage:     "copy a closed ceremony's bundle with some entries hidden",
		ArgsUsage: "DIR",
		Description: "A hidden entry stands as its hash alone: the log keeps its chain, head and\n" +
			"signatures, and 'keyrite verify' says what is hidden and what it could therefore\n" +
			"not check. The transcript and the artifacts that hidden entries speak of are left\n" +
			"out. What opens, begins, ends and closes is never hidden. See docs/bundle.md.\n\nExample:\n" +
			"   keyrite redact ceremony-2026 --hide kind=attendance --hide person=w2 -o for-the-press\n" +
			"   keyrite redact ceremony-2026 --hide step=sub-certificate --hide entry=40-44 -o copy",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "hide", Usage: "hide `WHAT`: kind=K, person=ID, step=ID, entry=N or entry=N-M; may be given more than once", Required: true},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "make the copy in `DIR2`, which must not exist", Required: true},
		},
		Action: p.redact,
	}
}

func (p *program) redact(c *cli.Context) error {
	dir, err := bundleArg(c)
	if err != nil {
		return err
	}
	s, err := redact.ParseSelection(c.StringSlice("hide"))
	if err != nil {
		return usage("--hide %v", err)
	}
	out := c.String("output")
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		return usage("%s exists, and nothing is overwritten: give another name", out)
	}
	if _, err := soundBundle(dir); err != nil {
		return &exitError{exitFailed, fmt.Errorf("%w: it is not copied", err)}
	}
	plan, err := redact.Copy(dir, out, s)
	if err != nil {
		return &exitError{exitFailed, err}
	}
	report, err := soundBundle(out)
	if err != nil {
		return &exitError{exitFailed, errors.Join(fmt.Errorf("the copy: %w: it is removed again", err), os.RemoveAll(out))}
	}
	p.sayHidden(out, plan, report)
	return nil
}

// soundBundle verifies a bundle that must be closed and sound.
func soundBundle(dir string) (*verify.Report, error) {
	report, err := verify.Bundle(dir, verify.Options{Verifier: "keyrite " + version, Recompose: recompose})
	if err != nil {
		return nil, err
	}
	switch report.Verdict {
	case verify.NotClosed:
		return nil, fmt.Errorf("%s is not closed", dir)
	case verify.Failed:
		for _, f := range report.Findings {
			if f.Weight == verify.Failure {
				return nil, fmt.Errorf("%s does not verify: %s, %s", dir, f.Code, f.What)
			}
		}
		return nil, fmt.Errorf("%s does not verify", dir)
	}
	return report, nil
}

// maxElsewhere is how many texts that stay readable are told.
const maxElsewhere = 20

// sayHidden tells what the copy hides, and what it does not.
func (p *program) sayHidden(out string, plan *redact.Plan, report *verify.Report) {
	var ranges []string
	for _, r := range plan.Hidden {
		ranges = append(ranges, r.String())
	}
	fmt.Fprintf(p.err, "wrote %s: %d of %d entries are hidden (%s).\n", out, report.Redaction.Entries, plan.Size, strings.Join(ranges, ", "))
	fmt.Fprintf(p.err, "Its head is that of the original, %s.\n", report.Log.Head)
	if len(plan.LeftOut) > 0 {
		fmt.Fprintf(p.err, "Left out: %s.\n", strings.Join(plan.LeftOut, ", "))
	}
	if len(plan.Frame) > 0 {
		fmt.Fprintf(p.err, "Selected, but never hidden: entries %s.\n", strings.Join(plan.Frame, ", "))
	}
	elsewhere := plan.Elsewhere()
	if len(elsewhere) == 0 {
		return
	}
	fmt.Fprintln(p.err, "Words of hidden entries that can still be read elsewhere in the copy; hide those entries too if that matters (the first entry and the script always show the people and steps):")
	for _, s := range elsewhere[:min(len(elsewhere), maxElsewhere)] {
		fmt.Fprintf(p.err, "   %q\n", s)
	}
	if n := len(elsewhere) - maxElsewhere; n > 0 {
		fmt.Fprintf(p.err, "   and %d more\n", n)
	}
}
