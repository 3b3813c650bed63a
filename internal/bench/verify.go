package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify"
)

// verifyEntries is the size of the log that is verified.
const verifyEntries = 10_000

// verifyPerEntry is the time of all checks on a bundle that is nearly all log,
// over SHA-256 of the entries of both its stores, in memory.
func verifyPerEntry(w stopwatch) (ratio float64, err error) {
	dir, err := scratch()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	lines, err := newBundle(dir, verifyEntries, w)
	if err != nil {
		return 0, fmt.Errorf("making a bundle: %w", err)
	}
	return w.ratio(3, 3, whole(func() error { return verifyAll(dir) }), whole(func() error {
		for range 2 { // audit.db and log.jsonl
			for _, line := range lines {
				sha256.Sum256(line)
			}
		}
		return nil
	}))
}

// verifyAll checks a bundle and makes sure that all of its log was read and
// holds. It has no transcript, and the report may say so.
func verifyAll(dir string) error {
	report, err := verify.Bundle(dir, verify.Options{})
	if err != nil {
		return err
	}
	if report.Log.Size != verifyEntries {
		return fmt.Errorf("%d entries were read, not %d", report.Log.Size, verifyEntries)
	}
	for _, c := range []verify.Code{
		verify.ChainBroken, verify.EntryFormat, verify.StoresDiffer, verify.CheckpointSignature,
		verify.CheckpointRoot, verify.DatabaseFormat, verify.LinesFormat, verify.SumDiffers,
	} {
		if report.Has(c) {
			return fmt.Errorf("a sound log is found to be broken: %s", c)
		}
	}
	return nil
}

// newBundle writes a bundle with a log of size entries to dir and returns
// their bytes.
func newBundle(dir string, size int, w stopwatch) (lines [][]byte, err error) {
	store, err := sqlite.Create(filepath.Join(dir, bundle.DatabaseFile))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	key, err := audit.NewLogKey(benchOrigin, rand.Reader)
	if err != nil {
		return nil, err
	}
	log, err := audit.Create(audit.Config{Store: store, Key: key, Origin: benchOrigin, Now: w.now, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	script := []byte("keyrite: 1\n")
	if err := fill(log, key.VerifierKey(), script, size); err != nil {
		return nil, err
	}
	err = store.Entries(0, func(_ int64, encoded []byte) error {
		lines = append(lines, encoded)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := store.Seal(); err != nil {
		return nil, err
	}
	return lines, finish(dir, key, log, script, lines)
}

// fill appends the entries of a log: its opening, facts of about 300 bytes, its
// close.
func fill(log *audit.Log, vkey string, script []byte, size int) error {
	sum := sha256.Sum256(script)
	open := &audit.LogOpen{
		Format: audit.FormatVersion, Origin: benchOrigin, Mode: "rehearsal", LogKey: vkey,
		Script:       audit.File{Name: bundle.ScriptFile, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(script))},
		Participants: []audit.Participant{}, Plan: []audit.PlanStep{},
	}
	if _, err := log.Append("", open); err != nil {
		return err
	}
	fact := &audit.Result{Name: "a fact", Value: strings.Repeat("0123456789", 3)}
	for range size - 2 {
		if _, err := log.Append("step", fact); err != nil {
			return err
		}
	}
	_, err := log.AppendSync("", &audit.Close{Result: "complete"})
	return err
}

// finish writes the other files of the bundle, as far as it has them.
func finish(dir string, key *audit.LogKey, log *audit.Log, script []byte, lines [][]byte) error {
	all := append(bytes.Join(lines, []byte("\n")), '\n')
	for _, f := range []struct {
		name string
		b    []byte
	}{
		{bundle.ScriptFile, script}, {bundle.LogFile, all}, {bundle.CheckpointFile, log.Checkpoint()},
		{bundle.LogKeyFile(0), []byte(key.VerifierKey() + "\n")},
	} {
		if err := bundle.WriteNew(dir, f.name, f.b); err != nil {
			return err
		}
	}
	return seal(dir, key, benchOrigin, log.Size(), log.Root())
}
