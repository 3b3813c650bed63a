package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/note"
)

// algEd25519 is the signature type of Ed25519 in a signed note's keys.
const algEd25519 = 1

const redacted = "[redacted]"

// A LogKey signs a log's checkpoints. It is an Ed25519 key that lives in
// memory only; however it is printed or encoded, it shows as [redacted]. It is
// a [note.Signer] and safe for concurrent use.
type LogKey struct {
	name   string
	hash   uint32
	public ed25519.PublicKey
	secret *secret
}

// A secret holds the private key one pointer away from the LogKey: package fmt
// does not ask an unexported field how it wants to be printed, but it does not
// follow a second pointer either.
type secret struct {
	mu      sync.Mutex
	private ed25519.PrivateKey // guarded by mu; nil once wiped
}

// errWiped is what a wiped key answers.
var errWiped = errors.New("the log key has been destroyed")

// NewLogKey makes a key from 32 bytes of rand. name is the log's origin; it
// must not be empty nor have white space, control characters or a plus sign.
func NewLogKey(name string, rand io.Reader) (*LogKey, error) {
	if !validName(name) {
		return nil, fmt.Errorf("making the log key: name %q is empty or has white space, control characters, a plus sign or bad UTF-8", name)
	}
	seed := make([]byte, ed25519.SeedSize)
	defer clear(seed)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, fmt.Errorf("making the log key: %w", err)
	}
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	return &LogKey{name: name, hash: keyHash(name, public), public: public, secret: &secret{private: private}}, nil
}

// keyHash returns the short hash of a key of type 0x01.
func keyHash(name string, public ed25519.PublicKey) uint32 {
	return noteKeyHash(name, algEd25519, public)
}

// Name returns the key's name, the log's origin.
func (k *LogKey) Name() string { return k.name }

// KeyHash returns the key's short hash.
func (k *LogKey) KeyHash() uint32 { return k.hash }

// VerifierKey returns the public key in the form of sumdb/note:
// "<name>+<8 hex digits of hash>+<base64 of 0x01 ‖ public key>".
func (k *LogKey) VerifierKey() string {
	vkey, err := note.NewEd25519VerifierKey(k.name, k.public)
	if err != nil {
		panic("audit: an Ed25519 key has no verifier key: " + err.Error())
	}
	return vkey
}

// Public returns the 32 bytes of the Ed25519 public key.
func (k *LogKey) Public() ed25519.PublicKey { return slices.Clone(k.public) }

// Sign signs the text of a note. After Wipe it fails.
func (k *LogKey) Sign(msg []byte) ([]byte, error) {
	k.secret.mu.Lock()
	defer k.secret.mu.Unlock()
	if k.secret.private == nil {
		return nil, errWiped
	}
	return ed25519.Sign(k.secret.private, msg), nil
}

// SignNote returns text as a signed note: the text, an empty line, the
// signature line. text must end in a newline and have no other control
// character.
func (k *LogKey) SignNote(text string) ([]byte, error) {
	b, err := note.Sign(&note.Note{Text: text}, k)
	if err != nil {
		return nil, fmt.Errorf("signing a note: %w", err)
	}
	return b, nil
}

// SignBytes returns the bare Ed25519 signature over msg, 64 bytes. A msg that
// is a checkpoint's text is refused: nothing but the log signs those. After
// Wipe it fails.
func (k *LogKey) SignBytes(msg []byte) ([]byte, error) {
	if _, err := ParseCheckpoint(string(msg)); err == nil {
		return nil, fmt.Errorf("signing %q: it is a checkpoint", msg)
	}
	return k.Sign(msg)
}

// Wipe overwrites the private key. Copies that the Go runtime made are out of
// reach.
func (k *LogKey) Wipe() {
	k.secret.mu.Lock()
	defer k.secret.mu.Unlock()
	clear(k.secret.private)
	k.secret.private = nil
}

// String returns "[redacted]".
func (k *LogKey) String() string { return redacted }

// GoString returns "[redacted]".
func (k *LogKey) GoString() string { return redacted }

// Format prints "[redacted]" for every verb.
func (k *LogKey) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// MarshalText returns "[redacted]".
func (k *LogKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// OpenNote returns the note in b if at least one of the verifier keys has
// signed it. Signatures by other keys are left in UnverifiedSigs. A signature
// under the name and hash of a key given that does not verify is an error.
func OpenNote(b []byte, vkeys ...string) (*note.Note, error) {
	verifiers := make([]note.Verifier, len(vkeys))
	for i, vkey := range vkeys {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("opening a note: verifier key %q: %w", vkey, err)
		}
		verifiers[i] = v
	}
	n, err := note.Open(b, note.VerifierList(verifiers...))
	if err == nil {
		err = oneForm(b, n)
	}
	if err != nil {
		return nil, fmt.Errorf("opening a note: %w", err)
	}
	return n, nil
}

// oneForm returns nil if every signature line of a note that was opened is there
// once, its base64 in the one form of its bytes. (Package note passes over
// repeated lines and over bits that base64 does not need.)
func oneForm(b []byte, n *note.Note) error {
	all := slices.Concat(n.Sigs, n.UnverifiedSigs)
	if lines := bytes.Count(b[len(n.Text)+1:], []byte("\n")); lines != len(all) {
		return fmt.Errorf("%d signature lines, but %d signatures", lines, len(all))
	}
	for _, s := range all {
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return fmt.Errorf("signature of %q: %q is not base64 in its one form", s.Name, s.Base64)
		}
	}
	return nil
}

// VerifyBytes returns nil if sig is the bare Ed25519 signature over msg by the
// key whose verifier key is given.
func VerifyBytes(vkey string, msg, sig []byte) error {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("checking a signature: verifier key %q: %w", vkey, err)
	}
	if len(sig) != ed25519.SignatureSize || !v.Verify(msg, sig) {
		return fmt.Errorf("signature is not by the key %q", vkey)
	}
	return nil
}
