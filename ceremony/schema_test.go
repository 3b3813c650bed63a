package ceremony

import (
	"flag"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/keyrite/keyrite/internal/strictyaml"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is made now; look at it after 'go test -update':\n%s", file, got)
	}
}

func compileSchema(t *testing.T, b []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("script.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("script.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchema(t *testing.T) {
	b, err := Schema(testKinds())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/schema.json", string(b))
	s := compileSchema(t, b)
	validate := func(text string) error {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		return s.Validate(v)
	}
	good := goodScript(t)
	if err := validate(good); err != nil {
		t.Errorf("the good script: %v", err)
	}
	for _, c := range []change{
		{"keyrite: 1", "keyrite: 2"},
		{"keyrite: 1", "keyrite: '1'"},
		{"title: Example Root CA\n", ""},
		{"title: Example Root CA\n", "title: ''\n"},
		{"title: Example Root CA\n", "title: \"a\\nb\"\n"},
		{"title: Example Root CA\n", "title: " + strings.Repeat("x", 201) + "\n"},
		{"mode: production", "mode: test"},
		{"organisation:", "organization:"},
		{"roles: [internal-witness]", "roles: [witness]"},
		{"roles: [internal-witness]", "roles: []"},
		{"algorithm: P-384", "algorithm: P384"},
		{"kind: speak", "kind: dance"},
		{"    text: One thing at a time.\n", ""},
		{"    text: One thing at a time.\n", "    text: One thing at a time.\n    key: root\n"},
		{"    text: One thing at a time.\n", "    text: One thing at a time.\n    times: often\n"},
		{"    file: root.pem\n", "    file: root.pem\n    hash: MD5\n"},
		{"files:\n      - root.pem", "files: root.pem"},
	} {
		if !strings.Contains(good, c.old) {
			t.Errorf("%q is not in the good script", c.old)
		}
		if err := validate(strings.Replace(good, c.old, c.new, 1)); err == nil {
			t.Errorf("the schema accepts %q instead of %q", c.new, c.old)
		}
	}
}

// What Parse accepts, the schema must, too: an editor that marks a good script
// teaches people to ignore it.
func TestSchemaTypes(t *testing.T) {
	type part struct {
		A string `yaml:"a,required"`
	}
	type all struct {
		Many  strictyaml.Strings `yaml:"many"`
		Map   map[string]string  `yaml:"map"`
		Part  *part              `yaml:"part"`
		Parts []part             `yaml:"parts" desc:"this | that"`
	}
	kinds := Kinds{"x": {Name: "x", Does: "everything", New: func() Action { return new(allStep) }}}
	b, err := Schema(kinds)
	if err != nil {
		t.Fatal(err)
	}
	compileSchema(t, b)
	fields := strictyaml.Fields(reflect.TypeFor[all]())
	var table strings.Builder
	describe(&table, "", fields)
	want := "| `many` | text or list of texts |  |  |\n| `map` | names, each with a text |  |  |\n" +
		"| `part` | fields |  |  |\n| `part.a` | text | required |  |\n" +
		"| `parts` | list of: fields |  | this \\| that |\n| `parts[].a` | text | required |  |\n"
	if table.String() != want {
		t.Errorf("got\n%s\nwant\n%s", table.String(), want)
	}
	s := object(fields)["properties"].(schema)
	if got := s["many"].(schema)["anyOf"]; got == nil {
		t.Errorf("a text or a list of texts: %v", s["many"])
	}
	if got := s["map"].(schema)["additionalProperties"].(schema)["type"]; got != "string" {
		t.Errorf("a map of texts: %v", s["map"])
	}
}

type allStep struct{ endStep }

func TestDescribeKinds(t *testing.T) {
	golden(t, "testdata/kinds.md", DescribeKinds(testKinds()))
}

// The document must name every field and every role, and be rewritten with them.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile("../docs/script.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	named := func(what, name string) {
		if !strings.Contains(doc, "`"+name+"`") {
			t.Errorf("docs/script.md does not name the %s `%s`", what, name)
		}
	}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[Script](), reflect.TypeFor[Participant](), reflect.TypeFor[TokenSpec](),
		reflect.TypeFor[KeySpec](), reflect.TypeFor[Step](),
	} {
		for _, f := range strictyaml.Fields(typ) {
			named("field", f.Name)
			for _, v := range f.Enum {
				named("value", v)
			}
		}
	}
	for role, does := range Roles {
		named("role", role)
		if !strings.Contains(doc, does.Does) {
			t.Errorf("docs/script.md does not say of the role %s that it %s", role, does.Does)
		}
	}
	if n := len(regexp.MustCompile(`(?s)<!-- kinds -->.*<!-- /kinds -->`).FindAllString(doc, -1)); n != 1 {
		t.Errorf("docs/script.md has %d places for the kinds, want 1", n)
	}
}

// The example of the document is a script that Parse takes for what it is.
func TestDocumentExample(t *testing.T) {
	b, err := os.ReadFile("../docs/script.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/script.md has no example")
	}
	kinds := testKinds()
	for like, name := range map[string]string{"roll": "attendance", "speak": "statement", "end": "close"} {
		kinds[name] = kinds[like]
	}
	if _, problems := ParseAndCheck("example.yaml", []byte(example), kinds); problems.Err() != nil {
		t.Error(problems)
	}
}
