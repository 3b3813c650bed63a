package verify

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// A forger makes a bundle again as somebody would who has its files, keyrite's
// sources and time: entries changed, all numbers that entries name each other
// by, all hashes, roots, checkpoints, page signatures, the database, log.jsonl,
// key files, SHA256SUMS and manifest made anew. What it has not is the log keys
// of the ceremony: it signs with keys of its own.
type forger struct {
	t    *testing.T
	b    *bundletest.Bundle
	keys []*audit.LogKey // one a segment

	origin string
	moved  map[int64]int64 // number of an entry before → now
	roots  []audit.Hash    // by size
	tree   audit.Frontier
	prev   audit.Hash
	made   []*audit.Entry
	lines  [][]byte
	kept   map[int64][]byte

	// bytes, if set, may replace an entry's encoding before it is hashed.
	bytes func(e *audit.Entry, encoded []byte) []byte
	// pdf draws the transcript again; else its file stays.
	pdf bool
}

// entriesOf reads the entries of a bundle.
func entriesOf(t *testing.T, b *bundletest.Bundle) (entries []*audit.Entry) {
	t.Helper()
	for _, line := range bytes.Split(bytes.TrimSuffix(b.Read(t, bundle.LogFile), []byte("\n")), []byte("\n")) {
		e, err := audit.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

// forge rewrites b. change gets the entries as they are; new ones have number -1.
func (f *forger) forge(change func([]*audit.Entry) []*audit.Entry) *bundletest.Bundle {
	f.t.Helper()
	entries := entriesOf(f.t, f.b)
	if f.origin == "" {
		f.origin = f.b.Origin
	}
	if change != nil {
		entries = change(entries)
	}
	f.moved, f.kept, f.roots = map[int64]int64{}, map[int64][]byte{}, []audit.Hash{f.tree.Root()}
	committed := false
	for _, e := range entries {
		if _, page := e.Data.(*audit.Transcript); page {
			if !committed {
				f.commit(e)
			}
			committed = true
			continue
		}
		f.add(e)
	}
	f.write()
	return f.b
}

// key returns the forger's key of a segment.
func (f *forger) key(segment int) *audit.LogKey {
	f.t.Helper()
	for len(f.keys) <= segment {
		k, err := audit.NewLogKey(f.origin, rand.Reader)
		if err != nil {
			f.t.Fatal(err)
		}
		f.keys = append(f.keys, k)
	}
	return f.keys[segment]
}

// segment returns the number of the running segment.
func (f *forger) segment() int {
	n := 0
	for _, e := range f.made {
		if d, ok := e.Data.(*audit.SegmentOpen); ok {
			n = d.Segment
		}
	}
	return n
}

func (f *forger) add(e *audit.Entry) {
	f.t.Helper()
	if e.Seq >= 0 {
		f.moved[e.Seq] = int64(len(f.made))
	}
	e.Seq, e.Prev = int64(len(f.made)), f.prev
	f.adapt(e)
	enc, err := e.Marshal()
	if err != nil {
		f.t.Fatal(err)
	}
	if f.bytes != nil {
		enc = f.bytes(e, enc)
	}
	f.prev = audit.LeafHash(enc)
	f.tree.Append(f.prev)
	f.roots = append(f.roots, f.tree.Root())
	f.made, f.lines = append(f.made, e), append(f.lines, enc)
	switch d := e.Data.(type) {
	case *audit.StepEnd:
		if d.Result != "failed" {
			f.keep()
		}
	case *audit.Close, *audit.Pause:
		f.keep()
	}
}

// keep keeps the checkpoint of the entries so far.
func (f *forger) keep() {
	size := int64(len(f.made))
	f.kept[size] = f.checkpoint(f.segment(), size)
}

func (f *forger) checkpoint(segment int, size int64) []byte {
	cp := audit.Checkpoint{Origin: f.origin, Size: size, Root: f.roots[size]}
	return signNote(f.t, f.key(segment), cp.Text())
}

// to follows an entry to its new place.
func (f *forger) to(seq *int64) {
	if n, ok := f.moved[*seq]; ok {
		*seq = n
	}
}

// adapt makes right what an entry says of the log and of other entries.
func (f *forger) adapt(e *audit.Entry) {
	switch d := e.Data.(type) {
	case *audit.LogOpen:
		d.Origin, d.LogKey = f.origin, f.key(0).VerifierKey()
	case *audit.SegmentOpen:
		d.Checkpoint, d.LogKey = string(f.checkpoint(d.Segment-1, e.Seq)), f.key(d.Segment).VerifierKey()
	case *audit.SegmentAdopt:
		d.Size = e.Seq - 1
		d.Head = f.roots[d.Size].String()
	case *audit.KeyRead:
		d.LogKey = f.key(f.segment()).VerifierKey()
		sum := sha256.Sum256([]byte(d.LogKey))
		d.Words = strings.Join(audit.Words(sum[:]), " ")
	case *audit.Verdict:
		f.to(&d.Size)
		d.Size = min(d.Size, e.Seq)
		d.Head = f.roots[d.Size].String()
	case *audit.HSMOutcome:
		f.to(&d.Intent)
	case *audit.HSMUnknown:
		f.to(&d.Intent)
	case *audit.HSMIntent:
		f.to(&d.For)
	case *audit.ToBeSigned:
		f.to(&d.Random)
	case *audit.Artifact:
		f.to(&d.Signed)
	case *audit.Key:
		f.to(&d.Generated)
	case *audit.Destroyed:
		f.to(&d.Call)
		f.to(&d.After)
	case *audit.Close:
		d.Size = e.Seq + 1
	}
}

// commit signs the pages of the log so far, as keyrite does before the close.
func (f *forger) commit(e *audit.Entry) {
	f.t.Helper()
	pages, err := paper.Paper{}.Commit(f.made, f.tree.Root(), f.read, f.key(f.segment()).SignBytes)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, d := range pages {
		more := *e
		more.Data, more.Seq = d, -1
		f.add(&more)
	}
}

func (f *forger) read(name string) ([]byte, error) { return os.ReadFile(f.b.Path(name)) }

// write writes the files around the entries.
func (f *forger) write() {
	f.t.Helper()
	size, last := int64(len(f.made)), f.segment()
	final := f.checkpoint(last, size)
	if kept := f.kept[size]; kept != nil {
		final = kept
	}
	f.b.Write(f.t, bundle.LogFile, append(bytes.Join(f.lines, []byte("\n")), '\n'))
	f.b.Write(f.t, bundle.CheckpointFile, final)
	f.b.LogKeys = nil
	for i := range last + 1 {
		f.b.LogKeys = append(f.b.LogKeys, f.key(i).VerifierKey())
		f.b.Write(f.t, bundle.LogKeyFile(i), []byte(f.key(i).VerifierKey()+"\n"))
	}
	f.database(final)
	if f.pdf {
		pdf, err := paper.Paper{}.PDF(f.made, final, f.read)
		if err != nil {
			f.t.Fatal(err)
		}
		f.b.Write(f.t, bundle.TranscriptFile, pdf)
	}
	f.b.Origin, f.b.Size, f.b.Head = f.origin, size, f.tree.Root().String()
	f.manifest()
}

// manifest makes SHA256SUMS and the manifest.
func (f *forger) manifest() {
	f.t.Helper()
	f.b.Resum(f.t)
	sums := sha256.Sum256(f.b.Read(f.t, bundle.SumsFile))
	f.b.Write(f.t, bundle.ManifestFile, signNote(f.t, f.key(f.segment()), bundle.ManifestNote(f.origin, int64(len(f.made)), f.tree.Root(), sums)))
}

// database fills audit.db anew.
func (f *forger) database(final []byte) {
	var sql strings.Builder
	sql.WriteString("BEGIN; DELETE FROM entry; DELETE FROM checkpoint; DELETE FROM head;\n")
	for i, enc := range f.lines {
		fmt.Fprintf(&sql, "INSERT INTO entry VALUES(%d,x'%x');\n", i, enc)
	}
	for size, note := range f.kept {
		fmt.Fprintf(&sql, "INSERT INTO checkpoint VALUES(%d,x'%x');\n", size, note)
	}
	fmt.Fprintf(&sql, "INSERT INTO head VALUES(0,x'%x'); COMMIT", final)
	sqlite3(f.t, f.b, sql.String())
}

// TestForger shows that what the forger makes is sound in itself: nothing but a
// value from outside, or a lie in the entries, can be found in it.
func TestForger(t *testing.T) {
	for name, c := range map[string]bundletest.Ceremony{"one segment": {NoPDF: true}, "two segments": {NoPDF: true, Pause: true}, "a failed try": {NoPDF: true, Failed: true}} {
		original := bundletest.Make(t, c)
		f := &forger{t: t, b: bundletest.Copy(t, original)}
		forged := f.forge(nil)
		r := check(t, forged, Options{LogKeys: forged.LogKeys, Recompose: pagesOnly})
		if r.Verdict != Verified {
			t.Errorf("%s: %s\n%s", name, r.Verdict, codes(r))
		}
		if forged.Head == original.Head {
			t.Errorf("%s: nothing was forged", name)
		}
	}
}
