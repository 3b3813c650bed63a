package transcript

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// ruleText says whose approval a rule asks for.
func (f *facts) ruleText(r *audit.ApproveRule) string {
	of := make([]string, len(r.Of))
	for i, id := range r.Of {
		of[i] = id
		for _, p := range f.src.Cover.Participants {
			if p.ID == id {
				of[i] = p.Name
			}
		}
	}
	return fmt.Sprintf("%d of: %s", r.Count, strings.Join(of, ", "))
}

func drawApproval(t *teller, d *audit.Approval) {
	act := map[string]string{"step": "this step", "skip": "leaving the step out", "repeat": "doing the step anew"}[d.Act] + " (" + d.Act + ")"
	how := map[string]string{"passphrase": "with a passphrase, unseen", "key": "with a key of their own"}[d.How] + " (" + d.How + ")"
	switch who := t.f.name(d.Person); d.Result {
	case "approved":
		t.say("%s APPROVED %s, %s (%s).", who, act, how, d.Result)
	default:
		t.alarm("%s was asked to approve %s, %s: %s.", who, act, how, d.Result)
	}
	t.some("because", d.Because)
	if d.Note != "" || d.Size != 0 || d.Head != "" {
		t.fact("speaks of", plural(int(d.Size), "entry"))
		t.hex("head", d.Head)
		t.listing("signed note", signedLines(d.Note))
	}
}

func drawPassphrase(t *teller, d *audit.Passphrase) {
	again := ""
	if d.Again {
		again = " once more, after a break"
	}
	draw := t.say
	if d.Result != "set" {
		draw = t.alarm
	}
	draw("%s entered a passphrase to approve with%s, unseen: %s. It is not in the log.", t.f.name(d.Person), again, d.Result)
}

func drawPresence(t *teller, d *audit.Presence) {
	if d.Present {
		t.say("%s came back into the room.", t.f.name(d.Person))
	} else {
		t.say("%s LEFT the room.", t.f.name(d.Person))
	}
	t.some("because", d.Because)
}

func drawAlternate(t *teller, d *audit.Alternate) {
	how := map[string]string{"script": "as the script provides", "deviation": "by decision of the room, as a deviation"}[d.How]
	t.alarm("%s takes the place of %s, who is absent, %s (%s).", t.f.name(d.Person), t.f.name(d.Absent), how, d.How)
}

func drawRefusal(t *teller, d *audit.Refusal) {
	t.alarm("%s, asked as %s, DOES NOT AGREE: %s", t.f.name(d.Person), d.As, d.What)
	t.fact("because", d.Because)
	effect := map[string]string{"stop": "the attempt of the step ends", "continue": "the step goes on, as the script says"}[d.Effect]
	t.fact("effect", effect+" ("+d.Effect+")")
}

// refusalsOf says where a participant said no.
func (f *facts) refusalsOf(id string) []string {
	var said []string
	for _, e := range f.refusals[id] {
		where := "outside the steps"
		if e.Step != "" {
			where = "in step " + e.Step
		}
		said = append(said, fmt.Sprintf("in the log, entry %d: DID NOT AGREE %s, because: %s", e.Seq, where, e.Data.(*audit.Refusal).Because))
	}
	return said
}
