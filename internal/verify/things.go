package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/pki"
)

// checkOrigins checks where the ceremony's keys come from, and that the log does
// not contradict itself about them.
func (v *verifier) checkOrigins(c *Check) {
	named := map[string]string{} // name → SubjectPublicKeyInfo
	bearer := map[int64]string{} // call → name
	owner := map[string]string{} // SubjectPublicKeyInfo → name
	for _, k := range v.log.made.judged {
		c.Count++
		if spki, known := named[k.Name]; known && spki != k.SPKI {
			v.findEntry(ArtifactKey, v.log.file, k.seq, fmt.Sprintf("key %q is recorded with two public keys", k.Name), spki, k.SPKI)
		}
		named[k.Name] = k.SPKI
		if name, known := owner[k.SPKI]; known && name != k.Name && !v.log.isCopy(name, k.Name) {
			v.findEntry(KeyRepeated, v.log.file, k.seq, fmt.Sprintf("the keys %q and %q are one: the token returned a key that it had before", name, k.Name), "", k.SPKI)
		}
		owner[k.SPKI] = k.Name
		if name, known := bearer[k.Generated]; known && name != k.Name && !k.Found {
			v.findEntry(ArtifactKey, v.log.file, k.seq, fmt.Sprintf("one call is said to have made the keys %q and %q", name, k.Name), "", fmt.Sprintf("entry %d", k.Generated))
		}
		if k.Found {
			v.checkFound(k)
		} else {
			bearer[k.Generated] = k.Name
			v.checkBirth(k)
		}
		v.checkRead(k)
	}
}

// foundIn is the kind of step that takes a key which was there before.
const foundIn = "key-identify"

// checkFound checks that a key without a birth in this log was taken by a step
// that compares it with what was known of it, or is a copy that came in.
func (v *verifier) checkFound(k judgedKey) {
	if u := v.log.backups.copies[k.Name]; u != nil && u.Token == k.Token && k.Generated == 0 {
		return // checked with the backups
	}
	i, planned := v.log.plan[k.step]
	if k.Generated != 0 || !planned || v.log.open.Plan[i].Kind != foundIn {
		v.findEntry(ArtifactKey, v.log.file, k.seq, fmt.Sprintf("key %q is said to be older than the ceremony, by a step that does not look for such keys", k.Name), "a step of the kind "+foundIn+", no call", fmt.Sprintf("step %q, entry %d", k.step, k.Generated))
	}
}

// checkBirth looks for the C_GenerateKeyPair that made a key. Where nobody saw
// its outcome, the room must have taken the key for its own.
func (v *verifier) checkBirth(k judgedKey) {
	b, ok := v.log.made.born[k.Generated]
	if !ok || k.Generated >= k.seq || b.step != k.step {
		v.unless(!ok && v.hides(k.Generated-2, k.Generated), ArtifactKey, v.log.file, k.seq, fmt.Sprintf("no C_GenerateKeyPair of its step made key %q", k.Name), "", fmt.Sprintf("entry %d", k.Generated))
		return
	}
	if !b.outcome && k.adopted <= k.Generated {
		v.unless(v.hides(k.Generated, k.seq), ArtifactKey, v.log.file, k.seq, fmt.Sprintf("nobody saw key %q made, and the room did not take it for its own", k.Name), "", fmt.Sprintf("entry %d", k.Generated))
	}
}

