package audit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// ErrHidden means that an entry stands as its hash alone, in a redacted copy of
// a log.
var ErrHidden = errors.New("the entry is hidden in this copy of the log")

// ProveEntry proves that entry n is in a log: in the tree of its current
// checkpoint. Of a redacted copy, an entry that is hidden cannot be proved
// ([ErrHidden]); the others can.
func ProveEntry(s Store, n int64) (*Proof, error) {
	p := &Proof{Index: n}
	tree, err := readTree(s, func(seq int64, encoded []byte) error {
		if seq != n {
			return nil
		}
		if _, hidden := ParseHidden(encoded); hidden {
			return fmt.Errorf("proving entry %d: %w", n, ErrHidden)
		}
		p.Entry = bytes.Clone(encoded)
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.Checkpoint = tree.note
	p.Hashes, err = tree.Inclusion(n, tree.Size())
	return p, err
}

// ProveGrowth proves that a log begins with its first old entries as they were:
// that the tree of its current checkpoint is one that grew from theirs.
func ProveGrowth(s Store, old int64) (*ConsistencyProof, error) {
	tree, err := readTree(s, func(int64, []byte) error { return nil })
	if err != nil {
		return nil, err
	}
	p := &ConsistencyProof{Old: old, Checkpoint: tree.note}
	p.Hashes, err = tree.Consistency(old, tree.Size())
	return p, err
}

// A signedTree is a log's tree with its current checkpoint.
type signedTree struct {
	Tree
	note []byte
}

// readTree reads a log's tree, which must be that of its current checkpoint, and
// calls f for each entry. Nothing else is checked.
func readTree(s Store, f func(seq int64, encoded []byte) error) (*signedTree, error) {
	t := new(signedTree)
	var frontier Frontier
	err := s.Entries(0, func(seq int64, encoded []byte) error {
		leaf := StatedHash(encoded)
		t.Append(leaf)
		frontier.Append(leaf)
		return f(seq, encoded)
	})
	if err != nil {
		return nil, err
	}
	if t.note, err = s.Head(); err != nil {
		return nil, err
	}
	if t.note == nil {
		return nil, errors.New("proving: the log is empty")
	}
	c, err := readCheckpoint(t.note)
	if err != nil {
		return nil, err
	}
	if c.Size != t.Size() || c.Root != frontier.Root() {
		return nil, fmt.Errorf("proving: the log's checkpoint, for %d entries with root %s, is not that of its %d entries, with root %s", c.Size, c.Root, t.Size(), frontier.Root())
	}
	return t, nil
}

// MergeCosignatures returns a checkpoint's signed note with those cosignature
// lines of another note of the same checkpoint that it does not have yet, by
// keys that it has none of. Nobody verifies them. A note of another checkpoint
// is an error.
func MergeCosignatures(b, other []byte) ([]byte, error) {
	c, have, err := Cosignatures(b)
	if err != nil {
		return nil, err
	}
	d, more, err := Cosignatures(other)
	if err != nil {
		return nil, err
	}
	if c != d {
		return nil, fmt.Errorf("merging cosignatures: one checkpoint is of %d entries of %s, the other of %d of %s", c.Size, c.Origin, d.Size, d.Origin)
	}
	out := bytes.Clone(b)
	for _, cosig := range more {
		if slices.ContainsFunc(have, func(x Cosignature) bool { return x.Name == cosig.Name && x.KeyHash == cosig.KeyHash }) {
			continue
		}
		have = append(have, cosig)
		out = append(append(out, cosig.Line()...), '\n')
	}
	if _, err := readCheckpoint(out); err != nil {
		return nil, fmt.Errorf("merging cosignatures: %w", err)
	}
	return out, nil
}
