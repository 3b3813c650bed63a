// Package secretshare splits a PIN into shares of which k of n give it back
// (A. Shamir, "How to share a secret", 1979), and says what a share is in bytes
// and in words. docs/shares.md is the format, for programs by others.
//
// Why the arithmetic is our own: docs/decisions/shamir-of-our-own.md.
package secretshare

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/keyrite/keyrite/internal/token"
)

// Version is the version of the format.
const Version = 1

// A Kind says which PIN a share is of.
type Kind byte

// The kinds of PIN.
const (
	SOPIN   Kind = 1
	UserPIN Kind = 2
)

// String returns "SO-PIN" or "user PIN".
func (k Kind) String() string {
	switch k {
	case SOPIN:
		return "SO-PIN"
	case UserPIN:
		return "user PIN"
	}
	return "PIN of kind " + strconv.Itoa(int(k))
}

// A Tag tells the shares of one splitting from those of any other.
type Tag [3]byte

// A Set is one splitting of one PIN, as the log names it.
type Set struct {
	Origin string // the log's
	Token  string // the token's name in the script
	Kind   Kind
	Number int64 // entries in the log when it was split
	K, N   int   // K of N shares are enough
}

// Tag returns the first bytes of the SHA-256 over the set's text:
//
//	keyrite share set v1
//	<origin>
//	<token>
//	<SO-PIN or user PIN>
//	<number>
func (s Set) Tag() (t Tag) {
	sum := sha256.Sum256(fmt.Appendf(nil, "keyrite share set v%d\n%s\n%s\n%s\n%d\n", Version, s.Origin, s.Token, s.Kind, s.Number))
	copy(t[:], sum[:])
	return t
}

// A Share is what one custodian holds. Printing it shows nothing of the secret;
// Wipe overwrites that.
type Share struct {
	Kind  Kind
	K, N  int // K of N are enough
	Index int // from 1
	Tag   Tag

	secret token.PIN // the value, as long as the PIN that was split, and 16 random bytes
}

const (
	headerSize = 3
	randomSize = 16
	sumSize    = 2
	fixedSize  = headerSize + len(Tag{}) + randomSize + sumSize
)

// Split splits a secret of 1 to 16 bytes into the set's shares. random must be
// the system's source.
func (s Set) Split(secret []byte, random io.Reader) ([]*Share, error) {
	if s.Kind != SOPIN && s.Kind != UserPIN {
		return nil, fmt.Errorf("splitting a %s: expected the SO-PIN or the user PIN", s.Kind)
	}
	values, err := split(secret, s.K, s.N, random)
	if err != nil {
		return nil, err
	}
	shares := make([]*Share, s.N)
	for i, value := range values {
		b := make([]byte, len(value)+randomSize)
		copy(b, value)
		clear(value)
		shares[i] = &Share{Kind: s.Kind, K: s.K, N: s.N, Index: i + 1, Tag: s.Tag(), secret: token.NewPIN(b)}
		if _, err := io.ReadFull(random, b[len(value):]); err != nil {
			return nil, fmt.Errorf("splitting a secret: reading randomness: %w", err)
		}
	}
	return shares, nil
}

// Join gives the secret back that K or more shares of one set were made of. The
// error says what is wrong with which share, by its number; a share that was
// changed and fits its own checksum is not found here.
func Join(shares []*Share) ([]byte, error) {
	if len(shares) == 0 {
		return nil, errors.New("joining shares: there are none")
	}
	first := shares[0]
	var xs []byte
	var values [][]byte
	defer func() {
		for _, v := range values {
			clear(v)
		}
	}()
	for _, s := range shares {
		if err := first.Fits(s); err != nil {
			return nil, fmt.Errorf("joining shares: %w", err)
		}
		xs, values = append(xs, byte(s.Index)), append(values, s.value())
	}
	if len(shares) < first.K {
		return nil, fmt.Errorf("joining shares: %d of the %d that are needed", len(shares), first.K)
	}
	return join(xs[:first.K], values[:first.K])
}

