package steps_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/fake"
	"github.com/keyrite/keyrite/steps"
)

// An example is a step of a kind, as the matrix plays it alone after a roll
// call.
type example struct {
	fields  string // its own, YAML
	answers string // what it asks before anybody acknowledges it
}

// examples has a row for every kind of step.
var examples = map[string]example{
	"attendance":      {},
	"statement":       {fields: "    text: Quiet.\n"},
	"freshness":       {"    sources: [a newspaper]\n", "  \"x/value/*\": \"a headline\"\n  \"x/since/*\": \"@now\"\n"},
	"environment":     {"    clock_reader: witness-1\n    max_offset: 120\n", "  \"x/room-time/*\": \"@now\"\n"},
	"token-identify":  {fields: "    token: hsm\n"},
	"token-inventory": {fields: "    token: hsm\n    expect: anything\n"},
	"token-init":      {fields: "    token: hsm\n"},
	"set-so-pin":      {fields: "    token: hsm\n"},
	"set-user-pin":    {fields: "    token: hsm\n    way: by-so\n"},
	"pin-change":      {fields: "    token: hsm\n    pin: user\n    reason: a year\n"},
	"pin-unblock":     {fields: "    token: hsm\n"},
	"login-proof":     {fields: "    token: hsm\n"},
	"key-identify":    {fields: "    key: root\n    compare: [witness-1, witness-2]\n"},
	"generate-key":    {fields: "    key: root\n"},
	"key-destroy":     {fields: "    key: root\n    authorisation: the board\n"},
	"token-wipe":      {fields: "    token: hsm\n    authorisation: the board\n"},
	"self-sign-root":  {fields: "    key: root\n    profile: root\n    file: root.pem\n"},
	"sign-csr":        {fields: "    key: root\n    issuer: root.pem\n    profile: root\n    csr: a.csr\n    compare: [witness-1, witness-2]\n    file: sub.pem\n"},
	"sign-crl":        {fields: "    key: root\n    issuer: root.pem\n    profile: root-crl\n    number: 1\n    file: root.crl.pem\n"},
	"sign-file":       {fields: "    key: root\n    file: a.bin\n    compare: [witness-1, witness-2]\n"},
	"secret-check":    {fields: "    token: hsm\n    pin: user\n"},
	"export":          {fields: "    files: [root.pem]\n    to: out\n"},
	"media":           {fields: "    files: [root.pem]\n    to: out\n    medium: CD\n    reader: witness-1\n    typist: witness-2\n"},
	"materials":       {"    way: in\n    items: [{name: token, bag: B-1}]\n    reader: witness-1\n    typist: witness-2\n", "  \"x/bag/*\": \"@word\"\n"},
	"custody":         {"    items: [{item: token, holder: witness-1, place: safe}]\n", "  \"x/takes/*\": \"@initials\"\n"},
	"handover": {"    log: a log\n    from: witness-1\n    to: witness-2\n    media: [{medium: CD-1, place: a}, {medium: CD-2, place: b}]\n",
		"  \"x/head/*\": \"" + zeros + "\"\n  \"x/medium/*\": \"@word\"\n  \"x/takes/*\": \"@initials\"\n  \"x/receipt/*\": \"@initials\"\n"},
	"evidence":  {"    form: photo\n    shows: a bag\n    by: witness-1\n", "  \"x/id/*\": \"1\"\n  \"x/time-code/*\": \"2\"\n"},
	"clock":     {"    clock_reader: witness-1\n    max_offset: 120\n", "  \"x/room-time/*\": \"@now\"\n"},
	"deviation": {"", "  \"x/any/*\": \"no\"\n"},
	"verdict":   {"", "  \"x/verdict/*\": \"agree\"\n"},
	"cosign":    {"", "  \"x/paper/*\": \"@initials\"\n"},
	"pause":     {"    reason: lunch\n", "  \"x/break/*\": \"stays\"\n"},
	"close":     {},
}

