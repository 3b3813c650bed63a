package ceremony

import (
	"fmt"
	"slices"

	"github.com/keyrite/keyrite/internal/strictyaml"
	"github.com/keyrite/keyrite/internal/token"
)

// A World is the model of the world that a script is checked against: what
// would be true at a point of the ceremony if all went as written. Steps look
// at it and change it in [Action.Check].
type World struct {
	Script  *Script
	Step    *Step           // the step being simulated
	Present map[string]bool // participants called at the roll call; nil before one
	Tokens  map[string]*TokenState
	Keys    map[string]*KeyState
	Files   map[string]FileState // artifacts by name
	CRLs    map[string]bool      // keys that have issued a CRL
	Subs    map[string]bool      // keys that have issued the certificate of another CA
	Closed  bool
	Clock   bool // the clocks were compared

	report func(path, what string) // set by Simulate
	asked  Asked                   // of the steps so far
}

// Asked is what steps ask of people besides acting and witnessing, as told to
// them ("type the user PIN of token hsm"): by step, then by participant.
type Asked map[string]map[string][]string

// Asks notes that the current step asks something of a participant.
func (w *World) Asks(person, what string) {
	of := w.asked[w.Step.ID]
	if of == nil {
		of = map[string][]string{}
		w.asked[w.Step.ID] = of
	}
	if !slices.Contains(of[person], what) {
		of[person] = append(of[person], what)
	}
}

// Call notes that a roll call calls a participant, and what it asks of them.
// adopt says that it asks witnesses for keys that are not in the script.
func (w *World) Call(id string, adopt bool) {
	if w.Present == nil {
		w.Present = map[string]bool{}
	}
	w.Present[id] = true
	p := w.Script.Participant(id)
	if p == nil {
		return
	}
	w.Asks(id, "answer when you are called, and show an identity document")
	switch {
	case p.WitnessKey != "":
		w.Asks(id, "compare the witness key on the screen with your own")
	case adopt && p.IsWitness():
		w.Asks(id, "bring a verifier key of your own, or say that you have none")
	}
	if p.WitnessKey == "" && slices.ContainsFunc(w.Script.rules(), func(a *Approve) bool { return a.means(p) }) {
		w.Asks(id, "set a passphrase with which you approve, unless you have a key")
	}
}

// AskedBy walks through a sound script's steps on the model of the world and
// returns what they ask of people.
func AskedBy(s *Script) Asked {
	w := NewWorld(s)
	for i := range s.Steps {
		w.Step = &s.Steps[i]
		w.Step.Action.Check(w)
	}
	return w.asked
}

// A TokenState is what the model knows of a token.
type TokenState struct {
	Spec        *TokenSpec
	Identified  bool // token-identify has bound it by serial
	Initialised bool
	SOPIN       string // "factory", "set" or "" (unknown)
	UserPIN     string // "factory", "set" or ""

	Shares   int // of the DKEK that a step of the script gives it; 0 if none does
	Imported int // of them, by now

	Made map[token.PINKind]bool // PINs that a step of the script has set by now

	blank bool // a step of the script initialises it
}

// ComesBlank reports whether a step of the script initialises the token: it then
// holds nothing from before.
func (t *TokenState) ComesBlank() bool { return t.blank }

// Asked returns those who enter a PIN of the token now: a factory SO-PIN, or a
// first one, is entered by the first custodian alone.
func (t *TokenState) Asked(kind token.PINKind) PINSpec {
	held := t.Spec.Held(kind)
	if kind == token.SOPIN && t.SOPIN != "set" {
		return held.first()
	}
	return held
}

// An initialiser is an Action that initialises a token, and knows whether the
// SO-PIN was its custodians' own before.
type initialiser interface {
	InitialisesToken() string
	HeldSOPIN() bool
}

// A KeyState is what the model knows of a key.
type KeyState struct {
	Spec   *KeySpec
	Exists bool
	Cert   string // artifact with its certificate, "" if none yet
	CA     bool   // it signs certificates or CRLs
	Files  bool   // it signs files

	Destroyed bool // a step destroys it
}

// A FileState is what the model knows of an artifact.
type FileState struct {
	Object string // "certificate", "crl", …
	Step   string // id of the step that makes it
	Key    string // issuer's key
}

// NewWorld returns the world before the first step.
func NewWorld(s *Script) *World {
	w := &World{
		Script: s,
		Tokens: map[string]*TokenState{},
		Keys:   map[string]*KeyState{},
		Files:  map[string]FileState{},
		CRLs:   map[string]bool{},
		Subs:   map[string]bool{},
		report: func(string, string) {},
		asked:  Asked{},
	}
	for i := range s.Tokens {
		w.Tokens[s.Tokens[i].Name] = &TokenState{Spec: &s.Tokens[i], Made: map[token.PINKind]bool{}}
	}
	for i := range s.Steps {
		if a, ok := s.Steps[i].Action.(initialiser); ok && w.Tokens[a.InitialisesToken()] != nil {
			w.Tokens[a.InitialisesToken()].blank = true
		}
	}
	for _, t := range w.Tokens {
		// A token that no step initialises comes ready for use.
		if t.Initialised = !t.blank; t.Initialised {
			t.SOPIN, t.UserPIN = "set", "set"
		}
	}
	for i := range s.Keys {
		w.Keys[s.Keys[i].Name] = &KeyState{Spec: &s.Keys[i]}
	}
	return w
}

// Problem reports that the current step is impossible here. field is the
// step's field at fault ("token", "files[0]" with items counted from 0), or ""
// for the step as a whole.
func (w *World) Problem(field, format string, args ...any) {
	w.report(strictyaml.Below(w.Step.Path, field), fmt.Sprintf(format, args...))
}
