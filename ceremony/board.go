package ceremony

import (
	"fmt"
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// What a room can keep in view: how far the ceremony is, the log's head, the
// tokens. It follows from the entries as they are written, and decides nothing.

// showCeremony tells the room what is held and how far it is.
func (r *Runner) showCeremony() {
	m := room.Ceremony{Title: r.Script.Title, Place: r.Script.Place, Rehearsal: r.Mode == Rehearsal}
	for i := range r.Script.Steps {
		step := &r.Script.Steps[i]
		m.Plan = append(m.Plan, room.PlanStep{Title: step.Title, Result: r.state.Step(step.ID).Result})
	}
	r.Room.Show(m)
}

// board shows what an entry changes of what stays in view.
func (r *Runner) board(e *audit.Entry, durable bool) {
	if out, ok := e.Data.(*audit.HSMOutcome); ok && out.RV == "CKR_OK" {
		r.boardToken(out)
	} else if ok && out.Status != "" {
		r.boardCard()
	}
	if durable {
		r.boardHead()
	}
}

func (r *Runner) boardHead() {
	root := r.log.Root()
	r.Room.Show(room.LogState{Size: r.log.Size(), Head: root.String(), In: audit.Words(root[:])})
}

// boardToken follows what a call says of a token, or changes about who is
// logged in.
func (r *Runner) boardToken(out *audit.HSMOutcome) {
	switch out.Function {
	case string(token.Login):
		in := r.state.intents[out.Intent]
		if in == nil {
			return
		}
		r.seen.User = "user"
		if in.User == token.SO.Name() {
			r.seen.User = "SO"
		}
	case string(token.Logout), string(token.CloseAllSessions), string(token.Finalize):
		r.seen.User = ""
	default:
		if out.Token == nil {
			return
		}
		spec := r.tokenSeen(out.Token)
		if spec == nil {
			return
		}
		r.seen.Name, r.seen.Label, r.seen.Serial = spec.Name, out.Token.Label, out.Token.Serial
		r.seen.PINs = r.triesLeft(spec, out.Token)
	}
	if r.seen.Name != "" {
		r.Room.Show(r.seen)
	}
}

// boardCard follows what a card has told of its PINs.
func (r *Runner) boardCard() {
	spec := r.Script.Token(r.seen.Name)
	if spec == nil {
		return
	}
	before := r.seen.PINs
	r.seen.PINs = nil
	for i, kind := range pinKinds {
		p := room.PINState{Name: kind.String()}
		if i < len(before) {
			p = before[i]
		}
		r.seen.PINs = append(r.seen.PINs, r.cardTold(spec, r.seen.Serial, kind, p))
	}
	if !slices.Equal(before, r.seen.PINs) {
		r.Room.Show(r.seen)
	}
}

// cardTold is what the board shows of a PIN where the card itself has told the
// number, else p.
func (r *Runner) cardTold(spec *TokenSpec, serial string, kind token.PINKind, p room.PINState) room.PINState {
	a, most := r.state.ledger.Account(serial, kind.String()), r.model(spec).Rule(kind).Tries
	if a.Seen < 0 || a.Unsure {
		return p
	}
	p.Tries, p.Alarm = fmt.Sprintf("%d tries left (of %d)", a.Left, max(most, a.Left)), a.Left < most || a.Unexplained != 0
	switch a.Left {
	case 0:
		p.Tries = "LOCKED"
	case 1:
		p.Tries = fmt.Sprintf("ONE TRY LEFT (of %d)", most)
	}
	return p
}

// tokenSeen is the token of the script that told of itself, nil if it is none
// of them.
func (r *Runner) tokenSeen(info *audit.TokenInfo) *TokenSpec {
	for i := range r.Script.Tokens {
		spec := &r.Script.Tokens[i]
		if known := r.state.Tokens[spec.Name]; known != nil && known.Info.Serial != "" {
			if known.Info.Serial == info.Serial {
				return spec
			}
			continue
		}
		if spec.Serial == info.Serial || r.model(spec).Labelled(token.TokenInfo{Label: info.Label}, spec.Label) || len(r.Script.Tokens) == 1 {
			return spec
		}
	}
	return nil
}

// triesLeft says what a token's flags and the log tell of the tries left.
func (r *Runner) triesLeft(spec *TokenSpec, info *audit.TokenInfo) []room.PINState {
	flags, m := flagsOf(info.Flags), r.model(spec)
	var list []room.PINState
	for _, kind := range pinKinds {
		tries := m.Tries(kind, flags)
		p := room.PINState{Name: kind.String(), Tries: "tries not told", Alarm: tries > token.TriesAll}
		most := m.Rule(kind).Tries
		switch tries {
		case token.TriesAll:
			p.Tries = "all tries left"
		case token.TriesLow:
			p.Tries = "not all tries left"
		case token.TriesLast:
			p.Tries = "ONE TRY LEFT"
		case token.TriesNone:
			p.Tries = "LOCKED"
		}
		if wrong := r.state.WrongTries(info.Serial, kind); wrong > 0 && tries != token.TriesNone {
			p.Tries, p.Alarm = fmt.Sprintf("%s, %d wrong here", p.Tries, wrong), true
		}
		if most > 0 && tries != token.TriesNone {
			p.Tries += fmt.Sprintf(" (of %d)", most)
		}
		list = append(list, r.cardTold(spec, info.Serial, kind, p))
	}
	return list
}

// flagsOf is the inverse of token.TokenFlags.
func flagsOf(names []string) (flags uint) {
	for bit := range 32 {
		if flag := uint(1) << bit; slices.ContainsFunc(token.TokenFlags(flag), func(n string) bool { return slices.Contains(names, n) }) {
			flags |= flag
		}
	}
	return flags
}
