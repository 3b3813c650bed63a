package verify

import (
	"fmt"
	"runtime"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// A reader reads both stores and cuts what they hold into blocks. Without
// lines or without db there is only the other store.
type reader struct {
	lines    *lineReader
	db       *database
	together bool // both stores are there and have not differed yet
	quiet    bool // what is wrong with the files is known
	limit    int64
	n        int64 // number of the next entry
	now      *block
	spare    int         // blocks that can still be made
	free     chan *block // to be filled
	filled   chan *block // in their order
	work     chan *block // to be parsed
}

func newReader(lines *lineReader, db *database, limit int64, quiet bool) *reader {
	blocks := 2*runtime.GOMAXPROCS(0) + 4
	r := &reader{
		lines: lines, db: db, together: lines != nil && db != nil, limit: limit, quiet: quiet, spare: blocks,
		free: make(chan *block, blocks), filled: make(chan *block, blocks), work: make(chan *block, blocks),
	}
	if lines != nil {
		lines.find = r.find
	}
	if db != nil {
		db.find = r.find
	}
	return r
}

// start begins to read, and returns the blocks in their order: each is ready
// when its channel says so, and goes back to free.
func (r *reader) start() <-chan *block {
	go r.run()
	for range runtime.GOMAXPROCS(0) {
		go func() {
			p := audit.NewParser()
			for b := range r.work {
				b.lines.parse(p)
				b.rows.parse(p)
				close(b.ready)
			}
		}()
	}
	return r.filled
}

// run reads to the end of both stores.
func (r *reader) run() {
	defer close(r.filled)
	defer close(r.work)
	r.begin()
	var stop error
	if r.db != nil {
		stop = r.db.file.Entries(func(seq int64, body []byte) error {
			line, ok := r.lines.next()
			return r.take(line, ok, seq, body, true)
		})
	}
	for stop == nil {
		line, ok := r.lines.next()
		if !ok {
			break
		}
		stop = r.take(line, true, 0, nil, false)
	}
	end := new(ending)
	if r.db != nil {
		r.db.finish(r, end)
	}
	r.now.end = end
	r.send()
}

// send hands the block on and begins the next one.
func (r *reader) send() {
	last := r.now.end != nil
	r.filled <- r.now
	r.work <- r.now
	if !last {
		r.begin()
	}
}

// begin begins the next block: one that is free, or another while there may be
// more. A short log takes the first one, which is small.
func (r *reader) begin() {
	first := r.now == nil
	select {
	case r.now = <-r.free:
	default:
		if r.spare == 0 {
			r.now = <-r.free
			break
		}
		r.spare--
		r.now = newBlock(!first)
	}
	r.now.reset(r.n)
}

// find notes what is wrong with the files.
func (r *reader) find(f Finding) {
	if r.quiet {
		return
	}
	f.What, f.Expected, f.Found = shorten(f.What), shorten(f.Expected), shorten(f.Found)
	if r.now.findings = append(r.now.findings, f); len(r.now.findings) >= blockFindings {
		r.send()
	}
}

// take takes the next entry: the line if there is one (haveLine) and the row of
// the database if there is one (haveRow).
func (r *reader) take(line []byte, haveLine bool, seq int64, row []byte, haveRow bool) error {
	n := r.n
	if n == r.limit {
		r.find(entryFinding(TooMuch, r.file(), n, "more entries than any ceremony makes; what follows is not looked at", fmt.Sprint(r.limit), ""))
		return errStop
	}
	if haveRow && seq != n {
		r.find(entryFinding(DatabaseFormat, bundle.DatabaseFile, n, "table entry: row out of its place", fmt.Sprint(n), fmt.Sprint(seq)))
	}
	if r.together && !(haveLine && haveRow && string(line) == string(row)) {
		r.find(entryFinding(StoresDiffer, bundle.DatabaseFile, n, "the first entry in which log.jsonl and audit.db differ; log.jsonl is given as expected, audit.db as found", string(line), string(row)))
		r.together = false
		r.now.apart = n
		r.now.rows.from = n
	}
	if haveLine {
		r.now.lines.add(line)
	}
	if haveRow && !r.together {
		r.now.rows.add(row)
	}
	r.n++
	if haveRow {
		r.db.checkpoints(r, n)
	}
	if r.n%blockEntries == 0 || len(r.now.lines.bytes)+len(r.now.rows.bytes) >= blockBytes {
		r.send()
	}
	return nil
}

// file names the store that a finding about the entries' number belongs to.
func (r *reader) file() string {
	if r.lines == nil && r.db != nil {
		return bundle.DatabaseFile
	}
	return bundle.LogFile
}
