package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/paper"
)

// entriesOf reads a bundle's log, its final checkpoint and head.
func entriesOf(dir string) (entries []*audit.Entry, checkpoint []byte, err error) {
	store, err := sqlite.OpenReader(filepath.Join(dir, bundle.DatabaseFile))
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if _, entries, err = ceremony.ReadLog(store); err != nil {
		return nil, nil, err
	}
	checkpoint, err = os.ReadFile(filepath.Join(dir, bundle.CheckpointFile))
	return entries, checkpoint, err
}

// A drawn is the paper of a ceremony that was held.
type drawn struct {
	entries    []*audit.Entry
	checkpoint []byte
	file       func(string) ([]byte, error)
	pages      int // as the log commits to them
}

func drawnFrom(dir string) (*drawn, error) {
	d := &drawn{file: func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))) }}
	var err error
	if d.entries, d.checkpoint, err = entriesOf(dir); err != nil {
		return nil, err
	}
	_, sealed, err := paper.Committed(d.entries)
	if err != nil {
		return nil, err
	}
	d.pages = len(sealed)
	return d, nil
}

// draw composes all pages and draws them.
func (d *drawn) draw() error {
	_, err := paper.Paper{}.PDF(d.entries, d.checkpoint, d.file)
	return err
}

// transcriptGrowth is the time of a page of the longest ceremony's transcript,
// composed from its log and drawn, over that of a page of a short one's. Both
// ceremonies are held to their end first, on tokens of their own.
func transcriptGrowth(w stopwatch) (ratio float64, err error) {
	dir, err := scratch()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var papers []*drawn
	for i, z := range []size{longest, {}} {
		in := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(in, 0o755); err != nil {
			return 0, err
		}
		to, err := z.held(in)
		if err != nil {
			return 0, fmt.Errorf("holding a ceremony: %w", err)
		}
		d, err := drawnFrom(to)
		if err != nil {
			return 0, err
		}
		papers = append(papers, d)
	}
	long, short := papers[0], papers[1]
	ratio, err = w.ratio(3, 3, whole(long.draw), whole(short.draw))
	return ratio * float64(short.pages) / float64(long.pages), err
}
