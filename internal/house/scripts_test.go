package house

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A machine is a PATH with the few programs that a bare Debian has, and stand-ins
// written by the test.
type machine struct{ bin string }

func newMachine(t *testing.T, standIns map[string]string) machine {
	t.Helper()
	m := machine{bin: t.TempDir()}
	for _, name := range []string{"bash", "env", "cut", "tr", "sed", "sort", "head", "dirname", "cat"} {
		real, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(m.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, script := range standIns {
		if err := os.WriteFile(filepath.Join(m.bin, name), []byte("#!/usr/bin/env bash\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// run runs a script of the module and returns its exit code and what it said.
func (m machine) run(t *testing.T, script string, args ...string) (code int, said string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../scripts", script))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"PATH=" + m.bin, "BIN=" + m.bin}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestCheckGo(t *testing.T) {
	for _, c := range []struct {
		name, goScript string
		code           int
		want           string
	}{
		{"none", "", 3, "there is no Go on the PATH"},
		{"old", "echo go version go1.19.8 linux/amd64", 3, "the Go on the PATH is 1.19.8"},
		{"minor before", "echo go version go1.25.12 linux/amd64", 3, "is 1.25.12"},
		{"before the release", "echo go version go1.26rc1 linux/amd64", 3, "is 1.26rc1"},
		{"broken", "echo cannot execute; exit 1", 3, "cannot execute"},
		{"says nothing", "echo hello", 3, "names no version"},
		{"the one", "echo go version go1.26.0 linux/amd64", 0, ""},
		{"newer patch", "echo go version go1.26.8 linux/amd64", 0, ""},
		{"two digits", "echo go version go1.100.1 linux/amd64", 0, ""},
		{"no download", `[ "$GOTOOLCHAIN" = local ] && echo go version go1.26.0 linux/amd64`, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			standIns := map[string]string{}
			if c.goScript != "" {
				standIns["go"] = c.goScript
			}
			code, said := newMachine(t, standIns).run(t, "check-go")
			if code != c.code || !strings.Contains(said, c.want) {
				t.Errorf("exit %d, want %d; said %q, want %q", code, c.code, said, c.want)
			}
			if c.code != 0 && !strings.Contains(said, "get Go 1.26.0 or newer from https://go.dev/dl/") {
				t.Errorf("does not say what to get: %q", said)
			}
		})
	}
}

// aptInstalls is an apt-get that writes what it was asked and installs a gcc.
const aptInstalls = `echo "apt-get $*" >>"$BIN/asked"
case "$*" in *install*gcc*) printf '#!/bin/sh\n' >"$BIN/gcc"; /bin/chmod +x "$BIN/gcc" ;; esac`

func TestInstallDeps(t *testing.T) {
	const byHand = "as root, type: apt-get update && apt-get install -y --no-install-recommends gcc"
	for _, c := range []struct {
		name     string
		args     []string
		standIns map[string]string
		code     int
		want     string // in what it says
		asked    string // in what apt-get was asked; "" if it was not
	}{
		{"all there", []string{"build"}, map[string]string{"gcc": "", "apt-get": aptInstalls}, 0, "", ""},
		{"root", []string{"build"}, map[string]string{"id": "echo 0", "apt-get": aptInstalls}, 0, "missing: gcc (compiles", "install -y --no-install-recommends gcc"},
		{"updates first", []string{"build"}, map[string]string{"id": "echo 0", "apt-get": aptInstalls}, 0, "installing with apt-get, which may take a minute: gcc", "update\napt-get"},
		{"sudo", []string{"build"}, map[string]string{"id": "echo 1000", "sudo": `echo "sudo $1" >>"$BIN/asked"; "$@"`, "apt-get": aptInstalls}, 0, "missing: gcc", "sudo env\napt-get"},
		{"neither", []string{"build"}, map[string]string{"id": "echo 1000", "apt-get": aptInstalls}, 3, byHand, ""},
		{"check", []string{"--check", "build"}, map[string]string{"id": "echo 0", "apt-get": aptInstalls}, 3, byHand, ""},
		{"no apt-get", []string{"build"}, map[string]string{"id": "echo 0"}, 3, "there is no apt-get here; install what Debian calls: gcc", ""},
		{"apt-get fails", []string{"build"}, map[string]string{"id": "echo 0", "apt-get": "echo no space left; exit 100"}, 3, "no space left\nkeyrite: apt-get failed", ""},
		{"not there after", []string{"build"}, map[string]string{"id": "echo 0", "apt-get": ""}, 3, "installed, but still not found: gcc", ""},
		{"no set", nil, nil, 2, "usage:", ""},
		{"unknown set", []string{"everything"}, nil, 2, "usage:", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, c.standIns)
			code, said := m.run(t, "install-deps", c.args...)
			if code != c.code || !strings.Contains(said, c.want) {
				t.Errorf("exit %d, want %d; said %q, want %q", code, c.code, said, c.want)
			}
			asked, err := os.ReadFile(filepath.Join(m.bin, "asked"))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if !strings.Contains(string(asked), c.asked) || (c.asked == "") != (len(asked) == 0) {
				t.Errorf("apt-get was asked %q, want %q", asked, c.asked)
			}
		})
	}
}

// TestRehearsalKeeps shows that a folder that is there is refused before
// anything is done.
func TestRehearsalKeeps(t *testing.T) {
	there := t.TempDir()
	m := newMachine(t, nil)
	cmd := exec.Command("../../scripts/rehearsal")
	cmd.Env = []string{"PATH=" + m.bin, "OUT=" + there}
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(string(out), "stays as it is") {
		t.Errorf("exit %d (%v): %s", code, err, out)
	}
	if left, err := os.ReadDir(there); err != nil || len(left) > 0 {
		t.Errorf("the folder changed: %v, %v", left, err)
	}
}

// goBuilds is a go that "builds" the file behind -o: it writes the bytes that
// the file $BIN/bytes holds, the version's flags behind them.
const goBuilds = `case "$1 $2" in
"env GOHOSTARCH") echo arm64 ;;
"env GOVERSION") echo go1.26.8 ;;
"build "*) while [ "$1" != -ldflags ]; do shift; done; { cat "$BIN/bytes"; echo "$2 $GOOS/$GOARCH cgo=$CGO_ENABLED"; pwd; } >"$4" ;;
esac`

// TestRelease holds the script that lays out a release against a go of the
// test's: what is made, that nothing is overwritten, that other bytes are told.
// The machine is no amd64: the archive with Debian's packages has a test of its
// own, make test-offline.
func TestRelease(t *testing.T) {
	m := newMachine(t, map[string]string{"go": goBuilds, "gcc": "echo gcc 12"})
	for _, name := range []string{"mkdir", "mktemp", "rm", "mv", "chmod", "sha256sum", "diff", "cmp", "tar"} {
		real, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(m.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	dist := filepath.Join(t.TempDir(), "dist", "v1")
	release := func(bytes string, want int, said string, args ...string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(m.bin, "bytes"), []byte(bytes+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("../../scripts/release", args...)
		cmd.Env = []string{"PATH=" + m.bin, "BIN=" + m.bin, "DIST=" + dist, "VERSION=v1.2.0", "COMMIT=4f1c"}
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want || !strings.Contains(string(out), said) {
			t.Errorf("exit %d (%v), want %d; said %s, want %q", code, err, want, out, said)
		}
	}
	content := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	release("one", 2, "usage:", "--again", "keyrite-linux-arm64")
	release("one", 2, "usage:", "--what")
	release("one", 0, "keyrite-verify-windows-amd64.exe")
	sums := content("SHA256SUMS")
	for _, name := range []string{
		"keyrite-linux-arm64", "keyrite-verify-linux-amd64", "keyrite-verify-linux-arm64",
		"keyrite-verify-darwin-amd64", "keyrite-verify-darwin-arm64", "keyrite-verify-windows-amd64.exe", "BUILD",
	} {
		if !strings.Contains(sums, "  "+name+"\n") {
			t.Errorf("SHA256SUMS has no %s:\n%s", name, sums)
		}
	}
	if got := content("keyrite-verify-windows-amd64.exe"); !strings.Contains(got, "windows/amd64 cgo=0") || !strings.Contains(got, "number=v1.2.0") || !strings.Contains(got, "commit=4f1c") {
		t.Errorf("the auditor's program for Windows was built so: %s", got)
	}
	if got := content("keyrite-linux-arm64"); !strings.Contains(got, "linux/arm64 cgo=1") {
		t.Errorf("keyrite was built so: %s", got)
	}
	release("one", 0, "built again, the same bytes")
	release("two", 1, "stays as it is, but what was built now differs")
	if got := content("SHA256SUMS"); got != sums {
		t.Errorf("a release was overwritten:\n%s\n%s", sums, got)
	}
	// This go writes its folder into the file, so that another folder shows.
	release("one", 1, "came out otherwise when built in another folder", "--again", "keyrite-linux-arm64")
	release("one", 2, "there is no file keyrite-plan9 in a release", "--again", "keyrite-plan9")
	left, err := os.ReadDir(filepath.Dir(dist))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the release is left: %v, %v", left, err)
	}
}

// TestOfflinePackages: a package that differs from the list stops a release, by
// name, before anything is made; so does a list that names none.
func TestOfflinePackages(t *testing.T) {
	m := newMachine(t, nil)
	for _, name := range []string{"mkdir", "mktemp", "rm", "grep", "sha256sum"} {
		real, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(m.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	for _, c := range []struct {
		name, list string
		code       int
		want       string
	}{
		{"as listed", abc + "  one 2:1.0-1 amd64\n", 0, ""},
		{"another one", strings.Replace(abc, "b", "c", 1) + "  one 2:1.0-1 amd64\n", 1, "one_2%3a1.0-1_amd64.deb has the SHA-256 " + abc + ", and "},
		{"not there, and no apt-get", abc + "  two 1.0-1 all\n", 3, "put the packages into the folder yourself"},
		{"none", "", 1, "names no package"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			list := filepath.Join(dir, "list")
			for file, text := range map[string]string{list: "# a list\n" + c.list, filepath.Join(dir, "one_2%3a1.0-1_amd64.deb"): "abc"} {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("../../scripts/offline", "fetch", dir)
			cmd.Env = []string{"PATH=" + m.bin, "LIST=" + list}
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.want) || c.want == "" && len(out) > 0 {
				t.Errorf("exit %d (%v), want %d; said %q, want %q", code, err, c.code, out, c.want)
			}
		})
	}
}
