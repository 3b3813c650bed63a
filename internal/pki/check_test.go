package pki

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"testing"
	"time"
)

// built makes a certificate with crypto/x509 from a changed template of good,
// signed with the right key: what other software could make.
func built(t *testing.T, good, issuer *x509.Certificate, key, rootKey string, change func(*x509.Certificate)) []byte {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: good.SerialNumber, RawSubject: good.RawSubject, NotBefore: good.NotBefore, NotAfter: good.NotAfter,
		KeyUsage: good.KeyUsage, ExtKeyUsage: good.ExtKeyUsage, BasicConstraintsValid: true, IsCA: true,
		MaxPathLen: good.MaxPathLen, MaxPathLenZero: good.MaxPathLenZero, SubjectKeyId: good.SubjectKeyId,
		AuthorityKeyId: good.AuthorityKeyId, Policies: good.Policies, CRLDistributionPoints: good.CRLDistributionPoints,
		IssuingCertificateURL: good.IssuingCertificateURL,
	}
	change(c)
	if issuer == nil {
		issuer = c
	}
	parent := *issuer
	parent.PublicKey = nil
	der, err := x509.CreateCertificate(rand.Reader, c, &parent, softKey(t, key, "subject").Public(), softKey(t, rootKey, "subject"))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func mustOID(t *testing.T, s string) x509.OID {
	t.Helper()
	oid, err := x509.ParseOID(s)
	if err != nil {
		t.Fatal(err)
	}
	return oid
}

func rawExtension(oid string, critical bool, value []byte) pkix.Extension {
	var id asn1.ObjectIdentifier
	for _, part := range bytes.Split([]byte(oid), []byte(".")) {
		n := 0
		fmt.Sscan(string(part), &n)
		id = append(id, n)
	}
	return pkix.Extension{Id: id, Critical: critical, Value: value}
}

// TestWrongRoots shows that each wrong root certificate, signed with the right
// key, is caught by the check that is there for it.
func TestWrongRoots(t *testing.T) {
	key := softKey(t, "P-384", "subject")
	root := makeRoot(t, key, start)
	p := rootProfile()
	known := Known{SubjectKey: key.Public(), Signed: start.Add(time.Minute), Profile: &p}
	mustPass(t, CheckCertificate(root.der, known))
	plain := func(c *x509.Certificate) {}
	mustPass(t, CheckCertificate(built(t, root.cert, nil, "P-384", "P-384", plain), known))

	for _, c := range []struct {
		name, field string
		change      func(*x509.Certificate)
	}{
		{"serial 1", "serial number", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(1) }},
		{"long serial", "serial number", func(c *x509.Certificate) { c.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 159) }},
		{"late", "notBefore", func(c *x509.Certificate) { c.NotBefore = start.Add(2 * time.Minute) }},
		{"early", "notBefore", func(c *x509.Certificate) { c.NotBefore = start.Add(-25 * time.Hour) }},
		{"short", "validity", func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, minRootDays).Add(-2 * time.Second) }},
		{"long", "validity", func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, maxRootDays) }},
		{"one second too many", "profile", func(c *x509.Certificate) { c.NotAfter = c.NotAfter.Add(time.Second) }},
		{"no organisation", "subject", func(c *x509.Certificate) { c.RawSubject = Subject{Country: "DE", CommonName: "Root"}.der() }},
		{"organisational unit", "subject", func(c *x509.Certificate) {
			c.RawSubject = Subject{Country: "DE", Organisation: "O", OrganisationalUnit: "OU", CommonName: "Root"}.der()
		}},
		{"another name", "profile", func(c *x509.Certificate) {
			c.RawSubject = Subject{Country: "DE", Organisation: "O", CommonName: "Root"}.der()
		}},
		{"no basic constraints", "basic constraints", func(c *x509.Certificate) { c.BasicConstraintsValid = false }},
		{"path length", "basic constraints", func(c *x509.Certificate) { c.MaxPathLen = 1 }},
		{"no cRLSign", "key usage", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }},
		{"keyEncipherment", "key usage", func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }},
		{"digitalSignature that the profile has not", "profile", func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageDigitalSignature }},
		{"key identifier", "subject key identifier", func(c *x509.Certificate) { c.SubjectKeyId = []byte("twenty bytes of text") }},
		{"authority key identifier", "authority key identifier", func(c *x509.Certificate) { c.AuthorityKeyId = []byte("twenty bytes of text") }},
		{"extended key usage", "extended key usage", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }},
		{"policy", "certificate policies", func(c *x509.Certificate) { c.Policies = []x509.OID{mustOID(t, anyPolicy)} }},
		{"distribution point", "CRL distribution points", func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://example.org/a.crl"} }},
		{"caIssuers", "authority information access", func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://example.org/a.cer"} }},
		{"DNS name", "other extensions", func(c *x509.Certificate) { c.DNSNames = []string{"example.org"} }},
		{"critical key identifier", "subject key identifier", func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{rawExtension(oidSubjectKeyID, true, wrap(tagOctetString, c.SubjectKeyId))}
		}},
		{"key usage not critical", "key usage", func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{rawExtension(oidKeyUsage, false, []byte{3, 2, 1, 6})}
		}},
	} {
		mustFail(t, CheckCertificate(built(t, root.cert, nil, "P-384", "P-384", c.change), known), c.field)
	}
	other := softKey(t, "P-384", "other")
	mustFail(t, CheckCertificate(makeRoot(t, other, start).der, known), "public key's origin")
	mustFail(t, CheckCertificate(root.der, Known{Random: randomBytes(9)}), "serial number's source")
	mustFail(t, CheckCertificate(root.der, Known{Random: []byte{1}}), "serial number's source")
	mustFail(t, CheckCertificate(root.der, Known{IssuerKey: other.Public()}), "signature")
}

