package main

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
)

// A bigLog writes the log of a long ceremony: its opening, the reading of its
// key, a roll call and many more steps, its close. Each step begins, is
// acknowledged, asks a token for the state of a session again and again and
// shows what it is, is acknowledged by the witness and ends; the checkpoint
// there is kept. Nothing is signed by a token and no verdict is asked for, so
// that the log is all that there is to check.
//
// Entries and checkpoints are what audit.Log makes of them, but go to the store
// some hundred in one transaction.
type bigLog struct {
	store *sqlite.Store
	lines *bufio.Writer
	key   *audit.LogKey
	now   time.Time

	tree    audit.Frontier
	prev    audit.Hash
	pending [][]byte
	head    []byte // the last checkpoint
	script  []byte
}

const bigOrigin = "keyrite.ceremony/rehearsal/000102030405060708090a0b0c0d0e0f"

// bigText is a step's text in script and log.
const bigText = "The token is asked for the state of its session."

func bigStep(i int) string { return fmt.Sprintf("s-%04d", i) }

// writeBigBundle writes a bundle with a log of size entries in so many steps to
// dir. It has no transcript, so a verifier finds two failures and no more: the
// log commits to no pages, and the file is missing.
func writeBigBundle(dir string, size int64, steps int) (err error) {
	store, err := sqlite.Create(filepath.Join(dir, bundle.DatabaseFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	lines, err := os.Create(filepath.Join(dir, bundle.LogFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lines.Close()) }()
	key, err := audit.NewLogKey(bigOrigin, rand.Reader)
	if err != nil {
		return err
	}
	l := &bigLog{store: store, lines: bufio.NewWriterSize(lines, 1<<20), key: key, now: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), script: bigScript(steps)}
	if err := l.write(size, steps); err != nil {
		return err
	}
	if err := errors.Join(l.lines.Flush(), store.Seal()); err != nil {
		return err
	}
	return l.finish(dir)
}

// bigScript is the script that such a log repeats.
func bigScript(steps int) []byte {
	var s strings.Builder
	s.WriteString("keyrite: 1\ntitle: Long\norganisation: Example Trust\nplace: Room 1\npurpose: To be measured.\nmode: rehearsal\nparticipants:\n")
	for _, p := range bigPeople {
		fmt.Fprintf(&s, "  - id: %s\n    name: %s\n    initials: %s\n    roles: [%s]\n", p.ID, p.Name, p.Initials, p.Roles[0])
	}
	s.WriteString("steps:\n")
	for i, p := range bigPlan(steps) {
		fmt.Fprintf(&s, "  - id: %s\n    kind: %s\n    title: %s\n    actor: ada\n    witnesses: [wil]\n    say: %s\n    watch: The screen.\n", bigStep(i), p.Kind, p.Title, bigText)
	}
	return []byte(s.String())
}

var bigPeople = []audit.Participant{
	{ID: "ada", Name: "Ada Example", Initials: "AE", Roles: []string{"ceremony-administrator"}},
	{ID: "wil", Name: "Wil Muster", Initials: "WM", Roles: []string{"internal-witness"}},
}

func bigPlan(steps int) []audit.PlanStep {
	list := []audit.PlanStep{{ID: bigStep(0), Kind: "attendance", Title: "Roll call"}}
	for i := 1; i < steps; i++ {
		list = append(list, audit.PlanStep{ID: bigStep(i), Kind: "inventory", Title: "Look"})
	}
	return list
}

// add appends an entry.
func (l *bigLog) add(step string, d audit.Data) error {
	l.now = l.now.Add(1234567 * time.Nanosecond)
	e := &audit.Entry{Seq: l.tree.Size(), Time: l.now, Step: step, Data: d, Prev: l.prev}
	if _, err := io.ReadFull(rand.Reader, e.Salt[:]); err != nil {
		return err
	}
	b, err := e.Marshal()
	if err != nil {
		return err
	}
	l.prev = audit.LeafHash(b)
	l.tree.Append(l.prev)
	l.pending = append(l.pending, b)
	_, _ = l.lines.Write(b)
	if err := l.lines.WriteByte('\n'); err != nil || len(l.pending) < 1000 {
		return err
	}
	return l.commit(false)
}

// commit stores what is pending, with the checkpoint over all of it.
func (l *bigLog) commit(keep bool) error {
	note, err := l.checkpoint()
	if err != nil {
		return err
	}
	from := l.tree.Size() - int64(len(l.pending))
	err = l.store.Append(from, l.pending, note, keep, false)
	l.pending, l.head = l.pending[:0], note
	return err
}

func (l *bigLog) checkpoint() ([]byte, error) {
	c := audit.Checkpoint{Origin: bigOrigin, Size: l.tree.Size(), Root: l.tree.Root()}
	return l.key.SignNote(c.Text())
}

// write writes the whole log. The last step takes what does not divide.
func (l *bigLog) write(size int64, steps int) error {
	sum := sha256.Sum256(l.script)
	open := &audit.LogOpen{
		Format: audit.FormatVersion, Origin: bigOrigin, Mode: audit.ModeRehearsal, LogKey: l.key.VerifierKey(),
		Script: audit.File{Name: bundle.ScriptFile, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(l.script))},
		Title:  "Long", Organisation: "Example Trust", Place: "Room 1", Purpose: "To be measured.",
		Participants: bigPeople, Plan: bigPlan(steps),
	}
	heard := sha256.Sum256([]byte(open.LogKey))
	err := errors.Join(l.add("", open), l.add("", &audit.KeyRead{LogKey: open.LogKey, Words: strings.Join(audit.Words(heard[:]), " "), People: []string{"wil"}}))
	each := (size - 3) / int64(steps)
	for i := 0; i < steps && err == nil; i++ {
		end := l.tree.Size() + each
		if i == steps-1 {
			end = size - 1
		}
		err = l.step(i, steps, open.Plan[i], end)
	}
	if err != nil {
		return err
	}
	if err := l.add("", &audit.Close{Result: "complete", Size: size}); err != nil {
		return err
	}
	return l.commit(true)
}

