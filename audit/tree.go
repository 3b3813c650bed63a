package audit

import (
	"crypto/sha256"
	"fmt"
	"math/bits"
)

// A Frontier is the right edge of an RFC 6962 section 2.1 Merkle tree: what it
// takes to append leaves and to know the root, at most 63 hashes for any size.
// The zero Frontier is the empty tree. A copy is independent of the original.
type Frontier struct {
	size  int64
	nodes [63]Hash // nodes[i] is the root of a full tree of 2^i leaves, if bit i of size is set
}

// Append adds a leaf, which must be a leaf hash already ([LeafHash]).
func (f *Frontier) Append(leaf Hash) { f.AppendTree(0, leaf) }

// AppendTree adds the full tree of 2^level leaves whose root is given. The size
// must be a multiple of 2^level: AppendTree panics if it is not.
func (f *Frontier) AppendTree(level int, root Hash) {
	if f.size&(1<<level-1) != 0 {
		panic(fmt.Sprintf("audit: a tree of 2^%d leaves after %d", level, f.size))
	}
	at := level + bits.TrailingZeros64(^uint64(f.size>>level))
	for _, left := range f.nodes[level:at] {
		root = NodeHash(left, root)
	}
	f.nodes[at] = root
	f.size += 1 << level
}

// Size returns the number of leaves.
func (f *Frontier) Size() int64 { return f.size }

// Root returns the tree's root hash; that of the empty tree is SHA-256 of
// nothing.
func (f *Frontier) Root() Hash {
	if f.size == 0 {
		return sha256.Sum256(nil)
	}
	level := bits.TrailingZeros64(uint64(f.size))
	root := f.nodes[level]
	for i := level + 1; f.size>>i > 0; i++ {
		if f.size>>i&1 == 1 {
			root = NodeHash(f.nodes[i], root)
		}
	}
	return root
}

// NodeHash returns SHA-256(0x01 ‖ left ‖ right), the RFC 6962 hash of an inner
// node.
func NodeHash(left, right Hash) Hash {
	var b [1 + 2*HashSize]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+HashSize:], right[:])
	return sha256.Sum256(b[:])
}
