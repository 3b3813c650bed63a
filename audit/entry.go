package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// FormatVersion is the version of the log format that this package writes and
// reads. It stands in the first entry of every log ([LogOpen].Format).
const FormatVersion = 1

// MaxEntry is the most bytes one encoded entry may have.
const MaxEntry = 64 << 10

// HashSize is the length in bytes of every hash in the log (SHA-256).
const HashSize = sha256.Size

// SaltSize is the length in bytes of an entry's salt.
const SaltSize = 16

// A Hash is an entry's RFC 6962 leaf hash, or the root of a tree of them.
type Hash [HashSize]byte

// String returns the hash as 64 lower-case hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// LeafHash returns the RFC 6962 section 2.1 leaf hash of an encoded entry:
// SHA-256(0x00 ‖ encoded). The same hash is the next entry's prev and the
// entry's leaf in the Merkle tree.
func LeafHash(encoded []byte) Hash {
	var short [typicalEntry]byte
	if len(encoded) < len(short) {
		n := copy(short[1:], encoded)
		return sha256.Sum256(short[:1+n])
	}
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(encoded)
	return Hash(h.Sum(nil))
}

// An Entry is one record of the log: one JSON object in RFC 8785 canonical
// form with exactly the members data, kind, prev, salt, seq, step, time.
type Entry struct {
	Seq  int64          // position in the log, from 0
	Time time.Time      // UTC, nanoseconds
	Step string         // id of the step it belongs to; "" outside a step
	Data Data           // what happened; its type decides the member kind
	Salt [SaltSize]byte // random: the hash of a hidden entry gives nothing away
	Prev Hash           // leaf hash of the entry before; zero for the first
}

// Kind returns the entry's kind, the name of its data's type in the log.
func (e *Entry) Kind() string { return e.Data.Kind() }

// Data is what one kind of entry records. Every type is listed in kinds.go;
// nothing else can be appended to a log or read from one.
type Data interface {
	// Kind returns the name under which the type stands in an entry.
	Kind() string
}
