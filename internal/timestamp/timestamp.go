// Package timestamp checks RFC 3161 time-stamps offline: a response's form, the
// CMS signature (RFC 5652), the authority's certificate and its chain to a CA
// that the reader brings along. docs/decisions/own-timestamp-reader.md says why
// it is not a library.
package timestamp

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	_ "crypto/sha512" // registers SHA-384 and SHA-512
)

// MaxSize is the most bytes that a response has.
const MaxSize = 1 << 20

// A Token is a time-stamp: what an authority says of a message.
type Token struct {
	Time      time.Time     // when the message existed, UTC
	Accuracy  time.Duration // Time may be off by so much; 0 if nothing is said
	Policy    string        // under which it was given, dotted decimal
	Serial    *big.Int
	Authority string // subject of the certificate that signed; "" before Check
	imprint   imprint
	signed    *signedData
}

type imprint struct {
	hash crypto.Hash
	sum  []byte
}

// The object identifiers that are read.
var (
	oidSignedData  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidDigest      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidCert        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidCertV2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidTimeStamp   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
)

// hashes are the digest algorithms that are accepted.
var hashes = map[string]crypto.Hash{
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

func hashOf(a algorithm) (crypto.Hash, error) {
	h, ok := hashes[a.Algorithm.String()]
	if !ok {
		return 0, fmt.Errorf("digest algorithm %s is not SHA-256, SHA-384 or SHA-512", a.Algorithm)
	}
	return h, nil
}

// algorithm is an AlgorithmIdentifier.
type algorithm struct {
	Algorithm  asn1.ObjectIdentifier
	Parameters asn1.RawValue `asn1:"optional"`
}

// response is a TimeStampResp, RFC 3161 section 2.4.2.
type response struct {
	Status struct {
		Status   int
		Text     []asn1.RawValue `asn1:"optional"`
		FailInfo asn1.BitString  `asn1:"optional"`
	}
	Token asn1.RawValue `asn1:"optional"`
}

// contentInfo is that of RFC 5652 section 3.
type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,tag:0"`
}

// signedData is that of RFC 5652 section 5.1.
type signedData struct {
	Version      int
	Digests      []algorithm `asn1:"set"`
	Encapsulated struct {
		Type    asn1.ObjectIdentifier
		Content []byte `asn1:"explicit,tag:0"`
	}
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	CRLs         asn1.RawValue `asn1:"optional,tag:1"`
	Signers      []signerInfo  `asn1:"set"`
}

// signerInfo is that of RFC 5652 section 5.3.
type signerInfo struct {
	Version    int
	ID         asn1.RawValue
	Digest     algorithm
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
	Signature  algorithm
	Value      []byte
	Unsigned   asn1.RawValue `asn1:"optional,tag:1"`
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue `asn1:"set"`
}

// tstInfo is that of RFC 3161 section 2.4.2.
type tstInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Algorithm algorithm
		Sum       []byte
	}
	Serial     *big.Int
	Time       asn1.RawValue
	Accuracy   accuracy      `asn1:"optional"`
	Ordering   bool          `asn1:"optional"`
	Nonce      *big.Int      `asn1:"optional"`
	Authority  asn1.RawValue `asn1:"optional,explicit,tag:0"`
	Extensions asn1.RawValue `asn1:"optional,tag:1"`
}

type accuracy struct {
	Seconds int `asn1:"optional"`
	Millis  int `asn1:"optional,tag:0"`
	Micros  int `asn1:"optional,tag:1"`
}

// exactly reads one DER value that takes all of b.
func exactly(b []byte, what string, into any) error {
	rest, err := asn1.Unmarshal(b, into)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if len(rest) > 0 {
		return fmt.Errorf("%s: %d bytes follow it", what, len(rest))
	}
	return nil
}

// Parse reads a response, TimeStampResp in DER. What it says is the
// authority's word only once [Token.Check] has found the signature good.
func Parse(b []byte) (*Token, error) {
	if len(b) > MaxSize {
		return nil, fmt.Errorf("time-stamp of %d bytes, at most %d", len(b), MaxSize)
	}
	var r response
	if err := exactly(b, "time-stamp response", &r); err != nil {
		return nil, err
	}
	if r.Status.Status != 0 && r.Status.Status != 1 {
		return nil, fmt.Errorf("time-stamp response: the authority refused, status %d", r.Status.Status)
	}
	if len(r.Token.FullBytes) == 0 {
		return nil, errors.New("time-stamp response: no token")
	}
	var info contentInfo
	if err := exactly(r.Token.FullBytes, "time-stamp token", &info); err != nil {
		return nil, err
	}
	if !info.Type.Equal(oidSignedData) {
		return nil, fmt.Errorf("time-stamp token: content of type %s, not signed data", info.Type)
	}
	s := new(signedData)
	if err := exactly(info.Content.Bytes, "signed data", s); err != nil {
		return nil, err
	}
	if !s.Encapsulated.Type.Equal(oidTSTInfo) || len(s.Signers) != 1 {
		return nil, fmt.Errorf("signed data: of type %s with %d signers, not a time-stamp with one", s.Encapsulated.Type, len(s.Signers))
	}
	return parseInfo(s)
}

