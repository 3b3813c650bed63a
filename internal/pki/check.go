package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Result is how a check ended.
type Result string

// The results of a check.
const (
	Pass          Result = "pass"
	Fail          Result = "fail"
	NotApplicable Result = "not applicable"
)

// A Finding is the result of one check of a certificate or CRL.
type Finding struct {
	Number string // the clause: "BR 7.1.2.1.1", "RFC 5280 4.1"; "profile" for what the profile asks
	Field  string // what was looked at: "serial number"
	Result Result
	What   string // what was found, and when it failed what was expected
}

// Failed returns the findings that failed.
func Failed(findings []Finding) (failed []Finding) {
	for _, f := range findings {
		if f.Result == Fail {
			failed = append(failed, f)
		}
	}
	return failed
}

// Known is what the caller knows of a certificate or CRL from elsewhere. What
// is left empty is not compared, and the finding says so.
type Known struct {
	Issuer     []byte           // issuer's certificate in DER; nil for a self-signed certificate
	IssuerKey  crypto.PublicKey // key that signed; nil: the one of the issuer's certificate
	SubjectKey crypto.PublicKey // key that is certified, from the token or the CSR
	Random     []byte           // the token's bytes that the serial number is made of
	Signed     time.Time        // when C_Sign was called
	Profile    *Profile         // merged profile that it was to follow
	Previous   []byte           // CRLs: the issuer's previous CRL in DER
}

// A verdict is what one check says.
type verdict struct {
	result Result
	what   string
}

func pass(format string, args ...any) verdict { return verdict{Pass, fmt.Sprintf(format, args...)} }
func fail(format string, args ...any) verdict { return verdict{Fail, fmt.Sprintf(format, args...)} }
func skip(format string, args ...any) verdict {
	return verdict{NotApplicable, fmt.Sprintf(format, args...)}
}

// failed is the verdict of an error.
func failed(err error) verdict { return fail("%v", err) }

// A checkedCertificate is a certificate under the checks of certificateChecks.
type checkedCertificate struct {
	*certificateFields
	der       []byte
	known     Known
	root      bool // issuer and subject are the same bytes
	key       crypto.PublicKey
	keyErr    error
	issuer    *certificateFields // of the issuer's certificate; its own if root; nil if unknown
	issuerKey crypto.PublicKey
}

// certificateChecks are the checks of a CA certificate, in the order of its
// fields.
var certificateChecks = []struct {
	number, field string
	check         func(*checkedCertificate) verdict
}{
	{"RFC 5280 4.1.2.1", "version", (*checkedCertificate).checkVersion},
	{"BR 7.1.2", "serial number", (*checkedCertificate).checkSerial},
	{"BR 7.1.2", "serial number's source", (*checkedCertificate).checkSerialSource},
	{"BR 7.1.3.2", "signature algorithm", (*checkedCertificate).checkAlgorithm},
	{"RFC 5280 4.1.1.3", "signature", (*checkedCertificate).checkSignature},
	{"BR 7.1.4.1", "issuer", (*checkedCertificate).checkIssuerName},
	{"RFC 5280 6.1.4", "issuer's right to sign", (*checkedCertificate).checkIssuerRight},
	{"BR 7.1.2.10.1", "notBefore", (*checkedCertificate).checkNotBefore},
	{"BR 7.1.2.1.1", "validity", (*checkedCertificate).checkValidity},
	{"BR 7.1.2.10.2", "subject", (*checkedCertificate).checkSubject},
	{"BR 7.1.4.2", "subject's order and encoding", (*checkedCertificate).checkSubjectEncoding},
	{"BR 7.1.3.1", "public key's encoding", (*checkedCertificate).checkKeyEncoding},
	{"BR 6.1.5", "public key's strength", (*checkedCertificate).checkKeyStrength},
	{"BR 6.1.7", "public key's origin", (*checkedCertificate).checkKeyOrigin},
	{"BR 7.1.2.10.4", "basic constraints", (*checkedCertificate).checkBasic},
	{"BR 7.1.2.10.7", "key usage", (*checkedCertificate).checkKeyUsage},
	{"BR 7.1.2.11.4", "subject key identifier", (*checkedCertificate).checkSubjectKeyID},
	{"BR 7.1.2.11.1", "authority key identifier", (*checkedCertificate).checkAuthorityKeyID},
	{"BR 7.1.2.10.6", "extended key usage", (*checkedCertificate).checkExtKeyUsage},
	{"BR 7.1.2.10.5", "certificate policies", (*checkedCertificate).checkPolicies},
	{"BR 7.1.2.11.2", "CRL distribution points", (*checkedCertificate).checkCRLPoints},
	{"BR 7.1.2.10.3", "authority information access", (*checkedCertificate).checkAccess},
	{"BR 7.1.2.11.5", "other extensions", (*checkedCertificate).checkOthers},
	{"profile", "profile", (*checkedCertificate).checkProfile},
}

