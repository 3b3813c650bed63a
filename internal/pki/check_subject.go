package pki

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// Object identifiers of the attributes that a CA's name may have, in the order
// in which they must stand (BR 7.1.4.2).
var subjectOrder = []string{
	"0.9.2342.19200300.100.1.25", // domainComponent
	"2.5.4.6",                    // countryName
	"2.5.4.8",                    // stateOrProvinceName
	"2.5.4.7",                    // localityName
	"2.5.4.17",                   // postalCode
	"2.5.4.9",                    // streetAddress
	"2.5.4.10",                   // organizationName
	"2.5.4.3",                    // commonName
}

func (c *checkedCertificate) checkSubject() verdict {
	rdns, err := parseName(c.subject)
	if err != nil {
		return failed(err)
	}
	count := map[string]int{}
	for _, rdn := range rdns {
		for _, a := range rdn {
			count[a.oid]++
		}
	}
	for _, need := range []string{"2.5.4.6", "2.5.4.10", "2.5.4.3"} {
		if count[need] != 1 {
			return fail("%s: %s must be there once, it is %d times", nameOrHex(c.subject), attributeNames[need], count[need])
		}
	}
	for oid, n := range count {
		switch {
		case oid == "2.5.4.11":
			return fail("%s: OU must not be in a CA certificate", nameOrHex(c.subject))
		case !slices.Contains(subjectOrder, oid):
			return fail("%s: attribute %s does not belong in a CA's name", nameOrHex(c.subject), oid)
		case n > 1 && oid != "2.5.4.9" && oid != subjectOrder[0]:
			return fail("%s: %s stands %d times", nameOrHex(c.subject), attributeNames[oid], n)
		}
	}
	return pass("%s: C, O and CN, no OU", nameOrHex(c.subject))
}

func (c *checkedCertificate) checkSubjectEncoding() verdict {
	rdns, err := parseName(c.subject)
	if err != nil {
		return failed(err)
	}
	last := -1
	for _, rdn := range rdns {
		if len(rdn) != 1 {
			return fail("a relative distinguished name has %d attributes instead of one", len(rdn))
		}
		a := rdn[0]
		if what := badEncoding(a); what != "" {
			return fail("%s", what)
		}
		at := slices.Index(subjectOrder, a.oid)
		if at >= 0 && at < last {
			return fail("%s: %s stands too late", nameOrHex(c.subject), attributeNames[a.oid])
		}
		last = max(last, at)
	}
	return pass("each attribute alone, in the order of BR 7.1.4.2, country a PrintableString, others UTF8String or PrintableString")
}

// badEncoding says what is wrong with an attribute's string type or characters,
// or "".
func badEncoding(a attribute) string {
	name, value := attributeNames[a.oid], string(a.value)
	switch a.oid {
	case subjectOrder[0]:
		if a.tag != tagIA5 || !ascii(value) {
			return "DC is not an IA5String"
		}
		return ""
	case "2.5.4.6":
		if a.tag != tagPrintable {
			return "the country is not a PrintableString"
		}
		name = "country"
	default:
		if a.tag != tagPrintable && a.tag != tagUTF8 {
			return fmt.Sprintf("%s has string type 0x%02x instead of UTF8String or PrintableString", name, a.tag)
		}
	}
	if a.tag == tagPrintable && !isPrintableString(value) {
		return fmt.Sprintf("%s %q has characters that no PrintableString has", name, value)
	}
	if what := badNameValue(name, value); what != "" {
		return name + " " + what
	}
	return ""
}

// spkiAlgorithms are the AlgorithmIdentifiers of public keys, byte for byte
// (BR 7.1.3.1).
var spkiAlgorithms = map[string]string{
	"300d06092a864886f70d0101010500":             "rsaEncryption with NULL",
	"301306072a8648ce3d020106082a8648ce3d030107": "id-ecPublicKey with P-256",
	"301006072a8648ce3d020106052b81040022":       "id-ecPublicKey with P-384",
	"301006072a8648ce3d020106052b81040023":       "id-ecPublicKey with P-521",
}

func (c *checkedCertificate) checkKeyEncoding() verdict {
	top := &cursor{b: c.spki}
	in := top.in(tagSequence, "SubjectPublicKeyInfo")
	id := in.take(tagSequence, "public key algorithm").full
	_, unused := in.bits("public key")
	top.done(in, "SubjectPublicKeyInfo")
	if top.err != nil || unused != 0 {
		return fail("the SubjectPublicKeyInfo is malformed")
	}
	name, ok := spkiAlgorithms[hex.EncodeToString(id)]
	if !ok {
		return fail("public key algorithm %x is not allowed", id)
	}
	return pass("%s", name)
}

func (c *checkedCertificate) checkKeyStrength() verdict {
	if c.keyErr != nil {
		return failed(c.keyErr)
	}
	if err := CheckPublicKey(c.key); err != nil {
		return failed(err)
	}
	return pass("%s; none of the weaknesses that are tested (Debian's weak keys are not)", AlgorithmOf(c.key))
}

func (c *checkedCertificate) checkKeyOrigin() verdict {
	if c.known.SubjectKey == nil {
		return skip("the key is not known from elsewhere")
	}
	want, _, err := SPKISHA256(c.known.SubjectKey)
	if err != nil {
		return failed(err)
	}
	if !bytes.Equal(want, c.spki) {
		return fail("the certificate is for another key: SHA-256 of its SPKI is %x, expected %x", sha256.Sum256(c.spki), sha256.Sum256(want))
	}
	return pass("the key that was to be certified, SHA-256 of its SPKI %x", sha256.Sum256(want))
}
