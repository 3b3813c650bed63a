package steps_test

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/templates"
)

// These stand for signatures: by a key that nobody in the room has, and by that
// of the first of the two who approve.
const forged, others = "@forged", "@others"

// A troubled room has a fault for each attempt of some steps, and answers else
// from the file. Who has a key signs what is shown.
type troubled struct {
	room.Room
	t        *testing.T
	faults   map[string][]fault // by step, one for each attempt
	shown    map[string]room.Step
	now      room.Step
	asked    map[string]map[string]int // by step and attempt: how often what was asked
	keys     map[string]*audit.WitnessSigner
	stranger *audit.WitnessSigner
	text     string // shown last, to be signed
}

// newTroubled puts a script and such a room on a stage.
func newTroubled(t *testing.T, st *stage, script string, goOn, phrase bool, tried map[string]string) *troubled {
	t.Helper()
	r := &troubled{t: t, faults: map[string][]fault{}, shown: map[string]room.Step{}, asked: map[string]map[string]int{}, keys: map[string]*audit.WitnessSigner{}}
	r.stranger = r.key("stranger.example/key")
	for id, kind := range tried {
		switch r.faults[id] = none; {
		case kind == "attendance":
			r.faults[id] = atRollCall
		case goOn:
			r.faults[id] = goesOn
		}
	}
	signers := []string{first}
	if !phrase {
		signers = append(signers, second)
	}
	for _, who := range signers {
		r.keys[who] = r.key(who + ".example/key")
		script = in(who, "\n    roles:", "\n    witness_key: "+r.keys[who].Key().String()+"\n    roles:")(script)
	}
	st.script = []byte(script)
	st.room = func(inner room.Room) room.Room { r.Room = inner; return r }
	return r
}

