package strictyaml

import (
	"strings"
	"testing"
)

type sample struct {
	Title  string             `yaml:"title,required" desc:"what it is called" line:"one"`
	Count  int                `yaml:"count"`
	Ready  bool               `yaml:"ready"`
	Mode   string             `yaml:"mode" enum:"production,rehearsal"`
	People []person           `yaml:"people"`
	Words  []string           `yaml:"words"`
	Lead   *person            `yaml:"lead"`
	Pairs  map[string]string  `yaml:"pairs"`
	Many   map[string]Strings `yaml:"many"`
	Text   string             `yaml:"text"`
	Extra  `yaml:",inline"`
	Hidden string `yaml:"-"`
}

type Extra struct {
	Note string `yaml:"note"`
}

type person struct {
	Name  string   `yaml:"name,required"`
	Roles []string `yaml:"roles" enum:"operator,witness"`
	Age   int      `yaml:"age"`
}

func (p *person) ValidateFields(report func(path, what string)) {
	if p.Age < 0 {
		report("age", "expected an age from 0")
	}
}

// both parses and decodes, as every caller does.
func both(text string, into any) Problems {
	d, problems := Parse("f", []byte(text))
	return append(problems, d.Decode(into)...).Sort()
}

func TestAccepted(t *testing.T) {
	for _, test := range []struct{ name, text string }{
		{"plain", "title: Łukasz, 山田 and Ελένη\n"},
		{"document start", "---\n# a comment\ntitle: x # another\n"},
		{"windows line ends", "title: x\r\ncount: 3\r\n"},
		{"quoted surprises", "title: 'no'\nwords: [\"012\", '0x1f', \"1:30\", '~', \"2026-11-24\"]\n"},
		{"block text", "title: x\ntext: |\n  one: 1\n  no\n\n  # no comment\n"},
		{"comment of one sign", "title: x #\n"},
		{"escapes", "title: \"a \\\"b\\\" \\u0041 \\\n  c\"\ntext: \"a\\nb\"\n"},
		{"version", "title: version 1.2.3\ntext: 1.2.3\nnote: 12 o'clock\n"},
		{"no line end", "title: x"},
		{"all kinds", "title: x\ncount: -3\nready: true\nmode: rehearsal\npeople:\n- name: Ann\n  roles: [operator]\nlead: {name: Ben, age: 4}\npairs:\n  a.b/c: ''\nmany:\n  a: x\n  b: [z, '']\nnote: x\n"},
	} {
		if got := both(test.text, new(sample)); got.Err() != nil {
			t.Errorf("%s:\n%v", test.name, got)
		}
	}
}

func TestDecode(t *testing.T) {
	var got sample
	text := "title: x\ncount: 12\nready: true\nwords: [a, b]\npeople:\n- name: Ann\n  roles: [operator, witness]\n- name: Ben\nlead: {name: Cy}\npairs: {k: v}\nmany: {a: x, b: [v, z]}\nnote: in line\ntext: >\n  a\n  b\n"
	if problems := both(text, &got); problems.Err() != nil {
		t.Fatal(problems)
	}
	switch {
	case got.Title != "x", got.Count != 12, !got.Ready, strings.Join(got.Words, "+") != "a+b",
		len(got.People) != 2, got.People[0].Roles[1] != "witness", got.People[1].Name != "Ben",
		got.Lead == nil || got.Lead.Name != "Cy", got.Pairs["k"] != "v",
		strings.Join(got.Many["a"], "+") != "x", strings.Join(got.Many["b"], "+") != "v+z",
		got.Note != "in line", got.Text != "a b\n":
		t.Errorf("decoded %+v", got)
	}
}

