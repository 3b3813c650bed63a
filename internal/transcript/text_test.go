package transcript

import (
	"fmt"
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "",
		"Łukasz Wzorcowy":     "Łukasz Wzorcowy",
		"山田 太郎":               "山田 太郎",
		"Ελένη":               "Ελένη",
		"Дмитрий":             "Дмитрий",
		"한":                   "[U+D55C]", // the fallback font has no Hangul
		"e\u0301":             "e[U+0301]",
		"a\u00a0b":            "a[U+00A0]b",
		"a  b":                "a [U+0020]b",
		" a ":                 "[U+0020]a[U+0020]",
		"a\x00b\x1b[2Jc":      "a[U+0000]b[U+001B][2Jc",
		"line\r\nfeed":        "line[U+000D][U+000A]feed",
		"שלום":                "[U+05E9][U+05DC][U+05D5][U+05DD]",
		"سلام":                "[U+0633][U+0644][U+0627][U+0645]",
		"\u202eevil":          "[U+202E]evil",
		"zero\u200bwidth":     "zero[U+200B]width",
		"𝕏 beyond":            "[U+1D54F] beyond",
		"\U0010FFFF":          "[U+10FFFF]",
		"bad \xff byte":       "bad [0xFF] byte",
		"\xed\xa0\x80":        "[0xED][0xA0][0x80]",
		"\uFFFD":              "�",
		"[U+0041]":            "[U+005B]U+0041]",
		"[0x41]":              "[U+005B]0x41]",
		"[redacted]":          "[redacted]",
		"soft\u00adhyphen":    "soft[U+00AD]hyphen",
		"private \ue000":      "private [U+E000]",
		"noncharacter \uffff": "noncharacter [U+FFFF]",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// unclean undoes clean: what it gets back was not lost.
func unclean(s string) string {
	var b strings.Builder
	for s != "" {
		var n int
		var end string
		if strings.HasPrefix(s, "[U+") {
			if _, err := fmt.Sscanf(s, "[U+%X%1s", &n, &end); err == nil && end == "]" {
				b.WriteRune(rune(n))
				s = s[strings.IndexByte(s, ']')+1:]
				continue
			}
		}
		if strings.HasPrefix(s, "[0x") {
			if _, err := fmt.Sscanf(s, "[0x%02X]", &n); err == nil {
				b.WriteByte(byte(n))
				s = s[len("[0xFF]"):]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

// unwrap undoes wrap, by the rule that a full line goes on without a space.
func unwrap(lines []string, width int) string {
	var b strings.Builder
	for i, l := range lines {
		b.WriteString(l)
		if i < len(lines)-1 && Width(l) < width {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// FuzzText: whatever the text, its escaped form can be drawn and is undone
// exactly; wrapped, no line is too long and nothing is lost.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain words", " lead  and trail ", "[U+0041] [0x41]", "\xff\xfe", "e\u0301\u202e", "山田太郎" + strings.Repeat("長", 60), strings.Repeat("x", 300), "𝕏\x00"} {
		f.Add(s, 40)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		if width < 16 || width > Columns || len(s) > 1<<12 {
			return
		}
		c := clean(s)
		for _, r := range c {
			if runeWidth(r) == 0 {
				t.Fatalf("clean(%q) holds %U", s, r)
			}
		}
		if back := unclean(c); back != s {
			t.Fatalf("clean(%q) = %q stands for %q", s, c, back)
		}
		lines := wrap(c, width)
		for _, l := range lines {
			if Width(l) > width {
				t.Fatalf("%q is wider than %d", l, width)
			}
		}
		narrowOnly := strings.IndexFunc(c, IsWide) < 0
		if back := unwrap(lines, width); narrowOnly && back != c {
			t.Fatalf("wrapped at %d, %q becomes %q", width, c, back)
		}
	})
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"", 10, ""},
		{"one two three", 8, "one two|three"},
		{"one two three", 7, "one|two|three"}, // "one two" and its space are 8
		{"abcdefghij", 4, "abcd|efgh|ij"},
		{"abcd efgh", 4, "abcd||efgh"},
		{"山田太郎", 5, "山田|太郎"},
	} {
		if got := strings.Join(wrap(c.in, c.width), "|"); got != c.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
}

func TestSetting(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{pad("ab", 4), "ab  "},
		{pad("山田", 5), "山田 "},
		{pad("abcdef", 4), "abc…"},
		{right("ab", 4), "  ab"},
		{fit("山田太郎", 5), "山田…"},
		{groups("0123456789"), "0123 4567 89"},
		{groups(""), ""},
		{strings.Join(hexRows(strings.Repeat("ab", 20)), "|"), "abab abab abab abab abab abab abab abab|abab abab"},
		{strings.Join(hexRows("not hex"), "|"), "not hex"},
		{plural(1, "entry"), "1 entry"},
		{plural(2, "entry"), "2 entries"},
		{plural(0, "byte"), "0 bytes"},
		{prose(" a\n\tb  c "), "a b c"},
		{indented("  a\t b "), "  a     b"},
		{millis(60123), "60.123"},
		{offset(-5), "the machine is 5 ms behind"},
		{offset(0), "none"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if w := Width(spread(strings.Repeat("t", 200), strings.Repeat("o", 200))); w > Columns {
		t.Errorf("a header of %d columns", w)
	}
}

// TestCoverageTables: sorted, not overlapping, in themselves and each other.
func TestCoverageTables(t *testing.T) {
	for name, table := range map[string][]uint16{"narrow": narrow, "wide": wide} {
		for i := 1; i < len(table); i++ {
			if table[i] < table[i-1] || i%2 == 0 && table[i] == table[i-1] {
				t.Errorf("%s: %04X after %04X", name, table[i], table[i-1])
			}
		}
	}
	for r := rune(0); r <= 0xFFFF; r++ {
		if covered(narrow, r) && covered(wide, r) {
			t.Errorf("%U is narrow and wide", r)
		}
	}
	if runeWidth(-1) != 0 || runeWidth(0x10000) != 0 || runeWidth('a') != 1 || runeWidth('山') != 2 {
		t.Error("a width is wrong")
	}
}
