//go:build !linux

package harden

import "runtime"

// process can do nothing here: keyrite holds ceremonies on Linux.
func process() (Report, error) {
	return Report{
		CoreLimit: "unknown", Dumpable: true, Swap: true,
		Notes: []string{"on " + runtime.GOOS + " the process cannot be hardened: hold ceremonies on Linux"},
	}, nil
}
