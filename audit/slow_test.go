package audit_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/canonjson"
)

// This file is the codec in its plainest form, on top of encoding/json: slow,
// and what the one in use is held against.

const slowTime = "2006-01-02T15:04:05.000000000Z"

// slowMarshal is (*audit.Entry).Marshal for data of a kind in the table.
func slowMarshal(e *audit.Entry) ([]byte, error) {
	t := e.Time.UTC()
	if t.Year() < 0 || t.Year() > 9999 || e.Seq < 0 {
		return nil, errors.New("time or seq")
	}
	b, err := canonjson.Marshal(map[string]any{
		"data": slowComplete(reflect.ValueOf(e.Data)).Interface(), "kind": e.Data.Kind(), "prev": e.Prev.String(),
		"salt": hex.EncodeToString(e.Salt[:]), "seq": e.Seq, "step": e.Step, "time": t.Format(slowTime),
	})
	if err == nil && len(b) > audit.MaxEntry {
		err = errors.New("too long")
	}
	return b, err
}

// slowComplete returns a copy of v in which no slice is nil and every text is
// UTF-8. An empty slice that is left out of the encoding is nil, as it is read.
func slowComplete(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(slowComplete(v.Elem()))
		return p
	case reflect.Struct:
		s := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			f := v.Field(i)
			if omitted := f.Kind() == reflect.Slice && f.Len() == 0 && strings.HasSuffix(v.Type().Field(i).Tag.Get("json"), ",omitempty"); !omitted {
				s.Field(i).Set(slowComplete(f))
			}
		}
		return s
	case reflect.Slice:
		l := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			l.Index(i).Set(slowComplete(v.Index(i)))
		}
		return l
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			s := reflect.New(v.Type()).Elem()
			for _, r := range v.String() {
				s.SetString(s.String() + string(r))
			}
			return s
		}
	}
	return v
}

// slowParse is audit.Parse. The offset is that of the first byte at fault, −1
// for an entry that is too long.
func slowParse(b []byte) (e *audit.Entry, offset int64) {
	if len(b) > audit.MaxEntry {
		return nil, -1
	}
	m, err := canonjson.Members(b)
	var syntax *canonjson.SyntaxError
	if errors.As(err, &syntax) {
		return nil, syntax.Offset
	}
	for i, name := range []string{"data", "kind", "prev", "salt", "seq", "step", "time"} {
		if i >= len(m) {
			return nil, int64(len(b)) - 1
		}
		if string(m[i].Name) != name {
			return nil, m[i].Offset - int64(len(m[i].Name)) - 3
		}
	}
	if len(m) > 7 {
		return nil, m[7].Offset - int64(len(m[7].Name)) - 3
	}
	e = new(audit.Entry)
	text := func(i int) string { s, _ := canonjson.Unquote(m[i].Value); return s }
	for i, dst := range [][]byte{e.Prev[:], e.Salt[:]} {
		said := text(i + 2)
		h, err := hex.DecodeString(said)
		if copy(dst, h); err != nil || len(h) != len(dst) || hex.EncodeToString(h) != said {
			return nil, m[i+2].Offset
		}
	}
	if e.Seq, err = strconv.ParseInt(string(m[4].Value), 10, 64); err != nil || e.Seq < 0 {
		return nil, m[4].Offset
	}
	if e.Step = text(5); m[5].Value[0] != '"' {
		return nil, m[5].Offset
	}
	if e.Time, err = time.Parse(slowTime, text(6)); err != nil || e.Time.Format(slowTime) != text(6) {
		return nil, m[6].Offset
	}
	empty, ok := audit.Kinds[text(1)]
	if !ok {
		return nil, m[1].Offset
	}
	e.Data = empty()
	var mismatch *json.UnmarshalTypeError
	if err := json.Unmarshal(m[0].Value, e.Data); err != nil && !errors.As(err, &mismatch) {
		return nil, m[0].Offset
	}
	again, err := canonjson.Marshal(slowComplete(reflect.ValueOf(e.Data)).Interface())
	if err != nil {
		return nil, -1
	}
	if bytes.Equal(again, m[0].Value) {
		return e, 0
	}
	at := 0
	for at < min(len(m[0].Value), len(again)) && m[0].Value[at] == again[at] {
		at++
	}
	return nil, m[0].Offset + int64(at)
}

