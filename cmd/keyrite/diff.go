package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/steps"
)

func (p *program) diffCommand() *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "show what changed between two scripts, in ceremony terms",
		ArgsUsage: "OLD NEW",
		Description: "For those who approve a script: people, tokens, keys, profiles and steps that were\n" +
			"added (+), removed (-), moved (>) or changed (~), with both values. Comments and the\n" +
			"form of the YAML do not count. The scripts need not be possible ceremonies:\n" +
			"'keyrite check' judges that.\n\nExample:\n   keyrite diff approved.yaml root-ca.yaml",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print a JSON array of the differences"}},
		Action: func(c *cli.Context) error {
			list, err := args(c, 2, 2, "two script files")
			if err != nil {
				return err
			}
			before, oldSum, err := p.parseScript(list[0])
			if err != nil {
				return err
			}
			after, newSum, err := p.parseScript(list[1])
			if err != nil {
				return err
			}
			all := ceremony.Diff(before, after)
			if c.Bool("json") {
				return p.printJSON(all)
			}
			fmt.Fprintf(p.out, "old  %s  %s\nnew  %s  %s\n", oldSum, list[0], newSum, list[1])
			p.printDifferences(all)
			return nil
		},
	}
}

// parseScript reads a script of whatever ceremony, and returns its SHA-256 too.
func (p *program) parseScript(file string) (*ceremony.Script, string, error) {
	b, err := readLimited(file, maxScript)
	if err != nil {
		return nil, "", &exitError{exitUsage, err}
	}
	s, problems := ceremony.Parse(file, b, steps.Kinds())
	for _, pr := range problems {
		fmt.Fprintln(p.err, pr)
	}
	if len(problems) > 0 {
		return nil, "", &exitError{exitUsage, fmt.Errorf("%s cannot be read as a script: %d problem(s)", file, len(problems))}
	}
	return s, ceremony.FileOf("", b).SHA256, nil
}

func (p *program) printDifferences(all []ceremony.Difference) {
	if len(all) == 0 {
		fmt.Fprintln(p.out, "\nNo difference that a ceremony would notice.")
		return
	}
	section := ""
	for _, d := range all {
		if d.Section != section {
			section = d.Section
			fmt.Fprintf(p.out, "\n%s\n", section)
		}
		fmt.Fprintf(p.out, "  %s %s\n", d.How, d.What)
		for _, f := range d.Fields {
			fmt.Fprintf(p.out, "      %s\n", strings.ReplaceAll(f, "\n", "\n      "))
		}
	}
}

func (p *program) printJSON(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return p.output("", append(b, '\n'))
}
