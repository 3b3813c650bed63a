package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

var everyFault = flag.Bool("faults", false, "flip every bit and cut at every length, not only a sample")

// A flipper checks one bundle over and over with one file changed, SHA256SUMS
// made right each time. Each worker has a copy of its own.
type flipper struct {
	t       *testing.T
	b       *bundletest.Bundle
	content map[string][]byte
	names   []string
	pages   []transcript.Page
	pdf     []byte
	sums    map[string]string // name → line of SHA256SUMS
}

// tiny is the bundle whose bits are flipped: all sorts of files, a pause, a failed
// try, a small file in the place of the PDF.
func tiny(t *testing.T) *bundletest.Bundle {
	return bundletest.Make(t, bundletest.Ceremony{Pause: true, Failed: true, NoPDF: true})
}

func newFlipper(t *testing.T, from *bundletest.Bundle) *flipper {
	t.Helper()
	f := &flipper{t: t, b: bundletest.Copy(t, from), sums: map[string]string{}}
	f.names, f.content = read(t, f.b)
	f.pdf = f.content[bundle.TranscriptFile]
	for _, name := range f.names {
		if bundle.Summed(name) {
			f.sums[name] = sumLine(name, f.content[name])
		}
	}
	r := check(t, f.b, Options{Recompose: func(b Files, e []*audit.Entry) ([]transcript.Page, []byte, error) {
		pages, _, err := pagesOnly(b, e)
		f.pages = pages
		return pages, f.pdf, err
	}})
	if r.Verdict != Consistent || r.failed() || !r.Has(SegmentUnanchored) {
		t.Fatalf("the bundle is not sound:\n%s", codes(r))
	}
	return f
}

func sumLine(name string, b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]) + "  " + name + "\n"
}

// notEvidence are findings that the sums and the manifest make by themselves.
var notEvidence = []Code{SumDiffers, ManifestDiffers}

// found reports whether a change of one file is found by something else than the
// sums. The pages are not composed again: they are given as those of the log as
// it was, so that they find nothing by themselves.
func (f *flipper) found(name string, b []byte) bool {
	f.t.Helper()
	f.b.Write(f.t, name, b)
	sums := maps.Clone(f.sums)
	if bundle.Summed(name) {
		sums[name] = sumLine(name, b)
	}
	if name != bundle.SumsFile {
		var all strings.Builder
		for _, name := range slices.Sorted(maps.Keys(sums)) {
			all.WriteString(sums[name])
		}
		f.b.Write(f.t, bundle.SumsFile, []byte(all.String()))
	}
	bound := name == bundle.SumsFile || name == bundle.ManifestFile
	found := func(r *Report) bool {
		return slices.ContainsFunc(r.Findings, func(x Finding) bool {
			return x.Weight == Failure && (bound || !slices.Contains(notEvidence, x.Code))
		})
	}
	r, err := Bundle(f.b.Dir, Options{enough: found, Recompose: func(Files, []*audit.Entry) ([]transcript.Page, []byte, error) { return f.pages, f.pdf, nil }})
	f.b.Write(f.t, name, f.content[name])
	f.b.Write(f.t, bundle.SumsFile, f.content[bundle.SumsFile])
	if err != nil {
		f.t.Fatalf("%s: %v", name, err)
	}
	return found(r)
}

// meaningless names the class of a bit that has no meaning, "" for one that has.
// docs/verify.md lists the classes.
func meaningless(name string, at int) string {
	switch {
	case name == bundle.DatabaseFile && at >= 40 && at < 44:
		return "schema cookie"
	case name == bundle.DatabaseFile && at >= 96 && at < 100:
		return "version of SQLite"
	}
	return ""
}

// A fault is one change of a file: a bit flipped, or the end cut off.
// It has no pointers: over half a million of them are kept.
type fault struct {
	file int // in the flipper's names
	at   int
	bit  int // -1: cut off at at
}

func (x fault) done(content []byte) []byte {
	if x.bit < 0 {
		return content[:x.at:x.at]
	}
	b := bytes.Clone(content)
	b[x.at] ^= 1 << x.bit
	return b
}

