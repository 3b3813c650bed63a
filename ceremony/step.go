package ceremony

import (
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// An Announcer is an Action that touches a token: what is about to happen on
// it, and why that cannot be undone ("" if it can).
type Announcer interface {
	Announce(s *Session) (effect, irreversible string)
}

// A Shower is an Action that makes what has to be seen before it is approved: it
// shows it and then asks for the approvals itself, with [Session.Approvals],
// before what cannot be taken back. Of every other step they are asked before
// anything is done.
type Shower interface {
	Announcer
	ShowsFirst()
}

// step runs one step until it is done or skipped, or the room stops.
func (r *Runner) step(step *Step) error {
	for {
		s := &Session{r: r, Step: r.held(step)}
		err := s.attempt()
		if err == nil {
			return nil
		}
		if Fatal(err) {
			return err
		}
		skipped, err := s.failed(err)
		if err != nil || skipped {
			return err
		}
	}
}

// held returns a step as it is held: with the alternates in the places of those
// absent.
func (r *Runner) held(step *Step) *Step {
	held := *step
	held.Actor = r.state.Who(step.Actor)
	held.Witnesses = nil
	for _, w := range step.Witnesses {
		held.Witnesses = append(held.Witnesses, r.state.Who(w))
	}
	return &held
}

// Fatal reports whether err leaves nothing to decide: the room has stopped, or
// the log cannot be written.
func Fatal(err error) bool {
	var stop *Stop
	var f *Failure
	return errors.As(err, &stop) || errors.As(err, &f)
}

// attempt goes through a step once.
func (s *Session) attempt() error {
	if err := s.begin(); err != nil {
		return err
	}
	if err := s.Step.Action.Run(s); err != nil {
		return err
	}
	if err := s.triesAfter(); err != nil {
		return err
	}
	if err := s.Approvals(); err != nil {
		return err // of a step that had nothing left to show
	}
	s.Step = s.r.held(s.Step) // a roll call may have put alternates there
	if err := s.voidAll(); err != nil {
		return err
	}
	if err := s.after(); err != nil {
		return err
	}
	return s.end(Done, "")
}

// begin records and announces the step, and waits for the word to go on if it
// touches a token.
func (s *Session) begin() error {
	step := s.Step
	d := &audit.StepBegin{
		StepKind: step.Kind, Title: step.Title, Number: step.Number, Of: len(s.r.Script.Steps),
		Attempt: s.Done().Attempts + 1, Actor: step.Actor,
		Witnesses: append([]string{}, step.Witnesses...), Say: step.Say, Watch: step.Watch,
		Approve: step.Approve.rule(),
	}
	if step.OnRefusal == onRefusalGoOn {
		d.OnRefusal = onRefusalGoOn
	}
	if _, err := s.Record(d); err != nil {
		return err
	}
	m := room.Step{
		Number: d.Number, Of: d.Of, ID: step.ID, Kind: step.Kind, Title: step.Title,
		Actor: s.r.Script.Shown(step.Actor), Say: step.Say, Watch: step.Watch, Attempt: d.Attempt,
	}
	for _, w := range step.Witnesses {
		m.Witnesses = append(m.Witnesses, s.r.Script.Shown(w))
	}
	m.Effect, m.Irreversible = Announced(s.r.Script, step)
	s.Show(m)
	if err := s.everybodyHere(); err != nil {
		return err
	}
	if _, shows := step.Action.(Shower); !shows {
		if err := s.Approvals(); err != nil {
			return err
		}
	}
	return s.before(m)
}

func (s *Session) before(m room.Step) error {
	if m.Effect == "" {
		return nil
	}
	if m.Irreversible != "" {
		for _, w := range s.Step.Witnesses {
			if err := s.Acknowledge(w, "witness", "ready", "I know what is about to happen and that it cannot be undone"); err != nil {
				return err
			}
		}
	}
	return s.Acknowledge(s.Step.Actor, "actor", "ready", fmt.Sprintf("Begin now: %q?", s.Step.Title))
}

// everybodyHere stops a step whose people were absent at the roll call. The
// roll call itself is held with whoever is there.
func (s *Session) everybodyHere() error {
	if s.State().kinds[s.Step.ID] == "attendance" {
		return nil
	}
	return s.Here(append([]string{s.Step.Actor}, s.Step.Witnesses...)...)
}

// after has the witnesses, and the actor if not asked before, acknowledge what
// was done.
func (s *Session) after() error {
	if _, acts := s.Step.Action.(Announcer); !acts {
		if err := s.Acknowledge(s.Step.Actor, "actor", "done", fmt.Sprintf("%q is done as the script says", s.Step.Title)); err != nil {
			return err
		}
	}
	for _, w := range s.Step.Witnesses {
		if err := s.Acknowledge(w, "witness", "seen", "I have seen this done as the script says"); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) end(result, reason string) error {
	if _, err := s.Record(&audit.StepEnd{Result: result, Reason: reason}); err != nil {
		return err
	}
	if err := s.r.log.Keep(); err != nil {
		return &Failure{Err: fmt.Errorf("keeping the checkpoint: %w", err)}
	}
	s.Show(room.StepDone{Number: s.Step.Number, Of: len(s.r.Script.Steps), Title: s.Step.Title, Result: result})
	return nil
}

// failed records what went wrong and lets the room decide. skipped is true if
// the step is over; with skipped false and no error it is tried again.
func (s *Session) failed(cause error) (skipped bool, err error) {
	what, err := s.problem(cause)
	if err != nil {
		return false, err
	}
	for {
		choice, err := s.Decide(s.Step.Actor, "on-failure", "How does the room go on?", afterFailure...)
		if err != nil {
			return false, err
		}
		switch choice {
		case "again":
			if err := s.clearDoubts(); err != nil {
				return false, err
			}
			return false, s.close(Failed, what)
		case "repeat":
			if !s.possible(EffectRepeat) {
				continue
			}
			if agreed, err := s.Deviation(EffectRepeat); err != nil {
				return false, err
			} else if agreed {
				return false, s.close(Failed, what)
			}
		case "skip":
			if !s.possible(EffectSkip) {
				continue
			}
			if agreed, err := s.Deviation(EffectSkip); err != nil {
				return false, err
			} else if agreed {
				return true, s.skip()
			}
		case "pause", "abort":
			if err := s.stop(choice == "abort", " (after a problem: "+what+")"); err != nil {
				return false, err
			}
		}
	}
}

// afterFailure is what the room can choose from when a step failed.
var afterFailure = []room.Choice{
	{Word: "again", Does: "try the step again; what was already done on the token is not done twice"},
	{Word: "repeat", Does: "do the whole step anew, as a recorded deviation"},
	{Word: "skip", Does: "leave the step out, as a recorded deviation"},
	{Word: "pause", Does: "stop here; 'keyrite resume' goes on later"},
	{Word: "abort", Does: "give the ceremony up: log out, list what is left on the token, seal the log"},
}

// problem records and shows what went wrong, and leaves the token.
func (s *Session) problem(cause error) (what string, err error) {
	p := &audit.Problem{What: cause.Error()}
	var rv token.RV
	if errors.As(cause, &rv) {
		p.RV, p.Hint = rv.Error(), token.Hint(rv)
	}
	if _, err := s.Record(p); err != nil {
		return "", err
	}
	s.Show(room.Failure{What: p.What, RV: p.RV, Hint: p.Hint})
	// Whatever comes next begins with C_Initialize: a module can keep a token
	// that was pulled for lost until then.
	if err := s.r.finalize(); err != nil {
		s.Show(room.Warning{Text: "Leaving the token: " + err.Error()})
	}
	return p.What, nil
}

// close ends an attempt that is followed by another.
func (s *Session) close(result, reason string) error {
	_, err := s.Record(&audit.StepEnd{Result: result, Reason: reason})
	return err
}

// skip ends a step that is left out.
func (s *Session) skip() error {
	if err := s.voidAll(); err != nil {
		return err
	}
	return s.end(Skipped, skipReason)
}

// skipReason stands in the end of a step that was left out.
const skipReason = "by decision of the room"

// possible asks the model of the world what becomes impossible of all that
// remains when the step is left out, or done anew.
func (s *Session) possible(effect string) bool {
	done := map[string]string{}
	for id, st := range s.State().Steps {
		if st.Result == Done || st.Result == Skipped {
			done[id] = st.Result
		}
	}
	what := "done anew"
	if delete(done, s.Step.ID); effect == EffectSkip {
		done[s.Step.ID], what = Skipped, "left out"
	}
	problems := SimulateRest(s.r.Script, done)
	if len(problems) == 0 {
		return true
	}
	s.Show(room.Warning{Text: "The step cannot be " + what + ": what follows would be impossible."})
	for _, p := range problems {
		s.Show(room.Text{Text: "  " + p.String()})
	}
	return false
}

// Announced returns what a step of a script says of the token before it
// begins: what is about to happen, and why it cannot be undone. Both are "" for
// a step that touches no token.
func Announced(s *Script, step *Step) (effect, irreversible string) {
	a, ok := step.Action.(Announcer)
	if !ok {
		return "", ""
	}
	return a.Announce(&Session{r: &Runner{Config: Config{Script: s}}, Step: step})
}
