package plain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Two characters that steer how letters join; names need them.
const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

// clean returns s with everything escaped that a terminal could take for a
// command or that hides or reorders text: control characters (line ends and
// tabs, too), bidirectional controls, other invisible format characters,
// invalid UTF-8. A name or a token label can carry any of them.
func clean(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case harmless(r):
			b.WriteRune(r)
		default:
			b.WriteString(escaped(r))
		}
		s = s[n:]
	}
	return b.String()
}

// harmless reports whether r only stands for itself on a screen.
func harmless(r rune) bool {
	return unicode.IsGraphic(r) || r == zeroWidthJoiner || r == zeroWidthNonJoiner
}

func escaped(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// paragraphs cuts a text at its line ends; a tab counts as a space there.
func paragraphs(s string) []string {
	s = strings.ReplaceAll(strings.TrimRight(s, " \t\r\n"), "\r\n", "\n")
	return strings.Split(strings.ReplaceAll(s, "\t", " "), "\n")
}

// runeWidth is the number of columns a harmless character takes.
func runeWidth(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// columns is the number of columns a clean text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// pad fills s with spaces up to n columns.
func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-columns(s)))
}

// cut splits s before the first character that does not fit in n columns. At
// least one character stays in front.
func cut(s string, n int) (fits, rest string) {
	taken := 0
	for i, r := range s {
		w := runeWidth(r)
		if taken+w > n && i > 0 {
			return s[:i], s[i:]
		}
		taken += w
	}
	return s, ""
}

// wrap cleans a text and sets it in lines of at most n ≥ 2 columns: between
// words where it can, inside a word longer than a line. Its line ends and the
// indentation after them are kept. There is always a line.
func wrap(s string, n int) []string {
	var lines []string
	for _, p := range paragraphs(s) {
		body := strings.TrimLeft(p, " ")
		indent := strings.Repeat(" ", max(0, min(len(p)-len(body), n/2, n-2)))
		for _, l := range wrapWords(clean(body), n-len(indent)) {
			lines = append(lines, strings.TrimRight(indent+l, " "))
		}
	}
	return lines
}

func wrapWords(s string, n int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) <= n:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
		for columns(line) > n {
			fits, rest := cut(line, n)
			if rest == "" {
				break
			}
			lines, line = append(lines, fits), rest
		}
	}
	return append(lines, line)
}
