package audit

import (
	"encoding/hex"
	"strconv"
)

// A Hidden stands in a redacted copy of a log in an entry's place: its number
// and its hash. An entry's salt is 16 random bytes, so the hash gives nothing
// away.
type Hidden struct {
	Seq  int64
	Hash Hash // leaf hash of the entry
}

const (
	hiddenBegin  = `{"hidden":"`
	hiddenMiddle = `","seq":`
)

// Marshal returns what stands in the entry's place, canonical JSON:
//
//	{"hidden":"<64 hex digits>","seq":12}
func (h Hidden) Marshal() []byte {
	return []byte(hiddenBegin + h.Hash.String() + hiddenMiddle + strconv.FormatInt(h.Seq, 10) + "}")
}

// ParseHidden reads what stands in a hidden entry's place and reports whether
// it is that: exactly what [Hidden.Marshal] writes. No entry is.
func ParseHidden(b []byte) (h Hidden, ok bool) {
	digits := len(hiddenBegin) + 2*HashSize
	end := digits + len(hiddenMiddle)
	if len(b) < end+2 || string(b[:len(hiddenBegin)]) != hiddenBegin || string(b[digits:end]) != hiddenMiddle {
		return Hidden{}, false
	}
	if _, err := hex.Decode(h.Hash[:], b[len(hiddenBegin):digits]); err != nil {
		return Hidden{}, false
	}
	seq, err := parseSize(string(b[end : len(b)-1]))
	if err != nil {
		return Hidden{}, false
	}
	h.Seq = seq
	return h, string(h.Marshal()) == string(b)
}

// StatedHash returns the leaf hash of what stands in an entry's place: that
// which a hidden entry states, else [LeafHash].
func StatedHash(b []byte) Hash {
	if h, ok := ParseHidden(b); ok {
		return h.Hash
	}
	return LeafHash(b)
}
