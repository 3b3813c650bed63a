package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// How long sealing waits for readers to leave, and how often it looks.
const (
	sealPatience = 5 * time.Second
	sealPoll     = 20 * time.Millisecond
)

// Seal leaves the log as one clean file under its name, without write-ahead
// log, journal or free pages, durably, and closes the store. A file that is
// clean already stays as it is, byte for byte. At no moment is there less than
// a whole log under the name.
//
// It needs room for a second copy of the file for a moment. If it fails, the
// log is as it was and the store is open still; [ErrBusy] means that a reader
// had it open for over five seconds.
func (s *Store) Seal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.seal(); err != nil {
		return fmt.Errorf("sealing log %q: %w", s.path, classify(err))
	}
	return nil
}

// Finalize seals a log that no store has open: [Open] and [Store.Seal].
func Finalize(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	return errors.Join(s.Seal(), s.Close())
}

func (s *Store) seal() error {
	if s.conn == nil {
		return errStoreClosed
	}
	if s.lock == nil {
		return fmt.Errorf("it is open for reading: %w", ErrReadOnly)
	}
	if err := s.leaveWAL(); err != nil {
		return err
	}
	temp, err := temporary(s.path)
	if err != nil {
		return err
	}
	same, err := s.cleanCopy(temp)
	if err != nil {
		return errors.Join(err, removeIfThere(temp))
	}
	return s.replace(temp, same)
}

// leaveWAL brings everything into the file itself. SQLite removes the files
// beside it. It does not wait for readers of its own accord here.
func (s *Store) leaveWAL() error {
	for deadline := time.Now().Add(s.patience); ; {
		mode, err := s.conn.pragma("journal_mode=DELETE")
		switch {
		case err == nil && mode == "delete":
			s.wal = false
			return nil
		case err == nil:
			err = fmt.Errorf("journal mode is %q still: %w", mode, ErrBusy)
		}
		if !errors.Is(classify(err), ErrBusy) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(sealPoll)
	}
}

// cleanCopy writes a clean copy of the log and reports whether it is what the
// file is already.
func (s *Store) cleanCopy(temp string) (same bool, err error) {
	// Without this SQLite leaves copies of rows in the free space of pages when
	// it balances the new file's trees.
	if err := s.conn.exec("PRAGMA secure_delete=ON"); err != nil {
		return false, err
	}
	if _, err := s.conn.ExecContext(context.Background(), "VACUUM INTO ?", temp); err != nil {
		return false, err
	}
	if err := clearFreeSpace(temp); err != nil {
		return false, err
	}
	if err := settleCounters(temp); err != nil {
		return false, err
	}
	return sameLog(temp, s.path)
}

// replace closes the store and puts the copy in the file's place, unless the
// two are the same. The lock is given up last.
func (s *Store) replace(temp string, same bool) error {
	lock := s.lock
	s.lock = nil
	err := s.close()
	switch {
	case err != nil:
	case same:
		err = errors.Join(os.Remove(temp), syncFile(s.path))
	default:
		err = os.Rename(temp, s.path)
	}
	if err == nil {
		err = syncFile(filepath.Dir(s.path))
	}
	return errors.Join(err, lock.Close())
}
