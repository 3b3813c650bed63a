package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// sequenceOrigin is that of the logs of [Sequences].
const sequenceOrigin = "keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0"

// Sequences makes logs by random sequences of appending, keeping a checkpoint,
// failing (with and without having written), crashing, resuming and closing: n of
// them, each from its own seed. After every break the log must verify and hold
// what was acknowledged, or what was tried must be refused with a named error.
func Sequences(t *testing.T, n int, place func(t *testing.T) Place) {
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := &sequence{t: t, place: place(t), random: rand.New(rand.NewPCG(uint64(seed), 1)), kept: map[int64]bool{}}
			s.run()
		})
	}
}

// A sequence is one random life of a log.
type sequence struct {
	t      *testing.T
	place  Place
	random *rand.Rand
	store  Keeper
	faulty *Faulty
	log    *audit.Log

	segments int
	values   []string       // results that were acknowledged, in order
	maybe    string         // one that may be there though it was not acknowledged
	kept     map[int64]bool // sizes of checkpoints whose keeping was acknowledged
	closed   bool
	tried    int
}

// Read gives the sequence's own random bytes, for keys and salts.
func (s *sequence) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s.random.Uint32())
	}
	return len(p), nil
}

func (s *sequence) run() {
	s.t.Helper()
	for range 4 + s.random.IntN(12) {
		if s.begin() {
			for range s.random.IntN(14) {
				if !s.step() {
					break
				}
			}
		}
		s.crash()
	}
}

// begin opens the store and the log as a new segment. It reports false if that
// was refused, rightly.
func (s *sequence) begin() bool {
	s.t.Helper()
	var err error
	if s.store, err = s.place.Open(); err != nil {
		s.t.Fatal(err)
	}
	s.faulty = &Faulty{Store: s.store, At: func(int) Fault {
		return []Fault{Failed, Persisted, None, None, None, None, None, None, None, None, None, None}[s.random.IntN(12)]
	}}
	key, err := audit.NewLogKey(sequenceOrigin, s)
	if err != nil {
		s.t.Fatal(err)
	}
	c := audit.Config{Store: s.faulty, Key: key, Origin: sequenceOrigin, Now: time.Now, Rand: s}
	head, err := s.store.Head()
	if err != nil {
		s.t.Fatal(err)
	}
	var first audit.Data
	if head == nil {
		s.log, err = audit.Create(c)
		first = &audit.LogOpen{Format: 1, Origin: sequenceOrigin, Mode: audit.ModeRehearsal, LogKey: key.VerifierKey()}
	} else {
		if _, again := audit.Create(c); again == nil {
			s.t.Error("a log was created in a store that has one")
		}
		s.log, err = audit.Reopen(c)
		first = &audit.SegmentOpen{Segment: s.segments, LogKey: key.VerifierKey(), Checkpoint: string(head), Reason: "break"}
	}
	if s.closed != errors.Is(err, audit.ErrClosed) || err != nil && !s.closed {
		s.t.Fatalf("closed %v, and opening says %v", s.closed, err)
	}
	if err != nil {
		return false
	}
	s.segments++
	_, err = s.log.AppendSync("", first)
	return s.refused(err)
}

// refused checks an error of the log and reports whether it goes on.
func (s *sequence) refused(err error) bool {
	s.t.Helper()
	if err == nil {
		return true
	}
	if !errors.Is(err, ErrInjected) && !errors.Is(err, audit.ErrClosed) {
		s.t.Fatalf("refused without a name: %v", err)
	}
	return false
}

// step does one thing and reports whether the log goes on.
func (s *sequence) step() bool {
	s.t.Helper()
	switch s.random.IntN(10) {
	case 0:
		size := s.log.Size()
		err := s.log.Keep()
		if err == nil {
			s.kept[size] = true
		}
		return s.refused(err)
	case 1:
		return s.tooLong()
	case 2:
		if s.random.IntN(6) > 0 {
			return true
		}
		_, err := s.log.AppendSync("", &audit.Close{Result: "complete"})
		s.closed = err == nil || s.isClosed() // it may have been written, and an error have come back
		return s.refused(err) && s.refused(s.log.Keep())
	}
	s.tried++
	value := fmt.Sprint(s.tried)
	appends := s.log.Append
	if s.random.IntN(2) == 0 {
		appends = s.log.AppendSync
	}
	_, err := appends("s", &audit.Result{Name: "n", Value: value})
	switch {
	case err == nil:
		s.values = append(s.values, value)
	case errors.Is(err, ErrInjected):
		s.maybe = value
	}
	return s.refused(err)
}

// tooLong appends what no entry can hold: it is refused, and the log goes on.
func (s *sequence) tooLong() bool {
	s.t.Helper()
	if s.log.Err() == nil && !s.closed {
		if _, err := s.log.Append("s", &audit.Result{Value: string(make([]byte, audit.MaxEntry))}); err == nil {
			s.t.Error("an entry over 64 KiB was taken")
		}
		if s.log.Err() != nil {
			s.t.Error("an entry that was refused ends the log")
		}
	}
	return true
}

// isClosed asks the store itself whether the log's last entry is a close.
func (s *sequence) isClosed() (closed bool) {
	s.t.Helper()
	s.each(func(e *audit.Entry) { _, closed = e.Data.(*audit.Close) })
	return closed
}

func (s *sequence) each(f func(*audit.Entry)) {
	s.t.Helper()
	err := s.store.Entries(0, func(_ int64, b []byte) error {
		e, err := audit.Parse(b)
		if err == nil {
			f(e)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// crash ends the process, in effect, and checks what it left.
func (s *sequence) crash() {
	s.t.Helper()
	if s.place.Crash != nil {
		s.place.Crash(s.t)
	}
	if err := s.store.Close(); err != nil {
		s.t.Fatal(err)
	}
	var err error
	if s.store, err = s.place.Open(); err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := s.store.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	head, err := s.store.Head()
	if err != nil {
		s.t.Fatal(err)
	}
	if head == nil && len(s.values) == 0 {
		s.segments = 0
		return // not even the first entry is there
	}
	if _, err := audit.CheckStore(s.store); err != nil {
		s.t.Fatalf("after the crash: %v", err)
	}
	s.compare()
}

// compare wants every result that was acknowledged, in order, and no other but the
// one that may have been written.
func (s *sequence) compare() {
	s.t.Helper()
	var got []string
	s.each(func(e *audit.Entry) {
		if d, ok := e.Data.(*audit.Result); ok {
			got = append(got, d.Value)
		}
	})
	if n := len(s.values); s.maybe != "" && len(got) == n+1 && got[n] == s.maybe {
		s.values = append(s.values, s.maybe)
	}
	s.maybe = ""
	if fmt.Sprint(got) != fmt.Sprint(s.values) {
		s.t.Fatalf("the log has the results %v, acknowledged were %v", got, s.values)
	}
	err := s.store.Kept(func(size int64, _ []byte) error {
		delete(s.kept, size)
		return nil
	})
	if err != nil || len(s.kept) > 0 {
		s.t.Fatalf("checkpoints that were said to be kept are not: %v, %v", s.kept, err)
	}
}
