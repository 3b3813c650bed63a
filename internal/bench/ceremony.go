package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/keyfile"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/room/answers"
	"github.com/keyrite/keyrite/internal/room/plain"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/p11"
	"github.com/keyrite/keyrite/internal/token/softhsm"
	kinds "github.com/keyrite/keyrite/steps"
	"github.com/keyrite/keyrite/templates"
)

// A size says how large a ceremony is; the zero size is the one of the
// template root-ca as it stands.
type size struct{ people, steps, deviations int }

// longest is the ceremony that a transcript must still serve: a dozen people, a
// long day, and much that was not as the script says.
var longest = size{people: 12, steps: 150, deviations: 40}

// held holds a ceremony of a size to its end in dir: the root ceremony of the
// templates, with more people and steps, on a SoftHSM2 token of its own, with
// people who answer from a list. It returns the bundle's folder.
func (z size) held(dir string) (string, error) {
	script, list, err := z.script()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "answers.yaml")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		return "", err
	}
	parsed, problems := ceremony.ParseAndCheck("script.yaml", script, kinds.Kinds())
	if len(problems) > 0 {
		return "", problems
	}
	a, err := answers.Load(file)
	if err != nil {
		return "", err
	}
	lib, err := tokenIn(filepath.Join(dir, "token"))
	if err != nil {
		return "", err
	}
	to := filepath.Join(dir, "bundle")
	if err := os.Mkdir(to, 0o755); err != nil {
		return "", err
	}
	c := rehearsal(parsed, script, lib)
	c.Dir, c.Media, c.Room = to, dir, answers.New(plain.NewScreen(io.Discard, false, 100), a)
	return to, runToEnd(c)
}

