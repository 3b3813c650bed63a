package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Grow makes the file name hold b, if what it holds is a beginning of b: it
// appends the rest durably, or creates the file as [WriteNew] does. So a file
// that a crash cut off is completed and nothing written is ever changed. A
// file that holds anything else is an error, and stays as it is.
func Grow(dir, name string, b []byte) error {
	if err := CheckName(name); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("extending %q: %w", name, err)
	}
	err = grow(root, name, b)
	if errors.Is(err, fs.ErrNotExist) {
		err = writeNew(root, name, b)
	}
	if err := errors.Join(err, root.Close()); err != nil {
		return fmt.Errorf("extending %q: %w", name, err)
	}
	return nil
}

func grow(root *os.Root, name string, b []byte) error {
	old, err := Open(root, name)
	if err != nil {
		return err
	}
	have, err := io.ReadAll(io.LimitReader(old, int64(len(b))+1))
	if err := errors.Join(err, old.Close()); err != nil {
		return err
	}
	if !bytes.HasPrefix(b, have) {
		return errors.New("it holds something else already")
	}
	if len(have) == len(b) {
		return nil
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(b[len(have):])
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
