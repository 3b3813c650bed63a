package ceremony

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// How a part of a script differs from the script before.
const (
	Added   = "+"
	Removed = "-"
	Changed = "~"
	Moved   = ">"
)

// A Difference is one thing in which two scripts differ.
type Difference struct {
	Section string   `json:"section"` // "Ceremony", "Participants", "Tokens", "Keys", "Profiles", "Steps"
	How     string   `json:"how"`     // Added, Removed, Changed or Moved
	What    string   `json:"what"`    // what it is, in a line
	Fields  []string `json:"fields"`  // which fields differ, or hold what was added, a line or more each
}

// Diff returns in what two scripts differ, in the order of the script: its own
// fields first, then participants, tokens, keys, profiles and steps. A part is
// known again by its id or name. Comments and the form of the YAML do not count.
func Diff(before, after *Script) []Difference {
	all := []Difference{}
	if fields := compare(ownFields(before), ownFields(after)); len(fields) > 0 {
		all = append(all, Difference{"Ceremony", Changed, "the script's own fields", fields})
	}
	for _, section := range []struct {
		name string
		of   func(*Script) []part
	}{
		{"Participants", func(s *Script) []part {
			return parts(s.Participants, func(p *Participant) string { return p.ID }, func(p *Participant) string {
				return fmt.Sprintf("%s: %s (%s)", p.ID, p.Name, strings.Join(p.Roles, ", "))
			})
		}},
		{"Tokens", func(s *Script) []part {
			return parts(s.Tokens, func(t *TokenSpec) string { return t.Name }, func(t *TokenSpec) string {
				return fmt.Sprintf("%s: %s, serial %s, label %q", t.Name, t.Model, t.Serial, t.Label)
			})
		}},
		{"Keys", func(s *Script) []part {
			return parts(s.Keys, func(k *KeySpec) string { return k.Name }, func(k *KeySpec) string {
				return fmt.Sprintf("%s: %s on token %s", k.Name, k.Algorithm, k.Token)
			})
		}},
		{"Profiles", profileParts},
		{"Steps", stepParts},
	} {
		all = append(all, diffParts(section.name, section.of(before), section.of(after))...)
	}
	return all
}

// A part is what stands under one id or name in a list of the script.
type part struct {
	id     string
	line   string // it in a line
	fields []leaf
}

// unsaid returns the fields that the part's line does not show already.
func (p part) unsaid() []leaf {
	return slices.DeleteFunc(slices.Clone(p.fields), func(l leaf) bool {
		return slices.Contains([]string{"id", "name", "kind", "title"}, l.name) && strings.Contains(p.line, l.value)
	})
}

// A leaf is a field with a value.
type leaf struct{ name, value string }

// parts returns the parts of a list.
func parts[T any](list []T, id, line func(*T) string) []part {
	all := make([]part, len(list))
	for i := range list {
		all[i] = part{id(&list[i]), line(&list[i]), leaves("", reflect.ValueOf(list[i]))}
	}
	return all
}

func profileParts(s *Script) []part {
	all := make([]part, len(s.Profiles))
	for i, p := range s.Profiles {
		all[i] = part{p.Name, p.Name, leaves("", reflect.ValueOf(p))}
	}
	return all
}

func stepParts(s *Script) []part {
	all := make([]part, len(s.Steps))
	for i := range s.Steps {
		step := &s.Steps[i]
		fields := leaves("", reflect.ValueOf(*step))
		if step.Action != nil {
			fields = append(fields, leaves("", reflect.ValueOf(step.Action))...)
		}
		all[i] = part{step.ID, fmt.Sprintf("%s (step %d, %s): %s", step.ID, step.Number, step.Kind, step.Title), fields}
	}
	return all
}

// ownFields returns the script's fields that are no lists of parts.
func ownFields(s *Script) []leaf {
	own := *s
	own.Participants, own.Tokens, own.Keys, own.Profiles, own.Steps = nil, nil, nil, nil, nil
	return leaves("", reflect.ValueOf(own))
}

// leaves returns the fields of a value with their names in the script, those
// left out of the script not among them.
func leaves(path string, v reflect.Value) []leaf {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return leaves(path, v.Elem())
	case reflect.Struct:
		var all []leaf
		for i := range v.NumField() {
			name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			switch {
			case options == "inline":
				all = append(all, leaves(path, v.Field(i))...)
			case name != "" && name != "-":
				all = append(all, leaves(below(path, name), v.Field(i))...)
			}
		}
		return all
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.String {
			return oneLeaf(path, v, strings.Join(v.Interface().([]string), ", "))
		}
		var all []leaf
		for i := range v.Len() {
			all = append(all, leaves(fmt.Sprintf("%s[%d]", path, i+1), v.Index(i))...)
		}
		return all
	}
	return oneLeaf(path, v, fmt.Sprint(v.Interface()))
}

func oneLeaf(path string, v reflect.Value, value string) []leaf {
	if v.IsZero() || value == "" {
		return nil
	}
	return []leaf{{path, strings.TrimRight(value, "\n")}}
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// diffParts returns in what two lists of parts differ, in the order of the
// second; what is no longer there comes last.
func diffParts(section string, before, after []part) []Difference {
	find := func(list []part, id string) int {
		return slices.IndexFunc(list, func(p part) bool { return p.id == id })
	}
	stays := stay(before, after)
	var all []Difference
	for _, p := range after {
		at := find(before, p.id)
		if at < 0 {
			all = append(all, Difference{section, Added, p.line, compare(nil, p.unsaid())})
			continue
		}
		if !stays[p.id] {
			all = append(all, Difference{section, Moved, p.line + ": stands at another place in the order", []string{}})
		}
		if fields := compare(before[at].fields, p.fields); len(fields) > 0 {
			all = append(all, Difference{section, Changed, p.line, fields})
		}
	}
	for _, p := range before {
		if find(after, p.id) < 0 {
			all = append(all, Difference{section, Removed, p.line, []string{}})
		}
	}
	return all
}

// stay returns the ids of a longest sequence of parts that stand in the same
// order in both lists: the others have moved.
func stay(before, after []part) map[string]bool {
	// length[i][j] is that of the longest common sequence of before[i:], after[j:]
	length := make([][]int, len(before)+1)
	for i := range length {
		length[i] = make([]int, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			if before[i].id == after[j].id {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	ids := map[string]bool{}
	for i, j := 0, 0; i < len(before) && j < len(after); {
		switch {
		case before[i].id == after[j].id:
			ids[before[i].id] = true
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return ids
}

// compare returns the fields that differ, each with both values.
func compare(before, after []leaf) []string {
	value := func(list []leaf, name string) (string, bool) {
		i := slices.IndexFunc(list, func(l leaf) bool { return l.name == name })
		if i < 0 {
			return "", false
		}
		return list[i].value, true
	}
	var all []string
	for _, l := range after {
		old, had := value(before, l.name)
		switch {
		case !had && before == nil:
			all = append(all, l.name+": "+l.value)
		case !had:
			all = append(all, l.name+": "+l.value+" (was not there)")
		case old != l.value:
			all = append(all, l.name+": "+l.value+"\n   was: "+old)
		}
	}
	for _, l := range before {
		if _, has := value(after, l.name); !has {
			all = append(all, l.name+": is no longer there\n   was: "+l.value)
		}
	}
	return all
}
