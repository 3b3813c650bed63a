package steps_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/verify"
	"github.com/keyrite/keyrite/templates"
)

// allFaults makes the table kill on both sides of every commit, not only where
// the two sides differ in what the token has done, and around every
// acknowledgement, not only every third.
var allFaults = flag.Bool("faults", false, "kill ceremonies on both sides of every durable commit")

// update rewrites the documents that are generated.
var update = flag.Bool("update", false, "rewrite generated documents")

// The environment of a child process: what it runs, where, and at which durable
// commit it dies.
const (
	childEnv = "KEYRITE_TEST_CHILD" // "start" or "resume"
	dirEnv   = "KEYRITE_TEST_DIR"
	killEnv  = "KEYRITE_TEST_KILL" // "before 17", "after 17", "" for never
)

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "start":
		child((*stage).start)
	case "resume":
		child((*stage).resume)
	case "table":
		if err := tableChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// child runs a ceremony in a process of its own, so that it can be killed.
func child(run func(*stage) error) {
	st, err := openStage(os.Getenv(dirEnv), "root-ca")
	if err == nil {
		var side string
		var n int
		if kill := os.Getenv(killEnv); kill != "" {
			_, err = fmt.Sscan(kill, &side, &n)
		}
		st.store = func(s ceremony.Store) ceremony.Store { return &dying{Store: s, side: side, at: n} }
		if script, readErr := os.ReadFile(filepath.Join(st.dir, ownScript)); readErr == nil {
			st.script = script
			st.room = func(r room.Room) room.Room { return writing(r, st.dir) }
		}
		if list := os.Getenv("KEYRITE_TEST_ANSWERS"); err == nil && os.Getenv(sharedEnv) != "" {
			err = st.share(list)
		} else if err == nil && list != "" {
			err = st.prepare([]byte(list))
		}
		if err == nil {
			err = run(st)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A dying store kills its process with SIGKILL on one side of a durable commit.
type dying struct {
	ceremony.Store
	side string
	at   int
	n    int
}

func (d *dying) Append(from int64, entries [][]byte, checkpoint []byte, keep, sync bool) error {
	if !sync {
		return d.Store.Append(from, entries, checkpoint, keep, sync)
	}
	return d.around(func() error {
		if path := os.Getenv("KEYRITE_TEST_TRACE"); path != "" {
			trace(path, entries)
		}
		return d.Store.Append(from, entries, checkpoint, keep, sync)
	})
}

func (d *dying) Seal() error { return d.around(d.Store.Seal) }

func (d *dying) around(f func() error) error {
	d.n++
	if d.n == d.at && d.side == "before" {
		die()
	}
	err := f()
	if d.n == d.at && d.side == "after" {
		die()
	}
	return err
}

func die() {
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(err)
	}
	select {}
}

// trace writes a line for each durable commit: the kind of its last entry, and
// the step that it belongs to.
func trace(path string, entries [][]byte) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	kind, step := "-", ""
	if len(entries) > 0 {
		e, err := audit.Parse(entries[len(entries)-1])
		if err != nil {
			panic(err)
		}
		kind, step = e.Kind(), e.Step
		if d, ok := e.Data.(*audit.HSMIntent); ok {
			kind += ":" + d.Function
		}
		if d, ok := e.Data.(*audit.HSMOutcome); ok {
			kind += ":" + d.Function
		}
	}
	fmt.Fprintln(f, kind+"@"+step)
}

// spawn runs a child; its error is that of the process.
func spawn(dir, what, kill, answers, traceFile string) ([]byte, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"="+what, dirEnv+"="+dir, killEnv+"="+kill, "KEYRITE_TEST_ANSWERS="+answers, "KEYRITE_TEST_TRACE="+traceFile)
	return cmd.CombinedOutput()
}

// TestKilledAtEveryCommit kills the root ceremony with SIGKILL around each of
// its durable commits, resumes it and checks what came of it: the ceremony
// ends, there is one key, the bundle verifies and the transcript tells of the
// break.
func TestKilledAtEveryCommit(t *testing.T) {
	dir := t.TempDir()
	commits := traced(t, dir)
	var cases []string
	people := 0
	for i, kind := range commits {
		if kind == "ack" || kind == "attendance" || kind == "step-begin" {
			// Every third of these: the state around them is the same.
			if people++; people%3 != 1 && !*allFaults {
				continue
			}
		}
		cases = append(cases, "before "+strconv.Itoa(i+1))
		if *allFaults || strings.HasPrefix(kind, "hsm-intent") || kind == "to-be-signed" || kind == "close" || kind == "seal" {
			cases = append(cases, "after "+strconv.Itoa(i+1))
		}
	}
	t.Logf("%d durable commits, %d cases", len(commits), len(cases))
	work := make(chan string)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for c := range work {
				if err := killAndResume(filepath.Join(dir, strings.ReplaceAll(c, " ", "-")), c, commits); err != nil {
					t.Errorf("killed %s (%s): %v", c, commits[number(c)-1], err)
				}
			}
		})
	}
	for _, c := range cases {
		work <- c
	}
	close(work)
	wg.Wait()
}

