package ceremony

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/internal/strictyaml"
)

// A schema is a JSON Schema, or a part of one.
type schema = map[string]any

// Schema returns the JSON Schema (draft 2020-12) of a script with the given
// kinds of steps, for editors that complete and check while one writes: names,
// forms and choices of the fields, the fields of each kind. It allows every
// script that [Parse] reads, and more: what stands in relation to something else
// only [Check] can judge.
func Schema(kinds Kinds) ([]byte, error) {
	root := object(strictyaml.Fields(reflect.TypeFor[Script]()))
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "keyrite ceremony script"
	properties := root["properties"].(schema)
	properties["keyrite"].(schema)["const"] = ScriptFormat
	roles := properties["participants"].(schema)["items"].(schema)["properties"].(schema)["roles"].(schema)
	roles["items"].(schema)["enum"] = slices.Sorted(maps.Keys(Roles))

	defs := schema{}
	root["$defs"] = defs
	names := slices.Sorted(maps.Keys(kinds))
	var choices []any
	for _, name := range names {
		defs["step-"+name] = stepOf(kinds[name])
		choices = append(choices, schema{
			"if":   schema{"properties": schema{"kind": schema{"const": name}}},
			"then": schema{"$ref": "#/$defs/step-" + name},
		})
	}
	properties["steps"].(schema)["items"] = schema{
		"type":       "object",
		"required":   []string{"kind"},
		"properties": schema{"kind": schema{"enum": names}},
		"allOf":      choices,
	}
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the script's JSON Schema: %w", err)
	}
	return append(b, '\n'), nil
}

// stepOf returns the schema of a step of a kind.
func stepOf(k Kind) schema {
	s := object(append(strictyaml.Fields(reflect.TypeFor[Step]()), kindFields(k)...))
	s["description"] = k.Does
	s["properties"].(schema)["kind"] = schema{"const": k.Name, "description": k.Does}
	return s
}

// kindFields returns the fields that a kind adds to a step.
func kindFields(k Kind) []strictyaml.Field {
	return strictyaml.Fields(reflect.TypeOf(k.New()).Elem())
}

func object(fields []strictyaml.Field) schema {
	properties, required := schema{}, []string{}
	for _, f := range fields {
		p := typeSchema(f.Type, f)
		if f.Desc != "" {
			p["description"] = f.Desc
		}
		if f.Required {
			required = append(required, f.Name)
		}
		properties[f.Name] = p
	}
	return schema{"type": "object", "additionalProperties": false, "required": required, "properties": properties}
}

// typeSchema returns the schema of a field's values.
func typeSchema(t reflect.Type, f strictyaml.Field) schema {
	if t == reflect.TypeFor[strictyaml.Strings]() {
		one := typeSchema(t.Elem(), f)
		return schema{"anyOf": []schema{one, {"type": "array", "items": one}}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeSchema(t.Elem(), f)
	case reflect.Struct:
		return object(strictyaml.Fields(t))
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": typeSchema(t.Elem(), strictyaml.Field{})}
	case reflect.Slice:
		s := schema{"type": "array", "items": typeSchema(t.Elem(), f)}
		if f.Required {
			s["minItems"] = 1
		}
		return s
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.String:
		return textSchema(f)
	}
	return schema{"type": "integer"}
}

func textSchema(f strictyaml.Field) schema {
	switch {
	case f.Name == "": // of a map
		return schema{"type": "string"}
	case len(f.Enum) > 0:
		return schema{"enum": f.Enum}
	case f.OneLine:
		return schema{"type": "string", "pattern": `^\S(.*\S)?$`, "maxLength": strictyaml.MaxLine}
	}
	return schema{"type": "string", "pattern": `\S`, "maxLength": strictyaml.MaxText}
}

// DescribeKinds returns the Markdown text about the kinds of steps that
// docs/script.md has between its marks: for each kind what it does and a table of
// the fields that it adds to a step.
func DescribeKinds(kinds Kinds) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		k := kinds[name]
		fmt.Fprintf(&b, "### `%s`\n\n%s.\n\n", name, strings.ToUpper(k.Does[:1])+k.Does[1:])
		fields := kindFields(k)
		if len(fields) == 0 {
			b.WriteString("No fields of its own.\n\n")
			continue
		}
		b.WriteString("| field | value | | meaning |\n|---|---|---|---|\n")
		describe(&b, "", fields)
		b.WriteString("\n")
	}
	return b.String()
}

func describe(b *strings.Builder, prefix string, fields []strictyaml.Field) {
	for _, f := range fields {
		need := ""
		if f.Required {
			need = "required"
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s |\n", prefix, f.Name, valueOf(f.Type, f), need, strings.ReplaceAll(f.Desc, "|", `\|`))
		t, below := f.Type, "."
		for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
			if t.Kind() == reflect.Slice {
				below = "[]."
			}
			t = t.Elem()
		}
		if t.Kind() == reflect.Struct {
			describe(b, prefix+f.Name+below, strictyaml.Fields(t))
		}
	}
}

// valueOf says in a few words what a field holds.
func valueOf(t reflect.Type, f strictyaml.Field) string {
	if t == reflect.TypeFor[strictyaml.Strings]() {
		return "text or list of texts"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return valueOf(t.Elem(), f)
	case reflect.Struct:
		return "fields"
	case reflect.Map:
		return "names, each with a " + valueOf(t.Elem(), strictyaml.Field{})
	case reflect.Slice:
		return "list of: " + valueOf(t.Elem(), f)
	case reflect.Bool:
		return "`true` or `false`"
	case reflect.String:
		if len(f.Enum) > 0 {
			return "`" + strings.Join(f.Enum, "`, `") + "`"
		}
		return "text"
	}
	return "whole number"
}
