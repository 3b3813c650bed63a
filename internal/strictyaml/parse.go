package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDepth is how deep mappings and lists may nest.
const maxDepth = 16

// A Doc is a file that was read, and where its fields stand in it.
type Doc struct {
	File string

	lines    []string // the text that YAML read
	root     *yaml.Node
	places   map[string]place // by path
	texts    []textNode       // all keys and values, in order
	judged   map[*yaml.Node]bool
	chars    Problems // of single characters, by place
	holes    int      // values left out because their form was refused
	problems Problems
}

type place struct{ line, col int }

type textNode struct {
	node *yaml.Node
	path string
}

// Parse reads a file named file for messages. It returns every problem of form,
// sorted by place. The Doc is nil if the file is no mapping that could be
// decoded; otherwise [Doc.Decode] finds the problems of content, whatever the
// form.
func Parse(file string, b []byte) (*Doc, Problems) {
	d := &Doc{File: file, places: map[string]place{}, judged: map[*yaml.Node]bool{}}
	if len(b) > MaxSize {
		d.problem(1, 1, "", fmt.Sprintf("the file has %d bytes, expected at most %d (1 MiB)", len(b), MaxSize))
		return nil, d.problems
	}
	d.lines = strings.SplitAfter(d.text(b), "\n")
	if !d.read() {
		return nil, append(d.problems, d.chars...).Sort()
	}
	d.walk(d.root, "", 0)
	d.findPaths()
	problems := append(d.problems, d.chars...).Sort()
	d.problems = nil
	return d, problems
}

// At returns where a field stands: its value, or its name if the value begins
// on a later line. If the field is not there it is the place of the innermost
// mapping around it that is; 0, 0 for a nil Doc.
func (d *Doc) At(path string) (line, col int) {
	if d == nil {
		return 0, 0
	}
	for {
		if p, ok := d.places[path]; ok {
			return p.line, p.col
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			break
		}
		path = path[:i]
	}
	return d.root.Line, d.root.Column
}

// Characters returns a problem for each name and value that has a character for
// which can is false, sorted by place; what goes on after the character.
func (d *Doc) Characters(can func(rune) bool, what string) Problems {
	if d == nil {
		return nil
	}
	var problems Problems
	for _, t := range d.texts {
		for _, r := range t.node.Value {
			if !can(r) && refused(r) == "" {
				problems = append(problems, Problem{d.File, t.node.Line, t.node.Column, t.path, fmt.Sprintf("%q (%U) %s", r, r, what)})
				break
			}
		}
	}
	return problems
}

// Problem returns a problem of the field with a path, at its place.
func (d *Doc) Problem(path, what string) Problem {
	p := Problem{Path: path, What: what}
	if d != nil {
		p.File = d.File
		p.Line, p.Col = d.At(path)
	}
	return p
}

// maxProblems is how many problems are told of one kind: of characters, of form
// and of content.
const maxProblems = 500

func (d *Doc) problem(line, col int, path, what string) {
	if len(d.problems) >= maxProblems {
		return
	}
	d.problems = append(d.problems, Problem{File: d.File, Line: line, Col: col, Path: path, What: what})
}

// read parses the lines into d.root and reports whether it is a mapping.
func (d *Doc) read() bool {
	d.directive()
	root, second, err := load(strings.Join(d.lines, ""))
	if err != nil {
		if len(d.chars) == 0 { // else it may come from the characters that were replaced
			d.syntax(err)
		}
		return false
	}
	switch {
	case root == nil || root.Kind == yaml.ScalarNode && root.Style == 0 && root.Value == "":
		d.problem(1, 1, "", "the file is empty")
		return false
	case root.Kind != yaml.MappingNode:
		d.problem(root.Line, root.Column, "", "expected fields, each as 'name: value' on a line of its own")
	}
	if second != nil {
		d.problem(second.Line, second.Column, "", "a second document begins here: a file holds one, take out the line '---'")
	}
	d.root = root
	return root.Kind == yaml.MappingNode
}

// directive reports a YAML directive, which can only stand before the document.
func (d *Doc) directive() {
	for i, line := range d.lines {
		switch {
		case strings.HasPrefix(line, "%"):
			d.problem(i+1, 1, "", "a YAML directive: take the line out")
			d.lines[i] = "\n"
		case strings.TrimSpace(line) != "" && !strings.HasPrefix(strings.TrimSpace(line), "#"):
			return
		}
	}
}

// load returns the first document's content and the second document, nil if
// there is none. The library's panics become errors.
func load(text string) (root, second *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: %v", p)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	var first, next yaml.Node
	if err := dec.Decode(&first); errors.Is(err, io.EOF) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	if len(first.Content) == 0 {
		return nil, nil, nil
	}
	if err := dec.Decode(&next); err == nil {
		second = &next
	} else if !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	return first.Content[0], second, nil
}

var (
	plainName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	lineOf    = regexp.MustCompile(`^yaml: (line \d+: )?`)

	lineNumber = regexp.MustCompile(`\d+`)
)

// join returns the path of a field in the mapping with a path. A name that is
// not made of letters, digits, "_" and "-" stands in brackets and quotes.
func join(path, name string) string {
	switch {
	case !plainName.MatchString(name):
		return fmt.Sprintf("%s[%q]", path, name)
	case path == "":
		return name
	}
	return path + "." + name
}

func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i+1) }
