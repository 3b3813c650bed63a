package ceremony

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSimulateRest(t *testing.T) {
	s, problems := ParseAndCheck("c.yaml", []byte(goodScript(t)), testKinds())
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	for _, test := range []struct {
		name string
		done map[string]string
		want []string
	}{
		{"nothing yet", nil, nil},
		{"all as written", map[string]string{"roll-call": Done, "rules": Done, "make-root": Done}, nil},
		{"a step that nothing needs is skipped", map[string]string{"roll-call": Done, "rules": Skipped}, nil},
		{"a step that failed remains", map[string]string{"roll-call": Done, "make-root": Failed}, nil},
		{"the key is skipped", map[string]string{"roll-call": Done, "make-root": Skipped}, []string{
			`82:10: steps[4].key: key "root" is used before it is made`,
		}},
		{"key and signature are skipped", map[string]string{"make-root": Skipped, "sign-root": Skipped}, []string{
			`90:9: steps[5].files[1]: "root.pem" does not exist by then`,
		}},
		{"what was done in vain is not judged again", map[string]string{"make-root": Skipped, "sign-root": Done}, nil},
		{"the roll call is skipped", map[string]string{"roll-call": Skipped}, []string{
			"64:5: steps[2]: the step comes before the roll call: begin with a step of kind attendance",
		}},
		{"the close is skipped", map[string]string{"roll-call": Done, "end": Skipped}, []string{
			"91:5: steps[6]: the last step must be of kind close: without it nothing is sealed",
		}},
	} {
		var got []string
		for _, p := range SimulateRest(s, test.done) {
			got = append(got, strings.TrimPrefix(p.String(), "c.yaml:"))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got\n\t%s\nwant\n\t%s", test.name, strings.Join(got, "\n\t"), strings.Join(test.want, "\n\t"))
		}
	}
	if problems := Simulate(s); problems.Err() != nil {
		t.Errorf("after all that, the script as written: %v", problems)
	}
}

// A script that was made without a file can be simulated, too.
func TestSimulateWithoutFile(t *testing.T) {
	s := &Script{
		Participants: []Participant{{ID: "ann"}},
		Steps: []Step{
			{ID: "a", Actor: "ann", Action: new(rollStep), Path: "steps[1]"},
			{ID: "b", Actor: "ann", Action: &makeStep{Key: "none"}, Path: "steps[2]"},
			{ID: "c", Actor: "ann"},
			{ID: "d", Actor: "ann", Action: new(endStep), Path: "steps[4]"},
		},
	}
	if got, want := Simulate(s).Error(), `steps[2].key: "none" is not one of the script's keys`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestManySteps(t *testing.T) {
	var b strings.Builder
	head, steps, _ := strings.Cut(goodScript(t), "steps:\n")
	first, last, _ := strings.Cut(steps, "  - id: end")
	b.WriteString(head + "steps:\n" + first)
	for i := range 150 {
		id := strings.Repeat("s", 1+i/26) + string(rune('a'+i%26))
		b.WriteString("  - {id: " + id + ", kind: speak, actor: admin, text: x, title: " + strings.Repeat("山", 100) + "}\n")
	}
	b.WriteString("  - id: end" + last)
	_, problems := ParseAndCheck("c.yaml", []byte(b.String()), testKinds())
	want := "c.yaml:55:1: steps: the titles of 156 steps are too long for the log's first entry: shorten them, or hold two ceremonies"
	if problems.Error() != want {
		t.Errorf("got %s, want %s", problems, want)
	}
}

func FuzzScript(f *testing.F) {
	good := goodScript(f)
	f.Add(good)
	for _, test := range badScripts {
		text := good
		for _, c := range test.changes {
			text = strings.Replace(text, c.old, c.new, 1)
		}
		f.Add(text)
	}
	kinds := testKinds()
	f.Fuzz(func(t *testing.T, text string) {
		s, problems := ParseAndCheck("f", []byte(text), kinds)
		if (s == nil) != (len(problems) > 0) {
			t.Fatalf("script %v, problems %v", s, problems)
		}
		lines := strings.Split(text, "\n")
		for i, p := range problems {
			if p.Line < 1 || p.Line > len(lines) || p.Col < 1 || p.Col > utf8.RuneCountInString(lines[p.Line-1])+1 {
				t.Fatalf("a problem outside of the file: %v", p)
			}
			if i > 0 && p.Line < problems[i-1].Line {
				t.Fatalf("problems are not in the file's order: %v", problems)
			}
		}
	})
}