// compareParse holds a Parser that has read others against the slow way on any
// bytes.
func compareParse(t *testing.T, p *audit.Parser, b []byte) {
	t.Helper()
	want, offset := slowParse(b)
	got, err := p.Parse(b)
	if want != nil {
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\nis read as %+v (%v)\nthe slow way: %+v", b, got, err, want)
		}
		return
	}
	var syntax *canonjson.SyntaxError
	if err == nil || errors.As(err, &syntax) != (offset >= 0) || syntax != nil && syntax.Offset != offset {
		t.Fatalf("%s\nis refused with %v; the slow way: at byte %d", b, err, offset)
	}
}

// TestMarshalIsTheSlowWay: both write the same bytes, for every kind, texts
// that are not UTF-8 included.
func TestMarshalIsTheSlowWay(t *testing.T) {
	for _, kind := range kinds() {
		for i := range 40 {
			e := sample(kind, fmt.Sprint("slow", i))
			if i == 0 {
				fillBadly(reflect.ValueOf(e.Data).Elem())
			}
			want, err := slowMarshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if got := marshal(t, e); !bytes.Equal(got, want) {
				t.Fatalf("%s: got\n%s\nthe slow way:\n%s", kind, got, want)
			}
		}
	}
}

// TestParseIsTheSlowWay: both accept and refuse the same bytes, at the same
// offset: entries of every kind, with each byte in turn left out, doubled,
// or replaced by ones that matter to JSON.
func TestParseIsTheSlowWay(t *testing.T) {
	p := audit.NewParser()
	for _, kind := range kinds() {
		b := marshal(t, sample(kind, "differ"))
		compareParse(t, p, b)
		for at := range b {
			compareParse(t, p, append(bytes.Clone(b[:at]), b[at+1:]...))
			compareParse(t, p, append(bytes.Clone(b[:at+1]), b[at:]...))
			for _, c := range []byte("\"\\{,}0A\xff") {
				changed := bytes.Clone(b)
				changed[at] = c
				compareParse(t, p, changed)
			}
		}
	}
}

// FuzzParseIsTheSlowWay: what TestParseIsTheSlowWay says, for any bytes.
func FuzzParseIsTheSlowWay(f *testing.F) {
	for _, kind := range kinds() {
		f.Add(marshal(f, sample(kind, "fuzz")))
	}
	p := audit.NewParser()
	f.Fuzz(func(t *testing.T, b []byte) { compareParse(t, p, b) })
}

// FuzzMarshalIsTheSlowWay: both write the same bytes for any values.
func FuzzMarshalIsTheSlowWay(f *testing.F) {
	f.Add(0, "seed", "text")
	f.Add(5, "seed", "\xff\xfe\u2028\x00\ud7ff<>&\\\"")
	f.Fuzz(func(t *testing.T, n int, seed, text string) {
		list := kinds()
		e := sample(list[((n%len(list))+len(list))%len(list)], seed)
		e.Step = text
		if p, ok := e.Data.(*audit.Problem); ok {
			p.What = text
		}
		want, slow := slowMarshal(e)
		got, err := e.Marshal()
		if (err == nil) != (slow == nil) || err == nil && !bytes.Equal(got, want) {
			t.Fatalf("got\n%s (%v)\nthe slow way:\n%s (%v)", got, err, want, slow)
		}
	})
}

// outcome is an entry of the kind that a log has most of.
func outcome() *audit.Entry {
	return &audit.Entry{Seq: 41, Time: start, Step: "token-identify", Data: &audit.HSMOutcome{Intent: 40, Function: "C_GetTokenInfo", RV: "CKR_OK", Micros: 1204}}
}

func BenchmarkMarshal(b *testing.B) {
	e := outcome()
	b.SetBytes(int64(len(marshal(b, e))))
	for b.Loop() {
		if _, err := e.Marshal(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWritten is what Append does to an entry before it hashes it.
func BenchmarkWritten(b *testing.B) {
	e := outcome()
	for b.Loop() {
		if _, _, err := audit.Written(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	p, entry := audit.NewParser(), marshal(b, outcome())
	b.SetBytes(int64(len(entry)))
	for b.Loop() {
		if _, err := p.Parse(entry); err != nil {
			b.Fatal(err)
		}
	}
}
