package plain

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Łukasz 山田 Ελένη — “ok”", "Łukasz 山田 Ελένη — “ok”"},
		{"\x1b[2J\x1b[31mred", `\x1b[2J\x1b[31mred`},
		{"\x1b]0;title\x07", `\x1b]0;title\x07`},
		{"\u009b31m", `\x9b31m`},
		{"a\x00b\x7f", `a\x00b\x7f`},
		{"two\nlines\r\tand", `two\nlines\x0d\tand`},
		{"abc\u202edcba", `abc\u202edcba`},
		{"\u2066\u2069\u200e\u200f\u061c", `\u2066\u2069\u200e\u200f\u061c`},
		{"\ufeff\u00ad\u2028\u2029", `\ufeff\xad\u2028\u2029`},
		{"\U000e0041", `\U000e0041`},
		{"\xff\xc3", `\xff\xc3`},
		{"\ufffd", "\ufffd"},
		{"ක්\u200dෂ", "ක්\u200dෂ"},
	} {
		if got := clean(c.in); got != c.want {
			t.Errorf("clean(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestColumns(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "山田": 4, "é": 1, "e\u0301": 1, "ｗ": 2, "│": 1, "한국": 4} {
		if got := columns(s); got != want {
			t.Errorf("columns(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"", 10, ""},
		{"one two three", 7, "one two|three"},
		{"one two three", 13, "one two three"},
		{"a  b   c", 20, "a b c"},
		{"aaaaaaaaaaaa b", 5, "aaaaa|aaaaa|aa b"},
		{"山田山田山田", 5, "山田|山田|山田"},
		{"ab\u0301cd", 2, "ab\u0301|cd"},
		{"x\n\ny\n", 10, "x||y"},
		{"x\r\ny", 10, "x|y"},
		{"  - in a list of things", 12, "  - in a|  list of|  things"},
		{"a\x1b[31m b", 20, `a\x1b[31m b`},
		{" 00山", 2, "00|山"},
		{"a\tb", 20, "a b"},
	} {
		if got := strings.Join(wrap(c.in, c.n), "|"); got != c.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

// FuzzWrap checks that no text can leave a terminal command in a line, nor make
// it longer than the screen.
func FuzzWrap(f *testing.F) {
	for _, s := range []string{"a b", "\x1b[31m", "山田 花子", "\xff\n  x", "e\u0301\u0301", "\u200d\u202e"} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = min(max(n, 2), 200)
		for _, l := range wrap(s, n) {
			if !utf8.ValidString(l) || strings.ContainsFunc(l, func(r rune) bool { return !harmless(r) }) {
				t.Errorf("wrap(%q) leaves %q", s, l)
			}
			if columns(l) > n {
				t.Errorf("wrap(%q, %d) gives a line of %d columns: %q", s, n, columns(l), l)
			}
			if strings.TrimRightFunc(l, unicode.IsSpace) != l && strings.HasSuffix(l, " ") {
				t.Errorf("wrap(%q, %d) leaves space at the end of %q", s, n, l)
			}
		}
	})
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[0m\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		c := clean(s)
		if clean(c) != c {
			t.Errorf("clean(%q) = %q is not clean", s, c)
		}
	})
}
