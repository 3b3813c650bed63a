package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"

	"github.com/keyrite/keyrite/audit"
)

// The statements of a writer. There are no others that change a row, and none
// that deletes one.
//
// An entry and the head are written through a view and a trigger of the
// connection, not of the file: so a commit of one entry, the usual case, is one
// statement, which is half of what four would cost.
const (
	appendView    = "CREATE TEMP VIEW appending AS SELECT 0 AS seq, x'' AS body, x'' AS note"
	appendTrigger = `CREATE TEMP TRIGGER append INSTEAD OF INSERT ON appending BEGIN
		SELECT RAISE(ABORT, 'not behind the last entry') WHERE new.seq<>(SELECT coalesce(max(seq)+1, 0) FROM entry);
		INSERT INTO entry(seq, body) VALUES(new.seq, new.body);
		INSERT INTO head(id, note) VALUES(0, new.note) ON CONFLICT(id) DO UPDATE SET note=excluded.note;
	END`
	insertEntry = "INSERT INTO appending(seq, body, note) VALUES(?, ?, ?)"
	countRows   = "SELECT coalesce(max(seq)+1, 0) FROM entry"
	replaceHead = "INSERT INTO head(id, note) VALUES(0, ?) ON CONFLICT(id) DO UPDATE SET note=excluded.note"
	keepNote    = "INSERT INTO checkpoint(size, note) VALUES(?, ?) ON CONFLICT(size) DO NOTHING"
)

type statements struct {
	begin, commit, rollback  *sql.Stmt
	entry, count, head, keep *sql.Stmt
}

func (s *statements) prepare(c *conn) error {
	for _, once := range []string{"PRAGMA temp_store=MEMORY", appendView, appendTrigger} {
		if err := c.exec(once); err != nil {
			return err
		}
	}
	for _, p := range []struct {
		stmt **sql.Stmt
		sql  string
	}{
		{&s.begin, "BEGIN IMMEDIATE"}, {&s.commit, "COMMIT"}, {&s.rollback, "ROLLBACK"},
		{&s.entry, insertEntry}, {&s.count, countRows}, {&s.head, replaceHead}, {&s.keep, keepNote},
	} {
		stmt, err := c.PrepareContext(context.Background(), p.sql)
		if err != nil {
			return err
		}
		*p.stmt = stmt
	}
	return nil
}

func (s *statements) close() (err error) {
	for _, stmt := range []*sql.Stmt{s.begin, s.commit, s.rollback, s.entry, s.count, s.head, s.keep} {
		if stmt != nil {
			err = errors.Join(err, stmt.Close())
		}
	}
	return err
}

// Append writes entries from position from on and replaces the head, in one
// transaction, as [audit.Store] says. The error is [audit.ErrConflict],
// [ErrFull], [ErrReadOnly], [ErrBusy] or another.
func (s *Store) Append(from int64, entries [][]byte, checkpoint []byte, keep, sync bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.append(from, entries, checkpoint, keep, sync); err != nil {
		return fmt.Errorf("appending to log %q at entry %d: %w", s.path, from, classify(err))
	}
	return nil
}

func (s *Store) append(from int64, entries [][]byte, checkpoint []byte, keep, sync bool) error {
	if s.conn == nil {
		return errStoreClosed
	}
	if s.lock == nil {
		return fmt.Errorf("it is open for reading: %w", ErrReadOnly)
	}
	if err := s.ready(sync); err != nil {
		return err
	}
	if len(entries) == 1 && !keep {
		return s.insert(from, entries[0], checkpoint)
	}
	if _, err := s.statements.begin.Exec(); err != nil {
		return err
	}
	err := s.rowsOf(from, entries, checkpoint, keep)
	if err == nil {
		_, err = s.statements.commit.Exec()
	}
	if err != nil {
		// After some errors SQLite has rolled back by itself and says that
		// there is no transaction: nothing is lost by not hearing it.
		_, _ = s.statements.rollback.Exec()
	}
	return err
}

// insert writes one entry behind the last, and the head. Outside a transaction
// it is one.
func (s *Store) insert(seq int64, body, checkpoint []byte) error {
	_, err := s.statements.entry.Exec(seq, body, checkpoint)
	var e sqlite3.Error
	if errors.As(err, &e) && e.ExtendedCode == sqlite3.ErrConstraintTrigger {
		return errors.Join(err, audit.ErrConflict)
	}
	return err
}

// Keep keeps a checkpoint for an earlier size, as [audit.Store] says. The error
// is [audit.ErrKept], [ErrFull], [ErrReadOnly], [ErrBusy] or another.
func (s *Store) Keep(size int64, checkpoint []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.keep(size, checkpoint); err != nil {
		return fmt.Errorf("keeping the checkpoint of size %d of log %q: %w", size, s.path, classify(err))
	}
	return nil
}

func (s *Store) keep(size int64, checkpoint []byte) error {
	if s.conn == nil {
		return errStoreClosed
	}
	if s.lock == nil {
		return fmt.Errorf("it is open for reading: %w", ErrReadOnly)
	}
	if err := s.ready(true); err != nil {
		return err
	}
	result, err := s.statements.keep.Exec(size, checkpoint)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil || n == 1 {
		return err
	}
	var have []byte
	if err := s.conn.QueryRowContext(context.Background(), "SELECT note FROM checkpoint WHERE size=?", size).Scan(&have); err != nil {
		return err
	}
	if !bytes.Equal(have, checkpoint) {
		return audit.ErrKept
	}
	return nil
}

// ready puts the file into WAL mode and the connection into the right
// synchronous setting.
func (s *Store) ready(sync bool) error {
	if !s.wal {
		mode, err := s.conn.pragma("journal_mode=WAL")
		if err != nil {
			return err
		}
		if mode != "wal" {
			return fmt.Errorf("the file system does not allow a write-ahead log (journal mode %q)", mode)
		}
		s.wal, s.level = true, "" // SQLite may have another default for WAL mode
		// SQLite makes the file of its write-ahead log with the first read.
		var rows int64
		if err := s.statements.count.QueryRow().Scan(&rows); err != nil {
			return err
		}
		if err := lengthenWAL(s.path); err != nil {
			return err
		}
	}
	level := "NORMAL"
	if sync {
		level = "FULL"
	}
	if s.level == level {
		return nil
	}
	if err := s.conn.exec("PRAGMA synchronous=" + level); err != nil {
		return err
	}
	s.level = level
	return nil
}

func (s *Store) rowsOf(from int64, entries [][]byte, checkpoint []byte, keep bool) error {
	for i, body := range entries {
		if err := s.insert(from+int64(i), body, checkpoint); err != nil {
			return err
		}
	}
	size := from + int64(len(entries))
	if len(entries) == 0 {
		var have int64
		if err := s.statements.count.QueryRow().Scan(&have); err != nil {
			return err
		}
		if have != size {
			return audit.ErrConflict
		}
		if _, err := s.statements.head.Exec(checkpoint); err != nil {
			return err
		}
	}
	if !keep {
		return nil
	}
	_, err := s.statements.keep.Exec(size, checkpoint)
	return err
}
