package ceremony

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
)

// A Rollback means that somebody in the room noted a head that the log on disk
// never had: it is older than what they saw, or another log. Nothing was written.
type Rollback struct {
	Person string // as shown
	Typed  string
	Size   int64 // entries on disk
	Head   audit.Hash
}

// Error tells the room what it means.
func (e *Rollback) Error() string {
	return fmt.Sprintf("ROLLBACK: %s noted the head %q, and the log on disk never had it. It has %d entries and the head %s (%s). It is older than what was seen, or another log was put here. Nothing was written; keep the machine and its disk as they are",
		e.Person, e.Typed, e.Size, e.Head, words(e.Head[:4])+" …")
}

// What the room compared the head on disk with.
const (
	seenTyped   = "typed"         // a quorum typed the head on disk
	seenEarlier = "earlier"       // a quorum typed heads of this log, some of them earlier ones
	seenNothing = "not available" // fewer people had noted one
)

// headTries is how often a head can be mistyped before it counts as another one.
const headTries = 3

// A comparison is what came of comparing the head on disk with people's notes.
type comparison struct {
	seen   string
	typed  []string
	misses []string // who first typed something else
}

// compareHead has those who were there type the head that they noted, before
// the one on disk is shown and before anything is written. Two people, one of
// them a witness where the ceremony has one, make it certain.
func (r *Runner) compareHead(size int64, root audit.Hash, reason string) (*comparison, error) {
	s := r.outside("resume")
	r.Room.Show(room.Text{Text: fmt.Sprintf("This ceremony is resumed after a %s. The log on disk has %d entries. Nothing has been written yet. Before its head is shown, each of you types the head that you noted.", reason, size)})
	c := &comparison{typed: []string{}}
	earlier, witness := false, false
	for _, id := range r.comparers(s.Step.Actor) {
		fits, err := r.typedHead(s, c, id, size, root)
		if err != nil {
			return nil, err
		}
		if fits >= 0 {
			c.typed = append(c.typed, id)
			earlier = earlier || fits < size
			p := r.Script.Participant(id)
			witness = witness || p != nil && p.IsWitness()
		}
	}
	switch {
	case len(c.typed) < 2 && r.state.RollCall, len(c.typed) == 0, r.state.RollCall && !witness && r.hasWitness():
		c.seen = seenNothing
	case earlier:
		c.seen = seenEarlier
	default:
		c.seen = seenTyped
	}
	return c, nil
}

// comparers are the actor, and the witnesses who were present.
func (r *Runner) comparers(actor string) []string {
	list := []string{actor}
	for _, id := range r.presentPeople() {
		if p := r.Script.Participant(id); p.IsWitness() && id != actor {
			list = append(list, id)
		}
	}
	return list
}

// hasWitness reports whether somebody with a witness's role was present.
func (r *Runner) hasWitness() bool {
	return slices.ContainsFunc(r.presentPeople(), func(id string) bool { return r.Script.Participant(id).IsWitness() })
}

// typedHead asks a person for the head that they noted. It returns the size at
// which the log had it, -1 if the person noted none.
func (r *Runner) typedHead(s *Session, c *comparison, id string, size int64, root audit.Hash) (int64, error) {
	question := "Type the head that you noted at the break (its first words or hex digits, at least four words), or 'none' if you noted none"
	for n := 1; ; n++ {
		v, err := s.AskOnly(id, "head", question)
		if err != nil {
			return -1, err
		}
		if strings.EqualFold(v, "none") {
			return -1, nil
		}
		at, err := r.notedAt(v)
		switch {
		case err != nil:
			return -1, err
		case at == size:
			return at, nil
		case at >= 0:
			r.Room.Show(room.Warning{Text: fmt.Sprintf("That is the head that this log had at %d entries. %d entries were written after it; nobody's note speaks of those.", at, size-at)})
			return at, nil
		case n == headTries:
			return -1, &Rollback{Person: r.Script.Shown(id), Typed: v, Size: size, Head: root}
		}
		if !slices.Contains(c.misses, id) {
			c.misses = append(c.misses, id)
		}
		r.Room.Show(room.Warning{Text: fmt.Sprintf("What was typed is not the head on disk, nor one that this log had before. If the note is right, the log was ROLLED BACK or exchanged: do not go on. Look for a slip of the pen and type it again (try %d of %d), or type ! to stop here.", n+1, headTries)})
	}
}

// notedAt returns the largest size at which the log had the head that was
// typed, -1 if it never had.
func (r *Runner) notedAt(typed string) (int64, error) {
	at := int64(-1)
	err := r.heads(func(p audit.Checkpoint) bool {
		if p.Size > 0 && noted(typed, p.Root) {
			at = p.Size
		}
		return true
	})
	return at, err
}

// noted reports whether what was typed is a beginning of the head, as at least
// four words or sixteen hex digits.
func noted(typed string, root audit.Hash) bool {
	hex := strings.ToLower(strings.Join(strings.Fields(typed), ""))
	if len(hex) >= 16 && strings.HasPrefix(root.String(), hex) {
		return true
	}
	b, err := audit.ParseWords(typed)
	return err == nil && len(b) >= 4 && strings.HasPrefix(string(root[:]), string(b))
}
