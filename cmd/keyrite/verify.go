package main

import (
	"os"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/build"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/verify"
)

func (p *program) verifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "check a ceremony's bundle, trusting nobody who was in the room",
		ArgsUsage: "DIR",
		Description: "Checks every entry, signature, certificate and page, offline. What is trusted comes\n" +
			"from outside: the log key that was read aloud, or the head on paper.\n\nExample:\n" +
			"   keyrite verify ceremony-2026\n" +
			"   keyrite verify ceremony-2026 --log-key 'keyrite.ceremony/…' --require-anchor\n" +
			"   keyrite verify ceremony-2026 --head 'adult aardvark …'",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "log-key", Usage: "verifier `KEY` of the log that was read aloud; once for each segment"},
			&cli.StringFlag{Name: "head", Usage: "final `HEAD` of the log, as hex or words"},
			&cli.StringSliceFlag{Name: "witness-key", Usage: "verifier `KEY` of a witness, or PERSON=KEY; once for each"},
			&cli.StringFlag{Name: "policy", Usage: "whose cosignatures are wanted: a C2SP tlog-policy in `FILE`"},
			&cli.BoolFlag{Name: "count-exposed", Usage: "let witnesses' keys count that were unlocked on the ceremony machine"},
			&cli.StringFlag{Name: "tsa-ca", Usage: "CAs of time-stamp authorities, PEM in `FILE`"},
			&cli.StringFlag{Name: "script-sha256", Usage: "SHA-256 of the agreed script, `HEX`"},
			&cli.BoolFlag{Name: "require-anchor", Usage: "fail if nothing from outside anchors the log"},
			&cli.BoolFlag{Name: "json", Usage: "print the report as JSON"},
		},
		Action: p.verify,
	}
}

func (p *program) verify(c *cli.Context) error {
	list, err := args(c, 1, 1, "one bundle folder")
	if err != nil {
		return err
	}
	r := &verify.Request{Dir: list[0], JSON: c.Bool("json"), PolicyFile: c.String("policy"), TSACAFile: c.String("tsa-ca"), Options: verify.Options{
		WitnessKeys: c.StringSlice("witness-key"),
		LogKeys:     c.StringSlice("log-key"), Head: c.String("head"), ScriptSHA256: c.String("script-sha256"),
		RequireAnchor: c.Bool("require-anchor"), CountExposed: c.Bool("count-exposed"), Verifier: "keyrite " + build.Text(), Recompose: recompose,
	}}
	t := verify.Terminal{Out: p.out, Err: p.err, Color: colors(os.Stdout), Progress: isTerminal(os.Stderr)}
	if code := verify.Run(r, t); code != 0 {
		return &exitError{code: code}
	}
	return nil
}

func recompose(b verify.Files, entries []*audit.Entry) ([]transcript.Page, []byte, error) {
	return paper.Paper{}.Again(entries, b.Read)
}
