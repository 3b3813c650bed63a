package verify

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/sqlitefile"
)

// A database reads audit.db: the entries one by one, with the checkpoints that
// fit them.
type database struct {
	file    *sqlitefile.File
	find    func(Finding) // takes what is wrong with the file
	pull    func() (int64, []byte, bool)
	size    int64 // of the checkpoint waiting
	note    []byte
	waiting bool
}

func (v *verifier) openDatabase() (*database, func()) {
	return v.openDatabaseWith(v.report.add)
}

// openDatabaseWith opens audit.db and gives find what is wrong with it.
func (v *verifier) openDatabaseWith(find func(Finding)) (*database, func()) {
	f := v.open(bundle.DatabaseFile)
	if f == nil {
		return nil, func() {}
	}
	done := func() { _ = f.Close() }
	d := &database{find: find}
	file, err := sqlitefile.Open(f, v.files[bundle.DatabaseFile].Size, d.report)
	if errors.Is(err, sqlitefile.ErrNotClosed) {
		v.wal = true
		return nil, done
	}
	if err != nil {
		d.report(sqlitefile.Problem{What: "not a database of a log: " + err.Error()})
		return nil, done
	}
	d.file = file
	if v.kept == nil {
		v.kept = map[int64]bool{}
	}
	pull, stop := iter.Pull2(rows(file.Checkpoints))
	d.pull = pull
	return d, func() { stop(); done() }
}

func (d *database) report(p sqlitefile.Problem) {
	d.find(Finding{Code: DatabaseFormat, Weight: Failure, File: bundle.DatabaseFile, Entry: -1, Offset: p.Offset, What: p.What, Expected: p.Expected, Found: p.Found})
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

// wait makes the next checkpoint the one waiting, if there is one.
func (d *database) wait() bool {
	if !d.waiting {
		d.size, d.note, d.waiting = d.pull()
	}
	return d.waiting
}

// checkpoints puts the kept checkpoints whose size is that of the log up to
// entry n, or smaller, into the block. A size at which no entry ends is
// reported by finish.
func (d *database) checkpoints(r *reader, n int64) {
	for d.wait() && d.size <= n+1 {
		d.waiting = false
		r.now.notes = append(r.now.notes, keptNote{n, d.size, bytes.Clone(d.note)})
		if r.now.noteSize += len(d.note); r.now.noteSize >= blockBytes {
			r.send()
		}
	}
}

// finish reads what is left of the database and reports pages that belong to
// nothing.
func (d *database) finish(r *reader, end *ending) {
	for d.wait() {
		d.waiting = false
		r.find(entryFinding(LogCut, bundle.DatabaseFile, -1, "a checkpoint is kept for more entries than there are", "", fmt.Sprint(d.size)))
	}
	end.head = d.file.Head()
	d.file.Finish()
}
