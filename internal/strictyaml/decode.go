package strictyaml

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A Validator is a struct that judges its own fields once they are decoded. It
// calls report for each problem, with a path below itself ("accepted[0].lint",
// items counted from 0 as in Go).
type Validator interface {
	ValidateFields(report func(path, what string))
}

// A Rest chooses who takes the fields of a mapping that the struct it was
// decoded into does not have. into is a pointer to that struct, whose own fields
// are decoded. It returns a pointer to a second struct, or nil if the mapping
// can have no other fields. If it cannot be known it returns ok false, after it
// reported why with problem: then the other fields are not judged.
type Rest func(into any, problem func(field, what string)) (rest any, ok bool)

// Decode fills into, a pointer to a struct or a map with string keys, and
// returns every problem of content, sorted by place. What could not be decoded
// keeps its zero value. A value whose form [Parse] refused is not judged again.
//
// A field may be a string, an int, a bool, a struct, a pointer, slice or map
// (with string keys) of these, or [Strings]. Other types panic.
func (d *Doc) Decode(into any) Problems { return d.DecodeRest(into, nil) }

// DecodeRest is Decode with a say in who takes a mapping's other fields.
func (d *Doc) DecodeRest(into any, rest Rest) Problems {
	if d == nil {
		return nil
	}
	d.problems = nil
	d.value(d.root, "", reflect.ValueOf(into).Elem(), &Field{}, rest)
	problems := d.problems.Sort()
	d.problems = nil
	return problems
}

func (d *Doc) wrong(path, format string, args ...any) {
	p := d.Problem(path, fmt.Sprintf(format, args...))
	d.problem(p.Line, p.Col, path, p.What)
}

// value decodes a node into v, as the field it belongs to says.
func (d *Doc) value(n *yaml.Node, path string, v reflect.Value, f *Field, rest Rest) {
	switch {
	case d.judged[n]:
		d.holes++
	case n.Kind == yaml.ScalarNode && n.Style == 0 && n.Value == "":
		d.wrong(path, "nothing is written here: write %s, or take the field out", expected(v.Type()))
	case v.Type() == stringsType:
		d.strings(n, path, v, f)
	case v.Kind() == reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		d.value(n, path, p.Elem(), f, rest)
		v.Set(p)
	case kindOf(v.Type()) != n.Kind:
		d.wrong(path, "expected %s", expected(v.Type()))
	case n.Kind == yaml.MappingNode && v.Kind() == reflect.Map:
		d.mapping(n, path, v, rest)
	case n.Kind == yaml.MappingNode:
		d.structure(n, path, v, rest)
	case n.Kind == yaml.SequenceNode:
		d.sequence(n, path, v, f, rest)
	default:
		d.scalarValue(n, path, v, f)
	}
}

func kindOf(t reflect.Type) yaml.Kind {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return yaml.MappingNode
	case reflect.Slice:
		return yaml.SequenceNode
	case reflect.String, reflect.Int, reflect.Int64, reflect.Bool:
		return yaml.ScalarNode
	}
	panic("strictyaml: a field of type " + t.String() + " cannot be decoded")
}

// expected says what a type is written as.
func expected(t reflect.Type) string {
	if t == stringsType {
		return "a text or a list of texts"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return expected(t.Elem())
	case reflect.Struct, reflect.Map:
		return "fields, each as 'name: value' on a line of its own"
	case reflect.Slice:
		return "a list, each item on a line of its own after '- '"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	}
	return "a whole number"
}

func (d *Doc) strings(n *yaml.Node, path string, v reflect.Value, f *Field) {
	switch n.Kind {
	case yaml.SequenceNode:
		d.sequence(n, path, v, f, nil)
		return
	case yaml.MappingNode:
		d.wrong(path, "expected %s", expected(v.Type()))
		return
	}
	one := reflect.New(v.Type().Elem()).Elem()
	d.value(n, path, one, f, nil)
	v.Set(reflect.Append(v, one))
}

func (d *Doc) sequence(n *yaml.Node, path string, v reflect.Value, f *Field, rest Rest) {
	if len(n.Content) == 0 && f.Required {
		d.wrong(path, "the list is empty, expected at least one item")
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		d.value(c, item(path, i), v.Index(i), f, rest)
	}
}

func (d *Doc) mapping(n *yaml.Node, path string, v reflect.Value, rest Rest) {
	v.Set(reflect.MakeMap(v.Type()))
	for key, value := range d.pairs(n) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(value, join(path, key.Value), item, &Field{}, rest)
		v.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), item)
	}
}

// pairs goes through the fields of a mapping whose names were not refused.
func (d *Doc) pairs(n *yaml.Node) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if d.judged[n.Content[i]] {
				d.holes++
			} else if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