// traced runs the ceremony once and returns what each durable commit wrote.
func traced(t *testing.T, dir string) []string {
	t.Helper()
	commits := tracedIn(t, dir)
	if len(commits) < 100 {
		t.Fatalf("only %d durable commits: %v", len(commits), commits)
	}
	return commits
}

func tracedIn(t *testing.T, dir string) (commits []string) {
	t.Helper()
	traceFile := filepath.Join(dir, "trace")
	if out, err := spawn(dir, "start", "", "", traceFile); err != nil {
		t.Fatalf("the ceremony alone: %v\n%s", err, out)
	}
	b, err := os.ReadFile(traceFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(b)) {
		kind, _, _ := strings.Cut(line, "@")
		commits = append(commits, kind)
	}
	return append(commits, "seal")
}

func number(c string) int {
	_, n, _ := strings.Cut(c, " ")
	i, err := strconv.Atoi(n)
	if err != nil {
		panic(err)
	}
	return i
}

// resumeAnswers are what the room answers after the break, besides the
// template's own answers, when the ceremony broke on one side of a commit and
// lost was the commit before.
func resumeAnswers(side, lost string) string {
	happened := map[string]string{"before": "it-happened", "after": "it-did-not-happen"}[side]
	// A new SO-PIN whose setting was lost is typed to prove it.
	proof := ""
	if lost == "hsm-intent:C_SetPIN" && side == "before" {
		proof = "  \"new-so-pin/so-pin-current/so-custodian\": \"6029384715263748\"\n"
	}
	return "\n" + proof + `  "resume/head/*": "none"
  "resume/custody/*": "the administrator, in the room"
  "resume/bag/*": "none"
  "resume/power-cycled/*": "@initials"
  "resume/differs/*": "on"
  "resume/adopt/*": "@initials"
  "resume/unknown-seen/*": "@initials"
  "resume/unknown-agreed/*": "@initials"
  "resume/unknown/*": "` + happened + `"
`
}

func killAndResume(dir, kill string, commits []string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out, err := spawn(dir, "start", kill, "", "")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
		return fmt.Errorf("the child was not killed: %v\n%s", err, out)
	}
	side, _, _ := strings.Cut(kill, " ")
	lost := ""
	if n := number(kill); n > 1 {
		lost = commits[n-2]
	}
	out, err = resumeWith(dir, resumeAnswers(side, lost))
	if kill == "before 1" {
		if err == nil || !bytes.Contains(out, []byte(ceremony.ErrNothingHappened.Error())) {
			return fmt.Errorf("a log without an entry: %v\n%s", err, out)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("resuming: %v\n%s", err, tail(out))
	}
	return sound(filepath.Join(dir, "bundle"))
}

// resumeWith goes on with the ceremony in dir, with more answers than the
// template's.
func resumeWith(dir, more string) ([]byte, error) {
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.answers.yaml")
	if err != nil {
		return nil, err
	}
	return spawn(dir, "resume", "", string(b)+more, "")
}

func tail(b []byte) []byte {
	if len(b) > 3000 {
		return b[len(b)-3000:]
	}
	return b
}

// sound verifies a bundle.
func sound(dir string) error {
	r, err := verify.Bundle(dir, verify.Options{Recompose: recompose})
	if err != nil {
		return err
	}
	if r.Has(verify.ApprovedUnseen) {
		return errors.New("somebody approved what was not announced")
	}
	if r.Exit != 0 {
		var b bytes.Buffer
		if err := r.WriteText(&b, false); err != nil {
			return err
		}
		return fmt.Errorf("the bundle does not verify:\n%s", b.String())
	}
	return nil
}

func recompose(b verify.Files, entries []*audit.Entry) ([]transcript.Page, []byte, error) {
	return paper.Paper{}.Again(entries, b.Read)
}
