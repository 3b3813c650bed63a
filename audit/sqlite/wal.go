package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// walSuffix ends the name of the write-ahead log, which SQLite puts beside the
// database.
const walSuffix = "-wal"

// walSize is how long a write-ahead log gets before SQLite begins to write over
// it from its start, in bytes: its header, and 1000 pages (wal_autocheckpoint's
// default) with a header each.
const walSize = 32 + 1000*(24+PageSize)

// walRoom is how many bytes must be free on the disk for the write-ahead log to
// be made long in advance.
const walRoom = 16 * walSize

// lengthenWAL writes zeros to an empty write-ahead log until it is as long as it
// will get. A commit then writes over bytes that are there: its sync has no new
// length to make durable too, which on ext4 is a third of its time.
//
// To SQLite a header of zeros is an empty log, and frames behind the last commit
// are none: it does not look at how long the file is. A log that is not empty
// (another process follows, or a crash left it) stays as it is, and so does one
// on a disk that has little room; commits are only slower then.
func lengthenWAL(database string) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(database, &disk); err != nil {
		return err
	}
	if disk.Bavail*uint64(disk.Bsize) < walRoom {
		return nil
	}
	f, err := os.OpenFile(database+walSuffix, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = errors.Join(writeZeros(f), f.Close())
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("making the write-ahead log long: %w", err)
	}
	return nil
}

// writeZeros fills an empty file, durably, or leaves it empty.
func writeZeros(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() > 0 {
		return err
	}
	_, err = f.Write(make([]byte, walSize))
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(0))
	}
	return nil
}
