package steps_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/templates"
)

// play runs a template with changed text and more answers, which win over the
// template's own.
func play(t *testing.T, template string, change func(string) string, more string) (*stage, error) {
	t.Helper()
	st := stageOf(t, template, change, more)
	return st, st.start()
}

// stageOf makes ready what play runs.
func stageOf(t *testing.T, template string, change func(string) string, more string) *stage {
	t.Helper()
	st, err := openStage(t.TempDir(), template)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		st.script = []byte(change(string(st.script)))
	}
	b, err := templates.Ceremonies.ReadFile("ceremonies/" + template + ".answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := st.prepare([]byte(string(b) + more)); err != nil {
		t.Fatal(err)
	}
	return st
}

func aborted(t *testing.T, st *stage, err error) []*audit.Entry {
	t.Helper()
	var stop *ceremony.Stop
	if !errors.As(err, &stop) || !stop.Abort {
		t.Fatalf("expected an abort, got %v", err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	return st.entries(t)
}

func problems(entries []*audit.Entry) string {
	var all []string
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Problem); ok {
			all = append(all, d.What)
		}
	}
	return strings.Join(all, "\n")
}

const abortOnFailure = "  \"*/on-failure/*\": \"abort\"\n" + meant

// meant are the answers of a room that means to give the ceremony up.
const meant = "  \"*/give-up/*\": \"@word\"\n  \"*/reason/*\": \"enough was seen\"\n"

// TestAbortIsMeant: an abort that is not said twice is none, and its reason is
// kept.
func TestAbortIsMeant(t *testing.T) {
	st, err := play(t, "root-ca", nil, "  \"roll-call/present/witness-2\": \"no\"\n  \"*/on-failure/*\": [\"abort\", \"abort\"]\n"+
		"  \"*/give-up/*\": [\"abandon\", \"@word\"]\n  \"*/reason/*\": \"the second witness is ill\"\n")
	var why []string
	asked := 0
	for _, e := range aborted(t, st, err) {
		switch d := e.Data.(type) {
		case *audit.Abort:
			why = append(why, d.Reason)
		case *audit.Decision:
			if d.Chosen == "abort" {
				asked++
			}
		}
	}
	if asked != 2 || len(why) != 1 || !strings.HasPrefix(why[0], "the second witness is ill (after a problem: ") {
		t.Errorf("asked %d times, aborted because %q", asked, why)
	}
}

// TestAbsent: somebody who was absent at the roll call is asked nothing, and
// what needs them does not happen.
func TestAbsent(t *testing.T) {
	optional := in("roll-call", "    say: >-", "    required: [administrator]\n    say: >-")
	for who, step := range map[string]string{"witness-2": "rules", "so-custodian": "init-token", "witness-1": "rules"} {
		t.Run(who, func(t *testing.T) {
			change := func(s string) string {
				s = optional(s)
				if who == "witness-2" || who == "witness-1" { // somebody must see the roll call
					s = in("roll-call", "witnesses: [witness-1, witness-2]", "witnesses: [user-custodian]")(s)
				}
				return s
			}
			st, err := play(t, "root-ca", change, "  \"roll-call/present/"+who+"\": \"no\"\n"+abortOnFailure)
			entries := aborted(t, st, err)
			want := "absent at the roll call"
			if who == "witness-2" { // the auditor of a root: nothing begins
				want = "the ceremony cannot start"
			}
			if p := problems(entries); !strings.Contains(p, want) {
				t.Errorf("problems: %s", p)
			}
			for _, e := range entries {
				switch d := e.Data.(type) {
				case *audit.Ack:
					if d.Person == who {
						t.Errorf("entry %d: %s acknowledged %q", e.Seq, who, d.What)
					}
				case *audit.Secret:
					if d.Person == who {
						t.Errorf("entry %d: a secret of %s", e.Seq, who)
					}
				case *audit.StepEnd:
					if e.Step == step && d.Result == ceremony.Done {
						t.Errorf("step %s is done without %s", step, who)
					}
				}
			}
		})
	}
}

