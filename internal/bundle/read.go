package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// MaxFiles is the most files and folders that a bundle may have.
const MaxFiles = 20000

// MaxArtifact is the most bytes that an artifact may have.
const MaxArtifact = 16 << 20

// A File is something that has a name in a bundle's folder.
type File struct {
	Name string      // path inside the bundle, with slashes
	Size int64       // bytes
	Mode fs.FileMode // a regular file, or what it is instead (a link, a device)
}

// MaxSize returns the most bytes that a file of a bundle may have: 4 GiB for
// the log in its two forms and for what came after, 256 MiB for the transcript,
// 16 MiB for SHA256SUMS, the script and artifacts, 1 MiB for all others. What is
// larger was made to keep its reader busy.
func MaxSize(name string) int64 {
	switch name {
	case DatabaseFile, LogFile:
		return 4 << 30
	case TranscriptFile:
		return 256 << 20
	case SumsFile, ScriptFile:
		return 16 << 20
	}
	if strings.HasPrefix(name, AfterDir+"/") {
		return 4 << 30
	}
	if strings.HasPrefix(name, ArtifactsDir+"/") {
		return MaxArtifact
	}
	return 1 << 20
}

// Read lists everything in dir and in the bundle's folders there, sorted by name
// in byte order. Links are listed as links and never followed. Any other folder
// is listed as one and not looked into; the bundle's own do not appear. It is an error if there are more than [MaxFiles] names or a folder
// cannot be read.
func Read(dir string) ([]File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the bundle: %w", err)
	}
	files, err := list(root)
	if err := errors.Join(err, root.Close()); err != nil {
		return nil, fmt.Errorf("reading the bundle: %w", err)
	}
	return files, nil
}

// list walks the folder without following a link.
func list(root *os.Root) ([]File, error) {
	var files []File
	count := 0
	for dirs := []string{"."}; len(dirs) > 0; dirs = dirs[1:] {
		names, err := readDir(root, dirs[0])
		if err != nil {
			return nil, err
		}
		if count += len(names); count > MaxFiles {
			return nil, fmt.Errorf("more than %d files", MaxFiles)
		}
		for _, name := range names {
			info, err := root.Lstat(name)
			if err != nil {
				return nil, err
			}
			if info.IsDir() && isFolder(name) {
				dirs = append(dirs, name)
				continue
			}
			files = append(files, File{Name: name, Size: info.Size(), Mode: info.Mode()})
		}
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}

// isFolder reports whether name is one of a bundle's folders.
func isFolder(name string) bool {
	return name == ApprovalsDir || name == KeysDir || name == ArtifactsDir || name == AfterDir
}

// readDir returns the paths of what is in a folder, at most MaxFiles+1.
func readDir(root *os.Root, dir string) ([]string, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(MaxFiles + 1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	for i := range names {
		names[i] = path.Join(dir, names[i])
	}
	return names, errors.Join(err, f.Close())
}

// Open opens a regular file of the bundle. Anything else under that name, a
// link above all, is an error, and so is a file over [MaxSize].
func Open(root *os.Root, name string) (*os.File, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("opening %q: not a regular file (%s)", name, before.Mode().Type())
	}
	if limit := MaxSize(name); before.Size() > limit {
		return nil, fmt.Errorf("opening %q: %d bytes, at most %d", name, before.Size(), limit)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err == nil && !os.SameFile(before, after) {
		err = fmt.Errorf("opening %q: replaced meanwhile", name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// digestBuffer is how many bytes of a file are read at once for its digest.
const digestBuffer = 256 << 10

// Digest returns the SHA-256 of a regular file of the bundle.
func Digest(root *os.Root, name string) (sum [sha256.Size]byte, err error) {
	f, err := Open(root, name)
	if err != nil {
		return sum, err
	}
	h := sha256.New()
	limit := MaxSize(name)
	n, err := io.CopyBuffer(h, io.LimitReader(f, limit+1), make([]byte, digestBuffer))
	if n > limit {
		err = fmt.Errorf("reading %q: over %d bytes", name, limit)
	}
	h.Sum(sum[:0])
	return sum, errors.Join(err, f.Close())
}

// Sums returns the content of SHA256SUMS: for every file that [Summed] names
// one line "<64 hex digits>  <name>\n", sorted by name in byte order, as
// `sha256sum -c` reads it. A link or device under such a name is an error.
// Files that have no place in a bundle are left out: verify reports them.
func Sums(dir string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("summing the bundle: %w", err)
	}
	b, err := sums(root)
	if err := errors.Join(err, root.Close()); err != nil {
		return nil, fmt.Errorf("summing the bundle: %w", err)
	}
	return b, nil
}

func sums(root *os.Root) ([]byte, error) {
	files, err := list(root)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, f := range files {
		if !Summed(f.Name) {
			continue
		}
		sum, err := Digest(root, f.Name)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "%x  %s\n", sum, f.Name)
	}
	return out.Bytes(), nil
}

// A Sum is one line of SHA256SUMS.
type Sum struct {
	Name   string
	SHA256 [sha256.Size]byte
}

// ParseSums reads SHA256SUMS as [Sums] writes it and in no other form: names
// that belong there, in order, each once. The error names the line.
func ParseSums(b []byte) ([]Sum, error) {
	if len(b) > 0 && b[len(b)-1] != '\n' {
		return nil, errors.New("the last line does not end")
	}
	var out []Sum
	last := ""
	for i, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		digest, name, _ := strings.Cut(line, "  ")
		sum, err := hex.DecodeString(digest)
		switch {
		case err != nil || len(sum) != sha256.Size || digest != strings.ToLower(digest):
			return nil, fmt.Errorf("line %d: want 64 lower-case hex digits and two spaces", i+1)
		case !Summed(name):
			return nil, fmt.Errorf("line %d: %q does not belong into SHA256SUMS", i+1, name)
		case name <= last:
			return nil, fmt.Errorf("line %d: %q is not after %q", i+1, name, last)
		}
		last = name
		out = append(out, Sum{name, [sha256.Size]byte(sum)})
	}
	return out, nil
}
