package timestamp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

// attributes returns the signed attributes' values by their types, each there
// once with one value.
func (s *signerInfo) attributes() (map[string][]byte, error) {
	if len(s.Attributes.Bytes) == 0 {
		return nil, errors.New("signer: no signed attributes")
	}
	attrs := map[string][]byte{}
	for rest := s.Attributes.Bytes; len(rest) > 0; {
		var a attribute
		var err error
		if rest, err = asn1.Unmarshal(rest, &a); err != nil {
			return nil, fmt.Errorf("signed attributes: %w", err)
		}
		if _, twice := attrs[a.Type.String()]; twice {
			return nil, fmt.Errorf("signed attributes: %s is there twice", a.Type)
		}
		attrs[a.Type.String()] = a.Values.Bytes
	}
	return attrs, nil
}

// essCertID and essCertIDv2 name a certificate: RFC 5035 section 4 and 5.
type essCertID struct {
	Hash   []byte
	Issuer asn1.RawValue `asn1:"optional"`
}

type essCertIDv2 struct {
	Algorithm algorithm `asn1:"optional"`
	Hash      []byte
	Issuer    asn1.RawValue `asn1:"optional"`
}

// namedCertificate returns whether a certificate is the one that the signed
// attributes name first.
func namedCertificate(attrs map[string][]byte) (func(der []byte) bool, error) {
	if b, ok := attrs[oidCertV2.String()]; ok {
		var v struct {
			Certs    []essCertIDv2
			Policies asn1.RawValue `asn1:"optional"`
		}
		if err := exactly(b, "signing certificate", &v); err != nil || len(v.Certs) == 0 {
			return nil, fmt.Errorf("signing certificate: none named: %w", err)
		}
		h := crypto.SHA256
		if len(v.Certs[0].Algorithm.Algorithm) > 0 {
			var err error
			if h, err = hashOf(v.Certs[0].Algorithm); err != nil {
				return nil, fmt.Errorf("signing certificate: %w", err)
			}
		}
		return func(der []byte) bool {
			sum := h.New()
			sum.Write(der)
			return bytes.Equal(sum.Sum(nil), v.Certs[0].Hash)
		}, nil
	}
	b, ok := attrs[oidCert.String()]
	if !ok {
		return nil, errors.New("signed attributes: no certificate is named")
	}
	var v struct {
		Certs    []essCertID
		Policies asn1.RawValue `asn1:"optional"`
	}
	if err := exactly(b, "signing certificate", &v); err != nil || len(v.Certs) == 0 {
		return nil, fmt.Errorf("signing certificate: none named: %w", err)
	}
	return func(der []byte) bool {
		sum := sha1.Sum(der)
		return bytes.Equal(sum[:], v.Certs[0].Hash)
	}, nil
}

// algorithms are the signature algorithms that are accepted, by digest; rsa
// also under the identifier that names no digest.
var (
	rsaWith   = map[crypto.Hash]x509.SignatureAlgorithm{crypto.SHA256: x509.SHA256WithRSA, crypto.SHA384: x509.SHA384WithRSA, crypto.SHA512: x509.SHA512WithRSA}
	ecdsaWith = map[crypto.Hash]x509.SignatureAlgorithm{crypto.SHA256: x509.ECDSAWithSHA256, crypto.SHA384: x509.ECDSAWithSHA384, crypto.SHA512: x509.ECDSAWithSHA512}
	oids      = map[x509.SignatureAlgorithm][]string{
		x509.SHA256WithRSA: {"1.2.840.113549.1.1.11", "1.2.840.113549.1.1.1"}, x509.SHA384WithRSA: {"1.2.840.113549.1.1.12", "1.2.840.113549.1.1.1"},
		x509.SHA512WithRSA: {"1.2.840.113549.1.1.13", "1.2.840.113549.1.1.1"}, x509.ECDSAWithSHA256: {"1.2.840.10045.4.3.2"},
		x509.ECDSAWithSHA384: {"1.2.840.10045.4.3.3"}, x509.ECDSAWithSHA512: {"1.2.840.10045.4.3.4"},
	}
)

// verify checks the signature over the signed attributes, as the SET that they
// are: RFC 5652 section 5.4.
func (s *signerInfo) verify(c *x509.Certificate, h crypto.Hash) error {
	alg := x509.UnknownSignatureAlgorithm
	switch c.PublicKey.(type) {
	case *rsa.PublicKey:
		alg = rsaWith[h]
	case *ecdsa.PublicKey:
		alg = ecdsaWith[h]
	}
	known := false
	for _, oid := range oids[alg] {
		known = known || s.Signature.Algorithm.String() == oid
	}
	if !known {
		return fmt.Errorf("signer: signature algorithm %s is not RSA (PKCS #1 v1.5) or ECDSA with the digest of the message", s.Signature.Algorithm)
	}
	signed := bytes.Clone(s.Attributes.FullBytes)
	signed[0] = 0x31 // SET OF in place of [0] IMPLICIT
	if err := c.CheckSignature(alg, signed, s.Value); err != nil {
		return fmt.Errorf("signature of the authority %q: %w", c.Subject, err)
	}
	return nil
}

// checkUsage finds out whether a certificate is for time-stamping and nothing
// else, and says so critically: RFC 3161 section 2.3.
func (t *Token) checkUsage(c *x509.Certificate) error {
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidExtKeyUsage) {
			continue
		}
		var usages []asn1.ObjectIdentifier
		if err := exactly(e.Value, "extended key usage", &usages); err != nil {
			return fmt.Errorf("certificate of the authority %q: %w", c.Subject, err)
		}
		if e.Critical && len(usages) == 1 && usages[0].Equal(oidTimeStamp) {
			return nil
		}
		return fmt.Errorf("certificate of the authority %q: it is not, critically, for time-stamping alone", c.Subject)
	}
	return fmt.Errorf("certificate of the authority %q: it does not say that it is for time-stamping", c.Subject)
}

// Request returns a request for a time-stamp of msg, TimeStampReq in DER: its
// SHA-256, and that the authority's certificate shall come along.
func Request(msg []byte) ([]byte, error) {
	sum := sha256.Sum256(msg)
	var r struct {
		Version int
		Imprint struct {
			Algorithm algorithm
			Sum       []byte
		}
		CertReq bool
	}
	r.Version, r.CertReq = 1, true
	r.Imprint.Algorithm = algorithm{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, Parameters: asn1.NullRawValue}
	r.Imprint.Sum = sum[:]
	b, err := asn1.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("making a time-stamp request: %w", err)
	}
	return b, nil
}
