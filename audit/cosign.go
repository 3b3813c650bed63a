package audit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// A witness vouches for a checkpoint with a line of its own in the signed note:
// a C2SP tlog-cosignature of version 1.
//
//	— <key name> base64(key hash ‖ time ‖ signature)
//
// The key hash is 4 bytes, the time 8 bytes (big-endian, seconds since 1970),
// the signature 64 bytes of Ed25519 over
//
//	cosignature/v1\n
//	time <decimal>\n
//	<the checkpoint's text>

// algCosignature is the signature type of a cosignature/v1 in a signed note's
// keys.
const algCosignature = 4

// cosignatureSize is the length of a cosignature behind its key hash: time and
// Ed25519 signature.
const cosignatureSize = 8 + ed25519.SignatureSize

// maxKeyName bounds a witness key's name in bytes, so that a file can be named
// after it.
const maxKeyName = 100

// A Cosignature is a witness's line in a checkpoint's signed note. It says
// nothing before a key has verified it.
type Cosignature struct {
	Name      string // of the key
	KeyHash   uint32 // of the key
	Time      int64  // seconds since 1970, as the witness's machine said
	Signature [ed25519.SignatureSize]byte
}

// ParseCosignature reads a cosignature's line, without a line feed. It accepts
// exactly what [Cosignature.Line] writes.
func ParseCosignature(line string) (Cosignature, error) {
	rest, ok := strings.CutPrefix(line, "— ")
	name, b64, two := strings.Cut(rest, " ")
	if !ok || !two || !validName(name) {
		return Cosignature{}, fmt.Errorf("parsing cosignature %q: not \"— name base64\"", line)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(b64)
	if err != nil || strings.ContainsAny(b64, "\r\n") {
		return Cosignature{}, fmt.Errorf("parsing cosignature of %q: %q is not base64", name, b64)
	}
	if len(b) != 4+cosignatureSize {
		return Cosignature{}, fmt.Errorf("parsing cosignature of %q: %d bytes, not the %d of a cosignature/v1", name, len(b), 4+cosignatureSize)
	}
	at := binary.BigEndian.Uint64(b[4:])
	if at > math.MaxInt64 {
		return Cosignature{}, fmt.Errorf("parsing cosignature of %q: time %d is over 2^63-1", name, at)
	}
	return Cosignature{Name: name, KeyHash: binary.BigEndian.Uint32(b), Time: int64(at), Signature: [ed25519.SignatureSize]byte(b[12:])}, nil
}

// Line returns the cosignature as its line in a signed note, without a line
// feed.
func (c Cosignature) Line() string {
	b := binary.BigEndian.AppendUint32(nil, c.KeyHash)
	b = append(binary.BigEndian.AppendUint64(b, uint64(c.Time)), c.Signature[:]...)
	return "— " + c.Name + " " + base64.StdEncoding.EncodeToString(b)
}

// At returns the cosignature's time in UTC.
func (c Cosignature) At() time.Time { return time.Unix(c.Time, 0).UTC() }

// cosignedMessage returns what a cosignature signs: two lines, then the text.
func cosignedMessage(at int64, text []byte) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatInt(at, 10)+"\n"), text...)
}

// A WitnessKey is a witness's public key, a [note.Verifier] of cosignatures.
type WitnessKey struct {
	name   string
	hash   uint32
	public ed25519.PublicKey
}

// NewWitnessKey returns the key of a name and an Ed25519 public key. The name
// must be that of a note key, printable, at most 100 bytes. A public key of
// small order is refused: everybody can sign for it.
func NewWitnessKey(name string, public ed25519.PublicKey) (*WitnessKey, error) {
	if !validName(name) || !printable(name) || len(name) > maxKeyName {
		return nil, fmt.Errorf("witness key name %q is empty, over %d bytes, or has white space, a plus sign or characters that cannot be seen", name, maxKeyName)
	}
	if len(public) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("witness key %q: public key of %d bytes, not %d", name, len(public), ed25519.PublicKeySize)
	}
	if smallOrder(public) {
		return nil, fmt.Errorf("witness key %q: public key %x is of small order: everybody can sign for it", name, []byte(public))
	}
	return &WitnessKey{name: name, hash: noteKeyHash(name, algCosignature, public), public: slices.Clone(public)}, nil
}

// ParseWitnessKey reads a verifier key of type 0x04. It accepts exactly what
// [WitnessKey.String] writes.
func ParseWitnessKey(vkey string) (*WitnessKey, error) {
	if strings.HasPrefix(vkey, privatePrefix) {
		return nil, fmt.Errorf("parsing witness key: it is a private key, which nobody but the witness may have")
	}
	name, hash, b, err := cutKey(vkey)
	if err != nil {
		return nil, fmt.Errorf("parsing witness key %q: %w", vkey, err)
	}
	k, err := NewWitnessKey(name, b)
	if err != nil {
		return nil, fmt.Errorf("parsing witness key: %w", err)
	}
	if hash != fmt.Sprintf("%08x", k.hash) {
		return nil, fmt.Errorf("parsing witness key %q: key hash is %08x, not %q", vkey, k.hash, hash)
	}
	return k, nil
}

