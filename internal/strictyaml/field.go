package strictyaml

import (
	"reflect"
	"strings"
)

// A Field is a field of a mapping as a Go struct declares it:
//
//	Model string `yaml:"model,required" enum:"a,b" desc:"what it is" line:"one"`
//
// "required" means that it must be there and not be empty. enum lists the values
// that a text, or each text of a list, may have. line:"one" is a text of one
// line, of at most [MaxLine] characters and without space around it. A struct
// with the option "inline" adds its fields to those of the struct around it.
type Field struct {
	Name     string
	Type     reflect.Type
	Required bool
	Enum     []string
	Desc     string
	OneLine  bool

	index []int
}

// Longest texts of a field, in characters. A text and what stands beside it in
// an entry of the log must stay below the entry's 64 KiB.
const (
	MaxLine = 200
	MaxText = 6000
)

// Strings are texts that may be written as a single one, or as a list.
type Strings []string

var stringsType = reflect.TypeFor[Strings]()

// Fields returns the fields that a struct type declares, in its order. A field
// without a yaml tag, or with the name "-", is none. A name that is declared
// twice panics.
func Fields(t reflect.Type) []Field {
	var all []Field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if options == "inline" {
			for _, in := range Fields(f.Type) {
				in.index = append([]int{i}, in.index...)
				all = append(all, in)
			}
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		all = append(all, Field{
			Name: name, Type: f.Type, Required: options == "required", Enum: list(f.Tag.Get("enum")),
			Desc: f.Tag.Get("desc"), OneLine: f.Tag.Get("line") == "one", index: []int{i},
		})
	}
	for i := range all {
		if find(all[:i], all[i].Name) != nil {
			panic("strictyaml: " + t.String() + " declares the field " + all[i].Name + " twice")
		}
	}
	return all
}

func list(tag string) []string {
	if tag == "" {
		return nil
	}
	return strings.Split(tag, ",")
}

func find(fields []Field, name string) *Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

func names(fields []Field) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.Name
	}
	return all
}

// Of returns the field's value in a struct of the type it was declared in.
func (f Field) Of(v reflect.Value) reflect.Value { return v.FieldByIndex(f.index) }
