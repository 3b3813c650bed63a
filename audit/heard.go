package audit

import (
	"encoding/hex"
	"strings"
	"unicode"
)

// SameHeard reports whether a text typed by ear is the value that was read
// aloud from a screen: only letters and digits count, in either case, and hex
// may be typed as PGP words. Nothing is the same as a value without letters and
// digits. It is how a read-back entry is compared.
func SameHeard(typed, value string) bool {
	want := heard(value)
	return want != "" && (heard(typed) == want || sameWords(typed, want))
}

// SameReading reports whether two readings of one value are equal: case and
// spaces do not count, and hex may be typed as PGP words. It is how a
// typed-back entry is compared.
func SameReading(typed, value string) bool {
	plain := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), "")) }
	want := plain(value)
	return want != "" && (plain(typed) == want || sameWords(typed, want))
}

// sameWords reports whether a text is the PGP words for bytes given in hex.
func sameWords(typed, want string) bool {
	b, err := ParseWords(typed)
	return err == nil && len(b) > 0 && hex.EncodeToString(b) == want
}

// heard is what one hears of a text: its letters and digits, small.
func heard(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
