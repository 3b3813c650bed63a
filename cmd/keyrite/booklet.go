package main

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/steps"
)

// bookletFor is a script as the paper shows it: to everybody, or to the person
// with an id or a name.
func bookletFor(s *ceremony.Script, b []byte, who string) (transcript.Booklet, error) {
	paper := booklet(s, b)
	if who == "" {
		return paper, nil
	}
	var ids []string
	for i := range s.Participants {
		p := &s.Participants[i]
		if ids = append(ids, p.ID); p.ID == who || strings.EqualFold(p.Name, who) {
			paper.For = part(s, p)
			return paper, nil
		}
	}
	return paper, &exitError{exitUsage, fmt.Errorf("printing for %q: nobody in the script has this id or name; it has %s", who, strings.Join(ids, ", "))}
}

// part is what a person is in the ceremony, and holds.
func part(s *ceremony.Script, p *ceremony.Participant) *transcript.Part {
	you := &transcript.Part{Person: p.ID}
	for _, r := range p.Roles {
		you.Roles = append(you.Roles, transcript.Detail{Name: r, Value: ceremony.Roles[r].Does})
	}
	if p.AlternateFor != "" {
		you.Roles = append(you.Roles, transcript.Detail{Name: "alternate", Value: "you take the place of " + s.Shown(p.AlternateFor) + " if that one is absent at the roll call: the steps are then yours"})
	}
	for i := range s.Tokens {
		t := &s.Tokens[i]
		for _, kind := range []token.PINKind{token.SOPIN, token.UserPIN} {
			if pin := t.Held(kind); slices.Contains(pin.Custodians, p.ID) {
				you.Holds = append(you.Holds, fmt.Sprintf("%s of token %s: %s", kind, t.Name, s.HeldBy(pin)))
			}
		}
	}
	return you
}

// booklet is a script as the paper shows it to everybody.
func booklet(s *ceremony.Script, b []byte) transcript.Booklet {
	paper := transcript.Booklet{SHA256: sha256.Sum256(b), Initials: map[string]string{}, Rules: rules(s), Cover: transcript.Cover{
		Title: s.Title, Organisation: s.Organisation, Place: s.Place, Purpose: s.Purpose, Mode: s.Mode,
	}}
	for _, p := range s.Participants {
		paper.Initials[p.ID] = p.Initials
		roles := p.Roles
		if p.AlternateFor != "" {
			roles = append(slices.Clone(roles), "alternate for "+s.Shown(p.AlternateFor))
		}
		if p.WitnessKey != "" {
			roles = append(slices.Clone(roles), "witness key "+p.WitnessKey)
		}
		paper.Cover.Participants = append(paper.Cover.Participants, transcript.Participant{ID: p.ID, Name: p.Name, Roles: roles})
	}
	if a := s.Approvals; a != nil {
		paper.Approvals = a.Count
		for _, p := range a.Approvers {
			paper.Approvers = append(paper.Approvers, s.ApproverName(p.ID))
		}
	}
	w := inWords{s, ceremony.AskedBy(s)}
	for i := range s.Tokens {
		paper.Tokens = append(paper.Tokens, w.details(&s.Tokens[i]))
	}
	for i := range s.Keys {
		paper.Keys = append(paper.Keys, w.details(&s.Keys[i]))
	}
	for i := range s.Profiles {
		paper.Profiles = append(paper.Profiles, w.details(&s.Profiles[i]))
	}
	for i := range s.Steps {
		st := &s.Steps[i]
		step := bookletStep(w, st)
		paper.Brought = append(paper.Brought, brought(st.Kind, step.Details)...)
		if st.Kind == "materials" {
			for _, d := range step.Details {
				if d.Name == "items" || d.Name == "" {
					paper.Bags = append(paper.Bags, fmt.Sprintf("step %d: %s", i+1, d.Value))
				}
			}
		}
		step.Details = append(said(s, st), step.Details...)
		paper.Steps = append(paper.Steps, step)
	}
	return paper
}

func bookletStep(w inWords, st *ceremony.Step) transcript.BookletStep {
	step := transcript.BookletStep{
		Step: transcript.Step{ID: st.ID, Title: st.Title, Say: st.Say, Watch: st.Watch, Witnesses: st.Witnesses},
		Kind: st.Kind, Does: steps.Kinds()[st.Kind].Does, Actor: st.Actor, Details: w.details(st.Action), Duties: w.duties(st),
	}
	step.Effect, step.Irreversible = ceremony.Announced(w.script, st)
	return step
}

// rules are what holds for the whole ceremony.
func rules(s *ceremony.Script) (list []transcript.Detail) {
	if d := s.Deviations; d != nil && d.Approve != nil {
		list = append(list, transcript.Detail{Name: "a step left out", Value: "or done anew: the one who acts agrees, and it is approved by " + d.Approve.Words(s)})
	}
	if s.AllowExposedKeys {
		list = append(list, transcript.Detail{Name: "witness keys", Value: "may be unlocked on the ceremony machine; such a key then counts as exposed to it"})
	}
	return list
}

// said is what a step asks of people besides acting and watching.
func said(s *ceremony.Script, st *ceremony.Step) (list []transcript.Detail) {
	if st.Approve != nil {
		list = append(list, transcript.Detail{Name: "Approved by", Value: st.Approve.Words(s)})
	}
	if st.OnRefusal != "" {
		list = append(list, transcript.Detail{Name: "After a no", Value: map[string]string{"stop": "the step stops", "continue": "it is written down and the step goes on"}[st.OnRefusal]})
	}
	if st.Acknowledge != "" {
		list = append(list, transcript.Detail{Name: "Typed is", Value: "the word " + st.Acknowledge + ", in place of initials"})
	}
	return list
}

// brought are the files that a step reads from a medium.
func brought(kind string, details []transcript.Detail) (files []string) {
	from := map[string]string{"sign-csr": "csr", "key-identify": "certificate", "sign-file": "file"}[kind]
	for _, d := range details {
		if d.Name == named(from) {
			files = append(files, d.Value)
		}
	}
	return files
}
