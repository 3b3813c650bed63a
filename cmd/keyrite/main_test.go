package main

import (
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/token/softhsm"
)

var update = flag.Bool("update", false, "rewrite the outputs that the scripts compare with")

// TestMain makes the test binary the program as well: started under the name
// keyrite it is keyrite.
func TestMain(m *testing.M) {
	testscript.Main(cleaning{m}, map[string]func(){"keyrite": main})
}

// cleaning removes what tests share, once all of them have run.
type cleaning struct{ *testing.M }

func (c cleaning) Run() int {
	code := c.M.Run()
	if d, err := shared(); err == nil {
		os.RemoveAll(d)
	}
	return code
}

// shared is the folder of what tests share and none of them changes.
var shared = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "keyrite-test-") })

// rehearsed is the bundle of a rehearsal of root-ca-with-sub-ca. Tests that
// change it take a copy.
var rehearsed = sync.OnceValues(func() (string, error) { return rehearse("first") })

// otherRehearsed is the bundle of another one.
var otherRehearsed = sync.OnceValues(func() (string, error) { return rehearse("other") })

func rehearse(name string) (string, error) {
	dir, err := shared()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"new", "root-ca-with-sub-ca", "-o", "script.yaml"},
		{"new", "root-ca-with-sub-ca", "--answers", "-o", "answers.yaml"},
		{"rehearse", "script.yaml", "--answers", "answers.yaml", "--out", "bundle"},
	} {
		cmd := exec.Command("keyrite", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("keyrite %v: %w\n%s", args, err, out)
		}
	}
	return filepath.Join(dir, "bundle"), nil
}

// TestScripts runs the program as a user does, from the scripts in
// testdata/script. Beside testscript's own commands they have
//
//	exits CODE PROGRAM ARG…  runs it and wants the exit code
//	elf32 FILE               writes the head of a shared library for i386
//	emptylog DIR             makes a bundle whose log has no entry
//	softtoken DIR            makes a directory for SoftHSM2 tokens
//
// and $BUNDLE, the bundle of a rehearsal.
func TestScripts(t *testing.T) {
	bundleDir, err := rehearsed()
	if err != nil {
		t.Fatal(err)
	}
	module, err := softhsm.Module()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("BUNDLE", bundleDir)
			e.Setenv("SOFTHSM2", module)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "elf32": elf32, "emptylog": emptyLog, "softtoken": softToken,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var code *exec.ExitError
	got := 0
	switch {
	case errors.As(err, &code):
		got = code.ExitCode()
	case err != nil:
		ts.Fatalf("running %q: %v", args[1:], err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func elf32(ts *testscript.TestScript, neg bool, args []string) {
	b := make([]byte, 52)
	copy(b, elf.ELFMAG)
	b[elf.EI_CLASS], b[elf.EI_DATA], b[elf.EI_VERSION] = byte(elf.ELFCLASS32), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	b[16], b[18], b[20], b[40] = byte(elf.ET_DYN), byte(elf.EM_386), byte(elf.EV_CURRENT), 52 // type, machine, version, header size
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o755))
}

func emptyLog(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.Mkdir(dir, 0o755))
	ts.Check(bundle.WriteNew(dir, bundle.ScriptFile, []byte(ts.ReadFile("root-ca.yaml"))))
	store, err := sqlite.Create(filepath.Join(dir, bundle.DatabaseFile))
	ts.Check(err)
	ts.Check(store.Close())
}

func softToken(ts *testscript.TestScript, neg bool, args []string) {
	conf, err := softhsm.Provision(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Setenv(softhsm.ConfigEnv, conf)
}
