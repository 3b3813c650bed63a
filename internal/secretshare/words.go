package secretshare

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// rowBytes is how many bytes of a share a row of words holds, before its check.
const rowBytes = 5

// Rows returns the share as rows of words, each to be wiped by the caller: five
// bytes of the share a row, fewer in the last, and then a byte that checks this
// row and all before it, as one PGP word a byte. Every row begins with a word of
// the two-syllable list.
func (s *Share) Rows() [][]byte {
	b := s.payload()
	defer clear(b)
	var rows [][]byte
	for at := 0; at < len(b); at += rowBytes {
		end := min(at+rowBytes, len(b))
		rows = append(rows, words(append(bytes.Clone(b[at:end]), check(b[:end]))))
	}
	return rows
}

// words spells bytes and wipes them.
func words(b []byte) []byte {
	defer clear(b)
	line := make([]byte, 0, len(b)*12) // the longest word has 11 letters
	for i, w := range audit.Words(b) {
		if i > 0 {
			line = append(line, ' ')
		}
		line = append(line, w...)
	}
	return line
}

// check is the first byte of the SHA-256 over "keyrite share row v1\n" and the
// share up to the end of a row.
func check(b []byte) byte {
	h := sha256.New()
	fmt.Fprintf(h, "keyrite share row v%d\n", Version)
	h.Write(b)
	return h.Sum(nil)[0]
}

// A Reader takes a share row by row, as it is typed.
type Reader struct {
	b     []byte
	rows  int
	words [2]map[string]byte // of the two lists; nil before the first row
}

// Row takes the next row, in any case, its words apart by spaces, hyphens or
// commas. share is not nil when it was the last. An error names the word at
// fault by its number, and never the word; the row can be given again.
func (r *Reader) Row(line []byte) (share *Share, err error) {
	want := rowBytes
	if len(r.b) >= headerSize {
		want = min(rowBytes, size(r.b)-len(r.b))
	}
	row, err := r.spelled(line)
	defer clear(row)
	switch {
	case err != nil:
		return nil, err
	case len(row) != want+1:
		return nil, fmt.Errorf("it has %d words, expected %d", len(row), want+1)
	}
	all := append(bytes.Clone(r.b), row[:want]...)
	if check(all) != row[want] {
		clear(all)
		return nil, errors.New("its last word does not fit the others: a word is not the one on the slip, or this is another row")
	}
	clear(r.b)
	r.b = all
	r.rows++
	if len(r.b) < size(r.b) {
		if r.rows == 1 && r.b[0]>>4 != Version {
			r.Wipe()
			return nil, errors.New("this is no share of version 1 of the format")
		}
		return nil, nil
	}
	share, err = parse(r.b)
	r.Wipe()
	return share, err
}

// Rows returns how many rows were taken.
func (r *Reader) Rows() int { return r.rows }

// Wipe forgets what was taken, so that the first row can be given again.
func (r *Reader) Wipe() {
	clear(r.b)
	r.b, r.rows = nil, 0
}

// spelled returns the bytes that words stand for. Its errors hold no word, since
// a word is a part of a secret.
func (r *Reader) spelled(line []byte) ([]byte, error) {
	r.learn()
	line = bytes.ToLower(line)
	defer clear(line)
	var row []byte
	for i, word := range bytes.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t-,", r) }) {
		b, here := r.words[i%2][string(word)]
		_, other := r.words[1-i%2][string(word)]
		switch {
		case here:
			row = append(row, b)
		case other:
			clear(row)
			return nil, fmt.Errorf("its word %d does not belong at this place: a word before it was left out, repeated or swapped", i+1)
		default:
			clear(row)
			return nil, fmt.Errorf("its word %d is not in the list of words", i+1)
		}
	}
	return row, nil
}

// learn makes the lists of words.
func (r *Reader) learn() {
	if r.words[0] != nil {
		return
	}
	r.words = [2]map[string]byte{{}, {}}
	for c := range 256 {
		for i, word := range audit.Words([]byte{byte(c), byte(c)}) {
			r.words[i][strings.ToLower(word)] = byte(c)
		}
	}
}

// Text returns the share as a line of text for a QR code:
//
//	keyrite-share/1 <origin> <token> <number> <payload in hex>
//
// The caller wipes it.
func (s *Share) Text(set Set) []byte {
	b := s.payload()
	defer clear(b)
	line := fmt.Appendf(make([]byte, 0, 512), "keyrite-share/%d %s %s %d ", Version, set.Origin, set.Token, set.Number)
	return hex.AppendEncode(line, b)
}
