package audit_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

var approval = audit.ApprovalNote{Origin: origin, Step: "root-certificate", Act: "step", Size: 121, Root: audit.LeafHash([]byte("x")), Person: "officer-1"}

// Whatever is not exactly an approval's text is refused.
func TestApprovalNote(t *testing.T) {
	text := approval.Text()
	if got, err := audit.ParseApprovalNote(text); err != nil || got != approval {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, bad := range map[string]string{
		"a verdict":          strings.Replace(text, "approval", "verdict", 1),
		"another version":    strings.Replace(text, "v1", "v2", 1),
		"another act":        strings.Replace(text, "act step", "act abort", 1),
		"no act":             strings.Replace(text, "act step\n", "", 1),
		"a step with spaces": strings.Replace(text, "root-certificate", "root certificate", 1),
		"a size with a zero": strings.Replace(text, "size 121", "size 0121", 1),
		"a negative size":    strings.Replace(text, "size 121", "size -1", 1),
		"a capital root":     strings.Replace(text, approval.Root.String(), strings.ToUpper(approval.Root.String()), 1),
		"a short root":       strings.Replace(text, approval.Root.String(), approval.Root.String()[2:], 1),
		"no approver":        strings.Replace(text, "approver officer-1\n", "approver \n", 1),
		"no end":             strings.TrimSuffix(text, "\n"),
		"one line more":      text + "because x\n",
	} {
		if got, err := audit.ParseApprovalNote(bad); err == nil {
			t.Errorf("%s is read as %+v", name, got)
		}
	}
}

// An approval is signed, checked and typed; by another key, of another act or
// changed anywhere it is refused.
func TestApprovalSigned(t *testing.T) {
	signer, err := audit.GenerateWitnessKey("officer.example/one", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := audit.GenerateWitnessKey("officer.example/two", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.SignApproval(approval)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := audit.OpenApprovalNote(signed, signer.Key()); err != nil || got != approval {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := audit.OpenApprovalNote(signed, other.Key()); err == nil {
		t.Error("another key checks it")
	}
	if _, err := audit.OpenVerdictNote(signed, signer.Key()); err == nil {
		t.Error("it passes for a verdict")
	}
	if _, _, err := audit.Cosignatures(signed); err == nil {
		t.Error("it passes for a checkpoint")
	}
	for i := range signed[:len(approval.Text())] {
		bad := append([]byte{}, signed...)
		bad[i] ^= 1
		if got, err := audit.OpenApprovalNote(bad, signer.Key()); err == nil {
			t.Errorf("byte %d changed: %+v", i, got)
		}
	}
	lines, err := audit.TypedApproval(signed, signer.Key())
	if err != nil {
		t.Fatal(err)
	}
	typed := strings.Join(lines, "\n")
	if got, err := audit.ParseTypedApproval(typed, approval, signer.Key()); err != nil || string(got) != string(signed) {
		t.Errorf("typed: %q, %v", got, err)
	}
	skip := approval
	skip.Act = "skip"
	if _, err := audit.ParseTypedApproval(typed, skip, signer.Key()); err == nil {
		t.Error("it is taken for another act")
	}
	if _, err := audit.ParseTypedApproval(typed, approval, other.Key()); err == nil {
		t.Error("it is taken for another key's")
	}
	bad := approval
	bad.Step = "a b"
	if _, err := signer.SignApproval(bad); err == nil {
		t.Error("a step that cannot be read back is signed")
	}
}
