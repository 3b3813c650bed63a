package sample

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
)

var initials = map[string]string{"lw": "ŁW", "yt": "YT", "ep": "EP", "dv": "DV"}

const script = "keyrite: 1\ntitle: Root ceremony of an invented authority\n"

// cover is what the sample's script says.
func cover() transcript.Cover {
	both := []string{"ep", "dv"}
	c := transcript.Cover{
		Title: "Root key ceremony 2026", Organisation: "Example Certification Authority",
		Place:   "Vault 2, Sample Street 1, Exampletown",
		Purpose: "To generate the key of a new root certification authority on one hardware security module, to issue its certificate and its first certificate revocation list, and to leave evidence of both that does not need anybody's word.",
		Mode:    "rehearsal",
		Participants: []transcript.Participant{
			{ID: "lw", Name: "Łukasz Wzorcowy", Roles: []string{"ceremony-administrator", "operator"}},
			{ID: "yt", Name: "山田 太郎", Roles: []string{"so-pin-custodian", "crypto-officer"}},
			{ID: "ep", Name: "Ελένη Παραδείγματος", Roles: []string{"internal-witness"}},
			{ID: "dv", Name: "Дмитрий Примеров", Roles: []string{"independent-witness"}},
		},
	}
	for _, s := range [][4]string{
		{"roll-call", "Roll call", "The administrator calls everybody by name and sees a document of each.", "That every person on the roster is in the room, and nobody else."},
		{"purpose", "Purpose and emergency briefing", "The purpose is read aloud. The emergency exits are shown.", ""},
		{"environment", "The machine", "The machine says what it runs. It has no network.", "That no network interface is up."},
		{"clock", "The second clock", "A witness reads a clock that is not the machine's.", "That the clocks agree to the minute."},
		{"key-read", "The log key is read aloud", "The words of the log key are read from the screen, slowly. Everybody writes them down.", "That what you wrote is what was read. This is what you compare the paper with."},
		{"materials", "The bag is opened", "The number of the bag is read aloud, then the bag is cut open.", "That the bag was whole and the number is that of the list."},
		{"identify", "The token is identified", "The program asks the token who it is and compares the answer with the script.", "That the serial number on the screen is the one printed on the token."},
		{"empty", "The token is empty", "The program lists what is on the token.", "That the list is empty."},
		{"init", "The token is initialised", "All that is on the token is destroyed, for good. It gets its label.", "That the custodian alone sees the keyboard."},
		{"so-pin", "A new SO-PIN", "The custodian enters a new SO-PIN, twice. It is never read aloud.", "That nobody but the custodian can see it."},
		{"user-pin", "A user PIN", "The security officer's PIN lets the program set the PIN that uses keys.", ""},
		{"login", "The PIN is proved", "The program logs in with the new user PIN and out again.", "That the return value is CKR_OK."},
		{"generate", "The root key is generated", "The token makes the key pair. The private key never leaves it.", "The fingerprint: write down its first and last group."},
		{"root-cert", "The root certificate is signed", "The certificate is shown, checked, and signed by its own key.", "Name and dates on the screen."},
		{"crl", "The first CRL is signed", "A list of revoked certificates, with none on it yet.", "The number 1 and the date of the next list."},
		{"inventory", "What is on the token now", "The program lists the objects on the token.", "One key pair, and nothing else."},
		{"export", "The files are written out", "The files go to two media and are read back from each.", "That the hashes read back are the same."},
		{"reseal", "The token goes into a new bag", "Token and card go into a bag with a new number.", "The number of the bag."},
		{"verdicts", "The witnesses' verdicts", "Each witness says whether what was done is what was to be done.", "You may disagree. Nothing is undone by it."},
	} {
		c.Steps = append(c.Steps, transcript.Step{ID: s[0], Title: s[1], Say: s[2], Watch: s[3], Witnesses: both})
	}
	return c
}

// Files are the artifacts of the sample ceremony. They are no certificates.
var Files = map[string][]byte{
	"artifacts/root.pem":     []byte("-----BEGIN CERTIFICATE-----\ninvented\n-----END CERTIFICATE-----\n"),
	"artifacts/root.crl.pem": []byte("-----BEGIN X509 CRL-----\ninvented\n-----END X509 CRL-----\n"),
}

// AnnexText gives invented text for the sample's files.
func AnnexText(name string, _ []byte) ([]string, error) {
	lines := []string{"Certificate " + name, "    Version: 3", "    Serial number: 4c1f 90aa 71e2 3b5d 0c7e 55f1 9a0b 6d21",
		"    Issuer: CN=Example Root 2026 REHEARSAL, O=Example Certification Authority, C=XX",
		"    Valid: 2026-11-25 09:00:00 UTC to 2046-11-24 09:00:00 UTC", "    Extensions:"}
	for i := range 30 {
		lines = append(lines, fmt.Sprintf("        extension %d: critical, %s", i, strings.Repeat(digest(fmt.Sprint(i))[:8]+" ", 1+i%9)))
	}
	return lines, nil
}

// Ceremony returns the log of a root ceremony of 19 steps with two witnesses, a
// deviation, a wrong PIN, a signature whose outcome was lost and a break of 47
// minutes.
func Ceremony() transcript.Source {
	c := cover()
	b := newBuilder()
	prologue(b)
	r := &run{builder: b, cover: c}
	r.opening()
	r.token()
	r.pins()
	r.keys()
	r.ending()
	return source(b, c)
}

// Small returns the short log of a ceremony with one step.
func Small() transcript.Source {
	c := cover()
	c.Participants, c.Steps = c.Participants[:2], c.Steps[:1]
	b := newBuilder()
	prologue(b)
	r := &run{builder: b, cover: c}
	r.opening0()
	return source(b, c)
}

func source(b *builder, c transcript.Cover) transcript.Source {
	return transcript.Source{
		Origin: Origin, Entries: b.entries, Head: audit.Hash(sha256.Sum256([]byte("head"))),
		Script: []byte(script), Cover: c,
		File: func(name string) ([]byte, error) {
			f, ok := Files[name]
			if !ok {
				return nil, fmt.Errorf("no file %q", name)
			}
			return f, nil
		},
		AnnexText: AnnexText,
	}
}

// Checkpoint returns a final checkpoint signed by a segment's log key.
func Checkpoint(src transcript.Source, segment int) []byte {
	text := fmt.Sprintf("%s\n%d\n%s\n", src.Origin, len(src.Entries)+2, base64.StdEncoding.EncodeToString(src.Head[:]))
	vkey := LogKey(segment)
	var hash uint32
	if _, err := fmt.Sscanf(vkey[len(src.Origin)+1:], "%08x", &hash); err != nil {
		panic("sample: a verifier key without a hash: " + err.Error())
	}
	sig := binary.BigEndian.AppendUint32(nil, hash)
	sig = append(sig, Sign(segment, text)...)
	return fmt.Appendf(nil, "%s\n— %s %s\n", text, src.Origin, base64.StdEncoding.EncodeToString(sig))
}

func program() audit.Program {
	return audit.Program{Version: "v0.1.0", Go: "go1.26.8", Platform: "linux/amd64", SHA256: digest("keyrite")}
}

func prologue(b *builder) {
	b.add(&audit.LogOpen{Format: 1, Origin: Origin, Mode: "rehearsal", Script: file("script.yaml", []byte(script)), LogKey: LogKey(0), Program: program()})
}
