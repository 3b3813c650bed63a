package transcript

import (
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// runeWidth returns the columns that r takes: 1 or 2, or 0 if no font of the
// transcript covers it.
func runeWidth(r rune) int {
	switch {
	case covered(narrow, r):
		return 1
	case covered(wide, r):
		return 2
	}
	return 0
}

// covered reports whether r is in one of the ranges of table, which holds
// first and last of each, ascending.
func covered(table []uint16, r rune) bool {
	if r < 0 || r > 0xFFFF {
		return false
	}
	i := sort.Search(len(table)/2, func(i int) bool { return rune(table[2*i+1]) >= r })
	return i < len(table)/2 && rune(table[2*i]) <= r
}

// IsWide reports whether r takes two columns.
func IsWide(r rune) bool { return runeWidth(r) == 2 }

// Width returns the number of columns of an escaped text.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// clean writes s so that it can be drawn and nothing of it is hidden: a
// character that no font covers, a control, a combining mark, one that runs
// from right to left and any beyond U+FFFF becomes [U+XXXX]; a byte that is no
// UTF-8 becomes [0xXX]; a space at either end or after another becomes
// [U+0020]. A bracket that would read as such an escape is itself escaped, so
// no two texts look the same.
func clean(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, "[0x%02X]", s[i])
		case r == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' '),
			r == '[' && (strings.HasPrefix(s[i:], "[U+") || strings.HasPrefix(s[i:], "[0x")),
			runeWidth(r) == 0:
			fmt.Fprintf(&b, "[U+%04X]", r)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

// prose is clean for running text of the script: runs of white space count as
// one space.
func prose(s string) string { return clean(strings.Join(strings.Fields(s), " ")) }

// indented is clean for a line of prepared text: its spaces stay as they are.
func indented(s string) string {
	parts := strings.Split(strings.ReplaceAll(s, "\t", "    "), " ")
	for i, p := range parts {
		parts[i] = clean(p)
	}
	return strings.TrimRight(strings.Join(parts, " "), " ")
}

// wrap breaks an escaped text into lines of at most width columns. A line ends
// at a space, which is dropped and still counts as a column; a word longer than
// a line is broken where the line is full. So a line that is full goes on
// without a space, and any other with one.
func wrap(s string, width int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	flush := func() {
		lines = append(lines, strings.TrimRight(line.String(), " "))
		line.Reset()
		used = 0
	}
	words := strings.Split(s, " ")
	for i, word := range words {
		need := Width(word)
		if i < len(words)-1 {
			need++
			word += " "
		}
		if used > 0 && used+need > width {
			flush()
		}
		for _, r := range word {
			if used+runeWidth(r) > width {
				flush()
			}
			line.WriteRune(r)
			used += runeWidth(r)
		}
	}
	if used > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// fit cuts an escaped text to width columns, with "…" where something was cut.
func fit(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	used := 1
	for i, r := range s {
		if used += runeWidth(r); used > width {
			return strings.TrimRight(s[:i], " ") + "…"
		}
	}
	return s
}

// pad fills an escaped text with spaces to width columns, cutting a longer one.
func pad(s string, width int) string {
	s = fit(s, width)
	return s + strings.Repeat(" ", max(0, width-Width(s)))
}

// right is pad that aligns to the right.
func right(s string, width int) string {
	s = fit(s, width)
	return strings.Repeat(" ", max(0, width-Width(s))) + s
}

// spread puts left and right at the two ends of a line; the left one is cut if
// they do not fit.
func (w width) spread(left, end string) string {
	end = fit(end, int(w)-12)
	return pad(left, int(w)-2-Width(end)) + "  " + end
}

// spread is [width.spread] on a page of [Columns].
func spread(left, end string) string { return width(Columns).spread(left, end) }

// centre puts an escaped text in the middle of a line of [Columns].
func centre(s string) string {
	s = fit(s, Columns)
	return strings.Repeat(" ", (Columns-Width(s))/2) + s
}

// groups writes hex in groups of four digits, as it is read aloud.
func groups(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s[i:min(i+4, len(s))])
	}
	return b.String()
}

// bytesOf decodes hex for showing it otherwise; nil if it is none.
func bytesOf(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

// plural returns "1 thing" or "n things".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if strings.HasSuffix(thing, "y") {
		return fmt.Sprintf("%d %sies", n, thing[:len(thing)-1])
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
