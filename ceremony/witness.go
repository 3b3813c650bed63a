package ceremony

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/room"
)

// How a witness's key was bound.
const (
	FromScript = "script"
	Adopted    = "adopted"
)

// IsWitness reports whether a participant has a witness's role.
func (p *Participant) IsWitness() bool {
	return hasRole(p, "internal-witness", independentWitness, externalWitness)
}

// WitnessKey returns the key of a participant that was bound at the roll call,
// nil if there is none.
func (s *Session) WitnessKey(person string) *audit.WitnessKey {
	bound := s.State().WitnessKeys[person]
	if bound == nil {
		return nil
	}
	k, err := audit.ParseWitnessKey(bound.Key)
	if err != nil {
		return nil // the log was checked when it was read, and nothing else is recorded
	}
	return k
}

// BindWitnessKey records a participant's key and writes it into the bundle. A
// key whose name or public key another participant has is refused.
func (s *Session) BindWitnessKey(person string, k *audit.WitnessKey, how string) error {
	for other := range s.State().WitnessKeys {
		o := s.WitnessKey(other)
		if other != person && o != nil && (o.Name() == k.Name() || o.Public().Equal(k.Public())) {
			return fmt.Errorf("the key %s is that of %s already", k, s.Script().Shown(other))
		}
	}
	if _, err := s.Record(&audit.WitnessKeyRead{Person: person, Key: k.String(), How: how}); err != nil {
		return err
	}
	return s.r.writeOnce(bundle.WitnessKeyFile(person), []byte(k.String()+"\n"))
}

// ShowKey shows a verifier key so that it can be read aloud and photographed:
// as text, in words, in hex and as a QR code.
func (s *Session) ShowKey(name, vkey string, public []byte, words []string) {
	s.Show(room.Fact{Name: name, Value: vkey})
	s.Show(room.Fact{Name: "its SHA-256 in words", Value: strings.Join(words, " "), Big: true})
	s.Show(room.Fact{Name: "the public key in hex", Value: hex.EncodeToString(public), Big: true})
	s.ShowCode(name, vkey)
}

// ShowCode shows a text as a QR code, where the screen can.
func (s *Session) ShowCode(name, text string) {
	if s.r.QR == nil {
		return
	}
	if modules := s.r.QR(text); modules != nil {
		s.Show(room.Code{Name: name, Modules: modules})
	}
}

// Checkpoint returns the current checkpoint, as signed and as it reads.
func (s *Session) Checkpoint() ([]byte, audit.Checkpoint, error) {
	note := s.r.log.Checkpoint()
	p, _, err := audit.Cosignatures(note)
	return note, p, err
}

// ShowCheckpoint shows a checkpoint to those who cosign it, and writes it into
// a folder of the medium unless folder is "".
func (s *Session) ShowCheckpoint(note []byte, p audit.Checkpoint, folder string) error {
	s.Show(room.Text{Text: "The log's checkpoint. A witness with a key compares size and words with what this room sees, then signs on a machine of their own (keyrite-verify cosign)."})
	s.Show(room.Verbatim{Text: string(note)})
	s.Show(room.Fact{Name: "size", Value: fmt.Sprint(p.Size, " entries")})
	s.Show(room.Fact{Name: "head in words", Value: words(p.Root[:]), Big: true})
	s.ShowCode(fmt.Sprintf("checkpoint of %d entries", p.Size), string(note))
	if folder == "" {
		return nil
	}
	name := fmt.Sprintf("checkpoint-%d.txt", p.Size)
	back, err := s.WriteMedia(folder, name, note)
	if err == nil && !bytes.Equal(back, note) {
		err = fmt.Errorf("%s on the medium is not what was written: use another medium", name)
	}
	if err != nil {
		return err
	}
	s.Show(room.Fact{Name: "also on the medium", Value: folder + "/" + name})
	return nil
}

// KeepCosigned keeps a checkpoint of this log with its witnesses' lines.
func (s *Session) KeepCosigned(note []byte) error {
	if err := s.r.log.KeepCosigned(note); err != nil {
		return &Failure{Err: err}
	}
	return nil
}

// Cosignature returns a witness's cosignature of a checkpoint from what was
// brought: a line, a signed note that has it, or the form for typing. One that
// is of another checkpoint is refused by the name of what it is of.
func (s *Session) Cosignature(text string, p audit.Checkpoint, k *audit.WitnessKey) (audit.Cosignature, error) {
	if trimmed := strings.TrimSpace(text); trimmed != "" && trimmed[0] >= '0' && trimmed[0] <= '9' {
		return audit.ParseTypedCosignature(text, p, k)
	}
	if q, lines, err := audit.Cosignatures([]byte(text)); err == nil {
		if q != p {
			return audit.Cosignature{}, fmt.Errorf("the note that was brought is the checkpoint of %d entries of %s, shown is that of %d entries of %s", q.Size, q.Origin, p.Size, p.Origin)
		}
		for _, c := range lines {
			if k.Made(c) {
				return c, k.Check(c, p)
			}
		}
		return audit.Cosignature{}, fmt.Errorf("the note that was brought has no line by the key %s", k.Name())
	}
	c, err := audit.ParseCosignature(strings.TrimSpace(text))
	if err != nil {
		return audit.Cosignature{}, err
	}
	if err := k.Check(c, p); err != nil {
		if k.Made(c) {
			if size := s.cosignedSize(c, k); size >= 0 {
				return audit.Cosignature{}, fmt.Errorf("it is a cosignature of this log's checkpoint of %d entries, shown is that of %d", size, p.Size)
			}
		}
		return audit.Cosignature{}, err
	}
	return c, nil
}

// cosignedSize returns the size of this log that a cosignature is of, -1 if
// there is none.
func (s *Session) cosignedSize(c audit.Cosignature, k *audit.WitnessKey) int64 {
	size := int64(-1)
	err := s.r.heads(func(p audit.Checkpoint) bool {
		if k.Check(c, p) == nil {
			size = p.Size
		}
		return size < 0
	})
	if err != nil {
		return -1
	}
	return size
}

// heads calls f for the log's checkpoints of all sizes from 0 on, until it
// returns false.
func (r *Runner) heads(f func(audit.Checkpoint) bool) error {
	var tree audit.Frontier
	stop := errors.New("stop")
	more := func() error {
		if f(audit.Checkpoint{Origin: r.state.Open.Origin, Size: tree.Size(), Root: tree.Root()}) {
			return nil
		}
		return stop
	}
	if more() != nil {
		return nil
	}
	err := r.Store.Entries(0, func(_ int64, encoded []byte) error {
		tree.Append(audit.LeafHash(encoded))
		return more()
	})
	if err == stop {
		return nil
	}
	return err
}
