// Package build says which program this is: the version and commit that the
// build set, and the Go version that it was built with.
package build

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// number and commit are set by the linker, see the Makefile.
var number, commit string

// Unknown is the version of a program that was built without one.
const Unknown = "dev"

// Number returns the version: what the build set, else the module version that
// Go knows, else [Unknown].
func Number() string {
	if number != "" {
		return number
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return Unknown
	}
	return info.Main.Version
}

// Commit returns the commit that the program was built from in hex, with
// "-dirty" behind it if files had been changed; "" if it is not known.
func Commit() string {
	if commit != "" {
		return commit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	if set["vcs.revision"] != "" && set["vcs.modified"] == "true" {
		return set["vcs.revision"] + "-dirty"
	}
	return set["vcs.revision"]
}

// Text returns the version for a person, on one line:
// "v1.2.0, commit 4f1c…, go1.26.8 linux/amd64"; the commit only if it is known.
func Text() string {
	s := Number()
	if c := Commit(); c != "" {
		s += ", commit " + c
	}
	return fmt.Sprintf("%s, %s %s/%s", s, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
