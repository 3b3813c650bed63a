// Package sqlitefile reads a closed audit.db without SQLite.
//
// It knows the one form a closed log has and refuses every other: exactly the
// three tables of the log, no journal, no free pages, no vacuum bookkeeping,
// every page part of exactly one structure, every integer in its shortest
// form, every byte between the rows zero. What SQLite would silently tolerate
// or skip is a [Problem] here, because a row that one reader sees and another
// does not is how a log lies. The file format is that of
// https://www.sqlite.org/fileformat2.html, whose section numbers the comments
// cite.
//
// The reader trusts nothing in the file: memory is bounded by the size of one
// page and one row and one bit a page, and no content makes it panic or loop.
package sqlitefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// What the header of an audit.db says of its kind.
const (
	ApplicationID = 0x6b797274 // "kyrt"
	UserVersion   = 1
)

// MaxRow is the most bytes a row's payload may have. An entry has at most
// 64 KiB; a checkpoint with its cosignatures stays far below this.
const MaxRow = 1 << 20

// maxPages bounds the memory for the map of used pages (32 MiB).
const maxPages = 1 << 28

// maxDepth is the greatest height of a b-tree; four suffice for any real log.
const maxDepth = 12

// A Problem is something in the file that a closed log does not have.
type Problem struct {
	Page     uint32 // from 1; 0 for the file as a whole
	Offset   int64  // in the file
	What     string // in words
	Expected string // "" if that is clear from What
	Found    string
}

// ErrNotClosed says that the database is in WAL mode or has a journal's mark:
// the log was not closed and its file alone is not the log.
var ErrNotClosed = errors.New("the database is in write-ahead mode: the log was not closed")

// A File is an audit.db. Each of Entries, Checkpoints and Head may be called
// once; then Finish.
type File struct {
	r      io.ReaderAt
	size   int64
	page   int // bytes in a page
	pages  uint32
	used   []uint64          // one bit a page
	roots  map[string]uint32 // root page by table name
	report func(Problem)
}

// Open reads the header and the schema. Every departure from the form of a
// closed log is given to report. The error is [ErrNotClosed] for a database in
// WAL mode, and says why else nothing can be read of it.
func Open(r io.ReaderAt, size int64, report func(Problem)) (*File, error) {
	f := &File{r: r, size: size, roots: map[string]uint32{}, report: report}
	var h [100]byte
	if _, err := r.ReadAt(h[:], 0); err != nil {
		return nil, fmt.Errorf("reading the header of %d bytes: %w", len(h), err)
	}
	if err := f.openHeader(h[:]); err != nil {
		return nil, err
	}
	f.checkHeader(h[:])
	f.used = make([]uint64, (uint64(f.pages)+64)/64)
	f.readSchema()
	return f, nil
}

// openHeader takes from the header what must be right for anything to be read
// (section 1.3).
func (f *File) openHeader(h []byte) error {
	if string(h[:16]) != "SQLite format 3\x00" {
		return fmt.Errorf("no SQLite database: it begins with %q", h[:16])
	}
	if h[18] == 2 || h[19] == 2 {
		return ErrNotClosed
	}
	f.page = int(binary.BigEndian.Uint16(h[16:]))
	if f.page == 1 {
		f.page = 65536
	}
	if f.page < 512 || f.page&(f.page-1) != 0 {
		return fmt.Errorf("page size %d", f.page)
	}
	pages := f.size / int64(f.page)
	if pages < 1 || pages > maxPages {
		return fmt.Errorf("%d pages of %d bytes, want 1 to %d", pages, f.page, maxPages)
	}
	f.pages = uint32(pages)
	if f.size%int64(f.page) != 0 {
		f.problem(0, pages*int64(f.page), "the file does not end with a page", fmt.Sprint(pages*int64(f.page)), fmt.Sprint(f.size))
	}
	return nil
}

