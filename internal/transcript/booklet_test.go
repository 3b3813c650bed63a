package transcript

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

func sampleBooklet() Booklet {
	return Booklet{
		Cover: Cover{
			Title: "Łukasz’ root", Organisation: "Example 山田", Place: "here", Purpose: "to test", Mode: "rehearsal",
			Participants: []Participant{{ID: "a", Name: "Ελένη Example", Roles: []string{"operator"}}, {ID: "w", Name: "Дмитрий Example", Roles: []string{"internal-witness"}}},
		},
		SHA256: sha256.Sum256([]byte("script")), Initials: map[string]string{"a": "AB"}, Approvers: []string{"Example Head"}, Approvals: 1, Brought: []string{"sub.csr"},
		Tokens: [][]Detail{{{"name", "hsm"}, {"serial", "DENK\x1b[31m"}}},
		Steps: []BookletStep{{
			Step: Step{ID: "one", Title: "The first", Say: "Say this.", Watch: "Look here.", Witnesses: []string{"w"}},
			Kind: "statement", Does: "is read", Actor: "a", Effect: "nothing", Irreversible: "never",
		}},
	}
}

func TestBooklet(t *testing.T) {
	pages := ComposeBooklet(sampleBooklet())
	sum := sampleBooklet().SHA256
	var all strings.Builder
	for i, p := range pages {
		if p.Number != i+1 || p.Of != len(pages) || p.Mark != "REHEARSAL" {
			t.Errorf("page %d: number %d of %d, mark %q", i+1, p.Number, p.Of, p.Mark)
		}
		if height(p.Lines) > Units {
			t.Errorf("page %d is %d units high", i+1, height(p.Lines))
		}
		for _, l := range p.Lines {
			if Width(l.Text) > Columns {
				t.Errorf("page %d: %d columns: %q", i+1, Width(l.Text), l.Text)
			}
		}
		all.Write(p.Text())
	}
	for _, want := range []string{
		"Łukasz’ root", "Example 山田", "Ελένη Example", "Дмитрий Example", "Step 1 of 1 · The first", "Say this.", "Look here.",
		"On the token        nothing", "Cannot be undone    never", `DENK[U+001B]`, "Departures from the script", "Approved: 1 of 1 must", "Example Head", "token hsm", "out of bag", "file sub.csr",
		"Done at __________ UTC  AB ________  w ________",
		groups(hex.EncodeToString(sum[:4])), "nothing made here may be trusted",
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("nowhere %q in\n%s", want, all.String())
		}
	}
	if got := ComposeBooklet(sampleBooklet()); string(got[0].Text()) != string(pages[0].Text()) {
		t.Error("the same booklet gave another page")
	}
}
