// Package cvc reads, checks and writes the card verifiable certificates by
// which a SmartCard-HSM attests a key that it made (BSI TR-03110-3, annex C and
// D). It reads bytes and nothing else.
//
//	certificate  7F21 { body, 5F37 signature }
//	body         7F4E { 5F29 00, 42 CAR, 7F49 public key, 5F20 CHR,
//	             7F4C authorization, 5F25 from, 5F24 to, 65 extensions }
//	             (65 may be missing)
//	request      7F21 as above without 7F4C, 5F25 and 5F24, and perhaps
//	             without CAR; it is signed by the key itself
//	attested     67 { request, 42 outer CAR, 5F37 outer signature }
//	             the card's device key signs request ‖ outer CAR
//	public key   EC   06 OID, 86 Q (the rest is the issuer's), or 06 OID, 81 p, 82 a, 83 b, 84 G, 85 n, 86 Q, 87 cofactor
//	             RSA  06 OID, 81 modulus, 82 exponent
//
// Signatures are r ‖ s of equal length for ECDSA, PKCS #1 v1.5 for RSA, over
// SHA-256 as the key's OID says.
package cvc

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/internal/cvc/tlv"
)

// Tags of the objects (TR-03110-3, D.2).
const (
	TagCertificate   = 0x7F21
	TagBody          = 0x7F4E
	TagProfile       = 0x5F29
	TagCAR           = 0x42
	TagPublicKey     = 0x7F49
	TagCHR           = 0x5F20
	TagAuthorization = 0x7F4C
	TagFrom          = 0x5F25
	TagTo            = 0x5F24
	TagExtensions    = 0x65
	TagSignature     = 0x5F37
	TagAttested      = 0x67
)

// A Certificate is a certificate or a request.
type Certificate struct {
	CAR, CHR      string // who issued it ("" in some requests), whose key it is
	Key           PublicKey
	Authorization []byte // the value of 7F4C, nil in a request
	From, To      string // "YYYY-MM-DD", "" in a request
	Extensions    []byte // the value of 65, nil if there are none
	Body          []byte // 7F4E whole: what is signed
	Signature     []byte
	Raw           []byte // 7F21 whole
}

// IsRequest reports whether it lacks what only a certificate has.
func (c *Certificate) IsRequest() bool { return c.Authorization == nil }

// Attested is a request together with a device's signature.
type Attested struct {
	Request   *Certificate
	OuterCAR  string // the CHR of the device's certificate
	Signed    []byte // what the device signed
	Signature []byte
	Raw       []byte // 67 whole
}

// Parse reads one certificate or request from the start of b and returns what
// stands after it. An object that is missing, twice, unknown or out of order is
// an error.
func Parse(b []byte) (c *Certificate, rest []byte, err error) {
	o, rest, err := tlv.Next(b)
	if err != nil {
		return nil, nil, fmt.Errorf("reading a card verifiable certificate: %w", err)
	}
	if o.Tag != TagCertificate {
		return nil, nil, fmt.Errorf("reading a card verifiable certificate: tag %X, expected 7F21", o.Tag)
	}
	if c, err = parse(o); err != nil {
		return nil, nil, fmt.Errorf("reading a card verifiable certificate: %w", err)
	}
	return c, rest, nil
}

func parse(o tlv.Object) (*Certificate, error) {
	parts, err := inOrder(o.Value, TagBody, TagSignature)
	if err != nil {
		return nil, err
	}
	c := &Certificate{Body: parts[0].Raw, Signature: parts[1].Value, Raw: o.Raw}
	return c, c.parseBody(parts[0].Value)
}

func (c *Certificate) parseBody(b []byte) error {
	list, err := tlv.All(b)
	if err != nil {
		return err
	}
	var fields []uint32
	for _, tag := range []uint32{TagProfile, TagCAR, TagPublicKey, TagCHR, TagAuthorization, TagFrom, TagTo, TagExtensions} {
		if _, there := tlv.Find(list, tag); there || !optional(tag, list) {
			fields = append(fields, tag)
		}
	}
	list, err = inOrder(b, fields...)
	if err != nil {
		return err
	}
	for _, o := range list {
		if err := c.set(o); err != nil {
			return err
		}
	}
	return nil
}

// optional reports whether a body may lack a tag: CAR and the extensions, and
// all three of what only a certificate has.
func optional(tag uint32, list []tlv.Object) bool {
	switch tag {
	case TagCAR, TagExtensions:
		return true
	case TagAuthorization, TagFrom, TagTo:
		for _, o := range list {
			if o.Tag == TagAuthorization || o.Tag == TagFrom || o.Tag == TagTo {
				return false
			}
		}
		return true
	}
	return false
}

