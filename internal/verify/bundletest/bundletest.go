// Package bundletest makes whole bundles of invented ceremonies for tests: a
// log in a real store, software keys that sign certificates and CRLs through
// internal/pki, a transcript, sums and manifest. What it makes verifies; what a
// test changes must not.
package bundletest

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/paper"
)

// A Ceremony says how the bundle is to be. The zero Ceremony is a complete
// rehearsal of one segment.
type Ceremony struct {
	Mode    string // "" is rehearsal
	Pause   bool   // the run pauses after the keys and goes on as a new segment
	Crash   bool   // it breaks off inside C_Login and goes on as a new segment
	Abort   bool   // it is given up after the keys
	Open    bool   // it pauses after the keys and never goes on
	Failed  bool   // the root's certificate is signed twice; the first try fails
	NoPaper bool   // the log commits to no transcript
	NoPDF   bool   // transcript.pdf holds no PDF: drawing it takes longest

	// Keys are the witnesses' keys, by participant. With any, the script has
	// them, the roll call binds them, and steps of the kinds "freshness" and
	// "cosign" stand in the plan.
	Keys map[string]*audit.WitnessSigner
	// Cosign are those who cosign in their step, Final those who cosign the
	// final checkpoint before it is handed over.
	Cosign, Final []string
	// Fresh is what is brought in the step "freshness".
	Fresh []audit.Freshness
	// Exposed are the witnesses whose key is unlocked on the ceremony machine, and
	// the step from which on: "cosign", "verdict" or "close". With any, the script
	// allows it.
	Exposed map[string]string
	// SignVerdicts signs the verdicts of those who have a key.
	SignVerdicts bool

	// Acts has the machine described and compared, bags opened, a film referred
	// to, things taken and the clocks compared twice, in steps of their own after
	// the roll call.
	Acts bool

	// Approve has the root certificate approved by two of three.
	Approve bool

	// Approvers have approved the script, which asks for all of them.
	Approvers []Approver

	// Change, if set, may change an entry's data before it is written, or
	// return nil to leave the entry out.
	Change func(seq int64, step string, d audit.Data) audit.Data
	// Before, if set, is called before an entry is written and may write
	// others through b.Add.
	Before func(b *Builder, step string, d audit.Data)
	// Script replaces the bytes of script.yaml, ScriptMode only its mode.
	Script     []byte
	ScriptMode string
}

// A Bundle is what was made.
type Bundle struct {
	Dir          string
	Origin       string
	LogKeys      []string
	Head         string // root over the closed log, hex
	Size         int64
	ScriptSHA256 string
}

// A Builder writes one ceremony.
type Builder struct {
	Ceremony
	t     testing.TB
	dir   string
	now   time.Time
	store *sqlite.Store
	log   *audit.Log
	key   *audit.LogKey
	made  *Bundle

	step     string
	busy     bool // inside Before
	attempts map[string]int
	segment  int
	keys     map[string]*tokenKey
	present  []string
}

// Make makes a bundle in a new folder below the test's own.
func Make(t testing.TB, c Ceremony) *Bundle {
	t.Helper()
	b := builder(t, c)
	b.run()
	return b.made
}

// Fork makes two bundles of one ceremony: its folder is copied in a pause, and
// both go on to the end. before is another copy, left as it was.
func Fork(t testing.TB, c Ceremony) (before, one, other *Bundle) {
	t.Helper()
	c.Open = true
	b := builder(t, c)
	b.run()
	twin := *b
	made := *b.made
	twin.made, twin.attempts = &made, maps.Clone(b.attempts)
	made.LogKeys = slices.Clone(b.made.LogKeys)
	before = Copy(t, b.made)
	twin.dir = filepath.Join(t.TempDir(), "twin")
	made.Dir = twin.dir
	b.must(os.CopyFS(twin.dir, os.DirFS(b.dir)))
	store, err := sqlite.Open(filepath.Join(twin.dir, bundle.DatabaseFile))
	b.must(err)
	t.Cleanup(func() { _ = store.Close() })
	twin.store = store
	for _, b := range []*Builder{b, &twin} {
		b.resume("pause")
		b.finish()
	}
	return before, b.made, twin.made
}

