package ceremony

import (
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// Use says whether a PIN is the current one or becomes the new one.
type Use string

// The uses of a PIN.
const (
	Current Use = "current"
	New     Use = "new"
)

// accepted is the result of an entry about a secret that was taken.
const accepted = "accepted"

// PIN asks for a PIN of the token, in the way that the script says: one
// custodian, or several with a part or share each that are joined in memory; a
// new one of which people hold shares is made here, and they get theirs. Nothing is
// echoed; what is new is typed twice. The form of each part and of the whole is
// checked before the PIN is returned, so that a slip of the finger costs no try.
// The caller wipes it.
//
// An SO-PIN that this ceremony has not set yet, on a token that comes with a
// factory PIN or none, is nobody's own: the first custodian types it alone.
func (t *Token) PIN(kind token.PINKind, use Use) (token.PIN, error) {
	spec := t.asked(kind, use)
	if len(spec.Custodians) == 0 {
		return token.PIN{}, fmt.Errorf("the script does not say who enters the %s of token %q", kind, t.Name)
	}
	if spec.Way == Shares && use == Current {
		return t.collect(spec, kind)
	}
	if err := t.s.Here(spec.Custodians...); err != nil {
		return token.PIN{}, err
	}
	switch spec.Way {
	case Halves:
		return t.halves(spec, kind, use)
	case Shares:
		return t.deal(spec, kind)
	}
	form, check := t.pinForm(kind, use)
	return t.typed(typing{
		person: spec.Custodians[0], kind: kind, use: use, check: check,
		question: fmt.Sprintf("The %s %s of %s: %s", use, kind, t.Name, form.Words),
		again:    fmt.Sprintf("The new %s again", kind),
	})
}

// asked returns who enters a PIN now, and how.
func (t *Token) asked(kind token.PINKind, use Use) PINSpec {
	held := t.Spec.Held(kind)
	held.Custodians = t.s.whos(held.Custodians)
	if kind != token.SOPIN || use == New || t.heldBefore() || t.s.State().PINSet(t.Name, kind) {
		return held
	}
	return held.first()
}

// heldBefore reports whether the token came with an SO-PIN of its custodians' own.
func (t *Token) heldBefore() bool {
	for i := range t.s.r.Script.Steps {
		if a, ok := t.s.r.Script.Steps[i].Action.(initialiser); ok && a.InitialisesToken() == t.Name {
			return a.HeldSOPIN()
		}
	}
	return true
}

func (t *Token) pinForm(kind token.PINKind, use Use) (token.PINForm, func(token.PIN) error) {
	if use == New {
		return t.Model.Rule(kind).New, func(p token.PIN) error { return t.Model.CheckNew(kind, p) }
	}
	return t.Model.Rule(kind).InUse, func(p token.PIN) error { return t.Model.CheckForm(kind, p) }
}

// halves asks each custodian for their part and joins them. What is wrong with
// the whole is said to both, and both begin again.
func (t *Token) halves(spec PINSpec, kind token.PINKind, use Use) (token.PIN, error) {
	_, check := t.pinForm(kind, use)
	for {
		pin, err := t.joined(spec, kind, use)
		if err != nil {
			return token.PIN{}, err
		}
		wrong := check(pin)
		if wrong == nil {
			return pin, nil
		}
		pin.Wipe()
		for i, person := range spec.Custodians {
			d := t.entered(person, kind, use, partName(i, len(spec.Custodians)))
			d.Result = "joined with the other part: " + wrong.Error()
			if _, err := t.s.Record(d); err != nil {
				return token.PIN{}, err
			}
		}
		t.s.Show(room.Warning{Text: "The parts were joined and not sent to the token: " + wrong.Error() + ". Both parts are typed again."})
	}
}

func (t *Token) joined(spec PINSpec, kind token.PINKind, use Use) (token.PIN, error) {
	var parts []token.PIN
	defer func() {
		for i := range parts {
			parts[i].Wipe()
		}
	}()
	whole, _ := t.pinForm(kind, use)
	n := len(spec.Custodians)
	for i, person := range spec.Custodians {
		form, name := whole.Part(i, n), partName(i, n)
		part, err := t.typed(typing{
			person: person, kind: kind, use: use, part: name,
			check: func(p token.PIN) error {
				if form.Fits(p) {
					return nil
				}
				return fmt.Errorf("the part of %s must be %s", t.s.r.Script.Shown(person), form.Words)
			},
			question: fmt.Sprintf("Part %s of the %s %s of %s: %s. Only %s looks at the keyboard now.", name, use, kind, t.Name, form.Words, t.s.r.Script.Shown(person)),
			again:    fmt.Sprintf("Part %s of the new %s again", name, kind),
		})
		if err != nil {
			return token.PIN{}, err
		}
		parts = append(parts, part)
	}
	return token.Join(parts...), nil
}

func partName(i, n int) string { return fmt.Sprintf("%d of %d", i+1, n) }

// A typing is a secret, or a part of one, that one person types.
type typing struct {
	person          string
	kind            token.PINKind
	use             Use
	part            string // "1 of 2"; "" for the whole
	question, again string
	check           func(token.PIN) error // what is wrong with it, never how it is
}

func (t *Token) entered(person string, kind token.PINKind, use Use, part string) *audit.Secret {
	return &audit.Secret{Person: person, Secret: kind.String(), Use: string(use), Token: t.Name, Part: part, Result: accepted}
}

// typed asks until what is typed is accepted, and records each try.
func (t *Token) typed(y typing) (token.PIN, error) {
	for {
		pin, refused, err := t.typedOnce(y)
		if err != nil {
			return token.PIN{}, err
		}
		d := t.entered(y.person, y.kind, y.use, y.part)
		if refused != "" {
			d.Result = refused
		}
		_, err = t.s.Record(d)
		if err == nil && refused == "" {
			return pin, nil
		}
		pin.Wipe()
		if err != nil {
			return token.PIN{}, err
		}
		t.s.Show(room.Warning{Text: "This was not sent to the token: " + refused + "."})
	}
}

func (t *Token) typedOnce(y typing) (pin token.PIN, refused string, err error) {
	what := short(y.kind) + "-" + string(y.use)
	pin, err = t.s.secret(y.person, what, y.question)
	if err != nil {
		return pin, "", err
	}
	if err := y.check(pin); err != nil {
		return pin, err.Error(), nil
	}
	if y.use != New {
		return pin, "", nil
	}
	again, err := t.s.secret(y.person, what, y.again)
	defer again.Wipe()
	switch {
	case err != nil:
		pin.Wipe()
		return token.PIN{}, "", err
	case pin.Equal(again):
		return pin, "", nil
	case y.part != "":
		return pin, fmt.Sprintf("the two entries of %s's part differ", t.s.r.Script.Shown(y.person)), nil
	}
	return pin, "the two entries differ", nil
}

// short is a PIN's name in the keys of prompts.
func short(kind token.PINKind) string {
	return map[token.PINKind]string{token.SOPIN: "so-pin", token.UserPIN: "user-pin"}[kind]
}

func (s *Session) secret(person, what, question string) (token.PIN, error) {
	return s.askSecret(s.prompt(person, what, question))
}

func (s *Session) askSecret(p room.Prompt) (token.PIN, error) {
	for {
		pin, err := s.r.Room.Secret(p)
		switch {
		case errors.Is(err, room.ErrMistyped):
			s.Show(room.Warning{Text: err.Error() + ". Nothing was sent to the token; please type it again."})
		case errors.Is(err, room.ErrInterrupted) && !s.writable():
			return token.PIN{}, &Stop{Reason: "the room stopped at a question that the log has no place for"}
		case errors.Is(err, room.ErrInterrupted):
			if err := s.menu(); err != nil {
				return token.PIN{}, err
			}
			if err := s.stayed(p); err != nil {
				return token.PIN{}, err
			}
		case err != nil:
			return token.PIN{}, gone(err)
		default:
			return pin, nil
		}
	}
}
