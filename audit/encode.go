package audit

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/keyrite/keyrite/internal/canonjson"
)

// timeLayout is RFC 3339 in UTC with nine fractional digits.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// Marshal returns the entry's one encoding. A slice in Data that is nil is
// written as [], like an empty one; a text that is not UTF-8 with U+FFFD for
// each bad byte.
//
// An entry that [Parse] would refuse is an error: over [MaxEntry] bytes, a data
// type that is not in [Kinds], a negative seq, a year beyond 9999, a number
// beyond 2^53−1.
func (e *Entry) Marshal() ([]byte, error) {
	k, err := kindOf(e.Data)
	if err == nil {
		var b []byte
		if b, err = e.encode(k); err == nil {
			return b, nil
		}
	}
	return nil, fmt.Errorf("encoding entry %d: %w", e.Seq, err)
}

// written returns the entry as [Parse] will read it, and its encoding.
func (e *Entry) written() (read *Entry, encoded []byte, err error) {
	if encoded, err = e.Marshal(); err != nil {
		return nil, nil, err
	}
	read = new(Entry)
	*read = *e
	read.Step = valid(e.Step)
	read.Time = e.Time.Round(0).UTC()
	k := kindPlans()[e.Data.Kind()]
	read.Data = k.empty()
	v := reflect.ValueOf(read.Data).Elem()
	v.Set(reflect.ValueOf(e.Data).Elem())
	k.data.complete(v)
	return read, encoded, nil
}

// valid returns s with U+FFFD for each byte that is not UTF-8.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// kindOf returns the plan for data, or an error unless it is a value of a type
// in Kinds.
func kindOf(d Data) (*kind, error) {
	if d == nil {
		return nil, errors.New("it has no data")
	}
	v := reflect.ValueOf(d)
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, errors.New("it has no data")
	}
	k, ok := kindPlans()[d.Kind()]
	if !ok || k.pointer != v.Type() {
		return nil, fmt.Errorf("kind %q of %T is not in the table of kinds", d.Kind(), d)
	}
	return k, nil
}

// typicalEntry is the number of bytes that most entries stay below.
const typicalEntry = 512

// encode encodes an entry of the kind k.
func (e *Entry) encode(k *kind) ([]byte, error) {
	t := e.Time.UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return nil, fmt.Errorf("time %v has no four-digit year", t)
	}
	if e.Seq < 0 || e.Seq > canonjson.MaxInt {
		return nil, errors.New("seq is negative or beyond 2^53-1")
	}
	b, err := k.data.append(append(make([]byte, 0, typicalEntry), `{"data":`...), reflect.ValueOf(e.Data).Elem())
	if err != nil {
		return nil, err
	}
	b = canonjson.AppendString(append(b, `,"kind":`...), k.name)
	b = hex.AppendEncode(append(b, `,"prev":"`...), e.Prev[:])
	b = hex.AppendEncode(append(b, `","salt":"`...), e.Salt[:])
	b = strconv.AppendInt(append(b, `","seq":`...), e.Seq, 10)
	b = canonjson.AppendString(append(b, `,"step":`...), e.Step)
	b = appendTime(append(b, `,"time":"`...), t)
	b = append(b, `"}`...)
	if len(b) > MaxEntry {
		return nil, fmt.Errorf("%d bytes, over %d", len(b), MaxEntry)
	}
	return b, nil
}

// append appends the encoding of v, a value of the plan's type.
func (p *plan) append(b []byte, v reflect.Value) ([]byte, error) {
	switch p.shape {
	case shapeText:
		return canonjson.AppendString(b, v.String()), nil
	case shapeBool:
		return strconv.AppendBool(b, v.Bool()), nil
	case shapeInt:
		n := v.Int()
		if n < -canonjson.MaxInt || n > canonjson.MaxInt {
			return nil, fmt.Errorf("the number %d is beyond 2^53-1", n)
		}
		return strconv.AppendInt(b, n, 10), nil
	case shapeObject:
		return p.appendMembers(b, v)
	case shapePointer:
		return p.elem.append(b, v.Elem())
	}
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = p.elem.append(b, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// appendMembers appends an object.
func (p *plan) appendMembers(b []byte, v reflect.Value) ([]byte, error) {
	b = append(b, '{')
	next := byte(0)
	for i := range p.members {
		m := &p.members[i]
		f := v.Field(m.field)
		if m.optional && m.plan.empty(f) {
			continue
		}
		if next != 0 {
			b = append(b, next)
		}
		next = ','
		var err error
		if b, err = m.plan.append(append(b, m.key...), f); err != nil {
			return nil, fmt.Errorf("member %q: %w", nameOf(m.key), err)
		}
	}
	return append(b, '}'), nil
}

// appendTime appends a time in UTC in the form of timeLayout.
func appendTime(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = appendDigits(b, year, 4)
	b = appendDigits(append(b, '-'), int(month), 2)
	b = appendDigits(append(b, '-'), day, 2)
	b = appendDigits(append(b, 'T'), hour, 2)
	b = appendDigits(append(b, ':'), minute, 2)
	b = appendDigits(append(b, ':'), second, 2)
	b = appendDigits(append(b, '.'), t.Nanosecond(), 9)
	return append(b, 'Z')
}

// appendDigits appends n in width decimal digits, at most nine.
func appendDigits(b []byte, n, width int) []byte {
	var digits [9]byte
	for i := width - 1; i >= 0; i-- {
		digits[i] = '0' + byte(n%10)
		n /= 10
	}
	return append(b, digits[:width]...)
}