// TestWrongSubCAs does the same for subordinate CAs.
func TestWrongSubCAs(t *testing.T) {
	rootKey := softKey(t, "P-256", "subject")
	root := makeRoot(t, rootKey, start)
	sub := makeSub(t, root, rootKey, softKey(t, "P-521", "subject").Public(), start)
	p := subProfile()
	known := Known{Issuer: root.der, Signed: start, Profile: &p}
	mustPass(t, CheckCertificate(sub.der, known))
	for _, c := range []struct {
		name, field string
		change      func(*x509.Certificate)
	}{
		{"beyond its issuer", "validity", func(c *x509.Certificate) { c.NotAfter = root.cert.NotAfter.Add(time.Second) }},
		{"before its issuer", "validity", func(c *x509.Certificate) { c.NotBefore = root.cert.NotBefore.Add(-time.Second) }},
		{"no usage", "extended key usage", func(c *x509.Certificate) { c.ExtKeyUsage = nil }},
		{"two usages", "extended key usage", func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) }},
		{"OCSPSigning", "extended key usage", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} }},
		{"any usage", "extended key usage", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }},
		{"other usage", "profile", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }},
		{"no policies", "certificate policies", func(c *x509.Certificate) { c.Policies = nil }},
		{"anyPolicy", "certificate policies", func(c *x509.Certificate) { c.Policies = []x509.OID{mustOID(t, anyPolicy)} }},
		{"other policy", "profile", func(c *x509.Certificate) { c.Policies = []x509.OID{mustOID(t, "2.23.140.1.2.2")} }},
		{"no distribution point", "CRL distribution points", func(c *x509.Certificate) { c.CRLDistributionPoints = nil }},
		{"https", "CRL distribution points", func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"https://example.org/a.crl"} }},
		{"other URL", "profile", func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://example.org/a.crl"} }},
		{"no access", "authority information access", func(c *x509.Certificate) { c.IssuingCertificateURL = nil }},
		{"ldap", "authority information access", func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"ldap://example.org/a"} }},
		{"OCSP that the profile has not", "profile", func(c *x509.Certificate) { c.OCSPServer = []string{"http://ocsp.example.org/"} }},
		{"path length", "profile", func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 1, false }},
		{"not a CA", "basic constraints", func(c *x509.Certificate) { c.IsCA, c.MaxPathLen, c.MaxPathLenZero = false, 0, false }},
	} {
		findings := CheckCertificate(built(t, sub.cert, root.cert, "P-521", "P-256", c.change), known)
		t.Run(c.name, func(t *testing.T) { mustFail(t, findings, c.field) })
	}

	other := makeRoot(t, softKey(t, "P-256", "other"), start)
	mustFail(t, CheckCertificate(sub.der, Known{Issuer: other.der}), "signature")
	mustFail(t, CheckCertificate(sub.der, Known{Issuer: other.der}), "authority key identifier")
	mustFail(t, CheckCertificate(sub.der, Known{Issuer: sub.der}), "issuer")
	mustFail(t, CheckCertificate(sub.der, Known{Issuer: sub.der}), "issuer's right to sign")
	for _, field := range []string{"signature", "issuer", "issuer's right to sign", "validity", "authority key identifier"} {
		mustFail(t, CheckCertificate(sub.der, Known{}), field)
	}
	mustFail(t, CheckCertificate(sub.der, Known{Issuer: []byte("no certificate")}), "encoding")
}

