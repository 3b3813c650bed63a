package bundletest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// An Approver has approved the script: with a key, or, without one, as a
// participant who types the script's SHA-256 from paper.
type Approver struct {
	ID     string
	Signer *audit.WitnessSigner
}

// approvals writes what the script asks for: every approver.
func (b *Builder) approvals(s *bytes.Buffer) {
	if len(b.Approvers) == 0 {
		return
	}
	fmt.Fprintf(s, "approvals:\n  count: %d\n  approvers:\n", len(b.Approvers))
	for _, a := range b.Approvers {
		fmt.Fprintf(s, "    - id: %s\n", a.ID)
		if b.approverName(a) == outsider(a.ID) {
			fmt.Fprintf(s, "      name: %s\n", outsider(a.ID))
		}
		if a.Signer != nil {
			fmt.Fprintf(s, "      key: %q\n", a.Signer.Key().String())
		}
	}
}

// outsider names an approver who is no participant.
func outsider(id string) string { return "Example " + id }

func (b *Builder) approverName(a Approver) string {
	for _, p := range participants {
		if p.ID == a.ID {
			return p.Name
		}
	}
	return outsider(a.ID)
}

// approve writes the approvals of the script, the day before the ceremony.
func (b *Builder) approve(script audit.File) {
	b.t.Helper()
	for _, a := range b.Approvers {
		d := &audit.ScriptApproval{Person: a.ID, Name: b.approverName(a), How: "paper", Typed: script.SHA256}
		if a.Signer != nil {
			d.How, d.Typed = "note", ""
			d.Note = string(b.approval(a.Signer, script))
		}
		if b.Add(d) >= 0 && d.Note != "" {
			b.write(bundle.ApprovalFile(a.ID), []byte(d.Note))
		}
	}
}

func (b *Builder) approval(s *audit.WitnessSigner, script audit.File) []byte {
	b.t.Helper()
	sum, err := hex.DecodeString(script.SHA256)
	b.must(err)
	note, err := s.SignScriptApproval(audit.ScriptApprovalNote{Script: audit.Hash(sum), Mode: b.Mode, Title: "Root ceremony", At: b.now.Add(-24 * time.Hour)})
	b.must(err)
	return note
}