// CheckCertificate checks every field of a root or subordinate CA certificate
// against RFC 5280, the Baseline Requirements and what is known of it. It reads
// the DER with code of its own and returns a finding for every check, in a
// fixed order; if the bytes are no certificate in DER, or the issuer's
// certificate is none, only those that say so. It never panics.
func CheckCertificate(der []byte, known Known) []Finding {
	c, err := newChecked(der, known)
	if err != nil {
		return []Finding{{"RFC 5280 4.1", "encoding", Fail, err.Error()}}
	}
	findings := []Finding{{"RFC 5280 4.1", "encoding", Pass, fmt.Sprintf("%d bytes of DER, read to the end", len(der))}}
	for _, t := range certificateChecks {
		v := t.check(c)
		findings = append(findings, Finding{t.number, t.field, v.result, v.what})
	}
	return findings
}

func newChecked(der []byte, known Known) (*checkedCertificate, error) {
	f, err := parseCertificate(der)
	if err != nil {
		return nil, err
	}
	c := &checkedCertificate{certificateFields: f, der: der, known: known, root: bytes.Equal(f.issuer, f.subject)}
	c.key, c.keyErr = parseKey(f.spki)
	switch {
	case known.Issuer != nil:
		if c.issuer, err = parseCertificate(known.Issuer); err != nil {
			return nil, fmt.Errorf("the issuer's certificate: %w", err)
		}
	case c.root:
		c.issuer = f
	}
	c.issuerKey = known.IssuerKey
	if c.issuerKey == nil && c.issuer != nil {
		if c.issuerKey, err = parseKey(c.issuer.spki); err != nil {
			return nil, fmt.Errorf("the issuer's public key: %w", err)
		}
	}
	return c, nil
}

// parseCertificate takes a signed certificate apart.
func parseCertificate(der []byte) (*certificateFields, error) {
	tbs, _, _, err := SplitSigned(der)
	if err != nil {
		return nil, err
	}
	return parseTBSCertificate(tbs)
}

func parseKey(spki []byte) (crypto.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, fmt.Errorf("the public key cannot be read: %w", err)
	}
	return key, nil
}

func (c *checkedCertificate) checkVersion() verdict {
	if c.version != 3 {
		return fail("version %d, expected 3", c.version)
	}
	return pass("version 3")
}

// minSerialBytes is how long a serial number is at least: 64 random bits do not
// fit into less.
const minSerialBytes = 8

func (c *checkedCertificate) checkSerial() verdict {
	n := c.serial
	switch {
	case n.Sign() <= 0:
		return fail("serial number %v is not positive", n)
	case n.BitLen() > 159:
		return fail("serial number %X is not below 2^159", n)
	case len(c.serialBytes) < minSerialBytes:
		return fail("serial number %X has %d bytes: 64 random bits do not fit", n, len(c.serialBytes))
	}
	return pass("%X: positive, below 2^159, %d bits", n, n.BitLen())
}

func (c *checkedCertificate) checkSerialSource() verdict {
	if c.known.Random == nil {
		return skip("the random bytes are not known")
	}
	want := SerialFromRandom(c.known.Random)
	if want == nil || want.Cmp(c.serial) != 0 {
		return fail("serial number %X is not made of the token's random bytes: expected %X", c.serial, want)
	}
	return pass("made of the token's random bytes")
}

func (c *checkedCertificate) checkAlgorithm() verdict {
	return judgeAlgorithm(c.der, c.algorithm)
}

// judgeAlgorithm looks at the AlgorithmIdentifier inside and outside.
func judgeAlgorithm(der, inside []byte) verdict {
	a, err := signatureAlgorithmOf(inside)
	if err != nil {
		return failed(err)
	}
	if _, outside, _, err := SplitSigned(der); err != nil || !bytes.Equal(outside, inside) {
		return fail("%s inside, but %x outside", a.name, outside)
	}
	return pass("%s, the same bytes inside and outside", a.name)
}

func (c *checkedCertificate) checkSignature() verdict {
	return judgeSignature(c.der, c.issuerKey)
}

