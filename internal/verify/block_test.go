package verify

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

// TestGrow: a tree grown from stretches, wherever they begin and however far it
// is asked for, is the one of all the entries.
func TestGrow(t *testing.T) {
	for _, cuts := range [][]int64{{0, 1024, 2048}, {0, 1000, 1024, 1025, 2048, 2500}, {0, 3, 700, 1024, 2047, 2048}, {0, 1024, 1500}} {
		var want, got audit.Frontier
		for k := 1; k < len(cuts); k++ {
			s := new(stretch)
			s.reset(cuts[k-1])
			for n := cuts[k-1]; n < cuts[k]; n++ {
				s.add([]byte(fmt.Sprint("entry ", n)))
			}
			s.parse(audit.NewParser())
			for n := cuts[k-1]; n < cuts[k]; n++ {
				want.Append(audit.LeafHash([]byte(fmt.Sprint("entry ", n))))
				if n%7 != 0 && n%100 != 13 && n != cuts[k]-1 {
					continue // not everywhere is a root asked for
				}
				if s.grow(&got, n+1); got.Size() != n+1 || got.Root() != want.Root() {
					t.Fatalf("cut at %v: the root over %d entries differs", cuts, n+1)
				}
			}
		}
	}
}

// TestReader: whatever the size of the entries, the blocks hold each of them
// once, in order, and are bounded.
func TestReader(t *testing.T) {
	for _, size := range []int{1, 300, 5000, audit.MaxEntry} {
		var text strings.Builder
		count := min(3000, 6<<20/size)
		for n := range count {
			fmt.Fprintf(&text, "%0*d\n", size, n%10)
		}
		lines := newLineReader(strings.NewReader(text.String()))
		r := newReader(lines, nil, maxEntries, false)
		next := int64(0)
		for b := range r.start() {
			<-b.ready
			if b.from != next || b.rows.at(next) != nil || len(b.findings) > 0 || len(b.lines.bytes) > blockBytes+audit.MaxEntry || len(b.lines.read) > blockEntries {
				t.Fatalf("entries of %d bytes: a block from %d (want %d) with %d entries of %d bytes, findings %v", size, b.from, next, len(b.lines.read), len(b.lines.bytes), b.findings)
			}
			for ; next < b.to(); next++ {
				want := []byte(fmt.Sprintf("%0*d", size, next%10))
				if e := b.lines.at(next); e.leaf != audit.LeafHash(want) || e.err == nil || e.size != size {
					t.Fatalf("entries of %d bytes: entry %d is not what was written", size, next)
				}
			}
			r.free <- b
		}
		if next != int64(count) {
			t.Errorf("entries of %d bytes: %d were read, not %d", size, next, count)
		}
	}
}

// TestReaderFloods: a file that is wrong in every line fills no memory.
func TestReaderFloods(t *testing.T) {
	long := append(bytes.Repeat([]byte{'x'}, 2*audit.MaxEntry+1), '\n')
	lines := newLineReader(bytes.NewReader(bytes.Repeat(long, 300)))
	r := newReader(lines, nil, maxEntries, false)
	found, blocks := 0, 0
	for b := range r.start() {
		<-b.ready
		if len(b.findings) > blockFindings {
			t.Fatalf("%d findings in one block", len(b.findings))
		}
		found += len(b.findings)
		blocks++
		r.free <- b
	}
	if found != 300 || blocks < 2 {
		t.Errorf("%d lines too long in %d blocks", found, blocks)
	}
}
