package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// A Tree holds all hashes of a log's Merkle tree (RFC 6962 section 2.1), about
// 64 bytes an entry, so that proofs can be made. The zero Tree is empty.
type Tree struct {
	size   int64
	stored []tlog.Hash // in the order of tlog.StoredHashIndex
}

// Append adds a leaf, which must be a leaf hash already ([LeafHash]).
func (t *Tree) Append(leaf Hash) {
	hashes, err := tlog.StoredHashesForRecordHash(t.size, tlog.Hash(leaf), tlog.HashReaderFunc(t.read))
	if err != nil {
		panic("audit: a tree in memory cannot be read: " + err.Error())
	}
	t.stored = append(t.stored, hashes...)
	t.size++
}

// Size returns the number of leaves.
func (t *Tree) Size() int64 { return t.size }

// read returns stored hashes by their indexes.
func (t *Tree) read(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		hashes[i] = t.stored[n]
	}
	return hashes, nil
}

// Inclusion returns the proof that entry n is in the tree of the first size
// entries (RFC 6962 section 2.1.1): hashes from the leaf's sibling up.
func (t *Tree) Inclusion(n, size int64) ([]Hash, error) {
	if n < 0 || n >= size || size > t.size {
		return nil, fmt.Errorf("proving entry %d in the first %d of a log of %d entries: no such entry", n, size, t.size)
	}
	p, err := tlog.ProveRecord(size, n, tlog.HashReaderFunc(t.read))
	if err != nil {
		return nil, fmt.Errorf("proving entry %d in the first %d: %w", n, size, err)
	}
	return hashes(p), nil
}

// Consistency returns the proof that the tree of the first old entries is a
// beginning of the tree of the first size entries (RFC 6962 section 2.1.2). It
// has no hashes if the two are the same or old is 0.
func (t *Tree) Consistency(old, size int64) ([]Hash, error) {
	if old < 0 || old > size || size > t.size {
		return nil, fmt.Errorf("proving that %d entries are a beginning of the first %d of a log of %d: no such sizes", old, size, t.size)
	}
	if old == 0 {
		return nil, nil
	}
	p, err := tlog.ProveTree(size, old, tlog.HashReaderFunc(t.read))
	if err != nil {
		return nil, fmt.Errorf("proving that %d entries are a beginning of the first %d: %w", old, size, err)
	}
	return hashes(p), nil
}

// CheckInclusion returns nil if proof shows that the entry of that leaf hash is
// entry n of the log that c speaks of.
func CheckInclusion(proof []Hash, c Checkpoint, n int64, leaf Hash) error {
	if err := tlog.CheckRecord(tlogHashes(proof), c.Size, tlog.Hash(c.Root), n, tlog.Hash(leaf)); err != nil {
		return fmt.Errorf("checking that an entry is number %d of a log of %d entries: %w", n, c.Size, err)
	}
	return nil
}

// CheckConsistency returns nil if proof shows that a log of old entries with
// the root oldRoot is a beginning of the log that c speaks of. Every log begins
// with the empty one; its proof has no hashes, its root is SHA-256 of nothing.
func CheckConsistency(proof []Hash, c Checkpoint, old int64, oldRoot Hash) error {
	if old == 0 {
		if len(proof) > 0 || oldRoot != new(Frontier).Root() {
			return fmt.Errorf("checking the beginning of a log of %d entries: hashes for the empty log", c.Size)
		}
		return nil
	}
	if err := tlog.CheckTree(tlogHashes(proof), c.Size, tlog.Hash(c.Root), old, tlog.Hash(oldRoot)); err != nil {
		return fmt.Errorf("checking that %d entries are a beginning of a log of %d entries: %w", old, c.Size, err)
	}
	return nil
}

func hashes(list []tlog.Hash) []Hash {
	out := make([]Hash, len(list))
	for i, h := range list {
		out[i] = Hash(h)
	}
	return out
}

func tlogHashes(list []Hash) []tlog.Hash {
	out := make([]tlog.Hash, len(list))
	for i, h := range list {
		out[i] = tlog.Hash(h)
	}
	return out
}
