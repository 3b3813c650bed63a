package ceremony

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestExplain: what is said follows from the script.
func TestExplain(t *testing.T) {
	s, problems := ParseAndCheck("c.yaml", []byte(goodScript(t)), testKinds())
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	text := Explain(s, testKinds())
	for _, p := range s.Participants {
		if !strings.Contains(text, p.Name+" ("+p.ID+"), initials "+p.Initials) {
			t.Errorf("%s is not introduced", p.ID)
		}
	}
	last := 0
	for _, step := range s.Steps {
		at := strings.Index(text, fmt.Sprintf("%2d. %s\n", step.Number, step.Title))
		if at < last {
			t.Errorf("step %d is missing or out of its order", step.Number)
		}
		last = at
	}
	for _, want := range []string{"the log is closed and sealed", "A42  departures from the script are noted (WebTrust 4.1). a step of kind deviation"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// TestMet: a requirement is met by the steps of its kinds and open without them.
func TestMet(t *testing.T) {
	s := &Script{Steps: []Step{{Kind: "attendance"}, {Kind: "verdict"}, {Kind: "attendance"}}}
	met, open := s.Met()
	if fmt.Sprint(met["A6"]) != "[1 3]" || fmt.Sprint(met["A7"]) != "[2]" || met["A42"] != nil {
		t.Errorf("met: %v", met)
	}
	has := map[string]bool{}
	for _, r := range open {
		has[r.ID] = true
	}
	if !has["A42"] || !has["A4"] || has["A6"] || has["A1"] || has["A34"] {
		t.Errorf("open: %v", has)
	}
}

// TestRequirements: an id is there once, and each says how it can be met.
// docs/requirements.md is the list.
func TestRequirements(t *testing.T) {
	var doc strings.Builder
	doc.WriteString("# What auditors and root programs ask of a ceremony\n\n`keyrite check --explain` shows which of these a script provides for, and which stay open. BR: TLS Baseline Requirements of the\nCA/Browser Forum; NCSSR: its Network Security Requirements; MRSP: Mozilla Root Store Policy. Whether one was met is the auditor's opinion.\n\n| | asked | source | met by |\n|---|---|---|---|\n")
	seen := map[string]bool{}
	for _, r := range Requirements() {
		ways, by := 0, ""
		if r.Always {
			ways, by = ways+1, "always"
		}
		if len(r.Kinds) > 0 {
			ways, by = ways+1, "a step of kind `"+strings.Join(r.Kinds, "`, `")+"`"
		}
		if r.Outside != "" {
			ways, by = ways+1, "outside: "+r.Outside
		}
		if seen[r.ID] || ways != 1 || r.Asks == "" || r.Source == "" {
			t.Errorf("requirement %+v is there twice, or is not met in exactly one way", r)
		}
		seen[r.ID] = true
		fmt.Fprintf(&doc, "| %s | %s | %s | %s |\n", r.ID, r.Asks, r.Source, by)
	}
	const file = "../docs/requirements.md"
	if *update {
		if err := os.WriteFile(file, []byte(doc.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != doc.String() {
		t.Errorf("%s is not the list (%v); go test ./ceremony -update", file, err)
	}
}
