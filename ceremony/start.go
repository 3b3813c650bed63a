package ceremony

import (
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/room"
)

// Start begins a ceremony in a new, empty bundle folder: it makes the log key
// and writes the script, the log's first entry and the key's verifier key.
//
// A production ceremony that cannot have the approvals that its script asks for
// is refused before anything is written.
func Start(c Config) (*Runner, error) {
	if missing := c.Script.ApprovalsMissing(c.Given, true); missing != "" && c.Mode == Production {
		return nil, errors.New(missing)
	}
	if err := bundle.WriteNew(c.Dir, bundle.ScriptFile, c.ScriptBytes); err != nil {
		return nil, &Failure{Err: err}
	}
	origin, err := audit.NewOrigin(c.Mode, c.Rand)
	if err != nil {
		return nil, err
	}
	key, err := audit.NewLogKey(origin, c.Rand)
	if err != nil {
		return nil, err
	}
	log, err := audit.Create(audit.Config{Store: c.Store, Key: key, Origin: origin, Now: c.Now, Rand: c.Rand})
	if err != nil {
		return nil, &Failure{Err: err}
	}
	r := &Runner{Config: c, log: log, key: key, state: NewState()}
	if _, err = r.record("", r.opening(origin), true); err == nil {
		err = r.writeKey()
	}
	if err == nil {
		err = r.sayFirst()
	}
	if err != nil {
		key.Wipe()
		return nil, err
	}
	return r, nil
}

// sayFirst records and shows what was said of the place, or done before.
func (r *Runner) sayFirst() error {
	for _, d := range r.First {
		switch d := d.(type) {
		case *audit.Place:
			r.Room.Show(room.Fact{Name: "place file", Value: d.File.Name})
			r.Room.Show(room.Fact{Name: "its SHA-256", Value: d.File.SHA256})
			for _, s := range d.Settings {
				r.Room.Show(room.Fact{Name: "place: " + s.Name, Value: s.Value})
			}
		case *audit.Result:
			r.Room.Show(room.Warning{Text: d.Name + ": " + d.Value})
		}
		if _, err := r.record("", d, true); err != nil {
			return err
		}
	}
	return nil
}

// opening is the log's first entry.
func (r *Runner) opening(origin string) *audit.LogOpen {
	s := r.Script
	d := &audit.LogOpen{
		Format: audit.FormatVersion, Origin: origin, Mode: r.Mode,
		Script: FileOf(bundle.ScriptFile, r.ScriptBytes), LogKey: r.key.VerifierKey(), Program: r.Program,
		Title: s.Title, Organisation: s.Organisation, Place: s.Place, Purpose: s.Purpose,
		Participants: []audit.Participant{}, Plan: []audit.PlanStep{},
	}
	for _, p := range s.Participants {
		d.Participants = append(d.Participants, audit.Participant{ID: p.ID, Name: p.Name, Initials: p.Initials, Roles: append([]string{}, p.Roles...), AlternateFor: p.AlternateFor})
	}
	if s.Deviations != nil {
		d.Deviations = s.Deviations.Approve.rule()
	}
	for _, st := range s.Steps {
		d.Plan = append(d.Plan, audit.PlanStep{ID: st.ID, Kind: st.Kind, Title: st.Title})
	}
	return d
}

func (r *Runner) writeKey() error {
	err := bundle.WriteNew(r.Dir, bundle.LogKeyFile(r.state.Segment), []byte(r.key.VerifierKey()+"\n"))
	if err != nil {
		return &Failure{Err: err}
	}
	return nil
}

// ErrNothingHappened means that a folder's log has no entry: the run ended
// before anything was done.
var ErrNothingHappened = errors.New("the log is empty: nothing has happened yet")

// ErrOtherScript means that a folder's script is not the one that its log began
// with.
var ErrOtherScript = errors.New("not the script that this ceremony began with")

// ReadLog reads what a log says, after checking its chain, its tree and the
// signature on its head by the key that its last segment names.
func ReadLog(store audit.Store) (*State, []*audit.Entry, error) {
	if head, err := store.Head(); err == nil && head == nil {
		return nil, nil, ErrNothingHappened
	}
	if _, err := audit.CheckStore(store); err != nil {
		return nil, nil, fmt.Errorf("reading the log: %w", err)
	}
	st := NewState()
	var entries []*audit.Entry
	err := store.Entries(0, func(seq int64, encoded []byte) error {
		e, err := audit.Parse(encoded)
		if err != nil {
			return fmt.Errorf("entry %d: %w", seq, err)
		}
		entries = append(entries, e)
		st.Apply(e)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading the log: %w", err)
	}
	if st.Open == nil {
		return nil, nil, ErrNothingHappened
	}
	return st, entries, nil
}