// Fits returns why two shares cannot belong together, or nil. The same share
// twice is found by [Join].
func (s *Share) Fits(other *Share) error {
	switch {
	case s.Kind != other.Kind:
		return fmt.Errorf("share %d is of the %s, share %d of the %s", s.Index, s.Kind, other.Index, other.Kind)
	case s.Tag != other.Tag:
		return fmt.Errorf("share %d is of set %x, share %d of set %x: they were made at different times, in another ceremony, or for another token", s.Index, s.Tag, other.Index, other.Tag)
	case s.K != other.K || s.N != other.N || s.length() != other.length():
		return fmt.Errorf("share %d says %d of %d, share %d says %d of %d", s.Index, s.K, s.N, other.Index, other.K, other.N)
	}
	return nil
}

// Same reports whether two shares are the same in every byte.
func (s *Share) Same(other *Share) bool {
	a, b := s.payload(), other.payload()
	defer clear(a)
	defer clear(b)
	return subtle.ConstantTimeCompare(a, b) == 1
}

// Commitment returns what the log says of a share: the SHA-256 over the share's
// bytes and its 128 random bits. Without those bits nobody can try values.
func (s *Share) Commitment() [sha256.Size]byte {
	b := s.payload()
	defer clear(b)
	return sha256.Sum256(b[:len(b)-sumSize])
}

// Wipe overwrites what is secret, as far as Go lets it.
func (s *Share) Wipe() { s.secret.Wipe() }

// String says which share it is, and nothing of the secret.
func (s Share) String() string {
	return fmt.Sprintf("share %d of %d of the %s, set %x, [redacted]", s.Index, s.N, s.Kind, s.Tag)
}

// GoString is String.
func (s Share) GoString() string { return s.String() }

// Format prints String for every verb.
func (s Share) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// value returns a copy of the value, to be wiped.
func (s *Share) value() (v []byte) {
	s.secret.Reveal(func(b []byte) { v = bytes.Clone(b[:max(0, len(b)-randomSize)]) })
	return v
}

// length is that of the value, in bytes.
func (s *Share) length() (n int) {
	s.secret.Reveal(func(b []byte) { n = len(b) - randomSize })
	return n
}

// payload returns the share as bytes:
//
//	version<<4 | kind · k<<4 | n · index<<4 | length-1 · tag (3) · value · random (16) · sum (2)
//
// where sum is the first bytes of the SHA-256 over "keyrite share v1\n" and all
// before it. The caller wipes it.
func (s *Share) payload() []byte {
	b := make([]byte, 0, fixedSize+MostBytes)
	b = append(b, Version<<4|byte(s.Kind), byte(s.K<<4|s.N), byte(s.Index<<4|(s.length()-1)))
	b = append(b, s.Tag[:]...)
	s.secret.Reveal(func(secret []byte) { b = append(b, secret...) })
	sum := checksum(b)
	return append(b, sum[:]...)
}

func checksum(b []byte) (sum [sumSize]byte) {
	h := sha256.New()
	fmt.Fprintf(h, "keyrite share v%d\n", Version)
	h.Write(b)
	copy(sum[:], h.Sum(nil))
	return sum
}

// size returns how many bytes a payload has whose first three are the header.
func size(header []byte) int { return fixedSize + int(header[2]&15) + 1 }

// parse reads a payload.
func parse(b []byte) (*Share, error) {
	if len(b) < headerSize || b[0]>>4 != Version {
		return nil, errors.New("this is no share of version 1 of the format")
	}
	s := &Share{Kind: Kind(b[0] & 15), K: int(b[1] >> 4), N: int(b[1] & 15), Index: int(b[2] >> 4)}
	switch {
	case s.Kind != SOPIN && s.Kind != UserPIN, s.K < 2, s.K > s.N, s.Index < 1, s.Index > s.N:
		return nil, errors.New("this is no share: its header is not possible")
	case len(b) != size(b):
		return nil, fmt.Errorf("this share has %d bytes, expected %d", len(b), size(b))
	}
	end := len(b) - sumSize
	if sum := checksum(b[:end]); !bytes.Equal(sum[:], b[end:]) {
		return nil, errors.New("the checksum does not fit: a word is not the one on the slip")
	}
	copy(s.Tag[:], b[headerSize:])
	s.secret = token.NewPIN(bytes.Clone(b[headerSize+len(s.Tag) : end]))
	return s, nil
}
