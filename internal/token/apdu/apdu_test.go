package apdu

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/token"
)

func TestBytes(t *testing.T) {
	long := bytes.Repeat([]byte{0x5a}, 256)
	for want, c := range map[string]Command{
		"00200081":                             AskTries(UserPIN),
		"00a404000be82b0601040181c31f020100":   SelectApplet(),
		"80580000000400":                       Enumerate(),
		"00b12f0204540200000a":                 ReadBinary(DeviceCertificates, 0, 10),
		"8074019300" + "0100" + hexOf(long):    {CLA: 0x80, INS: 0x74, P1: 1, P2: 0x93, Data: long},
		"80740193ff" + hexOf(long[:255]):       {CLA: 0x80, INS: 0x74, P1: 1, P2: 0x93, Data: long[:255]},
		"0020008106" + hexOf([]byte("123456")): {INS: 0x20, P2: 0x81, Data: []byte("123456")},
		"00b1ce010000045402010003e8":           ReadBinary(0xCE01, 256, 1000),
		"80720192" + "00" + "1000":             {CLA: 0x80, INS: 0x72, P1: 1, P2: 0x92, Le: 4096},
		"80520000":                             {CLA: 0x80, INS: 0x52},
		"805200000a":                           {CLA: 0x80, INS: 0x52, Le: 10},
	} {
		if got := hex.EncodeToString(c.Bytes()); got != want {
			t.Errorf("%s: %s, want %s", c.Header(), got, want)
		}
	}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// TestDenied: of all commands those in the table can be sent, and no other; and
// what is not known to be harmless is recorded redacted.
func TestDenied(t *testing.T) {
	sendable := map[string]bool{
		"0020": true, "00b1": true, "00d7": true, "8058": true, "8050": true, "8052": true, "8072": true, "8074": true,
	}
	for cla := range 256 {
		for ins := range 256 {
			c := Command{CLA: byte(cla), INS: byte(ins), P1: 0xCE, Data: []byte{1}}
			none := Command{CLA: byte(cla), INS: byte(ins), P1: 0xCE}
			err, alone := Call{Function: Transmit, Command: c}.Check(), Call{Function: Transmit, Command: none}.Check()
			if id := c.Header()[:4]; sendable[id] != (err == nil || alone == nil) {
				t.Errorf("%s: sendable %v: %v, %v", id, sendable[id], err, alone)
			}
		}
	}
	for _, c := range []Command{
		{INS: 0xA4, P1: 0x04, Data: []byte("another applet")}, {INS: 0xA4, Data: []byte{0x2F, 0x02}}, // would move OpenSC's current file
		{INS: 0xB1, P1: 0xCD, P2: 1}, {INS: 0xB1}, {INS: 0xB1, P1: 0xCF, P2: 1}, {INS: 0xD7, P1: 0xCC, P2: 1}, {INS: 0xD7, P1: 0x2F, P2: 0x02 + 0x10},
		ReadBinary(DeviceCertificates, 0, MaxData+1), {INS: 0x20, P2: UserPIN, Data: make([]byte, MaxData+1)}, {INS: 0x20, Le: -1},
	} {
		if err := (Call{Function: Transmit, Command: c}).Check(); err == nil {
			t.Errorf("%s with %d bytes, Le %d can be sent", c.Header(), len(c.Data), c.Le)
		}
	}
	for _, c := range []Call{{Function: "SCardControl"}, {Function: Connect}, {Function: token.Login}} {
		if c.Check() == nil {
			t.Errorf("%s passes", c.Function)
		}
	}
	for _, c := range []Call{{Function: ListReaders}, {Function: Connect, Reader: "r"}, {Function: Disconnect}, {Function: Transmit, Command: Enumerate()}} {
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	}
}

// TestClasses: the whole table, so that a change of what is recorded is seen.
func TestClasses(t *testing.T) {
	var got strings.Builder
	words := map[Shown]string{Redacted: "redacted", Clear: "clear", Digest: "digest"}
	for _, r := range classes {
		got.WriteString(r.class.Name + ": " + words[r.class.Data] + ", " + words[r.class.Answer])
		if Reads(r.class.Name) {
			got.WriteString(", reads")
		}
		got.WriteString("\n")
	}
	const want = `SELECT APPLET: clear, clear, reads
VERIFY WITHOUT PIN: clear, clear, reads
VERIFY: redacted, redacted
READ BINARY: clear, clear, reads
UPDATE BINARY: clear, clear
ENUMERATE OBJECTS: clear, clear, reads
INITIALIZE DEVICE: redacted, redacted
DKEK STATUS: clear, clear, reads
IMPORT DKEK SHARE: redacted, clear
WRAP KEY: clear, digest
UNWRAP KEY: digest, clear
`
	if got.String() != want {
		t.Errorf("the table is now:\n%s", got.String())
	}
	if Reads("SOMETHING ELSE") {
		t.Error("an unknown command only reads")
	}
}

func TestStatus(t *testing.T) {
	for s, want := range map[Status]string{
		0x63C4: "the card answered 63C4: tries left: 4", Blocked: "the card answered 6983: no try is left",
		FileNotFound: "the card answered 6A82: there is no such file", 0x6F00: "the card answered 6F00",
	} {
		if s.Error() != want {
			t.Errorf("%q, want %q", s.Error(), want)
		}
	}
	for s, want := range map[Status]int{0x63C4: 4, 0x63CF: 15, 0x63C0: 0, Blocked: 0} {
		if left, ok := s.Left(); !ok || left != want {
			t.Errorf("%v: %d, %v", s, left, ok)
		}
	}
	for _, s := range []Status{OK, NotInitialised, 0x6381, 0x64C1} {
		if _, ok := s.Left(); ok {
			t.Errorf("%v passes for a number of tries", s)
		}
	}
	if data, s, err := Split([]byte{1, 2, 0x90, 0}); err != nil || s != OK || !bytes.Equal(data, []byte{1, 2}) {
		t.Errorf("%x %v %v", data, s, err)
	}
	if _, _, err := Split([]byte{0x90}); err == nil {
		t.Error("an answer of one byte passes")
	}
	if RemovedCard.Error() != "SCARD_W_REMOVED_CARD" || Code(0x80101234).Error() != "SCARD_0x80101234" {
		t.Errorf("%v, %v", RemovedCard, Code(0x80101234))
	}
}

func TestIsSmartCardHSM(t *testing.T) {
	for atr, want := range map[string]bool{
		"3bde96ff8191fe1fc38031815448534d3173802140810792": true,
		"3bfe1800008131fe458031815448534d31738021408107fa": true,
		"3b8580014a434f50": false, "": false,
	} {
		b, err := hex.DecodeString(atr)
		if err != nil {
			t.Fatal(err)
		}
		if IsSmartCardHSM(b) != want {
			t.Errorf("%s: %v", atr, !want)
		}
	}
}
