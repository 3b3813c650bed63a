package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/storetest"
)

// begin creates a log with its first entry.
func begin(t testing.TB, c audit.Config) *audit.Log {
	t.Helper()
	l, err := audit.Create(c)
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, l, "", opening(c.Key))
	return l
}

func appendTo(t testing.TB, l *audit.Log, step string, d audit.Data) *audit.Entry {
	t.Helper()
	e, err := l.AppendSync(step, d)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// checkStore checks a whole store and returns its size.
func checkStore(t testing.TB, s audit.Store) int64 {
	t.Helper()
	c, err := audit.CheckStore(s)
	if err != nil {
		t.Fatal(err)
	}
	return c.Size
}

func TestLog(t *testing.T) {
	m := new(storetest.Memory)
	c := config(t, m, 0)
	l := begin(t, c)
	for i := range 20 {
		e, err := l.Append("roll-call", &audit.Ack{Person: fmt.Sprint("w", i), Typed: "W\u2028\xff"})
		if err != nil {
			t.Fatal(err)
		}
		if e.Seq != int64(i)+1 || e.Step != "roll-call" || e.Data.(*audit.Ack).Typed != "W\u2028\ufffd" {
			t.Errorf("entry %d came back as %+v, %+v", i+1, e, e.Data)
		}
	}
	var tree audit.Frontier
	var prev audit.Hash
	salts := map[[16]byte]bool{}
	for i, b := range encoded(t, m) {
		e, err := audit.Parse(b)
		if err != nil || e.Seq != int64(i) || e.Prev != prev || salts[e.Salt] {
			t.Errorf("entry %d: %+v, %v", i, e, err)
		}
		prev = audit.LeafHash(b)
		tree.Append(prev)
		salts[e.Salt] = true
	}
	if l.Size() != 21 || l.Root() != tree.Root() || l.Origin() != origin || l.Err() != nil {
		t.Errorf("size %d, root %v, origin %q, err %v", l.Size(), l.Root(), l.Origin(), l.Err())
	}
	head, err := m.Head()
	if err != nil || !bytes.Equal(head, l.Checkpoint()) {
		t.Errorf("the store's head is\n%s, not\n%s (%v)", head, l.Checkpoint(), err)
	}
	got, err := audit.OpenCheckpoint(head, c.Key.VerifierKey())
	if want := (audit.Checkpoint{Origin: origin, Size: 21, Root: tree.Root()}); err != nil || got != want {
		t.Errorf("the head says %+v, %v; want %+v", got, err, want)
	}
	if m.Syncs() != 1 || m.Durable() != 1 {
		t.Errorf("%d syncs, %d entries durable: Append synced", m.Syncs(), m.Durable())
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// Stock sumdb/note opens every checkpoint.
func TestCheckpointsOpenWithStockNote(t *testing.T) {
	m := new(storetest.Memory)
	c := config(t, m, 0)
	l := begin(t, c)
	v, err := note.NewVerifier(c.Key.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		n, err := note.Open(l.Checkpoint(), note.VerifierList(v))
		if err != nil || !strings.HasPrefix(n.Text, fmt.Sprintf("%s\n%d\n", origin, l.Size())) {
			t.Errorf("%+v, %v", n, err)
		}
		appendTo(t, l, "", &audit.Pause{})
	}
}

func TestKeep(t *testing.T) {
	m := new(storetest.Memory)
	l, err := audit.Create(config(t, m, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Keep(); err == nil || l.Err() != nil || l.Checkpoint() != nil {
		t.Errorf("keeping on an empty log: %v, %v", err, l.Err())
	}
	want := map[int64][]byte{}
	for i := range 3 {
		if _, err := l.Append("", &audit.Pause{}); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			continue
		}
		if err := l.Keep(); err != nil {
			t.Fatal(err)
		}
		want[l.Size()] = l.Checkpoint()
		if m.Durable() != i+1 {
			t.Errorf("after Keep %d entries are durable, not %d", m.Durable(), i+1)
		}
	}
	n := 0
	err = m.Kept(func(size int64, b []byte) error {
		n++
		if !bytes.Equal(b, want[size]) {
			t.Errorf("kept at %d: %s", size, b)
		}
		return nil
	})
	if err != nil || n != 2 {
		t.Errorf("%d kept, %v", n, err)
	}
}

func TestCreateRefuses(t *testing.T) {
	good := config(t, new(storetest.Memory), 0)
	used := new(storetest.Memory)
	begin(t, config(t, used, 0))
	for name, change := range map[string]func(*audit.Config){
		"no store":      func(c *audit.Config) { c.Store = nil },
		"no key":        func(c *audit.Config) { c.Key = nil },
		"no clock":      func(c *audit.Config) { c.Now = nil },
		"no randomness": func(c *audit.Config) { c.Rand = nil },
		"other origin":  func(c *audit.Config) { c.Origin += "0" },
		"used store":    func(c *audit.Config) { c.Store = used },
	} {
		c := good
		change(&c)
		if _, err := audit.Create(c); err == nil {
			t.Errorf("%s: created", name)
		}
	}
	if _, err := audit.Reopen(good); err == nil {
		t.Error("an empty store was reopened")
	}
}

func TestReopen(t *testing.T) {
	m := new(storetest.Memory)
	l := begin(t, config(t, m, 0))
	appendTo(t, l, "s", &audit.Pause{Reason: "lunch"})
	c := config(t, m, 1)
	again, err := audit.Reopen(c)
	if err != nil {
		t.Fatal(err)
	}
	if again.Size() != 2 || again.Root() != l.Root() || !bytes.Equal(again.Checkpoint(), l.Checkpoint()) {
		t.Errorf("reopened with size %d, root %v, checkpoint %s", again.Size(), again.Root(), again.Checkpoint())
	}
	appendTo(t, again, "", segmentOpening(c.Key, 1))
	if got, err := audit.OpenCheckpoint(again.Checkpoint(), c.Key.VerifierKey()); err != nil || got.Size != 3 {
		t.Errorf("the new segment's checkpoint: %+v, %v", got, err)
	}
	if n := checkStore(t, m); n != 3 {
		t.Errorf("%d entries", n)
	}
	// The log of before sees that somebody else wrote.
	if _, err := l.Append("", &audit.Pause{}); !errors.Is(err, audit.ErrConflict) {
		t.Errorf("the old log appends: %v", err)
	}
}

func TestClosedLog(t *testing.T) {
	m := new(storetest.Memory)
	l := begin(t, config(t, m, 0))
	e := appendTo(t, l, "", &audit.Close{Result: "complete", Size: 99})
	if d := e.Data.(*audit.Close); d.Size != 2 || d.Result != "complete" {
		t.Errorf("the close entry says %+v", d)
	}
	if _, err := l.Append("", &audit.Pause{}); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("appending to a closed log: %v", err)
	}
	if err := l.Keep(); err != nil {
		t.Errorf("keeping the final checkpoint: %v", err)
	}
	if _, err := audit.Reopen(config(t, m, 1)); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("reopening a closed log: %v", err)
	}
	if n := checkStore(t, m); n != 2 {
		t.Errorf("%d entries", n)
	}
}

// What a hand at the store does is found when the log is reopened.
func TestReopenFindsDamage(t *testing.T) {
	other := new(storetest.Memory)
	lo := begin(t, config(t, other, 7))
	for range 3 {
		appendTo(t, lo, "", &audit.Pause{})
	}
	strangers := encoded(t, other)
	tests := map[string]struct {
		damage func(m *storetest.Memory, entries [][]byte)
		want   string
	}{
		"last entry dropped":     {func(m *storetest.Memory, e [][]byte) { m.Truncate(3) }, "checkpoint is for 4 entries, but there are 3"},
		"byte changed":           {func(m *storetest.Memory, e [][]byte) { m.Set(1, bytes.Replace(e[1], []byte("one"), []byte("two"), 1)) }, "entry 2: prev is"},
		"last byte changed":      {func(m *storetest.Memory, e [][]byte) { m.Set(3, bytes.Replace(e[3], []byte("one"), []byte("two"), 1)) }, "checkpoint's root is"},
		"two swapped":            {func(m *storetest.Memory, e [][]byte) { m.Set(1, e[2]); m.Set(2, e[1]) }, "entry 1: it is stored at 1 and says it is 2"},
		"one repeated":           {func(m *storetest.Memory, e [][]byte) { m.Set(2, e[1]) }, "entry 2: it is stored at 2 and says it is 1"},
		"from another log":       {func(m *storetest.Memory, e [][]byte) { m.Set(2, strangers[2]) }, "entry 2: prev is"},
		"not canonical":          {func(m *storetest.Memory, e [][]byte) { m.Set(2, append(e[2], '\n')) }, "entry 2: parsing an entry: byte"},
		"no checkpoint":          {func(m *storetest.Memory, e [][]byte) { m.Set(-1, nil) }, "no checkpoint for 4"},
		"checkpoint no note":     {func(m *storetest.Memory, e [][]byte) { m.Set(-1, []byte("x")) }, "malformed note"},
		"checkpoint of another":  {func(m *storetest.Memory, e [][]byte) { m.Set(-1, lo.Checkpoint()) }, "checkpoint's root is"},
		"checkpoint is a page":   {func(m *storetest.Memory, e [][]byte) { m.Set(-1, pageNote(t)) }, "parsing checkpoint"},
		"first entry repeated":   {func(m *storetest.Memory, e [][]byte) { m.Set(1, e[0]) }, "entry 1: it is stored at 1 and says it is 0"},
		"first entry of another": {func(m *storetest.Memory, e [][]byte) { m.Set(0, strangers[0]) }, "entry 1: prev is"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := new(storetest.Memory)
			l := begin(t, config(t, m, 0))
			for range 3 {
				appendTo(t, l, "", &audit.Pause{Reason: "one"})
			}
			test.damage(m, encoded(t, m))
			if _, err := audit.Reopen(config(t, m, 1)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Reopen: %v, want …%s…", err, test.want)
			}
			if c, err := audit.CheckStore(m); err == nil {
				t.Errorf("CheckStore: %+v", c)
			}
		})
	}
}

// pageNote returns a note that is no checkpoint, signed by a log's key.
func pageNote(t *testing.T) []byte {
	b, err := config(t, nil, 0).Key.SignNote("keyrite page v1\npage 1\n")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A whole log made again with another key passes Reopen's own check of the
// chain, not CheckStore with the key that the log names.
func TestCheckStoreChecksTheSignature(t *testing.T) {
	m := new(storetest.Memory)
	c := config(t, m, 0)
	l := begin(t, c)
	forged, err := newKey(t, origin, "forger").SignNote(audit.Checkpoint{Origin: origin, Size: 1, Root: l.Root()}.Text())
	if err != nil {
		t.Fatal(err)
	}
	m.Set(-1, forged)
	if _, err := audit.CheckStore(m); err == nil || !strings.Contains(err.Error(), "signature") {
		t.Errorf("CheckStore: %v", err)
	}
	nameless := new(storetest.Memory)
	l, err = audit.Create(config(t, nameless, 0))
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, l, "", &audit.Pause{})
	if _, err := audit.CheckStore(nameless); err == nil || !strings.Contains(err.Error(), "no entry names") {
		t.Errorf("CheckStore without a log-open entry: %v", err)
	}
}

func TestReopenAnotherOrigin(t *testing.T) {
	m := new(storetest.Memory)
	begin(t, config(t, m, 0))
	c := config(t, m, 1)
	c.Origin = strings.Replace(origin, "rehearsal", "production", 1)
	c.Key = newKey(t, c.Origin, "key")
	if _, err := audit.Reopen(c); err == nil || !strings.Contains(err.Error(), "it is \""+origin) {
		t.Errorf("reopened under another origin: %v", err)
	}
}

// An entry that cannot be written is refused, and the log goes on.
func TestAppendRefuses(t *testing.T) {
	m := new(storetest.Memory)
	c := config(t, m, 0)
	l := begin(t, c)
	for name, d := range map[string]audit.Data{
		"no data":  nil,
		"too long": &audit.Pause{Reason: strings.Repeat("x", audit.MaxEntry)},
		"number":   &audit.Clock{OffsetMS: 1 << 60},
	} {
		if _, err := l.AppendSync("", d); err == nil || l.Err() != nil || l.Size() != 1 {
			t.Errorf("%s: %v, %v, size %d", name, err, l.Err(), l.Size())
		}
	}
	appendTo(t, l, "", &audit.Pause{})
	c.Key.Wipe()
	if _, err := l.Append("", &audit.Pause{}); err == nil || !strings.Contains(err.Error(), "destroyed") {
		t.Errorf("appending with a wiped key: %v", err)
	}
	if n := checkStore(t, m); n != 2 {
		t.Errorf("%d entries", n)
	}
}

func TestAppendWithoutRandomness(t *testing.T) {
	c := config(t, new(storetest.Memory), 0)
	broken := errors.New("no randomness")
	c.Rand = iotest.ErrReader(broken)
	l, err := audit.Create(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append("", &audit.Pause{}); !errors.Is(err, broken) || l.Size() != 0 {
		t.Errorf("%v, size %d", err, l.Size())
	}
}

func TestClockJump(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		skew time.Duration
		jump bool
	}{{0, false}, {second, false}, {-second, false}, {second + time.Millisecond, true}, {-second - time.Millisecond, true}, {-24 * time.Hour, true}} {
		m := new(storetest.Memory)
		c, clk := config(t, m, 0), newClock()
		c.Now = clk.now
		clk.skew = 5 * time.Hour // before the first entry nothing is known
		l := begin(t, c)
		clk.skew += test.skew
		e := appendTo(t, l, "s", &audit.Close{})
		list := encoded(t, m)
		if got := len(list) == 3; got != test.jump {
			t.Fatalf("skew %v: %d entries", test.skew, len(list))
		}
		if size := e.Data.(*audit.Close).Size; size != int64(len(list)) || e.Seq != size-1 {
			t.Errorf("skew %v: close entry %d for size %d of %d", test.skew, e.Seq, size, len(list))
		}
		if n := checkStore(t, m); n != int64(len(list)) {
			t.Errorf("skew %v: %d entries", test.skew, n)
		}
		if !test.jump {
			continue
		}
		jump, err := audit.Parse(list[1])
		want := audit.ClockJump{WallMS: test.skew.Milliseconds() + 1, MonotonicMS: 1}
		if err != nil || jump.Step != "s" || *jump.Data.(*audit.ClockJump) != want {
			t.Errorf("skew %v: %+v, %+v, %v; want %+v", test.skew, jump, jump.Data, err, want)
		}
	}
}

func TestEntries(t *testing.T) {
	m := new(storetest.Memory)
	l := begin(t, config(t, m, 0))
	for range 4 {
		appendTo(t, l, "", &audit.Pause{})
	}
	var seqs []int64
	err := l.Entries(2, func(e *audit.Entry) error {
		if seqs = append(seqs, e.Seq); e.Seq == 2 {
			appendTo(t, l, "", &audit.Pause{})
		}
		return nil
	})
	if err != nil || fmt.Sprint(seqs) != "[2 3 4 5]" {
		t.Errorf("%v, %v", seqs, err)
	}
	stop := errors.New("stop")
	if err := l.Entries(0, func(*audit.Entry) error { return stop }); err != stop {
		t.Errorf("f's error came back as %v", err)
	}
	m.Set(1, []byte("{}"))
	if err := l.Entries(0, func(*audit.Entry) error { return nil }); err == nil || !strings.Contains(err.Error(), "entry 1") {
		t.Errorf("a damaged entry: %v", err)
	}
}

func TestConcurrentAppends(t *testing.T) {
	m := new(storetest.Memory)
	l := begin(t, config(t, m, 0))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 10 {
				if _, err := l.Append("", &audit.Pause{}); err != nil {
					t.Error(err)
				}
				if i == 5 {
					if err := l.Keep(); err != nil {
						t.Error(err)
					}
				}
				l.Size()
				l.Root()
			}
		})
	}
	group.Wait()
	if n := checkStore(t, m); n != 81 {
		t.Errorf("%d entries", n)
	}
}
