package bundle

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

func TestNames(t *testing.T) {
	for _, test := range []struct {
		name                 string
		valid, known, summed bool
	}{
		{"script.yaml", true, true, true},
		{"audit.db", true, true, true},
		{"log.jsonl", true, true, true},
		{"checkpoint", true, true, true},
		{"transcript.pdf", true, true, true},
		{"SHA256SUMS", true, true, false},
		{"manifest", true, true, false},
		{"after/head.tsr", true, true, false},
		{"keys/log-0.vkey", true, true, true},
		{"artifacts/root.pem", true, true, true},
		{"approvals/a.note", true, true, true},
		{"artifacts/deep/root.pem", true, false, false},
		{"artifacts", true, false, false},
		{"other/root.pem", true, false, false},
		{"audit.db-wal", true, false, false},
		{".DS_Store", false, false, false},
		{"artifacts/..", false, false, false},
		{"../script.yaml", false, false, false},
		{"/script.yaml", false, false, false},
		{"artifacts//a", false, false, false},
		{"artifacts/", false, false, false},
		{"", false, false, false},
		{"artifacts/-a", false, false, false},
		{"artifacts/a.", false, false, false},
		{"artifacts/a b", false, false, false},
		{"artifacts/a\\b", false, false, false},
		{"artifacts/a\nb", false, false, false},
		{"artifacts/é", false, false, false},
		{"artifacts/con", false, false, false},
		{"artifacts/Aux.pem", false, false, false},
		{"artifacts/nul.2.tbs", false, false, false},
		{"artifacts/lpt1.pem", false, false, false},
		{"artifacts/COM0", false, false, false},
		{"artifacts/com10.pem", true, true, true},
		{"artifacts/common.pem", true, true, true},
		{"artifacts/root.con", true, true, true},
		{"artifacts/auxiliary", true, true, true},
		{"artifacts/" + strings.Repeat("a", 129), false, false, false},
	} {
		if got := CheckName(test.name) == nil; got != test.valid {
			t.Errorf("CheckName(%q) valid: %v", test.name, got)
		}
		if got := Known(test.name); got != test.known {
			t.Errorf("Known(%q) = %v", test.name, got)
		}
		if got := Summed(test.name); got != test.summed {
			t.Errorf("Summed(%q) = %v", test.name, got)
		}
	}
	if got := LogKeyFile(12); got != "keys/log-12.vkey" {
		t.Errorf("LogKeyFile(12) = %q", got)
	}
	if got := TBSFile("artifacts/root.crl"); got != "artifacts/root.crl.tbs" {
		t.Errorf("TBSFile = %q", got)
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := WriteNew(dir, name, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

func TestCosignatureFile(t *testing.T) {
	for key, want := range map[string]string{
		"witness.example.org/alice": "after/cosignature-witness.example.org_alice.txt", "a_b-c": "after/cosignature-a_b-c.txt",
		"Ελένη": "after/cosignature-__________.txt", strings.Repeat("x", 100): "after/cosignature-" + strings.Repeat("x", 100) + ".txt",
	} {
		if got := CosignatureFile(key); got != want || !Known(got) || !IsCosignatureFile(got) || Summed(got) {
			t.Errorf("the file of %q is %q", key, got)
		}
	}
	if name := WitnessKeyFile("w1"); name != "keys/witness-w1.vkey" || !Summed(name) {
		t.Errorf("the key's file is %q", name)
	}
	if IsCosignatureFile(TimestampFile) || !Known(TimestampFile) {
		t.Errorf("%q is taken for a cosignature", TimestampFile)
	}
}

func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "artifacts/root.pem", "one")
	write(t, dir, "script.yaml", "two")
	if err := WriteNew(dir, "artifacts/root.pem", []byte("three")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second write: %v", err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "artifacts", "root.pem")); string(b) != "one" {
		t.Errorf("content %q", b)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "manifest")); err != nil {
		t.Fatal(err)
	}
	if err := WriteNew(dir, "manifest", nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("write through a dangling link: %v", err)
	}
	if err := WriteNew(dir, "../x", nil); err == nil {
		t.Error("wrote outside the folder")
	}
	if err := WriteNew(filepath.Join(dir, "none"), "script.yaml", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	files, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "artifacts/root.pem manifest script.yaml" {
		t.Errorf("files: %s", got)
	}
}

func TestWriteNewOutsideByLink(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "artifacts")); err != nil {
		t.Fatal(err)
	}
	if err := WriteNew(dir, "artifacts/root.pem", nil); err == nil {
		t.Error("wrote through a folder that is a link")
	}
	if names, _ := os.ReadDir(outside); len(names) != 0 {
		t.Errorf("found outside: %v", names)
	}
}

// TestRenameNew drives the way for file systems without hard links.
func TestRenameNew(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for i, want := range []error{nil, fs.ErrExist} {
		if err := writeSynced(root, "temp", []byte("x")); i == 0 && err != nil {
			t.Fatal(err)
		}
		if err := renameNew(root, "temp", "name"); !errors.Is(err, want) {
			t.Errorf("try %d: %v, want %v", i, err, want)
		}
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "name")); string(b) != "x" {
		t.Errorf("content %q", b)
	}
}

func TestRemoveUnfinished(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "artifacts/root.pem", "one")
	left := filepath.Join(dir, "artifacts", tempPrefix+"X")
	if err := os.WriteFile(left, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := RemoveUnfinished(dir); err != nil {
		t.Fatal(err)
	}
	files, err := Read(dir)
	if err != nil || len(files) != 1 || files[0].Name != "artifacts/root.pem" {
		t.Errorf("left: %v, %v", files, err)
	}
}

