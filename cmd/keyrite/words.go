package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/strictyaml"
	"github.com/keyrite/keyrite/internal/transcript"
)

// inWords tells what stands in the fields of a script to people who do not read
// YAML.
type inWords struct {
	script *ceremony.Script
	asked  ceremony.Asked
}

// details are the fields of a part of the script that are set, in its order, by
// their names there. Each item of a list of things has a detail of its own, the
// first one with the list's name.
func (w inWords) details(of any) []transcript.Detail {
	v := reflect.Indirect(reflect.ValueOf(of))
	var list []transcript.Detail
	for _, f := range strictyaml.Fields(v.Type()) {
		value := f.Of(v)
		if value.IsZero() {
			continue
		}
		name := named(f.Name)
		if value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct {
			for i := range value.Len() {
				list = append(list, transcript.Detail{Name: name, Value: w.item(value.Index(i))})
				name = ""
			}
			continue
		}
		list = append(list, transcript.Detail{Name: name, Value: w.value(f, value)})
	}
	return list
}

// value tells what one field holds.
func (w inWords) value(f strictyaml.Field, v reflect.Value) string {
	switch x := v.Interface().(type) {
	case *ceremony.PINSpec:
		return w.script.HeldBy(*x)
	case bool:
		return "yes: " + f.Desc
	case string:
		return w.text(f, x)
	case []string:
		var all []string
		for _, s := range x {
			all = append(all, w.text(f, s))
		}
		return strings.Join(all, ", ")
	}
	if v.Kind() == reflect.Struct {
		return w.item(v)
	}
	return fmt.Sprint(v.Interface())
}

// text is a person's name, a choice with what it means, or the text as it is.
func (w inWords) text(f strictyaml.Field, s string) string {
	if ofPeople(f) {
		return w.script.Shown(s)
	}
	if slices.Contains(f.Enum, s) {
		for _, before := range []string{s + ": ", s + ", if left out: "} {
			if _, means, is := strings.Cut(f.Desc, before); is {
				means, _, _ = strings.Cut(means, "; ")
				means, _, _ = strings.Cut(means, ". ")
				return s + " (" + means + ")"
			}
		}
	}
	return s
}

// item is a thing in a list, in a line: its first field, then the others by
// their names. A number that is not known beforehand is left blank.
func (w inWords) item(v reflect.Value) string {
	var parts []string
	for i, f := range strictyaml.Fields(v.Type()) {
		value := f.Of(v)
		switch {
		case value.IsZero() && f.Name == "bag":
			parts = append(parts, "bag ____________")
		case value.IsZero():
		case i == 0:
			parts = append(parts, w.value(f, value))
		default:
			parts = append(parts, named(f.Name)+" "+w.value(f, value))
		}
	}
	return strings.Join(parts, ", ")
}

// named is a field's name as it is read.
func named(field string) string {
	if name := map[string]string{
		"csr": "request (CSR)", "pin": "PIN", "old_pin": "old PIN", "held_so_pin": "SO-PIN is held",
		"so_pin": "SO-PIN", "user_pin": "user PIN", "so_pin_custodian": "SO-PIN custodian", "user_pin_custodian": "user PIN custodian",
		"spki_sha256": "SPKI SHA-256", "crl_url": "CRL URL", "ca_issuers_url": "CA issuers URL", "id": "id (CKA_ID)",
	}[field]; name != "" {
		return name
	}
	return strings.ReplaceAll(field, "_", " ")
}

// peopleWords begin what is said of a field that names participants, each with
// what "you" is told in its place.
var peopleWords = [][2]string{
	{"participant who ", "are the one who "}, {"another participant, who ", "are the one who "}, {"two participants who ", "are one of the two who "},
	{"participant whose ", ""}, {"participants ", ""}, {"whose shares", ""},
}

// ofPeople reports whether a field holds ids of participants.
func ofPeople(f strictyaml.Field) bool {
	return slices.ContainsFunc(peopleWords, func(w [2]string) bool { return strings.HasPrefix(f.Desc, w[0]) })
}

// duty is what a field asks of the people that it names, told to them.
func duty(f strictyaml.Field) string {
	for _, w := range peopleWords {
		if rest, is := strings.CutPrefix(f.Desc, w[0]); is && w[1] != "" {
			rest, _, _ = strings.Cut(rest, "; ")
			return w[1] + rest
		}
	}
	return ""
}

// duties are what a step asks of people, by their ids: what it does itself (type
// a PIN), and what its fields say in their own words ("compare that SHA-256 with
// their own paper").
func (w inWords) duties(st *ceremony.Step) map[string][]string {
	duties := map[string][]string{}
	for id, list := range w.asked[st.ID] {
		duties[id] = slices.Clone(list)
	}
	w.collect(reflect.Indirect(reflect.ValueOf(st.Action)), duties)
	if a := st.Approve; a != nil {
		for _, p := range w.script.Participants {
			if p.ID != st.Actor && slices.ContainsFunc(a.Of, func(of string) bool { return of == p.ID || slices.Contains(p.Roles, of) }) {
				duties[p.ID] = append(duties[p.ID], "approve, or do not, before anything is done")
			}
		}
	}
	return duties
}

// collect finds who is named in a struct and in the things that it lists.
func (w inWords) collect(v reflect.Value, duties map[string][]string) {
	for _, f := range strictyaml.Fields(v.Type()) {
		value := f.Of(v)
		if value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct {
			for i := range value.Len() {
				w.collect(value.Index(i), duties)
			}
			continue
		}
		if !ofPeople(f) {
			continue
		}
		ids, many := value.Interface().([]string)
		if !many {
			ids = []string{value.String()}
		}
		what := duty(f)
		for _, id := range ids {
			if id != "" && what != "" && !slices.Contains(duties[id], what) {
				duties[id] = append(duties[id], what)
			}
		}
	}
}
