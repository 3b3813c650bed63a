package canonjson

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// A scanner walks over canonical JSON and stops at the first byte that is not.
type scanner struct {
	b      []byte
	i      int // next byte
	depth  int
	member func(name []byte, from, to int) // for members of the outermost object; may be nil
}

func (s *scanner) fail(at int, want string) error {
	return &SyntaxError{int64(at), want}
}

// end checks that nothing follows.
func (s *scanner) end() error {
	if s.i < len(s.b) {
		return s.fail(s.i, "the end")
	}
	return nil
}

// peek returns the next byte, or 0 at the end; a byte 0 is never canonical.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) value() error {
	switch c := s.peek(); {
	case c == '"':
		_, err := s.str()
		return err
	case c == '-' || '0' <= c && c <= '9':
		return s.integer()
	case c == '{':
		return s.object()
	case c == '[':
		return s.array()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.fail(s.i, "a value")
}

func (s *scanner) literal(word string) error {
	for k := range len(word) {
		if s.peek() != word[k] {
			return s.fail(s.i, word)
		}
		s.i++
	}
	return nil
}

// open steps over the bracket that begins an array or object.
func (s *scanner) open() error {
	if s.depth == MaxDepth {
		return s.fail(s.i, "at most 32 levels")
	}
	s.depth++
	s.i++
	return nil
}

// shut steps over the bracket that ends an array or object, if it is there.
func (s *scanner) shut(bracket byte) bool {
	if s.peek() != bracket {
		return false
	}
	s.depth--
	s.i++
	return true
}

func (s *scanner) array() error {
	if err := s.open(); err != nil {
		return err
	}
	if s.shut(']') {
		return nil
	}
	for {
		if err := s.value(); err != nil {
			return err
		}
		if s.shut(']') {
			return nil
		}
		if s.peek() != ',' {
			return s.fail(s.i, `"," or "]"`)
		}
		s.i++
	}
}

func (s *scanner) object() error {
	if err := s.open(); err != nil {
		return err
	}
	if s.shut('}') {
		return nil
	}
	var last []byte
	for first := true; ; first = false {
		name, err := s.name(last, first)
		if err != nil {
			return err
		}
		from := s.i
		if err := s.value(); err != nil {
			return err
		}
		if s.depth == 1 && s.member != nil {
			s.member(name, from, s.i)
		}
		if s.shut('}') {
			return nil
		}
		if s.peek() != ',' {
			return s.fail(s.i, `"," or "}"`)
		}
		s.i++
		last = name
	}
}

// name steps over a member's name and colon. It must come after last unless it
// is the first.
func (s *scanner) name(last []byte, first bool) ([]byte, error) {
	from := s.i
	if s.peek() != '"' {
		return nil, s.fail(from, "a member name")
	}
	name, err := s.str()
	if err != nil {
		return nil, err
	}
	if !first && !before(last, name) {
		return nil, s.fail(from, "a member name after the one before, in UTF-16 order")
	}
	if s.peek() != ':' {
		return nil, s.fail(s.i, `":"`)
	}
	s.i++
	return name, nil
}

// integer steps over an integer: −(2^53−1) to 2^53−1, no leading zero, no −0.
func (s *scanner) integer() error {
	from := s.i
	negative := s.peek() == '-'
	if negative {
		s.i++
	}
	digits := s.i
	n := uint64(0)
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		n = n*10 + uint64(c-'0')
		if n > MaxInt {
			return s.fail(from, "an integer of at most 2^53-1")
		}
		s.i++
		if s.i-digits > 1 && s.b[digits] == '0' {
			return s.fail(digits, "no leading zero")
		}
	}
	switch c := s.peek(); {
	case s.i == digits:
		return s.fail(s.i, "a digit")
	case negative && n == 0:
		return s.fail(from, "0 without a sign")
	case c == '.' || c == 'e' || c == 'E':
		return s.fail(s.i, "an integer without fraction and exponent")
	}
	return nil
}

// plain marks the ASCII characters that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// str steps over a string and returns what is between its quotes.
func (s *scanner) str() ([]byte, error) {
	s.i++
	from := s.i
	for {
		s.run()
		if s.i == len(s.b) {
			return nil, s.fail(s.i, `"\""`)
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[from : s.i-1], nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		case c < 0x20:
			return nil, s.fail(s.i, "an escape for a control character")
		default:
			r, n := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && n == 1 {
				return nil, s.fail(s.i, "UTF-8")
			}
			s.i += n
		}
	}
}

// run steps over characters that stand for themselves: most bytes of most
// strings, so eight at a time.
func (s *scanner) run() {
	b, i := s.b, s.i
	for i+8 <= len(b) && plainWord(binary.LittleEndian.Uint64(b[i:])) {
		i += 8
	}
	for i < len(b) && plain[b[i]] {
		i++
	}
	s.i = i
}

// plainWord reports whether each of eight bytes stands for itself in a string:
// none is a control character, a quote, a backslash or beyond ASCII. (A byte
// x below n sets its top bit in x−n where x's own is clear; a zero byte of
// w^quote marks a quote.)
func plainWord(w uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote, slash := w^(ones*'"'), w^(ones*'\\')
	odd := w | (w - ones*0x20) | (quote - ones) | (slash - ones)
	return odd&tops == 0
}

// escapes maps the letter of a two-character escape to what it stands for.
var escapes = [256]byte{'"': '"', '\\': '\\', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape steps over an escape that has to be.
func (s *scanner) escape() error {
	rest := s.b[s.i:]
	if len(rest) >= 2 && escapes[rest[1]] != 0 {
		s.i += 2
		return nil
	}
	if len(rest) < 6 || !bytes.HasPrefix(rest, []byte(`\u00`)) || !controlHex(rest[4], rest[5]) {
		return s.fail(s.i, `the shortest escape (\" \\ \b \f \n \r \t, or \u00 and two lower-case hex digits)`)
	}
	s.i += 6
	return nil
}

// controlHex reports whether two hex digits name a control character that has
// no escape of two characters.
func controlHex(high, low byte) bool {
	if high != '0' && high != '1' {
		return false
	}
	if !('0' <= low && low <= '9' || 'a' <= low && low <= 'f') {
		return false
	}
	if high == '1' {
		return true
	}
	return low < '8' || low == 'b' || low == 'e' || low == 'f'
}