// TestNobodyStarts: whom the roll call requires must be there.
func TestNobodyStarts(t *testing.T) {
	st, err := play(t, "root-ca", nil, "  \"roll-call/present/witness-2\": \"no\"\n"+abortOnFailure)
	if p := problems(aborted(t, st, err)); !strings.Contains(p, "the ceremony cannot start") {
		t.Errorf("problems: %s", p)
	}
}

// TestWrongRequest: a certificate request that is not the one on paper is not
// taken; the right one can be brought and is.
func TestWrongRequest(t *testing.T) {
	wrong := `["0000000000000000", "dead", "0123456789abcdef", "@word"]`
	st, err := play(t, "root-ca-with-sub-ca", nil, `  "tls-ca-certificate/csr-sha256/witness-1": `+wrong+"\n"+`  "tls-ca-certificate/on-failure/*": ["again"]`+"\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	p := problems(st.entries(t))
	if n := strings.Count(p, "typed another SHA-256"); n != 3 || !strings.Contains(p, "bring the right one") {
		t.Errorf("problems: %s", p)
	}
	if b, err := os.ReadFile(st.bundle() + "/log.jsonl"); err != nil || strings.Contains(string(b), "0123456789abcdef") {
		t.Errorf("what was typed wrongly is in the log (%v)", err)
	}
}

// TestSkipNeedsAgreement: a step is left out only if the actor and a witness
// agree; what they refuse stands in the log.
func TestSkipNeedsAgreement(t *testing.T) {
	// The clocks are hours apart: the step fails.
	more := `  "machine/room-time/witness-1": "2020-01-01 00:00:00"
  "machine/expected/*": "clocks that agree"
  "machine/happened/*": "they do not"
  "machine/decided/*": "to go on"
`
	agree := "  \"machine/deviation/*\": \"@initials\"\n"
	refuse := "  \"machine/deviation/administrator\": \"@initials\"\n  \"machine/deviation/witness-1\": \"no\"\n  \"machine/deviation/witness-2\": \"never\"\n"

	st, err := play(t, "root-ca", nil, more+agree+"  \"machine/on-failure/*\": [\"skip\"]\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	if got := ended(st.entries(t), "machine"); got != ceremony.Skipped {
		t.Errorf("step machine: %q", got)
	}

	st, err = play(t, "root-ca", nil, more+refuse+"  \"machine/on-failure/*\": [\"skip\", \"abort\"]\n"+meant)
	entries := aborted(t, st, err)
	if got := ended(entries, "machine"); got == ceremony.Skipped {
		t.Error("the step was left out against both witnesses")
	}
	refused := 0
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Answer); ok && (d.Value == "no" || d.Value == "never") {
			refused++
		}
	}
	if refused != 2 {
		t.Errorf("%d refusals in the log", refused)
	}
}

func ended(entries []*audit.Entry, step string) (result string) {
	for _, e := range entries {
		if d, ok := e.Data.(*audit.StepEnd); ok && e.Step == step {
			result = d.Result
		}
	}
	return result
}

// TestPlannedBreak: a pause step ends the program once, and is over when the
// ceremony goes on.
func TestPlannedBreak(t *testing.T) {
	breaking := in("see-token", "  - id: see-token", "  - id: lunch\n    kind: pause\n    title: Lunch\n    actor: administrator\n    witnesses: [witness-1]\n    reason: an hour\n\n  - id: see-token")
	st, err := play(t, "root-ca", breaking, "  \"lunch/break/*\": [\"stops\"]\n  \"lunch/headcount/*\": \"yes\"\n")
	var stop *ceremony.Stop
	if !errors.As(err, &stop) || stop.Abort || stop.Reason != "an hour" {
		t.Fatalf("expected a pause, got %v", err)
	}
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := st.prepare([]byte(string(b) + "  \"lunch/headcount/*\": \"yes\"\n" + resumeAnswers("after", ""))); err != nil {
		t.Fatal(err)
	}
	if err := st.resume(); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	if got := ended(st.entries(t), "lunch"); got != ceremony.Done {
		t.Errorf("step lunch: %q", got)
	}
}
