package ceremony

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/internal/strictyaml"
)

// PartFormat is the version of the format of shared parts, the value of a
// part's first field.
const PartFormat = 1

// A ReadPart returns the YAML of a shared part; the error is for people.
type ReadPart func(name string) ([]byte, error)

// An Expansion is a script with its shared parts written out, and where each of
// its lines comes from.
type Expansion struct {
	Text     []byte
	Included []string // names of the parts, in order; empty if Text is the script as it was

	file    string
	origins []origin // of each line of Text, from the first
}

// An origin is where a line of an expanded script stands.
type origin struct {
	file   string
	line   int
	indent int // columns by which the line was moved to the right
}

// An including is what the expansion reads of a script's step.
type including struct {
	Include string                        `yaml:"include" line:"one"`
	With    map[string]strictyaml.Strings `yaml:"with"`
}

// A partHead is what stands in a part before its steps.
type partHead struct {
	Format     int      `yaml:"keyrite-part,required"`
	Parameters []string `yaml:"parameters"`
}

// ignore takes all fields that a struct does not have.
func ignore(any, func(string, string)) (any, bool) { return nil, false }

// includings reads the steps of a script that include a part; index is that of
// the step.
func includings(doc *strictyaml.Doc) map[int]including {
	var s struct {
		Steps []including `yaml:"steps"`
	}
	doc.DecodeRest(&s, ignore)
	found := map[int]including{}
	for i, step := range s.Steps {
		if step.Include != "" {
			found[i] = step
		}
	}
	return found
}

// notExpanded are the problems of a script that includes parts where a whole
// one is wanted.
func notExpanded(doc *strictyaml.Doc) (problems Problems) {
	for _, i := range slices.Sorted(maps.Keys(includings(doc))) {
		problems = append(problems, doc.Problem(fmt.Sprintf("steps[%d].include", i+1),
			"the script includes shared parts, and what is approved, printed and run is one file: write them out first, keyrite check --expand FILE -o NEW"))
	}
	return problems
}

// Expand writes the shared parts out that a script includes. A step of the form
//
//   - include: opening
//     with:
//     administrator: ceremony-admin
//     witnesses: [witness-1, witness-2]
//
// is replaced by the steps of the part, with comments, its $administrator and
// [$witnesses] by the values. Everything else stays byte for byte, so that the
// same script and parts give the same bytes. Problems name the place in the
// script, or in the part.
func Expand(file string, b []byte, read ReadPart) (*Expansion, Problems) {
	doc, problems := strictyaml.Parse(file, b)
	if doc == nil {
		return nil, problems
	}
	x := &Expansion{file: file}
	found := includings(doc)
	lines := strings.SplitAfter(string(b), "\n")
	next := 0
	for _, i := range slices.Sorted(maps.Keys(found)) {
		path := fmt.Sprintf("steps[%d]", i+1)
		start, end, ok := itemLines(lines, doc, path)
		if !ok {
			problems = append(problems, doc.Problem(path+".include", "an include stands as an item of its own, on a line that begins with '- include:'"))
			continue
		}
		x.script(lines, next, start)
		next = end
		at := fmt.Sprintf("%s:%d: part %s", file, start+1, found[i].Include)
		indent := len(lines[start]) - len(strings.TrimLeft(lines[start], " "))
		for _, p := range x.part(at, found[i], read, indent) {
			if p.File == "" {
				p = doc.Problem(strictyaml.Below(path, p.Path), p.What)
			}
			problems = append(problems, p)
		}
	}
	x.script(lines, next, len(lines))
	if len(problems) > 0 && len(found) > 0 {
		return nil, problems
	}
	return x, nil
}

// itemLines returns the lines, from start on and up to end, of a list's item
// that begins on a line of its own.
func itemLines(lines []string, doc *strictyaml.Doc, path string) (start, end int, ok bool) {
	line, _ := doc.At(path)
	start = line - 1
	if line < 1 || line > len(lines) || !strings.HasPrefix(strings.TrimLeft(lines[start], " "), "- ") {
		return 0, 0, false
	}
	indent := len(lines[start]) - len(strings.TrimLeft(lines[start], " "))
	end = start + 1
	for i := end; i < len(lines); i++ {
		text := strings.TrimLeft(lines[i], " ")
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if len(lines[i])-len(text) <= indent {
			break
		}
		end = i + 1
	}
	return start, end, true
}

