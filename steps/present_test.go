package steps_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/verify"
)

// presences are who left or came back, in order: "step person in|out because".
func presences(entries []*audit.Entry) (list []string) {
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Presence); ok {
			is := map[bool]string{true: "in", false: "out"}[d.Present]
			list = append(list, strings.TrimSpace(strings.Join([]string{e.Step, d.Person, is, d.Because}, " ")))
		}
	}
	return list
}

// silentWhileAway wants no word of somebody between the moment they left and their return.
func silentWhileAway(t *testing.T, entries []*audit.Entry, person string) {
	t.Helper()
	away := false
	for _, e := range entries {
		switch d := e.Data.(type) {
		case *audit.Presence:
			if d.Person == person {
				away = !d.Present
			}
		case *audit.Ack:
			if away && d.Person == person {
				t.Errorf("entry %d: %s is away and acknowledges %q", e.Seq, person, d.What)
			}
		}
	}
}

// TestAlternateByDecision: somebody whom the script does not name takes the
// place of an absent witness only if the room decides so, which is a deviation.
func TestAlternateByDecision(t *testing.T) {
	spare := in("witness-2", "  - id: witness-2\n", "  - id: spare\n    name: Example Spare Witness\n    initials: ESW\n    roles: [internal-witness]\n  - id: witness-2\n")
	absent := `  "roll-call/present/witness-1": "no"
  "roll-call/alternate/administrator": "spare"
  "roll-call/expected/*": "that the first witness comes"
  "roll-call/happened/*": "the first witness is ill"
  "roll-call/decided/*": "that the spare one watches"
`
	t.Run("agreed", func(t *testing.T) {
		st, err := play(t, "root-ca", spare, absent+"  \"roll-call/deviation/*\": \"@initials\"\n")
		if err != nil {
			t.Fatal(err)
		}
		r, err := verify.Bundle(st.bundle(), verify.Options{Recompose: recompose})
		if err != nil || r.Exit != 0 || !r.Has(verify.Deviated) {
			t.Errorf("%v: exit %d, %+v", err, r.Exit, r.Findings)
		}
		all := st.entries(t)
		stands, _ := entriesOf[*audit.Alternate](all)
		deviations, _ := entriesOf[*audit.Deviation](all)
		if len(stands) != 1 || *stands[0] != (audit.Alternate{Absent: "witness-1", Person: "spare", How: "deviation"}) || len(deviations) != 1 || deviations[0].Effect != "none" {
			t.Fatalf("alternates %+v, deviations %+v", stands, deviations)
		}
		seen := 0
		for _, e := range all {
			if d, ok := e.Data.(*audit.Ack); ok && d.Person == "spare" && d.As == "witness" {
				seen++
			} else if ok && d.Person == "witness-1" {
				t.Errorf("entry %d: a word of somebody absent", e.Seq)
			}
		}
		if seen < 15 {
			t.Errorf("the spare witness acknowledged %d times", seen)
		}
	})
	t.Run("not agreed", func(t *testing.T) {
		st, err := play(t, "root-ca", spare, absent+"  \"roll-call/deviation/*\": \"no\"\n  \"roll-call/because/*\": \"I do not know this person\"\n"+abortOnFailure)
		all := aborted(t, st, err)
		if stands, _ := entriesOf[*audit.Alternate](all); len(stands) != 0 {
			t.Errorf("alternates: %+v", stands)
		}
		if p := problems(all); !strings.Contains(p, "must be here and is absent") || !strings.Contains(p, "Example Internal Witness") {
			t.Errorf("problems: %s", p)
		}
		if got := ended(all, "fresh"); got != "" {
			t.Errorf("a step after the roll call: %q", got)
		}
	})
}

// TestHeadcountMissing: a witness is not back from the break: the headcount says
// who, the next step waits, and nothing is asked of them meanwhile.
func TestHeadcountMissing(t *testing.T) {
	lunch := before("see-token", "  - id: lunch\n    kind: pause\n    title: Lunch\n    actor: administrator\n    witnesses: [witness-2]\n    reason: an hour\n")
	st, err := play(t, "root-ca", lunch, "  \"lunch/break/*\": \"stays\"\n  \"lunch/headcount/*\": \"yes\"\n  \"lunch/headcount/witness-1\": \"no\"\n  \"see-token/back/witness-1\": \"back\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	has(t, results(all, "lunch"), "headcount: 4 of 5 are in the room; not back: Example Internal Witness (EIW), who is a witness")
	if got := presences(all); !slices.Equal(got, []string{"lunch witness-1 out not back from the break", "see-token witness-1 in"}) {
		t.Errorf("presence: %q", got)
	}
	silentWhileAway(t, all, "witness-1")
}

// TestLeavesInResume: a witness leaves while the ceremony is taken up again: it
// goes on from the head without their word, and the step that needs them waits.
func TestLeavesInResume(t *testing.T) {
	st := paused(t, "see-token")
	err := st.goOn("  \"resume/adopt/witness-1\": \"!\"\n  \"*/menu/*\": \"leave\"\n  \"*/who-leaves/*\": \"witness-1\"\n  \"*/leaves-because/*\": \"a call\"\n  \"*/back/witness-1\": \"back\"\n")
	var stop *ceremony.Stop
	if errors.As(err, &stop) || err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	adopted, _ := entriesOf[*audit.SegmentAdopt](all)
	if len(adopted) != 1 || slices.Contains(adopted[0].People, "witness-1") || len(adopted[0].People) != 4 {
		t.Errorf("adopted: %+v", adopted)
	}
	if got := presences(all); len(got) != 2 || got[0] != " witness-1 out a call" && got[0] != "witness-1 out a call" || !strings.HasSuffix(got[1], "witness-1 in") {
		t.Errorf("presence: %q", got)
	}
	silentWhileAway(t, all, "witness-1")
}
