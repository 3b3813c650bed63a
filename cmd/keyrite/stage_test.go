package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/token/softhsm"
	"github.com/keyrite/keyrite/templates"
)

// A stage is a folder with a script for SoftHSM2 and a token to run it on.
type stage struct {
	t   *testing.T
	dir string
	env []string // names the token
	out string   // the bundle
}

// setUp makes a stage for the root-ca template in a mode.
func setUp(t *testing.T, mode string) *stage {
	t.Helper()
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.yaml")
	if err != nil {
		t.Fatal(err)
	}
	script := strings.NewReplacer(
		"model: nitrokey-hsm", "model: softhsm2",
		`serial: "DENK0000000"`, "serial: any",
		"mode: production", "mode: "+mode,
	).Replace(string(b))
	return setUpScript(t, script)
}

func setUpScript(t *testing.T, script string) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir()}
	s.out = filepath.Join(s.dir, "bundle")
	if err := os.WriteFile(filepath.Join(s.dir, "script.yaml"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	conf, err := softhsm.Provision(filepath.Join(s.dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	s.env = []string{softhsm.ConfigEnv + "=" + conf}
	return s
}

// run begins the ceremony at a terminal.
func (s *stage) run() *terminal {
	s.t.Helper()
	return open(s.t, s.dir, s.env, "run", "script.yaml", "--out", s.out)
}

// resume goes on with it.
func (s *stage) resume() *terminal {
	s.t.Helper()
	return open(s.t, s.dir, s.env, "resume", s.out)
}

// keyrite runs a command that asks nothing, and wants its exit code.
func (s *stage) keyrite(code int, args ...string) string {
	s.t.Helper()
	return command(s.t, s.dir, s.env, code, "keyrite", args...)
}

// command runs a program, wants its exit code and returns what it wrote.
func command(t *testing.T, dir string, env []string, code int, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("running %s: %v", program, err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("%s %v: exit code %d, want %d:\n%s", program, args, got, code, out)
	}
	return string(out)
}

// entries reads the log of the bundle.
func (s *stage) entries() []*audit.Entry {
	s.t.Helper()
	store, err := sqlite.OpenReader(filepath.Join(s.out, bundle.DatabaseFile))
	if err != nil {
		s.t.Fatal(err)
	}
	defer store.Close()
	var list []*audit.Entry
	if err := store.Entries(0, func(_ int64, b []byte) error {
		e, err := audit.Parse(b)
		list = append(list, e)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return list
}

// logged returns the data of all entries of a type, in order.
func logged[D audit.Data](s *stage) []D {
	s.t.Helper()
	var list []D
	for _, e := range s.entries() {
		if d, ok := e.Data.(D); ok {
			list = append(list, d)
		}
	}
	return list
}

// calls counts the HSM calls of a function whose outcome was rv.
func (s *stage) calls(function, rv string) (n int) {
	s.t.Helper()
	for _, d := range logged[*audit.HSMOutcome](s) {
		if d.Function == function && d.RV == rv {
			n++
		}
	}
	return n
}

// problem wants an entry that records a problem with the text.
func (s *stage) problem(text string) {
	s.t.Helper()
	for _, d := range logged[*audit.Problem](s) {
		if strings.Contains(d.What, text) {
			return
		}
	}
	s.t.Errorf("no problem with %q is recorded", text)
}

// verified wants a bundle that verifies, with the text in the verdict.
func (s *stage) verified(text string) {
	s.t.Helper()
	if out := s.keyrite(0, "verify", s.out); !strings.Contains(out, text) {
		s.t.Errorf("the verdict has no %q:\n%s", text, out)
	}
}

// paper is the text of the transcript.
func (s *stage) paper() string {
	s.t.Helper()
	return strings.Join(strings.Fields(command(s.t, s.out, nil, 0, "pdftotext", bundle.TranscriptFile, "-")), " ")
}
