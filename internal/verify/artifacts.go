package verify

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/pki"
)

// backdating is how far before its signature an object's validity may begin
// (BR 7.1.2.1.1, 7.1.2.10.1: within one day, never after).
const backdating = 24 * time.Hour

// checkArtifact looks into a file that is as the log recorded it.
func (v *verifier) checkArtifact(a artifact, b []byte) {
	switch a.Object {
	case signedFile:
		v.checkBroughtFile(a)
		return
	case challenged:
		v.checkBroughtFile(a)
		v.checkChallenge(a.File.Name, a.seq, b)
		return
	case detached:
		v.checkDetached(a, b)
		return
	case keyAttestation, deviceCertificates:
		v.checkAttestation(a, b)
		return
	}
	typ, known := pemTypes[a.Object]
	if !known {
		v.findEntry(ArtifactFormat, a.File.Name, a.seq, "an artifact of a sort that no ceremony makes", "certificate, crl, public-key, …", a.Object)
		return
	}
	der, err := onePEM(b, typ)
	if err != nil {
		v.findEntry(ArtifactFormat, a.File.Name, a.seq, "the file is not in its one form", "", err.Error())
		return
	}
	if a.Object == broughtCertificate {
		v.checkForeign(a, der)
		return
	}
	if a.Object == "public-key" {
		if a.Signed != 0 {
			v.findEntry(ArtifactSignature, a.File.Name, a.seq, "a public key names a C_Sign; nobody signs one", "", fmt.Sprintf("entry %d", a.Signed))
		}
		v.checkPublicKey(a, der)
		return
	}
	s, t := v.signedBy(a)
	if t == nil {
		v.unless(v.hides(a.Signed, a.Signed) || s != nil && (s.of < 0 || v.hides(s.of, s.of)), ArtifactSignature, a.File.Name, a.seq, "no C_Sign of this log made the artifact", "", fmt.Sprintf("entry %d", a.Signed))
		return
	}
	if t.Object != a.Object {
		v.findEntry(ArtifactFormat, a.File.Name, a.seq, "the artifact is another object than was announced", t.Object, a.Object)
	}
	issuer, err := v.publicKey(t.Key)
	if err != nil {
		return // reported with the keys
	}
	if err := pki.VerifySignature(der, issuer); err != nil {
		v.findEntry(ArtifactSignature, a.File.Name, a.seq, fmt.Sprintf("the signature does not verify with key %q", t.Key), "", err.Error())
	}
	if a.Object == "certificate" {
		v.checkCertificate(a, der, s, t, issuer)
	} else {
		v.checkCRL(a, der, s)
	}
}

// broughtCertificate is a certificate that another ceremony made for a key which
// is used here.
const broughtCertificate = "brought-certificate"

// checkForeign checks that a certificate which came from elsewhere is for a key
// of this log. Who issued it, and whether it should be trusted, is not for the log to say.
func (v *verifier) checkForeign(a artifact, der []byte) {
	if a.Signed != 0 {
		v.findEntry(ArtifactSignature, a.File.Name, a.seq, "a certificate that was brought names a C_Sign of this log", "", fmt.Sprintf("entry %d", a.Signed))
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		v.findEntry(ArtifactFormat, a.File.Name, a.seq, "the certificate cannot be read", "", err.Error())
		return
	}
	if sum := hash(cert.RawSubjectPublicKeyInfo); !v.spkis[sum] {
		v.unless(v.hides(0, a.seq), ArtifactKey, a.File.Name, a.seq, "the certificate that was brought is for a public key that the log did not record", "", sum)
	}
}

// signedBy returns the C_Sign that made an artifact and what announced it.
func (v *verifier) signedBy(a artifact) (*signing, *audit.ToBeSigned) {
	s := v.signOf[a.Signed]
	if s == nil || s.outcome >= a.seq {
		return nil, nil
	}
	return s, v.log.tbs[s.of]
}

// checkPublicKey looks for the key in the log.
func (v *verifier) checkPublicKey(a artifact, der []byte) {
	if v.spkis[hex.EncodeToString(der)] {
		return
	}
	v.unless(v.hides(0, a.seq), ArtifactKey, a.File.Name, a.seq, "the file holds a public key that the log did not record", "", hash(der))
}

// checkCertificate compares a certificate with what the log says of it.
func (v *verifier) checkCertificate(a artifact, der []byte, s *signing, t *audit.ToBeSigned, issuer crypto.PublicKey) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		v.findEntry(ArtifactFormat, a.File.Name, a.seq, "the certificate cannot be read", "", err.Error())
		return
	}
	if got := cert.SerialNumber.Text(16); got != t.Serial {
		v.findEntry(SerialNotRandom, a.File.Name, a.seq, "the certificate has another serial number than was announced", t.Serial, got)
	}
	v.checkTime(a, "notBefore", cert.NotBefore, s.at)
	if !cert.NotAfter.After(cert.NotBefore) {
		v.findEntry(NotBefore, a.File.Name, a.seq, "the validity ends before it begins", "", cert.NotAfter.UTC().Format(time.RFC3339))
	}
	if bytes.Equal(cert.RawSubject, cert.RawIssuer) {
		own, _, err := pki.SPKISHA256(issuer)
		if err != nil || !bytes.Equal(own, cert.RawSubjectPublicKeyInfo) {
			v.findEntry(ArtifactKey, a.File.Name, a.seq, fmt.Sprintf("the self-signed certificate is not for key %q, which signed it", t.Key), hash(own), hash(cert.RawSubjectPublicKeyInfo))
		}
		return
	}
	v.checkSubjectKey(a, cert)
}

// checkSubjectKey looks for the key of a certificate that is not self-signed:
// one of the ceremony's own, or that of a request the ceremony was given.
func (v *verifier) checkSubjectKey(a artifact, cert *x509.Certificate) {
	sum := hash(cert.RawSubjectPublicKeyInfo)
	if v.spkis[sum] {
		return
	}
	for _, r := range v.log.requests {
		if r.SPKI == sum && r.Possible {
			return
		}
	}
	v.unless(v.hides(0, a.seq), ArtifactKey, a.File.Name, a.seq, "the certificate is for a public key that no entry speaks of", "", sum)
}

func (v *verifier) checkCRL(a artifact, der []byte, s *signing) {
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		v.findEntry(ArtifactFormat, a.File.Name, a.seq, "the CRL cannot be read", "", err.Error())
		return
	}
	v.checkTime(a, "thisUpdate", crl.ThisUpdate, s.at)
	if !crl.NextUpdate.After(crl.ThisUpdate) {
		v.findEntry(NotBefore, a.File.Name, a.seq, "nextUpdate is not after thisUpdate", "", crl.NextUpdate.UTC().Format(time.RFC3339))
	}
}

// checkTime compares the beginning of a validity with the time of C_Sign.
func (v *verifier) checkTime(a artifact, field string, begin, signed time.Time) {
	if begin.After(signed.Add(time.Second)) || begin.Before(signed.Add(-backdating)) {
		v.findEntry(NotBefore, a.File.Name, a.seq, field+" does not lie within the day before the signature",
			signed.UTC().Format(time.RFC3339), begin.UTC().Format(time.RFC3339))
	}
}
