package audit

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// A plan says how the values of one Go type stand in an entry. It is made once
// from the type and its json tags; encoding and parsing walk it.
type plan struct {
	typ     reflect.Type
	shape   shape
	members []member // of an object, in canonical order
	elem    *plan    // of a list's elements, or of what a pointer points to
}

// A shape is what a value looks like in JSON.
type shape uint8

const (
	shapeText shape = iota
	shapeBool
	shapeInt
	shapeObject
	shapeList
	shapePointer // its elem, there only if it is not nil
)

// A member is one member of an object: a field of a struct.
type member struct {
	key      string // `"name":`
	field    int    // index in the struct
	optional bool   // omitempty: it is there exactly if it is not empty
	plan     *plan
}

// A kind is the plan for one kind of entry.
type kind struct {
	name    string
	empty   func() Data
	pointer reflect.Type // of what empty returns
	data    *plan        // of what it points to
}

// kindPlans returns the plans for all of [Kinds].
var kindPlans = sync.OnceValue(func() map[string]*kind {
	plans := make(map[string]*kind, len(Kinds))
	for name, empty := range Kinds {
		t := reflect.TypeOf(empty())
		plans[name] = &kind{name, empty, t, planOf(t.Elem())}
	}
	return plans
})

// planOf makes the plan of a type. A type that has no one encoding is a
// mistake in the table of kinds.
func planOf(t reflect.Type) *plan {
	p := &plan{typ: t}
	switch t.Kind() {
	case reflect.String:
		p.shape = shapeText
	case reflect.Bool:
		p.shape = shapeBool
	case reflect.Int, reflect.Int64:
		p.shape = shapeInt
	case reflect.Struct:
		p.shape, p.members = shapeObject, membersOf(t)
	case reflect.Slice:
		p.shape, p.elem = shapeList, planOf(t.Elem())
	case reflect.Pointer:
		p.shape, p.elem = shapePointer, planOf(t.Elem())
	default:
		panic(fmt.Sprintf("audit: a field of type %v cannot stand in an entry", t))
	}
	return p
}

// membersOf makes the plans of a struct's fields. Names are ASCII, so that the
// order of their bytes is the canonical one.
func membersOf(t reflect.Type) (list []member) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		m := member{`"` + name + `":`, i, options == "omitempty", planOf(f.Type)}
		if m.plan.shape == shapePointer && !m.optional {
			panic(fmt.Sprintf("audit: %v.%s can be null", t, f.Name))
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b member) int { return strings.Compare(nameOf(a.key), nameOf(b.key)) })
	return list
}

// nameOf returns the name in a member's key.
func nameOf(key string) string { return key[1 : len(key)-2] }

// empty reports whether an optional member with the value v is left out.
func (p *plan) empty(v reflect.Value) bool {
	switch p.shape {
	case shapeText, shapeList:
		return v.Len() == 0
	case shapeBool:
		return !v.Bool()
	case shapeInt:
		return v.Int() == 0
	case shapePointer:
		return v.IsNil()
	}
	return false
}

// complete makes v, a copy of a value as it was given, what is read back of it:
// nothing is shared with the original, no slice is nil unless it is left out of
// the encoding, every text is UTF-8.
func (p *plan) complete(v reflect.Value) {
	switch p.shape {
	case shapeText:
		if s := v.String(); valid(s) != s {
			v.SetString(valid(s))
		}
	case shapeObject:
		for i := range p.members {
			m := &p.members[i]
			switch f := v.Field(m.field); {
			case m.plan.shape == shapeBool || m.plan.shape == shapeInt:
			case m.optional && m.plan.empty(f):
				f.SetZero()
			default:
				m.plan.complete(f)
			}
		}
	case shapeList:
		list := reflect.MakeSlice(p.typ, v.Len(), v.Len())
		reflect.Copy(list, v)
		for i := range list.Len() {
			p.elem.complete(list.Index(i))
		}
		v.Set(list)
	case shapePointer:
		to := reflect.New(p.elem.typ)
		to.Elem().Set(v.Elem())
		p.elem.complete(to.Elem())
		v.Set(to)
	}
}
