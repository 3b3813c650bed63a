package verify

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// commandTo puts one command to a card before a step's entry.
func commandTo(step string, i audit.HSMIntent, o audit.HSMOutcome) func(*bundletest.Builder, string, audit.Data) {
	i.Function, i.Reader = transmit, "Reader 00 00"
	if o.Status == "" && o.RV == "" {
		o.Status = "9000"
	}
	if step == "" {
		return at("", func(b *bundletest.Builder, _ *audit.Transcript) { b.Call(i, o) })
	}
	return at(step, func(b *bundletest.Builder, _ *audit.Key) { b.Call(i, o) })
}

// commandLies are lies about commands to a card.
func commandLies() []lie {
	lies := []lie{
		{name: "a command that keyrite never sends", before: commandTo("root-key", audit.HSMIntent{Command: "EXPORT KEY", Header: "80760100"}, audit.HSMOutcome{}), want: FunctionUnknown},
		{name: "a command under another's name", before: commandTo("root-key", audit.HSMIntent{Command: "ENUMERATE OBJECTS", Header: "00200081"}, audit.HSMOutcome{}), want: FunctionUnknown},
		{name: "a file that is not public", before: commandTo("root-key", audit.HSMIntent{Command: "READ BINARY", Header: "00b1cd01", Data: "54020000", Length: 1000}, audit.HSMOutcome{Data: "00"}), want: FunctionUnknown},
		{name: "a status of no form", before: commandTo("root-key", audit.HSMIntent{Command: "ENUMERATE OBJECTS", Header: "80580000"}, audit.HSMOutcome{Status: "ok"}), want: CallOutcome},
		{name: "a PIN tried in no step", before: commandTo("", audit.HSMIntent{Command: "VERIFY", Header: "00200081", Data: redacted}, audit.HSMOutcome{Data: redacted}), want: CallWithoutStep},
		{name: "an answer of a call that failed", before: commandTo("root-key", audit.HSMIntent{Command: "ENUMERATE OBJECTS", Header: "80580000"}, audit.HSMOutcome{RV: "SCARD_W_REMOVED_CARD", Data: "2f02"}), want: CallOutcome},
		{name: "a return value of PKCS#11 by PC/SC", before: commandTo("root-key", audit.HSMIntent{Command: "ENUMERATE OBJECTS", Header: "80580000"}, audit.HSMOutcome{RV: "CKR_OK", Status: "9000"}), want: CallOutcome},
	}
	for name, header := range map[string]string{"VERIFY": "00200081", "INITIALIZE DEVICE": "80500000", "IMPORT DKEK SHARE": "80520000", "VERIFY WITHOUT PIN": "00200081", "WRAP KEY": "80720192"} {
		lies = append(lies, lie{name: "the data of " + name, before: commandTo("root-key", audit.HSMIntent{Command: name, Header: header, Data: "363438323139"}, honest(name)), want: SecretRecorded})
	}
	for name, header := range map[string]string{"VERIFY": "00200081", "INITIALIZE DEVICE": "80500000", "WRAP KEY": "80720192"} {
		in := audit.HSMIntent{Command: name, Header: header}
		if commands[name].data == "" {
			in.Data = redacted
		}
		lies = append(lies, lie{name: "the answer to " + name, before: commandTo("root-key", in, audit.HSMOutcome{Data: "363438323139"}), want: SecretRecorded})
	}
	return lies
}

// honest is an outcome with an answer that stands as it should.
func honest(name string) audit.HSMOutcome {
	if commands[name].answer == "" {
		return audit.HSMOutcome{Data: redacted}
	}
	return audit.HSMOutcome{}
}

// TestCommandsHold: commands that stand in the log as they should are no finding.
func TestCommandsHold(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	for _, c := range []struct {
		in  audit.HSMIntent
		out audit.HSMOutcome
	}{
		{audit.HSMIntent{Command: "READ BINARY", Header: "00b1ce01", Data: "54020000", Length: 1000}, audit.HSMOutcome{Data: "6701", Status: "6282"}},
		{audit.HSMIntent{Command: "VERIFY", Header: "00200081", Data: redacted}, audit.HSMOutcome{Data: redacted, Status: "63C2"}},
		{audit.HSMIntent{Command: "WRAP KEY", Header: "80720192", Length: 1000}, audit.HSMOutcome{Data: digest}},
		{audit.HSMIntent{Command: "UNWRAP KEY", Header: "80740193", Data: digest}, audit.HSMOutcome{}},
		{audit.HSMIntent{Command: "IMPORT DKEK SHARE", Header: "80520000", Data: redacted}, audit.HSMOutcome{Data: "0201"}},
		{audit.HSMIntent{Command: "ENUMERATE OBJECTS", Header: "80580000"}, audit.HSMOutcome{RV: "SCARD_W_REMOVED_CARD"}},
	} {
		if r := (lie{before: commandTo("root-key", c.in, c.out)}).tell(t); r.failed() {
			t.Errorf("%s: %s", c.in.Command, codes(r))
		}
	}
}
