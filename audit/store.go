package audit

import "errors"

// A Store keeps a log: its entries, its current checkpoint and the checkpoints
// that are kept for good. It knows bytes only; what they mean is [Log]'s.
type Store interface {
	// Append writes entries at the positions from, from+1, … and replaces the
	// current checkpoint, all in one transaction: either all of it is there
	// afterwards or none. There may be no entries at all. If the store does
	// not hold exactly from entries, nothing is written and the error is
	// [ErrConflict].
	//
	// keep also keeps the checkpoint for good, under the size it is for,
	// unless one is kept for that size already. sync makes this and all that
	// was appended before durable (fsync) before Append returns; without it
	// the data survives the end of the process, not that of the machine.
	//
	// After any other error the caller cannot know whether it was written.
	Append(from int64, entries [][]byte, checkpoint []byte, keep, sync bool) error

	// Keep keeps a checkpoint for an earlier size for good, durably, and
	// leaves entries and current checkpoint alone. If another one is kept for
	// that size, nothing is written and the error is [ErrKept]; the same one
	// is no error.
	Keep(size int64, checkpoint []byte) error

	// Entries calls f for all entries from seq from on, in order, and returns
	// f's first error as it is. f may keep the bytes.
	Entries(from int64, f func(seq int64, encoded []byte) error) error

	// Head returns the current checkpoint, nil if the log is empty.
	Head() (checkpoint []byte, err error)

	// Close releases the store.
	Close() error
}

// ErrConflict means that a store holds another number of entries than the log
// in memory: somebody else wrote to it, or an append before failed.
var ErrConflict = errors.New("the store holds another number of entries than this log")

// ErrKept means that a store keeps another checkpoint for that size already: a
// kept checkpoint is never replaced.
var ErrKept = errors.New("another checkpoint is kept for this size")
