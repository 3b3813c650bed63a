package steps_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/steps"
)

// writers reads the table of docs/audit-log.md that says which step kinds may
// write an entry of a kind; "the run" stands for none, "any step" for all.
func writers(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("../docs/audit-log.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(b), "### Who writes which kind\n")
	part, _, _ = strings.Cut(part, "\n### ")
	table := map[string][]string{}
	for _, line := range strings.Split(part, "\n") {
		kind, by, ok := strings.Cut(strings.Trim(line, "| "), " | ")
		if !ok || !strings.HasPrefix(kind, "`") {
			continue
		}
		kind = strings.Trim(kind, "`")
		if table[kind] != nil {
			t.Errorf("the document has two rows for %s", kind)
		}
		for _, who := range strings.Split(by, ", ") {
			who, _, _ = strings.Cut(who, " (")
			table[kind] = append(table[kind], strings.Trim(who, "`"))
		}
	}
	return table
}

// Every kind of entry has a row that names step kinds which exist.
func TestWritersInDocument(t *testing.T) {
	table, kinds := writers(t), steps.Kinds()
	for kind, by := range table {
		if audit.Kinds[kind] == nil {
			t.Errorf("the document has a row for %q, which is no kind", kind)
		}
		for _, who := range by {
			if _, ok := kinds[who]; !ok && who != "the run" && who != "any step" {
				t.Errorf("%s: there is no step kind %q", kind, who)
			}
		}
	}
	for kind := range audit.Kinds {
		if table[kind] == nil {
			t.Errorf("the document does not say who writes %s", kind)
		}
	}
}

// checkWriters compares the entries of a log with the document.
func checkWriters(t *testing.T, entries []*audit.Entry) {
	t.Helper()
	table, plan := writers(t), map[string]string{}
	for _, e := range entries {
		if d, ok := e.Data.(*audit.LogOpen); ok {
			for _, s := range d.Plan {
				plan[s.ID] = s.Kind
			}
		}
		by := table[e.Kind()]
		switch {
		case e.Step == "" && slices.Contains(by, "the run"):
		case e.Step != "" && (slices.Contains(by, "any step") || slices.Contains(by, plan[e.Step])):
		default:
			t.Errorf("entry %d, %s, of the step %q (%s): docs/audit-log.md has it written by %q", e.Seq, e.Kind(), e.Step, plan[e.Step], by)
		}
	}
}
