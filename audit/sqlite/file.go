package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// tempPrefix begins the name of a file that is not yet whole. Everything that
// writes into a bundle uses it, so that a resumed run can clear them away.
const tempPrefix = ".keyrite-new-"

// An object is one row of sqlite_schema.
type object struct{ kind, name, table, sql string }

// schema is all that the file may hold, in the order in which it was made.
var schema = [...]object{
	{"table", "entry", "entry", "CREATE TABLE entry(seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT"},
	{"table", "checkpoint", "checkpoint", "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT"},
	{"table", "head", "head", "CREATE TABLE head(id INTEGER PRIMARY KEY CHECK(id=0), note BLOB NOT NULL) STRICT"},
}

// header is what the pragmas must answer.
var header = [...]struct{ pragma, value string }{
	{"application_id", strconv.Itoa(ApplicationID)},
	{"user_version", strconv.Itoa(UserVersion)},
	{"page_size", strconv.Itoa(PageSize)},
	{"auto_vacuum", "0"},
	{"encoding", "UTF-8"},
}

// checkFormat returns [ErrNotOurs] unless the file has our header and exactly
// our schema.
func checkFormat(c *conn) error {
	for _, h := range header {
		value, err := c.pragma(h.pragma)
		if err != nil {
			return err
		}
		if value != h.value {
			return fmt.Errorf("its %s is %s, not %s: %w", h.pragma, value, h.value, ErrNotOurs)
		}
	}
	found, err := readSchema(c)
	if err != nil {
		return err
	}
	for i, o := range found {
		if i >= len(schema) || o != schema[i] {
			return fmt.Errorf("its schema has %s %q: %q: %w", o.kind, o.name, o.sql, ErrNotOurs)
		}
	}
	if len(found) < len(schema) {
		return fmt.Errorf("its schema lacks table %q: %w", schema[len(found)].name, ErrNotOurs)
	}
	return nil
}

func readSchema(c *conn) (list []object, err error) {
	rows, err := c.QueryContext(context.Background(), "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY rowid")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.kind, &o.name, &o.table, &o.sql); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, rows.Err()
}

// lockFolder locks the folder of path for this writer. The lock ends with the
// file, or with the process.
func lockFolder(path string) (*os.File, error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("locking its folder: %w", err), dir.Close())
	}
	return dir, nil
}

// temporary returns the name under which a new version of path is made, with
// nothing there. The folder is locked, so what is there was left by a crash.
func temporary(path string) (string, error) {
	temp := filepath.Join(filepath.Dir(path), tempPrefix+filepath.Base(path))
	for _, suffix := range []string{"", "-journal"} {
		if err := os.Remove(temp + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return temp, nil
}

// makeFile writes the file of an empty log.
func makeFile(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fs.ErrExist, err)
	}
	temp, err := temporary(path)
	if err != nil {
		return err
	}
	err = makeEmpty(temp)
	if err == nil {
		err = syncFile(temp)
	}
	if err == nil {
		err = takeName(temp, path)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(temp))
	}
	return syncFile(filepath.Dir(path))
}

func removeIfThere(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func makeEmpty(path string) error {
	c, err := connect(path, "rwc")
	if err != nil {
		return err
	}
	statements := []string{
		fmt.Sprintf("PRAGMA page_size=%d", PageSize),
		"PRAGMA auto_vacuum=NONE",
		"PRAGMA encoding='UTF-8'",
		"BEGIN",
		fmt.Sprintf("PRAGMA application_id=%d", ApplicationID),
		fmt.Sprintf("PRAGMA user_version=%d", UserVersion),
	}
	for _, o := range schema {
		statements = append(statements, o.sql)
	}
	for _, s := range append(statements, "COMMIT") {
		if err := c.exec(s); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", s, err), c.close())
		}
	}
	return c.close()
}

// takeName gives a file its name unless something has it. Where there are no
// hard links, the name is taken by an empty file first.
func takeName(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil {
		return os.Remove(temp)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	return renameNew(temp, path)
}

func renameNew(temp, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	err = f.Close()
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// syncFile makes a file, or the names in a folder, durable.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// The counters in SQLite's header, four bytes each: file change counter, schema
// cookie and version-valid-for. They say how a file came about, not what it
// holds.
var counters = [...]int64{24, 40, 92}

// settleCounters sets the counters of a file that nobody has open to 1 and
// makes the file durable: one log, one file.
func settleCounters(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for _, at := range counters {
		if _, err := f.WriteAt([]byte{0, 0, 0, 1}, at); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(f.Sync(), f.Close())
}

// libraryVersion is where the header names the SQLite that wrote last, in four
// bytes.
const libraryVersion = 96

// sameLog reports whether two files are the same but for the version of the
// library that wrote them.
func sameLog(a, b string) (same bool, err error) {
	fa, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, fa.Close()) }()
	fb, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, fb.Close()) }()
	for first := true; ; first = false {
		var pa, pb [PageSize]byte
		na, ea := io.ReadFull(fa, pa[:])
		nb, eb := io.ReadFull(fb, pb[:])
		if first {
			clear(pa[libraryVersion:][:4])
			clear(pb[libraryVersion:][:4])
		}
		switch {
		case na != nb || pa != pb:
			return false, nil
		case ea == io.EOF && eb == io.EOF:
			return true, nil
		case ea != nil || eb != nil:
			return false, errors.Join(ea, eb)
		}
	}
}
