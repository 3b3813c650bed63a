package transcript

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// callColumns are the widths of the table of HSM calls: entry, function,
// arguments and what came back, return value, duration.
var callColumns = []int{8, 21, 48, 9, 10}

// readOnly are the functions of which a run of successes may be told in one
// row.
var readOnly = map[string]bool{
	"C_GetInfo": true, "C_GetSlotList": true, "C_GetSlotInfo": true,
	"C_GetTokenInfo": true, "C_GetMechanismList": true, "C_GetMechanismInfo": true,
	"C_GetSessionInfo": true, "C_GetAttributeValue": true,
	"C_FindObjectsInit": true, "C_FindObjects": true, "C_FindObjectsFinal": true,
}

// foldFrom is the least number of equal calls in a row that are told in one.
const foldFrom = 3

// A call is an intent with its outcome; either may be missing.
type call struct {
	seq     int64 // of the intent, or of an outcome without one
	end     int64 // of the outcome; seq if there is none
	intent  *audit.HSMIntent
	outcome *audit.HSMOutcome
}

// calls returns the calls that begin in the given entries.
func (f *facts) callsIn(entries []*audit.Entry) []call {
	var calls []call
	at := map[int64]int{}
	for _, e := range entries {
		switch d := e.Data.(type) {
		case *audit.HSMIntent:
			at[e.Seq] = len(calls)
			calls = append(calls, call{e.Seq, e.Seq, d, f.outcomes[e.Seq]})
		case *audit.HSMOutcome:
			if i, ok := at[d.Intent]; ok {
				calls[i].end = e.Seq
			} else if f.intents[d.Intent] == nil {
				calls = append(calls, call{e.Seq, e.Seq, nil, d})
			}
		}
	}
	return calls
}

// callHead is the heading of the table of calls.
func callHead() Line {
	return Line{Style: TableHead, Text: callText(" entry", "function", "arguments → what came back", "returned", "ms")}
}

func callText(seq, function, arguments, rv, ms string) string {
	return strings.TrimRight(pad(seq, callColumns[0])+pad(function, callColumns[1])+
		pad(arguments, callColumns[2])+pad(rv, callColumns[3])+right(ms, callColumns[4]), " ")
}

// callTable sets calls as rows.
func (f *facts) callTable(calls []call) []Line {
	var lines []Line
	for len(calls) > 0 {
		n := 1
		for n < len(calls) && foldable(calls[0]) && foldable(calls[n]) && calls[n].intent.Function == calls[0].intent.Function {
			n++
		}
		if n < foldFrom {
			n = 1
			lines = append(lines, f.callRow(calls[0])...)
		} else {
			lines = append(lines, foldedRow(calls[:n])...)
		}
		calls = calls[n:]
	}
	return lines
}

// foldable reports whether a call only read and went well.
func foldable(c call) bool {
	return c.intent != nil && c.outcome != nil && readOnly[c.intent.Function] &&
		c.outcome.Function == c.intent.Function && c.outcome.OK()
}

func foldedRow(calls []call) []Line {
	var micros int64
	for _, c := range calls {
		micros += c.outcome.Micros
	}
	what := fmt.Sprintf("%d calls, entries %d to %d", len(calls), calls[0].seq, calls[len(calls)-1].end)
	return setCall(Plain, calls[0].seq, calls[0].intent.Function, what, "CKR_OK", millis(micros))
}

// callRow sets one call; one that failed or whose outcome is not known says so
// on a line of its own.
func (f *facts) callRow(c call) []Line {
	function, what := "", ""
	if c.intent != nil {
		function, what = c.intent.Function, arguments(c.intent)
	}
	if c.outcome == nil {
		lines := setCall(Alarm, c.seq, function, what, "UNKNOWN", "")
		return append(lines, remark("no outcome was recorded: "+f.settled(c.seq))...)
	}
	if back := results(c.outcome); back != "" {
		what = strings.TrimSpace(what + " → " + back)
	}
	switch {
	case c.intent == nil:
		lines := setCall(Alarm, c.seq, c.outcome.Function, what, "", millis(c.outcome.Micros))
		return append(lines, remark(fmt.Sprintf("returned %s; its intent, entry %d, is not among the entries", c.outcome.RV, c.outcome.Intent))...)
	case !c.outcome.OK():
		lines := setCall(Alarm, c.seq, function, what, "FAILED", millis(c.outcome.Micros))
		return append(lines, remark("returned "+c.outcome.RV)...)
	}
	return setCall(Plain, c.seq, function, what, good(c.outcome), millis(c.outcome.Micros))
}

// good is what the column says of a call that went well: the return value of
// PC/SC is too long for it, and the card's status says more.
func good(o *audit.HSMOutcome) string {
	if o.RV == "CKR_OK" {
		return o.RV
	}
	return "OK " + o.Status
}

// settled says what the room found out about an intent without an outcome.
func (f *facts) settled(intent int64) string {
	if u := f.unknown[intent]; u != nil {
		return "the room decided “" + u.Decided + "”"
	}
	return "nobody has settled what happened"
}

// setCall sets the cells of a row; long cells go on beneath.
func setCall(style Style, seq int64, function, what, rv, ms string) []Line {
	functions := wrap(clean(function), callColumns[1]-1)
	whats := wrap(clean(what), callColumns[2]-1)
	var lines []Line
	for i := 0; i < max(len(functions), len(whats)); i++ {
		cells := [5]string{}
		if i == 0 {
			cells = [5]string{fmt.Sprintf("%6d", seq), "", "", rv, ms}
		}
		if i < len(functions) {
			cells[1] = functions[i]
		}
		if i < len(whats) {
			cells[2] = whats[i]
		}
		lines = append(lines, Line{Style: style, Text: callText(cells[0], cells[1], cells[2], cells[3], cells[4])})
	}
	return lines
}

