package ceremony

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// A Paper makes the transcript from what the log commits to.
type Paper interface {
	// Commit composes the pages from all entries given and returns the entries
	// that commit to them. head is the root over the entries; sign is the log
	// key's signature over a page note.
	Commit(entries []*audit.Entry, head audit.Hash, file ReadFile, sign func([]byte) ([]byte, error)) ([]*audit.Transcript, error)
	// PDF draws the transcript of a closed log.
	PDF(entries []*audit.Entry, checkpoint []byte, file ReadFile) ([]byte, error)
}

// ReadFile reads a file of the bundle by its name there.
type ReadFile = func(name string) ([]byte, error)

// abort is the sequence of a ceremony given up: it is said why, the token is
// left, what is left on it is listed, the log is sealed.
func (r *Runner) abort(stop *Stop) error {
	if !r.state.Aborted { // else it was broken off
		if _, err := r.record("", &audit.Abort{Reason: stop.Reason, Person: stop.Person}, true); err != nil {
			return err
		}
	}
	for _, p := range r.state.Pending() {
		if err := r.settled(p, &audit.HSMUnknown{Intent: p.Seq, Decided: CannotBeKnown}, "the ceremony was given up before it was looked into"); err != nil {
			return err
		}
	}
	if r.ready || r.state.Used {
		if err := r.leftOver(); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.state.Keys)) {
		k := r.state.Keys[name]
		d := &audit.Result{Name: "key left on token " + k.Token, Value: fmt.Sprintf("%s: %s, label %q, id %s, SPKI SHA-256 %s", name, k.Algorithm, k.Label, k.ID, k.SPKISHA256)}
		r.Room.Show(room.Fact{Name: d.Name, Value: d.Value})
		if _, err := r.record("", d, true); err != nil {
			return err
		}
	}
	if err := r.outside("abort").BalanceTries(); err != nil {
		return err
	}
	if err := r.voidGivenUp(); err != nil {
		return err
	}
	if err := r.finalize(); err != nil {
		r.Room.Show(room.Warning{Text: "Leaving the token: " + err.Error()})
	}
	return r.seal("aborted")
}

