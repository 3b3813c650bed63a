package main

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// summaryRoom is summary for what was agreed, said and done in the room.
func summaryRoom(d audit.Data) string {
	switch d := d.(type) {
	case *audit.ScriptApproval:
		return fmt.Sprintf("%s approved the script (%s)", d.Name, d.How)
	case *audit.Place:
		return fmt.Sprintf("%s, %d settings, SHA-256 %s", d.File.Name, len(d.Settings), d.File.SHA256)
	case *audit.Approval:
		return fmt.Sprintf("%s, by %s, to the %s: %s%s", d.Person, d.How, d.Act, d.Result, reason(d.Because))
	case *audit.Passphrase:
		return fmt.Sprintf("%s's passphrase for approving: %s", d.Person, d.Result)
	case *audit.Presence:
		if d.Present {
			return d.Person + " is back in the room" + reason(d.Because)
		}
		return d.Person + " left the room" + reason(d.Because)
	case *audit.Alternate:
		return fmt.Sprintf("%s takes the place of %s (by the %s)", d.Person, d.Absent, strings.Replace(d.How, "deviation", "room's decision", 1))
	case *audit.Refusal:
		return fmt.Sprintf("%s, as %s, does NOT AGREE: %s (asked: %s)", d.Person, d.As, d.Because, d.What)
	case *audit.ShareShown:
		return fmt.Sprintf("share %d of %d of the %s of %s is about to be shown to %s on a %s, set %s", d.Index, d.Shares, d.Secret, d.Token, d.Person, d.Shown, d.Set)
	case *audit.ShareVoid:
		return fmt.Sprintf("the shares of set %s of the %s of %s are VOID: %s; seen by %s", d.Set, d.Secret, d.Token, d.Because, strings.Join(d.People, ", "))
	case *audit.Asked:
		return fmt.Sprintf("%s asked: %s; %s answered: %s", d.Person, d.Question, d.Answerer, d.Answer)
	case *audit.Incident:
		return fmt.Sprintf("%s reports: %s; done about it: %s", d.Person, d.What, d.Action)
	}
	return summaryThings(d)
}

// summaryThings is summary for what was destroyed, brought and taken away.
func summaryThings(d audit.Data) string {
	switch d := d.(type) {
	case *audit.CSR:
		return fmt.Sprintf("%s of %s, SPKI SHA-256 %s", d.File.Name, d.Subject, d.SPKI)
	case *audit.Export:
		names := make([]string, len(d.Files))
		for i, f := range d.Files {
			names[i] = f.Name
		}
		return fmt.Sprintf("%s to %s, read back: %t", strings.Join(names, ", "), d.Destination, d.ReadBack)
	case *audit.Destroyed:
		what := "everything"
		if d.Key != "" {
			what = "key " + d.Key
		}
		return fmt.Sprintf("%s on %s is destroyed (entry %d), as the inventory of entry %d shows", what, d.Token, d.Call, d.After)
	case *audit.TryLedger:
		return summaryTries(d)
	case *audit.ClockJump:
		return fmt.Sprintf("the machine's clock went on by %d ms in %d ms", d.WallMS, d.MonotonicMS)
	}
	return ""
}

// summaryTries says how the tries of a token's PINs are balanced, or what of them
// differs.
func summaryTries(d *audit.TryLedger) string {
	parts := []string{"tries of " + d.Token + " balanced"}
	if d.At == audit.TriesDiffer {
		parts[0] = "tries of " + d.Token + " NOT as expected"
	}
	for _, a := range d.PINs {
		says := fmt.Sprintf("%s: %d spent; %s", a.PIN, a.Spent, a.Says)
		if a.Source == "card" {
			says = fmt.Sprintf("%s: %d at the start, %d spent, %d given back, %d unexplained, %d left", a.PIN, a.Start, a.Spent, a.GivenBack, a.Unexplained, a.Left)
		}
		if a.Differs != "" {
			says += " (DIFFERS: " + a.Differs + ")"
		}
		parts = append(parts, says)
	}
	return strings.Join(parts, "; ")
}
