package strictyaml

import (
	"fmt"
	"strconv"
	"strings"
)

// maxSearch is the size of the largest file, in bytes, in which the place of an
// error is searched for: the search reads the file some 40 times.
const maxSearch = 128 << 10

// syntax reports the error that stopped the YAML reader. The library knows its
// line only roughly, so it is found as the shortest beginning of the text that
// gives the same error.
func (d *Doc) syntax(err error) {
	msg := message(err)
	if msg == "exceeded max depth of 10000" {
		d.problem(1, 1, "", tooDeep)
		return
	}
	if size := len(strings.Join(d.lines, "")); size > maxSearch {
		n, _ := strconv.Atoi(lineNumber.FindString(err.Error()))
		d.problem(max(1, min(n, len(d.lines))), 1, "", "near this line: "+explain(msg, "", 1))
		return
	}
	n, col := d.shortestWith(msg, len(d.lines))
	line := []rune(d.lines[n-1])
	what := explain(msg, string(line), col)
	switch {
	case msg == unknownAnchor && col > 1:
		col-- // the name is missed, the "*" before it is meant
	case strings.HasPrefix(msg, noEnd):
		n, col = d.opening(n, col)
	case msg != openQuote && d.errorIn(n-1, "") == openQuote:
		what = fmt.Sprintf("the text in quotes that begins here goes on until line %d: is a quote missing?", n)
		n, col = d.shortestWith(openQuote, n-1)
	}
	d.problem(n, col, "", what)
}

// errorIn returns the message for a text of n lines and the beginning of the
// next, "" if there is none.
func (d *Doc) errorIn(n int, next string) string {
	_, _, err := load(strings.Join(d.lines[:n], "") + next)
	if err == nil {
		return ""
	}
	return message(err)
}

// shortestWith returns the line and the column where the shortest text that
// gives an error ends, given that the first all lines give it.
func (d *Doc) shortestWith(msg string, all int) (line, col int) {
	line = shortest(all, func(n int) bool { return d.errorIn(n, "") == msg })
	last := []rune(strings.TrimSuffix(d.lines[line-1], "\n"))
	col = shortest(max(1, len(last)), func(n int) bool {
		return n <= len(last) && d.errorIn(line-1, string(last[:n])) == msg
	})
	return line, col
}

const (
	unknownAnchor = "unknown anchor referenced"
	openQuote     = "found unexpected end of stream"
	noEnd         = "did not find expected ',' or"
)

// opening returns the place of the last bracket or brace before a place that is
// not closed again before it, or that place if there is none.
func (d *Doc) opening(line, col int) (int, int) {
	closed := 0
	for n := line; n > 0; n-- {
		s := []rune(d.lines[n-1])
		if n == line {
			s = s[:min(col, len(s))]
		}
		for i := len(s) - 1; i >= 0; i-- {
			switch s[i] {
			case ']', '}':
				closed++
			case '[', '{':
				if closed--; closed < 0 {
					return n, i + 1
				}
			}
		}
	}
	return line, col
}

// message returns the library's message without the parts that depend on where
// the text ends.
func message(err error) string {
	msg := lineOf.ReplaceAllString(err.Error(), "")
	if strings.HasPrefix(msg, "unknown anchor ") {
		return unknownAnchor
	}
	return msg
}

// shortest returns the smallest n from 1 to all for which fails(n), given that
// fails(all). An unfinished quoted text fails, too, so that what it finds is
// tried again, a few times, with somewhat longer ones.
func shortest(all int, fails func(int) bool) int {
	low, high := 0, all // fails(low) is false, fails(high) true
	for try := 0; ; try++ {
		for low+1 < high {
			if mid := (low + high) / 2; fails(mid) {
				high = mid
			} else {
				low = mid
			}
		}
		found := high
		for more := 1; more <= 64 && found+more < all; more += 1 + more/8 {
			if !fails(found + more) {
				low, high = found+more, all
				break
			}
		}
		if high == found || try == 5 {
			return found
		}
	}
}

// explain says in plain words what a message of the library means at a place.
func explain(msg, line string, col int) string {
	at := []rune(line)
	here := ""
	if col <= len(at) {
		here = string(at[col-1])
	}
	switch msg {
	case "mapping values are not allowed in this context":
		if strings.Contains(string(at[:max(0, min(col-1, len(at)))]), ": ") {
			return "the text contains ': ', which begins a field: put the whole text in quotes"
		}
		return "a field does not fit here: give it the indentation of its neighbours, and check that the line above has a space after its ':'"
	case "did not find expected key", "did not find expected '-' indicator", "did not find expected <document start>":
		return "this does not fit to what stands above: check the indentation, and the quotes, of this line and the line before"
	case "could not find expected ':'":
		return "expected 'name: value'"
	case "found character that cannot start any token":
		return "a text cannot begin with " + here + " : put it in quotes"
	case openQuote:
		return "the text in quotes that begins here has no end: a quote is missing"
	case "block sequence entries are not allowed in this context":
		return "a list begins on the line after its name: each item on a line of its own, after '- '"
	case unknownAnchor:
		return noAlias
	}
	return explainRare(msg)
}

func explainRare(msg string) string {
	switch {
	case strings.HasPrefix(msg, noEnd):
		return "what begins with this bracket has no end, or a comma is missing in it"
	case strings.Contains(msg, "escape"), strings.Contains(msg, "hexdecimal"):
		return `in double quotes \ begins an escape, and this is none: write \\ for a backslash, or use single quotes`
	case msg == "did not find expected node content":
		return "expected a value"
	}
	return "this cannot be read as YAML: " + msg
}
