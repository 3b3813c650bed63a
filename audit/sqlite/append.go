package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/audit"
)

// The statements of a writer. There are no others that change a row, and none
// that deletes one.
const (
	// inserts an entry only behind the last one
	insertEntry = "INSERT INTO entry(seq, body) SELECT ?1, ?2 WHERE ?1=(SELECT coalesce(max(seq)+1, 0) FROM entry)"
	countRows   = "SELECT coalesce(max(seq)+1, 0) FROM entry"
	replaceHead = "INSERT INTO head(id, note) VALUES(0, ?) ON CONFLICT(id) DO UPDATE SET note=excluded.note"
	keepNote    = "INSERT INTO checkpoint(size, note) VALUES(?, ?) ON CONFLICT(size) DO NOTHING"
)

type statements struct {
	begin, commit, rollback  *sql.Stmt
	entry, count, head, keep *sql.Stmt
}

func (s *statements) prepare(c *conn) error {
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
		res, err := s.statements.entry.Exec(from+int64(i), body)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, audit.ErrConflict)
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
	}
	if _, err := s.statements.head.Exec(checkpoint); err != nil {
		return err
	}
	if !keep {
		return nil
	}
	_, err := s.statements.keep.Exec(size, checkpoint)
	return err
}
