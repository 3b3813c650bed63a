package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"

	"github.com/keyrite/keyrite/audit"
)

func TestClassify(t *testing.T) {
	other := errors.New("another error")
	tests := []struct {
		err  error
		want error
	}{
		{sqlite3.Error{Code: sqlite3.ErrFull}, ErrFull},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.ENOSPC}, ErrFull},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EDQUOT}, ErrFull},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EFBIG}, ErrFull},
		{sqlite3.Error{Code: sqlite3.ErrReadonly}, ErrReadOnly},
		{sqlite3.Error{Code: sqlite3.ErrCantOpen, SystemErrno: syscall.EROFS}, ErrReadOnly},
		{sqlite3.Error{Code: sqlite3.ErrCantOpen, SystemErrno: syscall.EACCES}, ErrReadOnly},
		{sqlite3.Error{Code: sqlite3.ErrBusy}, ErrBusy},
		{sqlite3.Error{Code: sqlite3.ErrLocked}, ErrBusy},
		{sqlite3.Error{Code: sqlite3.ErrNotADB}, ErrNotOurs},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.ENOSPC}, ErrFull},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, ErrReadOnly},
		{fmt.Errorf("locking: %w", syscall.EWOULDBLOCK), ErrBusy},
		{fs.ErrPermission, ErrReadOnly},
		{sqlite3.Error{Code: sqlite3.ErrCorrupt}, nil},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EIO}, nil},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, nil},
		{other, nil},
		{nil, nil},
	}
	for _, test := range tests {
		got := classify(test.err)
		for _, sentinel := range []error{ErrFull, ErrReadOnly, ErrBusy, ErrNotOurs} {
			if errors.Is(got, sentinel) != (sentinel == test.want) {
				t.Errorf("classify(%#v) = %v; want %v", test.err, got, test.want)
			}
		}
		if !errors.Is(got, test.err) || test.err != nil && !strings.Contains(got.Error(), test.err.Error()) {
			t.Errorf("classify(%#v) = %v loses its cause", test.err, got)
		}
	}
	once := classify(sqlite3.Error{Code: sqlite3.ErrFull})
	if twice := classify(once); twice.Error() != once.Error() {
		t.Errorf("classified twice: %v", twice)
	}
}

// A transaction that fails in the middle leaves nothing.
func TestAppendIsWhole(t *testing.T) {
	s := create(t, filepath.Join(t.TempDir(), "audit.db"))
	fill(t, s, 0, 3)
	if err := s.Append(3, [][]byte{{1}, nil}, []byte("h"), false, true); err == nil {
		t.Error("an entry of no bytes was appended")
	}
	if err := s.Append(3, [][]byte{{1}}, nil, false, true); err == nil {
		t.Error("no head was accepted")
	}
	if n := count(t, s); n != 3 {
		t.Errorf("%d entries after failed appends", n)
	}
	fill(t, s, 3, 1)
	if head, err := s.Head(); err != nil || string(head) != "head 4" {
		t.Errorf("head %q, %v", head, err)
	}
}

// BenchmarkAppendSync is a durable entry of a log: encoded, hashed, signed,
// stored with its checkpoint.
func BenchmarkAppendSync(b *testing.B) {
	l, err := openLog(filepath.Join(b.TempDir(), "audit.db"), 0)
	if err != nil {
		b.Fatal(err)
	}
	d := &audit.HSMOutcome{Intent: 1, Function: "C_Sign", RV: "CKR_OK", Signature: strings.Repeat("5a", 96)}
	for b.Loop() {
		if _, err := l.AppendSync("sign", d); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkBareInsert is what it is measured against: the same bytes in one
// durable INSERT.
func BenchmarkBareInsert(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bare.db")
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE entry(seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT"); err != nil {
		b.Fatal(err)
	}
	insert, err := db.PrepareContext(context.Background(), "INSERT INTO entry(body) VALUES(?)")
	if err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 470)
	for b.Loop() {
		if _, err := insert.Exec(body); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(insert.Close(), db.Close()); err != nil {
		b.Fatal(err)
	}
}
