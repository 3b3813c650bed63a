package main

import (
	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/pdf"
)

func (p *program) printCommand() *cli.Command {
	return &cli.Command{
		Name:      "print",
		Usage:     "print a script as a booklet for everybody in the room",
		ArgsUsage: "FILE",
		Description: "A cover with the script's hash, the people and the materials, then a box for each\n" +
			"step with blanks for time and initials. The same script gives the same PDF.\n\nExamples:\n" +
			"   keyrite print root-ca.yaml -o root-ca.pdf\n" +
			"   keyrite print root-ca.yaml --for witness-1 --large -o witness-1.pdf",
		Flags: []cli.Flag{&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, which must not exist", Required: true},
			&cli.BoolFlag{Name: "large", Usage: "large print: type of 16 points on the same paper"},
			&cli.StringFlag{Name: "for", Usage: "the booklet of `PERSON`, by id or name: what that person does stands first, their steps are marked"}},
		Action: func(c *cli.Context) error {
			list, err := args(c, 1, 1, "one script file")
			if err != nil {
				return err
			}
			s, b, err := p.readScript(list[0])
			if err != nil {
				return err
			}
			paper, err := bookletFor(s, b, c.String("for"))
			if err != nil {
				return err
			}
			paper.Large = c.Bool("large")
			out, err := pdf.Booklet(transcript.ComposeBooklet(paper), s.Title, paper.SHA256, paper.Large)
			if err != nil {
				return err
			}
			return p.output(c.String("output"), out)
		},
	}
}
