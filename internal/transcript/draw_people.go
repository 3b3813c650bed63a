package transcript

import (
	"strings"

	"github.com/keyrite/keyrite/audit"
)

func drawAck(t *teller, d *audit.Ack) {
	t.say("%s acknowledged as %s, typing “%s”: %s", t.f.name(d.Person), d.As, d.Typed, d.What)
}

func drawAnswer(t *teller, d *audit.Answer) {
	t.say("%s was asked: %s", t.f.name(d.Person), d.Question)
	t.fact("answer", d.Value)
}

func drawSecret(t *teller, d *audit.Secret) {
	draw := t.say
	if d.Result != "accepted" {
		draw = t.alarm
	}
	part := ""
	if d.Part != "" {
		part = "part " + d.Part + " of "
	}
	if d.Token == "" {
		draw("%s entered the %s %s, unseen: %s. It is not in the log.", t.f.name(d.Person), d.Use, d.Secret, d.Result)
		return
	}
	draw("%s entered %sthe %s %s of token %s, unseen: %s. It is not in the log.", t.f.name(d.Person), part, d.Use, d.Secret, d.Token, d.Result)
}

func drawAttendance(t *teller, d *audit.Attendance) {
	if !d.Present {
		t.alarm("%s (%s) is ABSENT.", d.Name, strings.Join(d.Roles, ", "))
		return
	}
	t.say("%s (%s) is present.", d.Name, strings.Join(d.Roles, ", "))
	t.fact("identity", d.Identity)
}

func drawClock(t *teller, d *audit.Clock) {
	t.say("%s read a second clock.", t.f.name(d.Person))
	t.fact("machine", d.Machine)
	t.fact("second clock", d.Room)
	t.fact("difference", offset(d.OffsetMS))
}

func drawProblem(t *teller, d *audit.Problem) {
	t.alarm("PROBLEM: %s", d.What)
	t.some("return value", d.RV)
	t.some("advice", d.Hint)
}

func drawDecision(t *teller, d *audit.Decision) {
	t.say("%s decided “%s” when asked: %s", t.f.name(d.Person), d.Chosen, d.Question)
	t.fact("choices", strings.Join(d.Options, " / "))
}

func drawDeviation(t *teller, d *audit.Deviation) {
	t.alarm("The ceremony departed from the script.")
	t.box("DEVIATION")
	t.boxed("expected", d.Expected)
	t.boxed("happened", d.Happened)
	t.boxed("decided", d.Decided)
	t.boxed("by", t.f.names(d.People))
	t.boxed("effect", d.Effect)
	t.boxEnd()
}
