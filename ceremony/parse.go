package ceremony

import (
	"fmt"
	"maps"
	"slices"

	"github.com/keyrite/keyrite/internal/strictyaml"
)

// Problems are all that is wrong with a script, sorted by place. As an error
// they are one line each, "file:line:col: field.path: what was expected"; Err is
// nil if there are none.
type Problems = strictyaml.Problems

// A Problem is one thing wrong with a script.
type Problem = strictyaml.Problem

// ParseAndCheck reads a script and checks it: every problem of [Parse] and
// [Check], in the order of the file. A script that was not read whole is not
// simulated. The script is nil if there is any problem.
func ParseAndCheck(file string, b []byte, kinds Kinds) (*Script, Problems) {
	s, problems := Parse(file, b, kinds)
	switch {
	case s == nil:
	case len(problems) > 0:
		problems = append(problems, s.static()...).Sort()
	default:
		problems = Check(s)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return s, nil
}

// Parse reads a script with the given kinds of steps; docs/script.md is the
// format. file is its name in messages. The script is nil if b is no mapping of
// fields, or includes parts that [Expand] has to write out; with other problems it holds what could be read.
func Parse(file string, b []byte, kinds Kinds) (*Script, Problems) {
	doc, problems := strictyaml.Parse(file, b)
	if doc == nil {
		return nil, problems
	}
	if included := notExpanded(doc); len(included) > 0 {
		return nil, included
	}
	s := &Script{doc: doc}
	problems = append(problems, doc.DecodeRest(s, kinds.rest)...)
	for i := range s.Steps {
		s.Steps[i].Number = i + 1
		s.Steps[i].Path = fmt.Sprintf("steps[%d]", i+1)
	}
	return s, problems.Sort()
}

// rest gives a step's other fields to its kind.
func (k Kinds) rest(into any, problem func(field, what string)) (rest any, ok bool) {
	step, isStep := into.(*Step)
	if !isStep {
		return nil, true
	}
	kind, known := k[step.Kind]
	if known {
		step.Action = kind.New()
		return step.Action, true
	}
	if step.Kind != "" {
		names := slices.Sorted(maps.Keys(k))
		problem("kind", fmt.Sprintf("there is no step kind %q%s", step.Kind, strictyaml.Instead(step.Kind, names)))
	}
	return nil, false
}