// refusals are files and the lines that are said of them, without "f:".
var refusals = []struct{ name, text, want string }{
	// characters
	{"byte order mark", "\uFEFFtitle: x\ncount: a\n", "1:1: the file begins with a byte order mark (BOM): save it as UTF-8 without BOM\n2:8: count: expected a whole number in digits, without quotes"},
	{"tab as indentation", "title: x\npeople:\n\t- name: a\n", "3:1: people: a tab: use spaces"},
	{"tab in text", "title: a\tb\tc\n", "1:9: title: a tab: use spaces"},
	{"tab by escape", `title: "a\tb\u0009"` + "\n", "1:10: title: a tab: use spaces\n1:13: title: a tab: use spaces"},
	{"not UTF-8", "title: é\xff\n", "1:9: title: byte 0xFF is not UTF-8: save the file as UTF-8"},
	{"control character", "title: a\x07b\n", "1:9: title: control character U+0007: take it out"},
	{"control character by escape", `title: "a\x07b"` + "\n", "1:10: title: control character U+0007: take it out"},
	{"NUL", "title: a\x00\n", "1:9: title: control character U+0000: take it out"},
	{"lone carriage return", "title: a\rb\n", "1:9: title: control character U+000D: take it out"},
	{"next line", "title: a\u0085b\n", "1:9: title: control character U+0085: take it out"},
	{"line separator", "title: a\u2028b\n", "1:9: title: control character U+2028: take it out"},
	{"bidirectional", "title: a\u202eb\n", "1:9: title: U+202E changes the direction of the text around it unseen: take it out"},
	{"bidirectional by escape on a later line", "title: x\ntext: \"a\n  b \\\n  \\u202eb\"\n", "4:3: text: U+202E changes the direction of the text around it unseen: take it out"},
	{"bidirectional in a comment", "title: a\n# \u2066b\n", "2:3: U+2066 changes the direction of the text around it unseen: take it out"},
	{"zero width", "title: a\u200bb\n", "1:9: title: U+200B cannot be seen: take it out"},
	{"soft hyphen", "title: a\u00adb\n", "1:9: title: U+00AD cannot be seen: take it out"},
	{"variation selector", "title: a\ufe0fb\n", "1:9: title: U+FE0F cannot be seen: take it out"},
	{"Hangul filler", "title: a\u3164b\n", "1:9: title: U+3164 cannot be seen: take it out"},
	{"thin space", "title: a\u2009b\n", "1:9: title: U+2009 is an unusual space: write an ordinary one"},
	{"beyond U+FFFF", "title: key 🔑\n", `1:12: title: '🔑' (U+1F511) cannot be printed on the transcript: write it in words`},
	{"Hebrew", "title: א\n", `1:8: title: 'א' (U+05D0) is written from right to left, which the transcript cannot print: write it in Latin letters`},
	{"Arabic digits", "title: ٣\n", `1:8: title: '٣' (U+0663) is written from right to left, which the transcript cannot print: write it in Latin letters`},
	{"private", "title: \ue000\n", "1:8: title: U+E000 is a private character that means nothing elsewhere: take it out"},
	{"unassigned", "title: \u0378\n", "1:8: title: U+0378 is no character of Unicode 15.0.0: take it out"},
	{"not NFC", "title: cafe\u0301\n", "1:11: title: a letter and its accent are two characters here: write the composed letter (Unicode form NFC)"},
	{"not NFC by escape", `title: "cafe\u0301"` + "\n", "1:8: title: a letter and its accent are two characters here: write the composed letter (Unicode form NFC)"},
	{"two alphabets", "title: Bank of pаypal\n", `1:8: title: the word "pаypal" mixes Latin and Cyrillic letters ('а' is U+0430): write it in one alphabet`},
	{"Greek in Latin", "title: Αnn\n", `1:8: title: the word "Αnn" mixes Greek and Latin letters ('n' is U+006E): write it in one alphabet`},
	{"two alphabets in a name", "title: x\ntіtle: z\n", `2:1: ["tіtle"]: the word "tіtle" mixes Latin and Cyrillic letters ('і' is U+0456): write it in one alphabet`},
	// form
	{"empty", "", "1:1: the file is empty"},
	{"only a comment", "# nothing\n", "1:1: the file is empty"},
	{"only a document start", "---\n", "1:1: the file is empty"},
	{"list at the top", "- a\n", "1:1: expected fields, each as 'name: value' on a line of its own"},
	{"text at the top", "just text\n", "1:1: expected fields, each as 'name: value' on a line of its own"},
	{"second document", "title: x\n---\ntitle: z\n", "2:1: a second document begins here: a file holds one, take out the line '---'"},
	{"text after the end", "title: x\n...\ntitle: z\n", "3:1: this does not fit to what stands above: check the indentation, and the quotes, of this line and the line before"},
	{"directive", "# x\n%YAML 1.1\n---\ntitle: x\n", "2:1: a YAML directive: take the line out"},
	{"anchor", "title: &t x\ntext: z\n", "1:8: title: an anchor: take out the '&t', and write the value out wherever it is needed"},
	{"anchor and alias", "title: &t x\ntext: *t\n", "1:8: title: an anchor: take out the '&t', and write the value out wherever it is needed\n2:7: text: an alias: write the value out here, so that a reader sees it where it counts"},
	{"alias of nothing", "title: x\ntext: *there\n", "2:7: an alias: write the value out here, so that a reader sees it where it counts"},
	{"merge key", "title: x\nlead: {name: Ann}\n<<: {count: 1}\n", "3:1: a merge key: write the fields out"},
	{"tag", "title: !!str 1\n", "1:8: title: a tag: take out the '!!str'"},
	{"tag of a mapping", "title: x\nlead: !person\n  name: Ann\n", "2:7: lead: a tag: take out the '!person'"},
	{"twice", "title: x\ncount: 1\ntitle: z\n", "3:1: title: the field is there twice, first on line 1"},
	{"twice, with quotes", "title: x\n'title': z\n", "2:1: title: the field is there twice, first on line 1"},
	{"twice in an item", "title: x\npeople:\n- name: a\n  name: b\n", "4:3: people[1].name: the field is there twice, first on line 3"},
	{"a list as a name", "title: x\n? [a]\n: b\n", "2:3: expected a field's name before the ':'"},
	{"empty name", "title: x\n'': b\n", "2:1: expected a field's name before the ':'"},
	{"too deep", "title: x\nnote: " + strings.Repeat("[", 17) + strings.Repeat("]", 17) + "\n", "2:7: note: expected a text\n2:23: note" + strings.Repeat("[1]", 16) + ": lists and fields are nested too deep"},
	{"far too deep", "title: x\nnote: " + strings.Repeat("[", 20000), "1:1: lists and fields are nested too deep"},
	{"number sign in a text", "title: Key #2 of 3\n", `1:8: title: "#2" begins a comment here, so the text ends before it: put the whole text in quotes, or write "# 2" if it is a comment`},
	// syntax
	{"colon in a text", "count: 1\ntitle: We start: now\n", "2:16: the text contains ': ', which begins a field: put the whole text in quotes"},
	{"no space after a colon", "title:x\ncount: 1\n", "2:6: a field does not fit here: give it the indentation of its neighbours, and check that the line above has a space after its ':'"},
	{"indented too far", "title: x\n  count: 1\n", "2:8: a field does not fit here: give it the indentation of its neighbours, and check that the line above has a space after its ':'"},
	{"indented too little", "title: x\npeople:\n  - name: a\n    age: 1\n   roles: [b]\n", "5:4: this does not fit to what stands above: check the indentation, and the quotes, of this line and the line before"},
	{"no colon", "title: x\nfoo\ncount: 1\n", "2:1: expected 'name: value'"},
	{"text after quotes", "count: 1\ntitle: \"x\" y\n", "2:12: this does not fit to what stands above: check the indentation, and the quotes, of this line and the line before"},
	{"open quote", "title: 'a'\ntext: 'b\nnote: c\nmode: d\n", "2:7: the text in quotes that begins here has no end: a quote is missing"},
	{"open quote after many lines of quotes", "title: x\nnote: 'a\n\n\n\n\n b'\ntext: 'b\n", "8:7: the text in quotes that begins here has no end: a quote is missing"},
	{"open bracket", "title: x\nwords: [a, b\nnote: c\n", "2:8: what begins with this bracket has no end, or a comma is missing in it"},
	{"open brace", "title: x\nlead: {name: a\nnote: c\n", "2:7: what begins with this bracket has no end, or a comma is missing in it"},
	{"at sign", "title: @x\n", "1:8: a text cannot begin with @ : put it in quotes"},
	{"per cent", "title: x\nnote: %5\n", "2:7: a text cannot begin with % : put it in quotes"},
	{"unknown escape", `title: "C:\keys"` + "\n", `1:11: in double quotes \ begins an escape, and this is none: write \\ for a backslash, or use single quotes`},
	{"surrogate", `title: "\ud83d\udd11"` + "\n", `1:14: in double quotes \ begins an escape, and this is none: write \\ for a backslash, or use single quotes`},
	{"list behind its name", "title: - x\n", "1:8: a list begins on the line after its name: each item on a line of its own, after '- '"},
	{"comma first", "title: ,x\n", "1:8: expected a value"},
}

