package cvc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/keyrite/keyrite/internal/cvc/curve"
	"github.com/keyrite/keyrite/internal/cvc/tlv"
)

// Algorithms of a key, as their OIDs (TR-03110-3, A.1.1.3 and C.4), both over
// SHA-256: the only hash that a SmartCard-HSM's requests are signed with.
const (
	OIDECDSA = "0.4.0.127.0.7.2.2.2.2.3" // id-TA-ECDSA-SHA-256
	OIDRSA   = "0.4.0.127.0.7.2.2.2.1.2" // id-TA-RSA-v1-5-SHA-256
)

// A PublicKey is what 7F49 holds. Exactly one of Point and Modulus is set,
// except in what asks a card for a key, where neither is.
type PublicKey struct {
	OID     string
	Curve   *curve.Curve
	Point   curve.Point
	Bare    []byte // 86 of a key without domain parameters, which are its issuer's; see On
	Modulus *big.Int
	E       int
}

// On returns a key that came without domain parameters with those of its
// issuer's key, as TR-03110-3, D.3.3 has it; any other key as it is.
func (k PublicKey) On(issuer PublicKey) (PublicKey, error) {
	if k.Bare == nil {
		return k, nil
	}
	if issuer.Curve == nil {
		return k, fmt.Errorf("public key: it has no domain parameters, and its issuer's has none either")
	}
	p, err := issuer.Curve.ParsePoint(k.Bare)
	return PublicKey{OID: k.OID, Curve: issuer.Curve, Point: p}, err
}

// Size returns the bits of the modulus, or of the curve's field.
func (k PublicKey) Size() int {
	if k.Curve != nil {
		return k.Curve.P.BitLen()
	}
	if k.Modulus == nil {
		return 0
	}
	return k.Modulus.BitLen()
}

// Equal reports whether two keys are the same key.
func (k PublicKey) Equal(other PublicKey) bool {
	a, b := k.value(), other.value()
	return len(a) > 0 && k.Bare == nil && other.Bare == nil && bytes.Equal(a, b)
}

// Is reports whether a key is the same as pub, an *ecdsa.PublicKey or an
// *rsa.PublicKey.
func (k PublicKey) Is(pub crypto.PublicKey) bool {
	switch pub := pub.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == nil || k.Bare != nil || pub.Curve == nil {
			return false
		}
		c := pub.Curve.Params()
		b, err := pub.Bytes()
		return err == nil && k.Curve.P.Cmp(c.P) == 0 && k.Curve.B.Cmp(c.B) == 0 && bytes.Equal(b, k.Curve.Bytes(k.Point))
	case *rsa.PublicKey:
		return k.Modulus != nil && pub.N != nil && k.Modulus.Cmp(pub.N) == 0 && k.E == pub.E
	}
	return false
}

// parseKey reads the value of 7F49. The domain parameters must be those of one
// of the curves that the card knows.
func parseKey(b []byte) (PublicKey, error) {
	list, err := tlv.All(b)
	if err != nil {
		return PublicKey{}, err
	}
	var k PublicKey
	if len(list) == 0 || list[0].Tag != 0x06 {
		return k, fmt.Errorf("public key: no OID in it")
	}
	if k.OID, err = readOID(list[0].Raw); err != nil {
		return k, err
	}
	switch k.OID {
	case OIDECDSA:
		return k, k.parseEC(b)
	case OIDRSA:
		return k, k.parseRSA(b)
	}
	return k, fmt.Errorf("public key: algorithm %s is not known (expected %s or %s)", k.OID, OIDECDSA, OIDRSA)
}

func readOID(raw []byte) (string, error) {
	var id asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(raw, &id); err != nil || len(rest) > 0 {
		return "", fmt.Errorf("public key: %x is no OID", raw)
	}
	return id.String(), nil
}

