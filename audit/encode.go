package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/keyrite/keyrite/internal/canonjson"
)

// timeLayout is RFC 3339 in UTC with nine fractional digits.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// members are an entry's members in canonical order.
var members = [...]string{"data", "kind", "prev", "salt", "seq", "step", "time"}

// Marshal returns the entry's one encoding. A slice in Data that is nil is
// written as [], like an empty one.
//
// An entry that [Parse] would refuse is an error: over [MaxEntry] bytes, a data
// type that is not in [Kinds], a negative seq, a year beyond 9999, a number
// beyond 2^53−1.
func (e *Entry) Marshal() ([]byte, error) {
	_, b, err := e.written()
	return b, err
}

// written returns the entry as [Parse] will read it, and its encoding.
func (e *Entry) written() (read *Entry, encoded []byte, err error) {
	if err := checkData(e.Data); err != nil {
		return nil, nil, fmt.Errorf("encoding entry %d: %w", e.Seq, err)
	}
	read = new(Entry)
	*read = *e
	read.Step = valid(e.Step)
	read.Time = e.Time.Round(0).UTC()
	read.Data = complete(reflect.ValueOf(e.Data)).Interface().(Data)
	if encoded, err = read.encode(); err != nil {
		return nil, nil, fmt.Errorf("encoding entry %d: %w", e.Seq, err)
	}
	return read, encoded, nil
}

// valid returns s with U+FFFD for what is not UTF-8.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// encode encodes an entry whose data is complete.
func (e *Entry) encode() ([]byte, error) {
	t := e.Time.UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return nil, fmt.Errorf("time %v has no four-digit year", t)
	}
	if e.Seq < 0 || e.Seq > canonjson.MaxInt {
		return nil, errors.New("seq is negative or beyond 2^53-1")
	}
	data, err := canonjson.Marshal(e.Data)
	if err != nil {
		return nil, err
	}
	b := append([]byte(`{"data":`), data...)
	b = canonjson.AppendString(append(b, `,"kind":`...), e.Data.Kind())
	b = canonjson.AppendString(append(b, `,"prev":`...), e.Prev.String())
	b = canonjson.AppendString(append(b, `,"salt":`...), hex.EncodeToString(e.Salt[:]))
	b = strconv.AppendInt(append(b, `,"seq":`...), e.Seq, 10)
	b = canonjson.AppendString(append(b, `,"step":`...), e.Step)
	b = canonjson.AppendString(append(b, `,"time":`...), t.Format(timeLayout))
	b = append(b, '}')
	if len(b) > MaxEntry {
		return nil, fmt.Errorf("%d bytes, over %d", len(b), MaxEntry)
	}
	return b, nil
}

// checkData returns an error unless d is a value of a type in Kinds.
func checkData(d Data) error {
	if d == nil {
		return errors.New("it has no data")
	}
	empty, ok := Kinds[d.Kind()]
	if !ok || reflect.TypeOf(empty()) != reflect.TypeOf(d) {
		return fmt.Errorf("kind %q of %T is not in the table of kinds", d.Kind(), d)
	}
	if reflect.ValueOf(d).IsNil() {
		return errors.New("it has no data")
	}
	return nil
}

// complete returns a copy of v in which no slice is nil and every text is UTF-8,
// at any depth. An empty slice that is left out of the encoding is nil, as it is
// read.
func complete(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(complete(v.Elem()))
		return p
	case reflect.Struct:
		s := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			f := v.Field(i)
			if omitted := f.Kind() == reflect.Slice && f.Len() == 0 && strings.HasSuffix(v.Type().Field(i).Tag.Get("json"), ",omitempty"); !omitted {
				s.Field(i).Set(complete(f))
			}
		}
		return s
	case reflect.Slice:
		l := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			l.Index(i).Set(complete(v.Index(i)))
		}
		return l
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			s := reflect.New(v.Type()).Elem()
			s.SetString(valid(v.String()))
			return s
		}
	}
	return v
}

// Parse reads an entry. It accepts exactly what [Entry.Marshal] writes: the
// canonical JSON of an object with the seven members, of a kind in [Kinds],
// whose data has exactly its type's members, in at most [MaxEntry] bytes. So an
// entry that parses has one encoding, the one given.
//
// The error holds a [*canonjson.SyntaxError] (by errors.As) with the offset of
// the first byte at fault, except for an entry that is too long.
func Parse(b []byte) (*Entry, error) {
	e, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("parsing an entry: %w", err)
	}
	return e, nil
}

