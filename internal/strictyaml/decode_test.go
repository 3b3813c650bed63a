package strictyaml

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestDecodeRefused(t *testing.T) {
	line, text := strings.Repeat("ä", MaxLine+1), strings.Repeat("ä", MaxText+1)
	for _, test := range []struct{ name, text, want string }{
		{"missing", "count: 1\n", "1:1: title: the field is missing: what it is called"},
		{"missing without a description", "title: x\npeople:\n  - age: 1\n", "3:5: people[1].name: the field is missing: expected a text"},
		{"unknown, close", "titel: x\ntitle: x\n", `1:1: titel: there is no field of this name, did you mean "title"?`},
		{"unknown, far", "title: x\nlead: {name: a, colour: b}\n", "2:17: lead.colour: there is no field of this name, expected one of name, roles, age"},
		{"unknown with a dot", "title: x\nlead: {name: a, 'b.c': b}\n", `2:17: lead["b.c"]: there is no field of this name, expected one of name, roles, age`},
		{"number for a text", "title: 12\n", `1:8: title: expected a text, and without quotes this is none: write "12"`},
		{"boolean for a text", "title: true\n", `1:8: title: expected a text, and without quotes this is none: write "true"`},
		{"list for a text", "title: [a]\n", "1:8: title: expected a text"},
		{"list for a text, on later lines", "title:\n  - a\n", "1:1: title: expected a text"},
		{"fields for a text", "title: {a: b}\n", "1:8: title: expected a text"},
		{"text for a list", "title: x\nwords: a\n", "2:8: words: expected a list, each item on a line of its own after '- '"},
		{"text for fields", "title: x\nlead: Ann\n", "2:7: lead: expected fields, each as 'name: value' on a line of its own"},
		{"text for fields in a list", "title: x\npeople:\n  - Ann\n", "3:5: people[1]: expected fields, each as 'name: value' on a line of its own"},
		{"fields for a list", "title: x\npeople:\n  name: a\n", "2:1: people: expected a list, each item on a line of its own after '- '"},
		{"number in quotes", "title: x\ncount: '1'\n", "2:8: count: expected a whole number in digits, without quotes"},
		{"number of 16 digits", "title: x\ncount: 99999999999999999\n", `2:8: count: some readers take 99999999999999999 for a number: put it in quotes, "99999999999999999"`},
		{"boolean in quotes", "title: x\nready: 'true'\n", "2:8: ready: expected true or false, without quotes"},
		{"number for a boolean", "title: x\nready: 1\n", "2:8: ready: expected true or false, without quotes"},
		{"nothing", "title:\ncount: 1\n", "1:7: title: nothing is written here: write a text, or take the field out"},
		{"nothing for a list", "title: x\nwords:\n", "2:7: words: nothing is written here: write a list, each item on a line of its own after '- ', or take the field out"},
		{"nothing for an item", "title: x\nwords:\n  -\n  - b\n", "3:4: words[1]: nothing is written here: write a text, or take the field out"},
		{"empty text", "title: ''\n", "1:8: title: the text is empty: write something, or take it out"},
		{"empty text in a list", "title: x\nwords: [a, ' ']\n", "2:12: words[2]: the text is empty: write something, or take it out"},
		{"empty block", "title: x\ntext: |\n\ncount: 1\n", "2:7: text: the text is empty: write something, or take it out"},
		{"two lines", "title: |\n  a\n  b\n", "1:8: title: expected one line: write the text behind the ':', without | or >"},
		{"space around", "title: ' x'\n", "1:8: title: the text begins or ends with a space: take it out"},
		{"long line", "title: " + line + "\n", "1:8: title: the text has 201 characters, expected at most 200"},
		{"long text", "title: x\ntext: " + text + "\n", "2:7: text: the text has 6001 characters, expected at most 6000"},
		{"no choice", "title: x\nmode: produktion\n", `2:7: mode: "produktion" is not possible here, did you mean "production"?`},
		{"no choice in a list", "title: x\nlead:\n  name: a\n  roles: [witness, boss]\n", `4:20: lead.roles[2]: "boss" is not possible here, expected one of operator, witness`},
		{"own judgement", "title: x\nlead:\n  name: a\n  age: -1\n", "4:8: lead.age: expected an age from 0"},
		{"own judgement after another problem", "title: x\nlead:\n  name: no\n  age: -1\n", `3:9: lead.name: some readers take no for true or false: put it in quotes, "no"`},
		{"map of texts", "title: x\npairs: {a: 1, b: [c]}\n", "2:12: pairs.a: expected a text, and without quotes this is none: write \"1\"\n2:18: pairs.b: expected a text"},
		{"map of texts or lists", "title: x\nmany: {a: {b: c}, \"d e\": [1]}\n", "2:11: many.a: expected a text or a list of texts\n2:27: many[\"d e\"][1]: expected a text, and without quotes this is none: write \"1\""},
		{"all at once, in order", "mode: x\ncount: b\nready: no\nlead: {}\n", "1:1: title: the field is missing: what it is called\n1:7: mode: \"x\" is not possible here, expected one of production, rehearsal\n2:8: count: expected a whole number in digits, without quotes\n3:8: ready: some readers take no for true or false: put it in quotes, \"no\"\n4:7: lead.name: the field is missing: expected a text"},
	} {
		got := strings.ReplaceAll(both(test.text, new(sample)).Error(), "f:", "")
		if got != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}

func TestBelow(t *testing.T) {
	for _, test := range [][3]string{
		{"", "a", "a"}, {"a", "", "a"}, {"a", "b", "a.b"}, {"a", "[0]", "a[1]"}, {"a[1]", "b[0].c[9]", "a[1].b[1].c[10]"},
	} {
		if got := Below(test[0], test[1]); got != test[2] {
			t.Errorf("%q below %q is %q, want %q", test[1], test[0], got, test[2])
		}
	}
}

type shape struct {
	Kind string `yaml:"kind,required"`
}
type circle struct {
	Radius int `yaml:"radius,required"`
}

func TestRest(t *testing.T) {
	for _, test := range []struct {
		text   string
		radius int
		want   string
	}{
		{"kind: circle\nradius: 3\n", 3, ""},
		{"radius: 3\nkind: circle\n", 3, ""},
		{"kind: circle\n", 0, "1:1: radius: the field is missing: expected a whole number"},
		{"kind: circle\nradius: 3\nraduis: 4\n", 3, `3:1: raduis: there is no field of this name, did you mean "radius"?`},
		{"kind: point\nradius: 3\n", 0, "2:1: radius: there is no field of this name, expected one of kind"},
		{"kind: cirle\nradius: 3\n", 0, "1:7: kind: no such kind"},
	} {
		var got circle
		d, problems := Parse("f", []byte(test.text))
		problems = append(problems, d.DecodeRest(new(shape), func(into any, problem func(field, what string)) (any, bool) {
			switch into.(*shape).Kind {
			case "circle":
				return &got, true
			case "point":
				return nil, true
			}
			problem("kind", "no such kind")
			return nil, false
		})...)
		if s := strings.ReplaceAll(problems.Error(), "f:", ""); s != test.want || got.Radius != test.radius {
			t.Errorf("%q: radius %d\n%s\nwant %d\n%s", test.text, got.Radius, s, test.radius, test.want)
		}
	}
}

func TestAnswers(t *testing.T) {
	var got map[string]Strings
	if problems := both("roll-call/present/ann: AB\nset-pin/user-pin/ben: ['1234', '5678']\n", &got); problems.Err() != nil {
		t.Fatal(problems)
	}
	want := map[string]Strings{"roll-call/present/ann": {"AB"}, "set-pin/user-pin/ben": {"1234", "5678"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if s := both("a/b: 1234\n", &got).Error(); s != `f:1:6: ["a/b"]: expected a text, and without quotes this is none: write "1234"` {
		t.Error(s)
	}
}

func TestAt(t *testing.T) {
	d, _ := Parse("f", []byte("title: x\npeople:\n  - name: a\n  - {age: 1, name: b}\nlead:\n  name: >\n    c\n"))
	for _, test := range []struct {
		path      string
		line, col int
	}{
		{"", 1, 1}, {"title", 1, 8}, {"people", 2, 1}, {"people[1]", 3, 5}, {"people[1].name", 3, 11},
		{"people[1].age", 3, 5}, {"people[2]", 4, 5}, {"people[2].name", 4, 20}, {"people[3]", 2, 1},
		{"people[3].name.x", 2, 1}, {"lead.name", 6, 9}, {"lead.roles[2]", 5, 1}, {"nothing", 1, 1},
	} {
		if line, col := d.At(test.path); line != test.line || col != test.col {
			t.Errorf("%q is at %d:%d, want %d:%d", test.path, line, col, test.line, test.col)
		}
	}
	var none *Doc
	if p := none.Problem("a", "b"); p.String() != "a: b" {
		t.Errorf("without a file: %q", p)
	}
	if got := none.Decode(new(sample)); got != nil {
		t.Errorf("decoding nothing: %v", got)
	}
}

func TestClosest(t *testing.T) {
	known := []string{"title", "actor", "witnesses", "user_pin_custodian"}
	for word, want := range map[string]string{
		"titel": "title", "Title": "title", "witness": "witnesses", "user-pin-custodian": "user_pin_custodian",
		"user pin custodien": "user_pin_custodian", "say": "", "": "", "actors": "actor",
	} {
		if got := Closest(word, known); got != want {
			t.Errorf("closest to %q is %q, want %q", word, got, want)
		}
	}
}

func TestUndecodable(t *testing.T) {
	for name, into := range map[string]any{
		"a type": new(struct {
			F float64 `yaml:"f"`
		}),
		"a field twice": new(struct {
			A string `yaml:"f"`
			B string `yaml:"f"`
		}),
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			both("f: 1\n", into)
		}()
	}
}

func FuzzParse(f *testing.F) {
	for _, r := range refusals {
		if len(r.text) < 1000 {
			f.Add(r.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got sample
		lines := strings.Split(text, "\n")
		start := time.Now()
		problems := both(text, &got)
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("took %v", took)
		}
		for _, p := range problems {
			if p.File != "f" || p.Line < 1 || p.Col < 1 || p.Line > len(lines) || p.Col > utf8.RuneCountInString(lines[p.Line-1])+1 {
				t.Fatalf("a problem outside of the file: %v", p)
			}
			if strings.ContainsFunc(p.What, func(r rune) bool { return r < ' ' || r == 0x7f }) || !utf8.ValidString(p.What) {
				t.Fatalf("a message that cannot be shown: %q", p)
			}
		}
	})
}
