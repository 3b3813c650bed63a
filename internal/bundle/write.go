package bundle

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"
)

// tempPrefix begins the names under which WriteNew prepares files. No bundle
// file's name begins with a dot.
const tempPrefix = ".keyrite-new-"

// WriteNew writes b durably to the new file name (a path with slashes) in the
// folder dir, which must exist. Sub-folders are created. The bytes go to a
// temporary file in the same folder first, which then takes its name only if
// nothing has that name: a file is there whole or not at all, and none is ever
// overwritten. File and folders are synced before WriteNew returns.
//
// The error is [fs.ErrExist] (by errors.Is) if something has the name
// already, and a [CheckName] error if name cannot be a bundle's file.
func WriteNew(dir, name string, b []byte) error {
	if err := CheckName(name); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	err = writeNew(root, name, b)
	if err := errors.Join(err, root.Close()); err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	return nil
}

func writeNew(root *os.Root, name string, b []byte) error {
	if err := mkdirs(root, path.Dir(name)); err != nil {
		return err
	}
	if _, err := root.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fs.ErrExist, err)
	}
	temp := path.Join(path.Dir(name), tempPrefix+rand.Text())
	if err := writeSynced(root, temp, b); err != nil {
		return errors.Join(err, ignoreMissing(root.Remove(temp)))
	}
	if err := takeName(root, temp, name); err != nil {
		return errors.Join(err, ignoreMissing(root.Remove(temp)))
	}
	return syncDir(root, path.Dir(name))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// mkdirs creates dir and its parents inside root, syncing each parent.
func mkdirs(root *os.Root, dir string) error {
	if dir == "." {
		return nil
	}
	if err := mkdirs(root, path.Dir(dir)); err != nil {
		return err
	}
	err := root.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(root, path.Dir(dir))
}

func writeSynced(root *os.Root, name string, b []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// takeName gives the file temp the name name. A hard link fails if the name is
// taken; where the file system has no hard links (FAT media), the name is
// first taken exclusively by an empty file of our own, then renamed over.
func takeName(root *os.Root, temp, name string) error {
	err := root.Link(temp, name)
	if err == nil {
		return root.Remove(temp)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	return renameNew(root, temp, name)
}

func renameNew(root *os.Root, temp, name string) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return root.Rename(temp, name)
}

// syncDir makes the names in a folder durable. Windows cannot sync a folder
// and keeps names durable by its own journal.
func syncDir(root *os.Root, dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// RemoveUnfinished removes what a WriteNew that was cut off left behind: files
// that never got their name. A resumed run calls it before it writes.
func RemoveUnfinished(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("removing unfinished files: %w", err)
	}
	files, err := list(root)
	for _, f := range files {
		if f.Mode.IsRegular() && strings.HasPrefix(path.Base(f.Name), tempPrefix) {
			err = errors.Join(err, root.Remove(f.Name))
		}
	}
	if err := errors.Join(err, root.Close()); err != nil {
		return fmt.Errorf("removing unfinished files: %w", err)
	}
	return nil
}
