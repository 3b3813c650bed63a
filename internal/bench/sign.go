package main

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token/recorded"
)

// recordedSign is the time of C_Sign through the recorded token (intent
// durable, call, outcome durable) over that of a bare C_Sign and two bare
// durable commits of the same sort of bytes, by the same SQLite with the same pragmas in
// the same folder. C_SignInit, which both need, is outside the time.
func recordedSign(w stopwatch) (ratio float64, err error) {
	dir, err := scratch()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	h, err := newHSM(filepath.Join(dir, "token"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	rec, err := newRecording(h, filepath.Join(dir, "audit.db"), w)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rec.log.Close()) }()
	if err := rec.warmUp(); err != nil {
		return 0, err
	}
	rows, err := rec.bytesOfCommits()
	if err != nil {
		return 0, err
	}
	bare, err := newBareStore(filepath.Join(dir, "bare.db"), rows)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, bare.close()) }()
	return w.ratio(15, 60, rec.sign, signBare(h, bare))
}

// digest is what is signed.
var digest = sha256.Sum256([]byte("measured"))

// signBare is C_Sign between two commits.
func signBare(h *hsm, s *bareStore) work {
	return func() (func() error, error) {
		_, err := h.module.Do(h.signInit())
		return func() error {
			if err := s.commit(); err != nil {
				return err
			}
			if _, err := h.module.Do(h.sign(digest[:], 1)); err != nil {
				return err
			}
			return s.commit()
		}, err
	}
}

// A recording is a token whose calls go to a log.
type recording struct {
	hsm    *hsm
	module *recorded.Module
	log    *audit.Log
}

func newRecording(h *hsm, path string, w stopwatch) (*recording, error) {
	log, err := newLog(path, w)
	if err != nil {
		return nil, err
	}
	// C_Sign belongs to an entry that announced it; that is any but the first.
	for range 2 {
		if _, err := log.AppendSync("", &audit.Result{Name: "bench", Value: "begins"}); err != nil {
			return nil, errors.Join(err, log.Close())
		}
	}
	m := recorded.New(h.module, log, audit.File{})
	m.SetStep("sign-root")
	return &recording{hsm: h, module: m, log: log}, nil
}

// sign is a work: a recorded signature, of which C_Sign counts. C_SignInit is
// not recorded here (but once, by warmUp): its commits just before would leave
// the disk readier for the recorded signature than for the bare one.
func (r *recording) sign() (func() error, error) {
	_, err := r.hsm.module.Do(r.hsm.signInit())
	return func() error {
		_, err := r.module.Do(r.hsm.sign(digest[:], 1))
		return err
	}, err
}

// warmUp fills the write-ahead log once: from then on SQLite writes over it
// instead of making it longer, which costs a sync less. newBareStore does the
// same, so that neither is ahead.
func (r *recording) warmUp() error {
	if _, err := r.module.Do(r.hsm.signInit()); err != nil {
		return err
	}
	if _, err := r.hsm.module.Do(r.hsm.sign(digest[:], 1)); err != nil {
		return err
	}
	for range walPages {
		if _, err := r.log.Append("", &audit.Result{Name: "bench", Value: "warming up"}); err != nil {
			return err
		}
	}
	return nil
}

// bytesOfCommits makes some signatures and returns what each of their commits
// wrote.
func (r *recording) bytesOfCommits() ([][]byte, error) {
	const signatures = 16
	from := r.log.Size()
	for range signatures {
		part, err := r.sign()
		if err != nil {
			return nil, err
		}
		if err := part(); err != nil {
			return nil, err
		}
	}
	list, err := bytesOfCommits(r.log, from)
	if err != nil || len(list) != 2*signatures {
		return nil, errors.Join(err, errors.New("a recorded C_Sign is not two entries"))
	}
	return list, nil
}
