package audit

import (
	"bytes"
	"fmt"
	"reflect"
	"time"

	"github.com/keyrite/keyrite/internal/canonjson"
)

// Parse reads an entry. It accepts exactly what [Entry.Marshal] writes: the
// canonical JSON of an object with the seven members, of a kind in [Kinds],
// whose data has exactly its type's members, in at most [MaxEntry] bytes. So an
// entry that parses has one encoding, the one given. It keeps nothing of b.
//
// The error holds a [*canonjson.SyntaxError] (by errors.As) with the offset of
// the first byte at fault, except for an entry that is too long.
func Parse(b []byte) (*Entry, error) { return new(Parser).Parse(b) }

// A Parser reads many entries. Short texts that come again and again (names of
// functions, steps, people) are in memory once. The zero Parser is ready; it is
// not safe for concurrent use.
type Parser struct {
	texts *[256]string // by a hash of the text
	spare []Entry      // made together, to be given out

	minute minute // of the last time read
}

// Parse is the function [Parse].
func (p *Parser) Parse(b []byte) (*Entry, error) {
	if len(b) <= MaxEntry {
		if e := p.entry(b); e != nil {
			return e, nil
		}
	}
	return nil, fmt.Errorf("parsing an entry: %w", fault(b))
}

// NewParser returns a Parser that keeps short texts once.
func NewParser() *Parser { return &Parser{texts: new([256]string)} }

// maxShared is the most bytes of a text that is kept once.
const maxShared = 32

// text returns a copy of b.
func (p *Parser) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if p.texts == nil || len(b) > maxShared {
		return string(b)
	}
	h := uint32(len(b))
	for _, c := range b {
		h = h*31 + uint32(c)
	}
	s := &p.texts[(h^h>>8)&255]
	if *s != string(b) {
		*s = string(b)
	}
	return *s
}

// entry reads an entry, nil if b is none. What follows the data has, but for
// one text, the number and the kind's name, a fixed length: it is read from
// the end, so that the kind is known before the data is read.
func (p *Parser) entry(b []byte) *Entry {
	r := tail{b: b, ok: true}
	e := p.empty()
	r.time(p, &e.Time)
	step := r.text(`,"step":`)
	e.Seq = r.int(`,"seq":`)
	r.hex(`,"salt":"`, e.Salt[:])
	r.hex(`,"prev":"`, e.Prev[:])
	name := r.text(`,"kind":`)
	const begin = `{"data":`
	if !r.ok || len(r.b) < len(begin) || string(r.b[:len(begin)]) != begin {
		return nil
	}
	k, ok := kindPlans()[string(name[1:len(name)-1])]
	if !ok || !p.string(step, &e.Step) {
		return nil
	}
	e.Data = k.empty()
	if end := p.value(k.data, r.b, len(begin), reflect.ValueOf(e.Data).Elem()); end != len(r.b) {
		return nil
	}
	return e
}

// empty returns a new entry.
func (p *Parser) empty() *Entry {
	if p.texts == nil {
		return new(Entry)
	}
	if len(p.spare) == 0 {
		p.spare = make([]Entry, 32)
	}
	e := &p.spare[0]
	p.spare = p.spare[1:]
	return e
}

// string reads a canonical string and nothing else.
func (p *Parser) string(b []byte, to *string) bool {
	content, size, escaped := canonjson.Text(b)
	if size == 0 || size != len(b) {
		return false
	}
	*to = p.unescaped(content, b, escaped)
	return true
}

// unescaped returns what a string stands for, given what is between its quotes
// and the whole.
func (p *Parser) unescaped(content, whole []byte, escaped bool) string {
	if escaped {
		s, _ := canonjson.Unquote(whole)
		return s
	}
	return p.text(content)
}

// value reads a value of the plan from b[i:] into v. It returns where it ends,
// −1 if it is none.
func (p *Parser) value(pl *plan, b []byte, i int, v reflect.Value) int {
	switch pl.shape {
	case shapeText:
		content, size, escaped := canonjson.Text(b[i:])
		if size == 0 {
			return -1
		}
		v.SetString(p.unescaped(content, b[i:i+size], escaped))
		return i + size
	case shapeBool:
		switch {
		case hasAt(b, i, "true"):
			v.SetBool(true)
			return i + len("true")
		case hasAt(b, i, "false"):
			return i + len("false")
		}
		return -1
	case shapeInt:
		n, size := canonjson.Int(b[i:])
		if size == 0 || v.OverflowInt(n) {
			return -1
		}
		v.SetInt(n)
		return i + size
	case shapeObject:
		return p.object(pl, b, i, v)
	case shapePointer:
		v.Set(reflect.New(pl.elem.typ))
		return p.value(pl.elem, b, i, v.Elem())
	}
	return p.list(pl, b, i, v)
}

// hasAt reports whether s stands in b at i.
func hasAt(b []byte, i int, s string) bool {
	return len(b)-i >= len(s) && string(b[i:i+len(s)]) == s
}

// object reads an object that has exactly the plan's members.
func (p *Parser) object(pl *plan, b []byte, i int, v reflect.Value) int {
	if !hasAt(b, i, "{") {
		return -1
	}
	start := i + 1
	i = start
	for k := range pl.members {
		m := &pl.members[k]
		at := i
		if i > start {
			if !hasAt(b, i, ",") {
				at = len(b) // nothing more, then
			} else {
				at++
			}
		}
		if !hasAt(b, at, m.key) {
			if m.optional {
				continue
			}
			return -1
		}
		f := v.Field(m.field)
		if i = p.value(m.plan, b, at+len(m.key), f); i < 0 || m.optional && m.plan.empty(f) {
			return -1
		}
	}
	if !hasAt(b, i, "}") {
		return -1
	}
	return i + 1
}

