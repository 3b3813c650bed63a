package answers

import (
	"errors"
	"slices"
	"strings"
)

// A pattern is the key of prompts, step/what/person, in which a part may be
// "*" for any.
type pattern [3]string

const anything = "*"

// parsePattern reads a pattern. A "*" inside a part is refused, since it would
// look as if it meant something.
func parsePattern(s string) (pattern, error) {
	parts := strings.Split(s, "/")
	if len(parts) != len(pattern{}) || slices.Contains(parts, "") {
		return pattern{}, errors.New(`expected a key of three parts, "step/what/person"`)
	}
	for _, p := range parts {
		if p != anything && strings.Contains(p, anything) {
			return pattern{}, errors.New(`a "*" stands for a whole part of the key`)
		}
	}
	return pattern(parts), nil
}

// String returns the pattern as it is written.
func (p pattern) String() string { return strings.Join(p[:], "/") }

// matches reports whether p is a pattern of a prompt's key.
func (p pattern) matches(key string) bool {
	parts := strings.Split(key, "/")
	if len(parts) != len(p) {
		return false
	}
	for i := range p {
		if p[i] != anything && p[i] != parts[i] {
			return false
		}
	}
	return true
}

// compare orders the more specific pattern first: the one with fewer wildcards,
// then the one whose first differing part is literal. Of patterns that match
// the same key, no two are equal in this order unless they are the same.
func (p pattern) compare(q pattern) int {
	if n := p.wildcards() - q.wildcards(); n != 0 {
		return n
	}
	for i := range p {
		switch {
		case p[i] == q[i]:
		case p[i] == anything:
			return 1
		case q[i] == anything:
			return -1
		}
	}
	return strings.Compare(p.String(), q.String())
}

func (p pattern) wildcards() int {
	n := 0
	for _, part := range p {
		if part == anything {
			n++
		}
	}
	return n
}