func TestRefused(t *testing.T) {
	for _, test := range refusals {
		got := strings.ReplaceAll(both(test.text, new(sample)).Error(), "f:", "")
		if got != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}

func TestSurprises(t *testing.T) {
	for _, test := range []struct{ as, values string }{
		{"a number", "012 0o17 0x1f 0b11 1_000 1:30 1:30:45 1e3 1.5 .5 -0 +1 .inf -.INF .nan 12345678901234567890 190:20:30.15"},
		{"true or false", "y Y yes Yes YES on On ON n N no No NO off Off OFF True TRUE False"},
		{"no value at all", "~ null Null NULL"},
		{"a date", "2026-11-24 2026-1-2 2026-11-24T10:00:00Z"},
		{"a default value", "="},
	} {
		for _, v := range strings.Fields(test.values) {
			for _, field := range []string{"title: ", "count: ", "ready: ", "nothing: "} {
				got := both(field+v+"\n", new(sample))
				want := "some readers take " + v + " for " + test.as + `: put it in quotes, "` + v + `"`
				if len(got) == 0 || !strings.Contains(got.Error(), want) {
					t.Errorf("%s%s: got %q, want %s", field, v, got.Error(), want)
				}
			}
			if got := both("title: '"+v+"'\n", new(sample)); len(got) != 0 {
				t.Errorf("%s in quotes: %v", v, got)
			}
		}
	}
}

func TestTooLarge(t *testing.T) {
	head := "title: x\n# "
	if got := both(head+strings.Repeat("a", MaxSize-len(head)), new(sample)); len(got) != 0 {
		t.Errorf("a file of MaxSize: %v", got)
	}
	got := both(head+strings.Repeat("a", MaxSize-len(head)+1), new(sample)).Error()
	if want := "f:1:1: the file has 1048577 bytes, expected at most 1048576 (1 MiB)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestManyProblems(t *testing.T) {
	got := both("title: x\n"+strings.Repeat("- \t\n", 100000), new(sample))
	if len(got) != maxProblems {
		t.Errorf("%d problems, want %d", len(got), maxProblems)
	}
	got = both("title: x\nwords:\n"+strings.Repeat("- no\n", 100000), new(sample))
	if len(got) != maxProblems {
		t.Errorf("%d problems, want %d", len(got), maxProblems)
	}
}

// In a large file the place of an error is not searched for, only told roughly.
func TestLargeSyntax(t *testing.T) {
	got := both("words:\n"+strings.Repeat("- some text\n", 20000)+" a: b: c\n", new(sample))
	if len(got) != 1 || !strings.HasPrefix(got[0].What, "near this line: ") {
		t.Errorf("got %v", got)
	}
}
