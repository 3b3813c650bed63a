package transcript

import (
	"fmt"
	"strings"
	"testing"
)

// numbered returns n lines "a1", "a2", ….
func numbered(name string, n int) []Line {
	lines := make([]Line, n)
	for i := range lines {
		lines[i] = Line{Text: fmt.Sprintf("%s%d", name, i+1)}
	}
	return lines
}

// shape writes pages as "a1..a50|b1": first and last line of each.
func shape(pages [][]Line) string {
	var parts []string
	for _, p := range pages {
		if len(p) == 0 {
			parts = append(parts, "")
			continue
		}
		parts = append(parts, p[0].Text+".."+p[len(p)-1].Text)
	}
	return strings.Join(parts, "|")
}

func TestPaginate(t *testing.T) {
	head := func(s string) block {
		return block{lines: []Line{{Style: Heading, Text: s}}, keep: true, next: true}
	}
	for name, c := range map[string]struct {
		blocks []block
		want   string
	}{
		"nothing":                      {nil, ""},
		"full page":                    {[]block{free(numbered("a", 53)...)}, "a1..a53"},
		"broken":                       {[]block{free(numbered("a", 100)...)}, "a1..a53|a54..a100"},
		"no line alone on a page":      {[]block{free(numbered("a", 54)...)}, "a1..a52|a53..a54"},
		"kept together":                {[]block{free(numbered("a", 50)...), kept(numbered("b", 4)...)}, "a1..a50|b1..b4"},
		"kept, too high for any":       {[]block{free(numbered("a", 5)...), kept(numbered("b", 60)...)}, "a1..b48|b49..b60"},
		"heading goes with its text":   {[]block{free(numbered("a", 49)...), head("H"), free(numbered("b", 9)...)}, "a1..a49|H..b9"},
		"heading and its text fit":     {[]block{free(numbered("a", 48)...), head("H"), free(numbered("b", 9)...)}, "a1..b3|b4..b9"},
		"two headings go with it":      {[]block{free(numbered("a", 47)...), head("H"), head("I"), free(numbered("b", 9)...)}, "a1..a47|H..b9"},
		"heading at the end":           {[]block{free(numbered("a", 52)...), head("H")}, "a1..a52|H..H"},
		"begins a page":                {[]block{free(numbered("a", 3)...), {lines: numbered("b", 3), fresh: true}}, "a1..a3|b1..b3"},
		"first page is fresh anyway":   {[]block{{lines: numbered("b", 3), fresh: true}}, "b1..b3"},
		"heading before a fresh page":  {[]block{head("H"), {lines: numbered("b", 3), fresh: true}}, "H..H|b1..b3"},
		"gap falls at the page's edge": {[]block{free(numbered("a", 53)...), gap(), free(numbered("b", 2)...)}, "a1..a53|b1..b2"},
		"table's head again":           {[]block{free(numbered("a", 50)...), {lines: append([]Line{{Text: "T"}}, numbered("b", 9)...), head: []Line{{Text: "T"}}}}, "a1..a50|T..b9"},
		"table broken":                 {[]block{free(numbered("a", 40)...), {lines: append([]Line{{Text: "T"}}, numbered("b", 60)...), head: []Line{{Text: "T"}}}}, "a1..b12|T..b60"},
	} {
		if got := shape(paginate(c.blocks)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestNoLineLost: whatever the blocks, every line is on a page, in order.
func TestNoLineLost(t *testing.T) {
	for n := 1; n < 130; n++ {
		for _, style := range []Style{Plain, Heading, Title} {
			lines := numbered("a", n)
			for i := range lines {
				lines[i].Style = style
			}
			for _, keep := range []bool{true, false} {
				var got []Line
				for _, p := range paginate([]block{free(numbered("b", n/2)...), {lines: lines, keep: keep, next: keep}}) {
					if height(p) > Units {
						t.Fatalf("%d lines: a page of %d units", n, height(p))
					}
					got = append(got, p...)
				}
				want := append(numbered("b", n/2), lines...)
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("%d lines of style %d: got %v", n, style, got)
				}
			}
		}
	}
}