// runToEnd starts a ceremony with a store of its own and goes to its end.
func runToEnd(c ceremony.Config) (err error) {
	store, err := sqlite.Create(filepath.Join(c.Dir, bundle.DatabaseFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	c.Store = store
	r, err := ceremony.Start(c)
	if err != nil {
		return err
	}
	return r.Run()
}

// tokenIn lays a SoftHSM2 token out in dir and opens the module on it.
func tokenIn(dir string) (*p11.Module, error) {
	conf, err := softhsm.Provision(dir)
	if err != nil {
		return nil, err
	}
	if err := os.Setenv(softhsm.ConfigEnv, conf); err != nil {
		return nil, err
	}
	path, err := softhsm.Module()
	if err != nil {
		return nil, err
	}
	return p11.Open(path)
}

// rehearsal is what a run needs besides its folders, its room and its store.
func rehearsal(s *ceremony.Script, script []byte, lib *p11.Module) ceremony.Config {
	program := audit.Program{Version: "bench", Go: runtime.Version(), Platform: runtime.GOOS, SHA256: strings.Repeat("0", 64)}
	module := audit.File{Name: lib.Path(), SHA256: lib.SHA256(), Size: lib.Size()}
	return ceremony.Config{
		Script: s, ScriptBytes: script, Mode: ceremony.Rehearsal, Stand: true,
		Paper: paper.Paper{}, Now: time.Now, Sleep: time.Sleep, Rand: rand.Reader, Program: program, UnlockKey: keyfile.Unlock,
		Model: func(spec *ceremony.TokenSpec) *token.Model {
			m := token.Models["softhsm2"].WithPINRulesOf(token.Models[spec.Model])
			return &m
		},
		Open: func() (token.Module, audit.File, error) { return lib, module, nil },
		Machine: ceremony.Machine{
			Environment: func() (*audit.Environment, error) {
				return &audit.Environment{Program: program, Module: module, Interfaces: []audit.Interface{}, CoreLimit: "0/0"}, nil
			},
			Devices: func(string) ([]audit.Device, error) { return nil, nil },
		},
	}
}

// moreRoles are those of the people who come besides the five of the template.
var moreRoles = []string{"security-officer", "safe-controller", "recovery-holder", "crypto-officer", "internal-witness", "safe-controller", "external-witness"}

// script returns the script of a ceremony of this size, and the answers of its
// people.
func (z size) script() (script, list []byte, err error) {
	if script, err = templates.Ceremonies.ReadFile("ceremonies/root-ca.yaml"); err != nil {
		return nil, nil, err
	}
	if list, err = templates.Ceremonies.ReadFile("ceremonies/root-ca.answers.yaml"); err != nil || z == (size{}) {
		return script, list, err
	}
	const people, end = "\ntokens:\n", "\n  - id: deviations\n"
	was := bytes.Count(script, []byte("\n    kind: "))
	var guests, added, said strings.Builder
	for i := range z.people - 5 {
		fmt.Fprintf(&guests, "  - id: guest-%d\n    name: Example Guest %d\n    initials: G%c\n    roles: [%s]\n", i+1, i+1, 'A'+rune(i), moreRoles[i%len(moreRoles)])
	}
	for i := range z.steps - was {
		added.WriteString(z.step(i))
		if i < z.deviations {
			fmt.Fprintf(&said, "  %q: [\"!\", \"@initials\"]\n", more(i)+"/seen/witness-1")
			fmt.Fprintf(&said, "  %q: \"Step %d with the object named on the list, in its place, at the time foreseen.\"\n", more(i)+"/expected/*", i+1)
			fmt.Fprintf(&said, "  %q: %q\n", more(i)+"/happened/*", happenings[i%len(happenings)])
			fmt.Fprintf(&said, "  %q: \"Written down; we go on, and the auditor looks at it after the ceremony.\"\n", more(i)+"/decided/*")
		}
	}
	said.WriteString("  \"*/menu/*\": \"deviation\"\n  \"*/deviation/*\": \"@initials\"\n  \"*/id/*\": \"IMG-0042\"\n  \"*/time-code/*\": \"01:02:03\"\n  \"*/bag/*\": \"@word\"\n  \"*/takes/*\": \"@initials\"\n")
	s := strings.Replace(string(script), people, "\n"+guests.String()+strings.TrimPrefix(people, "\n"), 1)
	s = strings.Replace(s, end, "\n"+added.String()+strings.TrimPrefix(end, "\n"), 1)
	return []byte(s), append(list, said.String()...), nil
}

var happenings = []string{
	"The bag had the number B-2041 and not the one on the list; the seal was whole.",
	"Two people had to leave the room for a fire drill that nobody had announced, and came back after eleven minutes.",
	"The witness read the line aloud twice.",
	"The lamp over the table failed. The step was held by the light of the corridor until it was changed; nobody touched the token meanwhile, and the camera went on recording all the time.",
}

func more(i int) string { return fmt.Sprintf("more-%d", i+1) }

// step is one more step: mostly things that are said, shown or looked at, and
// now and then a list that the root key signs.
func (z size) step(i int) string {
	second := "witness-2"
	if z.people > 5 && i%3 > 0 {
		second = fmt.Sprintf("guest-%d", i%min(3, z.people-5)+1)
	}
	kind, title, fields := "statement", "Read out what comes next", "    text: >-\n      The next part is held as the last one was. Whoever has left the table comes\n      back now, and whoever sees anything that is not as the script says, says so.\n"
	switch i % 10 {
	case 1:
		kind, title, fields = "evidence", "Photograph the table", "    form: photo\n    shows: the table with everything on it\n    by: witness-2\n"
	case 3:
		kind, title, fields = "token-inventory", "Look at the token", "    token: hsm\n    expect: keys\n    login: true\n"
	case 5:
		kind, title, fields = "materials", "Open the next bags", fmt.Sprintf("    way: in\n    items:\n      - {name: sheet %d, bag: \"A-%04d\"}\n      - {name: card %d, bag: \"B-%04d\"}\n    reader: witness-1\n    typist: witness-2\n", i, i, i, i)
	case 7:
		kind, title, fields = "custody", "Take the things away", "    items:\n      - {item: sheet, holder: witness-1, place: safe 1}\n      - {item: card, holder: witness-2, place: safe 2}\n"
	case 9:
		if i%20 == 19 {
			kind, title, fields = "sign-crl", "Sign the next list", fmt.Sprintf("    key: root\n    issuer: root.pem\n    profile: root-crl\n    number: %d\n    file: root-%d.crl.pem\n", 2+i/20, 2+i/20)
		}
	}
	return fmt.Sprintf("  - id: %s\n    kind: %s\n    title: %s, %d\n    actor: %s\n    witnesses: [witness-1, %s]\n%s    say: The administrator says what is done now, and why.\n    watch: That it is done as it was said.\n\n",
		more(i), kind, title, i+1, map[bool]string{true: "user-custodian", false: "administrator"}[kind == "sign-crl"], second, fields)
}
