package audit

import (
	"fmt"
)

// A chain is a log as read from its entries alone: what the next entry must
// continue.
type chain struct {
	tree Frontier
	prev Hash   // leaf hash of the last entry
	last string // kind of the last entry; "" for none
	vkey string // log key that the last log-open or segment-open entry names
}

// add reads the next entry and checks that it continues the chain.
func (c *chain) add(seq int64, encoded []byte) error {
	e, err := Parse(encoded)
	if err != nil {
		return fmt.Errorf("entry %d: %w", seq, err)
	}
	if seq != c.tree.Size() || e.Seq != seq {
		return fmt.Errorf("entry %d: it is stored at %d and says it is %d", c.tree.Size(), seq, e.Seq)
	}
	if e.Prev != c.prev {
		return fmt.Errorf("entry %d: prev is %s, but the entry before has the hash %s", seq, e.Prev, c.prev)
	}
	c.advance(e, LeafHash(encoded))
	return nil
}

// advance takes in an entry that is known to continue the chain.
func (c *chain) advance(e *Entry, leaf Hash) {
	c.tree.Append(leaf)
	c.prev = leaf
	c.last = e.Kind()
	switch d := e.Data.(type) {
	case *LogOpen:
		c.vkey = d.LogKey
	case *SegmentOpen:
		c.vkey = d.LogKey
	}
}

// readChain reads a whole store and checks it against its current checkpoint:
// every entry's form and place, every link, the size, the root. The signature
// is not checked.
func readChain(s Store) (*chain, []byte, Checkpoint, error) {
	c := new(chain)
	if err := s.Entries(0, c.add); err != nil {
		return nil, nil, Checkpoint{}, fmt.Errorf("reading the log: %w", err)
	}
	note, err := s.Head()
	if err != nil {
		return nil, nil, Checkpoint{}, fmt.Errorf("reading the log's checkpoint: %w", err)
	}
	if note == nil {
		return nil, nil, Checkpoint{}, fmt.Errorf("reading the log: no checkpoint for %d entries", c.tree.Size())
	}
	head, err := readCheckpoint(note)
	if err != nil {
		return nil, nil, Checkpoint{}, err
	}
	if head.Size != c.tree.Size() {
		return nil, nil, Checkpoint{}, fmt.Errorf("reading the log: its checkpoint is for %d entries, but there are %d", head.Size, c.tree.Size())
	}
	if head.Root != c.tree.Root() {
		return nil, nil, Checkpoint{}, fmt.Errorf("reading the log: its checkpoint's root is %s, but that of the entries is %s", head.Root, c.tree.Root())
	}
	return c, note, head, nil
}

// CheckStore reads a whole store and checks all that a log can show of itself:
// every entry's form and place, every link of the chain, the current
// checkpoint's size and root, and that the checkpoint is signed by the key
// which the last log-open or segment-open entry names. It returns what the
// checkpoint says. Whether that key is the one the room heard is for the
// caller.
func CheckStore(s Store) (Checkpoint, error) {
	c, note, head, err := readChain(s)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.vkey == "" {
		return Checkpoint{}, fmt.Errorf("checking the log's signature: no entry names a log key")
	}
	if _, err := OpenCheckpoint(note, c.vkey); err != nil {
		return Checkpoint{}, fmt.Errorf("checking the log's signature: %w", err)
	}
	return head, nil
}
