package ceremony

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/internal/strictyaml"
	"github.com/keyrite/keyrite/internal/token"
)

// Check returns what is wrong with a script that was read without problems,
// sorted by place: first its tables and its steps each for itself, then, if the
// tables are sound, the steps one after the other on the model of the world (see
// [Simulate]).
func Check(s *Script) Problems {
	c := checker{Script: s, whole: true}
	c.tables()
	sound := len(c.problems) == 0
	if sound {
		c.floor()
	}
	c.steps()
	if sound {
		c.problems = append(c.problems, Simulate(s)...)
	}
	return c.problems.Sort()
}

// Unprintable returns a problem for each text of the script that has a character
// for which can is false: whether the fonts of the transcript have it, the
// transcript knows.
func (s *Script) Unprintable(can func(rune) bool) Problems {
	return s.doc.Characters(can, "is in no font of the transcript: write it in other letters")
}

// static returns what is wrong with the tables and steps of a script that could
// be read in part only.
func (s *Script) static() Problems {
	c := checker{Script: s}
	c.tables()
	c.steps()
	return c.problems
}

// A checker collects problems. A value that is missing was reported when the
// script was read and is not judged again.
type checker struct {
	*Script
	whole    bool // the script was read without problems
	problems Problems
}

func (c *checker) wrong(path, format string, args ...any) {
	c.problems = append(c.problems, c.doc.Problem(path, fmt.Sprintf(format, args...)))
}

func (c *checker) tables() {
	if c.Format != ScriptFormat && c.Format != 0 {
		c.wrong("keyrite", "expected %d, the version of the script format that this program reads", ScriptFormat)
	}
	c.people()
	c.approvals()
	c.tokens()
	c.keys()
	c.profiles()
}

// at returns the path of a field of the i-th item of a list, i counted from 0.
func at(list string, i int, field string) string { return fmt.Sprintf("%s[%d].%s", list, i+1, field) }

var nameForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// maxName is the longest id or name, in characters.
const maxName = 40

// name judges a name that other parts of the script use.
func (c *checker) name(path, name string, seen map[string]bool) {
	switch {
	case name == "":
	case !nameForm.MatchString(name):
		c.wrong(path, "expected a name of a-z, 0-9 and single hyphens, not %q", name)
	case len(name) > maxName:
		c.wrong(path, "the name has %d characters, expected at most %d", len(name), maxName)
	case seen[name]:
		c.wrong(path, "%q is there twice: write a name that no other has", name)
	}
	seen[name] = true
}

// refers judges a reference to a name that has to be in a table of the script.
func (c *checker) refers(path, name, table string, names []string) bool {
	nobody := table == "participants" && len(names) == 0 // reported as such
	if name == "" || nobody || slices.Contains(names, name) {
		return name != "" && !nobody
	}
	c.wrong(path, "%q is not one of the script's %s%s", name, table, strictyaml.Instead(name, names))
	return false
}

func (c *checker) ids() []string {
	var ids []string
	for _, p := range c.Participants {
		ids = append(ids, p.ID)
	}
	return ids
}

// maxLabel is the size of a token's label and maxSerial that of its serial
// number, in bytes (PKCS #11, CK_TOKEN_INFO).
const (
	maxLabel  = 32
	maxSerial = 16
)

func (c *checker) tokens() {
	names, serials, labels := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, t := range c.Tokens {
		c.name(at("tokens", i, "name"), t.Name, names)
		if len(t.Label) > maxLabel {
			c.wrong(at("tokens", i, "label"), "the label has %d bytes, expected at most %d", len(t.Label), maxLabel)
		}
		switch path := at("tokens", i, "serial"); {
		case t.Serial == AnySerial && token.Models[t.Model].SerialFromStart:
			c.wrong(path, "a %s has a serial number before it is initialised: write the one on the device", t.Model)
		case t.Serial == AnySerial && labels[t.Label]:
			c.wrong(path, "two tokens with the label %q need serial numbers to tell them apart", t.Label)
		case t.Serial != AnySerial && serials[t.Serial]:
			c.wrong(path, "another token has the serial number %q, too", t.Serial)
		case len(t.Serial) > maxSerial:
			c.wrong(path, "the serial number has %d bytes, expected at most %d", len(t.Serial), maxSerial)
		}
		serials[t.Serial], labels[t.Label] = t.Serial != "", t.Label != ""
		c.pins(i, &t)
		c.tries(i, &t)
	}
}

// maxTries is the highest number of tries that a card tells (63CF).
const maxTries = 15

