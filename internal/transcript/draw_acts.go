package transcript

import (
	"fmt"

	"github.com/keyrite/keyrite/audit"
)

func drawDestroyed(t *teller, d *audit.Destroyed) {
	what := "Key " + d.Key
	if d.Key == "" {
		what = "Everything"
	}
	t.say("%s on token %s is destroyed.", what, d.Token)
	t.fact("by the call", fmt.Sprintf("of entry %d", d.Call))
	t.fact("shown by", fmt.Sprintf("the inventory of entry %d", d.After))
}

func drawTypedBack(t *teller, d *audit.TypedBack) {
	t.say("%s read aloud the %s, %s typed it back: equal to %s.", t.f.name(d.Reader), d.What, t.f.name(d.Person), d.Compared)
	t.fact("value", d.Value)
	t.some("typed as", d.Typed)
}

func drawCustody(t *teller, d *audit.Custody) {
	t.say("%s takes: %s.", t.f.name(d.Person), d.Item)
	t.fact("bag", d.Bag)
	t.fact("to", d.Place)
}

func drawEvidence(t *teller, d *audit.Evidence) {
	t.say("There is a %s by %s: %s.", d.Form, t.f.name(d.Person), d.Shows)
	t.fact("id", d.ID)
	t.fact("time code", d.TimeCode)
}

func drawAsked(t *teller, d *audit.Asked) {
	t.say("%s asked: %s", t.f.name(d.Person), d.Question)
	t.fact("answer", d.Answer)
	t.fact("answered by", t.f.name(d.Answerer))
}

func drawIncident(t *teller, d *audit.Incident) {
	t.alarm("INCIDENT, reported by %s: %s", t.f.name(d.Person), d.What)
	t.fact("done about it", d.Action)
}
