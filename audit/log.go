package audit

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// ErrClosed means that a log's last entry is a close: nothing can follow.
var ErrClosed = errors.New("the log is closed")

// jumpLimit is how far wall clock and monotonic clock may part between two
// entries before a clock-jump entry says so.
const jumpLimit = time.Second

// Config is what a log is made from.
type Config struct {
	Store  Store
	Key    *LogKey
	Origin string           // the key's name, too
	Now    func() time.Time // with Go's monotonic reading, so that clock jumps are seen
	Rand   io.Reader        // for the salts
}

// A Log appends entries to a store, each with a signed checkpoint in the same
// transaction. It is safe for concurrent use.
type Log struct {
	config Config

	mu         sync.Mutex // guards what follows
	chain      chain
	checkpoint []byte    // signed note over chain; nil if the log is empty
	reading    time.Time // clock at the entry before, in this process; zero if none
	err        error     // sticky
}

// Create begins a log on an empty store. Nothing is written before the first
// entry is appended.
func Create(c Config) (*Log, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("creating a log: %w", err)
	}
	head, err := c.Store.Head()
	if err != nil {
		return nil, fmt.Errorf("creating a log: %w", err)
	}
	if head != nil {
		return nil, errors.New("creating a log: the store is not empty")
	}
	return &Log{config: c}, nil
}

// Reopen goes on with the log in a store, under a new key. It reads the whole
// log and checks every entry, the chain, the size and the root against the
// store's checkpoint; the checkpoint's signature is for [CheckStore]. A log
// whose last entry is a close is [ErrClosed].
//
// The first entry appended must be the segment-open that names the new key.
func Reopen(c Config) (*Log, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("reopening a log: %w", err)
	}
	read, note, head, err := readChain(c.Store)
	if err != nil {
		return nil, fmt.Errorf("reopening a log: %w", err)
	}
	if head.Origin != c.Origin {
		return nil, fmt.Errorf("reopening a log: it is %q, not %q", head.Origin, c.Origin)
	}
	if read.last == new(Close).Kind() {
		return nil, fmt.Errorf("reopening a log: %w", ErrClosed)
	}
	return &Log{config: c, chain: *read, checkpoint: note}, nil
}

func (c *Config) check() error {
	if c.Store == nil || c.Key == nil || c.Now == nil || c.Rand == nil {
		return errors.New("store, key, clock or randomness is missing")
	}
	if c.Key.Name() != c.Origin {
		return fmt.Errorf("the key is named %q, not for the origin %q", c.Key.Name(), c.Origin)
	}
	return nil
}

// Append writes an entry and returns it as it can be read back. The entry
// survives the end of the process; it is durable after the next [Log.AppendSync]
// or [Log.Keep].
//
// If wall clock and monotonic clock have parted by more than a second since the
// entry before, a clock-jump entry of the same step comes first. The Size of a
// *[Close] is set by Append, since only the log knows it then.
//
// An entry that cannot be encoded is refused and the log goes on. After a
// failed write memory and disk may disagree: then this and every later Append
// fails, see [Log.Err]. After a close entry the error is [ErrClosed].
func (l *Log) Append(step string, d Data) (*Entry, error) { return l.append(step, d, false) }

// AppendSync is [Log.Append], and the entry and all before it are durable when
// it returns.
func (l *Log) AppendSync(step string, d Data) (*Entry, error) { return l.append(step, d, true) }

func (l *Log) append(step string, d Data, sync bool) (*Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.writable(); err != nil {
		return nil, err
	}
	now := l.config.Now()
	b := batch{log: l, chain: l.chain, now: now}
	if jump := clockJump(l.reading, now); jump != nil {
		if _, err := b.add(step, jump); err != nil {
			return nil, err
		}
	}
	e, err := b.add(step, d)
	if err != nil {
		return nil, err
	}
	checkpoint, err := l.sign(&b.chain.tree)
	if err != nil {
		return nil, err
	}
	if err := l.write(b.encoded, checkpoint, false, sync); err != nil {
		return nil, err
	}
	l.chain, l.reading = b.chain, now
	return e, nil
}

// writable returns why nothing can be appended, or nil.
func (l *Log) writable() error {
	if l.err != nil {
		return fmt.Errorf("nothing is appended after a failed write: %w", l.err)
	}
	if l.chain.last == new(Close).Kind() {
		return ErrClosed
	}
	return nil
}

// sign returns the signed checkpoint over a tree.
func (l *Log) sign(tree *Frontier) ([]byte, error) {
	c := Checkpoint{Origin: l.config.Origin, Size: tree.Size(), Root: tree.Root()}
	return l.config.Key.SignNote(c.Text())
}