// TestWrongBytes changes bytes that crypto/x509 would not write.
func TestWrongBytes(t *testing.T) {
	key := softKey(t, "RSA-2048", "root")
	root := makeRoot(t, key, start)
	swap := func(old, new string) func([]byte) []byte {
		return func(tbs []byte) []byte {
			if len(old) != len(new) || bytes.Count(tbs, unhex(old)) == 0 {
				t.Fatalf("%s is not in the certificate", old)
			}
			return bytes.ReplaceAll(tbs, unhex(old), unhex(new))
		}
	}
	for _, c := range []struct {
		name, field string
		change      func([]byte) []byte
	}{
		{"version 2", "version", swap("a003020102", "a003020101")},
		{"country as UTF8String", "subject's order and encoding", swap("06035504061302", "06035504060c02")},
		{"country in small letters", "subject's order and encoding", swap("130244", "130264")},
		{"organisation as T61String", "subject's order and encoding", swap("060355040a0c", "060355040a14")},
		{"organisation as locality and the other way", "subject", swap("060355040a", "0603550407")},
	} {
		mustFail(t, CheckCertificate(resign(t, root.der, key, c.change), Known{}), c.field)
	}
	wrongOrder := wrap(tagSequence)
	for _, a := range []string{"550403", "55040a", "550406"} {
		tag := byte(tagUTF8)
		if a == "550406" {
			tag = tagPrintable
		}
		wrongOrder = append(wrongOrder, wrap(tagSet, wrap(tagSequence, wrap(tagOID, unhex(a)), wrap(tag, []byte("DE"))))...)
	}
	der := built(t, root.cert, nil, "P-256", "P-256", func(c *x509.Certificate) { c.RawSubject = wrap(tagSequence, wrongOrder[2:]) })
	mustFail(t, CheckCertificate(der, Known{}), "subject's order and encoding")

	sha1 := resign(t, root.der, key, func(tbs []byte) []byte { return tbs })
	sha1 = bytes.ReplaceAll(sha1, unhex(signatureAlgorithms[0].der), unhex("300d06092a864886f70d0101050500"))
	mustFail(t, CheckCertificate(sha1, Known{}), "signature algorithm")
	mustFail(t, CheckCertificate(sha1, Known{}), "signature")
	outside := bytes.Clone(root.der)
	at := bytes.LastIndex(outside, unhex(signatureAlgorithms[0].der))
	copy(outside[at:], unhex(signatureAlgorithms[1].der))
	mustFail(t, CheckCertificate(outside, Known{}), "signature algorithm")
}

// TestEveryByte changes each byte of a certificate and a CRL in turn: the
// signature does not hold, some check fails (tried for every seventh byte of the
// certificate, since testing its key takes time) and none panics.
func TestEveryByte(t *testing.T) {
	key := softKey(t, "P-256", "root")
	root := makeRoot(t, key, start)
	crl := makeCRL(t, root, key, 3, start, Revoked{big.NewInt(1 << 60), start, "superseded"})
	for i := range root.der {
		b := bytes.Clone(root.der)
		b[i] ^= 1 << (i % 8)
		if i%7 == 0 && len(Failed(CheckCertificate(b, Known{SubjectKey: key.Public(), IssuerKey: key.Public()}))) == 0 {
			t.Errorf("byte %d of the certificate can be changed", i)
		}
		if VerifySignature(b, key.Public()) == nil {
			t.Errorf("byte %d of the certificate can be changed and the signature holds", i)
		}
	}
	for i := range crl.der {
		b := bytes.Clone(crl.der)
		b[i] ^= 1 << (i % 8)
		if len(Failed(CheckCRL(b, Known{Issuer: root.der}))) == 0 {
			t.Errorf("byte %d of the CRL can be changed", i)
		}
	}
	for i := range root.der {
		if _, _, _, err := SplitSigned(root.der[:i]); err == nil {
			t.Errorf("the first %d bytes pass for a certificate", i)
		}
	}
	if _, _, _, err := SplitSigned(append(bytes.Clone(root.der), 0)); err == nil {
		t.Error("a byte can be added")
	}
}

