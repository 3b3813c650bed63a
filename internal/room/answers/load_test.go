package answers

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/internal/room"
)

func TestLoadRefuses(t *testing.T) {
	const head = "keyrite-answers: 1\nanswers:\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "a.yaml:1:1: the file is empty"},
		{"no version", "answers:\n  a/b/c: x\n", "keyrite-answers: the field is missing"},
		{"other version", "keyrite-answers: 2\nanswers:\n  a/b/c: x\n", "a.yaml:1:18: keyrite-answers: expected 1, the version of the format"},
		{"no answers", "keyrite-answers: 1\n", "answers: the field is missing"},
		{"unknown field", head + "  a/b/c: x\nmore: x\n", "a.yaml:4:1: more:"},
		{"twice", head + "  a/b/c: x\n  a/b/c: y\n", `a.yaml:4:3: answers["a/b/c"]: the field is there twice`},
		{"two parts", head + "  a/b: x\n", `a.yaml:3:8: answers["a/b"]: expected a key of three parts, "step/what/person"`},
		{"four parts", head + "  a/b/c/d: x\n", "three parts"},
		{"empty part", head + "  a//c: x\n", "three parts"},
		{"part of a part", head + "  \"a/b-*/c\": x\n", `a "*" stands for a whole part of the key`},
		{"unknown special", head + "  a/b/c: \"@initial\"\n", `"@initial" stands for nothing; expected one of @initials, @word, @now, @empty`},
		{"unknown special in a list", head + "  a/b/c: [x, \"@never\"]\n", `"@never" stands for nothing`},
		{"empty list", head + "  a/b/c: []\n", "expected an answer or a list of answers"},
		{"nothing", head + "  a/b/c:\n", "nothing is written here"},
		{"number", head + "  a/b/c: 3537363231383830\n", `answers["a/b/c"]:`},
		{"two lines", head + "  a/b/c: |\n    x\n    y\n", "an answer is one line"},
		{"fields", head + "  a/b/c:\n    d: x\n", "a text or a list of texts"},
		{"no YAML", "a: [", "a.yaml:"},
		{"all at once", head + "  a/b: \"@x\"\n  c/d: y\n", `a.yaml:4:8: answers["c/d"]: some readers take y`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := parse("a.yaml", []byte(c.text))
			if err == nil || a != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error:\n%v\nwant:\n%s", err, c.want)
			}
		})
	}
}

func TestLoadAllProblems(t *testing.T) {
	_, err := parse("a.yaml", []byte("keyrite-answers: 1\nanswers:\n  a/b/c: \"@x\"\n  c/d: why\n  e/f/g: []\n  h/i/j: [y]\n"))
	if err == nil || strings.Count(err.Error(), "a.yaml:") != 4 {
		t.Errorf("want four problems, got:\n%v", err)
	}
}

func TestLoadNoFile(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
}

// FuzzParse checks that what is accepted can be used: every answer is given by
// its own key, as it is written.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("keyrite-answers: 1\nanswers:\n  a/b/c: x\n"))
	f.Add([]byte("keyrite-answers: 1\nanswers: {\"a/*/c\": [x, y], '*/*/*': \"@now\"}\n"))
	f.Add([]byte("keyrite-answers: 1\nanswers:\n  ? a/b/c\n  :\n    - x\n    - x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := parse("f", b)
		if err != nil {
			return
		}
		a.Now = func() time.Time { return time.Unix(0, 0) }
		for _, x := range a.answers {
			key := strings.ReplaceAll(x.pattern.String(), "*", "\x01")
			for i := range x.values {
				want := a.resolve(x.values[i], room.Prompt{})
				if got, err := a.give(room.Prompt{Key: key}); err != nil || got != want {
					t.Errorf("%s: %q, %v; want %q", x.pattern, got, err, want)
				}
			}
			if _, err := a.give(room.Prompt{Key: key}); (err != nil) != x.list {
				t.Errorf("%s, a list: %v: once more: %v", x.pattern, x.list, err)
			}
		}
		if unused := a.Unused(); len(unused) != 0 {
			t.Errorf("unused: %q", unused)
		}
	})
}
