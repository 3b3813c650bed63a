package ceremony

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// A Session is what a running step may use: the room, the recorded tokens, the
// log and what the log says has happened. Nothing else reaches a step.
type Session struct {
	r    *Runner
	Step *Step // as it is held: with the alternates in the places of those absent

	goesOn bool // a question whose person leaves the room is not waited for
}

// Script returns the script that is run.
func (s *Session) Script() *Script { return s.r.Script }

// State returns what the log says up to now.
func (s *Session) State() *State { return s.r.state }

// Done returns what the log says of the running step.
func (s *Session) Done() *StepState { return s.r.state.Step(s.Step.ID) }

// Now returns the machine's time, UTC.
func (s *Session) Now() time.Time { return s.r.Now().UTC() }

// Rand returns the system's source of randomness.
func (s *Session) Rand() io.Reader { return s.r.Rand }

// Rehearsal reports whether what is made is only for practice.
func (s *Session) Rehearsal() bool { return s.r.Mode == Rehearsal }

// Stand reports whether the token only stands in for the script's, as in a
// rehearsal: what was made before is not on it.
func (s *Session) Stand() bool { return s.r.Stand }

// Record writes an entry of the running step, durably.
func (s *Session) Record(d audit.Data) (*audit.Entry, error) {
	return s.r.record(s.entryStep(), d, true)
}

// entryStep is the step that the session's entries belong to, "" between steps.
func (s *Session) entryStep() string {
	if s.Step.outside {
		return ""
	}
	return s.Step.ID
}

// Show presents a message to the room and records nothing.
func (s *Session) Show(m room.Message) { s.r.Room.Show(m) }

// Busy shows that something takes time, until done is called.
func (s *Session) Busy(what string, expect time.Duration) (done func()) {
	return s.r.Room.Busy(what, expect)
}

// Patiently is Busy for what has a usual duration, and tells the room when it
// has taken so long that something is likely to be wrong. A call to a token
// cannot be broken off: what is to be done is the room's to decide.
func (s *Session) Patiently(what string, d token.Duration) (done func()) {
	end := s.Busy(what, d.Usual)
	if d.Long == 0 {
		return end
	}
	late := time.AfterFunc(d.Long, func() {
		s.Show(room.Warning{Text: fmt.Sprintf("This has taken %s, and usually takes %s. Is the token's light on, is it firmly in its port? Wait while it works. If it is dead, take it out: the call then fails, and the step looks for what it left behind.", d.Long, d.Usual)})
	})
	return func() {
		late.Stop()
		end()
	}
}

// Result shows a fact to the room and records it. A big one is meant to be
// read aloud.
func (s *Session) Result(name, value string, big bool) error {
	s.Show(room.Fact{Name: name, Value: value, Big: big})
	_, err := s.Record(&audit.Result{Name: name, Value: value})
	return err
}

// WriteArtifact writes a file the ceremony made to the bundle and records it.
// name is relative to the bundle's artifacts folder. signed is the entry of
// the C_Sign outcome it holds, 0 for none; checks says what was verified.
//
// After a break the file may be there already with the same bytes: then it is
// only recorded. Other bytes are never overwritten.
func (s *Session) WriteArtifact(name, object string, b []byte, signed int64, checks string) error {
	f, err := s.writeFile(name, b)
	if err != nil {
		return err
	}
	_, err = s.Record(&audit.Artifact{File: f, Object: object, Signed: signed, Checks: checks})
	return err
}

// WriteFile writes a file to the bundle's artifacts folder without recording
// it as an artifact; the caller's entry binds it. It returns the name and hash
// to record.
func (s *Session) WriteFile(name string, b []byte) (audit.File, error) { return s.writeFile(name, b) }

func (s *Session) writeFile(name string, b []byte) (audit.File, error) {
	full := path.Join(bundle.ArtifactsDir, name)
	f := FileOf(full, b)
	if old, err := s.ReadArtifact(name); err == nil {
		if FileOf(full, old) == f {
			return f, nil
		}
		return f, fmt.Errorf("writing %s: the file is there with other content, and nothing is overwritten", full)
	}
	if err := bundle.WriteNew(s.r.Dir, full, b); err != nil {
		return f, fmt.Errorf("writing %s: %w", full, err)
	}
	return f, nil
}

// ReadArtifact reads a file of the bundle's artifacts folder.
func (s *Session) ReadArtifact(name string) ([]byte, error) {
	return s.r.readBundle(path.Join(bundle.ArtifactsDir, name))
}

// Artifact returns the recorded artifact of that name and its bytes, checked
// against the log.
func (s *Session) Artifact(name string) (*audit.Artifact, []byte, error) {
	full := path.Join(bundle.ArtifactsDir, name)
	a := s.State().Artifacts[full]
	if a == nil {
		return nil, nil, fmt.Errorf("artifact %q has not been made", name)
	}
	b, err := s.r.readBundle(full)
	if err != nil {
		return nil, nil, err
	}
	if FileOf(full, b) != a.File {
		return nil, nil, fmt.Errorf("%s is not the file that the log recorded (its SHA-256 differs)", full)
	}
	return a, b, nil
}

// FileOf returns the record of a file's bytes.
func FileOf(name string, b []byte) audit.File {
	h := sha256.Sum256(b)
	return audit.File{Name: name, SHA256: hex.EncodeToString(h[:]), Size: int64(len(b))}
}

// Head returns the log's size and its root, without what is not yet written.
func (s *Session) Head() (size int64, root audit.Hash) { return s.r.log.Size(), s.r.log.Root() }
