package canonjson

import (
	"bytes"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// before reports whether the name a, as encoded between quotes, comes before b
// in the order of UTF-16 code units.
func before(a, b []byte) bool {
	if simple(a) && simple(b) {
		return bytes.Compare(a, b) < 0
	}
	return slices.Compare(units(unescape(a)), units(unescape(b))) < 0
}

// simple reports whether a name has neither escapes nor characters beyond
// ASCII, so that its bytes are its code units.
func simple(name []byte) bool {
	for _, c := range name {
		if !plain[c] {
			return false
		}
	}
	return true
}

// units returns the UTF-16 code units of a name without escapes.
func units(name []byte) []uint16 {
	return utf16.Encode([]rune(string(name)))
}

// unescape returns what the bytes between a string's quotes stand for. They
// may have any escape of RFC 8259, with valid surrogate pairs.
func unescape(s []byte) []byte {
	if bytes.IndexByte(s, '\\') < 0 {
		return s
	}
	var out []byte
	for i := 0; i < len(s); {
		switch {
		case s[i] != '\\':
			out = append(out, s[i])
			i++
		case s[i+1] == 'u':
			r, n := unicodeEscape(s[i:])
			out = utf8.AppendRune(out, r)
			i += n
		case s[i+1] == '/':
			out = append(out, '/')
			i += 2
		default:
			out = append(out, escapes[s[i+1]])
			i += 2
		}
	}
	return out
}

// unicodeEscape returns the character of the \u escape, or pair of them, that
// s begins with, and how many bytes it takes.
func unicodeEscape(s []byte) (rune, int) {
	r := hex4(s[2:])
	if utf16.IsSurrogate(r) && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		return utf16.DecodeRune(r, hex4(s[8:])), 12
	}
	return r, 6
}

func hex4(s []byte) (r rune) {
	for _, c := range s[:4] {
		switch {
		case c <= '9':
			r = r<<4 | rune(c-'0')
		default:
			r = r<<4 | rune(c|0x20-'a'+10)
		}
	}
	return r
}
