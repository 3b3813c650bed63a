package transcript

import "strings"

// The grid: an entry's number and time stand in the margin, what it tells
// behind it, names of facts in a column of their own.
const (
	margin     = 18 // "   123  10:42:07  "
	labelWidth = 14
	coverLabel = 20
)

// A width is the columns of a page: [Columns] for all but large print.
type width int

// pair is [width.pair] on a page of [Columns].
func pair(style Style, indent, column int, label, value string) []Line {
	return width(Columns).pair(style, indent, column, label, value)
}

// rows is [width.rows] on a page of [Columns].
func rows(style Style, indent, column int, label string, values []string) []Line {
	return width(Columns).rows(style, indent, column, label, values)
}

// text is [width.text] on a page of [Columns].
func text(style Style, indent int, s string) []Line { return width(Columns).text(style, indent, s) }

// heading is [width.heading] on a page of [Columns].
func heading(style Style, s string) block { return width(Columns).heading(style, s) }

// pair sets a label in bold and a cleaned value beside it, wrapped under
// itself. A label too long for its column stands above its value.
func (w width) pair(style Style, indent, column int, label, value string) []Line {
	return w.rows(style, indent, column, label, wrap(value, max(16, int(w)-indent-column)))
}

// rows is pair for a value that is already in lines of fitting width.
func (w width) rows(style Style, indent, column int, label string, values []string) []Line {
	blank := strings.Repeat(" ", indent)
	var lines []Line
	first := pad(label, column)
	if Width(label) >= column {
		for _, l := range wrap(label, int(w)-indent) {
			lines = append(lines, Line{style, blank + l, int(w)})
		}
		first = strings.Repeat(" ", column)
	}
	for i, v := range values {
		if i > 0 {
			first = strings.Repeat(" ", column)
		}
		lines = append(lines, Line{style, blank + first + v, indent + column})
	}
	return lines
}

// boxPair is pair inside a frame.
func boxPair(label, value string) []Line {
	indent := margin + 2
	return rows(Boxed, indent, labelWidth, label, wrap(value, Columns-indent-labelWidth-1))
}

// hexRows sets hex in rows of eight groups of four digits.
func hexRows(s string) []string {
	s = clean(s)
	if bytesOf(s) == nil {
		return wrap(s, 40)
	}
	var lines []string
	for len(s) > 32 {
		lines = append(lines, groups(s[:32]))
		s = s[32:]
	}
	return append(lines, groups(s))
}

// text sets a paragraph in a style.
func (w width) text(style Style, indent int, s string) []Line {
	var lines []Line
	for _, l := range wrap(s, int(w)-indent) {
		lines = append(lines, Line{Style: style, Text: strings.Repeat(" ", indent) + l})
	}
	return lines
}

// heading is a block that stays with what follows it.
func (w width) heading(style Style, s string) block {
	lines := []Line{}
	for i, l := range wrap(s, int(w)*3/4) {
		if i > 0 {
			style = Strong
		}
		lines = append(lines, Line{Style: style, Text: l})
	}
	return block{lines: lines, keep: true, next: true}
}

// gap is an empty line.
func gap() block { return block{lines: []Line{{}}, keep: true} }

// kept is a block that is not broken, free one that may be.
func kept(lines ...Line) block { return block{lines: lines, keep: true} }
func free(lines ...Line) block { return block{lines: lines} }
