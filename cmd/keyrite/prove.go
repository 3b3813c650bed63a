package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
)

// The flags of "log" that make a proof.
const (
	proofFlag       = "proof"
	consistencyFlag = "consistency"
)

// number reads a flag that is a number from 0.
func number(c *cli.Context, flag string) (int64, error) {
	n, err := strconv.ParseInt(c.String(flag), 10, 64)
	if err != nil || n < 0 {
		return 0, usage("--%s %q: expected a number from 0", flag, c.String(flag))
	}
	return n, nil
}

// prove writes the proof that the flags ask for.
func (p *program) prove(c *cli.Context, dir string) error {
	if c.IsSet(proofFlag) && c.IsSet(consistencyFlag) || c.Bool("json") {
		return usage("--proof, --consistency and --json: one at a time")
	}
	flag := proofFlag
	if c.IsSet(consistencyFlag) {
		flag = consistencyFlag
	}
	n, err := number(c, flag)
	if err != nil {
		return err
	}
	store, err := sqlite.OpenReader(filepath.Join(dir, bundle.DatabaseFile))
	if err != nil {
		return environment(err)
	}
	defer store.Close()
	p.sayIfOpen(store)
	b, err := proofOf(store, dir, flag, n)
	if err != nil {
		return &exitError{exitFailed, err}
	}
	return p.output(c.String("output"), b)
}

// proofOf makes a proof's file, with the cosignatures that came after the close.
func proofOf(store audit.Store, dir, flag string, n int64) ([]byte, error) {
	if flag == consistencyFlag {
		proof, err := audit.ProveGrowth(store, n)
		if err != nil {
			return nil, err
		}
		proof.Checkpoint, err = withLate(dir, proof.Checkpoint)
		return proof.Marshal(), err
	}
	proof, err := audit.ProveEntry(store, n)
	if err != nil {
		return nil, err
	}
	proof.Checkpoint, err = withLate(dir, proof.Checkpoint)
	return proof.Marshal(), err
}

// withLate adds the cosignatures in after/ to the final checkpoint.
func withLate(dir string, checkpoint []byte) ([]byte, error) {
	files, err := bundle.Read(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for _, f := range files {
		if !bundle.IsCosignatureFile(f.Name) {
			continue
		}
		b, err := readIn(root, f.Name)
		if err != nil {
			return nil, err
		}
		if checkpoint, err = audit.MergeCosignatures(checkpoint, b); err != nil {
			return nil, fmt.Errorf("adding %s: %w", f.Name, err)
		}
	}
	return checkpoint, nil
}

// readIn reads a file of a bundle.
func readIn(root *os.Root, name string) ([]byte, error) {
	f, err := bundle.Open(root, name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return b, nil
}

// sayIfOpen says that a proof is for a head that is not the final one.
func (p *program) sayIfOpen(store audit.Store) {
	var last []byte
	var size int64
	err := store.Entries(0, func(seq int64, encoded []byte) error {
		last, size = encoded, seq+1
		return nil
	})
	if err != nil {
		return // reported by the proof
	}
	if e, err := audit.Parse(last); err != nil || e.Kind() != new(audit.Close).Kind() {
		fmt.Fprintf(p.err, "The log is not closed: the proof is for its current head, of %d entries.\n", size)
	}
}
