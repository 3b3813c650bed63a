package verify

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// shellBlocks returns the blocks of shell commands in a document.
func shellBlocks(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, part := range strings.Split(string(b), "\n```sh\n")[1:] {
		block, _, ok := strings.Cut(part, "\n```\n")
		if !ok {
			t.Fatalf("%s: a block does not end", path)
		}
		blocks = append(blocks, block)
	}
	return blocks
}

// byHand runs the blocks one after the other in a bundle's folder. It returns
// the number of the block that failed, from 1, or 0, and what was printed.
func byHand(t *testing.T, blocks []string, dir string) (failed int, out string) {
	t.Helper()
	var script strings.Builder
	for i, block := range blocks {
		fmt.Fprintf(&script, "echo '== block %d'\n%s\n", i+1, block)
	}
	cmd := exec.Command("bash", "-eu", "-o", "pipefail", "-c", script.String())
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+t.TempDir())
	b, err := cmd.CombinedOutput()
	if err == nil {
		return 0, string(b)
	}
	return strings.Count(string(b), "== block "), string(b)
}

// The document's commands hold on a bundle that is sound, all of them, and the
// block that speaks of what was changed fails. Those before it that it does not
// need are left out, to save time.
func TestVerifyByHand(t *testing.T) {
	blocks := shellBlocks(t, "../../docs/verify-without-keyrite.md")
	sound := bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Failed: true, Pause: true})
	if failed, out := byHand(t, blocks, sound.Dir); failed != 0 || !strings.HasSuffix(out, "all of it holds\n") || len(blocks) < 10 {
		t.Errorf("block %d of %d failed on a bundle that is sound\n%s", failed, len(blocks), out)
	}
	lied := bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Change: edit(func(step string, d *audit.HSMIntent) {
		if d.Function == "C_Sign" && step == "root-certificate" {
			d.Data = strings.Repeat("0", len(d.Data))
		}
	})})
	const begin, chain, key, database, sums = "origin=", `"$W/before"`, "der()", "database()", "--quiet SHA256SUMS"
	for _, test := range []struct {
		name   string
		base   *bundletest.Bundle
		change func(b *bundletest.Bundle)
		blocks []string // what each has in it; the last must fail
	}{
		{"an entry", sound, func(b *bundletest.Bundle) {
			replace(t, b, bundle.LogFile, `"name":"Wil Muster"`, `"name":"Wim Muster"`)
		}, []string{begin, chain}},
		{"an entry, all hashes made again", sound, func(b *bundletest.Bundle) {
			rewrite(t, b, func(e []*audit.Entry) []*audit.Entry { e[4].Data.(*audit.Attendance).Name = "Somebody"; return e })
		}, []string{begin, chain, "$W/level"}},
		{"white space in an entry", sound, func(b *bundletest.Bundle) {
			b.Write(t, bundle.LogFile, append(bytes.TrimSuffix(b.Read(t, bundle.LogFile), []byte("}\n")), " }\n"...))
		}, []string{begin, chain, "jq -cS"}},
		{"the checkpoint's key", sound, func(b *bundletest.Bundle) { resign(t, b, bundle.CheckpointFile) }, []string{begin, key}},
		{"a segment's key file", sound, func(b *bundletest.Bundle) { b.Write(t, "keys/log-0.vkey", b.Read(t, "keys/log-1.vkey")) }, []string{begin, key, "former.der"}},
		{"an entry in audit.db", sound, func(b *bundletest.Bundle) {
			sqlite3(t, b, `UPDATE entry SET body=CAST(replace(CAST(body AS TEXT),'Wil','Wim') AS BLOB) WHERE seq=4`)
		}, []string{begin, database}},
		{"a table in audit.db", sound, func(b *bundletest.Bundle) { sqlite3(t, b, "CREATE TABLE x(y)") }, []string{begin, database}},
		{"a file", sound, func(b *bundletest.Bundle) { replace(t, b, bundle.ScriptFile, "Vault", "Cellar") }, []string{begin, sums}},
		{"a file, the sums made right", sound, func(b *bundletest.Bundle) { replace(t, b, bundle.ScriptFile, "Vault", "Cellar"); b.Resum(t) }, []string{begin, chain, "$W/level", key, sums, "keyrite manifest v1"}},
		{"the script", sound, func(b *bundletest.Bundle) { replace(t, b, bundle.ScriptFile, "Vault", "Cellar") }, []string{"data.script"}},
		{"what C_Sign was given", lied, func(*bundletest.Bundle) {}, []string{begin, "$announced.tbs.name", "CKM_RSA_PKCSSHA-256"}},
	} {
		b := bundletest.Copy(t, test.base)
		test.change(b)
		var run []string
		for _, has := range test.blocks {
			i := slices.IndexFunc(blocks, func(block string) bool { return strings.Contains(block, has) })
			if i < 0 {
				t.Fatalf("no block has %q", has)
			}
			run = append(run, blocks[i])
		}
		if failed, out := byHand(t, run, b.Dir); failed != len(run) {
			t.Errorf("%s: of the blocks %q number %d failed\n%s", test.name, test.blocks, failed, out)
		}
	}
}
