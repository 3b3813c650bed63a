package apdu

import (
	"bytes"

	"github.com/keyrite/keyrite/internal/token"
)

// A Shown says how bytes stand in the log.
type Shown int

const (
	// Redacted bytes stand as "[redacted]": not their hash, not their length.
	Redacted Shown = iota
	// Clear bytes stand in hex.
	Clear
	// Digest is "sha256:" and the hex digest: bytes that are large and no
	// secret, and stand elsewhere.
	Digest
)

// A Class is what is known of a command.
type Class struct {
	Name         string // in the log: "READ BINARY"
	Data, Answer Shown
	Reads        bool // it changes nothing on the card and spends no try
}

// Names of commands that a step asks the log for.
const (
	InitializeDevice token.Function = "INITIALIZE DEVICE"
	ImportDKEKShare  token.Function = "IMPORT DKEK SHARE"
	WrapKey          token.Function = "WRAP KEY"
	UnwrapKey        token.Function = "UNWRAP KEY"
)

// A rule recognises commands of a class.
type rule struct {
	cla, ins byte
	when     func(Command) bool // nil: always
	class    Class
}

// classes are the commands that can be sent, the first that fits: what is
// known to be harmless is recorded in clear, all else is not.
var classes = []rule{
	{0x00, 0xA4, isApplet, Class{"SELECT APPLET", Clear, Clear, true}},
	{0x00, 0x20, hasNoData, Class{"VERIFY WITHOUT PIN", Clear, Clear, true}},
	{0x00, 0x20, nil, Class{Name: "VERIFY"}},
	{0x00, 0xB1, isPublicFile, Class{"READ BINARY", Clear, Clear, true}},
	{0x00, 0xD7, isWritten, Class{"UPDATE BINARY", Clear, Clear, false}},
	{0x80, 0x58, hasNoData, Class{"ENUMERATE OBJECTS", Clear, Clear, true}},
	{0x80, 0x50, nil, Class{Name: string(InitializeDevice)}}, // the PINs are in its data
	{0x80, 0x52, hasNoData, Class{"DKEK STATUS", Clear, Clear, true}},
	{0x80, 0x52, nil, Class{string(ImportDKEKShare), Redacted, Clear, false}}, // answers with the counts and the key check value
	{0x80, 0x72, hasNoData, Class{string(WrapKey), Clear, Digest, false}},
	{0x80, 0x74, nil, Class{string(UnwrapKey), Digest, Clear, false}},
}

// Class returns what is known of the command, and whether it may be sent.
func (c Command) Class() (Class, bool) {
	for _, r := range classes {
		if c.CLA == r.cla && c.INS == r.ins && (r.when == nil || r.when(c)) {
			return r.class, true
		}
	}
	return Class{}, false
}

// Reads reports whether commands of a name, as it stands in the log, change
// nothing and spend no try.
func Reads(name string) bool {
	for _, r := range classes {
		if r.class.Name == name {
			return r.class.Reads
		}
	}
	return false
}

// applet is the name of the SmartCard-HSM's applet.
var applet = []byte{0xE8, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x02, 0x01}

func isApplet(c Command) bool  { return c.P1 == 0x04 && bytes.Equal(c.Data, applet) }
func hasNoData(c Command) bool { return len(c.Data) == 0 }

// isPublicFile: certificates, the label, descriptions of keys and what attests
// them, which whoever holds the card can read. Others may hold what only a login
// shows.
func isPublicFile(c Command) bool {
	file := uint16(c.P1)<<8 | uint16(c.P2)
	return file == DeviceCertificates || file == TokenInfo || c.P1 == byte(Attestation>>8) || c.P1 == byte(KeyDescription>>8)
}

// Files of the card. The low byte of Attestation, KeyDescription and PrivateKey
// is the key's number there, which is not its CKA_ID.
const (
	DeviceCertificates uint16 = 0x2F02 // the device's certificate, then its issuer's
	TokenInfo          uint16 = 0x2F03 // the label
	KeyDescription     uint16 = 0xC400 // PKCS #15: label, id, usage
	PrivateKey         uint16 = 0xCC00 // listed, never read
	Attestation        uint16 = 0xCE00 // the request signed by key and device, until a certificate replaces it
)

// References of the PINs.
const (
	UserPIN byte = 0x81
	SOPIN   byte = 0x88
)

// SelectApplet selects the applet, which ends the login of every session.
func SelectApplet() Command { return Command{INS: 0xA4, P1: 0x04, Data: applet, Le: 256} }

// AskTries asks how many tries of a PIN are left: the answer is in the status.
func AskTries(pin byte) Command { return Command{INS: 0x20, P2: pin} }

// Enumerate lists the files, two bytes each.
func Enumerate() Command { return Command{CLA: 0x80, INS: 0x58, Le: 1024} }

// ReadBinary reads at most n bytes of a file from an offset.
func ReadBinary(file uint16, offset, n int) Command {
	return Command{INS: 0xB1, P1: byte(file >> 8), P2: byte(file),
		Data: []byte{0x54, 0x02, byte(offset >> 8), byte(offset)}, Le: n}
}

// IsSmartCardHSM reports whether a card says in its answer to reset that it is
// a SmartCard-HSM: pre-issuing data "HSM1" among the historical bytes. Commands
// are sent to no other card.
func IsSmartCardHSM(atr []byte) bool { return bytes.Contains(atr, []byte("\x54HSM1")) }

// isWritten: what is written beside PKCS#11, the label and what belongs to a key
// that was taken in. The card's own certificates are not.
func isWritten(c Command) bool {
	return isPublicFile(c) && uint16(c.P1)<<8|uint16(c.P2) != DeviceCertificates
}
