// Package strictyaml reads the small part of YAML that two people, and two
// YAML readers, cannot take for different things, and says everything that is
// wrong with the rest at once.
//
// A file is one mapping of at most 1 MiB of UTF-8 text. A value that is text
// must be text for every YAML reader: what YAML 1.1 or 1.2 take for a number, a
// boolean, a date or nothing is refused without quotes. Anchors, aliases, merge
// keys, tags, directives, a second document, duplicate and unknown fields, tabs
// and characters that a reader cannot see or that a transcript cannot print are
// refused. docs/script.md says the same to those who write a file.
//
//	doc, problems := strictyaml.Parse("ceremony.yaml", b)
//	problems = append(problems, doc.Decode(&script)...)
package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Problem is one thing wrong with a file.
type Problem struct {
	File string
	Line int    // from 1; 0 if the problem has no place in the file
	Col  int    // in characters, from 1
	Path string // the field: "steps[3].title", items counted from 1; "" for the file as a whole
	What string // what was expected, for the person who wrote the file
}

// String returns "file:line:col: field.path: what was expected", without the
// parts that are not known.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
		}
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	return b.String() + p.What
}

// Problems are all that is wrong with a file. As an error they are one line
// each; nil or empty Problems are no error, see [Problems.Err].
type Problems []Problem

// Error returns one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err returns the problems as an error, or nil if there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Sort orders problems by their place in the file and drops repeated ones.
func (ps Problems) Sort() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return slices.Compact(ps)
}
