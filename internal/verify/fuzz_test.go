package verify

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// FuzzBundle replaces bytes in the files of a bundle, with SHA256SUMS made
// right again: the check must end without panic, and a bundle that is not the
// one that was made must not verify with its head, unless what was changed has
// no meaning.
func FuzzBundle(f *testing.F) {
	base := bundletest.Make(f, bundletest.Ceremony{Pause: true, NoPDF: true})
	files, content := read(f, base)
	for i := range files {
		f.Add(uint8(i), uint32(100), []byte{0xff})
		f.Add(uint8(i), uint32(0), []byte("\n"))
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint32, patch []byte) {
		name := files[int(which)%len(files)]
		old := content[name]
		b := append([]byte{}, old...)
		from := int(at) % (len(b) + 1)
		b = append(b[:from], append(append([]byte{}, patch...), b[min(from+len(patch), len(b)):]...)...)
		dir := t.TempDir()
		if err := os.CopyFS(filepath.Join(dir, "b"), os.DirFS(base.Dir)); err != nil {
			t.Fatal(err)
		}
		changed := *base
		changed.Dir = filepath.Join(dir, "b")
		changed.Write(t, name, b)
		changed.Resum(t)
		r, err := Bundle(changed.Dir, Options{Head: base.Head, Recompose: pagesOnly})
		if err != nil {
			t.Fatal(err)
		}
		if r.Exit == ExitSound && string(b) != string(old) && name != "SHA256SUMS" && name != "transcript.pdf" {
			t.Errorf("%s changed at %d: exit 0", name, from)
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