func judgeSignature(der []byte, key crypto.PublicKey) verdict {
	if key == nil {
		return fail("the issuer's key is not known")
	}
	if err := VerifySignature(der, key); err != nil {
		return failed(err)
	}
	return pass("made with the issuer's %s key", AlgorithmOf(key))
}

func (c *checkedCertificate) checkIssuerName() verdict {
	if c.issuer == nil {
		return fail("the certificate is not self-signed and its issuer's is not known")
	}
	return judgeIssuerName(c.certificateFields.issuer, c.issuer.subject)
}

func judgeIssuerName(issuer, subject []byte) verdict {
	if !bytes.Equal(issuer, subject) {
		return fail("the issuer is %s, not the issuing certificate's subject, %s, byte for byte", nameOrHex(issuer), nameOrHex(subject))
	}
	return pass("%s: the bytes of the issuing certificate's subject", nameOrHex(issuer))
}

// nameOrHex is NameText for findings.
func nameOrHex(name []byte) string {
	s, err := NameText(name)
	if err != nil {
		return fmt.Sprintf("%x", name)
	}
	return s
}

func (c *checkedCertificate) checkIssuerRight() verdict {
	if c.issuer == nil {
		return fail("the issuer's certificate is not known")
	}
	if err := mayUse(c.issuer, "keyCertSign"); err != nil {
		return failed(err)
	}
	if c.root {
		return pass("a CA that may sign certificates")
	}
	x, _ := find(c.issuer.extensions, oidBasic)
	above, err := readBasic(x.value)
	if err != nil {
		return failed(err)
	}
	x, _ = find(c.extensions, oidBasic)
	own, err := readBasic(x.value)
	if err != nil {
		return failed(err)
	}
	if above.limited && (above.length == 0 || !own.limited || own.length >= above.length) {
		return fail("the issuer's path length %d leaves no room for this CA", above.length)
	}
	return pass("a CA that may sign this certificate")
}

// mayUse reports an error unless a certificate is a CA's with the key usage.
func mayUse(f *certificateFields, usage string) error {
	x, ok := find(f.extensions, oidBasic)
	b, err := readBasic(x.value)
	if !ok || err != nil || !b.ca {
		return errors.New("the issuer's certificate is not a CA's")
	}
	x, ok = find(f.extensions, oidKeyUsage)
	names, err := readKeyUsage(x.value)
	if !ok || err != nil || !slices.Contains(names, usage) {
		return fmt.Errorf("the issuer's certificate lacks the key usage %s", usage)
	}
	return nil
}

func (c *checkedCertificate) checkNotBefore() verdict {
	if c.known.Signed.IsZero() {
		return skip("the time of the signature is not known")
	}
	return judgeStart("notBefore", c.notBefore, c.known.Signed)
}

// judgeStart holds notBefore or thisUpdate against the time of C_Sign: at most
// a day before, never after.
func judgeStart(field string, start, signed time.Time) verdict {
	switch {
	case start.After(signed):
		return fail("%s %s is after the signature, %s", field, stamp(start), stamp(signed))
	case signed.Sub(start) > 24*time.Hour:
		return fail("%s %s is more than a day before the signature, %s", field, stamp(start), stamp(signed))
	}
	return pass("%s %s is within the day before the signature, %s", field, stamp(start), stamp(signed))
}

// validityDays is the length of a validity period, the last second included.
func validityDays(notBefore, notAfter time.Time) int {
	return int((notAfter.Unix() - notBefore.Unix() + 1) / 86400)
}

func (c *checkedCertificate) checkValidity() verdict {
	seconds := c.notAfter.Unix() - c.notBefore.Unix() + 1
	days := validityDays(c.notBefore, c.notAfter)
	shown := fmt.Sprintf("%s to %s, %d days", stamp(c.notBefore), stamp(c.notAfter), days)
	switch {
	case seconds <= 1:
		return fail("%s: ends before it begins", shown)
	case c.root && (seconds < minRootDays*86400 || seconds > maxRootDays*86400):
		return fail("%s: a root has %d to %d days", shown, minRootDays, maxRootDays)
	case !c.root && c.issuer == nil:
		return fail("%s: the issuer's certificate is not known", shown)
	case !c.root && (c.notBefore.Before(c.issuer.notBefore) || c.notAfter.After(c.issuer.notAfter)):
		return fail("%s: not within its issuer's, %s to %s", shown, stamp(c.issuer.notBefore), stamp(c.issuer.notAfter))
	}
	return pass("%s, both ends included", shown)
}
