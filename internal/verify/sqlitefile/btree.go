package sqlitefile

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Types of b-tree pages (section 1.6); those of indexes have no place here.
const (
	interiorPage = 0x05
	leafPage     = 0x0d
)

// A place is where a row's cell begins.
type place struct {
	page   uint32
	offset int64
}

// A walker goes through one table's b-tree from the smallest row number to the
// greatest.
type walker struct {
	*File
	table   string
	columns []column
	fn      func(rowid int64, v []value, at place) error
	last    int64 // greatest row number so far
	leaves  int   // depth of the leaves, -1 before the first
	row     []byte
	buffers [][]byte // one page a level
	extents [][]extent
	over    []byte // an overflow page
	values  []value
	ahead   window
}

// An extent is a part of a page that a cell or free block takes.
type extent struct{ from, to int }

// walk calls fn for every row of the table in order of row numbers.
func (f *File) walk(table string, root uint32, columns []column, fn func(int64, []value, place) error) error {
	w := &walker{File: f, table: table, columns: columns, values: make([]value, len(columns)), fn: fn, last: math.MinInt64, leaves: -1}
	if !f.claim(root, "table "+table, 0) {
		return nil
	}
	return w.tree(root, 0, math.MaxInt64)
}

// windowBytes is how much is read at once where pages follow each other.
const windowBytes = 256 << 10

// A window is a run of pages that was read at once.
type window struct {
	first uint32 // its first page
	next  uint32 // the page behind the one asked for last
	buf   []byte
}

// read fills buf with a page. A table's pages mostly stand in the file as they
// are walked: behind a page, those that follow are read with it.
func (w *walker) read(page uint32, buf []byte) bool {
	a := &w.ahead
	at := int64(page) - int64(a.first)
	if a.first == 0 || at < 0 || (at+1)*int64(w.page) > int64(len(a.buf)) {
		follows := page == a.next
		a.next = page + 1
		if !follows || !w.fill(page) {
			return w.File.read(page, buf)
		}
		at = 0
	}
	a.next = page + 1
	copy(buf, a.buf[at*int64(w.page):])
	return true
}

// fill reads the window that begins with a page. It reports false if that
// cannot be read whole.
func (w *walker) fill(page uint32) bool {
	pages := min(max(windowBytes/w.page, 1), int(w.pages-page)+1)
	if cap(w.ahead.buf) == 0 {
		w.ahead.buf = make([]byte, 0, max(windowBytes, w.page))
	}
	w.ahead.buf = w.ahead.buf[:pages*w.page]
	w.ahead.first = page
	if _, err := w.r.ReadAt(w.ahead.buf, w.offset(page)); err != nil {
		w.ahead.first = 0
		return false
	}
	return true
}

// wrong reports a problem on a page of the table.
func (w *walker) wrong(page uint32, at int, what, expected, found string) {
	w.problem(page, w.offset(page)+int64(at), "table "+w.table+": "+what, expected, found)
}

// tree walks the page and what hangs below it. No row number in it may be
// greater than limit.
func (w *walker) tree(page uint32, depth int, limit int64) error {
	if depth == maxDepth {
		w.wrong(page, 0, "b-tree too high", fmt.Sprint(maxDepth), "")
		return nil
	}
	if depth == len(w.buffers) {
		w.buffers = append(w.buffers, make([]byte, w.page))
		w.extents = append(w.extents, nil)
	}
	buf := w.buffers[depth]
	if !w.read(page, buf) {
		return nil
	}
	h, ok := w.header(page, buf)
	if !ok {
		return nil
	}
	if h.kind == leafPage {
		return w.leaf(h, depth, limit)
	}
	return w.interior(h, depth, limit)
}

// A pageHeader is the header of a b-tree page (section 1.6).
type pageHeader struct {
	page      uint32
	buf       []byte
	start     int // where it stands: 100 on page 1
	kind      byte
	freeblock int
	cells     int
	content   int // first byte of the cell content area
	fragments int
	right     uint32 // interior pages
}

// pointers returns where the cell pointer array begins and ends.
func (h *pageHeader) pointers() (from, to int) {
	from = h.start + 8
	if h.kind == interiorPage {
		from += 4
	}
	return from, from + 2*h.cells
}

// cell returns the offset of cell i.
func (h *pageHeader) cell(i int) int {
	from, _ := h.pointers()
	return int(binary.BigEndian.Uint16(h.buf[from+2*i:]))
}

