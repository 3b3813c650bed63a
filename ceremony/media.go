package ceremony

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/keyrite/keyrite/internal/bundle"
)

// ReadMedia reads a file that is brought to the ceremony, of at most limit
// bytes.
func (s *Session) ReadMedia(name string, limit int64) ([]byte, error) {
	full := filepath.Join(s.r.Media, name)
	f, err := os.Open(full)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s: put it there, then try the step again: %w", full, err)
	}
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", full, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", full, limit)
	}
	return b, nil
}

// findMedia returns an error unless there is a file of that name, of at most
// limit bytes. It reads nothing of it.
func (s *Session) findMedia(name string, limit int64) error {
	if err := CheckFileName(name); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(s.r.Media, name))
	switch {
	case err != nil:
		return fmt.Errorf("there is no file %q on the medium", name)
	case !info.Mode().IsRegular() || info.Size() > limit:
		return fmt.Errorf("%q on the medium is not a file of at most %d bytes", name, limit)
	}
	return nil
}

// WriteMedia writes a new file to a folder on the medium and returns what is
// read back from it. A file that is there already must have the same bytes.
func (s *Session) WriteMedia(folder, name string, b []byte) ([]byte, error) {
	dir := filepath.Join(s.r.Media, folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making a folder on the medium: %w", err)
	}
	full := filepath.Join(dir, name)
	err := bundle.WriteNew(dir, name, b)
	if errors.Is(err, fs.ErrExist) {
		old, rerr := os.ReadFile(full)
		if rerr != nil || !bytes.Equal(old, b) {
			return nil, fmt.Errorf("%s is on the medium already and is another file; nothing was overwritten: use an empty medium", full)
		}
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(full)
}
