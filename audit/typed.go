package audit

import (
	"crypto/ed25519"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// A witness's signature can be read aloud and typed: ten bytes a line, in RFC
// 4648 base32 without padding, with the line's number, how many lines there
// are, and two check characters.
//
//	1/8 ATNO UAJK AAAA AADJ 2O
//
// With n the number and m the count of lines, and d1 … dk the values of the
// line's characters, the check is the number with the digits n m d1 … dk to
// the base 32, modulo 1021, as two characters. It finds every single wrong
// character and every two that are swapped.
//
// The bytes are the signature's type in a note's keys (0x04 a cosignature, 0x01
// a verdict), then what stands in the note's line: key hash, for a cosignature
// the time, signature.

const (
	typedBytes = 10   // bytes a line
	typedCheck = 1021 // the largest prime below 32²
	maxTyped   = 31   // lines
)

var typedEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// typedAlphabet are the characters, each at its value.
const typedAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// TypedLines returns up to 310 bytes in the form for typing. More bytes are a
// mistake of the caller.
func TypedLines(b []byte) []string {
	parts := slices.Collect(slices.Chunk(b, typedBytes))
	if len(parts) > maxTyped {
		panic(fmt.Sprintf("audit: %d bytes are too many to type", len(b)))
	}
	lines := make([]string, len(parts))
	for i, part := range parts {
		chars := typedEncoding.EncodeToString(part)
		chars += typedSum(i+1, len(parts), chars)
		lines[i] = fmt.Sprintf("%d/%d", i+1, len(parts))
		for group := range slices.Chunk([]byte(chars), 4) {
			lines[i] += " " + string(group)
		}
	}
	return lines
}

// typedSum returns the two check characters of a line.
func typedSum(n, of int, chars string) string {
	sum := n*32 + of
	for _, c := range []byte(chars) {
		sum = (sum*32 + strings.IndexByte(typedAlphabet, c)) % typedCheck
	}
	return string([]byte{typedAlphabet[sum/32], typedAlphabet[sum%32]})
}

// A TypedLine is one line of the form for typing.
type TypedLine struct {
	Number int // from 1
	Of     int // lines
	Bytes  []byte
}

// ParseTypedLine reads one line as a person may type it: in any case, with any
// spaces and hyphens; 0 is read as O, 8 as B. The error names the line by the
// number typed and says what to look for.
func ParseTypedLine(s string) (TypedLine, error) {
	head, rest, ok := strings.Cut(strings.TrimSpace(s), "/")
	end := strings.IndexFunc(strings.TrimLeft(rest, " "), func(r rune) bool { return r < '0' || r > '9' })
	if !ok || end < 1 {
		return TypedLine{}, fmt.Errorf("line %q does not begin with its number, as 1/8", shortLine(s))
	}
	rest = strings.TrimLeft(rest, " ")
	l := TypedLine{Number: typedNumber(strings.TrimSpace(head)), Of: typedNumber(rest[:end])}
	if l.Number < 1 || l.Of < 1 || l.Number > l.Of || l.Of > maxTyped {
		return TypedLine{}, fmt.Errorf("line %q does not begin with its number, as 1/8", shortLine(s))
	}
	chars, err := typedChars(rest[end:])
	if err != nil {
		return TypedLine{}, fmt.Errorf("line %d: %w", l.Number, err)
	}
	full := typedEncoding.EncodedLen(typedBytes) + 2
	if len(chars) < 4 || len(chars) > full || l.Number < l.Of && len(chars) != full {
		return TypedLine{}, fmt.Errorf("line %d: %d characters, not %d: one was left out or typed twice", l.Number, len(chars), full)
	}
	chars, sum := chars[:len(chars)-2], chars[len(chars)-2:]
	if typedSum(l.Number, l.Of, chars) != sum {
		return TypedLine{}, fmt.Errorf("line %d: a character is wrong, or two are swapped", l.Number)
	}
	l.Bytes, err = typedEncoding.DecodeString(chars)
	if err != nil || typedEncoding.EncodeToString(l.Bytes) != chars {
		return TypedLine{}, fmt.Errorf("line %d: not what any bytes are written as", l.Number)
	}
	return l, nil
}

// typedNumber reads a number of at most two digits; 0 is no number.
func typedNumber(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || len(s) > 2 {
		return 0
	}
	return n
}

// typedChars returns the characters of a line in upper case, without what
// parts them.
func typedChars(s string) (string, error) {
	var chars strings.Builder
	for _, r := range strings.ToUpper(s) {
		switch {
		case r == ' ' || r == '\t' || r == '-' || r == '\r':
		case r == '0':
			chars.WriteByte('O')
		case r == '8':
			chars.WriteByte('B')
		case r < 0x80 && strings.IndexByte(typedAlphabet, byte(r)) >= 0:
			chars.WriteRune(r)
		default:
			return "", fmt.Errorf("the character %q is never used: only the letters A to Z and the digits 2 to 7 are", r)
		}
	}
	return chars.String(), nil
}

// shortLine returns the beginning of what was typed.
func shortLine(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// ParseTyped reads all lines, in any order; empty ones are left out. The error
// names the line at fault or the lines that are missing.
func ParseTyped(text string) ([]byte, error) {
	var parts [][]byte
	for s := range strings.Lines(text) {
		if strings.TrimSpace(s) == "" {
			continue
		}
		l, err := ParseTypedLine(s)
		if err != nil {
			return nil, err
		}
		if parts == nil {
			parts = make([][]byte, l.Of)
		}
		switch {
		case l.Of != len(parts):
			return nil, fmt.Errorf("line %d: it is one of %d lines, those before of %d", l.Number, l.Of, len(parts))
		case parts[l.Number-1] != nil:
			return nil, fmt.Errorf("line %d is there twice", l.Number)
		}
		parts[l.Number-1] = l.Bytes
	}
	for i, part := range parts {
		if part == nil {
			return nil, fmt.Errorf("line %d of %d is missing", i+1, len(parts))
		}
	}
	if parts == nil {
		return nil, errors.New("no line was typed")
	}
	return slices.Concat(parts...), nil
}

// Typed returns the cosignature in the form for typing, eight lines. The name
// is not in it: the key hash tells the key.
func (c Cosignature) Typed() []string {
	b := binary.BigEndian.AppendUint32([]byte{algCosignature}, c.KeyHash)
	return TypedLines(append(binary.BigEndian.AppendUint64(b, uint64(c.Time)), c.Signature[:]...))
}

// ParseTypedCosignature reads a typed cosignature of a checkpoint by one of the
// keys, and checks it.
func ParseTypedCosignature(text string, p Checkpoint, keys ...*WitnessKey) (Cosignature, error) {
	b, err := ParseTyped(text)
	if err != nil {
		return Cosignature{}, fmt.Errorf("reading the typed cosignature: %w", err)
	}
	if len(b) != 1+4+cosignatureSize || b[0] != algCosignature || b[5] > 0x7f {
		return Cosignature{}, fmt.Errorf("reading the typed cosignature: %d bytes of type %#02x are no cosignature", len(b), b[0])
	}
	c := Cosignature{KeyHash: binary.BigEndian.Uint32(b[1:]), Time: int64(binary.BigEndian.Uint64(b[5:]) & math.MaxInt64), Signature: [ed25519.SignatureSize]byte(b[13:])}
	err = fmt.Errorf("reading the typed cosignature: its key hash %08x is that of no witness's key", c.KeyHash)
	for _, k := range keys {
		if k.hash != c.KeyHash {
			continue
		}
		c.Name = k.name
		if err = k.Check(c, p); err == nil {
			return c, nil
		}
	}
	return Cosignature{}, err
}

// TypedVerdict returns the signature of a verdict's signed note in the form for
// typing, seven lines. The text is not in it: whoever reads it has it.
func TypedVerdict(b []byte, k *WitnessKey) ([]string, error) {
	if _, err := OpenVerdictNote(b, k); err != nil {
		return nil, err
	}
	return typedSignature(b, k)
}

// typedSignatureSize is the size of what is typed of a note's signature: type,
// key hash, signature.
const typedSignatureSize = 1 + 4 + ed25519.SignatureSize

// typedSignature returns the signature of a note by the key in the form for
// typing.
func typedSignature(b []byte, k *WitnessKey) ([]string, error) {
	n, err := OpenNote(b, k.NoteKey())
	if err != nil {
		return nil, err
	}
	sig, err := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if err != nil {
		return nil, fmt.Errorf("reading a note's signature: %w", err)
	}
	return TypedLines(append([]byte{algEd25519}, sig...)), nil
}

// ParseTypedVerdict reads a typed signature over the verdict v by the key k and
// returns the signed note.
func ParseTypedVerdict(text string, v VerdictNote, k *WitnessKey) ([]byte, error) {
	b, err := ParseTyped(text)
	if err != nil {
		return nil, fmt.Errorf("reading the typed verdict: %w", err)
	}
	if len(b) != typedSignatureSize || b[0] != algEd25519 {
		return nil, fmt.Errorf("reading the typed verdict: %d bytes of type %#02x are no signature of a verdict", len(b), b[0])
	}
	line := "— " + k.name + " " + base64.StdEncoding.EncodeToString(b[1:])
	signed := []byte(v.Text() + "\n" + line + "\n")
	if _, err := OpenVerdictNote(signed, k); err != nil {
		var unverified *note.UnverifiedNoteError
		if errors.As(err, &unverified) {
			return nil, fmt.Errorf("reading the typed verdict: it is not by the key of %q", k.name)
		}
		return nil, fmt.Errorf("reading the typed verdict: %w", err)
	}
	return signed, nil
}
