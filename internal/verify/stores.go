package verify

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/canonjson"
	"github.com/keyrite/keyrite/internal/verify/sqlitefile"
)

// A chain follows the entries of one store.
type chain struct {
	v     *verifier
	file  string
	tree  audit.Frontier
	prev  audit.Hash
	next  int64 // seq that the next entry should have
	key   string
	at    audit.Hash // root at the size of the final checkpoint
	quiet bool       // findings were reported in another pass
	facts *facts     // nil: this store's meaning is not looked at
}

// take checks the entry at position n (from 0): its form, its number, the
// link to the entry before. It goes on behind an entry that is wrong, so that
// one fault gives one finding.
func (c *chain) take(n int64, b []byte) {
	leaf := audit.LeafHash(b)
	e, err := audit.Parse(b)
	switch {
	case err != nil:
		c.formatFinding(n, err)
		c.next++
	case e.Seq != c.next:
		c.finding(ChainBroken, n, "the entry has another number than its place", fmt.Sprint(c.next), fmt.Sprint(e.Seq))
		c.next = e.Seq + 1
	case e.Prev != c.prev:
		c.finding(ChainBroken, n, "the entry does not follow the one before it: prev is not that one's hash", c.prev.String(), e.Prev.String())
		c.next++
	default:
		c.next++
	}
	if err == nil && c.facts != nil {
		c.facts.take(e, len(b), &c.tree)
	}
	if err == nil {
		c.keyOf(e)
	}
	c.prev = leaf
	c.tree.Append(leaf)
	if c.v.finalReads && c.tree.Size() == c.v.final.Size {
		c.at = c.tree.Root()
	}
}

// keyOf notes the log key that the segment of e names.
func (c *chain) keyOf(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.LogOpen:
		if c.key == "" {
			c.key = d.LogKey
		}
	case *audit.SegmentOpen:
		c.key = d.LogKey
	}
}

func (c *chain) finding(code Code, n int64, what, expected, found string) {
	if !c.quiet {
		c.v.findEntry(code, c.file, n, what, expected, found)
	}
}

func (c *chain) formatFinding(n int64, err error) {
	f := Finding{Code: EntryFormat, Weight: Failure, File: c.file, Entry: n, Offset: -1, What: "the entry is not in its one form (the byte is counted from the entry's beginning)", Found: err.Error()}
	var syntax *canonjson.SyntaxError
	if errors.As(err, &syntax) {
		f.Offset, f.Expected = syntax.Offset, syntax.Want
	}
	if !c.quiet {
		c.v.report.add(f)
	}
}

// readLog reads both stores side by side and what they say. The meaning is
// taken from log.jsonl if that is the log that was signed, else from audit.db.
func (v *verifier) readLog() {
	db, closeDB := v.openDatabase()
	defer closeDB()
	lines, closeLines := v.openLines()
	defer closeLines()

	v.log = newFacts(v, bundle.LogFile)
	a := &chain{v: v, file: bundle.LogFile, facts: v.log}
	b := &chain{v: v, file: bundle.DatabaseFile}
	if lines == nil {
		v.log = newFacts(v, bundle.DatabaseFile)
		b.facts = v.log
	}
	v.check("log.jsonl and audit.db", "entries", func(c *Check) {
		v.walk(c, a, b, lines, db)
		if db != nil {
			db.finish()
		}
	})
	last := v.report.Checks[len(v.report.Checks)-1]
	v.report.Checks = nil
	v.choose(a, b, lines != nil, db != nil)
	v.log.finish()
	v.log.checks = append([]Check{last}, v.log.checks...)
}

// choose decides which store's entries are the log. Signed beats unsigned.
func (v *verifier) choose(a, b *chain, haveLines, haveDB bool) {
	signed := func(c *chain) bool { return v.finalReads && c.at == v.final.Root && c.tree.Size() == v.final.Size }
	if haveDB && haveLines && signed(a) != signed(b) {
		v.blame(signed(a))
	}
	if haveLines && (!haveDB || signed(a) || !signed(b)) {
		v.log.root, v.log.size, v.log.at = a.tree.Root(), a.tree.Size(), a.at
		return
	}
	if haveLines {
		v.log = newFacts(v, bundle.DatabaseFile)
		again := &chain{v: v, file: bundle.DatabaseFile, facts: v.log, quiet: true}
		v.each(bundle.DatabaseFile, func(n int64, e []byte) { again.take(n, e) })
	}
	v.log.root, v.log.size, v.log.at = b.tree.Root(), b.tree.Size(), b.at
}