func TestSums(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"script.yaml", "audit.db", "artifacts/root.pem", "SHA256SUMS", "manifest", "after/scan.pdf", "foreign.txt"} {
		write(t, dir, name, "content of "+name)
	}
	b, err := Sums(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, name := range []string{"artifacts/root.pem", "audit.db", "script.yaml"} {
		want += fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte("content of "+name)), name)
	}
	if string(b) != want {
		t.Errorf("Sums:\n%s\nwant:\n%s", b, want)
	}
	sums, err := ParseSums(b)
	if err != nil || len(sums) != 3 || sums[1].Name != "audit.db" || sums[1].SHA256 != sha256.Sum256([]byte("content of audit.db")) {
		t.Errorf("ParseSums: %v, %v", sums, err)
	}
	cmd := exec.Command("sha256sum", "-c", "--strict")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(b)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("sha256sum -c: %v\n%s", err, out)
	}
}

func TestSumsLink(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "script.yaml", "x")
	if err := os.Symlink("script.yaml", filepath.Join(dir, "checkpoint")); err != nil {
		t.Fatal(err)
	}
	if _, err := Sums(dir); err == nil {
		t.Error("a link was summed")
	}
}

func TestReadLimit(t *testing.T) {
	dir := t.TempDir()
	for i := range MaxFiles + 1 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Read(dir); err == nil {
		t.Error("too many files were read")
	}
}

func TestParseSumsRefuses(t *testing.T) {
	zero := strings.Repeat("0", 64)
	for name, in := range map[string]string{
		"empty":       "",
		"no newline":  zero + "  audit.db",
		"one space":   zero + " audit.db\n",
		"upper case":  strings.Repeat("A", 64) + "  audit.db\n",
		"short":       zero[2:] + "  audit.db\n",
		"binary mark": zero + " *audit.db\n",
		"manifest":    zero + "  manifest\n",
		"outside":     zero + "  ../audit.db\n",
		"twice":       zero + "  audit.db\n" + zero + "  audit.db\n",
		"order":       zero + "  script.yaml\n" + zero + "  audit.db\n",
		"empty line":  zero + "  audit.db\n\n",
	} {
		if sums, err := ParseSums([]byte(in)); err == nil {
			t.Errorf("%s: accepted: %v", name, sums)
		}
	}
}

func TestManifest(t *testing.T) {
	sums := sha256.Sum256([]byte("sums"))
	m := Manifest{"example.org/log/production/00", 7, audit.LeafHash(nil), sums}
	text := ManifestNote(m.Origin, m.Size, m.Root, m.Sums)
	if got, err := ParseManifest(text); err != nil || got != m {
		t.Errorf("ParseManifest: %v, %v", got, err)
	}
	for i := range text {
		changed := text[:i] + string(text[i]^1) + text[i+1:]
		if got, err := ParseManifest(changed); err == nil && got == m {
			t.Errorf("byte %d changed, same manifest", i)
		}
		if _, err := ParseManifest(text[:i]); err == nil {
			t.Errorf("cut at byte %d: accepted", i)
		}
	}
	for name, change := range map[string][2]string{
		"upper case":   {"root 6e", "root 6E"},
		"leading zero": {"size 7", "size 07"},
		"plus":         {"size 7", "size +7"},
		"negative":     {"size 7", "size -7"},
		"carriage":     {"size 7\n", "size 7\r\n"},
		"version":      {"v1", "v2"},
		"more":         {"size 7\n", "size 7\nsize 7\n"},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Fatalf("%s changes nothing in %q", name, text)
		}
		if _, err := ParseManifest(changed); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(ManifestNote("o", 1, audit.Hash{}, [32]byte{})))
	f.Add([]byte(strings.Repeat("0", 64) + "  audit.db\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := ParseManifest(string(b)); err == nil && ManifestNote(m.Origin, m.Size, m.Root, m.Sums) != string(b) {
			t.Errorf("manifest %q is not what it parses to", b)
		}
		if sums, err := ParseSums(b); err == nil {
			var again bytes.Buffer
			for _, s := range sums {
				fmt.Fprintf(&again, "%x  %s\n", s.SHA256, s.Name)
			}
			if !bytes.Equal(again.Bytes(), b) {
				t.Errorf("sums %q are not what they parse to", b)
			}
		}
	})
}

// TestReadFolders lists folders that have no place, and does not look into them.
func TestReadFolders(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "artifacts/root.pem", "x")
	for _, name := range []string{"notes/a/b/c", "artifacts/deep/er", "keys", "checkpoint"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if f.Mode.IsDir() == (f.Name == "artifacts/root.pem") {
			t.Errorf("%s: mode %s", f.Name, f.Mode)
		}
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "artifacts/deep artifacts/root.pem checkpoint notes" {
		t.Errorf("files: %s", got)
	}
}

// TestMaxSize makes files of holes that are over their limits.
func TestMaxSize(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, name := range []string{"audit.db", "log.jsonl", "transcript.pdf", "SHA256SUMS", "checkpoint", "artifacts/root.pem"} {
		write(t, dir, name, "x")
		if _, err := Digest(root, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.Truncate(filepath.Join(dir, name), MaxSize(name)+1); err != nil {
			t.Fatal(err)
		}
		if _, err := Digest(root, name); err == nil || !strings.Contains(err.Error(), "at most") {
			t.Errorf("%s over its limit was read: %v", name, err)
		}
	}
}
