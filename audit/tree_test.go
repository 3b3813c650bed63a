package audit_test

import (
	"crypto/sha256"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keyrite/keyrite/audit"
)

// All sizes from 0 to 300 against golang.org/x/mod/sumdb/tlog.
func TestFrontier(t *testing.T) {
	var f audit.Frontier
	if f.Root() != sha256.Sum256(nil) {
		t.Errorf("the empty root is %v", f.Root())
	}
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		list := make([]tlog.Hash, len(at))
		for i, n := range at {
			list[i] = stored[n]
		}
		return list, nil
	})
	for n := range int64(301) {
		want, err := tlog.TreeHash(n, read)
		if err != nil {
			t.Fatal(err)
		}
		if f.Size() != n || n > 0 && f.Root() != audit.Hash(want) {
			t.Fatalf("size %d: Frontier has %d leaves and root %v, tlog %v", n, f.Size(), f.Root(), want)
		}
		record := []byte{byte(n), byte(n >> 8)}
		hashes, err := tlog.StoredHashes(n, record, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
		if audit.LeafHash(record) != audit.Hash(tlog.RecordHash(record)) {
			t.Fatalf("leaf hash of %x differs", record)
		}
		f.Append(audit.LeafHash(record))
	}
}

func TestFrontierCopy(t *testing.T) {
	var a audit.Frontier
	for i := range 5 {
		a.Append(audit.Hash{byte(i)})
	}
	b, before := a, a.Root()
	b.Append(audit.Hash{7})
	if a.Root() != before || a.Size() != 5 || b.Size() != 6 {
		t.Error("appending to a copy changed the original")
	}
}

// A tree that is grown by subtrees is the one grown by leaves.
func TestAppendTree(t *testing.T) {
	var byLeaves audit.Frontier
	roots := map[int64]audit.Hash{}
	leaf := func(i int64) audit.Hash { return audit.Hash{byte(i), byte(i >> 8)} }
	for i := range int64(260) {
		byLeaves.Append(leaf(i))
		roots[byLeaves.Size()] = byLeaves.Root()
	}
	for level := range 5 {
		var f audit.Frontier
		for f.Size()+1<<level <= 260 {
			var sub audit.Frontier
			for i := range int64(1) << level {
				sub.Append(leaf(f.Size() + i))
			}
			if f.AppendTree(level, sub.Root()); f.Root() != roots[f.Size()] {
				t.Fatalf("by trees of 2^%d: the root over %d leaves differs", level, f.Size())
			}
		}
		f.Append(leaf(f.Size()))
		func() {
			defer func() {
				if recover() == nil && level > 0 {
					t.Errorf("a tree of 2^%d leaves was appended to %d", level, f.Size())
				}
			}()
			f.AppendTree(level, audit.Hash{})
		}()
	}
}
