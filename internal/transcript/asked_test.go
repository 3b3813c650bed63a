package transcript

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAsked compares what the transcript asks everybody before they sign with
// docs/threat-model.md, which relies on it where the log finds nothing.
func TestAsked(t *testing.T) {
	doc, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	_, asked, ok := strings.Cut(string(doc), "### What the room is asked\n")
	if !ok {
		t.Fatal("the document does not say what the room is asked")
	}
	asked, _, _ = strings.Cut(asked, "\n#")
	questions := regexp.MustCompile(`(?m)^[0-9]+\. .*$`).FindAllString(asked, -1)
	for _, q := range questions {
		if !slices.Contains(checking, q) {
			t.Errorf("the transcript does not ask %q", q)
		}
	}
	for _, m := range regexp.MustCompile(`questions? ([0-9]+)(?: and ([0-9]+))?`).FindAllStringSubmatch(string(doc), -1) {
		for _, n := range m[1:] {
			if n != "" && !slices.ContainsFunc(questions, func(q string) bool { return strings.HasPrefix(q, n+". ") }) {
				t.Errorf("a row relies on question %s, which nobody is asked", n)
			}
		}
	}
	if len(questions) < 5 {
		t.Errorf("%d questions", len(questions))
	}
}
