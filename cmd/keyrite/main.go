// Command keyrite runs key ceremonies: it walks a room through a script, drives
// the HSM through PKCS#11 and records every call and every human act.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/internal/build"
)

// version is this program's, as the log names it.
var version = build.Number()

func main() { os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr)) }

// A program is what the commands need of the process.
type program struct {
	in       *os.File
	out, err io.Writer
}

// run runs a command line and returns the exit code.
func run(args []string, in *os.File, out, errOut io.Writer) int {
	p := &program{in: in, out: out, err: errOut}
	app := p.app()
	ordered, err := orderArgs(app, args)
	if err == nil {
		err = app.Run(ordered)
	}
	if err == nil {
		return exitDone
	}
	var c *exitError
	if errors.As(err, &c) {
		if c.err != nil {
			p.complain(c.err)
		}
		return c.code
	}
	p.complain(err)
	return exitUsage
}

func (p *program) complain(err error) {
	text := strings.ReplaceAll(err.Error(), "\n", "\n         ")
	fmt.Fprintf(p.err, "keyrite: %s\n", text)
	if h := hint(err); h != "" {
		fmt.Fprintf(p.err, "What to do: %s\n", h)
	}
}

func (p *program) app() *cli.App {
	app := &cli.App{
		Name:    "keyrite",
		Usage:   "runs key ceremonies that can be checked years later",
		Version: build.Text(),
		Description: "keyrite walks a room through a ceremony script, drives the HSM through PKCS#11, and\n" +
			"records every HSM call and every human act in a signed, hash-chained log.\n\n" +
			"   keyrite new root-ca -o root-ca.yaml          write a script from a template\n" +
			"   keyrite check root-ca.yaml                   find its mistakes\n" +
			"   keyrite approve root-ca.yaml --key my.key    sign its hash, as an approver\n" +
			"   keyrite rehearse root-ca.yaml --out trial    try it on a throw-away token\n" +
			"   keyrite run root-ca.yaml --out ceremony      the ceremony\n" +
			"   keyrite resume ceremony                      go on after a pause or a break\n" +
			"   keyrite verify ceremony                      check the result\n\n" +
			"Exit codes: 0 done, verified · 1 the check failed, or the ceremony was aborted ·\n" +
			"2 wrong use, or a script that does not check · 3 module, token, disk or clock ·\n" +
			"4 paused: 'keyrite resume' goes on.",
		Reader: p.in, Writer: p.out, ErrWriter: p.err,
		HideHelpCommand: true,
		ExitErrHandler:  func(*cli.Context, error) {},
		OnUsageError:    usageError,
		Commands: []*cli.Command{
			p.newCommand(), p.checkCommand(), p.diffCommand(), p.printCommand(), p.approveCommand(), p.rehearseCommand(), p.runCommand(), p.resumeCommand(),
			p.logCommand(), p.followCommand(), p.transcriptCommand(), p.verifyCommand(), p.redactCommand(), p.tokenCommand(),
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usage("there is no command %q; 'keyrite --help' lists them", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
	for _, c := range app.Commands {
		c.OnUsageError = usageError
		c.HideHelpCommand = true
	}
	return app
}

func usageError(_ *cli.Context, err error, _ bool) error {
	return usage("%v", err)
}
