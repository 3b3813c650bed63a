package sqlitefile

import "fmt"

// A table of the log and the statement that makes it, byte for byte.
type table struct {
	name    string
	sql     string
	columns []column
}

// Schema is the whole of an audit.db's schema: the statements, in the order
// in which they were run, as sqlite_schema keeps them.
func Schema() []string {
	var out []string
	for _, t := range tables {
		out = append(out, t.sql)
	}
	return out
}

var tables = []table{
	{"entry", "CREATE TABLE entry(seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT", []column{rowidColumn, blobColumn}},
	{"checkpoint", "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT", []column{rowidColumn, blobColumn}},
	{"head", "CREATE TABLE head(id INTEGER PRIMARY KEY CHECK(id=0), note BLOB NOT NULL) STRICT", []column{rowidColumn, blobColumn}},
}

// schemaColumns are those of sqlite_schema: type, name, tbl_name, rootpage,
// sql (section 2.6).
var schemaColumns = []column{textColumn, textColumn, textColumn, intColumn, textColumn}

// readSchema walks sqlite_schema, whose root is page 1, and notes the root
// pages of the log's tables. Anything else there (index, view, trigger,
// another statement) is a problem.
func (f *File) readSchema() {
	row := 0
	_ = f.walk("sqlite_schema", 1, schemaColumns, func(rowid int64, v []value, at place) error {
		row++
		if rowid != int64(row) {
			f.problem(at.page, at.offset, "schema: number of the row", fmt.Sprint(row), fmt.Sprint(rowid))
		}
		f.schemaRow(row, v, at)
		return nil
	})
	for _, t := range tables {
		if f.roots[t.name] == 0 {
			f.problem(1, 0, "schema: no table "+t.name, t.sql, "")
		}
	}
}

func (f *File) schemaRow(row int, v []value, at place) {
	kind, name, of, root, sql := string(v[0].b), string(v[1].b), string(v[2].b), v[3].n, string(v[4].b)
	if row <= len(tables) {
		t := tables[row-1]
		if kind == "table" && name == t.name && of == t.name && sql == t.sql && root > 0 && root < maxPages {
			f.roots[name] = uint32(root)
			return
		}
	}
	expected := "nothing more"
	if row <= len(tables) {
		expected = tables[row-1].sql
	}
	f.problem(at.page, at.offset, "schema: not an object of a log", expected, fmt.Sprintf("%.20s %.40s on %.40s: %.200s", kind, name, of, sql))
}

// Entries calls fn for every row of the table entry, in order. body is only
// valid during the call. An error of fn ends the walk and is returned; what is
// wrong in the file is reported and the walk goes on behind it.
func (f *File) Entries(fn func(seq int64, body []byte) error) error {
	return f.blobs(0, fn)
}

// Checkpoints is like Entries for the table checkpoint.
func (f *File) Checkpoints(fn func(size int64, note []byte) error) error {
	return f.blobs(1, fn)
}

// Head returns the note in the table head, nil if there is none. More than
// one row, or one with an id other than 0, is a problem.
func (f *File) Head() []byte {
	var note []byte
	rows := 0
	_ = f.blobs(2, func(id int64, b []byte) error {
		if rows++; id == 0 && rows == 1 {
			note = append([]byte{}, b...)
		} else {
			f.problem(f.roots["head"], f.offset(f.roots["head"]), "table head: more than its one row", "id 0", fmt.Sprintf("id %d", id))
		}
		return nil
	})
	return note
}

func (f *File) blobs(i int, fn func(int64, []byte) error) error {
	t := tables[i]
	root := f.roots[t.name]
	if root == 0 {
		return nil
	}
	return f.walk(t.name, root, t.columns, func(rowid int64, v []value, _ place) error {
		return fn(rowid, v[1].b)
	})
}
