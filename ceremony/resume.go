package ceremony

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu"
)

// Resume goes on with a ceremony that paused or broke off: from its log alone,
// with a new log key. A log that is closed already gets its missing files; then
// the Runner is nil.
func Resume(c Config) (*Runner, error) {
	if err := bundle.RemoveUnfinished(c.Dir); err != nil {
		return nil, &Failure{Err: err}
	}
	state, entries, err := ReadLog(c.Store)
	if err != nil {
		return nil, err
	}
	if got := FileOf(bundle.ScriptFile, c.ScriptBytes); got != state.Open.Script {
		return nil, fmt.Errorf("%s is %w (its SHA-256 is %s, the log says %s)", bundle.ScriptFile, ErrOtherScript, got.SHA256, state.Open.Script.SHA256)
	}
	c.Mode = state.Open.Mode
	r := &Runner{Config: c, state: state}
	if state.Closed {
		if err := r.finish(entries); err != nil || !state.Aborted {
			return nil, err
		}
		return nil, &Stop{Abort: true, Reason: "it was given up before the break"}
	}
	if err := r.newSegment(); err != nil {
		if r.key != nil {
			r.key.Wipe()
		}
		return nil, err
	}
	return r, nil
}

// newSegment opens the next segment with a key of its own.
func (r *Runner) newSegment() error {
	r.showCeremony()
	head, err := r.Store.Head()
	if err != nil {
		return err
	}
	disk, _, err := audit.Cosignatures(head)
	if err != nil {
		return err
	}
	reason := "break"
	if r.state.Paused {
		reason = "pause"
	}
	compared, err := r.compareHead(disk.Size, disk.Root, reason)
	if err != nil {
		return err
	}
	key, err := audit.NewLogKey(r.state.Open.Origin, r.Rand)
	if err != nil {
		return err
	}
	log, err := audit.Reopen(audit.Config{Store: r.Store, Key: key, Origin: r.state.Open.Origin, Now: r.Now, Rand: r.Rand})
	if err != nil {
		return err
	}
	r.log, r.key = log, key
	d := &audit.SegmentOpen{Segment: r.state.Segment + 1, LogKey: key.VerifierKey(), Checkpoint: string(head), Reason: reason, Program: r.Program}
	size, root, inUse := log.Size(), log.Root(), r.state.InUse
	if _, err := r.record("", d, true); err != nil {
		return err
	}
	if err := r.writeKey(); err != nil {
		return err
	}
	if err := r.restoreKeys(); err != nil {
		return err
	}
	if err := r.restoreApprovals(); err != nil {
		return err
	}
	if err := r.adopt(size, root, compared); err != nil {
		return r.leave(err)
	}
	if err := r.sayFirst(); err != nil {
		return err
	}
	if inUse {
		if err := r.leftOpen(); err != nil {
			return r.leave(err)
		}
	}
	if err := r.settle(); err != nil {
		return r.leave(err)
	}
	if err := r.lookAgain(); err != nil {
		return r.leave(err)
	}
	return nil
}

// leftOpen records that the segment before ended while the module was in use:
// what leaves a token is called even when it cannot be recorded.
func (r *Runner) leftOpen() error {
	r.state.InUse = false
	d := &audit.Result{
		Name:  "calls that may be missing in this log",
		Value: "the segment before ended with the module in use: C_Logout, C_CloseSession, C_CloseAllSessions and C_Finalize may have been called after its last entry",
	}
	r.Room.Show(room.Fact{Name: d.Name, Value: d.Value})
	_, err := r.record("", d, true)
	return err
}

// restoreKeys writes verifier key files that a break kept from being written.
func (r *Runner) restoreKeys() error {
	keys := map[string]string{}
	for i, vkey := range r.state.LogKeys {
		keys[bundle.LogKeyFile(i)] = vkey
	}
	for person, k := range r.state.WitnessKeys {
		keys[bundle.WitnessKeyFile(person)] = k.Key
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		if _, err := os.Stat(filepath.Join(r.Dir, filepath.FromSlash(name))); err == nil {
			continue
		}
		if err := bundle.WriteNew(r.Dir, name, []byte(keys[name]+"\n")); err != nil {
			return &Failure{Err: err}
		}
	}
	return nil
}

