package verify

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// What the auditor's program may take of a hostile bundle.
const (
	hostileMemory = 200 << 20
	hostileTime   = 2 * time.Minute // on a busy machine; seconds on an idle one
)

// A hostile bundle is made to exhaust, mislead or break whoever reads it.
type hostile struct {
	name string
	do   func(t *testing.T, b *bundletest.Bundle)
	want Code
}

// tooManyFiles is said of a folder that is no bundle.
const tooManyFiles Code = "more than 20000 files"

// sparse makes a file of the bundle 10 GB long; it takes no room on the disk.
func sparse(name string) hostile {
	return hostile{"10 GB of " + name, func(t *testing.T, b *bundletest.Bundle) { lengthen(t, b, name, 10e9) }, FileUnreadable}
}

func lengthen(t *testing.T, b *bundletest.Bundle, name string, size int64) {
	t.Helper()
	if err := os.Truncate(b.Path(name), size); err != nil {
		t.Fatal(err)
	}
}

// patched changes the database's bytes.
func patched(f func(t *testing.T, db []byte)) func(*testing.T, *bundletest.Bundle) {
	return func(t *testing.T, b *bundletest.Bundle) {
		db := b.Read(t, bundle.DatabaseFile)
		f(t, db)
		b.Write(t, bundle.DatabaseFile, db)
	}
}

// written replaces a file.
func written(name string, content []byte) func(*testing.T, *bundletest.Bundle) {
	return func(t *testing.T, b *bundletest.Bundle) { b.Write(t, name, content) }
}

// instead puts something that is no file in the place of one.
func instead(name string, f func(path string) error) func(*testing.T, *bundletest.Bundle) {
	return func(t *testing.T, b *bundletest.Bundle) {
		remove(t, b, name)
		if err := f(b.Path(name)); err != nil {
			t.Fatal(err)
		}
	}
}

// upperPage returns where the first interior page of the database begins.
func upperPage(t *testing.T, db []byte) int {
	t.Helper()
	for at := 4096; at < len(db); at += 4096 {
		if db[at] == 0x05 {
			return at
		}
	}
	t.Fatal("the tree has one page")
	return 0
}

func hostiles() []hostile {
	list := []hostile{
		{"a tree whose upper page is its own child", patched(func(t *testing.T, db []byte) {
			at := upperPage(t, db)
			binary.BigEndian.PutUint32(db[at+8:], uint32(at/4096+1))
		}), DatabaseFormat},
		{"a tree that claims 65535 cells on each page", patched(func(_ *testing.T, db []byte) {
			for at := 4096; at < len(db); at += 4096 {
				binary.BigEndian.PutUint16(db[at+3:], 0xffff)
			}
		}), DatabaseFormat},
		{"rows of 2^63 bytes", patched(func(_ *testing.T, db []byte) {
			for at := 4096; at < len(db); at += 4096 {
				if db[at] == 0x0d {
					cell := at + int(binary.BigEndian.Uint16(db[at+8:]))
					copy(db[cell:], bytes.Repeat([]byte{0xff}, 9))
				}
			}
		}), DatabaseFormat},
		{"a file header that claims 2^32 pages", patched(func(_ *testing.T, db []byte) { binary.BigEndian.PutUint32(db[28:], 1<<32-1) }), DatabaseFormat},
		{"400 MB of a database whose pages belong to nothing", func(t *testing.T, b *bundletest.Bundle) { lengthen(t, b, bundle.DatabaseFile, 100_000*4096) }, DatabaseFormat},
		{"a row a billion further on", func(t *testing.T, b *bundletest.Bundle) {
			sqlite3(t, b, "INSERT INTO entry SELECT 1000000000, body FROM entry WHERE seq=3")
		}, DatabaseFormat},
		{"a checkpoint of a billion entries", func(t *testing.T, b *bundletest.Bundle) {
			replace(t, b, bundle.CheckpointFile, fmt.Sprintf("\n%d\n", b.Size), "\n1000000000\n")
		}, LogCut},
		{"a line of 500 MB", func(t *testing.T, b *bundletest.Bundle) { lengthen(t, b, bundle.LogFile, 500e6) }, LinesFormat},
		{"a million empty lines", written(bundle.LogFile, bytes.Repeat([]byte("\n"), 1e6)), EntryFormat},
		{"arrays in arrays", func(t *testing.T, b *bundletest.Bundle) {
			lines(t, b, func(l []string) []string { l[9] = strings.Repeat("[", 60000) + "\n"; return l })
		}, EntryFormat},
		{"objects in objects", func(t *testing.T, b *bundletest.Bundle) {
			lines(t, b, func(l []string) []string { l[9] = strings.Repeat(`{"data":`, 8000) + "\n"; return l })
		}, EntryFormat},
		{"thousands of signatures on the checkpoint", signatures(bundle.CheckpointFile), CheckpointFormat},
		{"thousands of signatures on the manifest", signatures(bundle.ManifestFile), ManifestDiffers},
		{"a script that unfolds", written(bundle.ScriptFile, unfolding()), ScriptDiffers},
		{"a script of brackets", written(bundle.ScriptFile, bytes.Repeat([]byte("["), 1<<20-1)), ScriptDiffers},
		{"sums of nothing, 300,000 of them", written(bundle.SumsFile, manySums()), FileMissing},
		{"a key of 200,000 bits", hugeKey, ArtifactDiffers},
	}
	for _, name := range []string{bundle.DatabaseFile, bundle.LogFile, bundle.ScriptFile, bundle.CheckpointFile, bundle.ManifestFile, bundle.SumsFile, bundle.TranscriptFile, "keys/log-0.vkey", "artifacts/root.pem", "artifacts/root.pem.tbs"} {
		list = append(list, sparse(name))
	}
	return append(list, strangers()...)
}