func builder(t testing.TB, c Ceremony) *Builder {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if c.Mode == "" {
		c.Mode = audit.ModeRehearsal
	}
	b := &Builder{
		Ceremony: c, t: t, dir: dir, now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC),
		attempts: map[string]int{}, keys: map[string]*tokenKey{}, made: &Bundle{Dir: dir},
	}
	return b
}

func (b *Builder) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// clock runs evenly, without a monotonic reading.
func (b *Builder) clock() time.Time {
	b.now = b.now.Add(1250 * time.Millisecond)
	return b.now
}

// Add writes an entry of the running step and returns its number. A Change
// that drops it makes that -1.
func (b *Builder) Add(d audit.Data) int64 {
	b.t.Helper()
	if b.Before != nil && !b.busy {
		b.busy = true
		b.Before(b, b.step, d)
		b.busy = false
	}
	if b.Change != nil {
		if d = b.Change(b.log.Size(), b.step, d); d == nil {
			return -1
		}
	}
	e, err := b.log.AppendSync(b.step, d)
	b.must(err)
	return e.Seq
}

// AddTo is Add for an entry that says it is of another step.
func (b *Builder) AddTo(step string, d audit.Data) int64 {
	b.t.Helper()
	running := b.step
	defer func() { b.step = running }()
	b.step = step
	return b.Add(d)
}

// Call writes a PKCS#11 call with its outcome and returns the outcome's number.
func (b *Builder) Call(i audit.HSMIntent, o audit.HSMOutcome) int64 {
	b.t.Helper()
	o.Intent, o.Function = b.Add(&i), i.Function
	if o.RV == "" {
		o.RV = "CKR_OK"
		if strings.HasPrefix(i.Function, "SCard") {
			o.RV = "SCARD_S_SUCCESS"
		}
	}
	o.Micros = 180
	return b.Add(&o)
}

// Replace writes a file anew that the builder has written, as a program that
// lies could.
func (b *Builder) Replace(name string, content []byte) audit.File {
	b.t.Helper()
	b.made.Write(b.t, name, content)
	return fileOf(name, content)
}

// Read returns a file of the bundle as it is by now.
func (b *Builder) Read(name string) []byte {
	b.t.Helper()
	return b.made.Read(b.t, name)
}

// Wait moves the clock.
func (b *Builder) Wait(d time.Duration) { b.now = b.now.Add(d) }

func (b *Builder) write(name string, content []byte) audit.File {
	b.t.Helper()
	b.must(bundle.WriteNew(b.dir, name, content))
	return fileOf(name, content)
}

func fileOf(name string, content []byte) audit.File {
	sum := sha256.Sum256(content)
	return audit.File{Name: name, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
}

func (b *Builder) read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(b.dir, filepath.FromSlash(name)))
}

// newKey makes the log key of a segment and its file.
func (b *Builder) newKey() {
	key, err := audit.NewLogKey(b.made.Origin, rand.Reader)
	b.must(err)
	b.key = key
	b.made.LogKeys = append(b.made.LogKeys, key.VerifierKey())
	b.write(bundle.LogKeyFile(b.segment), []byte(key.VerifierKey()+"\n"))
}

func (b *Builder) config() audit.Config {
	return audit.Config{Store: b.store, Key: b.key, Origin: b.made.Origin, Now: b.clock, Rand: rand.Reader}
}

// resume begins the next segment as keyrite does.
func (b *Builder) resume(reason string) {
	b.t.Helper()
	head, err := b.store.Head()
	b.must(err)
	size, root := b.log.Size(), b.log.Root()
	b.segment++
	b.newKey()
	b.log, err = audit.Reopen(b.config())
	b.must(err)
	b.step = ""
	b.Add(&audit.SegmentOpen{Segment: b.segment, LogKey: b.key.VerifierKey(), Checkpoint: string(head), Reason: reason, Program: program})
	b.Add(&audit.SegmentAdopt{Size: size, Head: root.String(), Seen: "typed", Typed: b.present, People: b.present, Custody: "the operator", Bag: "7"})
	b.passphrases(true)
	b.readKey()
}