// outside is a session for what happens between steps: its entries belong to
// no step, its prompts are found under the name.
func (r *Runner) outside(name string) *Session {
	actor := r.Script.Participants[0].ID
	for _, p := range r.Script.Participants {
		if hasRole(&p, administrator, "operator") && (!r.state.RollCall || r.state.Here(p.ID)) {
			actor = p.ID
			break
		}
	}
	return &Session{r: r, Step: &Step{ID: name, Title: name, Actor: actor, outside: true}}
}

// adopt has the room take up the log as it was compared, say who held the
// token, and read the new log key aloud.
func (r *Runner) adopt(size int64, root audit.Hash, c *comparison) error {
	s := r.outside("resume")
	r.Room.Show(room.Text{Text: "A new key signs from here on. The time since the last entry was not observed by this log."})
	r.Room.Show(room.Fact{Name: "head on disk", Value: root.String(), Big: true})
	r.Room.Show(room.Fact{Name: "in words", Value: words(root[:]), Big: true})
	for _, id := range c.misses {
		if _, err := s.Record(&audit.Problem{What: fmt.Sprintf("the head that %s typed first differs from the head on disk", r.Script.Shown(id))}); err != nil {
			return err
		}
	}
	d := &audit.SegmentAdopt{Size: size, Head: root.String(), Seen: c.seen, Typed: c.typed, People: []string{}}
	if err := r.custody(s, d); err != nil {
		return err
	}
	people := []string{s.Step.Actor}
	if r.state.RollCall {
		people = r.presentPeople()
	}
	s.goesOn = true
	for _, person := range people {
		if err := s.Acknowledge(person, "witness", "adopt", "I agree to go on from this head"); hasLeft(err) {
			continue
		} else if err != nil {
			return err
		}
		d.People = append(d.People, person)
	}
	s.goesOn = false
	if len(d.People) == 0 {
		return &Stop{Reason: "nobody is there who agrees to go on from this head"}
	}
	if _, err := s.Record(d); err != nil {
		return err
	}
	if r.state.RollCall {
		if err := s.Passphrases(); err != nil {
			return err
		}
	}
	if r.state.Used {
		if err := s.Acknowledge(s.Step.Actor, "actor", "power-cycled", "The token was unplugged, stayed so for ten seconds, and was plugged in again"); err != nil {
			return err
		}
	}
	return r.readKey(s.Step)
}

// custody asks where the token was while the log did not see it.
func (r *Runner) custody(s *Session, d *audit.SegmentAdopt) error {
	for _, q := range []struct {
		into           *string
		what, question string
	}{
		{&d.Custody, "custody", "Who held the token since then, and where? (one line)"},
		{&d.Bag, "bag", "Which number has the bag that it was in? (read it from the bag; 'none' if it was in none)"},
	} {
		for *q.into == "" {
			v, err := s.AskOnly(s.Step.Actor, q.what, q.question)
			if err != nil {
				return err
			}
			*q.into = v
		}
	}
	return nil
}

// settle shows a call whose outcome is not known and has the room decide what
// became of it, after a look at the token. Nothing is done again here.
func (r *Runner) settle() error {
	for _, p := range r.state.Pending() {
		if err := r.outside("resume").settle(p); err != nil {
			return err
		}
	}
	return nil
}

