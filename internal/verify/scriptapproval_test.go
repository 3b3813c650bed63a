package verify

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// approvedBy is a production ceremony that a manager approved with a key and Oto
// in the room.
func approvedBy(t testing.TB) (bundletest.Ceremony, *audit.WitnessSigner) {
	t.Helper()
	manager := newWitness(t, "manager")
	return bundletest.Ceremony{NoPDF: true, Mode: audit.ModeProduction, Approvers: []bundletest.Approver{{ID: "manager", Signer: manager}, {ID: "oto"}}}, manager
}

// TestScriptApproved wants approvals that hold in the report.
func TestScriptApproved(t *testing.T) {
	c, _ := approvedBy(t)
	r := check(t, bundletest.Make(t, c), Options{Recompose: pagesOnly})
	if r.Verdict != Consistent || len(r.Approvals) != 2 {
		t.Fatalf("verdict %s, approvals %+v\n%s", r.Verdict, r.Approvals, codes(r))
	}
	a, b := r.Approvals[0], r.Approvals[1]
	if !a.Holds || a.Name != "Example manager" || a.How != "note" || a.At != "2026-11-24T09:00:01Z" || !b.Holds || b.Name != "Oto Sample" || b.How != "paper" {
		t.Errorf("approvals %+v", r.Approvals)
	}
	var text strings.Builder
	if err := r.WriteText(&text, false); err != nil || !strings.Contains(text.String(), "Approved  Example manager (signed note of 2026-11-24T09:00:01Z; entry 1)") {
		t.Errorf("the report says, %v\n%s", err, text.String())
	}
}

// A scriptApprovalAttack is what somebody with the log's key makes of approvals, or
// somebody without it of the files.
type scriptApprovalAttack struct {
	name   string
	change func(d *audit.ScriptApproval) // of entries
	copies int                           // of the manager's approval
	drop   string                        // whose approval is left out
	files  func(t *testing.T, b *bundletest.Bundle)
	c      func(*bundletest.Ceremony)
	want   Code
	holds  bool // the evidence as a whole does
}

func scriptApprovalAttacks(t *testing.T, manager *audit.WitnessSigner) []scriptApprovalAttack {
	stranger := newWitness(t, "stranger")
	again := func(by *audit.WitnessSigner, change func(*audit.ScriptApprovalNote)) func(*audit.ScriptApproval) {
		return func(d *audit.ScriptApproval) {
			if d.Note == "" {
				return
			}
			said, _, err := audit.ReadScriptApproval([]byte(d.Note))
			if err != nil {
				t.Fatal(err)
			}
			change(&said)
			note, err := by.SignScriptApproval(said)
			if err != nil {
				t.Fatal(err)
			}
			d.Note = string(note)
		}
	}
	as := func(who, name string) func(*audit.ScriptApproval) {
		return func(d *audit.ScriptApproval) {
			if d.How == "paper" {
				d.Person, d.Name = who, name
			}
		}
	}
	return []scriptApprovalAttack{
		{name: "of another script", change: again(manager, func(a *audit.ScriptApprovalNote) { a.Script = sha256.Sum256([]byte("another")) }), want: ScriptApprovalBroken},
		{name: "of another title", change: again(manager, func(a *audit.ScriptApprovalNote) { a.Title = "Root ceremony 2" }), want: ScriptApprovalBroken},
		{name: "of a rehearsal", change: again(manager, func(a *audit.ScriptApprovalNote) { a.Mode = audit.ModeRehearsal }), want: ScriptApprovalBroken},
		{name: "with a foreign key", change: again(stranger, func(*audit.ScriptApprovalNote) {}), want: ScriptApprovalBroken},
		{name: "dated after the ceremony began", change: again(manager, func(a *audit.ScriptApprovalNote) { a.At = a.At.Add(48 * time.Hour) }), want: TimesDisagree, holds: true},
		{name: "no note at all", change: func(d *audit.ScriptApproval) {
			if d.How == "note" {
				d.Note = "approved"
			}
		}, want: ScriptApprovalBroken},
		{name: "the same approver twice", copies: 2, want: ScriptApprovalTwice},
		{name: "twice instead of two", copies: 2, drop: "oto", want: ScriptNotApproved},
		{name: "one left out", drop: "oto", want: ScriptNotApproved},
		{name: "by a participant who is no approver", change: as("wil", "Wil Muster"), want: ScriptApprovalBroken},
		{name: "typed by somebody who was not there", change: as("manager", "Example manager"), want: ScriptApprovalBroken},
		{name: "under another name", change: as("oto", "Otto Sample"), want: ScriptApprovalBroken},
		{name: "other words typed", change: func(d *audit.ScriptApproval) {
			if d.How == "paper" {
				d.Typed = "aardvark adroitness"
			}
		}, want: ScriptApprovalBroken},
		{name: "neither signed nor typed", change: func(d *audit.ScriptApproval) { d.Typed, d.Note = "", "" }, want: LogGrammar},
		{name: "the folder emptied", files: func(t *testing.T, b *bundletest.Bundle) { remove(t, b, bundle.ApprovalFile("manager")) }, want: FileMissing},
		{name: "the note replaced", files: func(t *testing.T, b *bundletest.Bundle) {
			b.Write(t, bundle.ApprovalFile("manager"), []byte("another"))
		}, want: ScriptApprovalDiffers},
		{name: "a note that the log has not", files: func(t *testing.T, b *bundletest.Bundle) {
			b.Write(t, bundle.ApprovalFile("oto"), b.Read(t, bundle.ApprovalFile("manager")))
		}, want: FileUnknown},
		{name: "a rehearsal without them", drop: "manager", c: func(c *bundletest.Ceremony) { c.Mode = audit.ModeRehearsal }, want: CeremonyIsRehearsal, holds: true},
	}
}

