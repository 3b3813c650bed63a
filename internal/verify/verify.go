package verify

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/transcript"
)

// Files reads files of a bundle. Name is a path inside it; what is no regular
// file, or larger than any such file of a bundle, is an error.
type Files interface {
	Read(name string) ([]byte, error)
}

// A Recomposer makes the transcript from the log again: the pages from the
// entries that their commitment covers (entries 0…Size−1 of the first
// transcript entry), the PDF from all. A pdf of no bytes with no error means
// that this program has not the renderer, fonts or Go version that the log
// names, so that its PDF would differ.
type Recomposer func(b Files, entries []*audit.Entry) (pages []transcript.Page, pdf []byte, err error)

// Options is what the auditor brings along. The zero Options trust nothing
// from outside.
type Options struct {
	LogKeys       []string // verifier keys that were read aloud, in sumdb/note form
	Head          string   // final root: 64 hex digits or 32 PGP words
	ScriptSHA256  string   // hash of the script that was agreed, hex
	WitnessKeys   []string // witnesses' verifier keys, VKEY or NAME=VKEY
	Policy        []byte   // a C2SP tlog-policy; nil for none
	TSACA         []byte   // certificates of time-stamp authorities' CAs, PEM; nil for none
	CountExposed  bool     // witnesses' keys that were unlocked on the ceremony machine count like others
	RequireAnchor bool     // a log that nothing anchors is no success
	Verifier      string   // this program's name and version, for the report
	Recompose     Recomposer
	// Progress, if set, is called now and then with the number of entries read.
	Progress func(entries int64)

	maxHeld    int                // 0: the package's limit; tests set less
	maxEntries int64              // the same
	enough     func(*Report) bool // tests that only want to know whether anything is found end a check early
}

// Bundle checks the bundle in the folder dir and returns everything it found.
// The error is nil unless there is no bundle to read or an option is not what
// it should be ([ErrUsage]).
func Bundle(dir string, o Options) (*Report, error) {
	given, err := parseGiven(o)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the bundle: %w", err)
	}
	files, err := bundle.Read(dir)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	if !slices.ContainsFunc(files, func(f bundle.File) bool { return f.Name == bundle.DatabaseFile || f.Name == bundle.LogFile }) {
		return nil, errors.Join(fmt.Errorf("no bundle in %q: it has neither %s nor %s", dir, bundle.DatabaseFile, bundle.LogFile), root.Close())
	}
	v := &verifier{
		Options: o, given: given, root: root, files: map[string]bundle.File{},
		report: &Report{Schema: ReportSchema, Verifier: o.Verifier, Bundle: dir, CannotKnow: cannotKnow},
	}
	for _, f := range files {
		v.files[f.Name] = f
	}
	v.run(files)
	return v.report, root.Close()
}

// cannotKnow is what stands under every report.
var cannotKnow = []string{
	"who was in the room: names and documents are what was typed",
	"what happened before the cameras, and whether the room was closed",
	"whether the PKCS#11 module and the token did what they answered",
	"whether the program was the one its authors released: compare its hash with one from elsewhere",
	"whether the log key was wiped after the close",
}

// A verifier checks one bundle.
type verifier struct {
	Options
	given  given
	root   *os.Root
	files  map[string]bundle.File // all names in the folder
	report *Report

	log        *facts           // what the log says; never nil after readLog
	final      audit.Checkpoint // of the file checkpoint
	finalNote  []byte           // nil if the file is missing or unreadable
	finalReads bool             // final is what the file says
	stored     []byte           // head in audit.db, nil if unknown
	wal        bool             // audit.db is open in WAL mode
	kept       map[int64]bool   // sizes of the checkpoints in audit.db; nil if it was not read

	outlined  *outlinedScript                              // the script, if it was read
	digests   map[string]func() ([sha256.Size]byte, error) // of files, begun early
	redaction *bundle.Redaction                            // what the copy hides; nil if it is not a redacted one

	manifestHolds bool // the manifest is signed by the log key and speaks of this bundle
	pdfCompared   bool // transcript.pdf was drawn again

	ends       func(*Report) bool // Options.enough, once the log is read
	extra      []extraNote        // checkpoints with further signature lines
	extraBytes int                // of their notes, those left out included
	extraTold  bool               // some were left out
	keys       []*knownKey        // of witnesses
	strangers  []string           // names of unknown keys with a line on the final checkpoint

	last        *content             // the file read last
	artifactsOf map[int64][]artifact // by the C_Sign outcome that they name
	signOf      map[int64]*signing   // by its outcome
	spkis       map[string]bool      // public keys of the log, and their SHA-256, hex
}

