package main

import (
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/recorded"
)

// Exit codes. They are an interface: scripts rely on them.
const (
	exitDone        = 0 // done, verified
	exitFailed      = 1 // the check failed, or the ceremony was aborted
	exitUsage       = 2 // wrong use, or a script that does not check
	exitEnvironment = 3 // module, token, disk, clock
	exitPaused      = 4 // 'keyrite resume' goes on
)

// An exitError is an error with its exit code. A nil err has been told already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func environment(err error) error { return &exitError{exitEnvironment, err} }

// ended maps how a ceremony's run ended to an exit code. dir is its bundle.
func ended(err error, dir string) error {
	var stop *ceremony.Stop
	var rollback *ceremony.Rollback
	var code *exitError
	switch {
	case err == nil, errors.As(err, &code):
		return err
	case errors.As(err, &stop) && stop.Abort, errors.As(err, &rollback):
		return &exitError{exitFailed, err}
	case errors.Is(err, ceremony.ErrNothingHappened), errors.Is(err, ceremony.ErrOtherScript):
		return &exitError{exitEnvironment, err} // hint says what helps: resume would say the same again
	case errors.As(err, &stop):
		return &exitError{exitPaused, fmt.Errorf("%w\nto go on: keyrite resume %s", err, dir)}
	}
	return &exitError{exitEnvironment, fmt.Errorf("%w\nto go on: keyrite resume %s", err, dir)}
}

// hint says what to do about an error, where that can be said: all hints of the
// program are here and in internal/token.
func hint(err error) string {
	var rv token.RV
	var lost *recorded.OutcomeLost
	switch {
	case errors.As(err, &lost):
		return "Do not pull the token. Make room on the disk; then 'keyrite resume' shows the room what is not known."
	case errors.As(err, &rv):
		return token.Hint(rv)
	case errors.Is(err, ceremony.ErrNothingHappened):
		return "Nothing was done in this folder. Remove it and begin again with 'keyrite run' or 'keyrite rehearse'."
	case errors.Is(err, ceremony.ErrOtherScript):
		return "Put this ceremony's own script.yaml back, byte for byte: from the medium it came on, or from a copy of the folder. Then 'keyrite resume' goes on."
	}
	return ""
}