// step writes one step, up to the log's size end.
func (l *bigLog) step(i, of int, p audit.PlanStep, end int64) error {
	begin := []audit.Data{
		&audit.StepBegin{StepKind: p.Kind, Title: p.Title, Number: i + 1, Of: of, Attempt: 1, Actor: "ada", Witnesses: []string{"wil"}, Say: bigText, Watch: "The screen."},
		&audit.Ack{Person: "ada", As: "actor", What: "Go on?", Typed: "AE"},
	}
	if i == 0 {
		for _, who := range bigPeople {
			begin = append(begin, &audit.Attendance{Person: who.ID, Name: who.Name, Roles: who.Roles, Present: true, Identity: "passport"})
		}
	}
	for _, d := range begin {
		if err := l.add(p.ID, d); err != nil {
			return err
		}
	}
	for l.tree.Size() < end-2 {
		if err := l.ask(p.ID, end-2); err != nil {
			return err
		}
	}
	err := errors.Join(l.add(p.ID, &audit.Ack{Person: "wil", As: "witness", What: "I have seen this done", Typed: "WM"}), l.add(p.ID, &audit.StepEnd{Result: "done"}))
	if err != nil {
		return err
	}
	return l.commit(true)
}

// ask writes a call and its outcome, if both end before the size end, and a
// result.
func (l *bigLog) ask(step string, end int64) error {
	if n := l.tree.Size(); n+2 <= end {
		intent := &audit.HSMIntent{Function: "C_GetSessionInfo", Session: "1234567890"}
		outcome := &audit.HSMOutcome{Intent: n, Function: "C_GetSessionInfo", RV: "CKR_OK", Micros: 41, State: "CKS_RW_USER_FUNCTIONS"}
		if err := errors.Join(l.add(step, intent), l.add(step, outcome)); err != nil {
			return err
		}
	}
	if l.tree.Size() == end {
		return nil
	}
	return l.add(step, &audit.Result{Name: "state of the session", Value: "read and write, and the user is logged in, as the script expects"})
}

// finish writes the other files of the bundle.
func (l *bigLog) finish(dir string) error {
	for _, f := range []struct {
		name string
		b    []byte
	}{
		{bundle.ScriptFile, l.script}, {bundle.CheckpointFile, l.head}, {bundle.LogKeyFile(0), []byte(l.key.VerifierKey() + "\n")},
	} {
		if err := bundle.WriteNew(dir, f.name, f.b); err != nil {
			return err
		}
	}
	return seal(dir, l.key, bigOrigin, l.tree.Size(), l.tree.Root())
}

// seal writes SHA256SUMS and the manifest.
func seal(dir string, key *audit.LogKey, origin string, size int64, root audit.Hash) error {
	sums, err := bundle.Sums(dir)
	if err != nil {
		return err
	}
	if err := bundle.WriteNew(dir, bundle.SumsFile, sums); err != nil {
		return err
	}
	manifest, err := key.SignNote(bundle.ManifestNote(origin, size, root, sha256.Sum256(sums)))
	if err != nil {
		return err
	}
	return bundle.WriteNew(dir, bundle.ManifestFile, manifest)
}
