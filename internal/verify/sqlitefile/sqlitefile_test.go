package sqlitefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit/sqlite"
)

// made returns a closed database as the store writes it: rows appended in
// WAL mode, then VACUUM INTO a new file. more are statements run before the
// closing, after the schema.
func made(t testing.TB, rows int, bodySize func(i int) int, more ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	var q strings.Builder
	fmt.Fprintf(&q, "PRAGMA secure_delete=ON; PRAGMA journal_mode=WAL; PRAGMA application_id=%d; PRAGMA user_version=%d;\n", ApplicationID, UserVersion)
	fmt.Fprintf(&q, "%s;\nBEGIN;\n", strings.Join(Schema(), ";\n"))
	for i := range rows {
		fmt.Fprintf(&q, "INSERT INTO entry VALUES(%d,x'%x');\n", i, body(i, bodySize(i)))
		if i%10 == 9 {
			fmt.Fprintf(&q, "INSERT INTO checkpoint VALUES(%d,x'%x');\n", i+1, fmt.Sprintf("checkpoint %d", i+1))
		}
	}
	if rows > 0 {
		fmt.Fprintf(&q, "INSERT INTO head VALUES(0,x'%x');\n", fmt.Sprintf("head %d", rows))
	}
	closed := filepath.Join(dir, "closed.db")
	fmt.Fprintf(&q, "COMMIT;\n%s;\nVACUUM INTO '%s';\n", strings.Join(more, ";\n"), closed)
	sqlite3(t, filepath.Join(dir, "open.db"), q.String())
	b, err := os.ReadFile(closed)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sealed has the log's store clean a file up: VACUUM INTO alone leaves old page
// pointers on the upper pages of a large one.
func sealed(t testing.TB, b []byte) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "audit.db")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Finalize(name); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sqlite3 runs statements with the command-line program of SQLite.
func sqlite3(t testing.TB, name, statements string) {
	t.Helper()
	cmd := exec.Command("sqlite3", "-bail", name)
	cmd.Stdin = strings.NewReader(statements)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sqlite3: %v\n%s", err, out)
	}
}

// body returns n bytes without a zero that depend on i.
func body(i, n int) []byte {
	b := []byte(fmt.Sprintf("entry %d ", i))
	for len(b) < n {
		b = append(b, byte('a'+len(b)%26))
	}
	return b
}

func short(int) int { return 300 }

// A dump is everything that the reader gives.
type dump struct {
	entries, checkpoints int
	head                 string
	problems             []string
	err                  error
}

func read(b []byte, check func(seq int64, body []byte)) (d dump) {
	f, err := Open(bytes.NewReader(b), int64(len(b)), func(p Problem) {
		d.problems = append(d.problems, fmt.Sprintf("%d@%d %s (%s/%s)", p.Page, p.Offset, p.What, p.Expected, p.Found))
	})
	if err != nil {
		d.err = err
		return d
	}
	d.err = f.Entries(func(seq int64, body []byte) error {
		d.entries++
		if check != nil {
			check(seq, body)
		}
		return nil
	})
	_ = f.Checkpoints(func(size int64, note []byte) error {
		d.checkpoints++
		return nil
	})
	d.head = string(f.Head())
	f.Finish()
	return d
}

func TestRead(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, test := range map[string]struct {
		rows int
		size func(int) int
	}{
		"empty":     {0, short},
		"one":       {1, short},
		"few":       {20, short},
		"many":      {30000, short},
		"long":      {40, func(int) int { return 64 << 10 }},
		"mixed":     {3000, func(int) int { return random.IntN(9000) }},
		"growing":   {1200, func(i int) int { return 3800 + i }},
		"shrinking": {1200, func(i int) int { return 5200 - i }},
	} {
		t.Run(name, func(t *testing.T) {
			sizes := map[int]int{}
			b := sealed(t, made(t, test.rows, func(i int) int { sizes[i] = test.size(i); return sizes[i] }))
			next := int64(0)
			d := read(b, func(seq int64, got []byte) {
				if seq != next || !bytes.Equal(got, body(int(seq), sizes[int(seq)])) {
					t.Fatalf("row %d (want %d): %.20q, %d bytes", seq, next, got, len(got))
				}
				next++
			})
			if d.err != nil || len(d.problems) > 0 {
				t.Errorf("error %v, problems %q", d.err, d.problems[:min(5, len(d.problems))])
			}
			if d.entries != test.rows || d.checkpoints != test.rows/10 {
				t.Errorf("%d entries, %d checkpoints", d.entries, d.checkpoints)
			}
			if want := fmt.Sprintf("head %d", test.rows); test.rows > 0 && d.head != want {
				t.Errorf("head %q", d.head)
			}
		})
	}
}