// TestScriptApprovals attacks approvals.
func TestScriptApprovals(t *testing.T) {
	c, manager := approvedBy(t)
	for _, x := range scriptApprovalAttacks(t, manager) {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			r := check(t, x.make(t, c), Options{Recompose: pagesOnly})
			if !r.Has(x.want) || (r.Verdict != Failed) != x.holds {
				t.Errorf("verdict %s, no %s\n%s", r.Verdict, x.want, codes(r))
			}
		})
	}
}

// make makes the bundle of an attack on a ceremony.
func (x *scriptApprovalAttack) make(t *testing.T, c bundletest.Ceremony) *bundletest.Bundle {
	t.Helper()
	if x.c != nil {
		x.c(&c)
	}
	c.Change = func(_ int64, _ string, d audit.Data) audit.Data {
		a, ok := d.(*audit.ScriptApproval)
		switch {
		case !ok:
		case a.Person == x.drop:
			return nil
		case x.change != nil:
			x.change(a)
		}
		return d
	}
	c.Before = func(b *bundletest.Builder, _ string, d audit.Data) {
		if a, ok := d.(*audit.ScriptApproval); ok && a.Person == "manager" {
			for range x.copies - 1 {
				more := *a
				b.Add(&more)
			}
		}
	}
	b := bundletest.Make(t, c)
	if strings.HasPrefix(x.name, "with") || x.change != nil && x.want == ScriptApprovalBroken {
		// The file follows its entry: what is wrong is found by itself.
		for _, a := range approvalsOf(t, b) {
			if a.Note != "" {
				b.Write(t, bundle.ApprovalFile(a.Person), []byte(a.Note))
			}
		}
	}
	if x.files != nil {
		x.files(t, b)
	}
	b.Resum(t)
	return b
}

// approvalsOf reads the approvals in a bundle's log.
func approvalsOf(t *testing.T, b *bundletest.Bundle) (list []*audit.ScriptApproval) {
	t.Helper()
	for line := range strings.Lines(string(b.Read(t, bundle.LogFile))) {
		e, err := audit.Parse([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		if a, ok := e.Data.(*audit.ScriptApproval); ok {
			list = append(list, a)
		}
	}
	return list
}
