// Package sqlite keeps a log in one SQLite file. docs/audit-log.md specifies
// the file: its header, its three tables, when it is synced.
//
// While it is written the file is in WAL mode; [Store.Seal] leaves one clean,
// self-contained file. One process writes at a time: a writer locks the file's
// folder (flock), which leaves no file behind. Any number may read.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// The marks in the file's header, and its page size in bytes.
const (
	ApplicationID = 0x6b797274 // "kyrt"
	UserVersion   = 1
	PageSize      = 4096
)

// batchRows is how many entries are read at once.
const batchRows = 256

// A Store is a log in an SQLite file. It is safe for concurrent use.
type Store struct {
	path     string
	lock     *os.File      // the folder, locked; nil for a reader
	patience time.Duration // how long Seal waits for readers

	mu         sync.Mutex // guards what follows
	conn       *conn      // nil once closed
	statements statements // only of a writer
	wal        bool       // this writer has put the file into WAL mode
	level      string     // the connection's synchronous setting, "" if not set yet
}

// errStoreClosed is what a closed store answers.
var errStoreClosed = errors.New("the store is closed")

// Create makes the file of an empty log and opens it for writing. The file
// appears whole, under its name, durably, or not at all.
//
// The error is fs.ErrExist if something has the name, [ErrBusy] if another
// process writes in the folder, [ErrFull], [ErrReadOnly] or another.
func Create(path string) (*Store, error) {
	lock, err := lockFolder(path)
	if err != nil {
		return nil, fmt.Errorf("creating log %q: %w", path, classify(err))
	}
	if err := makeFile(path); err != nil {
		return nil, fmt.Errorf("creating log %q: %w", path, errors.Join(classify(err), lock.Close()))
	}
	return openLocked(path, lock)
}

// Open opens an existing log for writing. The file is not touched before the
// first append.
//
// The error is [ErrBusy] if another process has it open for writing,
// [ErrNotOurs] if it is no log of this format, fs.ErrNotExist if it is not
// there.
func Open(path string) (*Store, error) {
	lock, err := lockFolder(path)
	if err != nil {
		return nil, fmt.Errorf("opening log %q: %w", path, classify(err))
	}
	return openLocked(path, lock)
}

func openLocked(path string, lock *os.File) (*Store, error) {
	c, err := openFile(path, "rw")
	if err != nil {
		return nil, fmt.Errorf("opening log %q: %w", path, errors.Join(classify(err), lock.Close()))
	}
	s := &Store{path: path, lock: lock, conn: c, patience: sealPatience}
	if err := s.statements.prepare(c); err != nil {
		return nil, fmt.Errorf("opening log %q: %w", path, errors.Join(classify(err), s.Close()))
	}
	return s, nil
}

// OpenReader opens a log for reading, whether it is being written or sealed.
// What it reads is the log at the moment it was opened. A follower opens,
// reads and closes: a reader that stays open keeps the writer from sealing.
func OpenReader(path string) (*Store, error) {
	c, err := openFile(path, "ro")
	if err != nil {
		return nil, fmt.Errorf("opening log %q to read: %w", path, classify(err))
	}
	s := &Store{path: path, conn: c}
	if _, err := s.Head(); err != nil { // the transaction's first read fixes what it sees
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openFile opens and checks an existing file; mode is "rw" or "ro".
func openFile(path, mode string) (*conn, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return nil, fmt.Errorf("it is empty or no file: %w", ErrNotOurs)
	}
	c, err := connect(path, mode)
	if err != nil {
		return nil, err
	}
	if mode == "ro" {
		err = c.exec("BEGIN")
	}
	if err == nil {
		err = checkFormat(c)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// Entries calls f for all entries from seq from on, in order. The store is not
// locked while f runs.
func (s *Store) Entries(from int64, f func(seq int64, encoded []byte) error) error {
	for {
		rows, err := s.batch(from)
		if err != nil {
			return fmt.Errorf("reading log %q from entry %d: %w", s.path, from, classify(err))
		}
		for _, r := range rows {
			if err := f(r.seq, r.body); err != nil {
				return err
			}
			from = r.seq + 1
		}
		if len(rows) < batchRows {
			return nil
		}
	}
}

// A row is a number and bytes: an entry, or a kept checkpoint.
type row struct {
	seq  int64
	body []byte
}

func (s *Store) batch(from int64) ([]row, error) {
	return s.rows("SELECT seq, body FROM entry WHERE seq>=? ORDER BY seq LIMIT ?", from, batchRows)
}

func (s *Store) rows(query string, args ...any) (list []row, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil, errStoreClosed
	}
	rows, err := s.conn.QueryContext(context.Background(), query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.seq, &r.body); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// Kept calls f for all checkpoints kept for good, by ascending size, and
// returns f's first error as it is.
func (s *Store) Kept(f func(size int64, checkpoint []byte) error) error {
	rows, err := s.rows("SELECT size, note FROM checkpoint ORDER BY size")
	if err != nil {
		return fmt.Errorf("reading the kept checkpoints of log %q: %w", s.path, classify(err))
	}
	for _, r := range rows {
		if err := f(r.seq, r.body); err != nil {
			return err
		}
	}
	return nil
}

// Head returns the current checkpoint, nil if the log is empty.
func (s *Store) Head() ([]byte, error) {
	rows, err := s.rows("SELECT id, note FROM head")
	if err != nil {
		return nil, fmt.Errorf("reading the head of log %q: %w", s.path, classify(err))
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return rows[0].body, nil
}

// Close closes the file and gives up the lock. Closing twice does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.close(); err != nil {
		return fmt.Errorf("closing log %q: %w", s.path, classify(err))
	}
	return nil
}

func (s *Store) close() error {
	if s.conn == nil {
		return nil
	}
	err := errors.Join(s.statements.close(), s.conn.close())
	s.conn = nil
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

var _ audit.Store = (*Store)(nil)

// A conn is one connection to a file.
type conn struct {
	*sql.Conn
	db *sql.DB
}

// connect opens one connection; mode is SQLite's: "ro", "rw" or "rwc".
func connect(path, mode string) (*conn, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	name := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(abs)
	db, err := sql.Open("sqlite3", "file:"+name+"?mode="+mode+"&_busy_timeout=5000")
	if err != nil {
		return nil, err
	}
	c, err := db.Conn(context.Background())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &conn{c, db}, nil
}

func (c *conn) exec(statement string) error {
	_, err := c.ExecContext(context.Background(), statement)
	return err
}

// pragma returns what a pragma answers, as text.
func (c *conn) pragma(statement string) (string, error) {
	var value string
	err := c.QueryRowContext(context.Background(), "PRAGMA "+statement).Scan(&value)
	return value, err
}

func (c *conn) close() error {
	return errors.Join(c.Conn.Close(), c.db.Close())
}
