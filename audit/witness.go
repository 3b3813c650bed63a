package audit

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// privatePrefix begins a witness's private key, as it begins those of
// sumdb/note.
const privatePrefix = "PRIVATE+KEY+"

// A WitnessSigner is a witness's private key. However it is printed or encoded,
// it shows as [redacted]; only PrivateKey shows it.
type WitnessSigner struct {
	key    *WitnessKey
	secret *secret
}

// GenerateWitnessKey makes a key from 32 bytes of rand. For the name see
// [NewWitnessKey].
func GenerateWitnessKey(name string, rand io.Reader) (*WitnessSigner, error) {
	seed := make([]byte, ed25519.SeedSize)
	defer clear(seed)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, fmt.Errorf("making the witness key %q: %w", name, err)
	}
	return newWitnessSigner(name, seed)
}

func newWitnessSigner(name string, seed []byte) (*WitnessSigner, error) {
	private := ed25519.NewKeyFromSeed(seed)
	k, err := NewWitnessKey(name, private.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	return &WitnessSigner{key: k, secret: &secret{private: private}}, nil
}

// ParseWitnessSigner reads a private key. It accepts exactly what
// [WitnessSigner.PrivateKey] writes. Its errors hold nothing of the key but its
// name.
func ParseWitnessSigner(skey string) (*WitnessSigner, error) {
	rest, ok := strings.CutPrefix(skey, privatePrefix)
	if !ok {
		return nil, fmt.Errorf("parsing a witness's private key: it does not begin with %s", privatePrefix)
	}
	name, hash, seed, err := cutKey(rest)
	defer clear(seed)
	if err != nil {
		return nil, fmt.Errorf("parsing a witness's private key: %w", err)
	}
	s, err := newWitnessSigner(name, seed)
	if err != nil {
		return nil, fmt.Errorf("parsing a witness's private key: %w", err)
	}
	if hash != fmt.Sprintf("%08x", s.key.hash) {
		return nil, fmt.Errorf("parsing the private key of %q: its key hash is %08x, not %q", name, s.key.hash, hash)
	}
	return s, nil
}

// PrivateKey returns the secret: "PRIVATE+KEY+<name>+<8 hex digits of
// hash>+<base64 of 0x04 ‖ seed>", the form of sumdb/note. After Wipe it fails.
func (s *WitnessSigner) PrivateKey() ([]byte, error) {
	s.secret.mu.Lock()
	defer s.secret.mu.Unlock()
	if s.secret.private == nil {
		return nil, errWiped
	}
	seed := append([]byte{algCosignature}, s.secret.private[:ed25519.SeedSize]...)
	defer clear(seed)
	return base64.StdEncoding.AppendEncode(fmt.Appendf(nil, "%s%s+%08x+", privatePrefix, s.key.name, s.key.hash), seed), nil
}

// Key returns the public key.
func (s *WitnessSigner) Key() *WitnessKey { return s.key }

// Cosigner returns a [note.Signer] of cosignatures that bear the time at, in
// whole seconds. It signs texts of checkpoints only.
func (s *WitnessSigner) Cosigner(at time.Time) note.Signer { return cosigner{s, at.Unix()} }

// A cosigner is a witness's key at a moment.
type cosigner struct {
	*WitnessSigner
	at int64
}

// Name returns the key's name.
func (c cosigner) Name() string { return c.key.name }

// KeyHash returns the key's short hash.
func (c cosigner) KeyHash() uint32 { return c.key.hash }

// Sign returns time and signature, 72 bytes.
func (c cosigner) Sign(msg []byte) ([]byte, error) {
	if _, err := ParseCheckpoint(string(msg)); err != nil {
		return nil, fmt.Errorf("cosigning as %q: %w", c.key.name, err)
	}
	if c.at < 0 {
		return nil, fmt.Errorf("cosigning as %q: the time %d is before 1970", c.key.name, c.at)
	}
	sig, err := c.sign(cosignedMessage(c.at, msg))
	return append(binary.BigEndian.AppendUint64(nil, uint64(c.at)), sig...), err
}

// Cosign returns the key's cosignature of a checkpoint.
func (s *WitnessSigner) Cosign(p Checkpoint, at time.Time) (Cosignature, error) {
	b, err := s.Cosigner(at).Sign([]byte(p.Text()))
	if err != nil {
		return Cosignature{}, err
	}
	return Cosignature{Name: s.key.name, KeyHash: s.key.hash, Time: at.Unix(), Signature: [ed25519.SignatureSize]byte(b[8:])}, nil
}

// SignVerdict returns the verdict as a signed note.
func (s *WitnessSigner) SignVerdict(v VerdictNote) ([]byte, error) {
	text := v.Text()
	read, err := ParseVerdictNote(text)
	if err == nil && read != v {
		err = fmt.Errorf("it would be read as %+v", read)
	}
	if err != nil {
		return nil, fmt.Errorf("signing a verdict as %q: %w", s.key.name, err)
	}
	b, err := note.Sign(&note.Note{Text: text}, plainSigner{s})
	if err != nil {
		return nil, fmt.Errorf("signing a verdict as %q: %w", s.key.name, err)
	}
	return b, nil
}

// A plainSigner signs notes that are no checkpoints, with type 0x01.
type plainSigner struct{ *WitnessSigner }

// Name returns the key's name.
func (p plainSigner) Name() string { return p.key.name }

// KeyHash returns the short hash of the key of type 0x01.
func (p plainSigner) KeyHash() uint32 { return keyHash(p.key.name, p.key.public) }

// Sign returns the bare Ed25519 signature.
func (p plainSigner) Sign(msg []byte) ([]byte, error) { return p.sign(msg) }

func (s *WitnessSigner) sign(msg []byte) ([]byte, error) {
	s.secret.mu.Lock()
	defer s.secret.mu.Unlock()
	if s.secret.private == nil {
		return nil, errWiped
	}
	return ed25519.Sign(s.secret.private, msg), nil
}

// Wipe overwrites the private key. Copies that the Go runtime made are out of
// reach.
func (s *WitnessSigner) Wipe() {
	s.secret.mu.Lock()
	defer s.secret.mu.Unlock()
	clear(s.secret.private)
	s.secret.private = nil
}

// String returns "[redacted]".
func (s *WitnessSigner) String() string { return redacted }

// GoString returns "[redacted]".
func (s *WitnessSigner) GoString() string { return redacted }

// Format prints "[redacted]" for every verb.
func (s *WitnessSigner) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// MarshalText returns "[redacted]".
func (s *WitnessSigner) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// printable reports whether every character of s can be seen or is a space.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) })
}

// smallOrder reports whether an encoded point of edwards25519 has an order that
// divides 8: its y, without the sign of x, is one of these, two of them not
// reduced.
func smallOrder(public []byte) bool {
	y := [ed25519.PublicKeySize]byte(public)
	y[31] &= 0x7f
	for _, small := range smallOrders {
		if fmt.Sprintf("%x", y) == small {
			return true
		}
	}
	return false
}

// smallOrders are the y-coordinates, little-endian, in hex.
var smallOrders = [...]string{
	"0000000000000000000000000000000000000000000000000000000000000000", // 0, order 4
	"0100000000000000000000000000000000000000000000000000000000000000", // 1, the neutral point
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p-1, order 2
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p, read as 0
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p+1, read as 1
}