// cutKey splits "<name>+<hash>+<base64 of 0x04 ‖ 32 bytes>".
func cutKey(s string) (name, hash string, b []byte, err error) {
	name, rest, ok := strings.Cut(s, "+")
	hash, b64, ok2 := strings.Cut(rest, "+")
	if !ok || !ok2 {
		return "", "", nil, fmt.Errorf("not \"name+hash+base64\"")
	}
	b, err = base64.StdEncoding.Strict().DecodeString(b64)
	if err != nil || strings.ContainsAny(b64, "\r\n") {
		return "", "", nil, fmt.Errorf("the key is not base64")
	}
	if len(b) > 0 && b[0] == algEd25519 {
		return "", "", nil, fmt.Errorf("a key of type 0x01, such as a log's, not a witness's of type 0x04")
	}
	if len(b) != 1+ed25519.PublicKeySize || b[0] != algCosignature {
		return "", "", nil, fmt.Errorf("not 33 bytes that begin with type 0x04")
	}
	return name, hash, b[1:], nil
}

// Name returns the key's name.
func (k *WitnessKey) Name() string { return k.name }

// KeyHash returns the key's short hash: the first four bytes, big-endian, of
// SHA-256(name ‖ "\n" ‖ 0x04 ‖ public key).
func (k *WitnessKey) KeyHash() uint32 { return k.hash }

// Public returns the 32 bytes of the Ed25519 public key.
func (k *WitnessKey) Public() ed25519.PublicKey { return slices.Clone(k.public) }

// String returns the verifier key: "<name>+<8 hex digits of hash>+<base64 of
// 0x04 ‖ public key>".
func (k *WitnessKey) String() string {
	return fmt.Sprintf("%s+%08x+%s", k.name, k.hash, base64.StdEncoding.EncodeToString(append([]byte{algCosignature}, k.public...)))
}

// NoteKey returns the verifier key of the same name and public key for other
// notes than checkpoints, verdicts: its type is 0x01.
func (k *WitnessKey) NoteKey() string {
	vkey, err := note.NewEd25519VerifierKey(k.name, k.public)
	if err != nil {
		panic("audit: an Ed25519 key has no verifier key: " + err.Error())
	}
	return vkey
}

// Words returns the words of the SHA-256 of the verifier key, as they are read
// aloud.
func (k *WitnessKey) Words() []string {
	h := sha256.Sum256([]byte(k.String()))
	return Words(h[:])
}

// Verify reports whether sig, the 72 bytes of time and signature, is the key's
// cosignature of a checkpoint's text. A text that is no checkpoint has none.
func (k *WitnessKey) Verify(msg, sig []byte) bool {
	if len(sig) != cosignatureSize || sig[0] > 0x7f {
		return false
	}
	if _, err := ParseCheckpoint(string(msg)); err != nil {
		return false
	}
	return ed25519.Verify(k.public, cosignedMessage(int64(binary.BigEndian.Uint64(sig)), msg), sig[8:])
}

// Made reports whether the cosignature bears the key's name and hash.
func (k *WitnessKey) Made(c Cosignature) bool { return c.Name == k.name && c.KeyHash == k.hash }

// Check returns nil if c is the key's cosignature of the checkpoint.
func (k *WitnessKey) Check(c Cosignature, p Checkpoint) error {
	if !k.Made(c) {
		return fmt.Errorf("cosignature of %q, key hash %08x, is not by the key %s", c.Name, c.KeyHash, k)
	}
	if !ed25519.Verify(k.public, cosignedMessage(c.Time, []byte(p.Text())), c.Signature[:]) {
		return fmt.Errorf("cosignature of %q is not of the checkpoint of size %d of %s", c.Name, p.Size, p.Origin)
	}
	return nil
}

// Cosignatures returns the cosignature lines of a checkpoint's signed note, in
// their order, verified by nobody, and what the note says. Lines of other
// kinds of signatures are left out. A note of over 100 signatures is refused.
func Cosignatures(b []byte) (Checkpoint, []Cosignature, error) {
	c, err := readCheckpoint(b)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	var all []Cosignature
	_, lines, _ := strings.Cut(string(b), "\n\n")
	for line := range strings.Lines(lines) {
		if cosig, err := ParseCosignature(strings.TrimSuffix(line, "\n")); err == nil {
			all = append(all, cosig)
		}
	}
	return c, all, nil
}

// AddCosignature returns the checkpoint's signed note with a line added, once k
// has verified it. A note that has the line already is returned as it is;
// another line by the same key is an error.
func AddCosignature(b []byte, line string, k *WitnessKey) ([]byte, error) {
	c, err := ParseCosignature(line)
	if err != nil {
		return nil, err
	}
	p, others, err := Cosignatures(b)
	if err != nil {
		return nil, err
	}
	if err := k.Check(c, p); err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(others, k.Made); i >= 0 {
		if others[i] == c {
			return bytes.Clone(b), nil
		}
		return nil, fmt.Errorf("the checkpoint of size %d has a cosignature by %q already, of %s", p.Size, k.name, others[i].At().Format(time.RFC3339))
	}
	out := append(append(bytes.Clone(b), line...), '\n')
	if _, err := readCheckpoint(out); err != nil {
		return nil, fmt.Errorf("adding the cosignature of %q: %w", k.name, err)
	}
	return out, nil
}

// noteKeyHash returns a key's short hash in a signed note: the first four
// bytes, big-endian, of SHA-256(name ‖ "\n" ‖ type ‖ public key).
func noteKeyHash(name string, alg byte, public ed25519.PublicKey) uint32 {
	h := sha256.New()
	h.Write([]byte(name))
	h.Write([]byte{'\n', alg})
	h.Write(public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}
