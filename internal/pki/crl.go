package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// A Revoked is a certificate on a CRL.
type Revoked struct {
	Serial *big.Int
	When   time.Time
	Reason string // name of a reason code, see Reasons
}

// reasons are the reason codes that a CRL for CA certificates may give (RFC
// 5280 section 5.3.1, BR 7.2.2): no unspecified, no certificateHold, nothing
// that only attribute certificates or end entities have.
var reasons = []struct {
	name string
	code int
}{
	{"keyCompromise", 1},
	{"cACompromise", 2},
	{"affiliationChanged", 3},
	{"superseded", 4},
	{"cessationOfOperation", 5},
	{"privilegeWithdrawn", 9},
}

// Reasons lists the names of the reasons for which a CA certificate can be
// revoked.
func Reasons() (names []string) {
	for _, r := range reasons {
		names = append(names, r.name)
	}
	return names
}

func reasonCode(name string) (int, error) {
	for _, r := range reasons {
		if r.name == name {
			return r.code, nil
		}
	}
	return 0, fmt.Errorf("reason %q is none of %v", name, Reasons())
}

// A CRLRequest is all that a CRL is made of.
type CRLRequest struct {
	Profile    Profile           // merged; its digest and next_update count
	Issuer     *x509.Certificate // whose certificates are revoked
	IssuerKey  crypto.PublicKey  // public half of the key that signs
	Number     *big.Int          // above every earlier one of this issuer; 1 or more, at most 20 bytes
	ThisUpdate time.Time         // taken to the second, in UTC
	NextUpdate time.Time         // zero: ThisUpdate and the profile's next_update
	Revoked    []Revoked
}

// NewCRL builds a version 2 CRL with authority key identifier and number up to
// its signature (RFC 5280 section 5, BR 7.2).
//
// It is an error if the issuer's certificate does not hold the signing key or
// may not sign CRLs, the number is missing or below 1, the times are not in
// order or more than 12 months apart, a serial stands twice or is not positive,
// a revocation lies after thisUpdate or has no allowed reason.
func NewCRL(req CRLRequest) (*TBS, error) {
	template, err := req.template()
	if err != nil {
		return nil, fmt.Errorf("building CRL %q: %w", req.Profile.Name, err)
	}
	alg, err := chooseAlgorithm(req.IssuerKey, req.Profile.Digest)
	if err != nil {
		return nil, fmt.Errorf("building CRL %q: %w", req.Profile.Name, err)
	}
	template.SignatureAlgorithm = alg.x509
	signer, err := newThrowAway(alg, req.IssuerKey)
	if err != nil {
		return nil, err
	}
	issuer := &x509.Certificate{RawSubject: req.Issuer.RawSubject, SubjectKeyId: req.Issuer.SubjectKeyId, KeyUsage: req.Issuer.KeyUsage}
	preview, err := x509.CreateRevocationList(rand.Reader, template, issuer, signer)
	if err != nil {
		return nil, fmt.Errorf("building CRL %q: %w", req.Profile.Name, err)
	}
	return fromPreview(preview, req.IssuerKey)
}

func (req *CRLRequest) template() (*x509.RevocationList, error) {
	if err := problems(req.Profile); err != nil {
		return nil, err
	}
	if req.Profile.Object != ObjectCRL {
		return nil, fmt.Errorf("the profile is for a %s", req.Profile.Object)
	}
	if req.Issuer == nil {
		return nil, errors.New("the issuer's certificate is missing")
	}
	if err := CheckPublicKey(req.IssuerKey); err != nil {
		return nil, fmt.Errorf("the issuer's key: %w", err)
	}
	if err := issuerCanSign(req.Issuer, req.IssuerKey, x509.KeyUsageCRLSign); err != nil {
		return nil, err
	}
	if req.Number == nil || req.Number.Sign() <= 0 || req.Number.BitLen() > 159 {
		return nil, fmt.Errorf("CRL number %v must be from 1 up and at most 20 bytes", req.Number)
	}
	this, next, err := req.times()
	if err != nil {
		return nil, err
	}
	entries, err := req.entries(this)
	if err != nil {
		return nil, err
	}
	return &x509.RevocationList{Number: req.Number, ThisUpdate: this, NextUpdate: next, RevokedCertificateEntries: entries}, nil
}

func (req *CRLRequest) times() (this, next time.Time, err error) {
	if req.ThisUpdate.IsZero() {
		return this, next, errors.New("the time of thisUpdate is missing")
	}
	this, next = req.ThisUpdate.UTC().Truncate(time.Second), req.NextUpdate.UTC().Truncate(time.Second)
	if req.NextUpdate.IsZero() {
		period, err := ParsePeriod(req.Profile.NextUpdate)
		if err != nil {
			return this, next, err
		}
		next = period.Last(this)
	}
	if !next.After(this) || next.After(this.AddDate(0, maxCRLMonths, 0)) {
		return this, next, fmt.Errorf("nextUpdate %s must be after thisUpdate %s, by at most %d months (BR 4.9.7)", stamp(next), stamp(this), maxCRLMonths)
	}
	return this, next, nil
}

// entries returns the revoked certificates in the order of their serials.
func (req *CRLRequest) entries(this time.Time) ([]x509.RevocationListEntry, error) {
	var list []x509.RevocationListEntry
	for _, r := range req.Revoked {
		code, err := reasonCode(r.Reason)
		when := r.When.UTC().Truncate(time.Second)
		switch {
		case err != nil:
			return nil, fmt.Errorf("revoked serial %X: %w", r.Serial, err)
		case r.Serial == nil || r.Serial.Sign() <= 0 || r.Serial.BitLen() > 159:
			return nil, fmt.Errorf("revoked serial %v is not from 1 to 2^159", r.Serial)
		case r.When.IsZero() || when.After(this):
			return nil, fmt.Errorf("revoked serial %X: the revocation %s is after thisUpdate %s or missing", r.Serial, stamp(when), stamp(this))
		}
		list = append(list, x509.RevocationListEntry{SerialNumber: r.Serial, RevocationTime: when, ReasonCode: code})
	}
	slices.SortFunc(list, func(a, b x509.RevocationListEntry) int { return a.SerialNumber.Cmp(b.SerialNumber) })
	for i := 1; i < len(list); i++ {
		if list[i].SerialNumber.Cmp(list[i-1].SerialNumber) == 0 {
			return nil, fmt.Errorf("revoked serial %X stands twice", list[i].SerialNumber)
		}
	}
	return list, nil
}
