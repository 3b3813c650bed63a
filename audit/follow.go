package audit

import (
	"errors"
	"fmt"
)

// A Follower checks a log while it grows: every entry's form and place, every
// link of the chain, and at each look the checkpoint's size, root and signature
// by the key that the entries name. It remembers what it saw: a log that became
// shorter or another one is an error. The zero value has seen nothing.
//
// Whether a log key is the one that the room heard is for the caller.
type Follower struct {
	chain  chain
	origin string
	head   Checkpoint
}

// A Followed is an entry that a follower checked, and the root of the log that
// ends with it.
type Followed struct {
	Entry   *Entry
	Encoded []byte
	Root    Hash
}

// ErrRolledBack means that a log is shorter than it was, or another one.
var ErrRolledBack = errors.New("the log was rolled back or exchanged")

// Head returns the last checkpoint that checked, the zero value before that.
func (f *Follower) Head() Checkpoint { return f.head }

// Look reads what was added since the last look and returns it, checked. An
// empty log gives nothing. After an error, which names the entry where it is
// about one, the follower has seen nothing of what was added.
func (f *Follower) Look(s Store) ([]Followed, error) {
	note, err := s.Head()
	if err != nil || note == nil && f.chain.tree.Size() == 0 {
		return nil, err
	}
	if note == nil {
		return nil, fmt.Errorf("it is empty and had %d entries: %w", f.chain.tree.Size(), ErrRolledBack)
	}
	c := f.chain
	var list []Followed
	if err := s.Entries(c.tree.Size(), func(seq int64, encoded []byte) error {
		e, err := c.follow(seq, encoded)
		if err == nil {
			list = append(list, Followed{Entry: e, Encoded: encoded, Root: c.tree.Root()})
		}
		return err
	}); err != nil {
		return nil, err
	}
	head, err := f.signed(&c, note)
	if err != nil {
		return nil, err
	}
	f.chain, f.head, f.origin = c, head, head.Origin
	return list, nil
}

// follow adds an entry to the chain. A new segment must carry the checkpoint of
// what is before it, signed by the key before.
func (c *chain) follow(seq int64, encoded []byte) (*Entry, error) {
	before := *c
	if before.last == (*Close)(nil).Kind() {
		return nil, fmt.Errorf("entry %d: it comes after the close", seq)
	}
	if err := c.add(seq, encoded); err != nil {
		return nil, err
	}
	e, err := Parse(encoded)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", seq, err)
	}
	d, ok := e.Data.(*SegmentOpen)
	if !ok {
		return e, nil
	}
	p, err := OpenCheckpoint([]byte(d.Checkpoint), before.vkey)
	if err != nil {
		return nil, fmt.Errorf("entry %d: the checkpoint that the segment goes on from: %w", seq, err)
	}
	if p.Size != before.tree.Size() || p.Root != before.tree.Root() {
		return nil, fmt.Errorf("entry %d: the segment goes on from another log than the entries before it (%d entries, root %s)", seq, p.Size, p.Root)
	}
	return e, nil
}

// signed checks the current checkpoint against the chain.
func (f *Follower) signed(c *chain, note []byte) (Checkpoint, error) {
	if c.vkey == "" {
		return Checkpoint{}, errors.New("checking the log's signature: no entry names a log key")
	}
	head, err := OpenCheckpoint(note, c.vkey)
	if err != nil {
		return head, fmt.Errorf("checking the log's signature after entry %d: %w", c.tree.Size()-1, err)
	}
	switch {
	case head.Size < f.head.Size, f.origin != "" && head.Origin != f.origin:
		return head, fmt.Errorf("it had %d entries and the origin %s, now it has %d and %s: %w", f.head.Size, f.origin, head.Size, head.Origin, ErrRolledBack)
	case head.Size != c.tree.Size():
		return head, fmt.Errorf("the checkpoint is for %d entries, but there are %d", head.Size, c.tree.Size())
	case head.Root != c.tree.Root():
		return head, fmt.Errorf("after entry %d: the checkpoint's root is %s, but that of the entries seen here is %s", head.Size-1, head.Root, c.tree.Root())
	}
	return head, nil
}
