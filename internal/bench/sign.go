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
// durable commits of the same sort of bytes, by the same SQLite with the same
// pragmas in the same folder. C_SignInit, which both need, is outside the time.
//
// Each round has a new log and a new bare database, as a ceremony has. In a late
// round both have filled their write-ahead logs first.
func recordedSign(late bool) func(stopwatch) (float64, error) {
	return func(w stopwatch) (ratio float64, err error) {
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
		return freshRatio(dir, func(dir string) (float64, error) { return signRound(w, h, dir, late) })
	}
}

// signRound is a round of recordedSign.
func signRound(w stopwatch, h *hsm, dir string, late bool) (ratio float64, err error) {
	rec, err := newRecording(h, filepath.Join(dir, "audit.db"), w)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rec.log.Close()) }()
	if late {
		if err := fillWAL(rec.log); err != nil {
			return 0, err
		}
	}
	rows, err := rec.bytesOfCommits()
	if err != nil {
		return 0, err
	}
	bare, err := newBareStore(filepath.Join(dir, "bare.db"), rows, late)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, bare.close()) }()
	return w.ratio(1, turns, rec.sign, signBare(h, bare))
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
	r := &recording{hsm: h, module: recorded.New(h.module, log, audit.File{}), log: log}
	r.module.SetStep("sign-root")
	if err := r.begin(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return r, nil
}

// begin does what the recorded token wants to have seen before a C_Sign: an
// entry that announced it, which is any but the first, and its C_SignInit.
func (r *recording) begin() error {
	for range 2 {
		if _, err := r.log.AppendSync("", &audit.Result{Name: "bench", Value: "begins"}); err != nil {
			return err
		}
	}
	if _, err := r.module.Do(r.hsm.signInit()); err != nil {
		return err
	}
	_, err := r.hsm.module.Do(r.hsm.sign(digest[:], 1))
	return err
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
