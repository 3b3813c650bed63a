package verify

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// readCheckpointFile reads the final checkpoint before the log, so that the
// root at its size can be noted on the way.
func (v *verifier) readCheckpointFile() {
	b, ok := v.load(bundle.CheckpointFile)
	if !ok {
		return
	}
	v.finalNote = b
	text, err := noteText(b)
	if err == nil {
		v.final, err = audit.ParseCheckpoint(text)
	}
	if err != nil {
		v.find(CheckpointFormat, bundle.CheckpointFile, "the file is not a signed checkpoint", "", err.Error())
		return
	}
	v.finalReads = true
}

// noteText returns a signed note's text, whoever signed it.
func noteText(b []byte) (string, error) {
	_, err := note.Open(b, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		return unverified.Note.Text, nil
	}
	return "", err
}

// checkNote checks a signed checkpoint: form, signature by key, origin, size
// and root. what names it in findings.
func (v *verifier) checkNote(what, file string, b []byte, key string, size int64, root audit.Hash) {
	text, err := noteText(b)
	var cp audit.Checkpoint
	if err == nil {
		cp, err = audit.ParseCheckpoint(text)
	}
	if err != nil {
		v.findEntry(CheckpointFormat, file, size-1, "the "+what+" is not a signed checkpoint", "", err.Error())
		return
	}
	if _, err := audit.OpenNote(b, key); err != nil {
		v.findEntry(CheckpointSignature, file, size-1, "the "+what+" is not signed by the log key of its segment", key, err.Error())
	} else if !oneSignature(b) {
		v.setAside(what, file, b)
	}
	if cp.Size != size {
		v.findEntry(CheckpointRoot, file, size-1, "the "+what+" is for another size", fmt.Sprint(size), fmt.Sprint(cp.Size))
	} else if cp.Root != root {
		v.findEntry(CheckpointRoot, file, size-1, "the root of the "+what+" is not that of the entries", cp.Root.String(), root.String())
	}
	if origin := v.log.origin(); origin != "" && cp.Origin != origin {
		v.findEntry(OriginDiffers, file, size-1, "the "+what+" is of another log", origin, cp.Origin)
	}
}

// checkKept looks for a checkpoint kept in the database at the end of every step
// that is over, and at the close. Only if the run broke off at its end, before
// the manifest, may the last one be missing.
func (v *verifier) checkKept() {
	if v.kept == nil {
		return // the database was not read
	}
	want := v.log.made.ends
	if v.closed() && v.manifestHolds {
		want = append(want, v.log.size)
	}
	for _, size := range want {
		if !v.kept[size] {
			v.findEntry(CheckpointMissing, bundle.DatabaseFile, size-1, "no checkpoint is kept where a step ended or the log was closed", fmt.Sprintf("one for %d entries", size), "")
		}
	}
}

// checkFinal checks the file checkpoint against the log and the database.
func (v *verifier) checkFinal(c *Check) {
	v.checkKept()
	if v.kept != nil && v.stored == nil && v.log.size > 0 {
		v.find(StoredHeadDiffers, bundle.DatabaseFile, "the database has no head", "one row in the table head", "none")
	}
	if !v.closed() {
		c.Result, c.Note = "not done", "the log is not closed"
		v.checkStoredHead()
		if v.finalReads && v.final.Size > v.log.size {
			v.findEntry(LogCut, v.log.file, v.log.size, "the file checkpoint, which is made at the close, signs more entries than there are: the end of the log is missing", fmt.Sprint(v.final.Size), fmt.Sprint(v.log.size))
		}
		return
	}
	if !v.finalReads {
		c.Result = "not done"
		v.checkStoredHead()
		return
	}
	if v.stored != nil && !bytes.Equal(v.stored, v.finalNote) {
		v.find(StoredHeadDiffers, bundle.DatabaseFile, "the head in the database is not the file checkpoint", string(v.finalNote), string(v.stored))
	}
	switch {
	case v.final.Size > v.log.size:
		v.findEntry(LogCut, v.log.file, v.log.size, "the final checkpoint signs more entries than there are: the end of the log is missing", fmt.Sprint(v.final.Size), fmt.Sprint(v.log.size))
	case v.final.Size < v.log.size:
		v.findEntry(UnsignedTail, v.log.file, v.final.Size, "entries follow that the final checkpoint does not sign", fmt.Sprint(v.final.Size), fmt.Sprint(v.log.size))
	}
	root := v.log.at
	if v.final.Size > v.log.size {
		root = v.final.Root // the tail is missing: nothing to compare it with
	}
	v.checkNote("final checkpoint", bundle.CheckpointFile, v.finalNote, v.lastKey(), v.final.Size, root)
}

// checkStoredHead checks the database's own head where there is no file
// checkpoint yet.
func (v *verifier) checkStoredHead() {
	if v.stored != nil && v.log.size > 0 {
		v.checkNote("head in the database", bundle.DatabaseFile, v.stored, v.lastKey(), v.log.size, v.log.root)
	}
}

// lastKey returns the log key of the last segment.
func (v *verifier) lastKey() string {
	if n := len(v.log.segments); n > 0 {
		return v.log.segments[n-1].LogKey
	}
	return ""
}
