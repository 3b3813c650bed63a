// Package redact makes a copy of a closed ceremony's bundle in which some
// entries of the log stand as their hash alone: same chain, same head, same
// signatures. docs/bundle.md says what such a copy is.
package redact

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// frame are the kinds of entries that are never hidden: without them nobody can
// tell which log it is, whose key signed what, and how the ceremony went.
var frame = []string{
	"log-open", "segment-open", "segment-adopt", "key-read", "step-begin", "step-end", "pause", "abort", "clock-jump", "close",
	"witness-key-exposed", // without it a key would count that must not
}

// A Selection says which entries are to be hidden.
type Selection struct {
	Kinds, People, Steps []string
	Entries              []bundle.Range
}

// ParseSelection reads what is to be hidden: "kind=K", "person=ID", "step=ID",
// "entry=N" or "entry=N-M".
func ParseSelection(list []string) (s Selection, err error) {
	if len(list) == 0 {
		return s, errors.New("nothing to hide is named")
	}
	for _, h := range list {
		what, value, _ := strings.Cut(h, "=")
		switch {
		case value == "":
			return s, fmt.Errorf("%q: expected kind=…, person=…, step=… or entry=…", h)
		case what == "kind":
			if audit.Kinds[value] == nil {
				return s, fmt.Errorf("%q: there is no such kind of entry", h)
			}
			if slices.Contains(frame, value) {
				return s, fmt.Errorf("%q: entries of this kind are never hidden: without them nobody could check the log", h)
			}
			s.Kinds = append(s.Kinds, value)
		case what == "person":
			s.People = append(s.People, value)
		case what == "step":
			s.Steps = append(s.Steps, value)
		case what == "entry":
			r, err := parseEntries(value)
			if err != nil {
				return s, fmt.Errorf("%q: expected entry=N or entry=N-M", h)
			}
			s.Entries = append(s.Entries, r)
		default:
			return s, fmt.Errorf("%q: expected kind=…, person=…, step=… or entry=…", h)
		}
	}
	return s, nil
}

func parseEntries(value string) (r bundle.Range, err error) {
	from, to, two := strings.Cut(value, "-")
	if !two {
		to = from
	}
	if r.From, err = strconv.ParseInt(from, 10, 64); err == nil {
		r.To, err = strconv.ParseInt(to, 10, 64)
	}
	if err == nil && (r.From < 0 || r.To < r.From) {
		err = errors.New("no range")
	}
	return r, err
}

// check compares a selection with the log that it is for.
func (s *Selection) check(open *audit.LogOpen, size int64) error {
	for _, person := range s.People {
		if !slices.ContainsFunc(open.Participants, func(p audit.Participant) bool { return p.ID == person }) {
			return fmt.Errorf("hiding person=%s: the log has no participant of that id", person)
		}
	}
	for _, step := range s.Steps {
		if !slices.ContainsFunc(open.Plan, func(p audit.PlanStep) bool { return p.ID == step }) {
			return fmt.Errorf("hiding step=%s: the log has no step of that id", step)
		}
	}
	for _, r := range s.Entries {
		if r.To >= size {
			return fmt.Errorf("hiding entry=%s: the log has entries 0 to %d", r, size-1)
		}
	}
	return nil
}

// named reports whether the selection names an entry by its number.
func (s *Selection) named(seq int64) bool {
	return slices.ContainsFunc(s.Entries, func(r bundle.Range) bool { return r.From <= seq && seq <= r.To })
}

// selects reports whether the selection takes in an entry.
func (s *Selection) selects(e *audit.Entry, encoded []byte) (bool, error) {
	if s.named(e.Seq) || slices.Contains(s.Kinds, e.Kind()) || e.Step != "" && slices.Contains(s.Steps, e.Step) {
		return true, nil
	}
	if len(s.People) == 0 {
		return false, nil
	}
	people, err := peopleIn(encoded)
	return slices.ContainsFunc(people, func(p string) bool { return slices.Contains(s.People, p) }), err
}

// peopleIn returns the participants that an entry's data names by id.
func peopleIn(encoded []byte) ([]string, error) {
	var e struct {
		Data struct {
			Person   string   `json:"person"`
			People   []string `json:"people"`
			Reader   string   `json:"reader"`
			Answerer string   `json:"answerer"`
		} `json:"data"`
	}
	if err := json.Unmarshal(encoded, &e); err != nil {
		return nil, fmt.Errorf("looking for people in an entry: %w", err)
	}
	return append(e.Data.People, e.Data.Person, e.Data.Reader, e.Data.Answerer), nil
}
