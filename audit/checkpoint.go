package audit

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// The modes of a ceremony, as they stand in a log's origin.
const (
	ModeProduction = "production"
	ModeRehearsal  = "rehearsal"
)

// originPrefix begins every log's origin.
const originPrefix = "keyrite.ceremony/"

// maxSize is the largest size of a log: every number in the format is an
// integer below 2^53.
const maxSize = 1<<53 - 1

// A Checkpoint says how long a log is and what it holds.
type Checkpoint struct {
	Origin string // names the log: "keyrite.ceremony/rehearsal/<32 hex digits>"
	Size   int64  // entries
	Root   Hash   // RFC 6962 root over the entries' leaf hashes
}

// Text returns the checkpoint's text, the body of a C2SP tlog-checkpoint
// without extension lines: origin, size in decimal and root in standard base64,
// a line each.
//
//	keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0
//	2
//	N7AR4QnOmI8OVQ7NLLAdLTR0PT5P3HyRmxKZm1DFvZk=
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// ParseCheckpoint reads a checkpoint's text. It accepts exactly what
// [Checkpoint.Text] writes: an origin that can be a note key's name, a size
// below 2^53 without leading zeros, a root of 32 bytes, three lines, nothing
// after them.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Checkpoint{}, fmt.Errorf("parsing checkpoint %q: not three lines", text)
	}
	if !validName(lines[0]) {
		return Checkpoint{}, fmt.Errorf("parsing checkpoint: origin %q is empty or has white space, control characters, a plus sign or bad UTF-8", lines[0])
	}
	size, err := parseSize(lines[1])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("parsing checkpoint: %w", err)
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != HashSize || strings.Contains(lines[2], "\r") {
		return Checkpoint{}, fmt.Errorf("parsing checkpoint: root %q is not base64 of 32 bytes", lines[2])
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: Hash(root)}, nil
}

// parseSize reads a decimal number below 2^53 that has no second form.
func parseSize(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > maxSize || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("size %q is not a decimal number below 2^53", s)
	}
	return n, nil
}

// validName reports whether s can name a key of a signed note, by the rules of
// sumdb/note, and stand on a line of its own.
func validName(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r == '+' || unicode.IsSpace(r) || unicode.IsControl(r)
	})
}

// OpenCheckpoint checks a signed checkpoint with the log key's verifier key,
// whose name must be the checkpoint's origin, and returns what it says. Further
// signatures, by witnesses, are left alone.
func OpenCheckpoint(b []byte, vkey string) (Checkpoint, error) {
	n, err := OpenNote(b, vkey)
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != n.Sigs[0].Name {
		return Checkpoint{}, fmt.Errorf("checkpoint of %q is signed by a key named %q", c.Origin, n.Sigs[0].Name)
	}
	return c, nil
}

// readCheckpoint returns what a signed checkpoint says, whoever signed it.
func readCheckpoint(b []byte) (Checkpoint, error) {
	n, err := note.Open(b, note.VerifierList())
	if unverified, ok := err.(*note.UnverifiedNoteError); ok {
		n, err = unverified.Note, nil
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("reading checkpoint: %w", err)
	}
	return ParseCheckpoint(n.Text)
}

// NewOrigin returns a new log's origin, with 128 bits from rand:
// "keyrite.ceremony/<mode>/<32 lower-case hex digits>". mode is
// [ModeProduction] or [ModeRehearsal].
func NewOrigin(mode string, rand io.Reader) (string, error) {
	var id [16]byte
	if _, err := io.ReadFull(rand, id[:]); err != nil {
		return "", fmt.Errorf("making an origin: %w", err)
	}
	origin := originPrefix + mode + "/" + hex.EncodeToString(id[:])
	if _, err := OriginMode(origin); err != nil {
		return "", err
	}
	return origin, nil
}

// OriginMode returns the mode in a log's origin. An origin not of the form
// that [NewOrigin] gives is an error.
func OriginMode(origin string) (string, error) {
	rest, ours := strings.CutPrefix(origin, originPrefix)
	mode, id, _ := strings.Cut(rest, "/")
	if !ours || mode != ModeProduction && mode != ModeRehearsal {
		return "", fmt.Errorf("origin %q does not begin with %s and production or rehearsal", origin, originPrefix)
	}
	if b, err := hex.DecodeString(id); err != nil || len(b) != 16 || strings.ToLower(id) != id {
		return "", fmt.Errorf("origin %q does not end in 32 lower-case hex digits", origin)
	}
	return mode, nil
}