func TestWrongCRLs(t *testing.T) {
	key := softKey(t, "P-384", "root")
	root := makeRoot(t, key, start)
	crl := makeCRL(t, root, key, 5, start, Revoked{big.NewInt(1 << 60), start, "cACompromise"})
	known := Known{Issuer: root.der, Signed: start}
	mustPass(t, CheckCRL(crl.der, known))
	p := crlProfile()
	known.Profile = &p
	made := func(change func(*x509.RevocationList)) []byte {
		l := &x509.RevocationList{Number: big.NewInt(5), ThisUpdate: start, NextUpdate: start.AddDate(0, 6, 0).Add(-time.Second)}
		change(l)
		der, err := x509.CreateRevocationList(rand.Reader, l, root.cert, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	mustPass(t, CheckCRL(made(func(*x509.RevocationList) {}), known))
	entry := func(reason int, when time.Time) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(77), RevocationTime: when, ReasonCode: reason}}
		}
	}
	mustPass(t, CheckCRL(made(entry(1, start)), known))
	for _, c := range []struct {
		field  string
		change func(*x509.RevocationList)
	}{
		{"thisUpdate", func(l *x509.RevocationList) { l.ThisUpdate = start.Add(time.Second) }},
		{"nextUpdate", func(l *x509.RevocationList) { l.NextUpdate = start.AddDate(1, 0, 0).Add(time.Second) }},
		{"nextUpdate", func(l *x509.RevocationList) { l.NextUpdate = start }},
		{"profile", func(l *x509.RevocationList) { l.NextUpdate = start.AddDate(0, 6, 0) }},
		{"revoked certificates", entry(0, start)},
		{"revoked certificates", entry(6, start)},
		{"revoked certificates", entry(8, start)},
		{"revoked certificates", entry(1, start.Add(time.Second))},
		{"other extensions", func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{rawExtension(oidIssuingPoint, true, wrap(tagSequence))}
		}},
	} {
		mustFail(t, CheckCRL(made(c.change), known), c.field)
	}
	mustFail(t, CheckCRL(crl.der, Known{Issuer: root.der, Previous: crl.der}), "order after the previous CRL")
	six := makeCRL(t, root, key, 6, start)
	mustPass(t, CheckCRL(six.der, Known{Issuer: root.der, Previous: crl.der}))
	old := makeCRL(t, root, key, 7, start.Add(-time.Hour))
	mustFail(t, CheckCRL(old.der, Known{Issuer: root.der, Previous: crl.der}), "order after the previous CRL")

	// Signed by the wrong key: the same name, another root.
	other := makeRoot(t, softKey(t, "P-384", "other"), start)
	mustFail(t, CheckCRL(crl.der, Known{Issuer: other.der}), "signature")
	mustFail(t, CheckCRL(crl.der, Known{Issuer: other.der}), "authority key identifier")
	mustFail(t, CheckCRL(crl.der, Known{}), "encoding")
	mustFail(t, CheckCRL(root.der, Known{Issuer: root.der}), "encoding")
	mustFail(t, CheckCertificate(crl.der, Known{}), "encoding")
}

// TestFindingsAreStable holds the list of checks, which reports cite.
func TestFindingsAreStable(t *testing.T) {
	key := softKey(t, "P-256", "root")
	root := makeRoot(t, key, start)
	findings := CheckCertificate(root.der, Known{})
	if len(findings) != len(certificateChecks)+1 {
		t.Errorf("%d findings for %d checks", len(findings), len(certificateChecks))
	}
	for _, f := range findings {
		if f.Number == "" || f.Field == "" || f.What == "" || f.Result != Pass && f.Result != NotApplicable {
			t.Errorf("finding %+v", f)
		}
	}
	if hex.EncodeToString(root.cert.RawIssuer) != hex.EncodeToString(root.cert.RawSubject) {
		t.Error("issuer and subject of the root differ")
	}
}
