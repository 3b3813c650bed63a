package audit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/keyrite/keyrite/audit/vectortest"
)

const vectorDir = "testdata/vectors"

// The files in the tree are those that the package makes, byte for byte.
func TestDocumentVectors(t *testing.T) {
	files, err := vectortest.Files()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		writeVectors(t, files)
	}
	there, err := os.ReadDir(vectorDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		want, ok := files[f.Name()]
		b, err := os.ReadFile(filepath.Join(vectorDir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !ok || !bytes.Equal(b, want) {
			t.Errorf("%s is not what is made: go test ./audit -run Document -update", f.Name())
		}
	}
	if len(there) != len(files) {
		t.Errorf("%d files in %s, %d are made", len(there), vectorDir, len(files))
	}
}

// writeVectors writes the files that are not as they are made, and removes those
// that are not made.
func writeVectors(t *testing.T, files map[string][]byte) {
	t.Helper()
	for name, want := range files {
		if b, err := os.ReadFile(filepath.Join(vectorDir, name)); err == nil && bytes.Equal(b, want) {
			continue
		}
		if err := os.WriteFile(filepath.Join(vectorDir, name), want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	there, err := os.ReadDir(vectorDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if files[f.Name()] != nil {
			continue
		}
		if err := os.Remove(filepath.Join(vectorDir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
}
