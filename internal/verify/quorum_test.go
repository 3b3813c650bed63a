package verify

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// approving is a ceremony in which two of three have to approve the root
// certificate, and two do.
var approving = bundletest.Ceremony{Approve: true}

// quorumAttacks are those on approvals, by a program that signs what is not
// true.
func quorumAttacks() []attack {
	lied := func(name string, change func(int64, string, audit.Data) audit.Data, want ...Code) attack {
		return attack{name: name, lie: &lie{c: approving, change: change}, want: want}
	}
	late := &lie{c: approving, change: drop(func(_ string, d *audit.Approval) bool { return d.Person == "ewa" }),
		before: at("root-certificate", func(b *bundletest.Builder, _ *audit.Artifact) {
			b.Add(&audit.Approval{Person: "oto", Act: "step", How: "passphrase", Result: "approved"})
		})}
	var announced audit.ToBeSigned
	other := &lie{c: approving, before: func(b *bundletest.Builder, step string, d audit.Data) {
		switch d := d.(type) {
		case *audit.ToBeSigned:
			if step == "root-certificate" && announced.Input == "" {
				announced = *d
			}
		case *audit.Approval:
			if d.Person == "ewa" && announced.Input != "" {
				shown := announced
				shown.Input = strings.Repeat("0", len(shown.Input))
				announced.Input = ""
				b.Add(&shown)
			}
		}
	}}
	unseen := &lie{c: approving, change: drop(func(_ string, d *audit.Approval) bool { return d.Person == "ewa" }),
		before: at("root-certificate", func(b *bundletest.Builder, _ *audit.ToBeSigned) {
			b.Add(&audit.Approval{Person: "oto", Act: "step", How: "passphrase", Result: "approved"})
		})}
	left := &lie{c: approving, before: at("root-certificate", func(b *bundletest.Builder, d *audit.Approval) {
		b.Add(&audit.Presence{Person: d.Person, Present: false, Because: "a call"})
	})}
	return []attack{
		lied("approval-left-out", drop(func(_ string, d *audit.Approval) bool { return d.Person == "ewa" }), QuorumNotMet),
		lied("one-person-approves-twice", edit(func(_ string, d *audit.Approval) { d.Person = "wil" }), QuorumNotMet),
		lied("approval-of-somebody-absent", absentApprover, QuorumNotMet),
		lied("approval-of-the-one-who-acts", edit(func(_ string, d *audit.Approval) {
			if d.Person == "ewa" {
				d.Person = "ada"
			}
		}), QuorumNotMet),
		lied("approval-without-a-passphrase", drop(func(_ string, d *audit.Passphrase) bool { return d.Person == "ewa" }), QuorumNotMet),
		lied("rule-for-approval-left-out", edit(func(_ string, d *audit.StepBegin) { d.Approve = nil }), PlanDiffers),
		lied("rule-for-approval-made-weaker", edit(func(_ string, d *audit.StepBegin) {
			if d.Approve != nil {
				d.Approve.Count = 1
			}
		}), PlanDiffers),
		lied("approval-signed-by-nobody", edit(func(_ string, d *audit.Approval) {
			d.How, d.Note, d.Size, d.Head = "key", "keyrite approval v1\n\n— x y\n", 1, zeroHead
		}), ApprovalSignature, RecordedHeadDiffers),
		{name: "approval-after-the-act", lie: late, want: []Code{QuorumNotMet}},
		{name: "approval-of-other-bytes", lie: other, want: []Code{ApprovedOther}},
		{name: "approval-before-the-bytes", lie: unseen, want: []Code{ApprovedUnseen}, verdict: Consistent},
		{name: "approval-of-somebody-who-left", lie: left, want: []Code{QuorumNotMet}},
		{name: "refusal-passed-over", want: []Code{AckMissing, Refused}, lie: &lie{before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
			b.Add(&audit.Refusal{Person: "wil", As: "witness", What: "I have seen this done", Because: "I have not", Effect: "stop"})
		})}},
		{name: "refusal-called-harmless", want: []Code{LogGrammar, Refused}, lie: &lie{before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
			b.Add(&audit.Refusal{Person: "wil", As: "witness", What: "I have seen this done", Because: "I have not", Effect: "continue"})
		})}},
		{name: "alternate-of-nobodys-choice", want: []Code{LogGrammar}, lie: &lie{before: at("roll-call", func(b *bundletest.Builder, _ *audit.Ack) {
			b.Add(&audit.Alternate{Absent: "ewa", Person: "wil", How: "script"})
		})}},
		{name: "returned-without-leaving", want: []Code{LogGrammar}, lie: &lie{before: at("root-key", func(b *bundletest.Builder, _ *audit.Key) {
			b.Add(&audit.Presence{Person: "wil", Present: true})
		})}},
	}
}

const zeroHead = "0000000000000000000000000000000000000000000000000000000000000000"

// absentApprover has a program call somebody present who approves, and say so
// nowhere else.
func absentApprover(_ int64, _ string, d audit.Data) audit.Data {
	if a, ok := d.(*audit.Attendance); ok && a.Person == "ewa" {
		a.Present = false
	}
	return d
}

// TestApproved: what was approved as the script asks is no finding, and a pause
// in between takes nothing away.
func TestApproved(t *testing.T) {
	for _, c := range []bundletest.Ceremony{{NoPDF: true, Approve: true}, {NoPDF: true, Approve: true, Pause: true}} {
		r := check(t, bundletest.Make(t, c), Options{Recompose: pagesOnly})
		if r.Verdict != Consistent || r.Has(QuorumNotMet) || r.Has(LogGrammar) || r.Has(PlanDiffers) || r.Has(ApprovedOther) || r.Has(ApprovedUnseen) {
			t.Errorf("%+v: %s\n%s", c, r.Verdict, codes(r))
		}
	}
}