// checkRead compares a key entry with what the token said of the key.
func (v *verifier) checkRead(k judgedKey) {
	if k.said.public != nil {
		der, err := publicKeyOf(k.said.public)
		if err != nil {
			v.findEntry(ArtifactKey, v.log.file, k.seq, fmt.Sprintf("what the token said of key %q is no public key", k.Name), "", err.Error())
		} else if hex.EncodeToString(der) != k.SPKI {
			v.findEntry(ArtifactKey, v.log.file, k.seq, fmt.Sprintf("the token said another public key of %q than was recorded", k.Name), hex.EncodeToString(der), k.SPKI)
		}
	}
	said := map[string]audit.Attribute{}
	for _, a := range k.said.private {
		said[a.Type] = a
	}
	for _, j := range k.Attributes {
		a, ok := said[j.Attribute]
		switch {
		case !ok:
		case a.Error == "" && j.Reported != a.Value:
			v.findEntry(ArtifactKey, v.log.file, k.seq, fmt.Sprintf("the token said of %s of key %q something else than was judged", j.Attribute, k.Name), a.Value, j.Reported)
		case a.Error != "" && j.Judged == "good":
			v.findEntry(ArtifactKey, v.log.file, k.seq, fmt.Sprintf("%s of key %q was judged good though the token did not tell it", j.Attribute, k.Name), a.Error, j.Reported)
		}
	}
}

// checkRequests looks into the certificate requests and at the files to be
// signed, and at what people typed from paper before each was taken.
func (v *verifier) checkRequests(c *Check) {
	for _, r := range v.log.made.asked {
		c.Count++
		if b, ok := v.bound(r.csr.File); ok {
			v.checkRequest(r, b)
		}
		v.checkCompared(r.seq, "request", r.csr.File, r.answers)
	}
	for _, r := range v.log.made.filed {
		c.Count++
		v.checkCompared(r.seq, "file", r.file, r.answers)
	}
}

// checkCompared checks that two people typed the beginning of a file's SHA-256
// from paper.
func (v *verifier) checkCompared(seq int64, what string, file audit.File, answers []audit.Answer) {
	agreed := map[string]bool{}
	for _, a := range answers {
		if len(a.Value) < 16 || !strings.HasPrefix(file.SHA256, a.Value) {
			v.findEntry(ArtifactDiffers, file.Name, seq, "what was typed from paper is not the beginning of the "+what+"'s SHA-256", file.SHA256, a.Value)
		}
		agreed[a.Person] = true
	}
	if len(agreed) < 2 {
		v.unless(v.hides(v.log.begunBefore(seq), seq), ArtifactDiffers, file.Name, seq, "fewer than two people compared the "+what+" with paper", "2", fmt.Sprint(len(agreed)))
	}
}

func (v *verifier) checkRequest(r requested, b []byte) {
	csr, err := pki.ParseCSR(b)
	if err != nil {
		v.findEntry(ArtifactFormat, r.csr.File.Name, r.seq, "the file is no certificate request that can be taken", "", err.Error())
		return
	}
	if holdsPEM(b) {
		v.findEntry(ArtifactFormat, r.csr.File.Name, r.seq, "the certificate request holds a certificate or CRL", "", "")
	}
	if sum := hash(csr.RawSubjectPublicKeyInfo); sum != r.csr.SPKI {
		v.findEntry(ArtifactKey, r.csr.File.Name, r.seq, "the request is for another public key than the log says", r.csr.SPKI, sum)
	}
	if s := csr.Subject.String(); s != r.csr.Subject {
		v.findEntry(ArtifactFormat, r.csr.File.Name, r.seq, "the request has another subject than the log says", r.csr.Subject, s)
	}
}

// checkExports compares what was written to other media with the artifacts of
// the same names.
func (v *verifier) checkExports(c *Check) {
	for _, x := range v.log.made.exports {
		if !x.ReadBack {
			v.findEntry(ArtifactDiffers, v.log.file, x.seq, "files were exported and not read back", x.Destination, "")
		}
		for _, file := range x.Files {
			c.Count++
			name := bundle.ArtifactsDir + "/" + path.Base(file.Name)
			l, ok := v.log.files[name]
			if !ok || l.seq > x.seq || l.file.SHA256 != file.SHA256 || l.file.Size != file.Size {
				v.unless(!ok && v.hides(0, x.seq), ArtifactDiffers, v.log.file, x.seq, fmt.Sprintf("what was exported as %q is not the artifact %q", file.Name, name), l.file.SHA256, file.SHA256)
			}
		}
	}
}