// parseInfo reads what the authority signed.
func parseInfo(s *signedData) (*Token, error) {
	var t tstInfo
	if err := exactly(s.Encapsulated.Content, "TSTInfo", &t); err != nil {
		return nil, err
	}
	if t.Version != 1 {
		return nil, fmt.Errorf("TSTInfo: version %d, not 1", t.Version)
	}
	h, err := hashOf(t.Imprint.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("TSTInfo: %w", err)
	}
	at, err := parseTime(t.Time)
	if err != nil {
		return nil, fmt.Errorf("TSTInfo: %w", err)
	}
	a := t.Accuracy
	if a.Seconds < 0 || a.Seconds > 1<<31 || a.Millis < 0 || a.Millis > 999 || a.Micros < 0 || a.Micros > 999 {
		return nil, fmt.Errorf("TSTInfo: accuracy of %d s, %d ms, %d µs", a.Seconds, a.Millis, a.Micros)
	}
	return &Token{
		Time: at, Policy: t.Policy.String(), Serial: t.Serial, imprint: imprint{h, t.Imprint.Sum}, signed: s,
		Accuracy: time.Duration(a.Seconds)*time.Second + time.Duration(a.Millis)*time.Millisecond + time.Duration(a.Micros)*time.Microsecond,
	}, nil
}

// parseTime reads genTime: a GeneralizedTime in UTC with seconds, whose
// fraction has no zeros at its end.
func parseTime(v asn1.RawValue) (time.Time, error) {
	s := string(v.Bytes)
	at, err := time.Parse("20060102150405.999999999Z", s)
	if err != nil || v.Tag != asn1.TagGeneralizedTime || v.Class != asn1.ClassUniversal || at.Format("20060102150405.999999999Z") != s {
		return time.Time{}, fmt.Errorf("time %q is no GeneralizedTime in UTC", s)
	}
	return at, nil
}

// Certificates reads the certificates of a PEM file, at least one.
func Certificates(b []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("PEM block %q, not a certificate", block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(list)+1, err)
		}
		list, b = append(list, c), rest
	}
	if len(list) == 0 {
		return nil, errors.New("no certificate in PEM form")
	}
	return list, nil
}

// Of returns nil if the token is said to be of msg. Nothing says so but the
// token.
func (t *Token) Of(msg []byte) error {
	h := t.imprint.hash.New()
	h.Write(msg)
	if !bytes.Equal(h.Sum(nil), t.imprint.sum) {
		return fmt.Errorf("the time-stamp is of other bytes: %s %x, not %x", t.imprint.hash, t.imprint.sum, h.Sum(nil))
	}
	return nil
}

// Check returns nil if the token is of msg, signed by an authority whose
// certificate leads to one of the roots and was valid at the token's time.
// Whether a certificate was revoked is not looked at: that takes a network.
func (t *Token) Check(msg []byte, roots []*x509.Certificate) error {
	if err := t.Of(msg); err != nil {
		return err
	}
	all, err := t.certificates()
	if err != nil {
		return err
	}
	cert, err := t.signer(append(all, roots...))
	if err != nil {
		return err
	}
	if err := t.checkUsage(cert); err != nil {
		return err
	}
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: t.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}}
	for _, c := range roots {
		o.Roots.AddCert(c)
	}
	for _, c := range all {
		o.Intermediates.AddCert(c)
	}
	if _, err := cert.Verify(o); err != nil {
		return fmt.Errorf("certificate of the authority %q: %w", cert.Subject, err)
	}
	t.Authority = cert.Subject.String()
	return nil
}

// certificates returns those that came along.
func (t *Token) certificates() ([]*x509.Certificate, error) {
	if len(t.signed.Certificates.Bytes) == 0 {
		return nil, nil
	}
	list, err := x509.ParseCertificates(t.signed.Certificates.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificates of the time-stamp: %w", err)
	}
	return list, nil
}

// signer returns the certificate whose key made the signature. The signed
// attributes say which one it is: RFC 3161 section 2.4.2, RFC 5816.
func (t *Token) signer(certs []*x509.Certificate) (*x509.Certificate, error) {
	s := &t.signed.Signers[0]
	h, err := hashOf(s.Digest)
	if err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	attrs, err := s.attributes()
	if err != nil {
		return nil, err
	}
	var kind asn1.ObjectIdentifier
	if err := exactly(attrs[oidContentType.String()], "content type", &kind); err != nil || !kind.Equal(oidTSTInfo) {
		return nil, fmt.Errorf("signer: signed content of type %s: %w", kind, err)
	}
	var digest []byte
	sum := h.New()
	sum.Write(t.signed.Encapsulated.Content)
	if err := exactly(attrs[oidDigest.String()], "message digest", &digest); err != nil || !bytes.Equal(digest, sum.Sum(nil)) {
		return nil, fmt.Errorf("signer: the digest that was signed is not that of the time: %w", err)
	}
	named, err := namedCertificate(attrs)
	if err != nil {
		return nil, err
	}
	for _, c := range certs {
		if !named(c.Raw) {
			continue
		}
		return c, s.verify(c, h)
	}
	return nil, errors.New("signer: its certificate is neither in the time-stamp nor among those given")
}