func TestReadStopsOnError(t *testing.T) {
	b := made(t, 20, short)
	f, err := Open(bytes.NewReader(b), int64(len(b)), func(Problem) {})
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	calls := 0
	if err := f.Entries(func(int64, []byte) error { calls++; return stop }); err != stop || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

// TestForeign opens what is no closed log.
func TestForeign(t *testing.T) {
	for name, test := range map[string]struct {
		more []string
		want string
	}{
		"index":          {[]string{"CREATE INDEX i ON entry(body)"}, "not an object of a log"},
		"view":           {[]string{"CREATE VIEW v AS SELECT 1"}, "not an object of a log"},
		"trigger":        {[]string{"CREATE TRIGGER t AFTER INSERT ON entry BEGIN SELECT 1; END"}, "not an object of a log"},
		"table":          {[]string{"CREATE TABLE x(y)", "INSERT INTO x VALUES(1)"}, "not an object of a log"},
		"other table":    {[]string{"DROP TABLE head", "CREATE TABLE head(id INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT"}, "not an object of a log"},
		"no table":       {[]string{"DROP TABLE head"}, "no table head"},
		"analysed":       {[]string{"ANALYZE"}, "not an object of a log"},
		"application id": {[]string{"PRAGMA application_id=1"}, "application_id"},
		"user version":   {[]string{"PRAGMA user_version=2"}, "user_version"},
		"auto vacuum":    {[]string{"PRAGMA auto_vacuum=1"}, "auto-vacuum"},
		"two heads":      {[]string{"PRAGMA ignore_check_constraints=1", "INSERT INTO head VALUES(1,x'00')"}, "more than its one row"},
		"negative seq":   {[]string{"INSERT INTO entry VALUES(-1,x'00')"}, "row number out of order"},
		"huge row":       {[]string{"INSERT INTO entry VALUES(100,zeroblob(2000000))"}, "size of the row"},
	} {
		d := read(made(t, 12, short, test.more...), nil)
		if !strings.Contains(strings.Join(d.problems, "\n"), test.want) {
			t.Errorf("%s: problems %q, want %q", name, d.problems, test.want)
		}
	}
}

// TestOpenFile reads databases that SQLite itself left in another state.
func TestOpenFile(t *testing.T) {
	good := made(t, 12, short)
	for name, test := range map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		"empty":       {func(b []byte) []byte { return nil }, "header"},
		"cut header":  {func(b []byte) []byte { return b[:99] }, "header"},
		"magic":       {func(b []byte) []byte { b[3]++; return b }, "no SQLite database"},
		"page size":   {func(b []byte) []byte { b[17] = 3; return b }, "page size"},
		"page size 0": {func(b []byte) []byte { b[16], b[17] = 0, 0; return b }, "page size"},
		"wal":         {func(b []byte) []byte { b[18], b[19] = 2, 2; return b }, "write-ahead"},
		"half a page": {func(b []byte) []byte { return b[:600] }, "pages"},
	} {
		d := read(test.change(bytes.Clone(good)), nil)
		if d.err == nil || !strings.Contains(d.err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, d.err, test.want)
		}
	}
	wal := bytes.Clone(good)
	wal[18] = 2
	if d := read(wal, nil); !errors.Is(d.err, ErrNotClosed) {
		t.Errorf("WAL mode: %v", d.err)
	}
}

// TestEveryBit flips each bit of a small log: either the reader reports it,
// or what it gives differs, or the bit is one of the header's free fields.
func TestEveryBit(t *testing.T) {
	good := made(t, 12, func(i int) int { return 20 + 90*i }, "PRAGMA page_size=512")
	rows := func(b []byte) string {
		var out strings.Builder
		d := read(b, func(seq int64, body []byte) { fmt.Fprintf(&out, "%d %s\n", seq, body) })
		f, err := Open(bytes.NewReader(b), int64(len(b)), func(Problem) {})
		if err == nil {
			_ = f.Checkpoints(func(size int64, note []byte) error {
				fmt.Fprintf(&out, "%d %s\n", size, note)
				return nil
			})
		}
		return fmt.Sprint(out.String(), d.head, d.problems, d.err)
	}
	want := rows(good)
	for i := range good {
		if i >= 40 && i < 44 || i >= 96 && i < 100 {
			continue // schema cookie, SQLite version
		}
		for b := byte(1); b != 0; b <<= 1 {
			good[i] ^= b
			if rows(good) == want {
				t.Errorf("byte %d (page %d + %d), bit %#x: not noticed", i, i/512+1, i%512, b)
			}
			good[i] ^= b
		}
	}
}

