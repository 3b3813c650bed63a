package verify

import (
	"bytes"
	"io/fs"
	"os"
	"testing"

	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// A mutable bundle is one in memory, without a manifest, so that the evidence
// itself must find a change and not the sums.
type mutable struct {
	base    *bundletest.Bundle
	names   []string
	content map[string][]byte
}

func newMutable(tb testing.TB) *mutable {
	tb.Helper()
	base := bundletest.Make(tb, bundletest.Ceremony{Pause: true, NoPDF: true})
	if err := os.Remove(base.Path(bundle.ManifestFile)); err != nil {
		tb.Fatal(err)
	}
	m := &mutable{base: base}
	m.names, m.content = read(tb, base)
	return m
}

// check checks the bundle with one file changed and the sums made right again.
func (m *mutable) check(t *testing.T, name string, b []byte) *Report {
	t.Helper()
	changed := bundletest.Copy(t, m.base)
	changed.Write(t, name, b)
	changed.Resum(t)
	return check(t, changed, Options{Head: m.base.Head, Recompose: pagesOnly})
}

// means reports whether a change of a file has a meaning: docs/verify.md lists
// the bits that have none. SHA256SUMS is made anew, and the PDF is not drawn
// again here.
func (m *mutable) means(name string, b []byte) bool {
	if name == bundle.SumsFile || name == bundle.TranscriptFile {
		return false
	}
	old := m.content[name]
	if name == bundle.DatabaseFile && len(b) == len(old) {
		b = bytes.Clone(b)
		copy(b[40:44], old[40:44])
		copy(b[96:100], old[96:100])
		if bytes.Equal(b[24:28], b[92:96]) {
			copy(b[24:28], old[24:28])
			copy(b[92:96], old[92:96])
		}
	}
	return !bytes.Equal(b, old)
}

// FuzzBundle replaces bytes in the files of a bundle: the check must end
// without panic, and find what has a meaning.
func FuzzBundle(f *testing.F) {
	m := newMutable(f)
	for i := range m.names {
		f.Add(uint8(i), uint32(100), []byte{0xff})
		f.Add(uint8(i), uint32(0), []byte("\n"))
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint32, patch []byte) {
		name := m.names[int(which)%len(m.names)]
		old := m.content[name]
		from := int(at) % (len(old) + 1)
		b := append(bytes.Clone(old[:from]), patch...)
		if len(b) < len(old) {
			b = append(b, old[len(b):]...)
		}
		if r := m.check(t, name, b); m.means(name, b) && r.Exit == ExitSound {
			t.Errorf("%s changed at %d: not found", name, from)
		}
	})
}

// read returns a bundle's files.
func read(tb testing.TB, b *bundletest.Bundle) (names []string, content map[string][]byte) {
	tb.Helper()
	content = map[string][]byte{}
	err := fs.WalkDir(os.DirFS(b.Dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		names = append(names, name)
		content[name] = b.Read(tb, name)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return names, content
}
