package steps_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
)

// TestRefusal: a witness's no stops the step, or goes on as the script says; it
// stands in the log with its words and in the transcript.
func TestRefusal(t *testing.T) {
	no := "  \"rules/seen/witness-1\": [\"no\", \"@initials\"]\n  \"rules/because/witness-1\": \"the text was another one\"\n"
	for name, goOn := range map[string]bool{"stop": false, "continue": true} {
		t.Run(name, func(t *testing.T) {
			change := in("rules", "\n    title:", "\n    on_refusal: "+name+"\n    title:")
			st, err := play(t, "root-ca", change, no+"  \"rules/on-failure/*\": [\"again\"]\n"+stopAtMachine)
			entries := aborted(t, st, err)
			attempts, effect := 0, ""
			for _, e := range entries {
				switch d := e.Data.(type) {
				case *audit.StepBegin:
					if e.Step == "rules" {
						attempts++
					}
				case *audit.Refusal:
					if effect = d.Effect; d.Person != "witness-1" || d.As != "witness" || d.Because != "the text was another one" {
						t.Errorf("entry %d: %+v", e.Seq, d)
					}
				}
			}
			if effect != name || (attempts == 1) != goOn {
				t.Errorf("effect %q, %d attempts", effect, attempts)
			}
		})
	}
	t.Run("actor", func(t *testing.T) {
		change := in("rules", "\n    title:", "\n    on_refusal: continue\n    title:")
		st, err := play(t, "root-ca", change, "  \"rules/done/administrator\": \"no\"\n  \"rules/because/*\": \"I was interrupted\"\n"+abortOnFailure)
		if got := ended(aborted(t, st, err), "rules"); got == ceremony.Done {
			t.Error("the step is done against the one who acts")
		}
	})
}

// TestLeaveAndReturn: a step waits for a witness who left, and goes on when the
// witness is back.
func TestLeaveAndReturn(t *testing.T) {
	for name, more := range map[string]string{
		"asked for": "  \"rules/menu/*\": [\"leave\"]\n  \"rules/back/witness-1\": \"back\"\n  \"rules/done/administrator\": [\"!\", \"@initials\"]\n",
		"returns":   "  \"rules/menu/*\": [\"leave\", \"return\"]\n  \"rules/who-returns/*\": \"witness-1\"\n  \"rules/done/administrator\": [\"!\", \"!\", \"@initials\"]\n",
		"a machine": "  \"rules/menu/*\": [\"leave\"]\n  \"machine/back/witness-1\": \"back\"\n  \"rules/seen/witness-2\": [\"!\", \"@initials\"]\n",
	} {
		t.Run(name, func(t *testing.T) {
			st, err := play(t, "root-ca", nil, more+"  \"rules/who-leaves/*\": \"witness-1\"\n  \"rules/leaves-because/*\": \"a call\"\n"+stopAtMachine)
			var got []bool
			away := false
			for _, e := range aborted(t, st, err) {
				switch d := e.Data.(type) {
				case *audit.Presence:
					away = !d.Present
					got = append(got, d.Present)
				case *audit.Ack:
					if away && d.Person == "witness-1" {
						t.Errorf("entry %d: an answer of somebody who is away", e.Seq)
					}
				}
			}
			if !slices.Equal(got, []bool{false, true}) {
				t.Errorf("presence: %v", got)
			}
		})
	}
}

// alternates adds an alternate for witness-1.
func alternates(s string) string {
	return strings.Replace(s, "  - id: witness-2\n", "  - id: deputy\n    name: Example Deputy Witness\n    initials: EDW\n    roles: [internal-witness]\n    alternate_for: witness-1\n  - id: witness-2\n", 1)
}

