package transcript_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
)

const document = "../../docs/transcript.md"

// example returns the document's worked example: its blocks by name.
func example(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)```text ([a-z]+)\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
		blocks[m[1]] = m[2]
	}
	for _, name := range []string{"page", "digest", "note", "key", "signature", "qr"} {
		if blocks[name] == "" {
			t.Fatalf("%s has no block %q", document, name)
		}
	}
	return blocks
}

// TestWorkedExample checks every value of the document's example.
func TestWorkedExample(t *testing.T) {
	blocks := example(t)
	line := func(name string) string { return strings.TrimSuffix(blocks[name], "\n") }
	const origin = "keyrite.ceremony/rehearsal/000102030405060708090a0b0c0d0e0f"

	digest := audit.Hash(sha256.Sum256(append(append([]byte("keyrite page digest v1\n"), make([]byte, 32)...), blocks["page"]...)))
	check := func(name, want string) {
		t.Helper()
		if blocks[name] != want {
			t.Errorf("the block %q is\n%swant\n%s", name, blocks[name], want)
		}
	}
	check("digest", digest.String()+"\n")

	head := audit.Hash(sha256.Sum256(nil))
	text := transcript.PageNote(origin, "rehearsal", 1, 1, digest, 3, head)
	check("note", text)

	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{0x2A}, ed25519.SeedSize))
	vkey, err := note.NewEd25519VerifierKey(origin, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	check("key", vkey+"\n")
	signature := ed25519.Sign(private, []byte(text))
	check("signature", hex.EncodeToString(signature)+"\n")

	id, err := transcript.OriginID(origin)
	if err != nil {
		t.Fatal(err)
	}
	check("qr", transcript.QR(transcript.Code{Origin: id, Mode: "rehearsal", Page: 1, Of: 1, Digest: digest, Size: 3, Head: head, Signature: [64]byte(signature)})+"\n")
	code, err := transcript.ParseQR(line("qr"))
	if err == nil {
		err = code.Verify(origin, line("key"))
	}
	if err != nil {
		t.Error(err)
	}
}

// TestExampleIsAPage: the example's text is what the package writes for such a
// page, so the document does not describe another format.
func TestExampleIsAPage(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(example(t)["page"], "\n"), "\n")
	p := transcript.Page{Number: 1, Of: 1, Footer: transcript.Line{Text: lines[len(lines)-1]}}
	for i, l := range lines[:3] {
		p.Header[i] = transcript.Line{Text: l + "  "}
	}
	for _, l := range lines[3 : len(lines)-1] {
		p.Lines = append(p.Lines, transcript.Line{Text: l})
	}
	if d := transcript.Digests([]transcript.Page{p})[0].String(); d+"\n" != example(t)["digest"] {
		t.Errorf("the page's digest is %s", d)
	}
	for _, l := range lines {
		if w := transcript.Width(l); w > transcript.Columns {
			t.Errorf("%q has %d columns", l, w)
		}
	}
}

// TestDocumentNames: the constants that the document gives are the package's.
func TestDocumentNames(t *testing.T) {
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"`" + transcript.Renderer + "`", "96 columns", "53 units", "keyrite page digest v1", "KEYRITE-PAGE-1:", "KEYRITE-CHECKPOINT-1:", "0.62 mm"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s does not say %q", document, want)
		}
	}
	if transcript.Columns != 96 || transcript.Units != 53 {
		t.Error("the page's size is not the document's")
	}
}

// TestSignatureByHand runs the document's commands on its example: openssl
// alone checks the signature, and refuses a changed note.
func TestSignatureByHand(t *testing.T) {
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	shell := regexp.MustCompile("(?s)```sh\n([^`]*?openssl.*?)```").FindStringSubmatch(string(b))
	if shell == nil {
		t.Fatalf("%s has no commands with openssl", document)
	}
	dir, blocks := t.TempDir(), example(t)
	verified := func(note string) bool {
		t.Helper()
		for name, text := range map[string]string{"note": note, "key": blocks["key"], "signature": blocks["signature"]} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("sh", "-c", shell[1])
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		return err == nil && strings.Contains(string(out), "Signature Verified Successfully")
	}
	if !verified(blocks["note"]) {
		t.Error("openssl does not verify the example")
	}
	if verified(strings.Replace(blocks["note"], "page 1 of 1", "page 1 of 2", 1)) {
		t.Error("openssl verifies a changed note")
	}
}
