package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

// A Place is where a store's data stays when the store is closed.
type Place struct {
	Open func() (Keeper, error) // opens the store there, an empty one at first
	// Crash, if set, has the next Open find what the end of the process would
	// leave at this moment.
	Crash func(t *testing.T)
}

// A Keeper is a store that shows the checkpoints it keeps.
type Keeper interface {
	audit.Store
	Kept(f func(size int64, checkpoint []byte) error) error
}

// Run is the suite that every store passes. place makes a new, empty place.
func Run(t *testing.T, place func(t *testing.T) Place) {
	tests := []struct {
		name string
		test func(*testing.T, Place)
	}{
		{"empty", testEmpty},
		{"append and read", testAppend},
		{"conflict changes nothing", testConflict},
		{"kept checkpoints", testKept},
		{"keep", testKeep},
		{"large and many", testLarge},
		{"append while reading", testAppendWhileReading},
		{"error of the reader's function", testReaderError},
		{"concurrent appends", testConcurrent},
		{"reopened", testReopened},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.test(t, place(t)) })
	}
}

func open(t *testing.T, p Place) Keeper {
	t.Helper()
	s, err := p.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func add(t *testing.T, s audit.Store, from int64, keep, sync bool, bodies ...string) {
	t.Helper()
	var entries [][]byte
	for _, b := range bodies {
		entries = append(entries, []byte(b))
	}
	head := fmt.Sprintf("head %d", from+int64(len(bodies)))
	if err := s.Append(from, entries, []byte(head), keep, sync); err != nil {
		t.Fatal(err)
	}
}

// expect checks everything a store holds.
func expect(t *testing.T, s Keeper, head string, bodies []string, kept map[int64]string) {
	t.Helper()
	b, err := s.Head()
	if err != nil || string(b) != head {
		t.Errorf("head %q, %v; want %q", b, err, head)
	}
	var got []string
	err = s.Entries(0, func(seq int64, b []byte) error {
		if seq != int64(len(got)) {
			t.Errorf("entry %d comes as %d", len(got), seq)
		}
		got = append(got, string(b))
		return nil
	})
	if err != nil || !reflect.DeepEqual(got, bodies) {
		t.Errorf("entries %q, %v; want %q", got, err, bodies)
	}
	found := map[int64]string{}
	err = s.Kept(func(size int64, b []byte) error {
		found[size] = string(b)
		return nil
	})
	if err != nil || len(found)+len(kept) > 0 && !reflect.DeepEqual(found, kept) {
		t.Errorf("kept %v, %v; want %v", found, err, kept)
	}
}

func testEmpty(t *testing.T, p Place) {
	s := open(t, p)
	b, err := s.Head()
	if b != nil || err != nil {
		t.Errorf("head of an empty store: %q, %v", b, err)
	}
	expect(t, s, "", nil, nil)
}

func testAppend(t *testing.T, p Place) {
	s := open(t, p)
	add(t, s, 0, false, true, "a")
	add(t, s, 1, false, false, "b", "c")
	add(t, s, 3, false, true, "\x00\xff")
	expect(t, s, "head 4", []string{"a", "b", "c", "\x00\xff"}, nil)
	var seqs []int64
	err := s.Entries(2, func(seq int64, _ []byte) error { seqs = append(seqs, seq); return nil })
	if err != nil || !reflect.DeepEqual(seqs, []int64{2, 3}) {
		t.Errorf("entries from 2: %v, %v", seqs, err)
	}
}

func testConflict(t *testing.T, p Place) {
	s := open(t, p)
	add(t, s, 0, false, true, "a", "b")
	for _, from := range []int64{0, 1, 3} {
		for _, entries := range [][][]byte{{[]byte("x"), []byte("y")}, nil} {
			err := s.Append(from, entries, []byte("bad"), true, true)
			if !errors.Is(err, audit.ErrConflict) {
				t.Errorf("appending %d entries at %d of 2: %v, want ErrConflict", len(entries), from, err)
			}
		}
	}
	expect(t, s, "head 2", []string{"a", "b"}, nil)
	add(t, s, 2, false, false, "c")
	expect(t, s, "head 3", []string{"a", "b", "c"}, nil)
}

func testKept(t *testing.T, p Place) {
	s := open(t, p)
	add(t, s, 0, true, true, "a")
	add(t, s, 1, false, true, "b")
	add(t, s, 2, true, true)
	if err := s.Append(2, nil, []byte("again"), true, true); err != nil {
		t.Errorf("keeping twice: %v", err)
	}
	expect(t, s, "again", []string{"a", "b"}, map[int64]string{1: "head 1", 2: "head 2"})
}

func testKeep(t *testing.T, p Place) {
	s := open(t, p)
	add(t, s, 0, false, true, "a", "b")
	add(t, s, 2, true, true, "c")
	for range 2 {
		if err := s.Keep(2, []byte("cosigned 2")); err != nil {
			t.Errorf("keeping an earlier one: %v", err)
		}
	}
	for size, note := range map[int64]string{2: "another", 3: "cosigned 3"} {
		if err := s.Keep(size, []byte(note)); !errors.Is(err, audit.ErrKept) {
			t.Errorf("replacing the one of size %d: %v, want ErrKept", size, err)
		}
	}
	expect(t, s, "head 3", []string{"a", "b", "c"}, map[int64]string{2: "cosigned 2", 3: "head 3"})
	add(t, s, 3, false, true, "d")
	expect(t, s, "head 4", []string{"a", "b", "c", "d"}, map[int64]string{2: "cosigned 2", 3: "head 3"})
}

func testLarge(t *testing.T, p Place) {
	s := open(t, p)
	var entries [][]byte
	for i := range 1000 {
		entries = append(entries, bytes.Repeat([]byte{byte(i)}, i))
	}
	entries = append(entries, bytes.Repeat([]byte("x"), audit.MaxEntry))
	if err := s.Append(0, entries, []byte("head"), false, false); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := s.Entries(0, func(seq int64, b []byte) error {
		if !bytes.Equal(b, entries[seq]) {
			t.Errorf("entry %d of %d bytes came back as %d others", seq, len(entries[seq]), len(b))
		}
		n++
		return nil
	})
	if err != nil || n != len(entries) {
		t.Errorf("%d of %d entries, %v", n, len(entries), err)
	}
}

func testAppendWhileReading(t *testing.T, p Place) {
	s := open(t, p)
	add(t, s, 0, false, true, "a", "b")
	err := s.Entries(1, func(seq int64, _ []byte) error {
		if seq == 1 {
			add(t, s, 2, false, true, "c")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	expect(t, s, "head 3", []string{"a", "b", "c"}, nil)
}

func testReaderError(t *testing.T, p Place) {
	s := open(t, p)
	add(t, s, 0, true, true, "a", "b")
	stop := errors.New("stop")
	if err := s.Entries(0, func(int64, []byte) error { return stop }); err != stop {
		t.Errorf("Entries returned %v", err)
	}
	if err := s.Kept(func(int64, []byte) error { return stop }); err != stop {
		t.Errorf("Kept returned %v", err)
	}
	add(t, s, 2, false, true, "c")
}

func testConcurrent(t *testing.T, p Place) {
	s := open(t, p)
	var wins sync.Map
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			err := s.Append(0, [][]byte{{byte(i)}}, []byte("head"), false, false)
			switch {
			case err == nil:
				wins.Store(i, true)
			case !errors.Is(err, audit.ErrConflict):
				t.Error(err)
			}
		})
	}
	group.Wait()
	n := 0
	wins.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d of 8 appends at the same position succeeded", n)
	}
}

func testReopened(t *testing.T, p Place) {
	s, err := p.Open()
	if err != nil {
		t.Fatal(err)
	}
	add(t, s, 0, true, true, "a")
	add(t, s, 1, false, false, "b")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, p)
	expect(t, again, "head 2", []string{"a", "b"}, map[int64]string{1: "head 1"})
	add(t, again, 2, false, true, "c")
	expect(t, again, "head 3", []string{"a", "b", "c"}, map[int64]string{1: "head 1"})
}
