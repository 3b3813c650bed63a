package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// sqliteLeftovers stand beside audit.db while it is open.
var sqliteLeftovers = []string{bundle.DatabaseFile + "-wal", bundle.DatabaseFile + "-shm", bundle.DatabaseFile + "-journal"}

// checkFiles looks at the names: what is missing, what has no place, what is
// not a file.
func (v *verifier) checkFiles(c *Check, files []bundle.File) {
	c.Count = int64(len(files))
	after := 0
	for _, f := range files {
		switch {
		case !v.closed() && slices.Contains(sqliteLeftovers, f.Name):
		case !bundle.Known(f.Name):
			v.find(FileUnknown, f.Name, "the file has no place in a bundle", "", "")
		case f.Mode&fs.ModeType != 0:
			v.find(FileKind, f.Name, "not a regular file; it was not opened", "a file", f.Mode.Type().String())
		case strings.HasPrefix(f.Name, bundle.AfterDir+"/"):
			after++
		}
	}
	if after > 0 {
		c.Note = fmt.Sprintf("%d file(s) in after/ came later and stand outside SHA256SUMS", after)
	}
	if !v.closed() {
		v.checkNotClosed()
		return
	}
	for _, name := range []string{bundle.ScriptFile, bundle.DatabaseFile, bundle.LogFile, bundle.CheckpointFile, bundle.TranscriptFile, bundle.SumsFile} {
		if _, ok := v.files[name]; !ok && !v.leftOut(name) {
			v.find(FileMissing, name, "the file is missing", "", "")
		}
	}
	if v.wal {
		v.find(DatabaseFormat, bundle.DatabaseFile, "the log is closed, but its database is still in write-ahead mode", "", "")
	}
}

// checkNotClosed says what a log without an end can and cannot show.
func (v *verifier) checkNotClosed() {
	for _, name := range []string{bundle.ScriptFile, bundle.DatabaseFile} {
		if _, ok := v.files[name]; !ok {
			v.find(FileMissing, name, "the file is missing", "", "")
		}
	}
	what := "the log has no closing entry: the ceremony goes on, was paused or broke off"
	if v.wal {
		what += "; audit.db is open and was not read"
		if !v.has(bundle.LogFile) {
			what += ", and there is no log.jsonl: nothing was checked"
		} else {
			what += ", what was checked is log.jsonl as last written"
		}
	}
	v.find(LogNotClosed, "", what, "", "")
}

// beginSums begins to compute the digests of the two stores, which take the
// longest, while other checks run. The function it returns waits for them.
func (v *verifier) beginSums() (wait func()) {
	var all sync.WaitGroup
	v.digests = map[string]func() ([sha256.Size]byte, error){}
	for _, name := range []string{bundle.LogFile, bundle.DatabaseFile} {
		if !v.has(name) || !v.has(bundle.SumsFile) {
			continue
		}
		once := sync.OnceValues(func() ([sha256.Size]byte, error) { return bundle.Digest(v.root, name) })
		v.digests[name] = once
		all.Go(func() { _, _ = once() })
	}
	return all.Wait
}

// digest returns a file's SHA-256.
func (v *verifier) digest(name string) ([sha256.Size]byte, error) {
	if begun, ok := v.digests[name]; ok {
		return begun()
	}
	return bundle.Digest(v.root, name)
}

// checkSums compares SHA256SUMS with the files.
func (v *verifier) checkSums(c *Check) {
	b, ok := v.load(bundle.SumsFile)
	if !ok {
		c.Result = "not done"
		return
	}
	sums, err := bundle.ParseSums(b)
	if err != nil {
		v.find(SumsFormat, bundle.SumsFile, "the file is not in its one form", "", err.Error())
		return
	}
	listed := map[string]bool{}
	for _, s := range sums {
		listed[s.Name] = true
		if v.leftOut(s.Name) || v.replaced(s.Name) {
			c.Note = "what the copy hides was left out or replaced; those files' sums stand here for the original"
			continue
		}
		c.Count++
		if !v.has(s.Name) {
			v.find(FileMissing, s.Name, "the file is in SHA256SUMS, but not in the bundle", hex.EncodeToString(s.SHA256[:]), "")
			continue
		}
		sum, err := v.digest(s.Name)
		if err != nil {
			v.find(FileUnreadable, s.Name, "the file cannot be read", "", err.Error())
		} else if sum != s.SHA256 {
			v.find(SumDiffers, s.Name, "the file is not the one in SHA256SUMS", hex.EncodeToString(s.SHA256[:]), hex.EncodeToString(sum[:]))
		}
	}
	for name, f := range v.files {
		if bundle.Summed(name) && !listed[name] && f.Mode&fs.ModeType == 0 {
			v.find(FileUnknown, name, "the file is not in SHA256SUMS", "", "")
		}
	}
}

