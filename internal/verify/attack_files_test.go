package verify

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/pdf"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// storeAttacks are done to the two stores.
func storeAttacks() []attack {
	inSQL := func(statements string) func(*testing.T, *arena, *bundletest.Bundle) {
		return func(t *testing.T, _ *arena, b *bundletest.Bundle) { sqlite3(t, b, statements) }
	}
	return []attack{
		{name: "entry-changed-in-the-database", do: inSQL(`UPDATE entry SET body=CAST(replace(CAST(body AS TEXT),'Wil','Wim') AS BLOB) WHERE seq=4`), want: []Code{StoresDiffer, ChainBroken}},
		{name: "entry-changed-in-jsonl", do: func(t *testing.T, _ *arena, b *bundletest.Bundle) { replace(t, b, bundle.LogFile, "Wil", "Wim") }, want: []Code{StoresDiffer}},
		{name: "view-in-the-database", do: inSQL(`CREATE VIEW log AS SELECT seq, replace(CAST(body AS TEXT),'Wil','Wim') AS body FROM entry`), want: []Code{DatabaseFormat}},
		{name: "trigger-in-the-database", do: inSQL(`CREATE TRIGGER t BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END`), want: []Code{DatabaseFormat}},
		{name: "table-in-the-database", do: inSQL(`CREATE TABLE other(body BLOB) STRICT; INSERT INTO other SELECT body FROM entry`), want: []Code{DatabaseFormat}},
		{name: "index-in-the-database", do: inSQL(`CREATE INDEX i ON entry(body)`), want: []Code{DatabaseFormat}},
		{name: "schema-altered", do: inSQL(`PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql=replace(sql,' STRICT','') WHERE name='entry'`), want: []Code{DatabaseFormat}},
		{name: "row-before-the-first", do: inSQL(`INSERT INTO entry SELECT -1, body FROM entry WHERE seq=3`), want: []Code{DatabaseFormat, StoresDiffer}},
		{name: "row-behind-the-last", do: inSQL(`INSERT INTO entry SELECT 1000000, body FROM entry WHERE seq=3`), want: []Code{DatabaseFormat, StoresDiffer}},
		{name: "row-in-free-space", do: hideInFreeSpace, want: []Code{DatabaseFormat}},
		{name: "old-rows-in-free-pages", do: hideInFreePages, want: []Code{DatabaseFormat}},
		{name: "pages-behind-the-end", do: func(t *testing.T, _ *arena, b *bundletest.Bundle) {
			b.Write(t, bundle.DatabaseFile, append(b.Read(t, bundle.DatabaseFile), bytes.Repeat([]byte("hidden. "), 512)...))
		}, want: []Code{DatabaseFormat}},
		{name: "another-application-id", do: inSQL(`PRAGMA application_id=7`), want: []Code{DatabaseFormat}},
		{name: "write-ahead-log-left-over", do: leaveWAL, want: []Code{FileUnknown}},
		{name: "rollback-journal-left-over", do: leaveJournal, want: []Code{FileUnknown}},
	}
}

// hideInFreeSpace writes a text between the cells of a page, where SQLite never
// looks.
func hideInFreeSpace(t *testing.T, _ *arena, b *bundletest.Bundle) {
	db := b.Read(t, bundle.DatabaseFile)
	for page := 4096; page < len(db); page += 4096 {
		p := db[page : page+4096]
		from, to := 8+2*int(binary.BigEndian.Uint16(p[3:])), int(binary.BigEndian.Uint16(p[5:]))
		if p[0] == 0x0d && to-from > 100 {
			copy(p[from+20:], "a message to somebody")
			b.Write(t, bundle.DatabaseFile, db)
			return
		}
	}
	t.Fatal("no page has room")
}

// hideInFreePages deletes a table without overwriting it.
func hideInFreePages(t *testing.T, _ *arena, b *bundletest.Bundle) {
	query(t, b, "PRAGMA secure_delete=OFF; CREATE TABLE x(y BLOB); INSERT INTO x VALUES(zeroblob(20000)||CAST('hidden' AS BLOB)); DROP TABLE x")
}

