package audit_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/vectortest"
	"github.com/keyrite/keyrite/internal/canonjson"
)

const schemaFile = "../docs/audit-log.schema.json"

// An object is a JSON object; json.Marshal sorts its members.
type object map[string]any

// entrySchema returns the JSON Schema of an entry: what stands in every one, and
// under $defs the data of every kind, by its name, and every object in one.
func entrySchema(t *testing.T) []byte {
	t.Helper()
	comments := sourceComments(t)
	defs, byKind := object{}, []object{}
	for _, kind := range kinds() {
		objects := map[string]reflect.Type{}
		defs[kind] = typeSchema(reflect.TypeOf(audit.Kinds[kind]()).Elem(), comments, objects)
		for len(objects) > 0 {
			more := map[string]reflect.Type{}
			for name, typ := range objects {
				defs[name] = typeSchema(typ, comments, more)
			}
			objects = more
		}
		byKind = append(byKind, object{
			"if":   object{"properties": object{"kind": object{"const": kind}}},
			"then": object{"properties": object{"data": ref(kind)}},
		})
	}
	hex := func(digits string) object { return object{"type": "string", "pattern": "^[0-9a-f]{" + digits + "}$"} }
	b, err := json.MarshalIndent(object{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "An entry of a keyrite audit log, format version 1",
		"description": "What JSON Schema can say of it; audit-log.md says the rest, the encoding above all.",
		"type":        "object", "additionalProperties": false,
		"required": []string{"data", "kind", "prev", "salt", "seq", "step", "time"},
		"properties": object{
			"data": object{"type": "object"},
			"kind": object{"enum": kinds()},
			"prev": hex("64"),
			"salt": hex("32"),
			"seq":  object{"type": "integer", "minimum": 0, "maximum": 1<<53 - 1},
			"step": object{"type": "string"},
			"time": object{"type": "string", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z$`},
		},
		"allOf": byKind, "$defs": defs,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// typeSchema returns the schema of a struct, and notes the structs in it.
func typeSchema(typ reflect.Type, comments map[string]string, objects map[string]reflect.Type) object {
	members, required := object{}, []string{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		s := valueSchema(f.Type, objects)
		if options == "omitempty" {
			notEmpty(s)
		} else {
			required = append(required, tag)
		}
		if c := comments[typ.Name()+"."+f.Name]; c != "" {
			s["description"] = c
		}
		members[tag] = s
	}
	slices.Sort(required)
	s := object{"type": "object", "additionalProperties": false, "properties": members, "required": required}
	if c := comments[typ.Name()]; c != "" {
		s["description"] = c
	}
	return s
}

func valueSchema(typ reflect.Type, objects map[string]reflect.Type) object {
	switch typ.Kind() {
	case reflect.Pointer:
		return valueSchema(typ.Elem(), objects)
	case reflect.Slice:
		return object{"type": "array", "items": valueSchema(typ.Elem(), objects)}
	case reflect.Struct:
		objects[typ.Name()] = typ
		return ref(typ.Name())
	case reflect.Int, reflect.Int64:
		return object{"type": "integer", "minimum": -(1<<53 - 1), "maximum": 1<<53 - 1}
	case reflect.Bool:
		return object{"type": "boolean"}
	}
	return object{"type": typ.Kind().String()}
}

// notEmpty says of a member that may be missing that it is missing rather than
// empty.
func notEmpty(s object) {
	switch s["type"] {
	case "string":
		s["minLength"] = 1
	case "array":
		s["minItems"] = 1
	case "integer":
		s["not"] = object{"const": 0}
	case "boolean":
		s["const"] = true
	}
}

// The published schema is that of the kinds.
func TestDocumentSchema(t *testing.T) {
	want := entrySchema(t)
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not up to date: go test ./audit -run Document -update", schemaFile)
	}
}

// The published schema takes what [audit.Parse] takes, and refuses what that
// refuses, as far as a schema can see it.
func TestSchemaAgreesWithParse(t *testing.T) {
	schema := compileSchema(t)
	all, err := vectortest.All()
	if err != nil {
		t.Fatal(err)
	}
	// What a vector has wrong in its bytes alone is gone once it is a value.
	blind := []string{"json-time-day", "json-time-leap-second"}
	count := map[bool]int{}
	for _, v := range all {
		if v.Input != vectortest.InputEntry && v.Input != vectortest.InputEntries || v.Name == "json-too-long" {
			continue
		}
		for line := range bytes.Lines(v.Body) {
			line = bytes.TrimSuffix(line, []byte("\n"))
			_, err := audit.Parse(line)
			value, jsonErr := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			if jsonErr != nil || canonjson.Valid(line) != nil || slices.Contains(blind, v.Name) {
				continue
			}
			takes := schema.Validate(value) == nil
			if takes != (err == nil) {
				t.Errorf("%s: the schema takes it: %t; Parse: %v\n%s", v.Name, takes, err, line)
			}
			count[takes]++
		}
	}
	if count[true] < 2*len(audit.Kinds) || count[false] < 15 {
		t.Errorf("taken and refused: %v", count)
	}
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("entry", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("entry")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
