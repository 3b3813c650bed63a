package main

import (
	"fmt"

	"github.com/keyrite/keyrite/internal/verify"
)

// proof carries out "proof".
func proof(args []string, t verify.Terminal) int {
	r, err := verify.ParseProofArgs(args)
	if err != nil {
		return wrongCommand(err, "proof", t)
	}
	if r.Help {
		fmt.Fprint(t.Out, verify.ProofUsage)
		return verify.ExitSound
	}
	r.Verifier = name + " " + version()
	return verify.RunProof(r, t)
}

// wrongCommand says why a command's arguments were not understood.
func wrongCommand(err error, command string, t verify.Terminal) int {
	fmt.Fprintf(t.Err, "error: %v\nrun '%s %s --help' for the options\n", err, name, command)
	return verify.ExitUsage
}
