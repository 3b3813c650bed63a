package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit/storetest"
)

func TestSuite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Place {
		path := filepath.Join(t.TempDir(), "a log 100%#?.db")
		made := false
		return storetest.Place{Open: func() (storetest.Keeper, error) {
			if made {
				return Open(path)
			}
			made = true
			return Create(path)
		}}
	})
}

// create returns a new store that is closed when the test ends.
func create(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// fill appends n entries of 300 bytes, one a transaction.
func fill(t *testing.T, s *Store, from, n int64) {
	t.Helper()
	for i := from; i < from+n; i++ {
		body := bytes.Repeat(fmt.Appendf(nil, "%d ", i), 300)[:300]
		if err := s.Append(i, [][]byte{body}, fmt.Appendf(nil, "head %d", i+1), i%10 == 0, i%3 == 0); err != nil {
			t.Fatal(err)
		}
	}
}

// names lists a folder.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		list = append(list, f.Name())
	}
	return list
}

// count returns how many entries a store has.
func count(t *testing.T, s *Store) (n int64) {
	t.Helper()
	if err := s.Entries(0, func(int64, []byte) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCreateIsExclusive(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.db")
	closeStore(t, create(t, path))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("creating over a log: %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file changed (%v)", err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "link.db")); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(filepath.Join(dir, "link.db")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("creating over a symbolic link: %v", err)
	}
	if got := names(t, dir); !reflect.DeepEqual(got, []string{"audit.db", "link.db"}) {
		t.Errorf("the folder holds %q", got)
	}
}

// A crash while the file was made leaves a temporary one, which the next try
// clears away.
func TestCreateAfterCrash(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, tempPrefix+"audit.db")
	for _, name := range []string{left, left + "-journal"} {
		if err := os.WriteFile(name, []byte("half a file"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	create(t, filepath.Join(dir, "audit.db"))
	if got := names(t, dir); !reflect.DeepEqual(got, []string{"audit.db"}) {
		t.Errorf("the folder holds %q", got)
	}
}

// Where there are no hard links a name is taken all the same, only if free.
func TestTakeName(t *testing.T) {
	for name, take := range map[string]func(temp, path string) error{"link": takeName, "rename": renameNew} {
		dir := t.TempDir()
		temp, path := filepath.Join(dir, "temp"), filepath.Join(dir, "log")
		if err := take(temp, path); err == nil || len(names(t, dir)) != 0 {
			t.Errorf("%s: a missing file took a name: %v, %q", name, err, names(t, dir))
		}
		for i, want := range []error{nil, fs.ErrExist} {
			if err := os.WriteFile(temp, []byte{byte(i)}, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := take(temp, path); !errors.Is(err, want) {
				t.Errorf("%s, time %d: %v, want %v", name, i, err, want)
			}
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, []byte{0}) {
			t.Errorf("%s: the name has %x, %v", name, b, err)
		}
	}
}

func TestOneWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	s := create(t, path)
	fill(t, s, 0, 3)
	for name, again := range map[string]func() error{
		"Open":     func() error { _, err := Open(path); return err },
		"Create":   func() error { _, err := Create(path + "2"); return err },
		"Finalize": func() error { return Finalize(path) },
	} {
		if err := again(); !errors.Is(err, ErrBusy) {
			t.Errorf("%s while another writes: %v, want ErrBusy", name, err)
		}
	}
	fill(t, s, 3, 1)
	closeStore(t, s)
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	if n := count(t, s); n != 4 {
		t.Errorf("%d entries after all", n)
	}
}

// A follower sees a whole log, as it was when it opened, and hinders nobody.
func TestReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	s := create(t, path)
	fill(t, s, 0, 5)
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 5, 5)
	if n := count(t, r); n != 5 {
		t.Errorf("the reader sees %d entries, want the 5 when it opened", n)
	}
	if head, err := r.Head(); err != nil || string(head) != "head 5" {
		t.Errorf("the reader's head: %q, %v", head, err)
	}
	if err := r.Append(5, nil, []byte("no"), false, true); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a reader appends: %v", err)
	}
	if err := r.Seal(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a reader seals: %v", err)
	}
	closeStore(t, r)
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	r, err = OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, r); n != 10 {
		t.Errorf("the reader sees %d entries of the sealed log", n)
	}
	closeStore(t, r)
	if got := names(t, filepath.Dir(path)); !reflect.DeepEqual(got, []string{"audit.db"}) {
		t.Errorf("the folder holds %q", got)
	}
}