// run makes all checks in the order of the report.
func (v *verifier) run(files []bundle.File) {
	defer v.beginSums()()
	v.readRedaction()
	v.readCheckpointFile()
	v.readLog()
	v.ends = v.enough
	v.check("files of the bundle", "files", func(c *Check) { v.checkFiles(c, files) })
	v.check("redaction", "hidden entries", v.checkRedaction)
	v.check("SHA256SUMS", "files", v.checkSums)
	v.check("manifest", "", v.checkManifest)
	v.report.Checks = append(v.report.Checks, v.log.checks...)
	v.check("final checkpoint", "", v.checkFinal)
	v.check("log keys", "segments", v.checkKeys)
	v.check("witness keys", "keys", v.checkWitnessKeys)
	v.check("cosignatures", "cosignatures", v.checkCosignatures)
	v.check("script", "", v.checkScript)
	v.check("plan", "steps", v.checkPlan)
	v.check("approvals of the script", "approvals", v.checkScriptApprovals)
	v.check("signatures", "C_Sign calls", v.checkSignatures)
	v.check("artifacts", "files", v.checkArtifacts)
	v.check("names", "names", v.checkNames)
	v.check("origin of the keys", "keys", v.checkOrigins)
	v.check("proof of where keys were made", "keys", v.checkAttestations)
	v.check("destroyed keys", "ends", v.checkDestroyed)
	v.check("key backups", "entries", v.checkBackups)
	v.check("certificate requests and files", "files", v.checkRequests)
	v.check("exports", "files", v.checkExports)
	v.check("rules for certificates and CRLs", "objects", v.checkRules)
	v.check("values read back", "values", v.checkHeard)
	v.check("machine, materials and custody", "values", v.checkActs)
	if v.log.drill.entries > 0 {
		v.check("drill", "entries", v.checkDrill)
	}
	v.check("recorded heads", "entries", v.checkHeads)
	v.check("transcript", "pages", v.checkTranscript)
	v.check("witnesses", "witnesses", v.checkWitnesses)
	v.check("signed verdicts", "verdicts", v.checkVerdictNotes)
	v.check("signed approvals", "approvals", v.checkApprovals)
	v.check("times", "values", v.checkTimes)
	v.check("given from outside", "values", v.checkGiven)
	v.describe()
	// Whoever brings a value along wants to know whether it vouches for all.
	v.report.conclude(v.wants())
}

// check runs one check and notes whether it added a failure.
func (v *verifier) check(name, of string, f func(*Check)) {
	if v.ends != nil && v.ends(v.report) {
		return
	}
	c := Check{Name: name, Of: of, Result: "holds"}
	before := v.failures()
	f(&c)
	if v.failures() > before {
		c.Result = "fails"
	}
	v.report.Checks = append(v.report.Checks, c)
}

func (v *verifier) failures() int {
	n := v.report.MoreFailures
	for _, f := range v.report.Findings {
		if f.Weight == Failure {
			n++
		}
	}
	return n
}

// find reports a finding about a file as a whole.
func (v *verifier) find(code Code, file, what, expected, found string) {
	v.report.add(entryFinding(code, file, -1, what, expected, found))
}

// findEntry reports a finding about an entry of the log.
func (v *verifier) findEntry(code Code, file string, entry int64, what, expected, found string) {
	v.report.add(entryFinding(code, file, entry, what, expected, found))
}

// entryFinding returns a finding about an entry, −1 for none.
func entryFinding(code Code, file string, entry int64, what, expected, found string) Finding {
	return Finding{Code: code, Weight: code.weight(), File: file, Entry: entry, Offset: -1, What: what, Expected: expected, Found: found}
}

// The most bytes that files of a bundle may have, where they are read whole.
const (
	maxSmall = 1 << 20   // notes, the script
	maxLarge = 16 << 20  // SHA256SUMS; bundle.Open takes less of all others
	maxPDF   = 256 << 20 // the transcript
)

// Read reads a file of the bundle; see [Files].
func (v *verifier) Read(name string) ([]byte, error) {
	limit := int64(maxLarge)
	switch name {
	case bundle.TranscriptFile:
		limit = maxPDF
	case bundle.ScriptFile, bundle.CheckpointFile, bundle.ManifestFile:
		limit = maxSmall
	}
	f, err := bundle.Open(v.root, name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("reading %q: over %d bytes", name, limit)
	}
	return b, errors.Join(err, f.Close())
}

// load reads a file that should be there. Whatever keeps it from that is
// reported, but a missing file only once, by checkFiles.
func (v *verifier) load(name string) ([]byte, bool) {
	if !v.has(name) {
		return nil, false
	}
	b, err := v.Read(name)
	if err != nil {
		v.find(FileUnreadable, name, "the file cannot be read", "", err.Error())
		return nil, false
	}
	return b, true
}

// has reports whether there is a regular file of that name.
func (v *verifier) has(name string) bool {
	f, ok := v.files[name]
	return ok && f.Mode&fs.ModeType == 0
}

// limit is the most bytes of entries that are kept in memory.
func (v *verifier) limit() int {
	if v.maxHeld > 0 {
		return v.maxHeld
	}
	return maxHeld
}

// entryLimit is the most entries that are read.
func (v *verifier) entryLimit() int64 {
	if v.maxEntries > 0 {
		return v.maxEntries
	}
	return maxEntries
}

// closed reports whether the log has its last entry.
func (v *verifier) closed() bool { return v.log.close != nil }