// settle is Runner.settle for one call.
func (s *Session) settle(p *Pending) error {
	r, f := s.r, token.Function(p.Intent.Function)
	d := &audit.HSMUnknown{Intent: p.Seq, Decided: CannotBeKnown}
	if !lasting(p.Intent) {
		return r.settled(p, d, "the call leaves nothing on the token; its session ended with the program")
	}
	d.Person = s.Step.Actor
	r.Room.Show(room.Warning{Text: p.untold()})
	d.Found = r.inspect(s)
	r.Room.Show(room.Fact{Name: "the token now", Value: d.Found})
	if f == token.Login || f == token.Sign {
		// What came of these changes nothing that is to be done.
		what := map[token.Function]string{
			token.Login: "A try of the PIN may have been spent",
			token.Sign:  "A signature may exist that this log does not hold; the same bytes are signed again",
		}[f]
		if err := s.Acknowledge(s.Step.Actor, "actor", "unknown-seen", what); err != nil {
			return err
		}
		if err := r.seconded(s, p, what); err != nil {
			return err
		}
		return r.settled(p, d, d.Found+"; "+what)
	}
	v, err := s.AskOnly(s.Step.Actor, "unknown", fmt.Sprintf("What became of %s? (type the whole word; what you say is proved by the step where that is possible)", callName(p.Intent)),
		room.Choice{Word: "it-happened", Does: "it was carried out: the step looks for what it made and goes on from there"},
		room.Choice{Word: "it-did-not-happen", Does: "it was not carried out: the step does it"},
		room.Choice{Word: "it-cannot-be-known", Does: "the step begins again, and asks if it finds what the call would have made"})
	if err != nil {
		return err
	}
	d.Decided = map[string]string{"it-happened": Happened, "it-did-not-happen": DidNotHappen, "it-cannot-be-known": CannotBeKnown}[v]
	if err := r.seconded(s, p, fmt.Sprintf("Of %s it is said: %s", callName(p.Intent), d.Decided)); err != nil {
		return err
	}
	return r.settled(p, d, d.Found)
}

// seconded has a second person acknowledge what one says of a lost call: the
// first witness of its step who is here.
func (r *Runner) seconded(s *Session, p *Pending, what string) error {
	for i := range r.Script.Steps {
		if r.Script.Steps[i].ID != p.Step {
			continue
		}
		for _, w := range r.Script.Steps[i].Witnesses {
			if w != s.Step.Actor && r.state.Present[w] {
				return s.Acknowledge(w, "witness", "unknown-agreed", what)
			}
		}
	}
	return nil
}

func (r *Runner) settled(p *Pending, d *audit.HSMUnknown, found string) error {
	d.Found = found
	_, err := r.record(p.Step, d, true)
	return err
}

// lasting reports whether a call may have left something on the token.
func lasting(i *audit.HSMIntent) bool {
	switch f := token.Function(i.Function); f {
	case apdu.Transmit:
		return !apdu.Reads(i.Command)
	case token.InitToken, token.InitPIN, token.SetPIN, token.Login, token.GenerateKeyPair, token.Sign, token.DestroyObject:
		return true
	}
	return false
}

// callName names a call, and the command that it sends to a card.
func callName(i *audit.HSMIntent) string {
	if i.Command != "" {
		return fmt.Sprintf("%s (%s)", i.Function, i.Command)
	}
	return i.Function
}

// inspect looks at the token without logging in and tells what it finds.
func (r *Runner) inspect(s *Session) string {
	var found []string
	for i := range r.Script.Tokens {
		found = append(found, r.inspectToken(s, r.Script.Tokens[i].Name))
	}
	return strings.Join(found, "; ")
}

func (r *Runner) inspectToken(s *Session, name string) string {
	t, err := s.Token(name)
	if err != nil {
		return err.Error()
	}
	text := fmt.Sprintf("%s: label %q, serial %q, %s", name, t.Info.Label, t.Info.Serial, strings.Join(token.TokenFlags(t.Info.Flags), " "))
	err = t.WithSession(false, func(session uint) error {
		for i := range r.Script.Keys {
			k := &r.Script.Keys[i]
			if k.Token != name {
				continue
			}
			pub, err := t.FindAll(session, keyTemplate(token.CKO_PUBLIC_KEY, k))
			if err != nil {
				return err
			}
			text += fmt.Sprintf(", key %q: %d public halves", k.Name, len(pub))
		}
		return nil
	})
	var rv token.RV
	if errors.As(err, &rv) {
		text += ", objects cannot be listed: " + rv.Error()
	}
	return text
}