// checkManifest checks the manifest's signature and what it binds.
func (v *verifier) checkManifest(c *Check) {
	before := v.failures()
	b, ok := v.load(bundle.ManifestFile)
	if !ok {
		c.Result = "not done"
		if v.closed() {
			v.find(ManifestMissing, bundle.ManifestFile, "there is no manifest: nobody signed SHA256SUMS", "", "")
		}
		return
	}
	text, err := noteText(b)
	var m bundle.Manifest
	if err == nil {
		m, err = bundle.ParseManifest(text)
	}
	if err != nil {
		v.find(ManifestDiffers, bundle.ManifestFile, "the file is not a manifest", "", err.Error())
		return
	}
	if _, err := audit.OpenNote(b, v.lastKey()); err != nil {
		v.find(ManifestSignature, bundle.ManifestFile, "the manifest is not signed by the log key of the last segment", v.lastKey(), err.Error())
	} else if !oneSignature(b) {
		v.find(ManifestSignature, bundle.ManifestFile, "the manifest has further signatures", "one", "")
	}
	v.compareManifest(m)
	v.manifestHolds = v.failures() == before
}

// oneSignature reports whether a signed note has exactly one signature line.
func oneSignature(note []byte) bool {
	_, lines, _ := strings.Cut(string(note), "\n\n")
	return strings.Count(lines, "\n") == 1
}

func (v *verifier) compareManifest(m bundle.Manifest) {
	if m.Origin != v.log.origin() {
		v.find(ManifestDiffers, bundle.ManifestFile, "the manifest is of another log", v.log.origin(), m.Origin)
	}
	if m.Size != v.log.size || m.Root != v.log.root {
		v.find(ManifestDiffers, bundle.ManifestFile, "the manifest speaks of another state of the log",
			fmt.Sprintf("%d entries, root %s", v.log.size, v.log.root), fmt.Sprintf("%d entries, root %s", m.Size, m.Root))
	}
	b, ok := v.load(bundle.SumsFile)
	if sum := sha256.Sum256(b); ok && sum != m.Sums {
		v.find(ManifestDiffers, bundle.SumsFile, "SHA256SUMS is not the one in the manifest", hex.EncodeToString(m.Sums[:]), hex.EncodeToString(sum[:]))
	}
}

// checkKeys compares the files in keys/ with the keys that the log names.
func (v *verifier) checkKeys(c *Check) {
	c.Count = int64(len(v.log.segments))
	for _, s := range v.log.segments {
		name := bundle.LogKeyFile(s.Number)
		b, ok := v.load(name)
		switch {
		case !ok && v.closed():
			v.find(FileMissing, name, "the file with the log key is missing", s.LogKey, "")
		case ok && !bytes.Equal(b, []byte(s.LogKey+"\n")):
			v.find(KeyFileDiffers, name, "the file does not hold the log key of its segment, as one line", s.LogKey, string(b))
		}
	}
	v.checkWitnessKeyFiles()
	if v.log.open == nil {
		return
	}
	for name := range v.files {
		var n int
		if !strings.HasPrefix(name, bundle.KeysDir+"/") {
			continue
		}
		if v.isWitnessKey(name) {
			continue
		}
		rest := strings.TrimPrefix(name, bundle.KeysDir+"/log-")
		if _, err := fmt.Sscanf(rest, "%d.vkey", &n); err != nil || bundle.LogKeyFile(n) != name || n >= len(v.log.segments) {
			v.find(FileUnknown, name, "the file is no key of this log", "", "")
		}
	}
}

// checkScript compares script.yaml with the hash in the log's first entry.
func (v *verifier) checkScript(c *Check) {
	b, ok := v.load(bundle.ScriptFile)
	if !ok {
		c.Result = "not done"
		return
	}
	sum := sha256.Sum256(b)
	v.report.Script = hex.EncodeToString(sum[:])
	if v.log.open == nil {
		c.Result, c.Note = "not done", "the log has no first entry"
		return
	}
	s := v.log.open.Script
	if s.Name != bundle.ScriptFile || s.SHA256 != v.report.Script || s.Size != int64(len(b)) {
		v.findEntry(ScriptDiffers, bundle.ScriptFile, 0, "the script is not the one that the log began with",
			fmt.Sprintf("%s of %d bytes", s.SHA256, s.Size), fmt.Sprintf("%s of %d bytes", v.report.Script, len(b)))
	}
}