// list reads a list into a slice that is never nil.
func (p *Parser) list(pl *plan, b []byte, i int, v reflect.Value) int {
	if !hasAt(b, i, "[") {
		return -1
	}
	v.Set(reflect.MakeSlice(pl.typ, 0, 0))
	if hasAt(b, i+1, "]") {
		return i + 2
	}
	for n := 0; ; n++ {
		if n == v.Cap() {
			v.Grow(max(4, n))
		}
		v.SetLen(n + 1)
		if i = p.value(pl.elem, b, i+1, v.Index(n)); i < 0 {
			return -1
		}
		if hasAt(b, i, "]") {
			return i + 1
		}
		if !hasAt(b, i, ",") {
			return -1
		}
	}
}

// A tail reads an entry from its end. Once something is not there, ok is false
// and nothing more is read.
type tail struct {
	b  []byte // what is left
	ok bool
}

// take returns the last n bytes and drops them, and nil if there are fewer.
func (r *tail) take(n int) []byte {
	if !r.ok || len(r.b) < n {
		r.ok = false
		return nil
	}
	last := r.b[len(r.b)-n:]
	r.b = r.b[:len(r.b)-n]
	return last
}

// expect drops s.
func (r *tail) expect(s string) {
	if string(r.take(len(s))) != s {
		r.ok = false
	}
}

// hex reads a string of lower-case hex digits that fills dst, behind key.
func (r *tail) hex(key string, dst []byte) {
	r.expect(`"`)
	digits := r.take(2 * len(dst))
	r.expect(key)
	if !r.ok {
		return
	}
	var bad byte
	for i := range dst {
		high, low := nibbles[digits[2*i]], nibbles[digits[2*i+1]]
		bad |= high | low
		dst[i] = high<<4 | low
	}
	r.ok = bad <= 15
}

// nibbles maps lower-case hex digits to their values, all else to 255.
var nibbles = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i, c := range "0123456789abcdef" {
		t[c] = byte(i)
	}
	return t
}()

// int reads an integer from 0 behind key.
func (r *tail) int(key string) int64 {
	if !r.ok {
		return 0
	}
	from := len(r.b)
	for from > 0 && '0' <= r.b[from-1] && r.b[from-1] <= '9' {
		from--
	}
	digits := r.take(len(r.b) - from)
	r.expect(key)
	n, size := canonjson.Int(digits)
	if size == 0 || size != len(digits) {
		r.ok = false
	}
	return n
}

// text returns the bytes that stand behind key up to the end, a string with its
// quotes if this is an entry.
func (r *tail) text(key string) []byte {
	if !r.ok || len(r.b) < len(key)+2 {
		r.ok = false
		return nil
	}
	from := bytes.LastIndexByte(r.b[:len(r.b)-1], '"')
	if from < len(key) || string(r.b[from-len(key):from]) != key {
		// the text has a quote: inside a string none stands without a backslash
		if from = bytes.LastIndex(r.b, append([]byte(key), '"')); from < 0 {
			r.ok = false
			return nil
		}
		from += len(key)
	}
	s := r.take(len(r.b) - from)
	r.expect(key)
	if len(s) < 2 || s[len(s)-1] != '"' {
		r.ok = false
	}
	return s
}

// time reads the time with which an entry ends.
func (r *tail) time(p *Parser, to *time.Time) {
	r.expect(`"}`)
	b := r.take(len(timeLayout))
	r.expect(`,"time":"`)
	if r.ok {
		*to, r.ok = p.time(b)
	}
}

// A minute is a minute of which a time was read.
type minute struct {
	text  [minuteLen]byte // the beginning of the time, "2026-01-31T23:59:"
	start time.Time
}

// minuteLen is the length of a time up to its seconds.
const minuteLen = len("2006-01-02T15:04:")

// time reads a time in the form of timeLayout. Times of one minute, as those of
// entries in a row, have the calendar's part read once.
func (p *Parser) time(b []byte) (time.Time, bool) {
	if p.minute.start.IsZero() || string(p.minute.text[:]) != string(b[:minuteLen]) {
		start, ok := parseMinute(b)
		if !ok {
			return time.Time{}, false
		}
		p.minute.start = start
		copy(p.minute.text[:], b)
	}
	second, ok1 := digits(b[minuteLen : minuteLen+2])
	nano, ok2 := digits(b[minuteLen+3 : minuteLen+12])
	if !ok1 || !ok2 || second > 59 || b[minuteLen+2] != '.' || b[minuteLen+12] != 'Z' {
		return time.Time{}, false
	}
	return p.minute.start.Add(time.Duration(second)*time.Second + time.Duration(nano)), true
}

// parseMinute reads the beginning of a time, up to its seconds.
func parseMinute(b []byte) (time.Time, bool) {
	year, ok1 := digits(b[0:4])
	month, ok2 := digits(b[5:7])
	day, ok3 := digits(b[8:10])
	hour, ok4 := digits(b[11:13])
	mins, ok5 := digits(b[14:16])
	marks := b[4] == '-' && b[7] == '-' && b[10] == 'T' && b[13] == ':' && b[16] == ':'
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !marks || month < 1 || month > 12 || day < 1 || hour > 23 || mins > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, mins, 0, 0, time.UTC)
	return t, t.Day() == day // a day that the month does not have is one of the next
}

// digits reads a number of decimal digits alone.
func digits(b []byte) (n int, ok bool) {
	ok = true
	for _, c := range b {
		ok = ok && '0' <= c && c <= '9'
		n = n*10 + int(c-'0')
	}
	return n, ok
}