// headerFields are the numbers in the header that a closed log fixes
// (section 1.3). The file change counter at 24, the schema cookie at 40 and
// the SQLite version at 96 are free; 24 and 92 are equal.
var headerFields = []struct {
	offset, length int
	want           uint32
	what           string
}{
	{18, 1, 1, "file format write version"},
	{19, 1, 1, "file format read version"},
	{20, 1, 0, "reserved bytes a page"},
	{21, 1, 64, "maximum embedded payload fraction"},
	{22, 1, 32, "minimum embedded payload fraction"},
	{23, 1, 32, "leaf payload fraction"},
	{32, 4, 0, "first freelist page"},
	{36, 4, 0, "pages on the freelist"},
	{44, 4, 4, "schema format"},
	{48, 4, 0, "default cache size"},
	{52, 4, 0, "largest root page (auto-vacuum)"},
	{56, 4, 1, "text encoding (1 is UTF-8)"},
	{60, 4, UserVersion, "user_version"},
	{64, 4, 0, "incremental vacuum"},
	{68, 4, ApplicationID, "application_id"},
	{72, 4, 0, "reserved for expansion"},
	{76, 4, 0, "reserved for expansion"},
	{80, 4, 0, "reserved for expansion"},
	{84, 4, 0, "reserved for expansion"},
	{88, 4, 0, "reserved for expansion"},
}

func (f *File) checkHeader(h []byte) {
	for _, field := range headerFields {
		found := uint32(h[field.offset])
		if field.length == 4 {
			found = binary.BigEndian.Uint32(h[field.offset:])
		}
		if found != field.want {
			f.problem(1, int64(field.offset), "header: "+field.what, fmt.Sprintf("%#x", field.want), fmt.Sprintf("%#x", found))
		}
	}
	if n := binary.BigEndian.Uint32(h[28:]); n != f.pages {
		f.problem(1, 28, "header: number of pages", fmt.Sprint(f.pages), fmt.Sprint(n))
	}
	if a, b := binary.BigEndian.Uint32(h[24:]), binary.BigEndian.Uint32(h[92:]); a != b {
		f.problem(1, 92, "header: change counter of the version", fmt.Sprint(a), fmt.Sprint(b))
	}
}

func (f *File) problem(page uint32, offset int64, what, expected, found string) {
	f.report(Problem{page, offset, what, expected, found})
}

// lockPage is the page around byte 2^30, which SQLite never uses
// (section 1.2).
func (f *File) lockPage() uint32 { return uint32(1<<30/f.page) + 1 }

// claim marks a page as used by one structure. It reports false, and a
// problem, for a page that does not exist or is used already: with that no
// walk can go in a circle.
func (f *File) claim(page uint32, by string, from int64) bool {
	if page < 1 || page > f.pages || page == f.lockPage() {
		f.problem(page, from, by+": pointer to a page that cannot be", fmt.Sprintf("1 to %d", f.pages), fmt.Sprint(page))
		return false
	}
	word, bit := page/64, uint64(1)<<(page%64)
	if f.used[word]&bit != 0 {
		f.problem(page, from, by+": page belongs to two structures", "", "")
		return false
	}
	f.used[word] |= bit
	return true
}

// Finish reports the pages that belong to nothing. It must be called after
// all three tables were walked.
func (f *File) Finish() {
	first := uint32(0)
	for p := uint32(1); p <= f.pages+1; p++ {
		unused := p <= f.pages && p != f.lockPage() && f.used[p/64]&(1<<(p%64)) == 0
		if unused && first == 0 {
			first = p
		}
		if !unused && first != 0 {
			f.problem(first, f.offset(first), "pages that belong to no table", "none", fmt.Sprintf("pages %d to %d", first, p-1))
			first = 0
		}
	}
	if lock := f.lockPage(); lock <= f.pages {
		f.checkLockPage(lock)
	}
}

func (f *File) checkLockPage(lock uint32) {
	buf := make([]byte, f.page)
	if f.read(lock, buf) {
		f.checkZero(lock, buf, 0, len(buf), "the lock page")
	}
}

func (f *File) offset(page uint32) int64 { return int64(page-1) * int64(f.page) }

// read fills buf with a page.
func (f *File) read(page uint32, buf []byte) bool {
	if _, err := f.r.ReadAt(buf, f.offset(page)); err != nil {
		f.problem(page, f.offset(page), fmt.Sprintf("reading the page: %v", err), "", "")
		return false
	}
	return true
}

// checkZero reports the first byte of buf[from:to] that is not zero: SQLite
// does not look there, so that old or hidden rows could.
func (f *File) checkZero(page uint32, buf []byte, from, to int, where string) {
	for i := from; i < to; i++ {
		if buf[i] != 0 {
			f.problem(page, f.offset(page)+int64(i), where+" is not empty", "0x00", fmt.Sprintf("%#02x", buf[i]))
			return
		}
	}
}