func decode(b []byte) (*Entry, error) {
	if len(b) > MaxEntry {
		return nil, fmt.Errorf("%d bytes, over %d", len(b), MaxEntry)
	}
	m, err := split(b)
	if err != nil {
		return nil, err
	}
	e := new(Entry)
	if err := e.setFields(m); err != nil {
		return nil, err
	}
	kind := m[1]
	empty, ok := Kinds[text(kind.Value)]
	if !ok {
		return nil, wrong(kind, "a kind of this format version")
	}
	e.Data = empty()
	return e, setData(e.Data, m[0])
}

// split returns the seven members of an entry.
func split(b []byte) ([]canonjson.Member, error) {
	m, err := canonjson.Members(b)
	if err != nil {
		return nil, err
	}
	for i, name := range members {
		if i >= len(m) {
			return nil, &canonjson.SyntaxError{Offset: int64(len(b)) - 1, Want: fmt.Sprintf("member %q", name)}
		}
		if string(m[i].Name) != name {
			return nil, &canonjson.SyntaxError{Offset: m[i].Offset - int64(len(m[i].Name)) - 3, Want: fmt.Sprintf("member %q", name)}
		}
	}
	if len(m) > len(members) {
		next := m[len(members)]
		return nil, &canonjson.SyntaxError{Offset: next.Offset - int64(len(next.Name)) - 3, Want: "no further member"}
	}
	return m, nil
}

// wrong is the error for a member whose value is not what it should be.
func wrong(m canonjson.Member, want string) error {
	return &canonjson.SyntaxError{Offset: m.Offset, Want: want}
}

// text returns a JSON string's value, or "" if b is none.
func text(b []byte) string {
	s, _ := canonjson.Unquote(b)
	return s
}

// setFields reads all members but data and kind.
func (e *Entry) setFields(m []canonjson.Member) (err error) {
	prev, salt, seq, step, when := m[2], m[3], m[4], m[5], m[6]
	if !setHex(e.Prev[:], prev.Value) {
		return wrong(prev, "64 lower-case hex digits")
	}
	if !setHex(e.Salt[:], salt.Value) {
		return wrong(salt, "32 lower-case hex digits")
	}
	if e.Seq, err = strconv.ParseInt(string(seq.Value), 10, 64); err != nil || e.Seq < 0 {
		return wrong(seq, "an integer from 0")
	}
	if step.Value[0] != '"' {
		return wrong(step, "a string")
	}
	e.Step = text(step.Value)
	said := text(when.Value)
	if e.Time, err = time.Parse(timeLayout, said); err != nil || e.Time.Format(timeLayout) != said {
		return wrong(when, "a time in UTC with nine fractional digits")
	}
	return nil
}

// setHex fills dst from a JSON string of lower-case hex digits.
func setHex(dst, value []byte) bool {
	s := text(value)
	n, err := hex.Decode(dst, []byte(s[:min(len(s), 2*len(dst))]))
	return err == nil && n == len(dst) && len(s) == 2*n && strings.ToLower(s) == s
}

// setData decodes the member data, and checks that it is the one encoding of
// what it says: what a type does not know, or cannot hold, is not written
// again. (The other members are exact when setFields has read them.)
func setData(d Data, m canonjson.Member) error {
	var mismatch *json.UnmarshalTypeError
	if err := json.Unmarshal(m.Value, d); err != nil && !errors.As(err, &mismatch) {
		return wrong(m, "the data of a "+d.Kind()+" entry: "+err.Error())
	}
	// complete, so that a null for a list is written again as [] and differs
	again, err := canonjson.Marshal(complete(reflect.ValueOf(d)).Interface())
	if err != nil {
		return err
	}
	if bytes.Equal(again, m.Value) {
		return nil
	}
	at := 0
	for at < min(len(m.Value), len(again)) && m.Value[at] == again[at] {
		at++
	}
	rest := again[at:]
	return &canonjson.SyntaxError{
		Offset: m.Offset + int64(at),
		Want:   fmt.Sprintf("data as the kind %q has it: %q", d.Kind(), rest[:min(len(rest), 24)]),
	}
}