// set takes one object of a body.
func (c *Certificate) set(o tlv.Object) (err error) {
	switch o.Tag {
	case TagProfile:
		if !bytes.Equal(o.Value, []byte{0}) {
			return fmt.Errorf("profile %x: expected 00", o.Value)
		}
	case TagCAR:
		c.CAR, err = reference(o.Value)
	case TagCHR:
		c.CHR, err = reference(o.Value)
	case TagPublicKey:
		c.Key, err = parseKey(o.Value)
	case TagAuthorization:
		c.Authorization = o.Value
	case TagExtensions:
		c.Extensions = o.Value
	case TagFrom:
		c.From, err = date(o.Value)
	case TagTo:
		c.To, err = date(o.Value)
	}
	return err
}

// ParseAttested reads a request that a device signed; nothing may follow it.
func ParseAttested(b []byte) (*Attested, error) {
	o, rest, err := tlv.Next(b)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading an attested request: %w", err)
	case o.Tag != TagAttested:
		return nil, fmt.Errorf("reading an attested request: tag %X, expected 67", o.Tag)
	case len(rest) > 0:
		return nil, fmt.Errorf("reading an attested request: %d bytes after it", len(rest))
	}
	parts, err := inOrder(o.Value, TagCertificate, TagCAR, TagSignature)
	if err != nil {
		return nil, fmt.Errorf("reading an attested request: %w", err)
	}
	a := &Attested{Signature: parts[2].Value, Raw: o.Raw}
	a.Signed = o.Value[:len(parts[0].Raw)+len(parts[1].Raw)]
	if a.Request, err = parse(parts[0]); err != nil {
		return nil, fmt.Errorf("reading an attested request: %w", err)
	}
	if a.OuterCAR, err = reference(parts[1].Value); err != nil {
		return nil, fmt.Errorf("reading an attested request: %w", err)
	}
	return a, nil
}

// inOrder reads b as objects with exactly these tags.
func inOrder(b []byte, tags ...uint32) ([]tlv.Object, error) {
	list, err := tlv.All(b)
	if err != nil {
		return nil, err
	}
	for i, tag := range tags {
		if i >= len(list) {
			return nil, fmt.Errorf("tag %X is missing", tag)
		}
		if list[i].Tag != tag {
			return nil, fmt.Errorf("tag %X where %X is expected", list[i].Tag, tag)
		}
	}
	if len(list) > len(tags) {
		return nil, fmt.Errorf("tag %X is one too many", list[len(tags)].Tag)
	}
	return list, nil
}

// reference checks a CAR or CHR: country, holder and sequence number, 8 to 16
// printable characters in all (TR-03110-3, C.1.1; the device requests of a
// SmartCard-HSM have up to 20).
func reference(b []byte) (string, error) {
	if len(b) < 8 || len(b) > 20 {
		return "", fmt.Errorf("reference %q: %d characters, expected 8 to 20", b, len(b))
	}
	for _, c := range b {
		if c < 0x20 || c > 0x7E {
			return "", fmt.Errorf("reference %q: not printable", b)
		}
	}
	return string(b), nil
}

// date reads six digits, one a byte: YYMMDD in the years 2000 to 2099.
func date(b []byte) (string, error) {
	if len(b) != 6 {
		return "", fmt.Errorf("date of %d bytes: expected 6", len(b))
	}
	for _, d := range b {
		if d > 9 {
			return "", fmt.Errorf("date %x: expected six digits", b)
		}
	}
	if m, d := b[2]*10+b[3], b[4]*10+b[5]; m < 1 || m > 12 || d < 1 || d > 31 {
		return "", fmt.Errorf("date %x: no such day", b)
	}
	s := hex.EncodeToString(b)
	return "20" + s[1:2] + s[3:4] + "-" + s[5:6] + s[7:8] + "-" + s[9:10] + s[11:12], nil
}

var errSignature = errors.New("the signature does not verify")

// VerifyBy checks that key signed the certificate or request.
func (c *Certificate) VerifyBy(key PublicKey) error {
	if err := key.Verify(c.Body, c.Signature); err != nil {
		return fmt.Errorf("certificate of %q, issued by %q: %w", c.CHR, c.CAR, err)
	}
	return nil
}

// Verify checks both signatures: the request's by its own key, the outer one by
// the device's.
func (a *Attested) Verify(device *Certificate) error {
	if a.OuterCAR != device.CHR {
		return fmt.Errorf("attested request: signed by %q, the device's certificate is of %q", a.OuterCAR, device.CHR)
	}
	if err := a.Request.VerifyBy(a.Request.Key); err != nil {
		return fmt.Errorf("attested request, its own signature: %w", err)
	}
	if err := device.Key.Verify(a.Signed, a.Signature); err != nil {
		return fmt.Errorf("attested request, the signature of device %q: %w", device.CHR, err)
	}
	return nil
}
