package redact

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
)

// A source is the bundle that a copy is made of.
type source struct {
	dir     string
	root    *os.Root
	files   []bundle.File
	entries [][]byte
	head    []byte
	kept    []kept
	leftOut []string // what a source that is a copy lacks already
}

// A kept checkpoint stands in the database.
type kept struct {
	size int64
	note []byte
}

// Copy makes a redacted copy of the closed bundle in dir in the new folder out,
// which must not exist, and says what it hides. The source is only read; that it
// is sound is for the caller to check before, and the copy afterwards. If
// something goes wrong there is no folder out.
func Copy(dir, out string, s Selection) (*Plan, error) {
	src, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("redacting %q: %w", dir, err)
	}
	p, err := src.copy(out, s)
	if err := errors.Join(err, src.root.Close()); err != nil {
		return nil, fmt.Errorf("redacting %q: %w", dir, err)
	}
	return p, nil
}

func (src *source) copy(out string, s Selection) (*Plan, error) {
	p, err := newPlan(src.entries, s)
	if err != nil {
		return nil, err
	}
	if err := p.leaveOut(src.files, src.leftOut); err != nil {
		return nil, err
	}
	if p.script, err = src.read(bundle.ScriptFile); err != nil {
		return nil, err
	}
	if err := os.Mkdir(out, 0o755); err != nil {
		return nil, err
	}
	if err := src.write(out, p); err != nil {
		return nil, errors.Join(err, os.RemoveAll(out))
	}
	return p, nil
}

// open reads the log of the bundle and lists its files.
func open(dir string) (*source, error) {
	files, err := bundle.Read(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	src := &source{dir: dir, root: root, files: files}
	err = src.readLog()
	if err == nil {
		err = src.readRedaction()
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return src, nil
}

func (src *source) readLog() (err error) {
	store, err := sqlite.OpenReader(filepath.Join(src.dir, bundle.DatabaseFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Entries(0, func(_ int64, b []byte) error {
		src.entries = append(src.entries, b)
		return nil
	}); err != nil {
		return err
	}
	if err := store.Kept(func(size int64, note []byte) error {
		src.kept = append(src.kept, kept{size, note})
		return nil
	}); err != nil {
		return err
	}
	src.head, err = store.Head()
	return err
}

// readRedaction reads what a source that is a copy itself lacks.
func (src *source) readRedaction() error {
	if !slices.ContainsFunc(src.files, func(f bundle.File) bool { return f.Name == bundle.RedactedFile }) {
		return nil
	}
	b, err := src.read(bundle.RedactedFile)
	if err != nil {
		return err
	}
	r, err := bundle.ParseRedaction(string(b))
	if err != nil {
		return fmt.Errorf("reading %s: %w", bundle.RedactedFile, err)
	}
	src.leftOut = r.LeftOut
	return nil
}

func (src *source) read(name string) ([]byte, error) {
	f, err := bundle.Open(src.root, name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// write writes all files of the copy.
func (src *source) write(out string, p *Plan) error {
	if err := src.writeDatabase(filepath.Join(out, bundle.DatabaseFile), p.entries); err != nil {
		return err
	}
	lines := append(bytes.Join(p.entries, []byte("\n")), '\n')
	if err := bundle.WriteNew(out, bundle.LogFile, lines); err != nil {
		return err
	}
	for _, f := range src.files {
		if f.Name == bundle.RedactedFile || slices.Contains(p.Replaced, f.Name) || slices.Contains(p.LeftOut, f.Name) {
			continue
		}
		b, err := src.read(f.Name)
		if err != nil {
			return err
		}
		if err := bundle.WriteNew(out, f.Name, b); err != nil {
			return err
		}
	}
	return bundle.WriteNew(out, bundle.RedactedFile, []byte(p.Text()))
}

// writeDatabase writes the database as a ceremony would have: the same kept
// checkpoints, the same head, one clean file.
func (src *source) writeDatabase(path string, entries [][]byte) (err error) {
	store, err := sqlite.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	from := int64(0)
	for _, k := range src.kept {
		if k.size < from || k.size > int64(len(entries)) {
			return fmt.Errorf("a checkpoint is kept for %d entries, where there are %d", k.size, len(entries))
		}
		if err := store.Append(from, entries[from:k.size], k.note, true, false); err != nil {
			return err
		}
		from = k.size
	}
	if err := store.Append(from, entries[from:], src.head, false, true); err != nil {
		return err
	}
	return store.Seal()
}
