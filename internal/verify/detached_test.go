package verify

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// filing has both keys sign a file in the step sub-certificate, the root's as
// changed.
func filing(change func(*bundletest.File)) func(*bundletest.Builder, string, audit.Data) {
	done := false
	return at("sub-certificate", func(b *bundletest.Builder, _ *audit.Artifact) {
		if done {
			return
		}
		done = true
		b.SignFile("root", "firmware.bin", []byte("firmware 1.2.3\n"), change)
		b.SignFile("sub", "notes.txt", []byte("what is new\n"), nil)
	})
}

// when changes a file at one stage.
func when(stage string, change func(*bundletest.File)) func(*bundletest.File) {
	return func(f *bundletest.File) {
		f.Change = func(at string) {
			if at == stage {
				change(f)
			}
		}
	}
}

// TestSignedFile: a file with its signature is explained, to both verifiers and
// by hand; that a CA's key signed it is said.
func TestSignedFile(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{NoPDF: true, Before: filing(nil)})
	r := check(t, b, Options{Recompose: pagesOnly})
	if r.failed() || r.Has(SignatureUnused) {
		t.Errorf("verdict %s\n%s", r.Verdict, codes(r))
	}
	if !r.Has(RuleBroken) {
		t.Errorf("a CA's key signed a file, and nothing says so\n%s", codes(r))
	}
	bad := bundletest.Copy(t, b)
	bad.Write(t, "artifacts/firmware.bin.sig", b.Read(t, "artifacts/notes.txt.sig"))
	bad.Resum(t)
	jobs := []secondJob{judge(t, "files", b, Options{LogKeys: b.LogKeys}), judge(t, "another signature", bad, Options{})}
	if jobs[0].fail || !jobs[1].fail {
		t.Errorf("keyrite-verify: %v", jobs)
	}
	compare(t, jobs)
	blocks := shellBlocks(t, "../../docs/verify-without-keyrite.md")
	if failed, out := byHand(t, blocks, b.Dir); failed != 0 || !strings.Contains(out, "artifacts/firmware.bin.sig is what was signed") {
		t.Errorf("by hand: block %d failed\n%s", failed, out)
	}
}

// TestFileLies: what is wrong with a file or its signature.
func TestFileLies(t *testing.T) {
	for name, l := range map[string]struct {
		change func(*bundletest.File)
		want   Code
	}{
		"a certificate to be signed as a file": {func(f *bundletest.File) { f.Content = []byte{0x30, 3, 2, 1, 1} }, SignedBytesDiffer},
		"compared by one":                      {when("brought", func(f *bundletest.File) { f.Answers[1].Person = "wil" }), ArtifactDiffers},
		"compared with another paper":          {when("brought", func(f *bundletest.File) { f.Answers[1].Value = strings.Repeat("0", 16) }), ArtifactDiffers},
		"a file that names a C_Sign":           {when("brought", func(f *bundletest.File) { f.Brought.Signed = 3 }), ArtifactSignature},
		"another digest":                       {when("announced", func(f *bundletest.File) { f.TBS.Digest = "SHA-384" }), SignedBytesDiffer},
		"announced as a certificate":           {when("announced", func(f *bundletest.File) { f.TBS.Object = "crl" }), SignatureUnexplained},
		"another signature given":              {when("signed", func(f *bundletest.File) { f.Given.Signature = strings.Repeat("1", 128) }), SignatureUnexplained},
		"another signature written":            {when("made", func(f *bundletest.File) { f.Value = append(f.Value, 0) }), SignedBytesDiffer},
		"a signature of no C_Sign":             {when("made", func(f *bundletest.File) { f.Made.Signed = 3 }), ArtifactSignature},
		"a signature for another file":         {when("announced", func(f *bundletest.File) { f.TBS.For = "artifacts/other.sig" }), SignedBytesDiffer},
	} {
		t.Run(name, func(t *testing.T) {
			r := lie{before: filing(l.change)}.tell(t)
			if r.Verdict != Failed || !r.Has(l.want) {
				t.Errorf("verdict %s, no %s\n%s", r.Verdict, l.want, codes(r))
			}
		})
	}
}
