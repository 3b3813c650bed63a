package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/verify"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

func TestRun(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{})
	for _, test := range []struct {
		name     string
		args     []string
		exit     int
		out, err string
	}{
		{"bundle", []string{b.Dir}, verify.ExitSound, "CONSISTENT", ""},
		{"option behind", []string{b.Dir, "--log-key", b.LogKeys[0]}, verify.ExitSound, "VERIFIED", ""},
		{"option before", []string{"--head", b.Head, b.Dir}, verify.ExitSound, "VERIFIED", ""},
		{"json", []string{b.Dir, "--json"}, verify.ExitSound, `"verdict": "consistent"`, ""},
		{"another head", []string{b.Dir, "--head", b.ScriptSHA256}, verify.ExitFailed, "E-HEAD-DIFFERS", ""},
		{"help", []string{"--help"}, 0, "usage: keyrite-verify", ""},
		{"help behind", []string{b.Dir, "--help"}, 0, "example:", ""},
		{"help word", []string{"help"}, 0, "exit codes:", ""},
		{"version", []string{"--version"}, 0, "keyrite-verify ", ""},
		{"nothing", nil, verify.ExitUsage, "", "which bundle?"},
		{"unknown option", []string{b.Dir, "--jsn"}, verify.ExitUsage, "", "jsn"},
		{"later command", []string{"scan", "x"}, verify.ExitUsage, "", `no command "scan" in this version`},
		{"proof help", []string{"proof", "--help"}, 0, "--old-head", ""},
		{"proof of nothing", []string{"proof"}, verify.ExitUsage, "", "run 'keyrite-verify proof --help'"},
		{"proof without a file", []string{"proof", "nowhere"}, verify.ExitUnreadable, "", "opening the proof"},
		{"no proof", []string{"proof", b.Path("checkpoint")}, verify.ExitFailed, "FAILED", ""},
		{"fork help", []string{"fork", "--help"}, 0, "FORK", ""},
		{"fork of one", []string{"fork", b.Dir}, verify.ExitUsage, "", "two bundles are wanted"},
		{"no fork", []string{"fork", b.Dir, b.Path("checkpoint")}, 0, "SAME", ""},
		{"fork of nothing", []string{"fork", b.Dir, "nowhere"}, verify.ExitUnreadable, "", "nowhere"},
		{"folder of that name", []string{"./proof"}, verify.ExitUnreadable, "", "opening the bundle"},
		{"after dashes", []string{"--", "--version"}, verify.ExitUnreadable, "", "opening the bundle"},
	} {
		var out, errs bytes.Buffer
		if exit := run(test.args, verify.Terminal{Out: &out, Err: &errs}); exit != test.exit {
			t.Errorf("%s: exit %d, want %d\n%s%s", test.name, exit, test.exit, out.String(), errs.String())
		}
		if !strings.Contains(out.String(), test.out) || test.out == "" && out.Len() > 0 {
			t.Errorf("%s: printed %q, want %q", test.name, out.String(), test.out)
		}
		if !strings.Contains(errs.String(), test.err) || test.err == "" && errs.Len() > 0 {
			t.Errorf("%s: said %q, want %q", test.name, errs.String(), test.err)
		}
		if strings.Contains(out.String(), "NOT-COMPARED") {
			t.Errorf("%s: the transcript was not compared\n%s", test.name, out.String())
		}
	}
}
