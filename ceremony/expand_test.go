package ceremony

import (
	"errors"
	"strings"
	"testing"
)

const partA = `# A part.
keyrite-part: 1
parameters: [who, all]
steps:
  # What everybody hears.
  - id: first
    kind: speak
    title: First
    actor: $who
    witnesses: [$all]
    text: >-
      One line,
      another.

  - id: second
    kind: speak
    title: Second
    actor: $who
    text: Said.
`

const including1 = `keyrite: 1
# A comment that stays.
steps:
  - id: zero
    kind: speak

  # Before the part.
  - include: a
    with:
      who: admin
      all: [wit, "no"]   # this goes

  # After it.
  - id: last
`

const expanded1 = `keyrite: 1
# A comment that stays.
steps:
  - id: zero
    kind: speak

  # Before the part.
  # What everybody hears.
  - id: first
    kind: speak
    title: First
    actor: admin
    witnesses: [wit, 'no']
    text: >-
      One line,
      another.

  - id: second
    kind: speak
    title: Second
    actor: admin
    text: Said.

  # After it.
  - id: last
`

func partsOf(m map[string]string) ReadPart {
	return func(name string) ([]byte, error) {
		b, ok := m[name]
		if !ok {
			return nil, errors.New("there is no shared part " + name)
		}
		return []byte(b), nil
	}
}

// TestExpand: the same bytes each time, comments kept, and places that lead back.
func TestExpand(t *testing.T) {
	for range 2 {
		x, problems := Expand("c.yaml", []byte(including1), partsOf(map[string]string{"a": partA}))
		if problems.Err() != nil || string(x.Text) != expanded1 || len(x.Included) != 1 {
			t.Fatalf("%v\n%s", problems, x.Text)
		}
		for line, want := range map[int]string{1: "c.yaml:1:5: ", 7: "c.yaml:7:5: ", 9: "c.yaml:8: part a:6:5: ", 16: "c.yaml:8: part a:13:5: ", 24: "c.yaml:13:5: "} {
			if got := x.Place(Problem{File: "c.yaml", Line: line, Col: 5}).String(); got != want {
				t.Errorf("line %d is at %q, want %q", line, got, want)
			}
		}
		again, problems := Expand("c.yaml", x.Text, nil)
		if problems.Err() != nil || string(again.Text) != expanded1 || len(again.Included) != 0 {
			t.Errorf("what is expanded changes: %v", problems)
		}
	}
	moved := strings.ReplaceAll(including1, "\n  ", "\n")
	x, problems := Expand("c.yaml", []byte(moved), partsOf(map[string]string{"a": partA}))
	if problems.Err() != nil || string(x.Text) != strings.ReplaceAll(expanded1, "\n  ", "\n") {
		t.Errorf("without indent: %v\n%s", problems, x.Text)
	}
}

// TestExpandRefuses: what is said of a wrong include, and where.
func TestExpandRefuses(t *testing.T) {
	for name, x := range map[string]struct{ old, new, want string }{
		"no such part":        {"include: a", "include: b", "c.yaml:8:14: steps[2].include: there is no shared part b"},
		"a value missing":     {"      who: admin\n", "", `c.yaml:9:5: steps[2].with: the part "a" needs a value for "who"`},
		"a value too many":    {"who: admin", "who: admin\n      whom: admin", `c.yaml:9:5: steps[2].with: the part "a" has no parameter "whom"`},
		"a list for a text":   {"who: admin", "who: [admin, other]", `the part "a" takes one text for "who", not a list`},
		"in brackets":         {"- include: a\n    with:\n      who: admin\n      all: [wit, \"no\"]   # this goes", "- {include: a, with: {who: admin, all: wit}}", ""},
		"all in one line":     {"steps:\n  - id: zero\n    kind: speak\n\n  # Before the part.\n  - include: a\n    with:\n      who: admin\n      all: [wit, \"no\"]   # this goes\n\n  # After it.\n  - id: last\n", "steps: [{include: a, with: {who: admin, all: wit}}]\n", "an include stands as an item of its own"},
		"broken YAML":         {"keyrite: 1", "keyrite: [1", "c.yaml:"},
		"not expanded for it": {"", "", ""},
	} {
		script := strings.Replace(including1, x.old, x.new, 1)
		_, problems := Expand("c.yaml", []byte(script), partsOf(map[string]string{"a": partA}))
		if x.want == "" && problems.Err() != nil || !strings.Contains(problems.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, problems, x.want)
		}
	}
	for name, x := range map[string]struct{ old, new, want string }{
		"version":      {"keyrite-part: 1", "keyrite-part: 2", "c.yaml:8: part a:2:15: keyrite-part: expected 1"},
		"broken":       {"actor: $who", "actor: [$who", "c.yaml:8: part a:"},
		"in a text":    {"another.", "another $who.", "c.yaml:8: part a:13:1: a parameter stands where no value of a field is"},
		"no version":   {"keyrite-part: 1\n", "", "keyrite-part: the field is missing"},
		"anchored":     {"text: Said.", "text: &a Said.", "part a:19:11: steps[2].text: an anchor"},
		"no parameter": {"actor: $who\n    witnesses", "actor: $whom\n    witnesses", `part a:9:1: "whom" is none of the part's parameters`},
	} {
		_, problems := Expand("c.yaml", []byte(including1), partsOf(map[string]string{"a": strings.Replace(partA, x.old, x.new, 1)}))
		if problems == nil || !strings.Contains(problems.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, problems, x.want)
		}
	}
}

// TestNotExpanded: nothing but a whole script is read as one.
func TestNotExpanded(t *testing.T) {
	s, problems := ParseAndCheck("c.yaml", []byte(including1), testKinds())
	if s != nil || len(problems) != 1 || problems[0].String() != "c.yaml:8:14: steps[2].include: the script includes shared parts, and what is approved, printed and run is one file: write them out first, keyrite check --expand FILE -o NEW" {
		t.Errorf("%v", problems)
	}
}