// bitFaults lists every bit of the bundle's files; of files over 64 KiB and of
// the PDF one bit a byte, another at each.
func (f *flipper) bitFaults() (list []fault) {
	for file, name := range f.names {
		n := len(f.content[name])
		for at := range n {
			if n > 64<<10 || name == bundle.TranscriptFile {
				list = append(list, fault{file, at, (at*5 + at/8) % 8})
				continue
			}
			for bit := range 8 {
				list = append(list, fault{file, at, bit})
			}
		}
	}
	return list
}

// cutFaults lists every length of small files, and of others each 97th.
func (f *flipper) cutFaults() (list []fault) {
	for file, name := range f.names {
		stride := 1
		if len(f.content[name]) > 8<<10 {
			stride = 97
		}
		for at := 0; at < len(f.content[name]); at += stride {
			list = append(list, fault{file, at, -1})
		}
	}
	return list
}

// tryAll makes every fault, or each stride-th of them, and returns how many were
// found by class of file; those of no meaning by class.
func tryAll(t *testing.T, from *bundletest.Bundle, list []fault, stride int) map[string]int {
	t.Helper()
	if *everyFault {
		stride = 1
	}
	var next atomic.Int64
	var mu sync.Mutex
	counts, tried := map[string]int{}, 0
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		f := newFlipper(t, from)
		workers.Go(func() {
			for {
				i := int(next.Add(int64(stride))) - stride
				if i >= len(list) {
					return
				}
				x := list[order(i, len(list))]
				name := f.names[x.file]
				class, found := meaningless(name, x.at), f.found(name, x.done(f.content[name]))
				if x.bit < 0 {
					class = ""
				}
				mu.Lock()
				if tried++; tried%5000 == 0 {
					t.Logf("%d of %d: %v", tried, len(list)/stride, counts)
				}
				switch {
				case class != "":
					counts["no meaning: "+class]++
				case found:
					counts[fileClass(name)]++
				}
				mu.Unlock()
				if found == (class != "") {
					t.Errorf("%s, byte %d, bit %d (%s): found %v", name, x.at, x.bit, class, found)
				}
			}
		})
	}
	workers.Wait()
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%8d %s", counts[class], class)
	}
	return counts
}

// order spreads the faults, so that the beginning of a long run is a sample of all
// of it.
func order(i, n int) int {
	const prime = 1_000_003 // no list has its multiple for a length
	return int(int64(i) * prime % int64(n))
}

// fileClass is a file, or the folder that it is in.
func fileClass(name string) string {
	dir, _, deep := strings.Cut(name, "/")
	if deep {
		return dir + "/"
	}
	return name
}

// TestEveryBit flips single bits all over a bundle, SHA256SUMS made right after
// each: the evidence must find it, or the bit has no meaning. A sample, or all of
// them with -faults.
func TestEveryBit(t *testing.T) {
	b := tiny(t)
	list := newFlipper(t, b).bitFaults()
	counts := tryAll(t, b, list, len(list)/1200|1)
	if len(counts) < 8 {
		t.Errorf("files and classes: %v", counts)
	}
}

// TestEveryLength cuts off every file of a bundle in the same way.
func TestEveryLength(t *testing.T) {
	b := tiny(t)
	list := newFlipper(t, b).cutFaults()
	tryAll(t, b, list, len(list)/400|1)
}

// TestNoMeaning shows that the bits of no meaning are as many as docs/verify.md
// says, and that SQLite reads the same without them.
func TestNoMeaning(t *testing.T) {
	b := tiny(t)
	f := newFlipper(t, b)
	for i := range 100 {
		if class := meaningless(bundle.DatabaseFile, i); class != "" {
			for bit := range 8 {
				x := fault{at: i, bit: bit}
				if f.found(bundle.DatabaseFile, x.done(f.content[bundle.DatabaseFile])) {
					t.Errorf("byte %d, bit %d, %s: found", i, bit, class)
				}
			}
			changed := bundletest.Copy(t, b)
			changed.Write(t, bundle.DatabaseFile, fault{at: i, bit: i % 8}.done(f.content[bundle.DatabaseFile]))
			const sql = "SELECT seq, hex(body) FROM entry; SELECT size, hex(note) FROM checkpoint; SELECT hex(note) FROM head"
			if query(t, changed, sql) != query(t, b, sql) {
				t.Errorf("byte %d: SQLite reads something else", i)
			}
		}
	}
}
