package verify

import "github.com/keyrite/keyrite/audit"

// A log is read in blocks. One goroutine reads the bytes of both stores and
// compares them; as many as there are processors parse and hash the entries of
// one block each; one takes the blocks in their order and draws conclusions.
// What is in memory is a handful of blocks, however long the log is.

const (
	// blockEntries is the most entries of a block. It is a power of two, so that
	// the entries of a block that begins at a multiple of it are a subtree.
	blockEntries = 1024
	// blockBytes ends a block with the entry that reaches it.
	blockBytes = 1 << 20
	// blockFindings ends a block that is full of what is wrong with the files.
	blockFindings = 256
)

// A block is a part of the log as both stores have it.
type block struct {
	from  int64 // number of the first entry
	lines stretch
	rows  stretch
	// apart is the number of the entry at which the stores part, −1 for none:
	// before it the entries of both are those in lines.
	apart    int64
	findings []Finding // about the files' form
	notes    []keptNote
	noteSize int
	end      *ending       // only of the last block
	ready    chan struct{} // closed when the entries are read
}

// A keptNote is a checkpoint that is kept in the database.
type keptNote struct {
	after int64 // the entry after which it was met
	size  int64
	note  []byte
}

// An ending is what is known when the database was read to its end.
type ending struct {
	head []byte // nil for none
}

// newBlock returns an empty block. A large one has room for one store's entries
// of usual size: nearly always that is all it takes.
func newBlock(large bool) *block {
	b := new(block)
	if !large {
		return b
	}
	b.lines = stretch{
		bytes: make([]byte, 0, 320*blockEntries), ends: make([]int, 0, blockEntries), read: make([]entryRead, 0, blockEntries),
	}
	for n := blockEntries; n > 0; n /= 2 {
		b.lines.levels = append(b.lines.levels, make([]audit.Hash, 0, n))
	}
	return b
}

// reset makes a block ready for entries from a number on.
func (b *block) reset(from int64) {
	b.from, b.apart, b.end = from, -1, nil
	b.lines.reset(from)
	b.rows.reset(from)
	clear(b.notes)
	b.findings, b.notes, b.noteSize = b.findings[:0], b.notes[:0], 0
	b.ready = make(chan struct{})
}

// to returns the number of the entry behind the last, once the entries are
// read.
func (b *block) to() int64 {
	return max(b.lines.from+int64(len(b.lines.read)), b.rows.from+int64(len(b.rows.read)))
}

// A stretch is the entries of a block as one store has them.
type stretch struct {
	from   int64
	bytes  []byte // the entries, one after the other
	ends   []int  // where each of them ends
	read   []entryRead
	levels [][]audit.Hash // roots of the full subtrees of 2^i entries, by level i
}

// An entryRead is an entry after it was parsed and hashed.
type entryRead struct {
	entry *audit.Entry // nil if err says why
	err   error
	leaf  audit.Hash
	size  int

	hidden *audit.Hidden // what stands in the place of one that is hidden; nil if none is
}

func (s *stretch) reset(from int64) {
	s.from, s.bytes, s.ends = from, s.bytes[:0], s.ends[:0]
	clear(s.read) // the entries are garbage now
	s.read = s.read[:0]
	for i := range s.levels {
		s.levels[i] = s.levels[i][:0]
	}
}

// add takes a copy of an entry's bytes.
func (s *stretch) add(b []byte) {
	s.bytes = append(s.bytes, b...)
	s.ends = append(s.ends, len(s.bytes))
}

// at returns entry n, nil if it is not in the stretch.
func (s *stretch) at(n int64) *entryRead {
	if n < s.from || n >= s.from+int64(len(s.read)) {
		return nil
	}
	return &s.read[n-s.from]
}

// parse reads the entries and computes the subtrees' roots.
func (s *stretch) parse(p *audit.Parser) {
	at := 0
	if len(s.levels) == 0 {
		s.levels = make([][]audit.Hash, 1)
	}
	for _, end := range s.ends {
		b := s.bytes[at:end]
		r := entryRead{leaf: audit.LeafHash(b), size: len(b)}
		if r.entry, r.err = p.Parse(b); r.err != nil {
			if h, ok := audit.ParseHidden(b); ok {
				r.err, r.hidden, r.leaf = nil, &h, h.Hash
			}
		}
		s.read = append(s.read, r)
		s.levels[0] = append(s.levels[0], r.leaf)
		at = end
	}
	if s.from%blockEntries != 0 {
		return // its subtrees belong to more than this block
	}
	for i := 0; len(s.levels[i]) > 1; i++ {
		if i+1 == len(s.levels) {
			s.levels = append(s.levels, nil)
		}
		for k := 1; k < len(s.levels[i]); k += 2 {
			s.levels[i+1] = append(s.levels[i+1], audit.NodeHash(s.levels[i][k-1], s.levels[i][k]))
		}
	}
}

// grow appends the stretch's entries to a tree, up to a size. The tree ends in
// the stretch or directly before it.
func (s *stretch) grow(tree *audit.Frontier, to int64) {
	for tree.Size() < to {
		at := tree.Size() - s.from
		level := 0
		for level+1 < len(s.levels) && at%(2<<level) == 0 && tree.Size()+2<<level <= to && int(at>>(level+1)) < len(s.levels[level+1]) {
			level++
		}
		tree.AppendTree(level, s.levels[level][at>>level])
	}
}
