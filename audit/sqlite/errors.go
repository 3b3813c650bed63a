package sqlite

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

// What a caller can do something about.
var (
	ErrFull     = errors.New("the disk is full")
	ErrReadOnly = errors.New("it cannot be written, only read")
	ErrBusy     = errors.New("another process is using it")
	ErrNotOurs  = errors.New("it is not a keyrite log of this format")
)

// classify adds the sentinel that an error stands for, if there is one.
func classify(err error) error {
	sentinel := sentinelFor(err)
	if sentinel == nil || errors.Is(err, sentinel) {
		return err
	}
	return &classified{sentinel, err}
}

// A classified is an error with the sentinel it stands for.
type classified struct{ sentinel, cause error }

func (e *classified) Error() string   { return e.sentinel.Error() + " (" + e.cause.Error() + ")" }
func (e *classified) Unwrap() []error { return []error{e.sentinel, e.cause} }

func sentinelFor(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) {
		if sentinel := sentinelForCode(e.Code); sentinel != nil {
			return sentinel
		}
		return sentinelForErrno(e.SystemErrno)
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return sentinelForErrno(errno)
	}
	if errors.Is(err, fs.ErrPermission) {
		return ErrReadOnly
	}
	return nil
}

func sentinelForCode(code sqlite3.ErrNo) error {
	switch code {
	case sqlite3.ErrFull:
		return ErrFull
	case sqlite3.ErrReadonly, sqlite3.ErrPerm:
		return ErrReadOnly
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return ErrBusy
	case sqlite3.ErrNotADB:
		return ErrNotOurs
	}
	return nil
}

func sentinelForErrno(errno syscall.Errno) error {
	switch errno {
	case syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG:
		return ErrFull
	case syscall.EROFS, syscall.EACCES, syscall.EPERM:
		return ErrReadOnly
	case syscall.EWOULDBLOCK:
		return ErrBusy
	}
	return nil
}