func (d *Doc) structure(n *yaml.Node, path string, v reflect.Value, rest Rest) {
	before := len(d.problems) + d.holes
	all := Fields(v.Type())
	d.fields(n, path, v, all, rest)
	var other any
	known := true
	if rest != nil {
		other, known = rest(v.Addr().Interface(), func(field, what string) { d.wrong(join(path, field), "%s", what) })
	}
	if other != nil {
		o := reflect.ValueOf(other).Elem()
		fields := Fields(o.Type())
		d.fields(n, path, o, fields, nil)
		all = append(all, fields...)
	}
	if known {
		d.unknown(n, path, all)
	}
	for _, s := range []any{v.Addr().Interface(), other} {
		if val, ok := s.(Validator); ok && len(d.problems)+d.holes == before {
			val.ValidateFields(func(field, what string) { d.wrong(Below(path, field), "%s", what) })
		}
	}
}

var index = regexp.MustCompile(`\[[0-9]+\]`)

// Below returns the path of a field given by its path inside a mapping, in which
// items are counted from 0 as in Go.
func Below(path, field string) string {
	field = index.ReplaceAllStringFunc(field, func(s string) string {
		i, _ := strconv.Atoi(s[1 : len(s)-1])
		return item("", i)
	})
	if path == "" || field == "" || strings.HasPrefix(field, "[") {
		return path + field
	}
	return path + "." + field
}

// fields decodes those fields of a mapping that a struct declares.
func (d *Doc) fields(n *yaml.Node, path string, v reflect.Value, fields []Field, rest Rest) {
	there := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		there[n.Content[i].Value] = true
	}
	for key, value := range d.pairs(n) {
		if f := find(fields, key.Value); f != nil {
			d.value(value, join(path, f.Name), v.FieldByIndex(f.index), f, rest)
		}
	}
	for _, f := range fields {
		if f.Required && !there[f.Name] {
			d.wrong(join(path, f.Name), "the field is missing: %s", missing(f))
		}
	}
}

func missing(f Field) string {
	switch {
	case len(f.Enum) > 0:
		return "expected one of " + strings.Join(f.Enum, ", ")
	case f.Desc != "":
		return f.Desc
	}
	return "expected " + expected(f.Type)
}

func (d *Doc) unknown(n *yaml.Node, path string, fields []Field) {
	known := names(fields)
	for key := range d.pairs(n) {
		if find(fields, key.Value) != nil {
			continue
		}
		what := "there is no field of this name" + Instead(key.Value, known)
		d.problem(key.Line, key.Column, join(path, key.Value), what)
	}
}

func (d *Doc) scalarValue(n *yaml.Node, path string, v reflect.Value, f *Field) {
	plain := n.Style == 0
	switch v.Kind() {
	case reflect.String:
		if plain && (wholeNumber.MatchString(n.Value) || n.Value == "true" || n.Value == "false") {
			d.wrong(path, "expected a text, and without quotes this is none: write %q", n.Value)
			return
		}
		d.checkString(n.Value, path, f)
		v.SetString(n.Value)
	case reflect.Bool:
		if !plain || n.Value != "true" && n.Value != "false" {
			d.wrong(path, "expected true or false, without quotes")
		}
		v.SetBool(n.Value == "true")
	default:
		i, err := strconv.ParseInt(n.Value, 10, v.Type().Bits())
		if !plain || err != nil || !wholeNumber.MatchString(n.Value) {
			d.wrong(path, "expected a whole number in digits, without quotes")
			return
		}
		v.SetInt(i)
	}
}

// checkString judges a text by what its field allows. The texts of a map, and
// of [Strings] in one, may be anything.
func (d *Doc) checkString(s, path string, f *Field) {
	size := utf8.RuneCountInString(s)
	switch {
	case f.Name == "":
	case strings.TrimSpace(s) == "":
		d.wrong(path, "the text is empty: write something, or take it out")
	case len(f.Enum) > 0:
		if !slices.Contains(f.Enum, s) {
			d.wrong(path, "%q is not possible here%s", s, Instead(s, f.Enum))
		}
	case f.OneLine && strings.Contains(s, "\n"):
		d.wrong(path, "expected one line: write the text behind the ':', without | or >")
	case f.OneLine && strings.TrimSpace(s) != s:
		d.wrong(path, "the text begins or ends with a space: take it out")
	case f.OneLine && size > MaxLine:
		d.wrong(path, "the text has %d characters, expected at most %d", size, MaxLine)
	case size > MaxText:
		d.wrong(path, "the text has %d characters, expected at most %d", size, MaxText)
	}
}
