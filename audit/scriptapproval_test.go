package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
)

var sampleScriptApproval = audit.ScriptApprovalNote{Script: audit.Hash{7}, Mode: "production", Title: "Example Root CA R1 key ceremony", At: time.Date(2026, 11, 2, 9, 14, 0, 0, time.UTC)}

// An approval is a note that stock sumdb/note opens, and every flipped bit is
// found.
func TestScriptApproval(t *testing.T) {
	w := newWitness(t, witnessName, "alice")
	if got, err := audit.ParseScriptApproval(sampleScriptApproval.Text()); err != nil || got != sampleScriptApproval {
		t.Errorf("%q parses as %+v, %v", sampleScriptApproval.Text(), got, err)
	}
	b, err := w.SignScriptApproval(sampleScriptApproval)
	if err != nil {
		t.Fatal(err)
	}
	stock, err := note.NewVerifier(w.Key().NoteKey())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := note.Open(b, note.VerifierList(stock)); err != nil || n.Text != sampleScriptApproval.Text() {
		t.Errorf("stock note opens %+v, %v", n, err)
	}
	if got, err := audit.OpenScriptApproval(b, w.Key()); err != nil || got != sampleScriptApproval {
		t.Errorf("%s opens as %+v, %v", b, got, err)
	}
	if got, key, err := audit.ReadScriptApproval(b); err != nil || got != sampleScriptApproval || key != witnessName {
		t.Errorf("%s is read as %+v by %q, %v", b, got, key, err)
	}
	for i := range b {
		bad := append([]byte(nil), b...)
		bad[i] ^= 1
		if got, err := audit.OpenScriptApproval(bad, w.Key()); err == nil {
			t.Errorf("with bit 0 of byte %d flipped it opens as %+v", i, got)
		}
	}
	if _, err := audit.OpenScriptApproval(b, newWitness(t, witnessName, "mallory").Key()); err == nil {
		t.Error("it opens with another key")
	}
	twice := append(bytes.Clone(b), "— other.example AAAAAAAA\n"...)
	if _, err := audit.OpenScriptApproval(twice, w.Key()); err == nil {
		t.Error("it opens with a second signature")
	}
}

// What a key signs as one kind of thing is none of another kind.
func TestScriptApprovalIsNothingElse(t *testing.T) {
	b, c, log, w := cosigned(t)
	text := sampleScriptApproval.Text()
	if _, err := audit.ParseCheckpoint(text); err == nil {
		t.Error("an approval's text is a checkpoint's")
	}
	if _, err := audit.ParseVerdictNote(text); err == nil {
		t.Error("an approval's text is a verdict's")
	}
	for _, other := range []string{c.Text(), sampleVerdict.Text()} {
		if _, err := audit.ParseScriptApproval(other); err == nil {
			t.Errorf("%q is an approval's text", other)
		}
	}
	if _, _, err := audit.ReadScriptApproval(b); err == nil {
		t.Error("a checkpoint is read as an approval")
	}
	said, err := w.SignScriptApproval(sampleScriptApproval)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenCheckpoint(said, log.VerifierKey()); err == nil {
		t.Error("an approval opens as a checkpoint")
	}
	if _, err := audit.OpenVerdictNote(said, w.Key()); err == nil {
		t.Error("an approval opens as a verdict")
	}
}

