// Package drill is what a log says of a drill: a fault that is made in a
// rehearsal and that the room does not know of.
//
// Two entries of kind result bind it. The first stands in the log's beginning,
//
//	"REHEARSAL drill": "a fault that the room does not know of is made in this rehearsal; SHA-256 of what it is and a nonce: <64 hex digits>"
//
// the second before the log is closed,
//
//	"REHEARSAL drill revealed": "<what it was>; nonce <64 hex digits>"
//
// The hash is SHA-256(fault ‖ nonce): the bytes of what it was in UTF-8, then the
// 32 bytes of the nonce. A third, "REHEARSAL drill report", is for people: what
// happened, and which entries speak of it. In a log that is no rehearsal's none of
// them has a place.
package drill

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// Names of the result entries.
const (
	Committed = "REHEARSAL drill"
	Revealed  = "REHEARSAL drill revealed"
	Reported  = "REHEARSAL drill report"
)

const (
	commits = "a fault that the room does not know of is made in this rehearsal; SHA-256 of what it is and a nonce: "
	reveals = "; nonce "
)

// A Secret is what a drill hides until its end.
type Secret struct {
	Fault string // what it is, in words
	Nonce [32]byte
}

// New hides a fault under a nonce from random.
func New(fault string, random io.Reader) (Secret, error) {
	s := Secret{Fault: fault}
	if _, err := io.ReadFull(random, s.Nonce[:]); err != nil {
		return s, fmt.Errorf("making the nonce of a drill: %w", err)
	}
	return s, nil
}

// Hash is SHA-256(fault ‖ nonce).
func (s Secret) Hash() audit.Hash {
	return sha256.Sum256(append([]byte(s.Fault), s.Nonce[:]...))
}

// Commitment is the entry that binds the secret and says nothing of it.
func (s Secret) Commitment() *audit.Result {
	return &audit.Result{Name: Committed, Value: commits + s.Hash().String()}
}

// Reveal is the entry that tells the secret.
func (s Secret) Reveal() *audit.Result {
	return &audit.Result{Name: Revealed, Value: s.Fault + reveals + hex.EncodeToString(s.Nonce[:])}
}

// ReadCommitment returns the hash of a commitment; ok is false if d is none in the
// one form.
func ReadCommitment(d *audit.Result) (h audit.Hash, ok bool) {
	text, found := strings.CutPrefix(d.Value, commits)
	if d.Name != Committed || !found {
		return h, false
	}
	b, ok := bytes32(text)
	return audit.Hash(b), ok
}

// ReadReveal returns what a reveal tells; ok is false if d is none in the one
// form.
func ReadReveal(d *audit.Result) (s Secret, ok bool) {
	at := strings.LastIndex(d.Value, reveals)
	if d.Name != Revealed || at < 0 {
		return s, false
	}
	s.Fault = d.Value[:at]
	s.Nonce, ok = bytes32(d.Value[at+len(reveals):])
	return s, ok
}

// bytes32 reads 64 lower-case hex digits.
func bytes32(text string) (b [32]byte, ok bool) {
	got, err := hex.DecodeString(text)
	if err != nil || len(got) != len(b) || strings.ToLower(text) != text {
		return b, false
	}
	return [32]byte(got), true
}