// tries judges the tries that are expected of a token.
func (c *checker) tries(i int, t *TokenSpec) {
	m, known := token.Models[t.Model]
	for kind, field := range map[token.PINKind]string{token.SOPIN: "so", token.UserPIN: "user"} {
		n, path := t.Tries.of(kind), at("tokens", i, "tries."+field)
		switch {
		case n == nil:
		case *n < 0 || *n > maxTries:
			c.wrong(path, "expected a number from 0 to %d, the most that a card tells, not %d", maxTries, *n)
		case known && m.Rule(kind).Tries == 0:
			c.wrong(path, "a %s never locks its %s and tells no number: take the field out", t.Model, kind)
		}
	}
}

var keyIDForm = regexp.MustCompile(`^([0-9a-f]{2}){1,32}$`)

func (c *checker) keys() {
	var tokens []string
	for _, t := range c.Tokens {
		tokens = append(tokens, t.Name)
	}
	names, labels, ids := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, k := range c.Keys {
		c.name(at("keys", i, "name"), k.Name, names)
		c.refers(at("keys", i, "token"), k.Token, "tokens", tokens)
		label, id := k.Token+"\n"+k.Label, k.Token+"\n"+k.KeyID
		if k.Label != "" && labels[label] {
			c.wrong(at("keys", i, "label"), "another key on token %q has the label %q, too", k.Token, k.Label)
		}
		switch path := at("keys", i, "id"); {
		case k.KeyID == "":
		case !keyIDForm.MatchString(k.KeyID):
			c.wrong(path, "expected 1 to 32 bytes, each two digits of 0-9 and a-f, such as \"01\"")
		case ids[id]:
			c.wrong(path, "another key on token %q has the id %q, too", k.Token, k.KeyID)
		}
		labels[label], ids[id] = true, true
	}
}

// profiles judges names, and a profile that starts from a built-in one together
// with it; the others judged themselves when they were read.
func (c *checker) profiles() {
	names := map[string]bool{}
	for i, p := range c.Profiles {
		c.name(at("profiles", i, "name"), p.Name, names)
		if p.Template == "" || !c.whole {
			continue
		}
		base, err := builtinProfile(p.Template)
		if err != nil {
			c.wrong(at("profiles", i, "template"), "%v", err)
			continue
		}
		p.Merge(*base).ValidateFields(func(field, what string) {
			c.wrong(strictyaml.Below(fmt.Sprintf("profiles[%d]", i+1), field), "%s", what)
		})
	}
}

var wordForm = regexp.MustCompile(`^[\pL\pN][\pL\pN-]{1,19}$`)

// maxPlan is the most that title, place, participants and the steps' ids and
// titles may have together, in bytes: they stand in one entry of the log.
const maxPlan = 40 << 10

func (c *checker) steps() {
	ids := map[string]bool{}
	plan := len(c.Title) + len(c.Organisation) + len(c.Place) + len(c.Purpose)
	for _, p := range c.Participants {
		plan += len(p.ID) + len(p.Name) + len(strings.Join(p.Roles, "")) + 100
	}
	for i := range c.Steps {
		step := &c.Steps[i]
		c.name(step.Path+".id", step.ID, ids)
		c.refers(step.Path+".actor", step.Actor, "participants", c.ids())
		c.named(step.Path+".actor", step.Actor)
		c.witnesses(step)
		c.duties(step)
		c.approve(step)
		if step.Acknowledge != "" && !wordForm.MatchString(step.Acknowledge) {
			c.wrong(step.Path+".acknowledge", "expected one word of 2 to 20 letters, not %q", step.Acknowledge)
		}
		if strings.EqualFold(step.Acknowledge, refuse) {
			c.wrong(step.Path+".acknowledge", "%q is what somebody types who does not agree: write another word", step.Acknowledge)
		}
		plan += len(step.ID) + len(step.Kind) + len(step.Title) + 50
	}
	c.deviations()
	if plan > maxPlan {
		c.wrong("steps", "the titles of %d steps are too long for the log's first entry: shorten them, or hold two ceremonies", len(c.Steps))
	}
}

func (c *checker) witnesses(step *Step) {
	seen := map[string]bool{}
	for j, id := range step.Witnesses {
		path := fmt.Sprintf("%s.witnesses[%d]", step.Path, j+1)
		if !c.refers(path, id, "participants", c.ids()) {
			continue
		}
		switch {
		case id == step.Actor:
			c.wrong(path, "%q acts in this step and cannot be its witness, too", id)
		case hasRole(c.Participant(id), administrator):
			c.wrong(path, "%q is the ceremony administrator, who is no witness", id)
		case seen[id]:
			c.wrong(path, "%q is there twice", id)
		}
		c.named(path, id)
		seen[id] = true
	}
}