// lacking are the ways in which a step lacks the people that it needs. Each is a
// line of answers; what is written down is a problem, or why the room stopped.
var lacking = map[string]string{
	"nobody acts":              "  \"*/present/administrator\": \"no\"\n",
	"a witness is away":        "  \"*/present/witness-2\": \"no\"\n",
	"another's initials":       "  \"x/ready/*\": [\"ESC\", \"!\"]\n  \"x/done/*\": [\"ESC\", \"!\"]\n",
	"the actor does not want":  "  \"x/ready/administrator\": \"!\"\n  \"x/done/administrator\": \"!\"\n",
	"a witness does not agree": "  \"x/ready/witness-2\": \"!\"\n  \"x/seen/witness-2\": \"!\"\n",
}

// alone returns a script that holds a roll call and one step of the kind.
func alone(t *testing.T, kind string, e example) string {
	t.Helper()
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(st.script), "\nsteps:\n")
	const people = "    title: A step\n    actor: administrator\n    witnesses: [witness-1, witness-2]\n"
	roll := "  - id: roll-call\n    kind: attendance\n" + people + "    required: [so-custodian]\n"
	if kind == "attendance" {
		roll = ""
	}
	return head + "\nsteps:\n" + roll + "  - id: x\n    kind: " + kind + "\n" + people + e.fields
}

// TestMatrix: no step of any kind is done without the people it names, each by
// their own word; why it was not done stands in the log.
func TestMatrix(t *testing.T) {
	for _, kind := range slices.Sorted(maps.Keys(steps.Kinds())) {
		e, ok := examples[kind]
		if !ok {
			t.Errorf("the matrix has no row for the kind %q", kind)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(lacking)) {
			t.Run(kind+"/"+name, func(t *testing.T) { lack(t, kind, e, lacking[name]) })
		}
	}
	for kind := range examples {
		if _, ok := steps.Kinds()[kind]; !ok {
			t.Errorf("the matrix has a row for %q, which is no kind", kind)
		}
	}
}

// lack plays a step that lacks somebody.
func lack(t *testing.T, kind string, e example, lacking string) {
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	st.script, st.unchecked, st.card = []byte(alone(t, kind, e)), true, fake.NewSmartCardHSM("DENK0000000")
	more := "  \"roll-call/seen/*\": \"@initials\"\n  \"*/menu/*\": \"pause\"\n  \"*/reason/*\": \"somebody is not there, or does not want it\"\n  \"*/on-failure/*\": \"pause\"\n"
	var kept []string
	for line := range strings.Lines(readAnswers(t)) {
		if key, _, _ := strings.Cut(line, ":"); !strings.Contains(lacking+more+e.answers, key+":") {
			kept = append(kept, line)
		}
	}
	if err := st.prepare([]byte(strings.Join(kept, "") + more + e.answers + lacking)); err != nil {
		t.Fatal(err)
	}
	err = st.start()
	var stop *ceremony.Stop
	if !errors.As(err, &stop) {
		t.Fatalf("the room did not stop: %v", err)
	}
	all, reason := st.entries(t), false
	for _, entry := range all {
		switch d := entry.Data.(type) {
		case *audit.StepEnd:
			if entry.Step == "x" && d.Result == ceremony.Done {
				t.Error("the step is done")
			}
		case *audit.Problem:
			reason = reason || d.What != ""
		case *audit.Pause:
			reason = reason || d.Reason != ""
		case *audit.HSMIntent:
			if entry.Step == "x" && token.Function(d.Function).Effect() == token.Changes && strings.Contains(lacking, "x/ready/administrator") {
				t.Errorf("%s was called", d.Function)
			}
		case *audit.Ack:
			if strings.EqualFold(d.Typed, "ESC") && d.Person != "so-custodian" {
				t.Errorf("somebody else's initials count: %+v", d)
			}
		}
	}
	if !reason {
		t.Error("nothing in the log says why")
	}
}

// TestMatrixTwice: nobody acts and witnesses the same step, whatever its kind.
func TestMatrixTwice(t *testing.T) {
	for kind, e := range examples {
		script := strings.ReplaceAll(alone(t, kind, e), "witnesses: [witness-1, witness-2]", "witnesses: [witness-1, administrator]")
		_, problems := ceremony.ParseAndCheck("s.yaml", []byte(script), steps.Kinds())
		if !strings.Contains(problems.Error(), "acts in this step and cannot be its witness, too") {
			t.Errorf("%s: one person acts and witnesses: %v", kind, problems)
		}
	}
}
