// Command keyrite-verify is the auditor's program: it checks the bundle of a
// key ceremony, offline, and trusts nothing in it. docs/verify.md describes
// what it prints.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/build"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/verify"
)

// name is how the program calls itself.
const name = "keyrite-verify"

// commands are the words that are no folder's name: each is or will be a
// command of its own. A folder of that name is written ./proof.
var commands = []string{"proof", "fork", "cosign", "witness-key", "tsq", "hash", "scan", "help", "version"}

func main() {
	// Checking a log leaves much garbage and keeps little: collecting it half as
	// often as usual takes 10 MB more, and it never needs 150.
	debug.SetGCPercent(200)
	debug.SetMemoryLimit(150 << 20)
	os.Exit(run(os.Args[1:], terminal()))
}

// run carries out a command line and returns the exit code.
func run(args []string, t verify.Terminal) int {
	if len(args) > 0 && slices.Contains(commands, args[0]) {
		return command(args[0], args[1:], t)
	}
	if slices.Contains(beforeDashes(args), "--version") || slices.Contains(beforeDashes(args), "-version") {
		return command("version", nil, t)
	}
	r, err := verify.ParseArgs(args)
	if err != nil {
		fmt.Fprintf(t.Err, "error: %v\nrun '%s --help' for the options\n", err, name)
		return verify.ExitUsage
	}
	if r.Help {
		return command("help", nil, t)
	}
	r.Verifier = name + " " + version()
	r.Recompose = recompose
	return verify.Run(r, t)
}

// recompose makes the transcript again.
func recompose(b verify.Files, entries []*audit.Entry) ([]transcript.Page, []byte, error) {
	return paper.Paper{}.Again(entries, b.Read)
}

// command carries out a command that is named by a word; args follow it.
func command(word string, args []string, t verify.Terminal) int {
	switch word {
	case "help":
		fmt.Fprintf(t.Out, verify.Usage+commandsHelp, name)
		return verify.ExitSound
	case "version":
		fmt.Fprintf(t.Out, "%s version %s\n", name, version())
		return verify.ExitSound
	case "witness-key":
		return newConsole(t).witnessKey(args)
	case "tsq":
		return newConsole(t).tsq(args)
	case "hash":
		return newConsole(t).hash(args)
	case "cosign":
		return newConsole(t).cosign(args)
	case "proof":
		return proof(args, t)
	case "fork":
		return fork(args, t)
	}
	fmt.Fprintf(t.Err, "error: %s has no command %q in this version (a folder of that name is written ./%s)\n", name, word, word)
	return verify.ExitUsage
}

// beforeDashes returns the arguments in front of "--".
func beforeDashes(args []string) []string {
	if i := slices.Index(args, "--"); i >= 0 {
		return args[:i]
	}
	return args
}

// version returns the program's version and what built it.
func version() string { return build.Text() }

// terminal describes the standard streams. Colours are for a terminal only,
// and not if NO_COLOR is set (https://no-color.org).
func terminal() verify.Terminal {
	return verify.Terminal{
		Out: os.Stdout, Err: os.Stderr,
		Color:    isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		Progress: isTerminal(os.Stderr),
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