func (r *troubled) key(name string) *audit.WitnessSigner {
	k, err := audit.GenerateWitnessKey(name, rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	return k
}

// answers are those of people to whom nothing happens.
const matrixAnswers = `  "*/key-compared/*": "yes"
  "*/approve/*": "@initials"
  "*/approve-passphrase/*": "` + phraseTwo + `"
  "*/passphrase/*": "` + phraseTwo + `"
  "*/expected/*": "people who may"
  "*/happened/*": "others came"
  "*/decided/*": "to do it anew"
  "*/deviation/*": "@initials"
`

func (r *troubled) Show(m room.Message) {
	switch m := m.(type) {
	case room.Step:
		r.now, r.shown[m.ID] = m, m
	case room.Verbatim:
		r.text = m.Text
	}
	r.Room.Show(m)
}

func (r *troubled) Ask(p room.Prompt) (string, error) {
	step, what, _ := strings.Cut(p.Key, "/")
	v, ok := r.says(step, what)
	who, signs := strings.CutPrefix(what, "approval-signature/")
	switch {
	case signs && v == forged:
		return r.sign(r.stranger), nil
	case signs && v == others:
		return r.sign(r.keys[first]), nil
	case signs && !ok:
		return r.sign(r.keys[who]), nil
	case ok:
		return v, nil
	}
	return r.Room.Ask(p)
}

func (r *troubled) Secret(p room.Prompt) (token.PIN, error) {
	step, what, _ := strings.Cut(p.Key, "/")
	if v, ok := r.says(step, what); ok {
		return token.NewPIN([]byte(v)), nil
	}
	return r.Room.Secret(p)
}

// says is what the fault of the running attempt has for a question.
func (r *troubled) says(step, what string) (string, bool) {
	list := r.faults[step]
	if step != r.now.ID || r.now.Attempt > len(list) {
		return "", false
	}
	key := attemptKey(step, r.now.Attempt)
	if r.asked[key] == nil {
		r.asked[key] = map[string]int{}
	}
	n := r.asked[key][what]
	r.asked[key][what]++
	if answers := list[r.now.Attempt-1].said[what]; n < len(answers) {
		return answers[n], true
	}
	return "", false
}

func attemptKey(step string, attempt int) string { return step + "\n" + string(rune('0'+attempt)) }

func (r *troubled) sign(key *audit.WitnessSigner) string {
	n, err := audit.ParseApprovalNote(r.text)
	if err != nil {
		r.t.Error(err)
		return "none"
	}
	b, err := key.SignApproval(n)
	if err != nil {
		r.t.Error(err)
		return "none"
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}

// took makes sure that a fault took place: that what it is about was asked.
func (r *troubled) took(t *testing.T, step string, attempt int, f fault) {
	t.Helper()
	for _, what := range f.asked {
		if r.asked[attemptKey(step, attempt)][what] == 0 {
			t.Errorf("%s was not asked", what)
		}
	}
}

// attemptOf are the entries of an attempt of a step, up to the next beginning.
func attemptOf(all []*audit.Entry, step string, attempt int) []*audit.Entry {
	start := slices.IndexFunc(all, func(e *audit.Entry) bool {
		d, ok := e.Data.(*audit.StepBegin)
		return ok && e.Step == step && d.Attempt == attempt
	})
	if start < 0 {
		return nil
	}
	for n, e := range all[start+1:] {
		if _, begins := e.Data.(*audit.StepBegin); begins {
			return all[start : start+1+n]
		}
	}
	return all[start:]
}

// isAct reports whether a step of a kind acts with an entry.
func isAct(e *audit.Entry, kind string) bool {
	switch d := e.Data.(type) {
	case *audit.HSMIntent:
		return d.Function == acts[kind]
	case *audit.Ack:
		return acts[kind] == "ack" && (kind != "statement" || d.As == "actor") && (kind != "cosign" || strings.Contains(d.What, "on paper"))
	case *audit.Answer:
		return acts[kind] == "answer" && (strings.HasPrefix(d.Question, "Planned break") || strings.HasPrefix(d.Question, "Was anything not"))
	}
	return e.Kind() == acts[kind]
}

// all holds if each of the tests does.
func all(tests ...func([]*audit.Entry) bool) func([]*audit.Entry) bool {
	return func(part []*audit.Entry) bool {
		return !slices.ContainsFunc(tests, func(f func([]*audit.Entry) bool) bool { return !f(part) })
	}
}

func either(one, other func([]*audit.Entry) bool) func([]*audit.Entry) bool {
	return func(part []*audit.Entry) bool { return one(part) || other(part) }
}

// some holds if an entry of the kind is as wanted.
func some[D audit.Data](want func(D) bool) func([]*audit.Entry) bool {
	return func(part []*audit.Entry) bool {
		list, _ := entriesOf[D](part)
		return slices.ContainsFunc(list, want)
	}
}

func problem(what string) func([]*audit.Entry) bool {
	return some(func(d *audit.Problem) bool { return strings.Contains(d.What, what) })
}

func answer(value string) func([]*audit.Entry) bool {
	return some(func(d *audit.Answer) bool { return strings.Contains(d.Value, value) })
}

func away(person, because string) func([]*audit.Entry) bool {
	return some(func(d *audit.Presence) bool { return d.Person == person && !d.Present && d.Because == because })
}

func approval(person, result string) func([]*audit.Entry) bool {
	return some(func(d *audit.Approval) bool { return d.Person == person && d.Result == result })
}

func refusal(person, as, because string) func([]*audit.Entry) bool {
	return some(func(d *audit.Refusal) bool { return d.Person == person && d.As == as && d.Because == because })
}

func template(t *testing.T, name string) string {
	t.Helper()
	b, err := templates.Ceremonies.ReadFile("ceremonies/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// merged adds answers to a list of them, in place of those with the same key.
func merged(list, more string) string {
	var kept strings.Builder
	for line := range strings.Lines(list) {
		if key, _, ok := strings.Cut(line, ": "); !ok || !strings.Contains(more, key+": ") {
			kept.WriteString(line)
		}
	}
	return kept.String() + more
}
