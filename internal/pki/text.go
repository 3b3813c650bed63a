package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Text returns a certificate, CRL, TBSCertificate or TBSCertList in DER as
// lines for people: every field and extension in the order of the bytes, times
// in UTC, numbers and hashes in upper-case hex without separators. What is not
// signed yet says so and has no fingerprint. The same bytes give the same text,
// whatever the machine; no line but one with a long name or URL is over 90
// characters. It ends in a newline.
//
// Names are written as [NameText] does. Bytes that are none of the four in DER
// are an error.
func Text(der []byte) (string, error) {
	tbs, _, signature, err := SplitSigned(der)
	signed := err == nil
	if !signed {
		tbs = der
	}
	p, perr := parseTBS(tbs)
	if perr != nil {
		return "", fmt.Errorf("writing as text: %w", errors.Join(perr, err))
	}
	w := &textWriter{}
	if p.cert != nil {
		w.heading("Certificate", signed)
		w.certificate(p)
	} else {
		w.heading("Certificate revocation list", signed)
		w.crl(p)
	}
	if signed {
		w.hex(0, "Signature", signature)
		w.line(0, "SHA-256 fingerprint", Fingerprint(der))
	} else {
		w.line(0, "SHA-256 to be signed", Fingerprint(der))
	}
	return w.b.String(), w.err
}

// A textWriter writes indented "name: value" lines.
type textWriter struct {
	b   strings.Builder
	err error
}

func (w *textWriter) heading(what string, signed bool) {
	if !signed {
		what += ", NOT SIGNED YET"
	}
	fmt.Fprintln(&w.b, what)
}

// line writes one line, one level deeper than the heading.
func (w *textWriter) line(depth int, name, value string) {
	fmt.Fprintf(&w.b, "%s%s: %s\n", strings.Repeat("  ", depth+1), name, value)
}

// hexColumn is how many bytes stand on a line of hex.
const hexColumn = 32

// hex writes bytes below their name.
func (w *textWriter) hex(depth int, name string, b []byte) {
	fmt.Fprintf(&w.b, "%s%s:\n", strings.Repeat("  ", depth+1), name)
	for len(b) > 0 {
		n := min(len(b), hexColumn)
		fmt.Fprintf(&w.b, "%s%X\n", strings.Repeat("  ", depth+2), b[:n])
		b = b[n:]
	}
}

func (w *textWriter) name(field string, name []byte) {
	s, err := NameText(name)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("writing as text: the %s: %w", strings.ToLower(field), err)
	}
	w.line(0, field, s)
}

func (w *textWriter) certificate(p parsedTBS) {
	f := p.cert
	w.line(0, "Version", fmt.Sprintf("%d", f.version))
	w.line(0, "Serial number", serialText(f.serial))
	w.line(0, "Signature algorithm", p.algorithm.name)
	w.name("Issuer", f.issuer)
	w.line(0, "Valid from", stamp(f.notBefore))
	w.line(0, "Valid until", fmt.Sprintf("%s, this second included", stamp(f.notAfter)))
	w.line(0, "Validity", fmt.Sprintf("%d days", validityDays(f.notBefore, f.notAfter)))
	w.name("Subject", f.subject)
	w.key(f.spki)
	w.extensions(0, f.extensions)
}

// serialText writes a serial number in hex, two digits a byte.
func serialText(n *big.Int) string {
	switch n.Sign() {
	case 0:
		return "00"
	case -1:
		return fmt.Sprintf("-%X", n.Bytes())
	}
	return fmt.Sprintf("%X", n.Bytes())
}

func (w *textWriter) key(spki []byte) {
	pub, err := parseKey(spki)
	if err != nil {
		w.hex(0, "Public key, unknown", spki)
		return
	}
	w.line(0, "Public key", AlgorithmOf(pub))
	w.keyBytes(pub)
	sum := sha256.Sum256(spki)
	w.line(1, "SPKI SHA-256", fmt.Sprintf("%X", sum[:]))
}

func (w *textWriter) keyBytes(pub crypto.PublicKey) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		w.hex(1, "Modulus", k.N.Bytes())
		w.line(1, "Exponent", fmt.Sprintf("%d", k.E))
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err == nil {
			w.hex(1, "Point", point)
		}
	}
}