// changedAside changes a copy of the database with SQLite and copies what lies
// beside it before SQLite has cleaned up.
func changedAside(t *testing.T, b *bundletest.Bundle, mode, suffix string) (main, beside []byte) {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "x.db")
	if err := os.WriteFile(name, b.Read(t, bundle.DatabaseFile), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sqlite3", "-bail", name)
	cmd.Stdin = strings.NewReader("PRAGMA journal_mode=" + mode + "; PRAGMA cache_size=1; BEGIN;\n" +
		"UPDATE entry SET body=CAST(replace(CAST(body AS TEXT),'Wil','Wim') AS BLOB);\n" +
		map[bool]string{true: "COMMIT;", false: ""}[mode == "wal"] + "\n.shell cp " + name + " " + dir + "/main\n.shell cp " + name + suffix + " " + dir + "/beside\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sqlite3: %v\n%s", err, out)
	}
	main, err := os.ReadFile(dir + "/main")
	if err != nil {
		t.Fatal(err)
	}
	if beside, err = os.ReadFile(dir + "/beside"); err != nil {
		t.Fatal(err)
	}
	return main, beside
}

// leaveWAL puts a write-ahead log beside the database that makes SQLite read other
// entries than the file holds.
func leaveWAL(t *testing.T, _ *arena, b *bundletest.Bundle) {
	_, wal := changedAside(t, b, "wal", "-wal")
	b.Write(t, bundle.DatabaseFile+"-wal", wal)
	aside := bundletest.Copy(t, b) // SQLite cleans up when it is asked
	if got := query(t, aside, "SELECT CAST(body AS TEXT) FROM entry WHERE seq=4"); !strings.Contains(got, "Wim") {
		t.Fatalf("SQLite reads %s: the attack does nothing", got)
	}
}

// leaveJournal leaves a database in which SQLite takes something back when it
// opens it, and which reads otherwise without the journal.
func leaveJournal(t *testing.T, _ *arena, b *bundletest.Bundle) {
	changed, journal := changedAside(t, b, "delete", "-journal")
	if !bytes.Contains(changed, []byte("Wim")) {
		t.Fatal("the attack does nothing")
	}
	b.Write(t, bundle.DatabaseFile+"-journal", journal)
}

// fileAttacks are done to the files beside the log.
func fileAttacks() []attack {
	put := func(names ...string) func(*testing.T, *arena, *bundletest.Bundle) {
		return func(t *testing.T, a *arena, b *bundletest.Bundle) { from(a.bundles["other"], names...)(t, b) }
	}
	return []attack{
		{name: "script-swapped", do: func(t *testing.T, _ *arena, b *bundletest.Bundle) {
			replace(t, b, bundle.ScriptFile, "Vault", "Cellar")
		}, want: []Code{ScriptDiffers}},
		{name: "artifact-swapped", do: put("artifacts/root.pem", "artifacts/root.pem.tbs", "artifacts/root.pub.pem"), want: []Code{ArtifactDiffers, SignatureUnexplained}},
		{name: "verifier-key-swapped", do: put("keys/log-0.vkey"), want: []Code{KeyFileDiffers}},
		{name: "rehearsals-log-in-the-production", base: "production", do: put(bundle.DatabaseFile, bundle.LogFile, bundle.CheckpointFile, bundle.ManifestFile, "keys/log-0.vkey"),
			want: []Code{ScriptDiffers, ArtifactDiffers}},
		{name: "productions-log-in-the-rehearsal", do: func(t *testing.T, a *arena, b *bundletest.Bundle) {
			from(a.bundles["production"], bundle.DatabaseFile, bundle.LogFile, bundle.CheckpointFile, bundle.ManifestFile, "keys/log-0.vkey")(t, b)
		}, want: []Code{ScriptDiffers, ArtifactDiffers}},
		{name: "checkpoint-of-another-ceremony", do: put(bundle.CheckpointFile), want: []Code{OriginDiffers, CheckpointSignature}},
		{name: "manifest-of-another-ceremony", do: put(bundle.ManifestFile), want: []Code{ManifestDiffers, ManifestSignature}},
		{name: "manifest-as-checkpoint", do: func(t *testing.T, _ *arena, b *bundletest.Bundle) {
			b.Write(t, bundle.CheckpointFile, b.Read(t, bundle.ManifestFile))
		}, want: []Code{CheckpointFormat}},
		{name: "page-note-as-checkpoint", do: pageAsCheckpoint, want: []Code{CheckpointFormat}},
		{name: "checkpoint-as-manifest", do: func(t *testing.T, _ *arena, b *bundletest.Bundle) {
			b.Write(t, bundle.ManifestFile, b.Read(t, bundle.CheckpointFile))
		}, want: []Code{ManifestDiffers}},
		{name: "file-added", do: func(t *testing.T, _ *arena, b *bundletest.Bundle) { b.Write(t, "README", []byte("Trust me.\n")) }, want: []Code{FileUnknown}},
		{name: "certificate-added", do: func(t *testing.T, a *arena, b *bundletest.Bundle) {
			b.Write(t, "artifacts/cross.pem", a.bundles["other"].Read(t, "artifacts/root.pem"))
		}, want: []Code{FileUnknown}},
		{name: "file-changed-sums-made-right", raw: true, do: func(t *testing.T, _ *arena, b *bundletest.Bundle) {
			flip(bundle.DatabaseFile, func([]byte) int { return 99 }, 1)(t, b)
			b.Resum(t)
		}, want: []Code{ManifestDiffers}},
	}
}

