package vectortest

import (
	"bytes"
	"encoding/binary"
	"maps"
)

// stores adds store-, and the databases among ok- and segment-. Each holds the
// log of ok-segments, with a checkpoint kept at the end of each segment.
func (m *maker) stores() {
	d := m.resumed()
	b := d.bodies()
	signed := m.sign(d.last(), origin, b)
	kept := map[int64][]byte{3: m.sign(d.keys[0], origin, b[:3]), int64(len(b)): signed}
	add := func(name, about string, v Vector, change func(*database), pages bool) {
		db := newDatabase(b, kept, signed)
		change(db)
		v.Database, v.Pages, v.database = name+".db", pages, db.bytes()
		m.log(name, about, v, lines(b), signed)
	}
	nothing := func(*database) {}
	add("ok-store", "the log of ok-segments and its database", holds, nothing, false)
	for _, c := range m.storeRows(b, kept) {
		add(c.name, c.about, fails(c.finding, c.entry), c.change, false)
	}
	for _, c := range storeSchemas() {
		add(c.name, c.about, fails("E-DATABASE-FORMAT", -1), c.change, false)
	}
	for _, c := range storePages() {
		add(c.name, c.about, fails("E-DATABASE-FORMAT", -1), c.change, true)
	}
	old := maps.Clone(kept)
	old[3] = m.sign(d.keys[1], origin, b[:3])
	kept = old
	add("segment-new-key-keeps-old", "the database keeps a checkpoint of the first segment that the second one's key signed", fails("E-CHECKPOINT-SIGNATURE", 2), nothing, false)
}

// A storeCase is a database that is not the log's.
type storeCase struct {
	name, about, finding string
	entry                int64
	change               func(*database)
}

// storeRows are databases whose rows are not the log's.
func (m *maker) storeRows(b [][]byte, kept map[int64][]byte) []storeCase {
	entry := func(f func(rows []row) []row) func(*database) {
		return func(d *database) { d.tables[entryTable] = f(d.tables[entryTable]) }
	}
	foul := bytes.Replace(b[2], []byte("fair"), []byte("foul"), 1)
	forged := m.sign(m.key(origin, "forger"), origin, b[:3])
	end := int64(len(b))
	return []storeCase{
		{"store-entry-differs", "entry 2 is another in the database", "E-STORES-DIFFER", 2, entry(func(r []row) []row { r[2].record = record(nil, foul); return r })},
		{"store-row-missing", "the database lacks the last entry", "E-STORES-DIFFER", end - 1, entry(func(r []row) []row { return r[:len(r)-1] })},
		{"store-row-added", "the database has one entry more", "E-STORES-DIFFER", end, entry(func(r []row) []row { return append(r, row{end, record(nil, foul)}) })},
		{"store-row-gap", "the last entry has the row number after the next", "E-DATABASE-FORMAT", -1, entry(func(r []row) []row { r[len(r)-1].id = end + 1; return r })},
		{"store-row-negative", "a row with a negative number stands before entry 0", "E-DATABASE-FORMAT", -1, entry(func(r []row) []row { return append([]row{{-1, record(nil, foul)}}, r...) })},
		{"store-row-text", "entry 2 is stored as text", "E-DATABASE-FORMAT", -1, entry(func(r []row) []row { r[2].record = record(nil, string(b[2])); return r })},
		{"store-row-order", "two rows have changed places", "E-DATABASE-FORMAT", -1, entry(func(r []row) []row { r[2], r[3] = r[3], r[2]; return r })},
		{"store-head-differs", "the head is not the file checkpoint", "E-STORED-HEAD-DIFFERS", -1, func(d *database) { d.tables[headTable] = []row{{0, record(nil, kept[3])}} }},
		{"store-head-missing", "there is no head", "E-STORED-HEAD-DIFFERS", -1, func(d *database) { d.tables[headTable] = nil }},
		{"store-head-two", "the table head has a second row", "E-DATABASE-FORMAT", -1, func(d *database) { d.tables[headTable] = append(d.tables[headTable], row{1, record(nil, kept[3])}) }},
		{"store-kept-forged", "a kept checkpoint is signed by another key", "E-CHECKPOINT-SIGNATURE", 2, func(d *database) { d.tables[checkpointTable][0].record = record(nil, forged) }},
		{"store-kept-size", "a kept checkpoint stands under another size", "E-CHECKPOINT-ROOT", 1, func(d *database) { d.tables[checkpointTable][0].id = 2 }},
		{"store-kept-beyond", "a checkpoint is kept for more entries than there are", "E-LOG-CUT", -1, func(d *database) {
			d.tables[checkpointTable] = append(d.tables[checkpointTable], row{end + 9, record(nil, kept[end])})
		}},
	}
}