// parseEC reads 81 to 87, or 86 alone: TR-03110 lets a certificate leave out the
// others if its issuer's key has them, and those of real devices do.
func (k *PublicKey) parseEC(b []byte) error {
	if bare, err := inOrder(b, 0x06, 0x86); err == nil {
		if k.Bare = bare[1].Value; len(k.Bare) < 3 || k.Bare[0] != 4 {
			return fmt.Errorf("public key: 86 is no point")
		}
		return nil
	}
	list, err := inOrder(b, 0x06, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87)
	if err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	c, ok := curve.Over(list[1].Value)
	if !ok {
		return fmt.Errorf("public key: no curve over the field of %x is known", list[1].Value)
	}
	k.Curve = c
	for i, want := range domain(c) {
		if j := i + 1; i < 5 && !bytes.Equal(list[j].Value, want) {
			return fmt.Errorf("public key: parameter %X is not that of %s", list[j].Tag, c.Name)
		}
	}
	if !bytes.Equal(list[7].Value, []byte{1}) {
		return fmt.Errorf("public key: cofactor %x, expected 01", list[7].Value)
	}
	k.Point, err = c.ParsePoint(list[6].Value)
	return err
}

// domain returns the values of 81 to 85.
func domain(c *curve.Curve) [][]byte {
	fixed := func(n *big.Int) []byte { return n.FillBytes(make([]byte, c.Size)) }
	return [][]byte{fixed(c.P), fixed(c.A), fixed(c.B), c.Bytes(c.Base()), fixed(c.N)}
}

func (k *PublicKey) parseRSA(b []byte) error {
	list, err := inOrder(b, 0x06, 0x81, 0x82)
	if err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	n, e := list[1].Value, list[2].Value
	if len(n) < 128 || len(n) > 512 || n[0] == 0 || n[len(n)-1]&1 == 0 {
		return fmt.Errorf("public key: modulus of %d bytes: expected an odd number of 128 to 512 bytes without a zero in front", len(n))
	}
	if len(e) < 1 || len(e) > 4 || e[0] == 0 || e[0] > 0x7F && len(e) == 4 {
		return fmt.Errorf("public key: exponent %x: expected 1 to 4 bytes, below 2^31", e)
	}
	k.Modulus, k.E = new(big.Int).SetBytes(n), int(new(big.Int).SetBytes(e).Int64())
	if k.E < 3 || k.E&1 == 0 {
		return fmt.Errorf("public key: exponent %d: expected an odd one from 3", k.E)
	}
	return nil
}

// value writes what 7F49 holds, nil for a key that is not set.
func (k PublicKey) value() []byte {
	switch {
	case k.Bare != nil:
		return tlv.Append(appendOID(nil, k.OID), 0x86, k.Bare)
	case k.Curve != nil && k.Point.X != nil:
		b := appendOID(nil, k.OID)
		for i, v := range domain(k.Curve) {
			b = tlv.Append(b, 0x81+uint32(i), v)
		}
		b = tlv.Append(b, 0x86, k.Curve.Bytes(k.Point))
		return tlv.Append(b, 0x87, []byte{1})
	case k.Modulus != nil:
		b := appendOID(nil, k.OID)
		b = tlv.Append(b, 0x81, k.Modulus.Bytes())
		return tlv.Append(b, 0x82, big.NewInt(int64(k.E)).Bytes())
	}
	return nil
}

// appendOID adds one of the OIDs above.
func appendOID(dst []byte, oid string) []byte {
	last := []byte{2, 3}
	if oid == OIDRSA {
		last = []byte{1, 2}
	}
	return tlv.Append(dst, 0x06, []byte{0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x02}, last)
}

// Verify checks a signature over SHA-256 of data: r ‖ s, or PKCS #1 v1.5.
func (k PublicKey) Verify(data, signature []byte) error {
	hash := sha256.Sum256(data)
	if k.Modulus != nil {
		pub := &rsa.PublicKey{N: k.Modulus, E: k.E}
		if rsa.VerifyPKCS1v15(pub, crypto.SHA256, hash[:], signature) != nil {
			return errSignature
		}
		return nil
	}
	if k.Curve == nil {
		return fmt.Errorf("%w: the key has no domain parameters of its own", errSignature)
	}
	n := k.Curve.Size
	if len(signature) != 2*n {
		return fmt.Errorf("%w: %d bytes, expected %d", errSignature, len(signature), 2*n)
	}
	r, s := new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:])
	if !k.Curve.Verify(k.Point, hash[:], r, s) {
		return errSignature
	}
	return nil
}
