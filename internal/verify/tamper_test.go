package verify

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// resign signs the text of a note of the bundle with a new key of the same name.
func resign(t *testing.T, b *bundletest.Bundle, name string) *audit.LogKey {
	t.Helper()
	text, err := noteText(b.Read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	key, err := audit.NewLogKey(b.Origin, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(t, name, signNote(t, key, text))
	return key
}

func signNote(t *testing.T, key *audit.LogKey, text string) []byte {
	t.Helper()
	n, err := key.SignNote(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// replace changes a file by replacing a text that is there.
func replace(t *testing.T, b *bundletest.Bundle, name, old, by string) {
	t.Helper()
	was := b.Read(t, name)
	now := bytes.Replace(was, []byte(old), []byte(by), 1)
	if bytes.Equal(was, now) {
		t.Fatalf("%q is not in %s", old, name)
	}
	b.Write(t, name, now)
}

// from puts a file of another bundle in the place of this one's.
func from(other *bundletest.Bundle, names ...string) func(*testing.T, *bundletest.Bundle) {
	return func(t *testing.T, b *bundletest.Bundle) {
		for _, name := range names {
			b.Write(t, name, other.Read(t, name))
		}
	}
}

// flip flips a bit of a file.
func flip(name string, at func(b []byte) int, bit byte) func(*testing.T, *bundletest.Bundle) {
	return func(t *testing.T, b *bundletest.Bundle) {
		content := b.Read(t, name)
		content[at(content)] ^= bit
		b.Write(t, name, content)
	}
}

// tamperings lists what is done, and what must be found where.
func tamperings(base map[string]*bundletest.Bundle) []tampering {
	other := base["other"]
	last := base[""].Size - 1
	return append([]tampering{
		{name: "a bit of an entry in audit.db", change: flip(bundle.DatabaseFile, func(b []byte) int { return bytes.Index(b, []byte(`"seq":17,`)) + 20 }, 1),
			want: []wanted{{StoresDiffer, bundle.DatabaseFile, 17}, {ChainBroken, bundle.DatabaseFile, 18}}},
		{name: "an entry in audit.db, as SQL", change: func(t *testing.T, b *bundletest.Bundle) {
			sqlite3(t, b, `UPDATE entry SET body=CAST(replace(CAST(body AS TEXT),'Wil','Wim') AS BLOB) WHERE seq=4`)
		}, want: []wanted{{StoresDiffer, bundle.DatabaseFile, 4}, {ChainBroken, bundle.DatabaseFile, 5}, {CheckpointRoot, bundle.DatabaseFile, -2}}},
		{name: "a row added to audit.db", change: func(t *testing.T, b *bundletest.Bundle) {
			sqlite3(t, b, fmt.Sprintf("INSERT INTO entry SELECT %d, body FROM entry WHERE seq=3", last+1))
		}, want: []wanted{{StoresDiffer, bundle.DatabaseFile, last + 1}, {ChainBroken, bundle.DatabaseFile, last + 1}}},
		{name: "a table in audit.db", change: func(t *testing.T, b *bundletest.Bundle) { sqlite3(t, b, "CREATE TABLE x(y)") },
			want: []wanted{{DatabaseFormat, bundle.DatabaseFile, -1}}},
		{name: "a page behind audit.db", change: func(t *testing.T, b *bundletest.Bundle) {
			b.Write(t, bundle.DatabaseFile, append(b.Read(t, bundle.DatabaseFile), make([]byte, 4096)...))
		}, want: []wanted{{DatabaseFormat, bundle.DatabaseFile, -1}}},
		{name: "audit.db in WAL mode", change: func(t *testing.T, b *bundletest.Bundle) {
			db := b.Read(t, bundle.DatabaseFile)
			db[18], db[19] = 2, 2
			b.Write(t, bundle.DatabaseFile, db)
		}, want: []wanted{{DatabaseFormat, bundle.DatabaseFile, -1}}},
		{name: "audit.db cut off", change: func(t *testing.T, b *bundletest.Bundle) {
			b.Write(t, bundle.DatabaseFile, b.Read(t, bundle.DatabaseFile)[:40000])
		}, want: []wanted{{DatabaseFormat, bundle.DatabaseFile, -1}, {StoresDiffer, "", -2}}},
		{name: "audit.db emptied", change: func(t *testing.T, b *bundletest.Bundle) { b.Write(t, bundle.DatabaseFile, nil) },
			want: []wanted{{DatabaseFormat, bundle.DatabaseFile, -1}}},
		{name: "another head in audit.db", change: func(t *testing.T, b *bundletest.Bundle) {
			sqlite3(t, b, "UPDATE head SET note=(SELECT note FROM checkpoint ORDER BY size LIMIT 1)")
		}, want: []wanted{{StoredHeadDiffers, bundle.DatabaseFile, -1}}},
		{name: "a kept checkpoint for too many entries", change: func(t *testing.T, b *bundletest.Bundle) {
			sqlite3(t, b, "INSERT INTO checkpoint SELECT 9999, note FROM head")
		}, want: []wanted{{LogCut, bundle.DatabaseFile, -1}}},
		{name: "line deleted", change: func(t *testing.T, b *bundletest.Bundle) {
			lines(t, b, func(l []string) []string { return append(l[:30:30], l[31:]...) })
		}, want: []wanted{{StoresDiffer, bundle.LogFile, 30}, {ChainBroken, bundle.LogFile, 30}}},
		{name: "lines swapped", change: func(t *testing.T, b *bundletest.Bundle) {
			lines(t, b, func(l []string) []string { l[30], l[31] = l[31], l[30]; return l })
		}, want: []wanted{{StoresDiffer, bundle.LogFile, 30}, {ChainBroken, bundle.LogFile, 30}}},
		{name: "line repeated", change: func(t *testing.T, b *bundletest.Bundle) {
			lines(t, b, func(l []string) []string { return append(l[:31:31], l[30:]...) })
		}, want: []wanted{{StoresDiffer, bundle.LogFile, 31}, {ChainBroken, bundle.LogFile, 31}}},
		{name: "last line dropped", change: func(t *testing.T, b *bundletest.Bundle) {
			lines(t, b, func(l []string) []string { return l[:len(l)-1] })
		}, want: []wanted{{StoresDiffer, bundle.LogFile, last}}},
		{name: "line not canonical", change: func(t *testing.T, b *bundletest.Bundle) {
			lines(t, b, func(l []string) []string { l[8] = strings.Replace(l[8], `":`, `": `, 1); return l })
		}, want: []wanted{{StoresDiffer, bundle.LogFile, 8}, {EntryFormat, bundle.LogFile, 8}}},
		{name: "line endless", change: func(t *testing.T, b *bundletest.Bundle) {
			lines(t, b, func(l []string) []string { l[8] = strings.Repeat("x", 1<<20) + "\n"; return l })
		}, want: []wanted{{LinesFormat, bundle.LogFile, -1}, {EntryFormat, bundle.LogFile, 8}, {StoresDiffer, bundle.LogFile, 8}}},
		{name: "last line not ended", change: func(t *testing.T, b *bundletest.Bundle) {
			l := b.Read(t, bundle.LogFile)
			b.Write(t, bundle.LogFile, l[:len(l)-1])
		}, want: []wanted{{LinesFormat, bundle.LogFile, -1}}},
		{name: "an entry, with all hashes made right", change: func(t *testing.T, b *bundletest.Bundle) {
			rewrite(t, b, func(e []*audit.Entry) []*audit.Entry { e[4].Data.(*audit.Attendance).Name = "Somebody"; return e })
		}, want: []wanted{{CheckpointRoot, bundle.CheckpointFile, last}, {CheckpointRoot, bundle.DatabaseFile, 9}}},
		{name: "tail cut, with all hashes made right", change: func(t *testing.T, b *bundletest.Bundle) {
			rewrite(t, b, func(e []*audit.Entry) []*audit.Entry {
				closing := e[len(e)-1]
				closing.Data.(*audit.Close).Size--
				return append(e[:len(e)-2], closing)
			})
		}, want: []wanted{{LogCut, bundle.LogFile, last}}},
		{name: "entry added after the close", change: func(t *testing.T, b *bundletest.Bundle) {
			rewrite(t, b, func(e []*audit.Entry) []*audit.Entry {
				more := *e[len(e)-1]
				more.Data = &audit.Result{Name: "late", Value: "addition"}
				return append(e, &more)
			})
		}, want: []wanted{{AfterClose, bundle.LogFile, last + 1}, {UnsignedTail, bundle.LogFile, last + 1}}},
		{name: "segments reordered", base: "pause", change: func(t *testing.T, b *bundletest.Bundle) {
			rewrite(t, b, func(e []*audit.Entry) []*audit.Entry { return append(append(e[:1:1], e[48:86]...), e[1:48]...) })
		}, want: []wanted{{SegmentCheckpoint, bundle.LogFile, 1}, {CheckpointSignature, "", -2}}},
		{name: "checkpoint signed by another key", change: func(t *testing.T, b *bundletest.Bundle) { resign(t, b, bundle.CheckpointFile) },
			want: []wanted{{CheckpointSignature, bundle.CheckpointFile, last}, {StoredHeadDiffers, bundle.DatabaseFile, -1}}},
		{name: "checkpoint is junk", change: func(t *testing.T, b *bundletest.Bundle) { b.Write(t, bundle.CheckpointFile, []byte("junk\n")) },
			want: []wanted{{CheckpointFormat, bundle.CheckpointFile, -1}}},
		{name: "checkpoint of another ceremony", change: from(other, bundle.CheckpointFile),
			want: []wanted{{OriginDiffers, bundle.CheckpointFile, -2}, {CheckpointSignature, bundle.CheckpointFile, -2}}},
		{name: "log replaced together with its key", change: func(t *testing.T, b *bundletest.Bundle) {
			if err := os.RemoveAll(b.Dir); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(b.Dir, os.DirFS(other.Dir)); err != nil {
				t.Fatal(err)
			}
		}, given: func(o *bundletest.Bundle) Options { return Options{LogKeys: o.LogKeys} }, want: []wanted{{LogKeyDiffers, "", -1}}},
		{name: "another head than the one noted", change: func(*testing.T, *bundletest.Bundle) {},
			given: func(*bundletest.Bundle) Options { return Options{Head: other.Head} }, want: []wanted{{HeadDiffersFromGiven, "", -1}}},
		{name: "another script than the one agreed", change: func(*testing.T, *bundletest.Bundle) {},
			given: func(o *bundletest.Bundle) Options { return Options{ScriptSHA256: o.Head} }, want: []wanted{{ScriptNotAgreed, bundle.ScriptFile, -1}}},
	}, fileTamperings(other)...)
}

// fileTamperings are those to the files beside the log.
func fileTamperings(other *bundletest.Bundle) []tampering {
	nothing := func(*testing.T, *bundletest.Bundle) {}
	remove := func(name string) func(*testing.T, *bundletest.Bundle) {
		return func(t *testing.T, b *bundletest.Bundle) {
			if err := os.Remove(b.Path(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	list := []tampering{
		{name: "script edited", change: func(t *testing.T, b *bundletest.Bundle) { replace(t, b, bundle.ScriptFile, "Vault", "Cellar") },
			want: []wanted{{ScriptDiffers, bundle.ScriptFile, 0}}},
		{name: "certificate of another ceremony", change: from(other, "artifacts/root.pem"),
			want: []wanted{{ArtifactDiffers, "artifacts/root.pem", -2}}},
		{name: "certificate and its signed bytes of another ceremony", change: from(other, "artifacts/root.pem", "artifacts/root.pem.tbs"),
			want: []wanted{{ArtifactDiffers, "artifacts/root.pem", -2}, {ArtifactDiffers, "artifacts/root.pem.tbs", -2}, {SignatureUnexplained, "artifacts/root.pem.tbs", -2}}},
		{name: "page of the PDF changed", pdf: true, change: flip(bundle.TranscriptFile, func(b []byte) int { return len(b) / 2 }, 1),
			want: []wanted{{PDFDiffers, bundle.TranscriptFile, -1}}},
		{name: "PDF of another ceremony", pdf: true, change: from(other, bundle.TranscriptFile), want: []wanted{{PDFDiffers, bundle.TranscriptFile, -1}}},
		{name: "key file of another ceremony", change: from(other, "keys/log-0.vkey"), want: []wanted{{KeyFileDiffers, "keys/log-0.vkey", -1}}},
		{name: "a key file too many", change: func(t *testing.T, b *bundletest.Bundle) {
			b.Write(t, "keys/log-1.vkey", b.Read(t, "keys/log-0.vkey"))
		}, want: []wanted{{FileUnknown, "keys/log-1.vkey", -1}}},
		{name: "manifest signed by another key", change: func(t *testing.T, b *bundletest.Bundle) { resign(t, b, bundle.ManifestFile) },
			want: []wanted{{ManifestSignature, bundle.ManifestFile, -1}}},
		{name: "manifest signed twice", change: func(t *testing.T, b *bundletest.Bundle) {
			good := b.Read(t, bundle.ManifestFile)
			resign(t, b, bundle.ManifestFile)
			_, line, _ := strings.Cut(string(b.Read(t, bundle.ManifestFile)), "\n\n")
			b.Write(t, bundle.ManifestFile, append(good, line...))
		}, want: []wanted{{ManifestSignature, bundle.ManifestFile, -1}}},
		{name: "manifest of another ceremony", change: from(other, bundle.ManifestFile),
			want: []wanted{{ManifestDiffers, bundle.ManifestFile, -1}, {ManifestSignature, bundle.ManifestFile, -1}}},
		{name: "manifest is junk", change: func(t *testing.T, b *bundletest.Bundle) { b.Write(t, bundle.ManifestFile, []byte("junk")) },
			want: []wanted{{ManifestDiffers, bundle.ManifestFile, -1}}},
		{name: "a rehearsal's log passed off as the production's", base: "production",
			change: from(other, bundle.DatabaseFile, bundle.LogFile, bundle.CheckpointFile, bundle.ManifestFile, "keys/log-0.vkey"),
			given:  func(o *bundletest.Bundle) Options { return Options{LogKeys: o.LogKeys} },
			want:   []wanted{{LogKeyDiffers, "", -1}, {ArtifactDiffers, "artifacts/root.pem", -2}, {PagesDiffer, "", -2}}},
		{name: "foreign file", change: func(t *testing.T, b *bundletest.Bundle) { b.Write(t, "notes.txt", nil) },
			want: []wanted{{FileUnknown, "notes.txt", -1}}},
		{name: "artifact that the log does not know", change: from2(other, "artifacts/root.pem", "artifacts/cross.pem"),
			want: []wanted{{FileUnknown, "artifacts/cross.pem", -1}}},
		{name: "write-ahead log beside audit.db", change: func(t *testing.T, b *bundletest.Bundle) { b.Write(t, "audit.db-wal", []byte("x")) },
			want: []wanted{{FileUnknown, "audit.db-wal", -1}}},
		{name: "script too large", change: func(t *testing.T, b *bundletest.Bundle) {
			if err := os.Truncate(b.Path(bundle.ScriptFile), 2<<20); err != nil {
				t.Fatal(err)
			}
		}, want: []wanted{{FileUnreadable, bundle.ScriptFile, -1}}},
	}
	for _, name := range []string{bundle.ScriptFile, bundle.DatabaseFile, bundle.LogFile, bundle.CheckpointFile, bundle.TranscriptFile, "keys/log-0.vkey", "artifacts/root.pem", "artifacts/root.crl.pem.tbs"} {
		list = append(list, tampering{name: name + " removed", change: remove(name), want: []wanted{{FileMissing, name, -2}}})
		if name != bundle.TranscriptFile && name != bundle.DatabaseFile && name != bundle.ScriptFile {
			list = append(list, tampering{name: name + " emptied", change: func(t *testing.T, b *bundletest.Bundle) { b.Write(t, name, nil) }})
		}
	}
	return append(list, tampering{name: "nothing, but a wrong key is given", change: nothing,
		given: func(*bundletest.Bundle) Options { return Options{LogKeys: other.LogKeys} }, want: []wanted{{LogKeyDiffers, "", -1}}})
}

// from2 puts a file of another bundle under another name.
func from2(other *bundletest.Bundle, name, as string) func(*testing.T, *bundletest.Bundle) {
	return func(t *testing.T, b *bundletest.Bundle) { b.Write(t, as, other.Read(t, name)) }
}

// TestSums changes what the sums alone can find.
func TestSums(t *testing.T) {
	base := bundletest.Make(t, bundletest.Ceremony{})
	for name, test := range map[string]struct {
		change func(t *testing.T, b *bundletest.Bundle)
		want   wanted
	}{
		"SHA256SUMS removed": {func(t *testing.T, b *bundletest.Bundle) {
			if err := os.Remove(b.Path(bundle.SumsFile)); err != nil {
				t.Fatal(err)
			}
		}, wanted{FileMissing, bundle.SumsFile, -1}},
		"SHA256SUMS in another form": {func(t *testing.T, b *bundletest.Bundle) { replace(t, b, bundle.SumsFile, "  ", " *") },
			wanted{SumsFormat, bundle.SumsFile, -1}},
		"one sum": {flip(bundle.SumsFile, func([]byte) int { return 3 }, 1), wanted{ManifestDiffers, bundle.SumsFile, -1}},
		"SQLite's version in audit.db": {flip(bundle.DatabaseFile, func([]byte) int { return 99 }, 1),
			wanted{SumDiffers, bundle.DatabaseFile, -1}},
		"a line left out": {func(t *testing.T, b *bundletest.Bundle) {
			sums := b.Read(t, bundle.SumsFile)
			b.Write(t, bundle.SumsFile, sums[bytes.IndexByte(sums, '\n')+1:])
		}, wanted{FileUnknown, "", -1}},
		"link": {func(t *testing.T, b *bundletest.Bundle) {
			if err := os.Rename(b.Path(bundle.ScriptFile), b.Path("after")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("after", b.Path(bundle.ScriptFile)); err != nil {
				t.Fatal(err)
			}
		}, wanted{FileKind, bundle.ScriptFile, -1}},
	} {
		b := bundletest.Copy(t, base)
		test.change(t, b)
		if r := check(t, b, Options{}); r.Exit != ExitFailed || !test.want.in(r) {
			t.Errorf("%s: exit %d, no %v\n%s", name, r.Exit, test.want, codes(r))
		}
	}
}

// TestAfter shows that what came later is no part of what was signed.
func TestAfter(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{})
	b.Write(t, "after/receipt.txt", []byte("signed"))
	if r := check(t, b, Options{}); r.Exit != ExitSound || !strings.Contains(r.Checks[0].Note, "1 file(s) in after/") {
		t.Errorf("exit %d, %q\n%s", r.Exit, r.Checks[0].Note, codes(r))
	}
}