// remark sets a line under a call.
func remark(s string) []Line { return text(Alarm, callColumns[0], clean(s)) }

// millis writes microseconds as milliseconds, all digits.
func millis(micros int64) string { return fmt.Sprintf("%d.%03d", micros/1000, micros%1000) }

// arguments writes an intent's arguments in short.
func arguments(i *audit.HSMIntent) string {
	var a list
	if i.Module != nil {
		a.add("module", i.Module.Name)
	}
	a.add("command", i.Command)
	a.add("header", i.Header)
	a.add("reader", i.Reader)
	a.add("slot", i.Slot)
	a.add("session", i.Session)
	a.add("user", i.User)
	a.add("PIN", i.PIN)
	a.add("new PIN", i.NewPIN)
	a.add("label", i.Label)
	a.add("flags", strings.Join(i.Flags, "|"))
	a.add("mechanism", i.Mechanism)
	a.add("parameter", i.Parameter)
	a.add("object", i.Object)
	a.add("template", template(i.Template))
	a.add("private", template(i.Private))
	a.add("attributes", strings.Join(i.Attributes, " "))
	if i.Length > 0 {
		a.add("length", fmt.Sprint(i.Length))
	}
	a.add("purpose", i.Purpose)
	if i.For > 0 {
		a.add("data", fmt.Sprintf("of %d bytes, announced in entry %d", len(i.Data)/2, i.For))
	} else {
		a.add("data", i.Data)
	}
	return a.String()
}

// results writes what a call brought back, in short.
func results(o *audit.HSMOutcome) string {
	var a list
	a.add("slots", strings.Join(o.Slots, " "))
	if o.Module != nil {
		a.add("library", o.Module.Library+" "+o.Module.LibraryVersion)
	}
	if o.SlotInfo != nil {
		a.add("slot", o.SlotInfo.Description)
	}
	if o.Token != nil {
		a.add("label", o.Token.Label)
		a.add("serial", o.Token.Serial)
		a.add("flags", strings.Join(tellingFlags(o.Token.Flags), " "))
		a.add("sessions", sessionsOpen(*o.Token))
	}
	a.count("mechanism", len(o.Mechanisms))
	if o.KeySizes != nil {
		a.add("sizes", o.KeySizes.Min+" to "+o.KeySizes.Max)
	}
	a.add("session", o.Session)
	a.add("state", o.State)
	a.count("object", len(o.Objects))
	a.count("attribute", len(o.Attributes))
	a.add("public key", o.PublicKey)
	a.add("private key", o.PrivateKey)
	if o.Signature != "" {
		a.add("signature", fmt.Sprintf("of %d bytes", len(o.Signature)/2))
	}
	a.add("random", o.Random)
	for _, r := range o.Readers {
		a.add("reader", strings.TrimSpace(r.Name+" "+r.ATR))
	}
	if !o.OK() {
		a.add("status", o.Status)
	}
	a.add("answer", answered(o.Data))
	return a.String()
}

// answered writes a card's answer; a long one stands in the log.
func answered(data string) string {
	if len(data) > 64 && !strings.HasPrefix(data, "sha256:") {
		return fmt.Sprintf("of %d bytes", len(data)/2)
	}
	return data
}

// tellingFlags returns the token flags that say how many PIN tries are left:
// the others stand where the token is identified.
func tellingFlags(flags []string) []string {
	var telling []string
	for _, f := range flags {
		for _, end := range []string{"_COUNT_LOW", "_FINAL_TRY", "_LOCKED", "_TO_BE_CHANGED"} {
			if strings.HasSuffix(f, end) {
				telling = append(telling, f)
			}
		}
	}
	return telling
}

// template writes a PKCS#11 template.
func template(attributes []audit.Attribute) string {
	parts := make([]string, len(attributes))
	for i, a := range attributes {
		parts[i] = a.Type + "=" + a.Value
		if a.Error != "" {
			parts[i] = a.Type + " " + a.Error
		}
	}
	return strings.Join(parts, " ")
}

// A list is names with values, those without a value left out.
type list []string

func (l *list) add(name, value string) {
	if value != "" {
		*l = append(*l, name+" "+value)
	}
}

func (l *list) count(thing string, n int) {
	if n > 0 {
		*l = append(*l, plural(n, thing))
	}
}

func (l list) String() string { return strings.Join(l, ", ") }

func drawHSMIntent(t *teller, d *audit.HSMIntent) {
	t.lines = append(t.lines, t.f.callRow(call{t.e.Seq, t.e.Seq, d, t.f.outcomes[t.e.Seq]})...)
}

func drawHSMOutcome(t *teller, d *audit.HSMOutcome) {
	t.lines = append(t.lines, t.f.callRow(call{t.e.Seq, t.e.Seq, t.f.intents[d.Intent], d})...)
}

func drawHSMUnknown(t *teller, d *audit.HSMUnknown) {
	t.alarm("The call of entry %d has no recorded outcome. The token was inspected.", d.Intent)
	t.fact("found", d.Found)
	t.fact("decided", d.Decided+", by "+t.f.name(d.Person))
}
