package plain

import (
	"slices"
	"strings"

	"github.com/keyrite/keyrite/internal/room"
)

const (
	factColumn  = 26 // where the value of a small fact begins
	groupDigits = 4
)

func (p *page) fact(m room.Fact) {
	if !m.Big {
		p.hang(2, factColumn, plainStyle, clean(m.Name), m.Value)
		return
	}
	p.line("")
	p.block(2, strong, m.Name)
	p.line("")
	for _, l := range p.large(m.Value) {
		p.line("      " + l)
	}
	p.line("")
}

// large sets a value that is read aloud: hex in groups of four digits, many
// words in columns, other text in lines with room around them.
func (p *page) large(value string) []string {
	switch {
	case isHex(value):
		return groups(value, p.text()-6)
	case isWords(value):
		return wordGrid(strings.Fields(value), p.text()-6)
	}
	return wrap(value, p.text()-12)
}

// isHex reports whether a value is made of whole bytes in hex, at least four
// of them.
func isHex(s string) bool {
	return len(s) >= 8 && len(s)%2 == 0 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// groups sets hex digits in groups of four: eight groups in a line with a gap
// in the middle, or four or two if the line is shorter than that.
func groups(hex string, width int) []string {
	perLine := 8
	for perLine > 2 && lineLength(perLine) > width {
		perLine /= 2
	}
	var lines []string
	line := ""
	for n := 0; hex != ""; n++ {
		if n > 0 && n%perLine == 0 {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += "  "
		}
		if n%perLine == 4 {
			line += "  "
		}
		digits := min(groupDigits, len(hex))
		line, hex = line+hex[:digits], hex[digits:]
	}
	return append(lines, line)
}

// isWords reports whether a value is a row of at least eight words of
// lower-case letters, as a checksum in words is.
func isWords(s string) bool {
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz ") == "" && len(strings.Fields(s)) >= 8
}

// wordGrid sets words in four columns, or two or one if the line is shorter.
func wordGrid(words []string, width int) []string {
	longest := 0
	for _, w := range words {
		longest = max(longest, len(w))
	}
	perLine := 4
	for perLine > 1 && perLine*(longest+3) > width {
		perLine /= 2
	}
	var lines []string
	for row := range slices.Chunk(words, perLine) {
		line := ""
		for _, w := range row {
			line += pad(w, longest+3)
		}
		lines = append(lines, line)
	}
	return lines
}

// lineLength is the length of a line with n groups, n being 2, 4 or 8.
func lineLength(n int) int {
	return n*groupDigits + 2*(n-1) + n/8*2
}