// script takes lines of the script as they are.
func (x *Expansion) script(lines []string, from, to int) {
	for i := from; i < to; i++ {
		x.Text = append(x.Text, lines[i]...)
		x.origins = append(x.origins, origin{x.file, i + 1, 0})
	}
}

// placeholder is a value that a part leaves to the script: all of a field's, one
// text or, in brackets, a list of texts.
var placeholder = regexp.MustCompile(`^( *(?:- )?[a-z0-9_]+: )(\$([a-z0-9_-]+)|\[\$([a-z0-9_-]+)\])$`)

// part writes a part's steps with so many spaces before each line. A problem
// without a file is of the include, its path below that step.
func (x *Expansion) part(at string, in including, read ReadPart, indent int) (problems Problems) {
	wrong := func(path, format string, args ...any) {
		problems = append(problems, Problem{Path: path, What: fmt.Sprintf(format, args...)})
	}
	b, err := read(in.Include)
	if err != nil {
		wrong("include", "%v", err)
		return problems
	}
	doc, found := strictyaml.Parse(at, b)
	if len(found) > 0 {
		return found
	}
	var head partHead
	if found := doc.DecodeRest(&head, ignore); len(found) > 0 {
		return found
	}
	if head.Format != PartFormat {
		return Problems{doc.Problem("keyrite-part", fmt.Sprintf("expected %d, the version of the format of parts that this program reads", PartFormat))}
	}
	for _, name := range head.Parameters {
		if len(in.With[name]) == 0 {
			wrong("with", "the part %q needs a value for %q", in.Include, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in.With)) {
		if !slices.Contains(head.Parameters, name) {
			wrong("with", "the part %q has no parameter %q%s", in.Include, name, strictyaml.Instead(name, head.Parameters))
		}
	}
	if len(problems) > 0 {
		return problems
	}
	x.Included = append(x.Included, in.Include)
	return x.steps(at, string(b), in, indent)
}

// steps writes what follows the line "steps:" of a part.
func (x *Expansion) steps(at, text string, in including, indent int) (problems Problems) {
	lines := strings.SplitAfter(strings.TrimRight(text, "\n")+"\n", "\n")
	begun := false
	for i, line := range lines {
		switch {
		case !begun:
			begun = line == "steps:\n"
			continue
		case line == "":
			continue
		}
		line = strings.TrimPrefix(line, "  ")
		moved := indent - 2
		switch m := placeholder.FindStringSubmatch(strings.TrimSuffix(line, "\n")); {
		case m != nil && len(in.With[m[3]+m[4]]) == 0:
			problems = append(problems, Problem{File: at, Line: i + 1, Col: 1, What: fmt.Sprintf("%q is none of the part's parameters", m[3]+m[4])})
		case m == nil && strings.Contains(line, "$"):
			problems = append(problems, Problem{File: at, Line: i + 1, Col: 1, What: "a parameter stands where no value of a field is"})
		case m != nil && m[3] != "" && len(in.With[m[3]]) > 1:
			problems = append(problems, Problem{Path: "with", What: fmt.Sprintf("the part %q takes one text for %q, not a list", in.Include, m[3])})
		case m != nil && m[3] != "":
			line = m[1] + yamlText(in.With[m[3]][0]) + "\n"
		case m != nil:
			line = m[1] + yamlList(in.With[m[4]]) + "\n"
		}
		if strings.TrimSpace(line) != "" {
			line = strings.Repeat(" ", indent) + line
		}
		x.Text = append(x.Text, line...)
		x.origins = append(x.origins, origin{at, i + 1, moved})
	}
	return problems
}

// plainWord is a text that needs no quotes, unless it is one of surprising.
var plainWord = regexp.MustCompile(`^[a-z][a-z0-9]*([.-][a-z0-9]+)*$`)

var surprising = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

// yamlText writes a text on one line.
func yamlText(s string) string {
	if plainWord.MatchString(s) && !slices.Contains(surprising, s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// yamlList writes a list of texts on one line.
func yamlList(values strictyaml.Strings) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = yamlText(v)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// Place returns a problem of the expanded script at the place where its line
// stands: in the script, or in a part.
func (x *Expansion) Place(p Problem) Problem {
	if p.Line < 1 || p.Line > len(x.origins) {
		return p
	}
	o := x.origins[p.Line-1]
	p.File, p.Line, p.Col = o.file, o.line, max(1, p.Col-o.indent)
	return p
}
