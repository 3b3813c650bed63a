package plain

import (
	"strings"

	"github.com/keyrite/keyrite/internal/room"
)

// What follows is how this room sets text, for another one that puts it
// elsewhere than below the last line.

// Lines sets a message, without colour, in lines for a screen of that many
// columns. It panics on a type that is no message of package room.
func Lines(m room.Message, width int) []string {
	p := &page{width: max(width, leastWidth)}
	p.message(m)
	if p.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(p.String(), "\n"), "\n")
}

// Wrap cleans a text and sets it in lines of at most n ≥ 2 columns.
func Wrap(s string, n int) []string { return wrap(s, n) }

// Clean escapes whatever a terminal could take for a command and what hides or
// reorders text.
func Clean(s string) string { return clean(s) }

// Columns is the number of columns a clean text takes.
func Columns(s string) int { return columns(s) }

// Cut splits a clean text before the first character that does not fit in n
// columns; at least one character stays in front.
func Cut(s string, n int) (fits, rest string) { return cut(s, n) }