// TestHidden puts bytes where SQLite does not look.
func TestHidden(t *testing.T) {
	good := made(t, 12, func(i int) int { return 100 + 900*i })
	if d := read(append(bytes.Clone(good), make([]byte, 4096)...), nil); !strings.Contains(fmt.Sprint(d.problems), "belong to no table") {
		t.Errorf("page appended: %q", d.problems)
	}
	if d := read(append(bytes.Clone(good), 0), nil); !strings.Contains(fmt.Sprint(d.problems), "does not end with a page") {
		t.Errorf("byte appended: %q", d.problems)
	}
	if d := read(made(t, 9000, short), nil); !strings.Contains(fmt.Sprint(d.problems), "is not empty") {
		t.Errorf("what SQLite leaves on upper pages: %q", d.problems)
	}
	gap := bytes.Clone(good)
	gap[1000] = 'x' // between the schema's cell pointers and its cells
	if d := read(gap, nil); !strings.Contains(fmt.Sprint(d.problems), "is not empty") {
		t.Errorf("byte in a gap: %q", d.problems)
	}
}

// TestDeleted reads a file from which a row was deleted with SQL: the free
// block is a problem when it still holds the row, and the page is not what a
// closed log has either way.
func TestDeleted(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x.db")
	if err := os.WriteFile(name, made(t, 12, short), 0o600); err != nil {
		t.Fatal(err)
	}
	sqlite3(t, name, "PRAGMA secure_delete=OFF; DELETE FROM entry WHERE seq=5;")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := read(b, nil); d.entries != 11 || !strings.Contains(fmt.Sprint(d.problems), "free block is not empty") {
		t.Errorf("%d entries, problems %q", d.entries, d.problems)
	}
}

// TestCircles makes b-trees and overflow chains that point back.
func TestCircles(t *testing.T) {
	tree := made(t, 500, short)
	entryRoot := 4096 * int(rootOf(t, tree, "entry")-1)
	if tree[entryRoot] != interiorPage {
		t.Fatal("the entries fit on one page")
	}
	first := int(binary.BigEndian.Uint16(tree[entryRoot+12:]))
	binary.BigEndian.PutUint32(tree[entryRoot+first:], uint32(entryRoot/4096+1))
	if d := read(tree, nil); !strings.Contains(fmt.Sprint(d.problems), "belongs to two structures") {
		t.Errorf("tree: %q", d.problems)
	}
	long := made(t, 1, func(int) int { return 60000 })
	for p := 4096; p < len(long); p += 4096 {
		if next := binary.BigEndian.Uint32(long[p:]); long[p] != leafPage && next != 0 {
			binary.BigEndian.PutUint32(long[p:], uint32(p/4096+1))
			break
		}
	}
	if d := read(long, nil); !strings.Contains(fmt.Sprint(d.problems), "belongs to two structures") {
		t.Errorf("overflow: %q", d.problems)
	}
}

func rootOf(t *testing.T, b []byte, name string) uint32 {
	f, err := Open(bytes.NewReader(b), int64(len(b)), func(Problem) {})
	if err != nil {
		t.Fatal(err)
	}
	return f.roots[name]
}

// A sparse file is zero but for its first page.
type sparse struct {
	first []byte
	size  int64
}

func (s sparse) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	if off < int64(len(s.first)) {
		copy(p, s.first[off:])
	}
	return len(p), nil
}

// TestSparse claims a file of 100 GiB.
func TestSparse(t *testing.T) {
	var problems []Problem
	s := sparse{made(t, 1, short)[:4096], 100 << 30}
	binary.BigEndian.PutUint32(s.first[28:], uint32(s.size/4096))
	f, err := Open(s, s.size, func(p Problem) { problems = append(problems, p) })
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Entries(func(int64, []byte) error { return nil }); err != nil {
		t.Error(err)
	}
	f.Finish()
	if len(problems) < 2 || len(problems) > 10 {
		t.Errorf("%d problems: %v", len(problems), problems)
	}
	if _, err := Open(s, 1<<50, func(Problem) {}); err == nil {
		t.Error("a file of 2^50 bytes was opened")
	}
}

func FuzzRead(f *testing.F) {
	small := made(f, 3, func(i int) int { return 100 })
	f.Add(small)
	f.Add(made(f, 3, func(i int) int { return 9000 }))
	f.Fuzz(func(t *testing.T, b []byte) {
		read(b, nil)
	})
}

// FuzzPatch changes a few bytes of a database that has every structure.
func FuzzPatch(f *testing.F) {
	good := made(f, 60, func(i int) int { return 100 + 150*i })
	f.Add(uint32(4096), uint32(0), uint32(100), uint32(5))
	f.Fuzz(func(t *testing.T, at1, v1, at2, v2 uint32) {
		b := bytes.Clone(good)
		for _, p := range [][2]uint32{{at1, v1}, {at2, v2}} {
			at := int(p[0]) % (len(b) - 4)
			binary.BigEndian.PutUint32(b[at:], p[1])
		}
		d := read(b, nil)
		if d.entries > 1000 {
			t.Errorf("%d entries", d.entries)
		}
	})
}
