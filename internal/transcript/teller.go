package transcript

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// A teller sets what one entry tells: sentences behind its number and time,
// facts beneath them.
type teller struct {
	f     *facts
	e     *audit.Entry
	lines []Line
}

// tell returns the lines of an entry.
func (f *facts) tell(e *audit.Entry) []Line {
	t := &teller{f: f, e: e}
	if draw := drawings[e.Kind()]; draw != nil {
		draw(t, e.Data)
	} else {
		t.say("An entry of the kind %q, which this transcript does not know.", e.Kind())
	}
	return t.lines
}

// say sets a sentence. It cleans the whole of it.
func (t *teller) say(format string, args ...any) { t.sentence(Plain, format, args...) }

// alarm sets a sentence that must not be overlooked.
func (t *teller) alarm(format string, args ...any) { t.sentence(Alarm, format, args...) }

func (t *teller) sentence(style Style, format string, args ...any) {
	prefix := fmt.Sprintf("%6d  %s  ", t.e.Seq, clock(t.e.Time))
	if len(t.lines) > 0 {
		prefix = ""
	}
	if len(prefix) > margin {
		t.lines = append(t.lines, Line{Style: style, Text: strings.TrimRight(prefix, " ")})
		prefix = ""
	}
	for _, l := range wrap(clean(fmt.Sprintf(format, args...)), Columns-margin) {
		t.lines = append(t.lines, Line{Style: style, Text: pad(prefix, margin) + l})
		prefix = ""
	}
}

// fact sets a label and a value. An empty value is shown as a dash.
func (t *teller) fact(label, value string) {
	if value == "" {
		value = "–"
	}
	t.lines = append(t.lines, pair(Plain, margin, labelWidth, clean(label), clean(value))...)
}

// some is fact for a value that may be missing.
func (t *teller) some(label, value string) {
	if value != "" {
		t.fact(label, value)
	}
}

// hex sets a label and hex in groups.
func (t *teller) hex(label, value string) {
	t.lines = append(t.lines, rows(Plain, margin, labelWidth, clean(label), hexRows(value))...)
}

// file sets a file's name, size and hash.
func (t *teller) file(label string, f audit.File) {
	t.fact(label, fmt.Sprintf("%s, %s", f.Name, plural(int(f.Size), "byte")))
	t.hex("SHA-256", f.SHA256)
}

// listing sets a label and one value a line.
func (t *teller) listing(label string, values []string) {
	for _, v := range values {
		t.fact(label, v)
		label = ""
	}
}

// box begins a frame with its heading.
func (t *teller) box(head string) {
	t.lines = append(t.lines, Line{Style: BoxedHead, Text: strings.Repeat(" ", margin+2) + head})
}

// boxed sets a label and a value inside the frame.
func (t *teller) boxed(label, value string) {
	t.lines = append(t.lines, boxPair(clean(label), clean(value))...)
}

// boxEnd leaves a line free beneath the frame.
func (t *teller) boxEnd() { t.lines = append(t.lines, Line{}) }

// program sets what a program says of itself.
func (t *teller) program(p audit.Program) {
	t.fact("program", fmt.Sprintf("keyrite %s, %s, %s (as it says of itself)", p.Version, p.Go, p.Platform))
	t.hex("SHA-256", p.SHA256)
}

// A drawing sets one kind of entry.
type drawing func(*teller, audit.Data)

// told makes a drawing of a function for the kind's own type.
func told[D audit.Data](draw func(*teller, D)) drawing {
	return func(t *teller, d audit.Data) { draw(t, d.(D)) }
}

// drawings is the table of what every kind of entry looks like on paper.
var drawings = map[string]drawing{
	"log-open":      told(drawLogOpen),
	"segment-open":  told(drawSegmentOpen),
	"segment-adopt": told(drawSegmentAdopt),
	"key-read":      told(drawKeyRead),
	"step-begin":    told(drawStepBegin),
	"step-end":      told(drawStepEnd),
	"ack":           told(drawAck),
	"answer":        told(drawAnswer),
	"secret":        told(drawSecret),
	"attendance":    told(drawAttendance),
	"environment":   told(drawEnvironment),
	"devices":       told(drawDevices),
	"machine-check": told(drawMachineCheck),
	"clock":         told(drawClock),
	"clock-jump":    told(drawClockJump),
	"drift":         told(drawDrift),
	"token":         told(drawToken),
	"inventory":     told(drawInventory),
	"key":           told(drawKey),
	"key-origin":    told(drawKeyOrigin),
	"csr":           told(drawCSR),
	"to-be-signed":  told(drawToBeSigned),
	"artifact":      told(drawArtifact),
	"export":        told(drawExport),
	"result":        told(drawResult),
	"problem":       told(drawProblem),
	"decision":      told(drawDecision),
	"deviation":     told(drawDeviation),
	"verdict":       told(drawVerdict),
	"witness-key":   told(drawWitnessKey),
	"cosignature":   told(drawCosigned),
	"freshness":     told(drawFreshness),
	"approval":      told(drawApproval),
	"passphrase":    told(drawPassphrase),
	"presence":      told(drawPresence),
	"alternate":     told(drawAlternate),
	"share":         told(drawShare),
	"share-shown":   told(drawShareShown),
	"share-void":    told(drawShareVoid),
	"share-check":   told(drawShareCheck),
	"read-back":     told(drawReadBack),
	"refusal":       told(drawRefusal),
	"destroyed":     told(drawDestroyed),
	"typed-back":    told(drawTypedBack),
	"custody":       told(drawCustody),
	"evidence":      told(drawEvidence),
	"asked":         told(drawAsked),
	"incident":      told(drawIncident),
	"hsm-intent":    told(drawHSMIntent),
	"hsm-outcome":   told(drawHSMOutcome),
	"hsm-unknown":   told(drawHSMUnknown),
	"pause":         told(drawPause),
	"abort":         told(drawAbort),
	"transcript":    told(drawTranscript),
	"close":         told(drawClose),

	"script-approval": told(drawScriptApproval),
	"place":           told(drawPlace),
	"try-ledger":      told(drawTryLedger),

	"dkek-share":  told(drawDKEKShare),
	"dkek-import": told(drawDKEKImport),
	"key-wrap":    told(drawKeyWrap),
	"key-unwrap":  told(drawKeyUnwrap),
	"key-compare": told(drawKeyCompare),

	"witness-key-exposed": told(drawKeyExposed),
}
