package ceremony

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/internal/token"
)

// Explain tells a sound script in plain language: who is there, who holds which
// secret, what is done in which order and what is true after each step, what of
// the [Requirements] it meets and what stays open.
func Explain(s *Script, kinds Kinds) string {
	e := &explanation{script: s, kinds: kinds}
	e.line("%s", s.Title)
	e.line("%s · %s · %s", s.Organisation, s.Place, strings.ToUpper(s.Mode))
	e.line("%s", strings.TrimSpace(s.Purpose))
	e.people()
	e.approvals()
	e.secrets()
	e.steps()
	e.requirements()
	return e.text.String()
}

type explanation struct {
	script *Script
	kinds  Kinds
	text   strings.Builder
}

func (e *explanation) line(format string, args ...any) { fmt.Fprintf(&e.text, format+"\n", args...) }

func (e *explanation) head(title string) { e.line("\n%s", strings.ToUpper(title)) }

func (e *explanation) who(id string) string { return e.script.named(id) }

// named returns a participant's name with the id.
func (s *Script) named(id string) string {
	if p := s.Participant(id); p != nil {
		return p.Name + " (" + id + ")"
	}
	return id
}

func (e *explanation) people() {
	e.head("Who is there")
	for _, p := range e.script.Participants {
		e.line("  %s, initials %s", e.who(p.ID), p.Initials)
		if p.AlternateFor != "" {
			e.line("      takes the place of %s if that one is absent", e.who(p.AlternateFor))
		}
		for _, r := range p.Roles {
			e.line("      %s: %s", r, Roles[r].Does)
		}
	}
}

// approvals says who has to approve the script.
func (e *explanation) approvals() {
	a := e.script.Approvals
	if a == nil {
		return
	}
	e.head("Who approves the script before it is run")
	e.line("  %d of these %d must; else a production ceremony does not start", a.Count, len(a.Approvers))
	for _, p := range a.Approvers {
		var how []string
		if p.Key != "" {
			how = append(how, "signs its SHA-256 with a key")
		}
		if e.script.Participant(p.ID) != nil {
			how = append(how, "types its SHA-256 in the room from the approved paper")
		}
		e.line("  %s (%s): %s", e.script.ApproverName(p.ID), p.ID, strings.Join(how, ", or "))
	}
}

func (e *explanation) secrets() {
	e.head("Secrets, and who holds them")
	for _, t := range e.script.Tokens {
		for _, kind := range []token.PINKind{token.SOPIN, token.UserPIN} {
			e.line("  %s of token %s: %s", kind, t.Name, e.script.HeldBy(t.Held(kind)))
		}
	}
	if len(e.script.Tokens) == 0 {
		e.line("  none: the script has no token")
	}
	if e.script.AllowExposedKeys {
		e.line("  keys of witnesses: each its witness, who may unlock it on the ceremony machine; it then counts as exposed to that machine, and no policy counts it")
	}
	e.line("  key of the log: nobody; it is made at the start, lives in memory and is destroyed at the end")
}

// HeldBy says in words who holds a PIN, and how.
func (s *Script) HeldBy(pin PINSpec) string {
	var people []string
	for _, id := range pin.Custodians {
		people = append(people, s.named(id))
	}
	all := strings.Join(people, ", ")
	switch {
	case len(people) == 0:
		return "nobody: no step may ask for it"
	case pin.Way == Halves:
		return all + ", a part each"
	case pin.Way == Shares:
		how := "shown on the screen"
		if pin.Slip() {
			how = "printed on a slip"
		}
		return fmt.Sprintf("%s, a share each, %s; any %d of them give it back", all, how, pin.Threshold)
	}
	return all + " alone"
}

