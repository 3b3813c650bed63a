package pki

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// SerialRandomSize is how many random bytes a serial number is made of.
const SerialRandomSize = 16

// SerialFromRandom makes a certificate's serial number of exactly
// [SerialRandomSize] random bytes as C_GenerateRandom gave them: read as a
// big-endian number, the first bit cleared and the second one set,
//
//	serial = random[0]&0x3f|0x40 ‖ random[1:16]
//
// so that it is positive, always 16 bytes long, below 2^127 and holds 126
// random bits (BR 7.1.2: above zero, below 2^159, at least 64 bits from a
// CSPRNG). Anybody can compute it again from the logged bytes. For any other
// number of bytes it returns nil.
func SerialFromRandom(random []byte) *big.Int {
	if len(random) != SerialRandomSize {
		return nil
	}
	b := bytes.Clone(random)
	b[0] = b[0]&0x3f | 0x40
	return new(big.Int).SetBytes(b)
}

// A CertificateRequest is all that a certificate is made of.
type CertificateRequest struct {
	Profile    Profile           // merged: no Template
	SubjectKey crypto.PublicKey  // *rsa.PublicKey or *ecdsa.PublicKey
	Issuer     *x509.Certificate // nil for a self-signed one
	IssuerKey  crypto.PublicKey  // public half of the key that signs
	Serial     []byte            // SerialRandomSize random bytes, see SerialFromRandom
	NotBefore  time.Time         // taken to the second, in UTC
}

// NewCertificate builds a CA certificate up to its signature.
//
// It is an error if the profile has problems ([Profile.ValidateFields]), a key
// is weak ([CheckPublicKey]), the random bytes are too few or all the same, a
// self-signed certificate would not hold the signing key, the issuer's
// certificate does not hold it, is no CA, allows no further CA below it or is
// not valid as long as the new certificate would be, or the digest does not go with the key.
func NewCertificate(req CertificateRequest) (*TBS, error) {
	if err := req.check(); err != nil {
		return nil, fmt.Errorf("building certificate %q: %w", req.Profile.Name, err)
	}
	alg, err := chooseAlgorithm(req.IssuerKey, req.Profile.Digest)
	if err != nil {
		return nil, fmt.Errorf("building certificate %q: %w", req.Profile.Name, err)
	}
	template, err := req.template(alg)
	if err != nil {
		return nil, fmt.Errorf("building certificate %q: %w", req.Profile.Name, err)
	}
	if err := req.within(template); err != nil {
		return nil, fmt.Errorf("building certificate %q: %w", req.Profile.Name, err)
	}
	signer, err := newThrowAway(alg, req.IssuerKey)
	if err != nil {
		return nil, err
	}
	preview, err := x509.CreateCertificate(rand.Reader, template, req.parent(template), req.SubjectKey, signer)
	if err != nil {
		return nil, fmt.Errorf("building certificate %q: %w", req.Profile.Name, err)
	}
	return fromPreview(preview, req.IssuerKey)
}

func (req *CertificateRequest) check() error {
	if err := problems(req.Profile); err != nil {
		return err
	}
	if req.Profile.Object != ObjectRootCA && req.Profile.Object != ObjectSubCA {
		return fmt.Errorf("the profile is for a %s", req.Profile.Object)
	}
	if err := CheckPublicKey(req.SubjectKey); err != nil {
		return fmt.Errorf("the subject's key: %w", err)
	}
	if err := CheckPublicKey(req.IssuerKey); err != nil {
		return fmt.Errorf("the issuer's key: %w", err)
	}
	if SerialFromRandom(req.Serial) == nil {
		return fmt.Errorf("the serial number needs %d random bytes, there are %d", SerialRandomSize, len(req.Serial))
	}
	if len(bytes.Trim(req.Serial, string(req.Serial[:1]))) == 0 {
		return fmt.Errorf("the random bytes for the serial number are all %02x: the generator does not work", req.Serial[0])
	}
	if req.NotBefore.IsZero() {
		return errors.New("the time of notBefore is missing")
	}
	return req.checkIssuer()
}

// problems returns what a profile's own check reports, as one error.
func problems(p Profile) error {
	var list []string
	if p.Template != "" {
		list = append(list, fmt.Sprintf("template %q was not merged", p.Template))
	}
	p.ValidateFields(func(path, what string) { list = append(list, path+": "+what) })
	if list == nil {
		return nil
	}
	return fmt.Errorf("profile %q: %s", p.Name, strings.Join(list, "; "))
}

func (req *CertificateRequest) checkIssuer() error {
	root := req.Profile.Object == ObjectRootCA
	switch {
	case root != (req.Issuer == nil):
		return errors.New("a root-ca is signed by itself and a sub-ca by another certificate's key")
	case root && !sameKey(req.SubjectKey, req.IssuerKey):
		return errors.New("a root must be signed by its own key")
	case root:
		return nil
	case sameKey(req.SubjectKey, req.IssuerKey):
		return errors.New("the subordinate CA's key is the issuer's own key")
	case bytes.Equal(req.Profile.Subject.der(), req.Issuer.RawSubject):
		return errors.New("the subordinate CA has the same name as its issuer")
	}
	if err := issuerCanSign(req.Issuer, req.IssuerKey, x509.KeyUsageCertSign); err != nil {
		return err
	}
	return req.pathAllowed()
}