// write hands entries and checkpoint to the store. A failure sticks.
func (l *Log) write(entries [][]byte, checkpoint []byte, keep, sync bool) error {
	from := l.chain.tree.Size()
	if err := l.config.Store.Append(from, entries, checkpoint, keep, sync); err != nil {
		l.err = fmt.Errorf("writing the log at entry %d: %w (memory and disk may disagree now: go on with keyrite resume)", from, err)
		return l.err
	}
	l.checkpoint = checkpoint
	return nil
}

// A batch is the entries of one transaction.
type batch struct {
	log     *Log
	chain   chain
	now     time.Time
	encoded [][]byte
}

// add puts an entry into the batch and returns it as it will be read.
func (b *batch) add(step string, d Data) (*Entry, error) {
	e := &Entry{Seq: b.chain.tree.Size(), Time: b.now.UTC(), Step: step, Data: d, Prev: b.chain.prev}
	if c, ok := d.(*Close); ok && c != nil {
		e.Data = &Close{Result: c.Result, Size: e.Seq + 1}
	}
	if _, err := io.ReadFull(b.log.config.Rand, e.Salt[:]); err != nil {
		return nil, fmt.Errorf("salting entry %d: %w", e.Seq, err)
	}
	// The entry as it will be read: what the caller keeps of it is what a resume
	// will find. TestAppendReturnsWhatIsRead holds it against Parse.
	read, encoded, err := e.written()
	if err != nil {
		return nil, err
	}
	b.encoded = append(b.encoded, encoded)
	b.chain.advance(read, LeafHash(encoded))
	return read, nil
}

// clockJump returns the entry for wall clock and monotonic clock that parted,
// or nil.
func clockJump(before, now time.Time) *ClockJump {
	if before.IsZero() {
		return nil
	}
	mono := now.Sub(before)
	wall := now.Round(0).Sub(before.Round(0))
	if (wall - mono).Abs() <= jumpLimit {
		return nil
	}
	return &ClockJump{WallMS: wall.Milliseconds(), MonotonicMS: mono.Milliseconds()}
}

// Keep keeps the current checkpoint for good, durably. It is called at a
// step's end, and fails on an empty log.
func (l *Log) Keep() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return fmt.Errorf("nothing is kept after a failed write: %w", l.err)
	}
	if l.checkpoint == nil {
		return errors.New("keeping a checkpoint: the log is empty")
	}
	return l.write(nil, l.checkpoint, true, true)
}

// KeepCosigned keeps a checkpoint of this log with the lines that witnesses
// added to it, durably. It must bear the signature of the log's key, which signs
// nothing but what the log was. The lines are the caller's to check.
//
// The last checkpoint of a closed log also becomes the current one, as the lines
// are part of what the log hands over.
func (l *Log) KeepCosigned(checkpoint []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return fmt.Errorf("nothing is kept after a failed write: %w", l.err)
	}
	c, err := OpenCheckpoint(checkpoint, l.config.Key.VerifierKey())
	if err != nil {
		return fmt.Errorf("keeping a cosigned checkpoint: %w", err)
	}
	if c.Size == l.chain.tree.Size() && l.chain.last == new(Close).Kind() {
		return l.write(nil, checkpoint, true, true)
	}
	err = l.config.Store.Keep(c.Size, checkpoint)
	if err != nil && !errors.Is(err, ErrKept) {
		l.err = fmt.Errorf("keeping the cosigned checkpoint of size %d: %w (go on with keyrite resume)", c.Size, err)
		return l.err
	}
	return err
}

// Size returns the number of entries.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chain.tree.Size()
}

// Root returns the Merkle root over all entries.
func (l *Log) Root() Hash {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chain.tree.Root()
}

// Checkpoint returns the current signed checkpoint, nil for an empty log. Up to
// the first entry after [Reopen] it is the one found in the store, by the key
// before.
func (l *Log) Checkpoint() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]byte(nil), l.checkpoint...)
}

// Origin returns the log's origin.
func (l *Log) Origin() string { return l.config.Origin }

// Entries calls f for the log's entries from seq from on, in order, as they
// stand in the store, and returns f's first error as it is. f may append.
func (l *Log) Entries(from int64, f func(*Entry) error) error {
	return l.config.Store.Entries(from, func(seq int64, encoded []byte) error {
		e, err := Parse(encoded)
		if err != nil {
			return fmt.Errorf("entry %d: %w", seq, err)
		}
		return f(e)
	})
}

// Err returns the error of the write that failed, nil if none did. Once there
// is one, nothing is appended any more: memory and disk may disagree, and only
// a new run that reads the disk can go on.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Close closes the store. The key is not wiped.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.config.Store.Close()
}