func (w *walker) header(page uint32, buf []byte) (*pageHeader, bool) {
	h := &pageHeader{page: page, buf: buf}
	if page == 1 {
		h.start = 100
	}
	b := buf[h.start:]
	h.kind = b[0]
	if h.kind != leafPage && h.kind != interiorPage {
		w.wrong(page, h.start, "type of the page", "0x0d or 0x05", fmt.Sprintf("%#02x", h.kind))
		return nil, false
	}
	h.freeblock = int(binary.BigEndian.Uint16(b[1:]))
	h.cells = int(binary.BigEndian.Uint16(b[3:]))
	h.content = int(binary.BigEndian.Uint16(b[5:]))
	h.fragments = int(b[7])
	if h.content == 0 {
		h.content = 65536
	}
	if h.kind == interiorPage {
		h.right = binary.BigEndian.Uint32(b[8:])
	}
	_, end := h.pointers()
	if end > len(buf) || h.content < end || h.content > len(buf) {
		w.wrong(page, h.start+5, "cell pointers and content overlap or leave the page", fmt.Sprintf("%d to %d", end, len(buf)), fmt.Sprint(h.content))
		return nil, false
	}
	return h, true
}

func (w *walker) leaf(h *pageHeader, depth int, limit int64) error {
	if w.leaves == -1 {
		w.leaves = depth
	}
	if depth != w.leaves {
		w.wrong(h.page, 0, "leaves of different depth", fmt.Sprint(w.leaves), fmt.Sprint(depth))
	}
	if h.cells == 0 && depth > 0 {
		w.wrong(h.page, h.start+3, "leaf without rows", "", "")
	}
	taken := w.extents[depth][:0]
	for i := range h.cells {
		at := h.cell(i)
		end, err := w.leafCell(h, at, limit)
		if err != nil {
			return err
		}
		if end > 0 {
			taken = append(taken, extent{at, end})
		}
	}
	w.extents[depth] = taken
	w.space(h, depth, len(taken) == h.cells)
	return nil
}

// leafCell reads the row at offset at and hands it on. It returns where the
// cell ends, 0 if that cannot be known.
func (w *walker) leafCell(h *pageHeader, at int, limit int64) (end int, err error) {
	if at < h.content || at >= len(h.buf) {
		w.wrong(h.page, at, "cell outside the content area", fmt.Sprintf("%d to %d", h.content, len(h.buf)), fmt.Sprint(at))
		return 0, nil
	}
	b := h.buf[at:]
	size, n := varint(b)
	id, m := varint(b[n:])
	if n == 0 || m == 0 || size > MaxRow {
		w.wrong(h.page, at, "row number or size of the row", fmt.Sprintf("at most %d", MaxRow), fmt.Sprint(size))
		return 0, nil
	}
	rowid := int64(id)
	if rowid < 0 || rowid <= w.last || rowid > limit {
		w.wrong(h.page, at, "row number out of order", fmt.Sprintf("above %d, at most %d", w.last, limit), fmt.Sprint(rowid))
	}
	w.last = max(w.last, rowid)
	payload, used, ok := w.payload(h, at+n+m, int(size))
	if !ok {
		return 0, nil
	}
	v, err := record(payload, w.columns, w.values)
	if err != nil {
		w.wrong(h.page, at, fmt.Sprintf("row %d: %v", rowid, err), "", "")
		return at + max(4, n+m+used), nil
	}
	return at + max(4, n+m+used), w.fn(rowid, v, place{h.page, w.offset(h.page) + int64(at)})
}

// local returns how many bytes of a payload stand in the cell itself
// (section 1.6, "Cell payload overflow pages").
func local(page, size int) int {
	most := page - 35
	if size <= most {
		return size
	}
	least := (page-12)*32/255 - 23
	if k := least + (size-least)%(page-4); k <= most {
		return k
	}
	return least
}

// payload gathers a row's payload from the cell at buf[at:] and its overflow
// pages. used counts the bytes in the cell.
func (w *walker) payload(h *pageHeader, at, size int) (p []byte, used int, ok bool) {
	here := local(w.page, size)
	used = here
	if here < size {
		used += 4
	}
	if at+used > len(h.buf) {
		w.wrong(h.page, at, "row leaves its page", "", "")
		return nil, 0, false
	}
	if here == size {
		return h.buf[at : at+size], used, true
	}
	w.row = append(w.row[:0], h.buf[at:at+here]...)
	next := binary.BigEndian.Uint32(h.buf[at+here:])
	return w.overflow(next, size, w.offset(h.page)+int64(at+here), used)
}

// overflow appends the rest of a payload of size bytes from the chain of
// overflow pages that begins at next, named at offset from.
func (w *walker) overflow(next uint32, size int, from int64, used int) ([]byte, int, bool) {
	if w.over == nil {
		w.over = make([]byte, w.page)
	}
	for len(w.row) < size {
		if !w.claim(next, "table "+w.table+": overflow", from) || !w.read(next, w.over) {
			return nil, 0, false
		}
		n := min(size-len(w.row), w.page-4)
		w.row = append(w.row, w.over[4:4+n]...)
		w.checkZero(next, w.over, 4+n, w.page, "the rest of an overflow page")
		from = w.offset(next)
		next = binary.BigEndian.Uint32(w.over)
	}
	if next != 0 {
		w.problem(0, from, "table "+w.table+": overflow chain goes on after the row's end", "0", fmt.Sprint(next))
	}
	return w.row, used, true
}

