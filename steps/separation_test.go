package steps_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/verify"
)

// An offering keeps the choices of the question with a key.
type offering struct {
	room.Room
	key     string
	offered []string
}

func (o *offering) Ask(p room.Prompt) (string, error) {
	if p.Key == o.key && o.offered == nil {
		for _, c := range p.Choices {
			o.offered = append(o.offered, c.Word)
		}
	}
	return o.Room.Ask(p)
}

// TestWhoMayStand: in the place of an absent officer the room is offered nobody
// who would then have roles that are kept apart, or watch what they do: neither
// the administrator, nor a recovery holder, nor a witness of the officer's steps.
func TestWhoMayStand(t *testing.T) {
	st := stageOf(t, "root-ca", person("keeper", "recovery-holder", ""), "  \"roll-call/present/user-custodian\": \"no\"\n  \"roll-call/alternate/administrator\": \"nobody\"\n"+abortOnFailure)
	o := &offering{key: "roll-call/alternate/administrator"}
	st.room = func(r room.Room) room.Room { o.Room = r; return o }
	all := aborted(t, st, st.start())
	if want := []string{"so-custodian", "nobody"}; !slices.Equal(o.offered, want) {
		t.Errorf("offered %q, want %q", o.offered, want)
	}
	if p := problems(all); !strings.Contains(p, "Example User PIN Custodian") || !strings.Contains(p, "must be here and is absent") {
		t.Errorf("problems: %s", p)
	}
}

// TestAbortSequence: a ceremony that is given up while somebody is logged in logs
// out, lists what is on the token and the keys of the log that are left, and
// seals the log, in this order.
func TestAbortSequence(t *testing.T) {
	st, err := play(t, "root-ca", nil, "  \"first-crl/sign/user-custodian\": \"!\"\n  \"first-crl/menu/*\": \"abort\"\n  \"first-crl/give-up/*\": \"@word\"\n  \"first-crl/reason/*\": \"the fire alarm\"\n")
	all := aborted(t, st, err)
	var got []string
	in := false
	for _, e := range all {
		switch d := e.Data.(type) {
		case *audit.HSMOutcome:
			switch {
			case d.Function == "C_Login" && d.RV == "CKR_OK":
				in, got = true, nil
			case d.Function == "C_Logout" && d.RV == "CKR_OK":
				in, got = false, append(got, "log out")
			case d.Function == "C_Sign" && e.Step == "first-crl":
				t.Errorf("entry %d: signed after all", e.Seq)
			}
		case *audit.Abort:
			got = append(got, "abort: "+d.Reason)
		case *audit.Inventory:
			if len(d.Objects) > 0 {
				got = append(got, "inventory")
			}
		case *audit.Result:
			if strings.HasPrefix(d.Name, "key left on token hsm") && strings.HasPrefix(d.Value, "root: P-384") {
				got = append(got, "key left")
			}
		case *audit.Close:
			got = append(got, "seal: "+d.Result)
		}
	}
	if want := []string{"log out", "abort: the fire alarm", "inventory", "key left", "seal: aborted"}; in || !slices.Equal(got, want) {
		t.Errorf("logged in at the end: %v; after the last login %q, want %q", in, got, want)
	}
	r, err := verify.Bundle(st.bundle(), verify.Options{Recompose: recompose})
	if err != nil || r.Exit != 0 || r.Verdict != verify.Aborted {
		t.Errorf("%v: exit %d, verdict %s", err, r.Exit, r.Verdict)
	}
}

// TestNoOnPaper: who does not agree finds it on the transcript beside the line
// for their signature, with their words.
func TestNoOnPaper(t *testing.T) {
	st, err := play(t, "root-ca", in("rules", "\n    title:", "\n    on_refusal: continue\n    title:"), "  \"rules/seen/witness-1\": \"no\"\n  \"rules/because/witness-1\": \"the text was another one\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	pages, _, err := paper.Paper{}.Again(all, func(name string) ([]byte, error) {
		return os.ReadFile(filepath.Join(st.bundle(), filepath.FromSlash(name)))
	})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, p := range pages {
		text.Write(p.Text())
	}
	for who, says := range map[string]bool{"Example Internal Witness internal-witness · present": true, "Example Independent Auditor independent-witness · present": false} {
		lines := 0
		for _, beside := range strings.SplitAfter(strings.Join(strings.Fields(text.String()), " "), "☐ agree ☐ do not agree") {
			_, beside, ok := strings.Cut(beside, who)
			if !ok || !strings.HasSuffix(beside, "☐ do not agree") {
				continue
			}
			lines++
			if got := strings.Contains(beside, "DID NOT AGREE") && strings.Contains(beside, "because: the text was another one"); got != says {
				t.Errorf("%s: a no is there: %v; want %v: %s", who, got, says, beside)
			}
		}
		if lines != 1 {
			t.Errorf("%s has %d lines for a signature", who, lines)
		}
	}
}