func (w *textWriter) crl(p parsedTBS) {
	f := p.crl
	w.line(0, "Version", fmt.Sprintf("%d", f.version))
	w.line(0, "Signature algorithm", p.algorithm.name)
	w.name("Issuer", f.issuer)
	w.line(0, "This update", stamp(f.thisUpdate))
	if f.nextUpdate.IsZero() {
		w.line(0, "Next update", "not said")
	} else {
		w.line(0, "Next update", stamp(f.nextUpdate))
	}
	w.line(0, "Revoked certificates", fmt.Sprintf("%d", len(f.revoked)))
	for _, r := range f.revoked {
		w.line(1, "Serial number", serialText(r.serial))
		w.line(2, "Revoked", stamp(r.when))
		w.extensions(2, r.extensions)
	}
	w.extensions(0, f.extensions)
}

// An extensionText writes the value of an extension it knows below its name,
// or returns an error.
type extensionText struct {
	name  string
	write func(w *textWriter, depth int, value []byte) error
}

// extensionTexts is the table of extensions that are written in words.
func extensionTexts() map[string]extensionText {
	return map[string]extensionText{
		oidSubjectKeyID:   {"Subject key identifier", idText("Key", readSubjectKeyID)},
		oidAuthorityKeyID: {"Authority key identifier", idText("Key", readAuthorityKeyID)},
		oidKeyUsage:       {"Key usage", listText("Usage", readKeyUsage)},
		oidPolicies:       {"Certificate policies", listText("Policy", readPolicies)},
		oidCRLPoints:      {"CRL distribution points", listText("URL", readCRLPoints)},
		oidExtKeyUsage:    {"Extended key usage", listText("Usage", readUsageNames)},
		oidInfoAccess:     {"Authority information access", listText("Access", readAccessNames)},
		oidBasic:          {"Basic constraints", basicText},
		oidCRLNumber:      {"CRL number", numberText},
		oidReason:         {"Reason", reasonText},
	}
}

func (w *textWriter) extensions(depth int, list []extension) {
	texts := extensionTexts()
	for _, x := range list {
		t, known := texts[x.oid]
		name := t.name
		if !known {
			name = "Extension " + x.oid
		}
		if x.critical {
			name += ", critical"
		}
		fmt.Fprintf(&w.b, "%s%s\n", strings.Repeat("  ", depth+1), name)
		if !known || t.write(w, depth+1, x.value) != nil {
			w.hex(depth+1, "DER", x.value)
		}
	}
}

func idText(name string, read func([]byte) ([]byte, error)) func(*textWriter, int, []byte) error {
	return func(w *textWriter, depth int, value []byte) error {
		id, err := read(value)
		if err == nil {
			w.line(depth, name, fmt.Sprintf("%X", id))
		}
		return err
	}
}

func listText(name string, read func([]byte) ([]string, error)) func(*textWriter, int, []byte) error {
	return func(w *textWriter, depth int, value []byte) error {
		list, err := read(value)
		if err != nil {
			return err
		}
		for _, s := range list {
			w.line(depth, name, visible(strings.ToValidUTF8(s, "\ufffd")))
		}
		return nil
	}
}

func readUsageNames(value []byte) (names []string, err error) {
	oids, err := readOIDs(value)
	for _, oid := range oids {
		names = append(names, extKeyUsageName(oid))
	}
	return names, err
}

func readAccessNames(value []byte) (names []string, err error) {
	list, err := readAccess(value)
	for _, a := range list {
		method := a.method
		switch method {
		case oidCAIssuers:
			method = "issuer's certificate"
		case oidOCSP:
			method = "OCSP"
		}
		names = append(names, method+" at "+a.url)
	}
	return names, err
}

func basicText(w *textWriter, depth int, value []byte) error {
	b, err := readBasic(value)
	switch {
	case err != nil:
		return err
	case !b.ca:
		w.line(depth, "CA", "no")
		return nil
	case b.limited && b.length == 0:
		w.line(depth, "CA", "yes, with no CA below it (path length 0)")
		return nil
	case b.limited:
		w.line(depth, "CA", fmt.Sprintf("yes, with CAs below it (path length %d)", b.length))
		return nil
	}
	w.line(depth, "CA", "yes, with any number of CAs below it (no path length)")
	return nil
}

func numberText(w *textWriter, depth int, value []byte) error {
	n, err := readNumber(value)
	if err == nil {
		w.line(depth, "Number", fmt.Sprintf("%v", n))
	}
	return err
}

func reasonText(w *textWriter, depth int, value []byte) error {
	code, err := readReason(value)
	if err == nil {
		w.line(depth, "Reason", reasonName(code))
	}
	return err
}
