package strictyaml

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"
)

const (
	noAlias  = "an alias: write the value out here, so that a reader sees it where it counts"
	noAnchor = "an anchor: take out the '&%s', and write the value out wherever it is needed"
	noMerge  = "a merge key: write the fields out"
	noTag    = "a tag: take out the '%s'"
	tooDeep  = "lists and fields are nested too deep"
)

// walk judges the form of a node and all below it, and notes their places.
func (d *Doc) walk(n *yaml.Node, path string, depth int) {
	if _, ok := d.places[path]; !ok {
		d.places[path] = place{n.Line, n.Column}
	}
	if depth > maxDepth {
		d.judged[n] = true
		d.problem(n.Line, n.Column, path, tooDeep)
		return
	}
	d.form(n, path)
	switch n.Kind {
	case yaml.MappingNode:
		d.walkMapping(n, path, depth)
	case yaml.SequenceNode:
		for i, c := range n.Content {
			d.walk(c, item(path, i), depth+1)
		}
	case yaml.ScalarNode:
		d.scalar(n, path)
	}
}

func (d *Doc) walkMapping(n *yaml.Node, path string, depth int) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !d.isName(key, path) {
			d.judged[key] = true
			continue
		}
		name := join(path, key.Value)
		before := len(d.problems)
		d.form(key, name)
		d.scalar(key, name)
		d.judged[key] = len(d.problems) > before
		if line, ok := seen[key.Value]; ok {
			d.judged[key] = true
			d.problem(key.Line, key.Column, name, fmt.Sprintf("the field is there twice, first on line %d", line))
		} else {
			seen[key.Value] = key.Line
			if value.Line > key.Line {
				d.places[name] = place{key.Line, key.Column}
			}
		}
		d.walk(value, name, depth+1)
	}
}

// isName reports whether a node can be a field's name.
func (d *Doc) isName(n *yaml.Node, path string) bool {
	switch {
	case n.Kind == yaml.ScalarNode && n.Value == "<<" && n.Style == 0:
		d.problem(n.Line, n.Column, path, noMerge)
		return false
	case n.Kind != yaml.ScalarNode || n.Value == "":
		d.problem(n.Line, n.Column, path, "expected a field's name before the ':'")
		return false
	}
	return true
}

// form judges what YAML can hang on a node.
func (d *Doc) form(n *yaml.Node, path string) {
	what := ""
	switch {
	case n.Kind == yaml.AliasNode:
		what = noAlias
	case n.Anchor != "":
		what = fmt.Sprintf(noAnchor, n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		what = fmt.Sprintf(noTag, n.Tag)
	default:
		return
	}
	d.judged[n] = n.Kind != yaml.MappingNode && n.Kind != yaml.SequenceNode
	d.problem(n.Line, n.Column, path, what)
}

// scalar judges a value or a field's name as text.
func (d *Doc) scalar(n *yaml.Node, path string) {
	d.texts = append(d.texts, textNode{n, path})
	if d.judged[n] {
		return
	}
	what := mixed(n.Value)
	if n.Style == 0 {
		what = first(surprise(n.Value), cutOff(n.LineComment), what)
	}
	if n.Style&yaml.DoubleQuotedStyle != 0 && d.escapes(n, path) {
		d.judged[n] = true
	}
	if what != "" {
		d.judged[n] = true
		d.problem(n.Line, n.Column, path, what)
	}
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// escapes judges the characters that a text in double quotes writes as escapes,
// each at its place, and reports whether one is refused. Characters written as they are were replaced before, so
// that a refused one in the value must have been an escape.
func (d *Doc) escapes(n *yaml.Node, path string) bool {
	bad := strings.ContainsFunc(n.Value, func(r rune) bool { return refused(r) != "" })
	if !bad && norm.NFC.IsNormalString(n.Value) {
		return false
	}
	if len(d.problems) >= maxProblems {
		return true
	}
	asWritten := true
	col := n.Column + 1
	for line := n.Line; line <= len(d.lines); line++ {
		asWritten = asWritten && norm.NFC.IsNormalString(d.lines[line-1])
		if d.escapesLine([]rune(d.lines[line-1]), line, col, path) {
			break
		}
		col = 1
	}
	if !bad && asWritten {
		d.problem(n.Line, n.Column, path, notNFC)
	}
	return true
}

// escapesLine judges a line of a text in double quotes from a column on and
// reports whether the text ends in it.
func (d *Doc) escapesLine(s []rune, line, col int, path string) (end bool) {
	for i := col - 1; i < len(s); i++ {
		if s[i] == '"' {
			return true
		}
		if s[i] != '\\' {
			continue
		}
		r, size := escape(s[i+1:])
		if what := refused(r); what != "" {
			d.problem(line, i+1, path, what)
		}
		i += size
	}
	return false
}

// escape returns the character of an escape, given what follows the backslash,
// and how many characters of it that is.
func escape(s []rune) (r rune, size int) {
	if len(s) == 0 {
		return ' ', 0
	}
	if digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[s[0]]; digits > 0 && len(s) > digits {
		v, err := strconv.ParseUint(string(s[1:digits+1]), 16, 32)
		if err != nil || v > utf8.MaxRune {
			return ' ', 1
		}
		return rune(v), digits + 1
	}
	simple := map[rune]rune{'0': 0, 'a': 7, 'b': 8, 't': '\t', '\t': '\t', 'v': 0xb, 'f': 0xc, 'r': '\r', 'e': 0x1b, 'N': 0x85, '_': 0xa0, 'L': 0x2028, 'P': 0x2029}
	if c, ok := simple[s[0]]; ok {
		return c, 1
	}
	return ' ', 1
}

// findPaths gives problems of single characters the path of the field
// they stand in. A comment on a line of its own stands in none.
func (d *Doc) findPaths() {
	next, path := 0, ""
	for i := range d.chars {
		p := &d.chars[i]
		for next < len(d.texts) && !d.texts[next].after(p) {
			path = d.texts[next].path
			next++
		}
		if !strings.HasPrefix(strings.TrimSpace(d.lines[p.Line-1]), "#") {
			p.Path = path
		}
	}
}

func (t *textNode) after(p *Problem) bool {
	return t.node.Line > p.Line || t.node.Line == p.Line && t.node.Column > p.Col
}