// TestAlternate: an alternate takes the place of somebody absent in every step
// that names them, in a whole ceremony that verifies; and is asked nothing when
// the other is there.
func TestAlternate(t *testing.T) {
	st, err := play(t, "root-ca", both(alternates, approves("root-certificate")), "  \"roll-call/present/witness-1\": \"no\"\n  \"*/passphrase/deputy\": \"planted-quiet-harbour\"\n  \"*/approve-passphrase/deputy\": \"planted-quiet-harbour\"\n"+phrasesTyped+allApprove)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	if got := said(entries, "root-certificate"); !slices.Equal(got, []string{"so-custodian approved", "deputy approved"}) {
		t.Errorf("approvals: %q", got)
	}
	acks := 0
	for _, e := range entries {
		switch d := e.Data.(type) {
		case *audit.Ack:
			if d.Person == "witness-1" {
				t.Errorf("entry %d: an answer of somebody absent", e.Seq)
			}
			if d.Person == "deputy" && d.As == "witness" {
				acks++
			}
		case *audit.Clock:
			if d.Person != "deputy" {
				t.Errorf("entry %d: %s read the clock", e.Seq, d.Person)
			}
		}
	}
	if acks < 15 {
		t.Errorf("the alternate acknowledged %d times", acks)
	}

	st, err = play(t, "root-ca", alternates, stopAtMachine)
	for _, e := range aborted(t, st, err) {
		if d, ok := e.Data.(*audit.Ack); ok && d.Person == "deputy" && d.As == "witness" && e.Step == "rules" {
			t.Errorf("entry %d: an alternate who takes no place is asked", e.Seq)
		}
	}
}

// TestRollCallFloor: the ceremony does not start without the auditor of a root,
// whomever the script requires, nor without those who have to approve; it says
// who is missing. After that the roll call is held again.
func TestRollCallFloor(t *testing.T) {
	optional := in("roll-call", "    say: >-", "    required: [administrator]\n    say: >-")
	for who, want := range map[string]string{"witness-2": "independent-witness", "witness-1": "only 1 of those who came can approve it"} {
		t.Run(who, func(t *testing.T) {
			rule := strings.Replace("\n    approve:\n      count: 2\n      of: [internal-witness, user-custodian]\n    title:", "", "", 1)
			st, err := play(t, "root-ca", both(optional, in("rules", "\n    title:", rule)), "  \"roll-call/present/"+who+"\": [\"no\", \"yes\"]\n  \"roll-call/on-failure/*\": [\"again\"]\n  \"*/passphrase/*\": \"planted-common-word\"\n  \"*/approve-passphrase/*\": \"planted-common-word\"\n  \"*/approve/*\": \"@initials\"\n"+stopAtMachine)
			entries := aborted(t, st, err)
			if p := problems(entries); !strings.Contains(p, "the ceremony cannot start") || !strings.Contains(p, want) {
				t.Errorf("problems: %s", p)
			}
			if ended(entries, "rules") != ceremony.Done {
				t.Error("the ceremony did not start once everybody was there")
			}
		})
	}
}

// TestDeviationApproved: where the script says whose approval it takes, a step
// is not left out without it.
func TestDeviationApproved(t *testing.T) {
	rule := func(s string) string {
		return strings.Replace(s, "\nparticipants:", "\ndeviations:\n  approve:\n    count: 2\n    of: [so-custodian, internal-witness, independent-witness]\n\nparticipants:", 1)
	}
	fails := "  \"machine/room-time/witness-1\": \"2020-01-01 00:00:00\"\n  \"machine/expected/*\": \"clocks that agree\"\n  \"machine/happened/*\": \"they do not\"\n  \"machine/decided/*\": \"to go on\"\n  \"machine/deviation/*\": \"@initials\"\n"
	st, err := play(t, "root-ca", rule, fails+phrasesTyped+allApprove+"  \"machine/on-failure/*\": [\"skip\"]\n  \"see-token/on-failure/*\": \"abort\"\n  \"see-token/ready/administrator\": \"no\"\n  \"see-token/because/*\": \"enough was seen\"\n"+meant)
	entries := aborted(t, st, err)
	if got := ended(entries, "machine"); got != ceremony.Skipped || len(said(entries, "machine")) != 2 {
		t.Errorf("the step is %q, approvals %q", got, said(entries, "machine"))
	}
	st, err = play(t, "root-ca", rule, fails+phrasesTyped+allApprove+"  \"machine/approve/so-custodian\": \"no\"\n  \"machine/because/*\": \"it can be mended\"\n  \"machine/on-failure/*\": [\"skip\", \"abort\"]\n"+meant)
	if got := ended(aborted(t, st, err), "machine"); got == ceremony.Skipped {
		t.Error("the step was left out without the approvals")
	}
}
