package pki

import (
	"crypto"
	"fmt"
	"math/big"
)

// A checkedCRL is a CRL under the checks of crlChecks.
type checkedCRL struct {
	*crlFields
	der       []byte
	known     Known
	issuer    *certificateFields
	issuerKey crypto.PublicKey
	previous  *crlFields
}

// crlChecks are the checks of a CRL, in the order of its fields.
var crlChecks = []struct {
	number, field string
	check         func(*checkedCRL) verdict
}{
	{"BR 7.2.1", "version", (*checkedCRL).checkVersion},
	{"BR 7.1.3.2", "signature algorithm", (*checkedCRL).checkAlgorithm},
	{"RFC 5280 5.1.1.3", "signature", (*checkedCRL).checkSignature},
	{"BR 7.2", "issuer", (*checkedCRL).checkIssuerName},
	{"RFC 5280 4.2.1.3", "issuer's right to sign", (*checkedCRL).checkIssuerRight},
	{"BR 7.2", "thisUpdate", (*checkedCRL).checkThisUpdate},
	{"BR 4.9.7", "nextUpdate", (*checkedCRL).checkNextUpdate},
	{"RFC 5280 5.1.2.6", "revoked certificates", (*checkedCRL).checkRevoked},
	{"BR 7.2.2", "authority key identifier", (*checkedCRL).checkAuthorityKeyID},
	{"BR 7.2.2", "CRL number", (*checkedCRL).checkNumber},
	{"RFC 5280 5.2.3", "order after the previous CRL", (*checkedCRL).checkPrevious},
	{"BR 7.2.2", "other extensions", (*checkedCRL).checkOthers},
	{"profile", "profile", (*checkedCRL).checkProfile},
}

// CheckCRL checks every field of a CRL for CA certificates against RFC 5280,
// the Baseline Requirements and what is known of it; known.Issuer is needed. It
// returns findings as [CheckCertificate] does and never panics.
func CheckCRL(der []byte, known Known) []Finding {
	c, err := newCheckedCRL(der, known)
	if err != nil {
		return []Finding{{"RFC 5280 5.1", "encoding", Fail, err.Error()}}
	}
	findings := []Finding{{"RFC 5280 5.1", "encoding", Pass, fmt.Sprintf("%d bytes of DER, read to the end", len(der))}}
	for _, t := range crlChecks {
		v := t.check(c)
		findings = append(findings, Finding{t.number, t.field, v.result, v.what})
	}
	return findings
}

func newCheckedCRL(der []byte, known Known) (*checkedCRL, error) {
	c := &checkedCRL{der: der, known: known, issuerKey: known.IssuerKey}
	var err error
	if c.crlFields, err = parseCRL(der); err != nil {
		return nil, err
	}
	if c.issuer, err = parseCertificate(known.Issuer); err != nil {
		return nil, fmt.Errorf("the issuer's certificate: %w", err)
	}
	if c.issuerKey == nil {
		if c.issuerKey, err = parseKey(c.issuer.spki); err != nil {
			return nil, fmt.Errorf("the issuer's public key: %w", err)
		}
	}
	if known.Previous != nil {
		if c.previous, err = parseCRL(known.Previous); err != nil {
			return nil, fmt.Errorf("the previous CRL: %w", err)
		}
	}
	return c, nil
}

// parseCRL takes a signed CRL apart.
func parseCRL(der []byte) (*crlFields, error) {
	tbs, _, _, err := SplitSigned(der)
	if err != nil {
		return nil, err
	}
	return parseTBSCertList(tbs)
}

func (c *checkedCRL) checkVersion() verdict {
	if c.version != 2 {
		return fail("version %d, expected 2", c.version)
	}
	return pass("version 2")
}

func (c *checkedCRL) checkAlgorithm() verdict { return judgeAlgorithm(c.der, c.algorithm) }

func (c *checkedCRL) checkSignature() verdict { return judgeSignature(c.der, c.issuerKey) }

func (c *checkedCRL) checkIssuerName() verdict {
	return judgeIssuerName(c.crlFields.issuer, c.issuer.subject)
}

func (c *checkedCRL) checkIssuerRight() verdict {
	if err := mayUse(c.issuer, "cRLSign"); err != nil {
		return failed(err)
	}
	return pass("a CA that may sign CRLs")
}

func (c *checkedCRL) checkThisUpdate() verdict {
	if c.known.Signed.IsZero() {
		return skip("the time of the signature is not known")
	}
	return judgeStart("thisUpdate", c.thisUpdate, c.known.Signed)
}

