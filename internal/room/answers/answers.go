// Package answers is a room that nobody sits in: it shows everything on a
// screen and takes the answers to prompts from a file. The file holds PINs in
// the clear, so only "keyrite rehearse" accepts one; a ceremony never does.
//
// The file is YAML, read strictly:
//
//	keyrite-answers: 1
//	answers:
//	  "*/ready/*": "@word"
//	  "clock/room-time/*": "@now"
//	  "token-init/so-pin-current/*": "3537363231383830"
//	  "set-user-pin/user-pin-new/*": ["48273659", "48273659"]
//
// A key is step/what/person, the key of a prompt, where each part may be "*"
// for any. Of the keys that match a prompt the one with the fewest "*" wins;
// of those with as many, the one whose literal parts come first.
//
// A text is given each time. A list is given one by one and then is used up.
// These texts stand for others:
//
//	@initials   the initials of the person who is asked
//	@word       the word that the prompt asks for; the initials if it asks for none
//	@now        the present time, UTC, RFC 3339 with seconds
//	@empty      an empty line
//	@slip       the row that is asked for, of the slip that this person was
//	            shown in this run: a share that no file can know
package answers

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/strictyaml"
)

// Format is the version of the file's format, the value of its first field.
const Format = 1

// Texts that stand for others.
const (
	initials = "@initials"
	word     = "@word"
	now      = "@now"
	empty    = "@empty"
	slip     = "@slip"
)

var specials = []string{initials, word, now, empty, slip}

// Answers are the answers of a file, and what has been given of them.
type Answers struct {
	Now func() time.Time // what "@now" is; Load sets time.Now

	file    string
	answers []*answer // the most specific first
}

// An answer is what the file has for the prompts that a pattern matches.
type answer struct {
	pattern pattern
	values  []string
	list    bool // one by one
	given   int
}

// Load reads a file of answers. The error lists everything that is wrong with
// it, a line each: "file:line:col: field: what was expected".
func Load(file string) (*Answers, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the answers: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, strictyaml.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answers: %w", err)
	}
	return parse(file, b)
}

// content is the file as it is written.
type content struct {
	Format  int                           `yaml:"keyrite-answers,required" desc:"version of the format: 1"`
	Answers map[string]strictyaml.Strings `yaml:"answers,required" desc:"step/what/person: the answer"`
}

func parse(file string, b []byte) (*Answers, error) {
	doc, problems := strictyaml.Parse(file, b)
	var c content
	problems = append(problems, doc.Decode(&c)...)
	if c.Format != Format && len(problems) == 0 {
		problems = append(problems, doc.Problem("keyrite-answers", fmt.Sprintf("expected %d, the version of the format", Format)))
	}
	a := &Answers{Now: time.Now, file: file}
	for key, values := range c.Answers {
		path := fmt.Sprintf("answers[%q]", key)
		p, err := parsePattern(key)
		if err != nil {
			problems = append(problems, doc.Problem(path, err.Error()))
		}
		if what := judge(values); what != "" && !reported(problems, path) {
			problems = append(problems, doc.Problem(path, what))
		}
		a.answers = append(a.answers, &answer{pattern: p, values: values, list: isList(doc, path)})
	}
	slices.SortFunc(a.answers, func(x, y *answer) int { return x.pattern.compare(y.pattern) })
	if err := problems.Sort().Err(); err != nil {
		return nil, err
	}
	return a, nil
}

// judge returns what is wrong with the texts of an answer, or "".
func judge(values []string) string {
	if len(values) == 0 {
		return "expected an answer or a list of answers"
	}
	for _, v := range values {
		switch {
		case strings.HasPrefix(v, "@") && !slices.Contains(specials, v):
			return fmt.Sprintf("%q stands for nothing; expected one of %s", v, strings.Join(specials, ", "))
		case strings.ContainsAny(v, "\r\n"):
			return "an answer is one line"
		}
	}
	return ""
}

// reported reports whether a field, or an item of it, has a problem already.
func reported(problems strictyaml.Problems, path string) bool {
	return slices.ContainsFunc(problems, func(p strictyaml.Problem) bool { return strings.HasPrefix(p.Path, path) })
}

// isList reports whether an answer is written as a list: then its first item
// has a place of its own.
func isList(doc *strictyaml.Doc, path string) bool {
	line, col := doc.At(path)
	itemLine, itemCol := doc.At(path + "[1]")
	return line != itemLine || col != itemCol
}

// Unused returns the keys of the file that have not answered any prompt, and
// those of lists that are not used up, sorted.
func (a *Answers) Unused() []string {
	var keys []string
	for _, x := range a.answers {
		if x.given == 0 || x.list && x.given < len(x.values) {
			keys = append(keys, x.pattern.String())
		}
	}
	slices.Sort(keys)
	return keys
}

// give returns the answer to a prompt. Every error is room.ErrGone and says
// what to write into the file.
func (a *Answers) give(p room.Prompt) (string, error) {
	i := slices.IndexFunc(a.answers, func(x *answer) bool { return x.pattern.matches(p.Key) })
	if i < 0 {
		return "", fmt.Errorf("%w: %s has no answer to %q (%s): add the line   %q: %q",
			room.ErrGone, a.file, p.Key, oneLine(p.Question), p.Key, example(p))
	}
	x := a.answers[i]
	if x.list && x.given == len(x.values) {
		return "", fmt.Errorf("%w: %s has only %d answers to %q (%s): add one to the list of %q",
			room.ErrGone, a.file, len(x.values), p.Key, oneLine(p.Question), x.pattern)
	}
	v := x.values[0]
	if x.list {
		v = x.values[x.given]
	}
	x.given++
	return a.resolve(v, p), nil
}

func (a *Answers) resolve(v string, p room.Prompt) string {
	switch v {
	case initials:
		return p.Initials
	case word:
		return cmp.Or(p.Word, p.Initials)
	case now:
		return a.Now().UTC().Format(time.RFC3339)
	case empty:
		return ""
	}
	return v
}

// example is an answer that a prompt may well want.
func example(p room.Prompt) string {
	switch {
	case len(p.Choices) > 0:
		return p.Choices[0].Word
	case p.Word != "":
		return word
	}
	return "…"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
