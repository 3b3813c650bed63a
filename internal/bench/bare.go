package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
)

// A bareStore is what a durable commit costs at least: one row into one table,
// with the driver (registered by audit/sqlite) and the pragmas of the log.
type bareStore struct {
	db     *sql.DB
	conn   *sql.Conn
	insert *sql.Stmt
	rows   [][]byte // what is written, in turn
	next   int
}

// newBareStore makes a store whose commits write one of the rows each. A late one
// has filled its write-ahead log.
func newBareStore(path string, rows [][]byte, late bool) (*bareStore, error) {
	db, err := sql.Open("sqlite3", "file:"+url.PathEscape(path)+"?mode=rwc")
	if err != nil {
		return nil, err
	}
	s := &bareStore{db: db, rows: rows}
	err = s.prepare()
	if err == nil && late {
		err = s.fill()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing %q: %w", path, err), s.close())
	}
	return s, nil
}

func (s *bareStore) prepare() (err error) {
	ctx := context.Background()
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	for _, statement := range []string{
		"PRAGMA page_size=4096", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
		"CREATE TABLE entry(seq INTEGER PRIMARY KEY, body BLOB NOT NULL)",
	} {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	s.insert, err = s.conn.PrepareContext(ctx, "INSERT INTO entry(body) VALUES(?)")
	return err
}

// walPages is how many pages a write-ahead log holds before SQLite begins to
// write over it (its default), and a few more.
const walPages = 1000 + 100

// fill does for this store what fillWAL does for the log.
func (s *bareStore) fill() error {
	if _, err := s.conn.ExecContext(context.Background(), "PRAGMA synchronous=NORMAL"); err != nil {
		return err
	}
	for range walPages {
		if err := s.commit(); err != nil {
			return err
		}
	}
	_, err := s.conn.ExecContext(context.Background(), "PRAGMA synchronous=FULL")
	return err
}

// commit writes one row durably.
func (s *bareStore) commit() error {
	_, err := s.insert.Exec(s.rows[s.next%len(s.rows)])
	s.next++
	return err
}

func (s *bareStore) close() (err error) {
	if s.insert != nil {
		err = s.insert.Close()
	}
	if s.conn != nil {
		err = errors.Join(err, s.conn.Close())
	}
	return errors.Join(err, s.db.Close())
}

// scratch makes a folder for a measurement, on the disk that the program is
// run from: a temporary folder may be in memory, where nothing is durable.
func scratch() (string, error) {
	if err := os.MkdirAll("bin", 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp("bin", "bench-")
}