// checkRandoms finds random bytes that serve two certificates. The same bytes
// to be signed may be announced again by a further try.
func (v *verifier) checkRandoms() {
	served := map[int64]int64{} // random → the first entry that uses it
	for seq, t := range v.log.tbs {
		if t.Object != "certificate" {
			continue
		}
		if first, ok := served[t.Random]; !ok || seq < first {
			served[t.Random] = seq
		}
	}
	for seq, t := range v.log.tbs {
		first, ok := served[t.Random]
		if !ok || t.Object != "certificate" || v.log.tbs[first].TBS.SHA256 == t.TBS.SHA256 {
			continue
		}
		v.findEntry(SerialNotRandom, v.log.file, seq, fmt.Sprintf("the random bytes of this serial number served entry %d already", first), "", fmt.Sprintf("entry %d", t.Random))
	}
}

// checkRules has package pki judge the certificates and CRLs by RFC 5280 and the
// Baseline Requirements.
func (v *verifier) checkRules(c *Check) {
	certs := map[string][]byte{} // subject → DER
	type object struct {
		artifact
		der []byte
	}
	var objects []object
	for _, a := range v.log.artifacts {
		b, ok := v.bound(a.File)
		if !ok || a.Object != "certificate" && a.Object != "crl" && a.Object != broughtCertificate {
			continue
		}
		der, err := onePEM(b, pemTypes[a.Object])
		if err != nil {
			continue // reported with the artifacts
		}
		if a.Object != broughtCertificate { // which rules it was issued by is not known here
			objects = append(objects, object{a, der})
		}
		if subject, _ := names(a.Object, der); subject != nil && certs[string(subject)] == nil {
			certs[string(subject)] = der
		}
	}
	for _, o := range objects {
		c.Count++
		subject, issuer := names(o.Object, o.der)
		known := pki.Known{}
		if o.Object == "crl" || !bytes.Equal(subject, issuer) {
			known.Issuer = certs[string(issuer)]
			if known.Issuer == nil && v.hides(0, v.log.lastSeq) {
				v.findEntry(NotChecked, o.File.Name, o.seq, notChecked+"it is against the rules for what its issuer may sign", "", "")
				continue
			}
		}
		s, t := v.signedBy(o.artifact)
		if t != nil {
			known.Signed = s.at
			known.IssuerKey, _ = v.publicKey(t.Key)
		}
		v.reportRules(o.artifact, o.der, known)
	}
}

func (v *verifier) reportRules(a artifact, der []byte, known pki.Known) {
	check := pki.CheckCertificate
	if a.Object == "crl" {
		check = pki.CheckCRL
	}
	for _, f := range pki.Failed(check(der, known)) {
		code := RuleBroken
		if f.Field == "encoding" || f.Field == "signature" || f.Field == "signature algorithm" {
			code = CertificateBroken
		}
		v.findEntry(code, a.File.Name, a.seq, fmt.Sprintf("%s (%s)", f.Field, f.Number), "", f.What)
	}
}

// names returns subject and issuer of a certificate, or the issuer alone of a
// CRL, as they stand in the DER; nil if it cannot be read.
func names(object string, der []byte) (subject, issuer []byte) {
	if object == "crl" {
		if crl, err := x509.ParseRevocationList(der); err == nil {
			issuer = crl.RawIssuer
		}
		return nil, issuer
	}
	if cert, err := x509.ParseCertificate(der); err == nil {
		subject, issuer = cert.RawSubject, cert.RawIssuer
	}
	return subject, issuer
}

// describeTokens fills in the tokens that the log identified, and how much they
// kept to themselves.
func (v *verifier) describeTokens() {
	v.report.Tokens = []TokenSeen{}
	for name, t := range v.log.made.tokens {
		v.report.Tokens = append(v.report.Tokens, TokenSeen{name, t.Info.Model, t.Info.Serial})
	}
	slices.SortFunc(v.report.Tokens, func(a, b TokenSeen) int { return strings.Compare(a.Name, b.Name) })
	for _, k := range v.log.keys {
		for _, j := range k.Attributes {
			if j.Judged == "not told" {
				v.report.NotTold++
			}
		}
	}
}
