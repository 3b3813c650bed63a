package steps_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
)

// ownScript is the file, beside a child's bundle, of a script that is not the
// root ceremony's.
const ownScript = "own-script.yaml"

// A killPlay is a script whose steps are broken off by SIGKILL, with what its
// people answer before the break and after it.
type killPlay struct {
	script  string
	answers string
	files   map[string]string // on the medium
	token   string            // folder of a token that an earlier ceremony left, or ""
	steps   []string          // those that are broken off

	// once are answers, by step, that take the place of others after a break when
	// the step has changed the token already: the PIN is the new one then.
	once map[string]string
}

// lacks drops steps of a script.
func lacks(s string, ids ...string) string {
	for _, id := range ids {
		s = drop(s, id)
	}
	return s
}

// killPlays are scripts that together have the kinds that the root ceremony has
// not, and the environment with what is typed back.
func killPlays(t *testing.T) map[string]*killPlay {
	t.Helper()
	root := template(t, "root-ca")
	burn := strings.Index(endSteps, "  - id: burn")
	clock := strings.Index(endSteps, "  - id: clock-again")
	people := lacks(root, "fresh", "rules", "see-token", "empty-before", "init-token", "new-so-pin", "user-pin", "prove-login", "make-root-key", "root-certificate", "first-crl", "content-after", "hand-out", "verdicts", "cosign")
	people = people[:strings.Index(people, "tokens:\n")] + people[strings.Index(people, "steps:\n"):]
	people = before("deviations", actSteps+endSteps[clock:])(expecting(people))
	hsm := lacks(root, "fresh", "rules", "empty-before", "root-certificate", "first-crl", "verdicts", "cosign")
	hsm = hsm[:strings.Index(hsm, "profiles:\n")] + hsm[strings.Index(hsm, "steps:\n"):]
	hsm = strings.Replace(hsm, "\nsteps:\n", "  - name: code\n    token: hsm\n    algorithm: P-256\n    label: example-code\n    id: \"02\"\n\nsteps:\n", 1)
	hsm = drop(before("content-after", codeKeyStep)(hsm), "content-after")
	medium := strings.Replace(endSteps[burn:clock], "root.pem, root.crl.pem", "firmware.bin.sig, code.pub.pem", 1)
	hsm = before("hand-out", strings.SplitAfter(fileSteps, "compare: [witness-1, witness-2]\n")[0]+"\n"+medium+pinSteps)(hsm)
	hsm = drop(hsm, "hand-out")
	hsm = before("deviations", drop(destroySteps, "nothing-left"))(hsm)
	earlier, err := play(t, "root-ca", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := entriesOf[*audit.Key](earlier.entries(t))
	pem, err := os.ReadFile(filepath.Join(earlier.bundle(), "artifacts", "root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*killPlay{
		"shares": { // how shares are made is TestSharesKilled's
			script:  strings.Replace(sharedScript, "  - {id: prove-login", "  - {id: look, kind: secret-check, title: Look at the shares, actor: administrator, token: hsm, pin: user}\n  - {id: prove-login", 1),
			answers: sharedAnswers, steps: []string{"look", "prove-login"},
		},
		"people": {
			script: people, answers: merged(readAnswers(t), strings.Replace(actAnswers, `["a00174424", "A 0017 4423"]`, `"A 0017 4423"`, 1)+outsideAnswers),
			steps: []string{"machine", "bags-in", "film", "clock-again", "bags-out", "leave", "give", "deviations"},
		},
		"token": {
			script: hsm, files: map[string]string{"firmware.bin": "firmware 1.2.3"},
			answers: merged(readAnswers(t), "  \"burn/sums-sha256/*\": \"@word\"\n"+fileCompared+pinAnswers+strings.Replace(destroyAnswers, "6029384715263748", "7130495826374859", 1)+`  "destroy-root/user-pin-current/*": "95142683"
  "wipe/user-pin-current/*": "95142683"
`),
			steps: []string{"sign-firmware", "burn", "change-user", "change-so", "unblock", "destroy-root", "wipe"},
			once: map[string]string{
				"change-user": "  \"change-user/user-pin-current/*\": \"84031572\"\n",
				"change-so":   "  \"change-so/so-pin-current/*\": \"7130495826374859\"\n",
			},
		},
		"later": {
			script: later(t, keys[0].SPKISHA256, ""), answers: readAnswers(t), files: map[string]string{"root.pem": string(pem)},
			token: filepath.Join(earlier.dir, "token"), steps: []string{"find-key"},
		},
	}
}

// lay puts into a new folder what a child needs.
func (p *killPlay) lay(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if p.token != "" {
		to := filepath.Join(dir, "token")
		if err := os.CopyFS(to, os.DirFS(p.token)); err != nil {
			return err
		}
		conf := filepath.Join(to, "softhsm2.conf")
		b, err := os.ReadFile(conf)
		if err != nil {
			return err
		}
		if err := os.WriteFile(conf, []byte(strings.ReplaceAll(string(b), p.token, to)), 0o600); err != nil {
			return err
		}
	}
	for name, content := range p.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, ownScript), []byte(p.script), 0o600)
}

// A commit is a durable one: the kind of its last entry and that entry's step.
type commit struct{ kind, step string }

