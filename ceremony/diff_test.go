package ceremony

import (
	"fmt"
	"strings"
	"testing"
)

// told is a difference as the tests write it.
func told(d Difference) string {
	return fmt.Sprintf("%s %s %s | %s", d.Section, d.How, d.What, strings.ReplaceAll(strings.Join(d.Fields, " ; "), "\n", " "))
}

func TestDiff(t *testing.T) {
	parse := func(b string) *Script {
		s, problems := Parse("c.yaml", []byte(b), testKinds())
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		return s
	}
	good := goodScript(t)
	for _, test := range []struct {
		name    string
		changes []change
		want    []string
	}{
		{"nothing", nil, nil},
		{"comments and quotes", []change{{"title: Example Root CA\n", "# changed\ntitle: \"Example Root CA\"\n"}}, nil},
		{"own field", []change{{"title: Example Root CA\n", "title: Another CA\n"}},
			[]string{"Ceremony ~ the script's own fields | title: Another CA    was: Example Root CA"}},
		{"key", []change{{"algorithm: P-384", "algorithm: P-256"}},
			[]string{"Keys ~ root: P-256 on token hsm | algorithm: P-256    was: P-384"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := good
			for _, c := range test.changes {
				if strings.Count(text, c.old) == 0 {
					t.Fatalf("the good script has no %q", c.old)
				}
				text = strings.Replace(text, c.old, c.new, 1)
			}
			var got []string
			for _, d := range Diff(parse(good), parse(text)) {
				got = append(got, told(d))
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// TestDiffParts: what was added, removed, moved and changed is told apart, and a
// part that others moved past has not moved.
func TestDiffParts(t *testing.T) {
	list := func(ids string) (all []part) {
		for _, id := range strings.Fields(ids) {
			all = append(all, part{id[:1], id[:1], []leaf{{"v", id[1:]}}})
		}
		return all
	}
	for _, test := range []struct{ before, after, want string }{
		{"a1 b1 c1", "a1 b1 c1", ""},
		{"a1 b1 c1", "a1 x1 b1 c1", "+x"},
		{"a1 b1 c1", "a1 c1", "-b"},
		{"a1 b1 c1 d1", "d1 a1 b1 c1", ">d"},
		{"a1 b1 c1", "a1 b2 c1", "~b"},
		{"a1 b1 c1", "c2 a1 b1", ">c ~c"},
		{"a1 b1", "x1 y1", "+x +y -a -b"},
		{"", "x1", "+x"},
		{"x1", "", "-x"},
	} {
		var got []string
		for _, d := range diffParts("s", list(test.before), list(test.after)) {
			got = append(got, d.How+d.What[:1])
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%q to %q: %q, want %q", test.before, test.after, s, test.want)
		}
	}
}