func TestParseScriptApprovalRefuses(t *testing.T) {
	good := sampleScriptApproval.Text()
	for name, bad := range map[string]string{
		"empty": "", "version": strings.Replace(good, "v1", "v2", 1), "no last line feed": strings.TrimSuffix(good, "\n"), "more": good + "x\n",
		"an empty line": good + "\n", "half": good[:strings.Index(good, "title")], "order": strings.Replace(strings.Replace(good, "mode ", "title ", 1), "title Ex", "mode Ex", 1),
		"hash in upper case": strings.Replace(good, "script 07", "script 0A", 1), "short hash": strings.Replace(good, "script 07", "script 7", 1),
		"mode": strings.Replace(good, "production", "Production", 1), "no title": strings.Replace(good, sampleScriptApproval.Title, "", 1),
		"space at the end": strings.Replace(good, "ceremony\n", "ceremony \n", 1), "two spaces": strings.Replace(good, "title ", "title  ", 1),
		"bidirectional title": strings.Replace(good, "Root", "Ro\u202eot", 1), "bad UTF-8": strings.Replace(good, "Root", "\xff", 1),
		"long title": strings.Replace(good, "Root", strings.Repeat("x", 4096), 1), "tab": strings.Replace(good, "Root", "Ro\tot", 1),
		"another zone": strings.Replace(good, "00Z", "00+00:00", 1), "fractions": strings.Replace(good, "00Z", "00.0Z", 1),
		"no such day": strings.Replace(good, "11-02", "11-31", 1), "date alone": strings.Replace(good, "T09:14:00Z", "", 1), "carriage returns": strings.ReplaceAll(good, "\n", "\r\n"),
	} {
		if bad == good {
			t.Errorf("%s changes nothing", name)
		}
		if a, err := audit.ParseScriptApproval(bad); err == nil {
			t.Errorf("%s: %q parses as %+v", name, bad, a)
		}
	}
	w := newWitness(t, witnessName, "alice")
	for name, a := range map[string]audit.ScriptApprovalNote{
		"nothing": {}, "a title of two lines": {Mode: "production", Title: "x\nmode rehearsal", At: sampleScriptApproval.At}, "no mode": {Title: "x", At: sampleScriptApproval.At},
	} {
		if b, err := w.SignScriptApproval(a); err == nil {
			t.Errorf("%s: %s was signed", name, b)
		}
	}
}

func FuzzParseScriptApproval(f *testing.F) {
	f.Add(sampleScriptApproval.Text())
	f.Fuzz(func(t *testing.T, text string) {
		a, err := audit.ParseScriptApproval(text)
		if err == nil && a.Text() != text {
			t.Errorf("%q is written again as %q", text, a.Text())
		}
	})
}

const approvalDocument = "../docs/approval.md"

// approvalExample writes the worked example of docs/approval.md.
func approvalExample(t *testing.T) string {
	seed := sha256.Sum256([]byte("keyrite audit-log.md witness"))
	w, err := audit.GenerateWitnessKey("approver.example.org/manager", bytes.NewReader(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	script := "keyrite: 1\n"
	a := sampleScriptApproval
	a.Script = sha256.Sum256([]byte(script))
	b, err := w.SignScriptApproval(a)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("\nThe bytes that stand in for a script:\n\n```text script\n%s```\n\nThe verifier key, as it stands in a script:\n\n```text key\n%s\n```\n\nThe note:\n\n```text note\n%s```\n\n", script, w.Key(), b)
}

// The example of the document holds by SHA-256 and Ed25519 alone.
func TestApprovalDocument(t *testing.T) {
	b, err := os.ReadFile(approvalDocument)
	if err != nil {
		t.Fatal(err)
	}
	before, got, after := generated(t, string(b), "approval example")
	want := approvalExample(t)
	if *update {
		if err := os.WriteFile(approvalDocument, []byte(before+want+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("the example of %s is not up to date: go test ./audit -run Document -update", approvalDocument)
	}
	block := func(name string) string {
		_, rest, _ := strings.Cut(got, "```text "+name+"\n")
		text, _, _ := strings.Cut(rest, "```")
		return text
	}
	parts := strings.Split(strings.TrimSpace(block("key")), "+")
	public, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(public) != 33 || public[0] != 4 {
		t.Fatalf("the key is %x, %v", public, err)
	}
	text, lines, _ := strings.Cut(block("note"), "\n\n")
	sig := signatureOf(t, lines, 0)
	id := sha256.Sum256(append([]byte(parts[0]+"\n\x01"), public[1:]...))
	if len(sig) != 68 || !bytes.Equal(sig[:4], id[:4]) || !ed25519.Verify(public[1:], []byte(text+"\n"), sig[4:]) {
		t.Error("the signature does not verify")
	}
	if want := fmt.Sprintf("keyrite script approval v1\nscript %x\n", sha256.Sum256([]byte(block("script")))); !strings.HasPrefix(text, want) {
		t.Errorf("the note begins with %q, not %q", text, want)
	}
}
