package main

import (
	"fmt"

	"github.com/keyrite/keyrite/internal/verify"
)

// fork carries out "fork".
func fork(args []string, t verify.Terminal) int {
	r, err := verify.ParseForkArgs(args)
	if err != nil {
		return wrongCommand(err, "fork", t)
	}
	if r.Help {
		fmt.Fprint(t.Out, verify.ForkUsage)
		return verify.ExitSound
	}
	r.Verifier, r.Recompose = name+" "+version(), recompose
	return verify.RunFork(r, t)
}