// storeSchemas are databases that hold more or other things than the three
// tables.
func storeSchemas() []storeCase {
	object := func(kind, name, of, sql string, page int) func(*database) {
		return func(d *database) {
			d.schema = append(d.schema, []any{kind, name, of, int64(page), sql})
			if page > 0 {
				d.tables[page], d.pages = nil, page
			}
		}
	}
	header := func(at int, n uint32) func(*database) {
		return func(d *database) { d.header = func(h []byte) { binary.BigEndian.PutUint32(h[at:], n) } }
	}
	return []storeCase{
		{name: "store-table", about: "a fourth table, empty", change: object("table", "note", "note", "CREATE TABLE note(text TEXT)", 5)},
		{name: "store-view", about: "a view", change: object("view", "log", "log", "CREATE VIEW log AS SELECT * FROM entry WHERE seq<>2", 0)},
		{name: "store-trigger", about: "a trigger", change: object("trigger", "hide", "entry", "CREATE TRIGGER hide BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END", 0)},
		{name: "store-schema", about: "the table entry was made by another statement", change: func(d *database) {
			d.schema[0][4] = "CREATE TABLE entry(seq INTEGER PRIMARY KEY, body BLOB) STRICT"
		}},
		{name: "store-schema-order", about: "two tables have changed places in the schema", change: func(d *database) {
			d.schema[1], d.schema[2] = d.schema[2], d.schema[1]
		}},
		{name: "store-application-id", about: "another application id", change: header(68, 0)},
		{name: "store-user-version", about: "another user_version", change: header(60, 2)},
		{name: "store-auto-vacuum", about: "the header says that the file vacuums itself", change: header(52, 4)},
		{name: "store-wal", about: "the database is in write-ahead mode", change: func(d *database) { d.header = func(h []byte) { h[18], h[19] = 2, 2 } }},
		{name: "store-free-page", about: "a page on the list of free pages, which still holds an entry", change: func(d *database) {
			d.pages, d.tables[5] = 5, d.tables[entryTable][2:3]
			d.page = func(n int, b []byte) {
				if n == 5 { // a trunk of the list: no next one, no leaves
					clear(b[:8])
				}
			}
			d.header = func(h []byte) {
				binary.BigEndian.PutUint32(h[32:], 5)
				binary.BigEndian.PutUint32(h[36:], 1)
			}
		}},
		{name: "store-orphan-page", about: "a page that belongs to nothing and holds an entry", change: func(d *database) {
			d.pages, d.tables[5] = 5, d.tables[entryTable][2:3]
		}},
		{name: "store-tail", about: "a page behind those that the header counts", change: func(d *database) {
			d.pages = 5
			d.header = func(h []byte) { binary.BigEndian.PutUint32(h[28:], 4) }
		}},
		{name: "store-shared-page", about: "two tables share a page", change: func(d *database) { d.schema[2][3] = int64(checkpointTable) }},
		{name: "store-record", about: "a record has bytes behind its last column", change: func(d *database) {
			r := &d.tables[headTable][0]
			r.record = append(r.record, "hidden"...)
		}},
		{name: "store-not-a-database", about: "the file does not begin as SQLite's do", change: func(d *database) { d.header = func(h []byte) { h[0] = 's' } }},
	}
}

// storePages are databases in which SQLite itself sees nothing wrong.
func storePages() []storeCase {
	return []storeCase{
		{name: "store-page-slack", about: "an old row stands in the space between the pointers and the rows of a page", change: func(d *database) {
			d.page = func(n int, b []byte) {
				if n == headTable {
					copy(b[1000:], d.tables[entryTable][2].record)
				}
			}
		}},
		{name: "store-page-varint", about: "a row's number is written longer than it need be", change: func(d *database) {
			d.cell = func(table int) cellFix {
				return func(r row) []byte {
					c := plainCell(r)
					if table != headTable {
						return c
					}
					size := varint(nil, uint64(len(r.record)))
					return append(append(size, 0x80, byte(r.id)), r.record...)
				}
			}
		}},
		{name: "store-page-column", about: "a record has a column more than its table", change: func(d *database) {
			d.tables[headTable] = []row{{0, record(nil, d.head, "hidden")}}
		}},
	}
}