func TestClosed(t *testing.T) {
	s := create(t, filepath.Join(t.TempDir(), "audit.db"))
	closeStore(t, s)
	for name, err := range map[string]error{
		"Append":  s.Append(0, nil, nil, false, true),
		"Entries": s.Entries(0, nil),
		"Kept":    s.Kept(nil),
		"Seal":    s.Seal(),
	} {
		if !errors.Is(err, errStoreClosed) {
			t.Errorf("%s on a closed store: %v", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

// What sync means: FULL before a durable commit, NORMAL before another.
func TestSynchronous(t *testing.T) {
	s := create(t, filepath.Join(t.TempDir(), "audit.db"))
	for i, sync := range []bool{true, false, true, true, false} {
		if err := s.Append(int64(i), [][]byte{{1}}, []byte("h"), false, sync); err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{true: "2", false: "1"}[sync]
		got, err := s.conn.pragma("synchronous")
		if err != nil || got != want {
			t.Errorf("append %d with sync %v: synchronous=%s, want %s (%v)", i, sync, got, want, err)
		}
	}
	if mode, err := s.conn.pragma("journal_mode"); err != nil || mode != "wal" {
		t.Errorf("journal mode %q while writing (%v)", mode, err)
	}
}

func TestOpenLeavesTheFileAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	s := create(t, path)
	fill(t, s, 0, 30)
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	count(t, s)
	closeStore(t, s)
	if err := Finalize(path); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("a sealed file changed by being opened and sealed again (%v)", err)
	}
	if got := names(t, filepath.Dir(path)); !reflect.DeepEqual(got, []string{"audit.db"}) {
		t.Errorf("the folder holds %q", got)
	}
}

func TestNotOurs(t *testing.T) {
	tests := map[string]struct{ change, want string }{
		"application id": {"PRAGMA application_id=1", "application_id is 1"},
		"user version":   {"PRAGMA user_version=2", "user_version is 2"},
		"extra table":    {"CREATE TABLE extra(x)", `table "extra"`},
		"extra index":    {"CREATE INDEX i ON entry(body)", `index "i"`},
		"view":           {"CREATE VIEW v AS SELECT 1", `view "v"`},
		"trigger":        {"CREATE TRIGGER t AFTER INSERT ON entry BEGIN SELECT 1; END", `trigger "t"`},
		"column":         {"ALTER TABLE entry ADD COLUMN more TEXT", `table "entry"`},
		"missing table":  {"DROP TABLE head", `lacks table "head"`},
		"page size":      {"PRAGMA page_size=8192; VACUUM", "page_size is 8192"},
		"auto vacuum":    {"PRAGMA auto_vacuum=1; VACUUM", "auto_vacuum is 1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.db")
			closeStore(t, create(t, path))
			c, err := connect(path, "rw")
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(c.exec(test.change), c.close()); err != nil {
				t.Fatal(err)
			}
			expectNotOurs(t, path, test.want)
		})
	}
}

func expectNotOurs(t *testing.T, path, want string) {
	t.Helper()
	if _, err := Open(path); !errors.Is(err, ErrNotOurs) || !strings.Contains(err.Error(), want) {
		t.Errorf("Open: %v; want ErrNotOurs with %q", err, want)
	}
	if _, err := OpenReader(path); !errors.Is(err, ErrNotOurs) || !strings.Contains(err.Error(), want) {
		t.Errorf("OpenReader: %v; want ErrNotOurs with %q", err, want)
	}
}

func TestNoDatabase(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"empty": "", "text": strings.Repeat("no database ", 1000), "short": "SQLite format 3\x00"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		expectNotOurs(t, path, "")
	}
	expectNotOurs(t, dir, "no file")
	if _, err := Open(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening a missing file: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "no", "folder")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening in a missing folder: %v", err)
	}
}