// leftOver lists, for each token, the objects that can be seen without logging
// in. A token that cannot be looked at is a recorded problem, and no reason not
// to seal the log.
func (r *Runner) leftOver() error {
	s := r.outside("abort")
	for i := range r.Script.Tokens {
		name := r.Script.Tokens[i].Name
		err := s.listToken(name)
		if Fatal(err) {
			return err
		}
		if err == nil {
			continue
		}
		p := &audit.Problem{What: fmt.Sprintf("listing what is left on token %s: %v", name, err)}
		r.Room.Show(room.Failure{What: p.What})
		if _, err := r.record("", p, true); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) listToken(name string) error {
	t, err := s.Token(name)
	if err != nil {
		return err
	}
	objects := []audit.Object{}
	if !t.Blank() {
		if err := t.WithSession(false, func(session uint) error {
			objects, err = t.Objects(session)
			return err
		}); err != nil {
			return err
		}
	}
	_, err = s.Record(&audit.Inventory{Token: t.Name, Objects: objects, Differs: []string{}})
	return err
}

// Blank reports whether the token was never initialised: it then opens no
// session and holds nothing.
func (t *Token) Blank() bool { return t.Info.Flags&token.CKF_TOKEN_INITIALIZED == 0 }

// Objects lists the objects that a session can see.
func (t *Token) Objects(session uint) ([]audit.Object, error) {
	handles, err := t.FindAll(session, nil)
	if err != nil {
		return nil, err
	}
	list := []audit.Object{}
	for _, h := range handles {
		o, err := t.object(session, h)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

func (t *Token) object(session, handle uint) (audit.Object, error) {
	attrs, err := t.Attributes(session, handle, token.CKA_CLASS, token.CKA_LABEL, token.CKA_ID, token.CKA_KEY_TYPE)
	if err != nil {
		return audit.Object{}, err
	}
	var o audit.Object
	for _, a := range attrs {
		if a.Err != nil {
			continue
		}
		switch a.Type {
		case token.CKA_CLASS:
			o.Class = named(a, token.ClassName)
		case token.CKA_LABEL:
			o.Label = a.Shown()
		case token.CKA_ID:
			o.ID = a.Shown()
		case token.CKA_KEY_TYPE:
			o.Type = named(a, token.KeyTypeName)
		}
	}
	return o, nil
}

// named shows a CK_ULONG attribute by its name.
func named(a token.Attribute, name func(uint) string) string {
	v, err := a.Ulong()
	if err != nil {
		return a.Shown()
	}
	return name(v)
}

// seal ends the log: pages, their commitment, the last entry, the final
// checkpoint; then the files around it. The log key is wiped at the end.
func (r *Runner) seal(result string) error {
	defer r.key.Wipe()
	done := r.Room.Busy("composing the transcript and sealing the log", 0)
	defer func() { done() }()
	if err := r.sayLast(); err != nil {
		return err
	}
	entries, err := r.entries()
	if err != nil {
		return &Failure{Err: err}
	}
	pages, err := r.Paper.Commit(entries, r.log.Root(), r.readBundle, r.key.SignBytes)
	if err != nil {
		return fmt.Errorf("composing the transcript: %w", err)
	}
	for _, d := range pages {
		if _, err := r.record("", d, false); err != nil {
			return err
		}
	}
	if _, err := r.record("", &audit.Close{Result: result, Size: r.log.Size() + 1}, true); err != nil {
		return err
	}
	done()
	if err := r.keepFinal(result); err != nil {
		return err
	}
	done = r.Room.Busy("writing the bundle", 0)
	if entries, err = r.entries(); err != nil {
		return &Failure{Err: err}
	}
	if err := r.finish(entries); err != nil {
		return err
	}
	done()
	r.showHead("The final head of the log. Read it aloud and write it down: with it anybody can tell this log from any other, for ever")
	return nil
}

// sayLast shows and records what is said before the log is closed.
func (r *Runner) sayLast() error {
	if r.Last == nil {
		return nil
	}
	entries, err := r.entries()
	if err != nil {
		return &Failure{Err: err}
	}
	for _, d := range r.Last(entries) {
		r.Room.Show(room.Warning{Text: d.Name + ": " + d.Value})
		if _, err := r.record("", d, true); err != nil {
			return err
		}
	}
	return nil
}

func (r *Runner) entries() ([]*audit.Entry, error) {
	var list []*audit.Entry
	err := r.log.Entries(0, func(e *audit.Entry) error {
		list = append(list, e)
		return nil
	})
	return list, err
}

// finish writes what follows from the closed log: the lines, the sealed
// database, the checkpoint, the transcript, the sums and their manifest. After a
// break it writes what is missing; the manifest then stays away, because the
// key that would sign it is gone, and the auditor is told.
func (r *Runner) finish(entries []*audit.Entry) error {
	checkpoint, err := r.Store.Head()
	if err != nil {
		return &Failure{Err: err}
	}
	if err := r.writeLines(); err != nil {
		return err
	}
	if err := r.Store.Seal(); err != nil {
		return &Failure{Err: fmt.Errorf("sealing %s: %w", bundle.DatabaseFile, err)}
	}
	pdf, err := r.Paper.PDF(entries, checkpoint, r.readBundle)
	if err != nil {
		return fmt.Errorf("drawing the transcript: %w", err)
	}
	for _, f := range []struct {
		name string
		b    []byte
	}{{bundle.CheckpointFile, checkpoint}, {bundle.TranscriptFile, pdf}} {
		if err := r.writeOnce(f.name, f.b); err != nil {
			return err
		}
	}
	sums, err := bundle.Sums(r.Dir)
	if err != nil {
		return &Failure{Err: err}
	}
	if err := r.writeOnce(bundle.SumsFile, sums); err != nil {
		return err
	}
	return r.manifest(checkpoint, sums)
}

func (r *Runner) manifest(checkpoint, sums []byte) error {
	if r.key == nil {
		return nil
	}
	text, _, _ := strings.Cut(string(checkpoint), "\n\n")
	c, err := audit.ParseCheckpoint(text + "\n")
	if err != nil {
		return err
	}
	note, err := r.key.SignNote(bundle.ManifestNote(c.Origin, c.Size, c.Root, sha256.Sum256(sums)))
	if err != nil {
		return err
	}
	return r.writeOnce(bundle.ManifestFile, note)
}

// writeOnce writes a file of the bundle, or finds it there with the same bytes.
func (r *Runner) writeOnce(name string, b []byte) error {
	if old, err := r.readBundle(name); err == nil && bytes.Equal(old, b) {
		return nil
	}
	if err := bundle.WriteNew(r.Dir, name, b); err != nil {
		return &Failure{Err: err}
	}
	return nil
}

// writeLines brings log.jsonl up to the log.
func (r *Runner) writeLines() error {
	var b bytes.Buffer
	err := r.Store.Entries(0, func(_ int64, encoded []byte) error {
		b.Write(encoded)
		b.WriteByte('\n')
		return nil
	})
	if err == nil {
		err = bundle.Grow(r.Dir, bundle.LogFile, b.Bytes())
	}
	if err != nil {
		return &Failure{Err: fmt.Errorf("writing %s: %w", filepath.Base(bundle.LogFile), err)}
	}
	return nil
}
