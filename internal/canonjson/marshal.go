package canonjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Marshal returns the canonical encoding of v: what encoding/json makes of it
// (struct tags and Marshalers count), brought into canonical form.
//
// A number that is no integer, or beyond 2^53−1, is a [*SyntaxError] whose
// offset is that in encoding/json's output, and so is a depth over [MaxDepth].
// A string that is not UTF-8 gets U+FFFD for every bad byte, as encoding/json
// does. What encoding/json cannot encode is its error.
func Marshal(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding canonical JSON: %w", err)
	}
	b, err := canonical(raw)
	if err != nil {
		return nil, fmt.Errorf("encoding canonical JSON: %w", err)
	}
	return b, nil
}

// AppendString appends s as a canonical JSON string with its quotes. A string
// that is not UTF-8 gets U+FFFD for every bad byte.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	for {
		n := 0
		for n+8 <= len(s) && plainWord(word(s[n:])) {
			n += 8
		}
		for n < len(s) && plain[s[n]] {
			n++
		}
		b = append(b, s[:n]...)
		if n == len(s) {
			return append(b, '"')
		}
		r, size := utf8.DecodeRuneInString(s[n:])
		b = appendRune(b, r)
		s = s[n+size:]
	}
}

// word returns the first eight bytes of s, the first one lowest.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func appendRune(b []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	if r < 0x20 {
		return fmt.Appendf(b, `\u%04x`, r)
	}
	return append(b, string(r)...)
}

// canonical brings compact, valid JSON into canonical form.
func canonical(raw []byte) ([]byte, error) {
	r := rewriter{scanner: scanner{b: raw}, out: make([]byte, 0, len(raw))}
	if err := r.value(); err != nil {
		return nil, err
	}
	return r.out, nil
}

// A rewriter copies encoding/json's output to out, in canonical form. Its
// input is valid: only numbers and depth are checked.
type rewriter struct {
	scanner
	out []byte
}

func (r *rewriter) value() error {
	switch r.peek() {
	case '"':
		r.out = AppendString(r.out, string(unescape(r.token())))
		return nil
	case '{':
		return r.object()
	case '[':
		return r.array()
	}
	from := r.i
	if err := r.scanner.value(); err != nil {
		return err
	}
	r.out = append(r.out, r.b[from:r.i]...)
	return nil
}

// token steps over a string and returns what is between its quotes.
func (r *rewriter) token() []byte {
	r.i++
	from := r.i
	for r.b[r.i] != '"' {
		if r.b[r.i] == '\\' {
			r.i++
		}
		r.i++
	}
	r.i++
	return r.b[from : r.i-1]
}

func (r *rewriter) array() error {
	if err := r.open(); err != nil {
		return err
	}
	r.out = append(r.out, '[')
	for !r.shut(']') {
		if r.peek() == ',' {
			r.i++
			r.out = append(r.out, ',')
		}
		if err := r.value(); err != nil {
			return err
		}
	}
	r.out = append(r.out, ']')
	return nil
}

// A pair is a member that waits for its place.
type pair struct {
	name  []uint16
	bytes []byte // name, colon and value
}

func (r *rewriter) object() error {
	if err := r.open(); err != nil {
		return err
	}
	start := len(r.out)
	var pairs []pair
	for !r.shut('}') {
		if r.peek() == ',' {
			r.i++
		}
		from := len(r.out)
		name := unescape(r.token())
		r.out = AppendString(r.out, string(name))
		r.out = append(r.out, ':')
		r.i++
		if err := r.value(); err != nil {
			return err
		}
		pairs = append(pairs, pair{units(name), r.out[from:]})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return slices.Compare(a.name, b.name) })
	return r.join(start, pairs)
}

// join replaces what was written from start by the members in their order.
func (r *rewriter) join(start int, pairs []pair) error {
	members := make([]byte, 0, len(r.out)-start+len(pairs)+1)
	for i, p := range pairs {
		if i > 0 {
			if slices.Equal(p.name, pairs[i-1].name) {
				return fmt.Errorf("member %q is there twice", bytes.SplitN(p.bytes, []byte{':'}, 2)[0])
			}
			members = append(members, ',')
		}
		members = append(members, p.bytes...)
	}
	r.out = append(append(append(r.out[:start], '{'), members...), '}')
	return nil
}