// issuerCanSign reports why the holder of a certificate and key may not sign.
func issuerCanSign(issuer *x509.Certificate, key crypto.PublicKey, usage x509.KeyUsage) error {
	switch {
	case !sameKey(issuer.PublicKey, key):
		return errors.New("the issuer's certificate is for another key than the one that signs")
	case !issuer.BasicConstraintsValid || !issuer.IsCA:
		return errors.New("the issuer's certificate is not a CA's")
	case issuer.KeyUsage&usage == 0:
		return errors.New("the issuer's certificate lacks the key usage that this signature needs")
	case len(issuer.SubjectKeyId) == 0:
		return errors.New("the issuer's certificate has no subject key identifier")
	}
	return nil
}

// pathAllowed holds the profile's path length against the issuer's (RFC 5280
// section 4.2.1.9).
func (req *CertificateRequest) pathAllowed() error {
	limit := req.Issuer.MaxPathLen
	if limit < 0 || limit == 0 && !req.Issuer.MaxPathLenZero {
		return nil
	}
	n, limited, err := req.Profile.pathLength()
	if err != nil {
		return err
	}
	if limit == 0 || !limited || n >= limit {
		return fmt.Errorf("the issuer's path length is %d: the profile's %q does not fit below it", limit, req.Profile.PathLength)
	}
	return nil
}

// within holds the validity against the issuer's.
func (req *CertificateRequest) within(t *x509.Certificate) error {
	switch {
	case req.Issuer == nil:
		return nil
	case t.NotBefore.Before(req.Issuer.NotBefore):
		return fmt.Errorf("it would begin at %s, before its issuer at %s", stamp(t.NotBefore), stamp(req.Issuer.NotBefore))
	case t.NotAfter.After(req.Issuer.NotAfter):
		return fmt.Errorf("it would end at %s, after its issuer at %s: shorten its validity", stamp(t.NotAfter), stamp(req.Issuer.NotAfter))
	}
	return nil
}

// sameKey reports whether both are the same public key.
func sameKey(a, b crypto.PublicKey) bool {
	type equaler interface{ Equal(crypto.PublicKey) bool }
	e, ok := a.(equaler)
	return ok && b != nil && e.Equal(b)
}

// template turns the request into what crypto/x509 takes.
func (req *CertificateRequest) template(alg *signatureAlgorithm) (*x509.Certificate, error) {
	p := req.Profile
	period, err := ParsePeriod(p.Validity)
	if err != nil {
		return nil, err
	}
	start := req.NotBefore.UTC().Truncate(time.Second)
	ski, err := SubjectKeyID(req.SubjectKey)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SignatureAlgorithm: alg.x509, SerialNumber: SerialFromRandom(req.Serial),
		RawSubject: p.Subject.der(), NotBefore: start, NotAfter: period.Last(start),
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: -1,
		KeyUsage: keyUsageOf(p.KeyUsage), ExtKeyUsage: extKeyUsageOf(p.ExtKeyUsage),
		SubjectKeyId: ski, AuthorityKeyId: ski, // the issuer's takes its place unless self-signed
	}
	if n, limited, err := p.pathLength(); err != nil {
		return nil, err
	} else if limited {
		t.MaxPathLen, t.MaxPathLenZero = n, n == 0
	}
	if p.CRLURL != "" {
		t.CRLDistributionPoints = []string{p.CRLURL}
	}
	if p.CAIssuersURL != "" {
		t.IssuingCertificateURL = []string{p.CAIssuersURL}
	}
	for _, s := range p.Policies {
		oid, err := x509.ParseOID(s)
		if err != nil {
			return nil, fmt.Errorf("policy %q: %w", s, err)
		}
		t.Policies = append(t.Policies, oid)
	}
	return t, nil
}

// parent returns the issuer for crypto/x509: its name and key identifier
// without its key, since a throw-away key signs.
func (req *CertificateRequest) parent(template *x509.Certificate) *x509.Certificate {
	if req.Issuer == nil {
		return &x509.Certificate{RawSubject: template.RawSubject, SubjectKeyId: template.SubjectKeyId}
	}
	return &x509.Certificate{RawSubject: req.Issuer.RawSubject, SubjectKeyId: req.Issuer.SubjectKeyId}
}

// SubjectKeyID returns the key identifier that a certificate for the key gets:
// the first 160 bits of the SHA-256 of the subjectPublicKey BIT STRING's bytes,
// without tag, length and unused bits (RFC 7093 section 2 method 1).
func SubjectKeyID(pub crypto.PublicKey) ([]byte, error) {
	spki, _, err := SPKISHA256(pub)
	if err != nil {
		return nil, err
	}
	return keyIDOf(spki)
}

// keyIDOf returns the key identifier of a SubjectPublicKeyInfo in DER.
func keyIDOf(spki []byte) ([]byte, error) {
	c := &cursor{b: spki}
	in := c.in(tagSequence, "SubjectPublicKeyInfo")
	in.take(tagSequence, "public key algorithm")
	key, _ := in.bits("public key")
	c.done(in, "SubjectPublicKeyInfo")
	if c.err != nil {
		return nil, c.err
	}
	sum := sha256.Sum256(key)
	return sum[:20], nil
}

// stamp is how times are shown: UTC, to the second.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