// blame names, where the stores differ, the one that is not the signed log.
func (v *verifier) blame(database bool) {
	for i := range v.report.Findings {
		if f := &v.report.Findings[i]; f.Code == StoresDiffer {
			if f.File = bundle.LogFile; database {
				f.File = bundle.DatabaseFile
			}
		}
	}
}

// maxEntries is the most entries that are read.
const maxEntries = 1 << 21

// walk goes through both stores at once. While they agree, an entry is
// checked once for both.
func (v *verifier) walk(c *Check, a, b *chain, lines *lineReader, db *database) {
	together := lines != nil && db != nil
	for n := int64(0); ; n++ {
		line, okA := lines.next()
		seq, body, okB := db.next()
		if !okA && !okB {
			return
		}
		if n == maxEntries {
			v.findEntry(TooMuch, a.file, n, "more entries than any ceremony makes; what follows is not looked at", fmt.Sprint(maxEntries), "")
			return
		}
		c.Count = n + 1
		if okB && seq != n {
			v.findEntry(DatabaseFormat, bundle.DatabaseFile, n, "table entry: row out of its place", fmt.Sprint(n), fmt.Sprint(seq))
		}
		if together && !(okA && okB && bytes.Equal(line, body)) {
			v.findEntry(StoresDiffer, bundle.DatabaseFile, n, "the first entry in which log.jsonl and audit.db differ; log.jsonl is given as expected, audit.db as found", string(line), string(body))
			together = false
			facts := b.facts
			*b = *a
			b.file, b.facts = bundle.DatabaseFile, facts
		}
		if okA {
			a.take(n, line)
		}
		if okB && !together {
			b.take(n, body)
		}
		if okB {
			current := b
			if together {
				current = a
			}
			db.checkpoints(current)
		}
		if v.Progress != nil && n%4096 == 0 {
			v.Progress(n)
		}
	}
}

// each calls f for the entries of one store, without findings about its form.
func (v *verifier) each(file string, f func(n int64, b []byte)) {
	if file == bundle.LogFile {
		lines, done := v.openLinesQuietly()
		defer done()
		for n := int64(0); lines != nil && n < maxEntries; n++ {
			b, ok := lines.next()
			if !ok {
				return
			}
			f(n, b)
		}
		return
	}
	db, done := v.openDatabaseWith(func(sqlitefile.Problem) {})
	defer done()
	for n := int64(0); db != nil && n < maxEntries; n++ {
		_, b, ok := db.next()
		if !ok {
			return
		}
		f(n, b)
	}
}

// A lineReader reads log.jsonl line by line.
type lineReader struct {
	r      *bufio.Reader
	offset int64
	report func(offset int64, what string)
}

func (v *verifier) openLines() (*lineReader, func()) {
	l, done := v.openLinesQuietly()
	if l != nil {
		l.report = func(offset int64, what string) {
			v.report.add(Finding{Code: LinesFormat, Weight: Failure, File: bundle.LogFile, Entry: -1, Offset: offset, What: what})
		}
	}
	return l, done
}

func (v *verifier) openLinesQuietly() (*lineReader, func()) {
	f := v.open(bundle.LogFile)
	if f == nil {
		return nil, func() {}
	}
	return &lineReader{r: bufio.NewReaderSize(f, 2*audit.MaxEntry), report: func(int64, string) {}}, func() { _ = f.Close() }
}

// open opens a store for reading; a store that is there but cannot be opened
// is reported.
func (v *verifier) open(name string) *os.File {
	if !v.has(name) {
		return nil
	}
	f, err := bundle.Open(v.root, name)
	if err != nil {
		v.find(FileUnreadable, name, "the file cannot be read", "", err.Error())
		return nil
	}
	return f
}

