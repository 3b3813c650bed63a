package verify

import (
	"errors"
	"fmt"
	"os"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/canonjson"
)

// A chain follows the entries of one store.
type chain struct {
	v     *verifier
	file  string
	tree  audit.Frontier // over some of the entries taken, see Root
	size  int64          // entries taken
	now   *stretch       // the entries that are read
	prev  audit.Hash
	next  int64 // seq that the next entry should have
	key   string
	at    audit.Hash // root at the size of the final checkpoint
	quiet bool       // findings were reported in another pass
	facts *facts     // nil: this store's meaning is not looked at
}

// take checks the entry at position n (from 0) of the stretch that is read: its
// form, its number, the link to the entry before. It goes on behind an entry
// that is wrong, so that one fault gives one finding.
func (c *chain) take(n int64, r *entryRead) {
	e := r.entry
	switch {
	case r.hidden != nil:
		c.takeHidden(n, r)
	case r.err != nil:
		c.formatFinding(n, r.err)
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
	if e != nil && c.facts != nil {
		c.facts.take(e, r.size, c)
	}
	if e != nil {
		c.keyOf(e)
	}
	c.prev = r.leaf
	c.size++
	if c.v.finalReads && c.size == c.v.final.Size {
		c.at = c.Root()
	}
}

// Size returns the number of entries taken.
func (c *chain) Size() int64 { return c.size }

// Root returns the root over the entries taken. It hashes only what is new since
// it was called last.
func (c *chain) Root() audit.Hash {
	c.now.grow(&c.tree, c.size)
	return c.tree.Root()
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
	v.check("log.jsonl and audit.db", "entries", func(c *Check) { v.walk(c, a, b, lines, db) })
	last := v.report.Checks[len(v.report.Checks)-1]
	v.report.Checks = nil
	v.choose(a, b, lines != nil, db != nil)
	v.log.finish()
	v.log.checks = append([]Check{last}, v.log.checks...)
}

// choose decides which store's entries are the log. Signed beats unsigned.
func (v *verifier) choose(a, b *chain, haveLines, haveDB bool) {
	signed := func(c *chain) bool { return v.finalReads && c.at == v.final.Root && c.Size() == v.final.Size }
	if haveDB && haveLines && signed(a) != signed(b) {
		v.blame(signed(a))
	}
	if haveLines && (!haveDB || signed(a) || !signed(b)) {
		v.log.root, v.log.size, v.log.at = a.Root(), a.Size(), a.at
		return
	}
	if haveLines {
		v.log = newFacts(v, bundle.DatabaseFile)
		again := &chain{v: v, file: bundle.DatabaseFile, facts: v.log, quiet: true}
		db, done := v.openDatabaseWith(func(Finding) {})
		v.walk(new(Check), &chain{v: v, quiet: true}, again, nil, db)
		done()
	}
	v.log.root, v.log.size, v.log.at = b.Root(), b.Size(), b.at
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
const maxEntries = 1 << 23

// maxKept is the most sizes of kept checkpoints that are noted.
const maxKept = 1 << 20

// walk goes through both stores at once: a follows the lines, b the rows of the
// database. While they agree, an entry is read once for both.
func (v *verifier) walk(c *Check, a, b *chain, lines *lineReader, db *database) {
	r := newReader(lines, db, v.entryLimit(), b.quiet)
	w := &walk{v: v, a: a, b: b, together: r.together}
	for now := range r.start() {
		<-now.ready
		w.take(now)
		if c.Count = now.to(); v.Progress != nil {
			v.Progress(c.Count)
		}
		if now.end != nil && db != nil {
			w.finish(now.end)
		}
		r.free <- now
	}
}

// A walk draws conclusions from the blocks of a log in their order.
type walk struct {
	v        *verifier
	a, b     *chain
	together bool // b's entries are those of a
}

// take goes through one block.
func (w *walk) take(now *block) {
	for _, f := range now.findings {
		w.v.report.add(f)
	}
	w.a.now, w.b.now = &now.lines, &now.rows
	notes := now.notes
	for n := now.from; n < now.to(); n++ {
		for len(notes) > 0 && notes[0].after < n {
			w.note(notes[0])
			notes = notes[1:]
		}
		if n == now.apart {
			w.part()
		}
		if r := now.lines.at(n); r != nil {
			w.a.take(n, r)
		}
		if r := now.rows.at(n); r != nil {
			w.b.take(n, r)
		}
	}
	for _, note := range notes {
		w.note(note)
	}
	w.a.Root()
	w.b.Root()
}

// part makes b go on from where a is, on its own.
func (w *walk) part() {
	w.a.Root()
	file, facts, now := w.b.file, w.b.facts, w.b.now
	*w.b = *w.a
	w.b.file, w.b.facts, w.b.now = file, facts, now
	w.together = false
}

// note compares a kept checkpoint with the log up to where it was met.
func (w *walk) note(k keptNote) {
	c := w.b
	if w.together {
		c = w.a
	}
	if c.quiet {
		return
	}
	if len(w.v.kept) < maxKept {
		w.v.kept[k.size] = true
	}
	w.v.checkNote(fmt.Sprintf("checkpoint kept for %d entries", k.size), bundle.DatabaseFile, k.note, c.key, k.size, c.Root())
}

// finish takes what is known at the end of the database.
func (w *walk) finish(end *ending) {
	if w.b.quiet {
		return
	}
	w.v.stored = end.head
}

// each calls f for the entries of one store, without findings about its form.
func (v *verifier) each(file string, f func(n int64, b []byte)) {
	n := int64(0)
	take := func(b []byte) error {
		if n == v.entryLimit() {
			return errStop
		}
		f(n, b)
		n++
		return nil
	}
	if file == bundle.LogFile {
		lines, done := v.openLinesQuietly()
		defer done()
		for {
			b, ok := lines.next()
			if !ok || take(b) != nil {
				return
			}
		}
	}
	db, done := v.openDatabaseWith(func(Finding) {})
	defer done()
	if db != nil {
		_ = db.file.Entries(func(_ int64, b []byte) error { return take(b) })
	}
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