func (c *checkedCRL) checkNextUpdate() verdict {
	switch {
	case c.nextUpdate.IsZero():
		return fail("missing")
	case !c.nextUpdate.After(c.thisUpdate):
		return fail("%s is not after thisUpdate %s", stamp(c.nextUpdate), stamp(c.thisUpdate))
	case c.nextUpdate.After(c.thisUpdate.AddDate(0, maxCRLMonths, 0)):
		return fail("%s is more than %d months after thisUpdate %s", stamp(c.nextUpdate), maxCRLMonths, stamp(c.thisUpdate))
	}
	return pass("%s, at most %d months after thisUpdate %s", stamp(c.nextUpdate), maxCRLMonths, stamp(c.thisUpdate))
}

func (c *checkedCRL) checkRevoked() verdict {
	seen := map[string]bool{}
	for _, r := range c.revoked {
		n := r.serial.String()
		switch {
		case r.serial.Sign() <= 0 || r.serial.BitLen() > 159:
			return fail("serial number %s is not from 1 to 2^159", n)
		case seen[n]:
			return fail("serial number %X stands twice", r.serial)
		case r.when.After(c.thisUpdate):
			return fail("serial number %X: revoked %s, after thisUpdate", r.serial, stamp(r.when))
		}
		seen[n] = true
		if v := r.judge(); v.result != Pass {
			return v
		}
	}
	return pass("%d", len(c.revoked))
}

// judge looks at the extensions of a CRL entry: a reason code and nothing else.
func (r *revokedFields) judge() verdict {
	value, end := need(r.extensions, oidReason, false)
	if end != nil {
		return fail("serial number %X: reason code %s", r.serial, end.what)
	}
	code, err := readReason(value)
	if err != nil {
		return failed(err)
	}
	if _, err := reasonCode(reasonName(code)); err != nil {
		return fail("serial number %X: %v", r.serial, err)
	}
	if v := judgeOthers(r.extensions, oidReason); v.result != Pass {
		return v
	}
	return pass("%s", reasonName(code))
}

func (c *checkedCRL) checkAuthorityKeyID() verdict {
	return judgeAuthorityKeyID(c.extensions, c.issuer)
}

// number returns the CRL number, or why there is none.
func (f *crlFields) number() (*big.Int, *verdict) {
	value, end := need(f.extensions, oidCRLNumber, false)
	if end != nil {
		return nil, end
	}
	n, err := readNumber(value)
	if err != nil {
		v := failed(err)
		return nil, &v
	}
	return n, nil
}

func (c *checkedCRL) checkNumber() verdict {
	n, end := c.number()
	switch {
	case end != nil:
		return *end
	case n.Sign() < 0 || n.BitLen() > 159:
		return fail("%v is below 0 or longer than 20 bytes", n)
	}
	return pass("%v", n)
}

func (c *checkedCRL) checkPrevious() verdict {
	if c.previous == nil {
		return skip("no previous CRL is known")
	}
	n, end := c.number()
	if end != nil {
		return *end
	}
	before, end := c.previous.number()
	switch {
	case end != nil:
		return fail("the previous CRL's number: %s", end.what)
	case n.Cmp(before) <= 0:
		return fail("number %v is not above the previous CRL's, %v", n, before)
	case c.thisUpdate.Before(c.previous.thisUpdate):
		return fail("thisUpdate %s is before the previous CRL's, %s", stamp(c.thisUpdate), stamp(c.previous.thisUpdate))
	}
	return pass("number %v after %v", n, before)
}

func (c *checkedCRL) checkOthers() verdict {
	return judgeOthers(c.extensions, oidAuthorityKeyID, oidCRLNumber)
}

// checkProfile compares the CRL with its profile.
func (c *checkedCRL) checkProfile() verdict {
	p := c.known.Profile
	if p == nil {
		return skip("the profile is not known")
	}
	if p.Object != ObjectCRL {
		return fail("the profile is for a %s", p.Object)
	}
	if a, err := signatureAlgorithmOf(c.algorithm); err != nil || p.Digest != "" && DigestName(a.hash) != p.Digest {
		return fail("signed with %x, the profile says %s", c.algorithm, p.Digest)
	}
	period, err := ParsePeriod(p.NextUpdate)
	if err != nil || c.nextUpdate.After(period.Last(c.thisUpdate)) {
		return fail("nextUpdate %s, the profile says %s after %s at the latest", stamp(c.nextUpdate), p.NextUpdate, stamp(c.thisUpdate))
	}
	return pass("as profile %q says", p.Name)
}
