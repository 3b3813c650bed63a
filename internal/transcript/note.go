package transcript

import (
	"crypto/ed25519"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
)

// codeTag is the first field of a page's QR code, checkpointTag that of the
// closing sheet's.
const (
	codeTag       = "KEYRITE-PAGE-1"
	checkpointTag = "KEYRITE-CHECKPOINT-1"
)

// OriginIDSize is the length in bytes of the random number at an origin's end.
const OriginIDSize = 16

// PageNote returns the text that the log key signs for a page, as a note's
// text (C2SP signed-note) of six lines:
//
//	keyrite page v1
//	origin <origin>
//	mode <mode>
//	page <page> of <of signed pages>
//	digest <hex>
//	log <size> <root over the entries 0…size−1, hex>
//
// The signature is Ed25519 (RFC 8032) over these bytes, the last line feed
// included. The second line is no decimal number, so the note can never be
// taken for a checkpoint.
func PageNote(origin, mode string, page, of int, digest audit.Hash, size int64, head audit.Hash) string {
	return fmt.Sprintf("keyrite page v1\norigin %s\nmode %s\npage %d of %d\ndigest %s\nlog %d %s\n",
		origin, mode, page, of, digest, size, head)
}

// A Code is what the QR code of a signed page says.
type Code struct {
	Origin    [OriginIDSize]byte // the random number at the origin's end
	Mode      string             // "production" or "rehearsal"
	Page, Of  int                // of the signed pages
	Digest    audit.Hash
	Size      int64      // entries the pages were made from
	Head      audit.Hash // root over them
	Signature [ed25519.SignatureSize]byte
}

// modeLetters are the modes as a QR code has them.
var modeLetters = map[string]string{"production": "P", "rehearsal": "R"}

// QR returns the payload of a page's QR code, all of it in QR's alphanumeric
// set, numbers decimal, bytes upper-case hex:
//
//	KEYRITE-PAGE-1:<origin id>:<P|R>:<page>-<of>:<digest>:<size>:<head>:<signature>
func QR(c Code) string {
	return fmt.Sprintf("%s:%X:%s:%d-%d:%X:%d:%X:%X", codeTag, c.Origin[:], modeLetters[c.Mode],
		c.Page, c.Of, c.Digest[:], c.Size, c.Head[:], c.Signature[:])
}

// ParseQR reads what [QR] wrote. Any text that QR would not write is refused.
func ParseQR(s string) (Code, error) {
	c, err := parseCode(strings.Split(s, ":"))
	if err != nil {
		return Code{}, fmt.Errorf("reading the page code %q: %w", s, err)
	}
	if QR(c) != s {
		return Code{}, fmt.Errorf("reading the page code %q: not in its one form", s)
	}
	return c, nil
}

func parseCode(f []string) (c Code, err error) {
	if len(f) != 8 || f[0] != codeTag {
		return c, errors.New("not eight fields of a " + codeTag + " code")
	}
	for mode, letter := range modeLetters {
		if letter == f[2] {
			c.Mode = mode
		}
	}
	if c.Mode == "" {
		return c, fmt.Errorf("unknown mode %q", f[2])
	}
	page, of, _ := strings.Cut(f[3], "-")
	var e1, e2, e3 error
	c.Page, e1 = strconv.Atoi(page)
	c.Of, e2 = strconv.Atoi(of)
	c.Size, e3 = strconv.ParseInt(f[5], 10, 64)
	if err := errors.Join(e1, e2, e3); err != nil {
		return c, err
	}
	if c.Page < 1 || c.Page > c.Of || c.Size < 0 {
		return c, fmt.Errorf("page %d of %d of %d entries cannot be", c.Page, c.Of, c.Size)
	}
	return c, errors.Join(unhex(c.Origin[:], f[1]), unhex(c.Digest[:], f[4]),
		unhex(c.Head[:], f[6]), unhex(c.Signature[:], f[7]))
}

// unhex decodes s into all of dst.
func unhex(dst []byte, s string) error {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(dst) {
		return fmt.Errorf("%q is not %d bytes of hex", s, len(dst))
	}
	copy(dst, b)
	return nil
}

// OriginID returns the 128-bit random number at the end of a log's origin,
// its last path element: 32 lower-case hex digits.
func OriginID(origin string) (id [OriginIDSize]byte, err error) {
	last := origin[strings.LastIndexByte(origin, '/')+1:]
	if err := unhex(id[:], last); err != nil || strings.ToLower(last) != last {
		return id, fmt.Errorf("reading the origin %q: its last element is not 32 lower-case hex digits", origin)
	}
	return id, nil
}

// Verify checks the page's signature offline, with the log's origin and a
// verifier key in the form of sumdb/note (NAME+HASH+KEY), such as the closing
// sheet and the bundle's keys/ give. It returns nil if the key signed this
// code's [PageNote] for this origin.
func (c Code) Verify(origin, logKey string) error {
	id, err := OriginID(origin)
	if err != nil {
		return err
	}
	if id != c.Origin {
		return fmt.Errorf("checking page %d: it belongs to log %x, not to %q", c.Page, c.Origin, origin)
	}
	v, err := note.NewVerifier(logKey)
	if err != nil {
		return fmt.Errorf("checking page %d: reading the log key %q: %w", c.Page, logKey, err)
	}
	text := PageNote(origin, c.Mode, c.Page, c.Of, c.Digest, c.Size, c.Head)
	if !v.Verify([]byte(text), c.Signature[:]) {
		return fmt.Errorf("checking page %d: the log key %q did not sign it", c.Page, logKey)
	}
	return nil
}

// maxCheckpointQR is the most bytes of a checkpoint that a QR code of level M
// takes in base32.
const maxCheckpointQR = 1000

// CheckpointQR returns the payload of the closing sheet's QR code:
// "KEYRITE-CHECKPOINT-1:" and the signed note's bytes in base32 (RFC 4648
// section 6) without padding. Of a note over 1,000 bytes the last signature
// lines are left out, so that what remains is still a signed note.
func CheckpointQR(checkpoint []byte) string {
	for len(checkpoint) > maxCheckpointQR {
		cut := strings.LastIndexByte(string(checkpoint[:len(checkpoint)-1]), '\n')
		if cut < 0 {
			checkpoint = checkpoint[:maxCheckpointQR]
			break
		}
		checkpoint = checkpoint[:cut+1]
	}
	return checkpointTag + ":" + noPadding.EncodeToString(checkpoint)
}

// ParseCheckpointQR returns the signed note in a closing sheet's QR code.
func ParseCheckpointQR(s string) ([]byte, error) {
	payload, ok := strings.CutPrefix(s, checkpointTag+":")
	if !ok {
		return nil, fmt.Errorf("reading the checkpoint code %q: it does not begin with %q", s, checkpointTag+":")
	}
	b, err := noPadding.DecodeString(payload)
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoint code %q: %w", s, err)
	}
	if noPadding.EncodeToString(b) != payload {
		return nil, fmt.Errorf("reading the checkpoint code %q: not in its one form", s)
	}
	return b, nil
}

var noPadding = base32.StdEncoding.WithPadding(base32.NoPadding)