func (w *walker) interior(h *pageHeader, depth int, limit int64) error {
	if h.cells == 0 {
		w.wrong(h.page, h.start+3, "interior page without cells", "", "")
	}
	taken := w.extents[depth][:0]
	for i := range h.cells {
		at := h.cell(i)
		if at < h.content || at+4 >= len(h.buf) {
			w.wrong(h.page, at, "cell outside the content area", fmt.Sprintf("%d to %d", h.content, len(h.buf)), fmt.Sprint(at))
			continue
		}
		key, n := varint(h.buf[at+4:])
		if n == 0 || int64(key) < 0 || int64(key) > limit || int64(key) < w.last {
			w.wrong(h.page, at+4, "key of an interior page out of order", fmt.Sprintf("%d to %d", w.last, limit), fmt.Sprint(int64(key)))
			continue
		}
		taken = append(taken, extent{at, at + 4 + n})
		if err := w.child(binary.BigEndian.Uint32(h.buf[at:]), h, at, depth, int64(key)); err != nil {
			return err
		}
		if w.last != int64(key) {
			w.wrong(h.page, at+4, "key of an interior page is not the last row below it", fmt.Sprint(w.last), fmt.Sprint(key))
			w.last = max(w.last, int64(key))
		}
	}
	if err := w.child(h.right, h, h.start+8, depth, limit); err != nil {
		return err
	}
	w.extents[depth] = taken
	w.space(h, depth, len(taken) == h.cells)
	return nil
}

// child walks the page that h points to at offset at.
func (w *walker) child(page uint32, h *pageHeader, at, depth int, limit int64) error {
	if !w.claim(page, "table "+w.table, w.offset(h.page)+int64(at)) {
		return nil
	}
	return w.tree(page, depth+1, limit)
}

// space checks that every byte of the page is the header's, a pointer's, one
// cell's or one free block's, and that what is free is zero. all says that
// every cell's extent is known; without that, only overlaps can be told.
func (w *walker) space(h *pageHeader, depth int, all bool) {
	_, end := h.pointers()
	w.checkFree(h, end, h.content, "space between cell pointers and cells")
	taken, ok := w.freeblocks(h, w.extents[depth])
	w.extents[depth] = taken
	slices.SortFunc(taken, func(a, b extent) int { return cmp.Compare(a.from, b.from) })
	at, gaps := h.content, 0
	for _, e := range taken {
		if e.from < at {
			w.wrong(h.page, e.from, "cells overlap", fmt.Sprintf("from %d", at), fmt.Sprint(e.from))
			return
		}
		gaps += e.from - at
		if all && ok {
			w.checkFree(h, at, e.from, "space between cells")
		}
		at = e.to
	}
	if !all || !ok {
		return
	}
	gaps += len(h.buf) - at
	w.checkFree(h, at, len(h.buf), "space after the cells")
	if gaps != h.fragments {
		w.wrong(h.page, h.start+7, "bytes between cells that belong to nothing", fmt.Sprint(h.fragments), fmt.Sprint(gaps))
	}
}

// checkFree wants free space to be zero: SQLite does not look there, and the log's
// store clears it.
func (w *walker) checkFree(h *pageHeader, from, to int, where string) {
	w.checkZero(h.page, h.buf, from, to, "table "+w.table+": "+where)
}

// freeblocks appends the page's free blocks to taken. They stand in a list in
// ascending order (section 1.6); what they hold must be zero.
func (w *walker) freeblocks(h *pageHeader, taken []extent) ([]extent, bool) {
	before := h.content
	for at := h.freeblock; at != 0; {
		if at < before || at+4 > len(h.buf) {
			w.wrong(h.page, at, "free block out of order or outside the content area", fmt.Sprintf("%d to %d", before, len(h.buf)-4), fmt.Sprint(at))
			return taken, false
		}
		size := int(binary.BigEndian.Uint16(h.buf[at+2:]))
		if size < 4 || at+size > len(h.buf) {
			w.wrong(h.page, at+2, "size of a free block", fmt.Sprintf("4 to %d", len(h.buf)-at), fmt.Sprint(size))
			return taken, false
		}
		w.checkFree(h, at+4, at+size, "a free block")
		taken = append(taken, extent{at, at + size})
		before = at + size
		at = int(binary.BigEndian.Uint16(h.buf[at:]))
	}
	return taken, true
}