// strangers are things in the folder that are not the bundle's files.
func strangers() []hostile {
	return []hostile{
		{"19,000 files", func(t *testing.T, b *bundletest.Bundle) {
			for i := range 19000 {
				if err := os.WriteFile(b.Path(fmt.Sprintf("artifacts/x%d.pem", i)), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}, FileUnknown},
		{"21,000 files", func(t *testing.T, b *bundletest.Bundle) {
			for i := range 21000 {
				if err := os.WriteFile(b.Path(fmt.Sprintf("artifacts/x%d.pem", i)), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}, tooManyFiles},
		{"folders in folders", func(t *testing.T, b *bundletest.Bundle) {
			if err := os.MkdirAll(b.Path("artifacts/"+strings.Repeat("d/", 1500)), 0o700); err != nil {
				t.Fatal(err)
			}
		}, FileUnknown},
		{"a link to a file outside", instead(bundle.ScriptFile, func(path string) error { return os.Symlink("/etc/passwd", path) }), FileKind},
		{"a link to a folder outside", func(t *testing.T, b *bundletest.Bundle) {
			if err := os.Rename(b.Path("keys"), b.Dir+"-keys"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(b.Dir+"-keys", b.Path("keys")); err != nil {
				t.Fatal(err)
			}
		}, FileUnknown},
		{"a link to itself", instead("artifacts/root.pem", func(path string) error { return os.Symlink("root.pem", path) }), FileKind},
		{"a pipe that nobody writes to", instead(bundle.ScriptFile, func(path string) error { return syscall.Mkfifo(path, 0o600) }), FileKind},
		{"a pipe for the log", instead(bundle.LogFile, func(path string) error { return syscall.Mkfifo(path, 0o600) }), FileKind},
		{"a device that never ends", instead("artifacts/root.pem", func(path string) error { return syscall.Mknod(path, syscall.S_IFCHR|0o600, 1<<8|5) }), FileKind},
		{"a socket", instead(bundle.CheckpointFile, func(path string) error { return syscall.Mknod(path, syscall.S_IFSOCK|0o600, 0) }), FileKind},
		{"a folder in a file's place", instead(bundle.TranscriptFile, func(path string) error { return os.Mkdir(path, 0o700) }), FileMissing},
		{"names that steer a terminal", func(t *testing.T, b *bundletest.Bundle) {
			for _, name := range []string{"\x1b[2J\x1b[HVERIFIED", "artifacts/a\nVERIFIED, anchored by the final head", "\u202efdp.tpircsnart", "\x9b31m", "a\rb", "\xff\xfe"} {
				if err := os.WriteFile(b.Path(name), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}, FileUnknown},
	}
}

// signatures puts thousands of signature lines on a note.
func signatures(name string) func(*testing.T, *bundletest.Bundle) {
	return func(t *testing.T, b *bundletest.Bundle) {
		note := b.Read(t, name)
		at := bytes.Index(note, []byte("\n\n")) + 2
		b.Write(t, name, append(note, bytes.Repeat(note[at:], 5000)...))
	}
}

// unfolding is a YAML text whose aliases stand for billions of values.
func unfolding() []byte {
	var s strings.Builder
	s.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&s, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return []byte(s.String())
}

func manySums() []byte {
	var s bytes.Buffer
	for i := range 150000 {
		s.WriteString(strings.Repeat("0", 64) + "  artifacts/" + fmt.Sprintf("%06d", i) + ".pem\n")
	}
	return s.Bytes()
}

// hugeKey has a log record an RSA key whose arithmetic takes hours.
func hugeKey(t *testing.T, b *bundletest.Bundle) {
	n := new(big.Int).Lsh(big.NewInt(1), 200_000)
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n.Sub(n, big.NewInt(12345)), E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	b.Write(t, "artifacts/root.pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	forged(inEach(func(_ string, d *audit.Key) {
		if d.Name == "root" {
			d.SPKI, d.SPKISHA256 = hex.EncodeToString(der)[:40000], hash(der)
		}
	}))(t, nil, b)
}

// TestHostile gives the real program bundles that were made to hurt it: it must
// end by itself, with a finding, in bounded time and memory, and print nothing
// that steers a terminal.
func TestHostile(t *testing.T) {
	program := filepath.Join(t.TempDir(), "keyrite-verify")
	build := exec.Command("go", "build", "-o", program, "../../cmd/keyrite-verify")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	base := bundletest.Make(t, bundletest.Ceremony{NoPDF: true})
	for _, h := range hostiles() {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			b := bundletest.Copy(t, base)
			h.do(t, b)
			out, errs, peak, exit := measured(t, program, b.Dir)
			if h.want == tooManyFiles && exit == ExitUnreadable && bytes.Contains(errs, []byte(h.want)) {
				return // no bundle, and it says so
			}
			if exit != ExitFailed || !bytes.Contains(out, []byte(h.want)) {
				t.Errorf("exit %d, no %s\n%.3000s\n%.1000s", exit, h.want, out, errs)
			}
			if peak > hostileMemory {
				t.Errorf("%d MB of memory", peak>>20)
			}
			if bytes.Contains(errs, []byte("panic")) || bytes.Contains(errs, []byte("goroutine ")) {
				t.Errorf("%s", errs)
			}
			if bytes.ContainsAny(append(out, errs...), "\x1b\u009b\r\u202e") || !utf8.Valid(out) || bytes.Contains(out, []byte("\nVERIFIED")) {
				t.Errorf("what was printed steers a terminal: %q", out)
			}
		})
	}
}

// measured runs the program and returns what it printed and the most memory that
// it had.
func measured(t *testing.T, program, dir string) (out, errs []byte, peak int64, exit int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program, dir)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	deadline := time.After(hostileTime)
	for {
		select {
		case <-done:
			return stdout.Bytes(), stderr.Bytes(), peak, cmd.ProcessState.ExitCode()
		case <-deadline:
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
			t.Fatalf("it did not end within %v (%d MB of memory)", hostileTime, peak>>20)
		case <-time.After(2 * time.Millisecond):
			peak = max(peak, highWater(cmd.Process.Pid))
		}
	}
}

// highWater reads how much memory a process has had so far. Its rusage would
// count the memory of this test, from which it was forked.
func highWater(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0 // it has ended
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	n, _, _ := strings.Cut(strings.TrimSpace(rest), " kB")
	kb, err := strconv.ParseInt(n, 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}
