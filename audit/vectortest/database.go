package vectortest

import (
	"encoding/binary"
)

// pageSize is that of an audit.db.
const pageSize = 4096

// A row of a table: its number and its record.
type row struct {
	id     int64
	record []byte
}

// A database is an SQLite file that is still a list of pages
// (https://www.sqlite.org/fileformat2.html): page 1 holds the schema, and each
// table is one leaf.
type database struct {
	schema [][]any // type, name, table, root page, SQL
	tables map[int][]row
	pages  int
	head   []byte
	header func(h []byte)          // may change the 100 bytes of the header
	page   func(n int, b []byte)   // may change a page
	cell   func(table int) cellFix // how cells of a table are written
}

// A cellFix changes how a row's cell is written.
type cellFix func(r row) []byte

// The tables of a log: their root pages.
const (
	entryTable      = 2
	checkpointTable = 3
	headTable       = 4
)

// tableSQL are the three statements of an audit.db; docs/audit-log.md.
var tableSQL = []struct{ name, sql string }{
	{"entry", "CREATE TABLE entry(seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT"},
	{"checkpoint", "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT"},
	{"head", "CREATE TABLE head(id INTEGER PRIMARY KEY CHECK(id=0), note BLOB NOT NULL) STRICT"},
}

// newDatabase is the audit.db of a log: what a sealed one holds.
func newDatabase(bodies [][]byte, kept map[int64][]byte, head []byte) *database {
	d := &database{tables: map[int][]row{}, pages: 4, head: head}
	for i, t := range tableSQL {
		d.schema = append(d.schema, []any{"table", t.name, t.name, int64(entryTable + i), t.sql})
	}
	for i, b := range bodies {
		d.tables[entryTable] = append(d.tables[entryTable], row{int64(i), record(nil, b)})
	}
	for size := range int64(len(bodies) + 1) {
		if note, ok := kept[size]; ok {
			d.tables[checkpointTable] = append(d.tables[checkpointTable], row{size, record(nil, note)})
		}
	}
	d.tables[headTable] = []row{{0, record(nil, head)}}
	return d
}

// bytes writes the file.
func (d *database) bytes() []byte {
	file := make([]byte, d.pages*pageSize)
	var rows []row
	for i, s := range d.schema {
		rows = append(rows, row{int64(i + 1), record(s...)})
	}
	writeLeaf(file[:pageSize], 100, rows, nil)
	for n := 2; n <= d.pages; n++ {
		if rows, ok := d.tables[n]; ok {
			var fix cellFix
			if d.cell != nil {
				fix = d.cell(n)
			}
			writeLeaf(file[(n-1)*pageSize:n*pageSize], 0, rows, fix)
		}
		if d.page != nil {
			d.page(n, file[(n-1)*pageSize:n*pageSize])
		}
	}
	writeHeader(file, d.pages)
	if d.header != nil {
		d.header(file[:100])
	}
	return file
}

// writeHeader writes the header of a database in rollback mode (section 1.3).
func writeHeader(h []byte, pages int) {
	copy(h, "SQLite format 3\x00")
	binary.BigEndian.PutUint16(h[16:], pageSize)
	copy(h[18:], []byte{1, 1, 0, 64, 32, 32})
	for offset, n := range map[int]uint32{
		24: 1, 28: uint32(pages), 40: 1, 44: 4, 56: 1, 60: 1, 68: 0x6b797274, 92: 1, 96: 3051000,
	} {
		binary.BigEndian.PutUint32(h[offset:], n)
	}
}

// writeLeaf writes a leaf of a table's b-tree (section 1.6) whose header stands
// at start: cells from the end of the page downwards, in the order of rows.
func writeLeaf(page []byte, start int, rows []row, fix cellFix) {
	end := len(page)
	for i, r := range rows {
		cell := plainCell(r)
		if fix != nil {
			cell = fix(r)
		}
		end -= len(cell)
		copy(page[end:], cell)
		binary.BigEndian.PutUint16(page[start+8+2*i:], uint16(end))
	}
	page[start] = 0x0d
	binary.BigEndian.PutUint16(page[start+3:], uint16(len(rows)))
	binary.BigEndian.PutUint16(page[start+5:], uint16(end))
}

// plainCell is a row's cell: size of the record, number, record.
func plainCell(r row) []byte {
	return append(varint(varint(nil, uint64(len(r.record))), uint64(r.id)), r.record...)
}

// record writes values as a row's record (section 2.1): nil is NULL, as it
// stands for an INTEGER PRIMARY KEY.
func record(values ...any) []byte {
	var head, body []byte
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			head = varint(head, 0)
		case int64:
			head, body = varint(head, 1), append(body, byte(v))
		case string:
			head, body = varint(head, uint64(13+2*len(v))), append(body, v...)
		case []byte:
			head, body = varint(head, uint64(12+2*len(v))), append(body, v...)
		}
	}
	// the header's size counts itself: one byte for every record here
	return append(append(varint(nil, uint64(len(head)+1)), head...), body...)
}

// varint appends a number in its shortest form (section 1.6).
func varint(b []byte, n uint64) []byte {
	if n >= 0x80 {
		for _, c := range upper(n >> 7) {
			b = append(b, c|0x80)
		}
	}
	return append(b, byte(n&0x7f))
}

// upper returns a number in groups of seven bits.
func upper(n uint64) []byte {
	if n == 0 {
		return nil
	}
	return append(upper(n>>7), byte(n&0x7f))
}