func (b *Builder) readKey() {
	b.t.Helper()
	sum := sha256.Sum256([]byte(b.key.VerifierKey()))
	b.Add(&audit.KeyRead{LogKey: b.key.VerifierKey(), Words: strings.Join(audit.Words(sum[:]), " "), People: b.present})
}

// seal commits to the transcript, closes the log and writes what stands
// around it.
func (b *Builder) seal(result string) {
	b.t.Helper()
	b.step = ""
	if !b.NoPaper {
		pages, err := paper.Paper{}.Commit(b.entries(), b.log.Root(), b.read, b.key.SignBytes)
		b.must(err)
		for _, d := range pages {
			b.Add(d)
		}
	}
	b.Add(&audit.Close{Result: result, Size: b.log.Size() + 1})
	checkpoint := b.cosigned(b.Final)
	b.must(b.log.Keep())
	b.made.Head, b.made.Size = b.log.Root().String(), b.log.Size()
	b.writeLines()
	if len(b.Final) > 0 {
		b.must(b.store.Append(b.log.Size(), nil, checkpoint, false, true))
	}
	entries := b.entries()
	b.must(b.store.Seal())
	b.write(bundle.CheckpointFile, checkpoint)
	if !b.NoPaper {
		b.write(bundle.TranscriptFile, b.pdf(entries, checkpoint))
	}
	sums, err := bundle.Sums(b.dir)
	b.must(err)
	b.write(bundle.SumsFile, sums)
	note, err := b.key.SignNote(bundle.ManifestNote(b.made.Origin, b.log.Size(), b.log.Root(), sha256.Sum256(sums)))
	b.must(err)
	b.write(bundle.ManifestFile, note)
}

func (b *Builder) pdf(entries []*audit.Entry, checkpoint []byte) []byte {
	b.t.Helper()
	if b.NoPDF {
		return []byte("not drawn\n")
	}
	pdf, err := paper.Paper{}.PDF(entries, checkpoint, b.read)
	b.must(err)
	return pdf
}

// Checkpoint returns the log's current signed checkpoint.
func (b *Builder) Checkpoint() []byte { return b.log.Checkpoint() }

func (b *Builder) entries() []*audit.Entry {
	var list []*audit.Entry
	b.must(b.log.Entries(0, func(e *audit.Entry) error {
		list = append(list, e)
		return nil
	}))
	return list
}

func (b *Builder) writeLines() {
	var out bytes.Buffer
	b.must(b.store.Entries(0, func(_ int64, encoded []byte) error {
		out.Write(encoded)
		out.WriteByte('\n')
		return nil
	}))
	b.must(bundle.Grow(b.dir, bundle.LogFile, out.Bytes()))
}

// Copy copies a bundle's files into a new folder, so that many tests can change
// one bundle.
func Copy(t testing.TB, from *Bundle) *Bundle {
	t.Helper()
	to := *from
	to.Dir = filepath.Join(t.TempDir(), "bundle")
	if err := os.CopyFS(to.Dir, os.DirFS(from.Dir)); err != nil {
		t.Fatal(err)
	}
	return &to
}

// Resum makes SHA256SUMS right again, as anybody can who changes a bundle.
func (m *Bundle) Resum(t testing.TB) {
	t.Helper()
	sums, err := bundle.Sums(m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	m.Write(t, bundle.SumsFile, sums)
}

// Read returns a file of the bundle.
func (m *Bundle) Read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(m.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Write replaces a file of the bundle.
func (m *Bundle) Write(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.Path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.Path(name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Path returns where a file of the bundle is.
func (m *Bundle) Path(name string) string { return filepath.Join(m.Dir, filepath.FromSlash(name)) }