// commits holds the ceremony once, unbroken.
func (p *killPlay) commits(t *testing.T, dir string) (list []commit) {
	t.Helper()
	if err := p.lay(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "trace")
	if out, err := spawn(dir, "start", "", p.answers, file); err != nil {
		t.Fatalf("the ceremony alone: %v\n%s", err, tail(out))
	}
	if err := sound(filepath.Join(dir, "bundle")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(b)) {
		kind, step, _ := strings.Cut(line, "@")
		list = append(list, commit{kind, step})
	}
	return list
}

// cases are the breaks: with -faults both sides of every durable commit of the
// steps in question; else for each of them the worst two, that a change of the
// token is not known of, and that the step's end is lost.
func (p *killPlay) cases(list []commit) (cases []string) {
	for n, c := range list {
		at := strconv.Itoa(n + 1)
		switch {
		case !slices.Contains(p.steps, c.step):
		case *allFaults:
			cases = append(cases, "before "+at, "after "+at)
		case c.kind == "step-end":
			cases = append(cases, "before "+at)
		case slices.Contains([]string{"hsm-outcome:C_SetPIN", "hsm-outcome:C_InitPIN", "hsm-outcome:C_DestroyObject", "hsm-outcome:C_InitToken", "hsm-outcome:C_Sign"}, c.kind):
			cases = append(cases, "before "+at)
		}
	}
	return cases
}

// TestKilledKinds kills ceremonies with SIGKILL around the durable commits of
// the kinds of steps that the root ceremony has not, resumes them and checks what
// came of it: the ceremony ends, the bundle verifies, and no change of the token
// was made twice.
func TestKilledKinds(t *testing.T) {
	dir := t.TempDir()
	type job struct {
		p       *killPlay
		name    string
		kill    string
		commits []commit
	}
	var jobs []job
	for name, p := range killPlays(t) {
		list := p.commits(t, filepath.Join(dir, name))
		for _, step := range p.steps {
			if !slices.ContainsFunc(list, func(c commit) bool { return c.step == step && c.kind == "step-end" }) {
				t.Errorf("%s: no commit ends step %s", name, step)
			}
		}
		for _, c := range p.cases(list) {
			jobs = append(jobs, job{p, name, c, list})
		}
	}
	t.Logf("%d cases", len(jobs))
	work := make(chan job)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for j := range work {
				at := j.commits[number(j.kill)-1]
				if err := j.p.kill(filepath.Join(dir, j.name+"-"+strings.ReplaceAll(j.kill, " ", "-")), j.kill, j.commits); err != nil {
					t.Errorf("%s: killed %s (%s in %s): %v", j.name, j.kill, at.kind, at.step, err)
				}
			}
		})
	}
	for _, j := range jobs {
		work <- j
	}
	close(work)
	wg.Wait()
}

func (p *killPlay) kill(dir, kill string, commits []commit) error {
	if err := p.lay(dir); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out, err := spawn(dir, "start", kill, p.answers, "")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
		return fmt.Errorf("the child was not killed: %v\n%s", err, tail(out))
	}
	side, _, _ := strings.Cut(kill, " ")
	if out, err := spawn(dir, "resume", "", merged(p.answers, resumeAnswers(side, "")+p.after(kill, commits)), ""); err != nil {
		return fmt.Errorf("resuming: %v\n%s", err, tail(out))
	}
	if err := sound(filepath.Join(dir, "bundle")); err != nil {
		return err
	}
	return p.judge(dir, commits)
}

// after are the answers of people who know how far they had come.
func (p *killPlay) after(kill string, commits []commit) string {
	at := number(kill) - 1
	step := commits[at].step
	// Killed before the outcome's commit, the call was made; killed after its
	// intent's, it was not.
	changed := slices.ContainsFunc(commits[:at+1], func(c commit) bool { return c.step == step && c.kind == "hsm-outcome:C_SetPIN" })
	if !changed {
		return ""
	}
	return p.once[step]
}

// judge compares the changes of the token with those of the ceremony that was
// not broken off: an intent more is one of which the room said that the call was
// never made.
func (p *killPlay) judge(dir string, commits []commit) error {
	entries, err := entriesIn(filepath.Join(dir, "bundle"))
	if err != nil {
		return err
	}
	ends := map[string]bool{}
	made, unmade := map[commit]int{}, map[commit]int{}
	for _, e := range entries {
		switch d := e.Data.(type) {
		case *audit.StepEnd:
			ends[e.Step] = ends[e.Step] || d.Result == "done"
		case *audit.HSMIntent:
			made[commit{"hsm-intent:" + d.Function, e.Step}]++
		case *audit.HSMUnknown:
			intent, ok := entries[d.Intent].Data.(*audit.HSMIntent)
			if ok && d.Decided == ceremony.DidNotHappen {
				unmade[commit{"hsm-intent:" + intent.Function, entries[d.Intent].Step}]++
			}
		}
	}
	want := map[commit]int{}
	for _, c := range commits {
		want[c]++
	}
	for _, step := range p.steps {
		if !ends[step] {
			return fmt.Errorf("step %s was not done", step)
		}
		for _, f := range []string{"C_SetPIN", "C_InitPIN", "C_DestroyObject", "C_InitToken"} {
			c := commit{"hsm-intent:" + f, step}
			if made[c]-unmade[c] != want[c] {
				return fmt.Errorf("step %s: %s was called %d times, of which %d did not happen; unbroken: %d", step, f, made[c], unmade[c], want[c])
			}
		}
	}
	return nil
}
