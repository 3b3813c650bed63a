// Package storetest helps to test what writes and reads a log: a store in
// memory, a store that fails on demand, and the suite that every store passes.
package storetest

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"sync"

	"github.com/keyrite/keyrite/audit"
)

// A Memory is a store in memory. The zero Memory is an empty store. Closing it
// does nothing, so that a log can be opened again on it.
type Memory struct {
	mu      sync.Mutex
	entries [][]byte
	head    []byte
	kept    []kept
	syncs   int
	durable int
}

type kept struct {
	size int64
	note []byte
}

// Append implements [audit.Store].
func (m *Memory) Append(from int64, entries [][]byte, checkpoint []byte, keep, sync bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if from != int64(len(m.entries)) {
		return audit.ErrConflict
	}
	for _, e := range entries {
		m.entries = append(m.entries, bytes.Clone(e))
	}
	m.head = bytes.Clone(checkpoint)
	size := int64(len(m.entries))
	if keep && !slices.ContainsFunc(m.kept, func(k kept) bool { return k.size == size }) {
		m.kept = append(m.kept, kept{size, m.head})
	}
	if sync {
		m.syncs++
		m.durable = len(m.entries)
	}
	return nil
}

// Keep implements [audit.Store].
func (m *Memory) Keep(size int64, checkpoint []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, found := slices.BinarySearchFunc(m.kept, size, func(k kept, size int64) int { return cmp.Compare(k.size, size) })
	if found && !bytes.Equal(m.kept[at].note, checkpoint) {
		return audit.ErrKept
	}
	if !found {
		m.kept = slices.Insert(m.kept, at, kept{size, bytes.Clone(checkpoint)})
	}
	m.syncs++
	m.durable = len(m.entries)
	return nil
}

// Entries implements [audit.Store].
func (m *Memory) Entries(from int64, f func(seq int64, encoded []byte) error) error {
	for seq := from; ; seq++ {
		m.mu.Lock()
		if seq >= int64(len(m.entries)) {
			m.mu.Unlock()
			return nil
		}
		e := bytes.Clone(m.entries[seq])
		m.mu.Unlock()
		if err := f(seq, e); err != nil {
			return err
		}
	}
}

// Head implements [audit.Store].
func (m *Memory) Head() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.head), nil
}

// Kept calls f for all checkpoints kept for good, by ascending size.
func (m *Memory) Kept(f func(size int64, checkpoint []byte) error) error {
	m.mu.Lock()
	list := slices.Clone(m.kept)
	m.mu.Unlock()
	for _, k := range list {
		if err := f(k.size, k.note); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [audit.Store].
func (m *Memory) Close() error { return nil }

// Syncs returns how many appends asked to be durable.
func (m *Memory) Syncs() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.syncs
}

// Durable returns how many entries were made durable.
func (m *Memory) Durable() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.durable
}

// Set replaces the bytes of an entry, or of the head for -1: what a hand at
// the disk would do.
func (m *Memory) Set(seq int64, b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq < 0 {
		m.head = b
		return
	}
	m.entries[seq] = b
}

// Truncate drops the entries from size on and leaves the head as it is.
func (m *Memory) Truncate(size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = m.entries[:size]
}

// A Fault is how an append goes wrong.
type Fault int

// The faults. After either the caller gets [ErrInjected].
const (
	None      Fault = iota
	Failed          // nothing was written
	Persisted       // all was written, and still an error came back
)

// ErrInjected is the error of an injected fault.
var ErrInjected = errors.New("injected fault")

// A Faulty is a store whose appends fail on demand.
type Faulty struct {
	audit.Store
	// At returns the fault of the n-th append, counted from 0; nil for none.
	At func(n int) Fault

	mu sync.Mutex
	n  int
}

// Append implements [audit.Store], with the fault of this append.
func (f *Faulty) Append(from int64, entries [][]byte, checkpoint []byte, keep, sync bool) error {
	return f.around(func() error { return f.Store.Append(from, entries, checkpoint, keep, sync) })
}

// Keep implements [audit.Store]. It counts as an append.
func (f *Faulty) Keep(size int64, checkpoint []byte) error {
	return f.around(func() error { return f.Store.Keep(size, checkpoint) })
}

func (f *Faulty) around(write func() error) error {
	f.mu.Lock()
	n := f.n
	f.n++
	f.mu.Unlock()
	fault := None
	if f.At != nil {
		fault = f.At(n)
	}
	if fault == Failed {
		return ErrInjected
	}
	if err := write(); err != nil {
		return err
	}
	if fault == Persisted {
		return ErrInjected
	}
	return nil
}

// Appends returns how many appends there were, failed ones included.
func (f *Faulty) Appends() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// Once returns an At that injects fault at append n alone.
func Once(n int, fault Fault) func(int) Fault {
	return func(i int) Fault {
		if i == n {
			return fault
		}
		return None
	}
}
