package main

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/strictyaml"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/pdf"
	"github.com/keyrite/keyrite/steps"
)

func (p *program) printCommand() *cli.Command {
	return &cli.Command{
		Name:      "print",
		Usage:     "print a script as a booklet for everybody in the room",
		ArgsUsage: "FILE",
		Description: "A cover with the script's hash, the people and the materials, then a box for each\n" +
			"step with blanks for time and initials. The same script gives the same PDF.\n\nExample:\n" +
			"   keyrite print root-ca.yaml -o root-ca.pdf",
		Flags: []cli.Flag{&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, which must not exist", Required: true},
			&cli.BoolFlag{Name: "large", Usage: "large print: the same pages on A3"}},
		Action: func(c *cli.Context) error {
			list, err := args(c, 1, 1, "one script file")
			if err != nil {
				return err
			}
			s, b, err := p.readScript(list[0])
			if err != nil {
				return err
			}
			paper := booklet(s, b)
			out, err := pdf.Booklet(transcript.ComposeBooklet(paper), s.Title, paper.SHA256, c.Bool("large"))
			if err != nil {
				return err
			}
			return p.output(c.String("output"), out)
		},
	}
}

// booklet is a script as the paper shows it.
func booklet(s *ceremony.Script, b []byte) transcript.Booklet {
	paper := transcript.Booklet{SHA256: sha256.Sum256(b), Initials: map[string]string{}, Cover: transcript.Cover{
		Title: s.Title, Organisation: s.Organisation, Place: s.Place, Purpose: s.Purpose, Mode: s.Mode,
	}}
	for _, p := range s.Participants {
		paper.Initials[p.ID] = p.Initials
		roles := p.Roles
		if p.AlternateFor != "" {
			roles = append(slices.Clone(roles), "alternate for "+s.Shown(p.AlternateFor))
		}
		paper.Cover.Participants = append(paper.Cover.Participants, transcript.Participant{ID: p.ID, Name: p.Name, Roles: roles})
	}
	if a := s.Approvals; a != nil {
		paper.Approvals = a.Count
		for _, p := range a.Approvers {
			paper.Approvers = append(paper.Approvers, s.ApproverName(p.ID))
		}
	}
	for i := range s.Tokens {
		paper.Tokens = append(paper.Tokens, details(&s.Tokens[i]))
	}
	for i := range s.Keys {
		paper.Keys = append(paper.Keys, details(&s.Keys[i]))
	}
	kinds := steps.Kinds()
	for i := range s.Steps {
		st := &s.Steps[i]
		step := transcript.BookletStep{
			Step: transcript.Step{ID: st.ID, Title: st.Title, Say: st.Say, Watch: st.Watch, Witnesses: st.Witnesses},
			Kind: st.Kind, Does: kinds[st.Kind].Does, Actor: st.Actor, Details: details(st.Action),
		}
		paper.Brought = append(paper.Brought, brought(st.Kind, step.Details)...)
		step.Details = append(said(s, st), step.Details...)
		step.Effect, step.Irreversible = ceremony.Announced(s, st)
		paper.Steps = append(paper.Steps, step)
	}
	return paper
}

// said is what a step asks of people besides acting and watching.
func said(s *ceremony.Script, st *ceremony.Step) (list []transcript.Detail) {
	if st.Approve != nil {
		list = append(list, transcript.Detail{Name: "Approved by", Value: st.Approve.Words(s)})
	}
	if st.OnRefusal != "" {
		list = append(list, transcript.Detail{Name: "After a no", Value: map[string]string{"stop": "the step stops", "continue": "it is written down and the step goes on"}[st.OnRefusal]})
	}
	return list
}

// brought are the files that a step reads from a medium.
func brought(kind string, details []transcript.Detail) (files []string) {
	from := map[string]string{"sign-csr": "csr", "key-identify": "certificate", "sign-file": "file"}[kind]
	for _, d := range details {
		if d.Name == from {
			files = append(files, d.Value)
		}
	}
	return files
}

// details are the fields of a part of the script that are set, by their names
// there.
func details(of any) []transcript.Detail {
	v := reflect.Indirect(reflect.ValueOf(of))
	var list []transcript.Detail
	for _, f := range strictyaml.Fields(v.Type()) {
		value := f.Of(v)
		if value.IsZero() {
			continue
		}
		text := fmt.Sprint(value.Interface())
		if s, ok := value.Interface().([]string); ok {
			text = strings.Join(s, ", ")
		}
		list = append(list, transcript.Detail{Name: f.Name, Value: text})
	}
	return list
}
