// Package canonjson reads and writes the canonical JSON of RFC 8785, restricted
// to what has one meaning everywhere: objects, arrays, strings, integers between
// −(2^53−1) and 2^53−1, true, false and null.
//
// One value has exactly one encoding:
//
//   - no white space anywhere;
//   - members of an object in ascending order of their names, compared as
//     sequences of UTF-16 code units, no name twice (RFC 8785 section 3.2.3);
//   - strings in UTF-8 with the shortest escapes: \" \\ \b \f \n \r \t, other
//     characters below U+0020 as \u00 and two lower-case hex digits, nothing
//     else escaped (section 3.2.2.2);
//   - integers in decimal without leading zeros, fraction, exponent, plus sign
//     or negative zero (section 3.2.2.3);
//   - arrays and objects nested at most [MaxDepth] deep.
//
// [Valid] accepts exactly these bytes, [Marshal] writes them.
package canonjson

import (
	"bytes"
	"fmt"
)

// MaxDepth is how deep arrays and objects may be nested: [] has depth 1.
const MaxDepth = 32

// MaxInt is the largest integer, 2^53−1; −MaxInt is the smallest.
const MaxInt = 1<<53 - 1

// A SyntaxError says where bytes stop being canonical JSON.
type SyntaxError struct {
	Offset int64  // of the first byte at fault, from 0; the length if the end comes too early
	Want   string // what should have been there
}

// Error returns "byte 12: want …".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("byte %d: want %s", e.Offset, e.Want)
}

// Valid returns nil if b is one value in canonical form and nothing else, or a
// [*SyntaxError] for the first byte at which it is not.
func Valid(b []byte) error {
	s := scanner{b: b}
	if err := s.value(); err != nil {
		return err
	}
	return s.end()
}

// A Member is one member of an object.
type Member struct {
	Name   []byte // between the quotes, as encoded
	Value  []byte // canonical JSON
	Offset int64  // of Value in the object
}

// Members checks b as [Valid] does and returns the members of the object that
// it is. The slices point into b. A b that is no object is a [*SyntaxError].
func Members(b []byte) ([]Member, error) {
	if len(b) == 0 || b[0] != '{' {
		return nil, &SyntaxError{0, "an object"}
	}
	var list []Member
	s := scanner{b: b}
	s.member = func(name []byte, from, to int) {
		list = append(list, Member{name, b[from:to], int64(from)})
	}
	if err := s.value(); err != nil {
		return nil, err
	}
	return list, s.end()
}

// Unquote returns what a string in canonical form stands for, and whether b is
// one: b must be a value that [Valid] accepts, such as a [Member]'s.
func Unquote(b []byte) (string, bool) {
	if len(b) < 2 || b[0] != '"' {
		return "", false
	}
	return string(unescape(b[1 : len(b)-1])), true
}

// Text reads the string in canonical form that b begins with: what stands
// between its quotes, and how many bytes it takes with them. They are 0 if b
// does not begin with one. escaped says that it has escapes, so that content is
// not yet what it stands for: see [Unquote].
func Text(b []byte) (content []byte, size int, escaped bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, 0, false
	}
	s := scanner{b: b}
	content, err := s.str()
	if err != nil {
		return nil, 0, false
	}
	return content, s.i, bytes.IndexByte(content, '\\') >= 0
}

// Int reads the integer in canonical form that b begins with, and how many
// bytes it takes: 0 if b does not begin with one.
func Int(b []byte) (n int64, size int) {
	s := scanner{b: b}
	if len(b) == 0 || b[0] != '-' && (b[0] < '0' || b[0] > '9') || s.integer() != nil {
		return 0, 0
	}
	digits := b[:s.i]
	if b[0] == '-' {
		digits = b[1:s.i]
	}
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	if b[0] == '-' {
		n = -n
	}
	return n, s.i
}