func (e *explanation) steps() {
	e.head("What is done, in this order")
	w := NewWorld(e.script)
	before := w.facts()
	for i := range e.script.Steps {
		w.Step = &e.script.Steps[i]
		w.Step.Action.Check(w)
		e.step(w.Step)
		after := w.facts()
		for _, f := range after {
			if !slices.Contains(before, f) {
				e.line("      → %s", f)
			}
		}
		before = after
	}
	if d := e.script.Deviations; d != nil && d.Approve != nil {
		e.line("\n  To leave a step out or do it anew takes the one who acts, and approval by %s", d.Approve.Words(e.script))
	}
	e.head("What is true at the end, if all goes as written")
	for _, f := range before {
		e.line("  %s", f)
	}
}

func (e *explanation) step(s *Step) {
	e.line("  %2d. %s", s.Number, s.Title)
	e.line("      %s: %s", s.Kind, e.kinds[s.Kind].Does)
	witnesses := "nobody witnesses it"
	if len(s.Witnesses) > 0 {
		witnesses = "witnessed by " + strings.Join(s.Witnesses, ", ")
	}
	e.line("      %s acts, %s", s.Actor, witnesses)
	if s.Approve != nil {
		e.line("      nothing is done before it is approved, by %s", s.Approve.Words(e.script))
	}
	if s.OnRefusal == onRefusalGoOn {
		e.line("      a no is written down and does not stop it")
	}
	if effect, irreversible := Announced(e.script, s); effect != "" {
		e.line("      on the token: %s", strings.TrimSpace(effect))
		if irreversible != "" {
			e.line("      cannot be undone: %s", strings.TrimSpace(irreversible))
		}
	}
}

// facts are what is true in the world, a sentence each, in a fixed order.
func (w *World) facts() []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if w.Present != nil {
		say("present: %s", strings.Join(slices.Sorted(maps.Keys(w.Present)), ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(w.Tokens)) {
		t := w.Tokens[name]
		if t.Identified {
			say("token %s is known by its serial number", name)
		}
		if t.Initialised {
			say("token %s is initialised, with the label %q", name, t.Spec.Label)
		}
		for _, pin := range []struct{ name, state string }{{"SO-PIN", t.SOPIN}, {"user PIN", t.UserPIN}} {
			switch pin.state {
			case "factory":
				say("token %s has the factory's %s", name, pin.name)
			case "set":
				say("token %s has a %s of its own", name, pin.name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Keys)) {
		k := w.Keys[name]
		switch {
		case k.Exists:
			say("key %s (%s) exists on token %s", name, k.Spec.Algorithm, k.Spec.Token)
		case k.Destroyed:
			say("key %s is destroyed", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Files)) {
		f := w.Files[name]
		if f.Key == "" {
			say("%s exists: a %s that was brought", name, f.Object)
			continue
		}
		say("%s exists: a %s signed with key %s", name, f.Object, f.Key)
	}
	if w.Closed {
		say("the log is closed and sealed")
	}
	return all
}

func (e *explanation) requirements() {
	met, open := e.script.Met()
	e.head("What auditors ask, and where the script does it")
	for _, r := range Requirements() {
		switch {
		case r.Always:
			e.line("  %-4s %s (%s): always", r.ID, r.Asks, r.Source)
		case r.Approvals && e.script.Approvals != nil:
			e.line("  %-4s %s (%s): the approvals that the script asks for", r.ID, r.Asks, r.Source)
		case met[r.ID] != nil:
			e.line("  %-4s %s (%s): %s", r.ID, r.Asks, r.Source, numbers(met[r.ID]))
		}
	}
	e.head("What stays open")
	for _, r := range open {
		help := "a step of kind " + strings.Join(r.Kinds, " or ")
		if r.Outside != "" {
			help = "outside of keyrite: " + r.Outside
		}
		e.line("  %-4s %s (%s). %s", r.ID, r.Asks, r.Source, help)
	}
	if len(open) == 0 {
		e.line("  nothing of this list")
	}
	e.line("\nWhether a ceremony met a requirement is the auditor's opinion; this list says only what the script provides for.")
}

func numbers(list []int) string {
	word := "step "
	if len(list) > 1 {
		word = "steps "
	}
	return word + strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ", "), "[]")
}
