package verify

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/keyrite/keyrite/audit"
)

// A commandRule says of a command to a card what the log may hold of it.
type commandRule struct {
	headers      string // the headers that it has, hex
	data, answer string // "clear", "digest", or "" for what must be redacted
	reads        bool   // it changes nothing and spends no try
}

// commands are the commands that keyrite sends to a SmartCard-HSM beside
// PKCS#11, by their names in the log (docs/audit-log.md).
var commands = map[string]commandRule{
	"SELECT APPLET":      {"^00a404..$", "clear", "clear", true},
	"VERIFY WITHOUT PIN": {"^0020....$", "none", "clear", true},
	"VERIFY":             {"^0020....$", "", "", false},
	"READ BINARY":        {"^00b1(2f02|2f03|c4..|ce..)$", "clear", "clear", true},
	"UPDATE BINARY":      {"^00d7(2f03|c4..|ce..)$", "clear", "clear", false},
	"ENUMERATE OBJECTS":  {"^8058....$", "none", "clear", true},
	"INITIALIZE DEVICE":  {"^8050....$", "", "", false},
	"DKEK STATUS":        {"^8052....$", "none", "clear", true},
	"IMPORT DKEK SHARE":  {"^8052....$", "", "clear", false},
	"WRAP KEY":           {"^8072....$", "none", "digest", false},
	"UNWRAP KEY":         {"^8074....$", "digest", "clear", false},
}

// transmit is the function that sends a command.
const transmit = "SCardTransmit"

// changes reports whether a call changes a token, signs, or may spend a try. A
// command that is not known here does.
func changes(function, command string) bool {
	return slices.Contains(changing, function) || function == transmit && !commands[command].reads
}

// lasts reports whether a call leaves something on the token that is made once.
func lasts(function, command string) bool {
	return slices.Contains(lasting, function) || function == transmit && !commands[command].reads
}

// checkCommand finds a command that keyrite never sends, and data that must not
// stand in the log.
func (f *facts) checkCommand(seq int64, d *audit.HSMIntent) {
	if d.Function != transmit {
		return
	}
	rule, known := commands[d.Command]
	if !known || !regexp.MustCompile(rule.headers).MatchString(d.Header) {
		f.find(FunctionUnknown, seq, "a command to the card that keyrite never sends", "", d.Command+" "+d.Header)
		return
	}
	f.checkShown(seq, "the data of "+d.Command, rule.data, d.Data)
}

// checkAnswer finds an answer of a card that must not stand in the log.
func (f *facts) checkAnswer(seq int64, command string, d *audit.HSMOutcome) {
	if rule, known := commands[command]; d.Function == transmit && d.OK() && known {
		f.checkShown(seq, "the answer to "+command, rule.answer, d.Data)
	}
	if d.Function == transmit && d.OK() && !hex4.MatchString(d.Status) {
		f.find(CallOutcome, seq, "a status word of no form", "four hex digits", d.Status)
	}
}

var (
	hex4       = regexp.MustCompile(`^[0-9A-F]{4}$`)
	digestForm = regexp.MustCompile(`^(sha256:[0-9a-f]{64})?$`)
	hexForm    = regexp.MustCompile(`^([0-9a-f]{2})*$`)
)

func (f *facts) checkShown(seq int64, what, rule, got string) {
	fits, want := got == redacted, redacted
	switch rule {
	case "none":
		fits, want = got == "", "nothing"
	case "clear":
		fits, want = hexForm.MatchString(got), "hex"
	case "digest":
		fits, want = digestForm.MatchString(got), "a digest"
	}
	if !fits {
		f.find(SecretRecorded, seq, fmt.Sprintf("%s does not stand in the log as it should", what), want, "")
	}
}