// next returns the next line without its end. A line that is longer than any
// entry is cut off, an empty rest is none.
func (l *lineReader) next() ([]byte, bool) {
	if l == nil {
		return nil, false
	}
	b, err := l.r.ReadSlice('\n')
	start := l.offset
	l.offset += int64(len(b))
	switch {
	case err == nil:
		return b[:len(b)-1], true
	case errors.Is(err, bufio.ErrBufferFull):
		l.report(start, "a line longer than any entry")
		line := bytes.Clone(b[:audit.MaxEntry+1])
		l.skip()
		return line, true
	case len(b) == 0 && errors.Is(err, io.EOF):
		return nil, false
	case errors.Is(err, io.EOF):
		l.report(start, "the last line does not end")
		return b, true
	}
	l.report(start, "reading the file: "+err.Error())
	return nil, false
}

func (l *lineReader) skip() {
	for {
		b, err := l.r.ReadSlice('\n')
		l.offset += int64(len(b))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// A database reads audit.db: the entries one by one, with the checkpoints that
// fit them.
type database struct {
	v       *verifier
	file    *sqlitefile.File
	pull    func() (int64, []byte, bool)
	pullCP  func() (int64, []byte, bool)
	size    int64 // of the checkpoint waiting
	note    []byte
	waiting bool
}

// maxKept is the most sizes of kept checkpoints that are noted.
const maxKept = 1 << 20

// keep notes that a checkpoint is kept for a size.
func (d *database) keep() {
	if len(d.v.kept) < maxKept {
		d.v.kept[d.size] = true
	}
}

func (v *verifier) openDatabase() (*database, func()) {
	return v.openDatabaseWith(func(p sqlitefile.Problem) {
		v.report.add(Finding{Code: DatabaseFormat, Weight: Failure, File: bundle.DatabaseFile, Entry: -1, Offset: p.Offset, What: p.What, Expected: p.Expected, Found: p.Found})
	})
}

func (v *verifier) openDatabaseWith(report func(sqlitefile.Problem)) (*database, func()) {
	f := v.open(bundle.DatabaseFile)
	if f == nil {
		return nil, func() {}
	}
	done := func() { _ = f.Close() }
	file, err := sqlitefile.Open(f, v.files[bundle.DatabaseFile].Size, report)
	if errors.Is(err, sqlitefile.ErrNotClosed) {
		v.wal = true
		return nil, done
	}
	if err != nil {
		report(sqlitefile.Problem{What: "not a database of a log: " + err.Error()})
		return nil, done
	}
	d := &database{v: v, file: file}
	if v.kept == nil {
		v.kept = map[int64]bool{}
	}
	var stop, stopCP func()
	d.pull, stop = iter.Pull2(rows(file.Entries))
	d.pullCP, stopCP = iter.Pull2(rows(file.Checkpoints))
	return d, func() { stop(); stopCP(); done() }
}

var errStop = errors.New("stop")

// rows makes a sequence of a table's walk.
func rows(walk func(func(int64, []byte) error) error) iter.Seq2[int64, []byte] {
	return func(yield func(int64, []byte) bool) {
		_ = walk(func(id int64, b []byte) error {
			if !yield(id, b) {
				return errStop
			}
			return nil
		})
	}
}

func (d *database) next() (seq int64, body []byte, ok bool) {
	if d == nil {
		return 0, nil, false
	}
	return d.pull()
}

// checkpoints compares the kept checkpoints with the tree at their size. A
// size at which no entry ends is reported by finish.
func (d *database) checkpoints(c *chain) {
	for {
		if !d.waiting {
			if d.size, d.note, d.waiting = d.pullCP(); !d.waiting {
				return
			}
		}
		if d.size > c.tree.Size() {
			return
		}
		d.waiting = false
		d.keep()
		d.v.checkNote(fmt.Sprintf("checkpoint kept for %d entries", d.size), bundle.DatabaseFile, d.note, c.key, d.size, c.tree.Root())
	}
}

// finish reads what is left of the database and reports pages that belong to
// nothing.
func (d *database) finish() {
	for {
		if !d.waiting {
			if d.size, d.note, d.waiting = d.pullCP(); !d.waiting {
				break
			}
		}
		d.waiting = false
		d.v.find(LogCut, bundle.DatabaseFile, "a checkpoint is kept for more entries than there are", "", fmt.Sprint(d.size))
	}
	d.v.stored = d.file.Head()
	d.file.Finish()
	if n := d.file.Leftover(); n > 0 {
		d.v.find(DatabaseLeftover, bundle.DatabaseFile, "bytes that SQLite left on interior pages", "", fmt.Sprint(n))
	}
}
