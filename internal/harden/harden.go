// Package harden keeps a process's memory, in which PINs and the log's key
// live, from being written to disk: no core dump, no reading by a debugger of
// the same user, no page in the swap.
//
// It is best effort. The Go runtime copies what it likes, and PKCS#11 libraries
// keep PINs of their own: docs/threat-model.md says what remains. What could
// not be had is reported, never fatal.
package harden

// A Report says what a process is like after [Process]. Its fields are those of
// audit.Environment.
type Report struct {
	CoreLimit string   // RLIMIT_CORE "soft/hard" in bytes; "0/0" if no core can be written
	Dumpable  bool     // PR_GET_DUMPABLE: false keeps cores and debuggers away
	Locked    bool     // mlockall succeeded: no page goes to the swap
	Swap      bool     // swap is in use on the machine
	Notes     []string // what could not be had and why, for people
}

// Process hardens the process it is called in and reports what came of it. It
// is called once, first thing in main, before a secret is read.
//
// The error joins what should always work and did not: the core limit and the
// dumpable flag. Memory that could not be locked, swap that is in use, and
// another system than Linux are only noted.
func Process() (Report, error) { return process() }
