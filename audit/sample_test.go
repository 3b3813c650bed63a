package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"reflect"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/keyrite/keyrite/audit"
)

// start is when the sample ceremonies are held.
var start = time.Date(2026, 3, 4, 9, 15, 0, 123456789, time.UTC)

// A source is a deterministic source of bytes for tests: SHA-256 in counter
// mode over a seed.
type source struct {
	seed string
	n    uint64
	rest []byte
}

func (s *source) Read(p []byte) (int, error) {
	for len(s.rest) < len(p) {
		h := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(s.seed), s.n))
		s.rest = append(s.rest, h[:]...)
		s.n++
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// below returns a number from 0 to n-1.
func (s *source) below(n int) int {
	var b [2]byte
	_, _ = s.Read(b[:])
	return int(binary.BigEndian.Uint16(b[:])) % n
}

// kinds returns the names of all kinds in order.
func kinds() []string {
	var list []string
	for k := range audit.Kinds {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

var sampleStrings = []string{"", "a", "Łukasz 山田 Ελένη", "\u2028<&>\"\\/\x00\x1f\x7f", "😀", "0123456789abcdef"}

// fill sets every field at every depth from r. Slices may be nil, empty or
// have elements, pointers may be nil.
func fill(v reflect.Value, r *source) {
	switch v.Kind() {
	case reflect.Pointer:
		if r.below(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), r)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), r)
		}
	case reflect.Slice:
		if n := r.below(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
			for i := range n - 1 {
				fill(v.Index(i), r)
			}
		}
	case reflect.String:
		v.SetString(sampleStrings[r.below(len(sampleStrings))])
	case reflect.Bool:
		v.SetBool(r.below(2) == 1)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, 42, 1<<53 - 1, -(1<<53 - 1)}[r.below(6)])
	default:
		panic(fmt.Sprintf("a field of type %v cannot stand in an entry", v.Type()))
	}
}

// sample returns an entry of a kind with data made from seed.
func sample(kind, seed string) *audit.Entry {
	r := &source{seed: kind + seed}
	e := &audit.Entry{
		Seq:  int64(r.below(1000)),
		Time: start.Add(time.Duration(r.below(1000)) * time.Millisecond),
		Step: sampleStrings[r.below(len(sampleStrings))],
		Data: audit.Kinds[kind](),
	}
	_, _ = r.Read(e.Salt[:])
	_, _ = r.Read(e.Prev[:])
	fill(reflect.ValueOf(e.Data).Elem(), r)
	return e
}

// marshal encodes an entry that must be good.
func marshal(t testing.TB, e *audit.Entry) []byte {
	t.Helper()
	b, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A clock returns times that advance by a millisecond a reading, with a
// monotonic reading that can be set apart from the wall clock.
type clock struct {
	base time.Time // with a monotonic reading
	n    time.Duration
	skew time.Duration // wall clock ahead of the monotonic one
}

func newClock() *clock { return &clock{base: time.Now()} }

func (c *clock) now() time.Time {
	c.n += time.Millisecond
	return shift(c.base.Add(c.n), c.skew)
}

// newKey returns a deterministic log key.
func newKey(t testing.TB, origin, seed string) *audit.LogKey {
	t.Helper()
	k, err := audit.NewLogKey(origin, &source{seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// shift returns t with its wall clock moved by d and its monotonic reading
// left, which package time offers no way to do.
func shift(t time.Time, d time.Duration) time.Time {
	moved := t.Add(d)
	inside := (*struct {
		wall uint64
		mono int64
	})(unsafe.Pointer(&moved))
	inside.mono -= int64(d)
	if moved.Sub(t) != 0 || moved.Round(0).Sub(t.Round(0)) != d {
		panic("package time keeps its monotonic reading elsewhere")
	}
	return moved
}

const origin = "keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0"

// config returns what a log on s is made from, with the key of a segment.
func config(t testing.TB, s audit.Store, segment int) audit.Config {
	t.Helper()
	return audit.Config{
		Store: s, Key: newKey(t, origin, fmt.Sprint("segment ", segment)), Origin: origin,
		Now: newClock().now, Rand: &source{seed: fmt.Sprint("salts ", segment)},
	}
}

// opening is the first entry of a log.
func opening(k *audit.LogKey) *audit.LogOpen {
	return &audit.LogOpen{Format: audit.FormatVersion, Origin: k.Name(), Mode: audit.ModeRehearsal, LogKey: k.VerifierKey()}
}

// segmentOpening is the first entry after a log was opened again.
func segmentOpening(k *audit.LogKey, segment int) *audit.SegmentOpen {
	return &audit.SegmentOpen{Segment: segment, LogKey: k.VerifierKey(), Reason: "break"}
}

// encoded returns all entries of a store.
func encoded(t testing.TB, s audit.Store) (list [][]byte) {
	t.Helper()
	err := s.Entries(0, func(_ int64, b []byte) error {
		list = append(list, bytes.Clone(b))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var _ io.Reader = (*source)(nil)