// pageAsCheckpoint signs a page's note as a signed note and passes it off as the
// checkpoint; the key is that of the forger, who made the whole log.
func pageAsCheckpoint(t *testing.T, _ *arena, b *bundletest.Bundle) {
	f := &forger{t: t, b: b}
	f.forge(nil)
	text := transcript.PageNote(b.Origin, audit.ModeRehearsal, 1, 9, f.roots[3], b.Size, f.roots[len(f.roots)-1])
	b.Write(t, bundle.CheckpointFile, signNote(t, f.key(0), text))
}

// paperAttacks change transcript.pdf.
func paperAttacks() []attack {
	drawn := func(change func(in *pdf.Input)) func(*testing.T, *arena, *bundletest.Bundle) {
		return func(t *testing.T, _ *arena, b *bundletest.Bundle) {
			b.Write(t, bundle.TranscriptFile, draw(t, b, change))
		}
	}
	list := []attack{
		{name: "pdf-page-changed", do: drawn(func(in *pdf.Input) { in.Pages[1].Lines[0].Text += " and nothing else" })},
		{name: "pdf-page-removed", do: drawn(func(in *pdf.Input) {
			in.Pages, in.Sealed = append(in.Pages[:2:2], in.Pages[3:]...), append(in.Sealed[:2:2], in.Sealed[3:]...)
		})},
		{name: "pdf-pages-reordered", do: drawn(func(in *pdf.Input) {
			in.Pages[2], in.Pages[3], in.Sealed[2], in.Sealed[3] = in.Pages[3], in.Pages[2], in.Sealed[3], in.Sealed[2]
		})},
		{name: "pdf-qr-replaced", do: drawn(func(in *pdf.Input) { in.Sealed[2].Signature = in.Sealed[3].Signature })},
		{name: "pdf-of-another-ceremony", do: func(t *testing.T, a *arena, b *bundletest.Bundle) {
			from(a.bundles["papers"], bundle.TranscriptFile)(t, b)
		}},
		{name: "pdf-drawn-from-a-changed-log", do: func(t *testing.T, _ *arena, b *bundletest.Bundle) {
			changed := bundletest.Copy(t, b)
			f := &forger{t: t, b: changed, pdf: true}
			f.forge(inEach(func(_ string, d *audit.Attendance) { d.Identity = "seen by nobody" }))
			from(changed, bundle.TranscriptFile)(t, b)
		}},
	}
	for i := range list {
		list[i].base, list[i].pdf, list[i].want = "paper", true, []Code{PDFDiffers}
	}
	return list
}

// draw draws a bundle's transcript as keyrite does, but for what change does.
func draw(t *testing.T, b *bundletest.Bundle, change func(*pdf.Input)) []byte {
	t.Helper()
	entries := entriesOf(t, b)
	read := func(name string) ([]byte, error) { return os.ReadFile(b.Path(name)) }
	commit, sealed, err := paper.Committed(entries)
	if err != nil {
		t.Fatal(err)
	}
	head, err := ParseHead(commit.Head)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := paper.Paper{}.Pages(entries[:commit.Size], head, read)
	if err != nil {
		t.Fatal(err)
	}
	if commit.Go != runtime.Version() {
		t.Fatalf("the bundle was made with %s", commit.Go)
	}
	checkpoint := b.Read(t, bundle.CheckpointFile)
	in := pdf.Input{
		Pages: pages, Closing: transcript.ClosingPage(pages, checkpoint, b.LogKeys...), Sealed: sealed, Size: commit.Size, Head: head,
		Origin: b.Origin, Mode: audit.ModeRehearsal, Checkpoint: checkpoint, Title: "Root ceremony", Created: entries[len(entries)-1].Time,
	}
	if change == nil {
		change = func(*pdf.Input) {}
	}
	change(&in)
	for i, digest := range transcript.Digests(in.Pages) {
		in.Sealed[i].Digest = digest.String() // the drawing program wants that they fit; the signature is no more the log key's
	}
	out, err := pdf.Render(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDrawn shows that the attacks' program draws what keyrite draws.
func TestDrawn(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{})
	if !bytes.Equal(draw(t, b, nil), b.Read(t, bundle.TranscriptFile)) {
		t.Error("another PDF than keyrite's")
	}
}
