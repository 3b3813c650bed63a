package pki

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// extension returns an extension's value, or a verdict that ends the check: it
// is missing, or critical when it must not be or the other way round.
func (c *checkedCertificate) extension(oid string, critical bool) ([]byte, *verdict) {
	return need(c.extensions, oid, critical)
}

func need(list []extension, oid string, critical bool) ([]byte, *verdict) {
	x, ok := find(list, oid)
	var v verdict
	switch {
	case !ok:
		v = fail("missing")
	case x.critical && !critical:
		v = fail("must not be critical")
	case !x.critical && critical:
		v = fail("must be critical")
	default:
		return x.value, nil
	}
	return nil, &v
}

// absentInRoot is the verdict on an extension that a root must not have; nil if
// the certificate is no root's.
func (c *checkedCertificate) absentInRoot(oid string) *verdict {
	if !c.root {
		return nil
	}
	v := pass("not there, as in every root")
	if _, ok := find(c.extensions, oid); ok {
		v = fail("must not be in a root")
	}
	return &v
}

func (c *checkedCertificate) checkBasic() verdict {
	value, end := c.extension(oidBasic, true)
	if end != nil {
		return *end
	}
	b, err := readBasic(value)
	switch {
	case err != nil:
		return failed(err)
	case !b.ca:
		return fail("not a CA")
	case c.root && b.limited:
		return fail("path length %d: a root should have none (BR 7.1.2.1.4)", b.length)
	case b.limited:
		return pass("critical; CA, path length %d", b.length)
	}
	return pass("critical; CA, no path length")
}

func (c *checkedCertificate) checkKeyUsage() verdict {
	value, end := c.extension(oidKeyUsage, true)
	if end != nil {
		return *end
	}
	names, err := readKeyUsage(value)
	if err != nil {
		return failed(err)
	}
	for _, must := range []string{"keyCertSign", "cRLSign"} {
		if !slices.Contains(names, must) {
			return fail("lacks %s: has %s", must, strings.Join(names, ", "))
		}
	}
	for _, n := range names {
		if !slices.Contains(keyUsageNames(), n) {
			return fail("%s does not belong in a CA certificate", n)
		}
	}
	return pass("critical; %s", strings.Join(names, ", "))
}

func (c *checkedCertificate) checkSubjectKeyID() verdict {
	value, end := c.extension(oidSubjectKeyID, false)
	if end != nil {
		return *end
	}
	id, err := readSubjectKeyID(value)
	if err != nil {
		return failed(err)
	}
	want, err := keyIDOf(c.spki)
	if err != nil {
		return failed(err)
	}
	if !bytes.Equal(id, want) {
		return fail("%X, expected %X: the first 160 bits of the key's SHA-256 (RFC 7093 section 2 method 1)", id, want)
	}
	return pass("%X: the first 160 bits of the key's SHA-256", id)
}

func (c *checkedCertificate) checkAuthorityKeyID() verdict {
	if _, ok := find(c.extensions, oidAuthorityKeyID); !ok && c.root {
		return pass("not there: a root may do without (RFC 5280 section 4.2.1.1)")
	}
	if c.issuer == nil {
		return fail("the issuer's certificate is not known")
	}
	return judgeAuthorityKeyID(c.extensions, c.issuer)
}

// judgeAuthorityKeyID holds the authority key identifier against the issuer's
// subject key identifier.
func judgeAuthorityKeyID(list []extension, issuer *certificateFields) verdict {
	value, end := need(list, oidAuthorityKeyID, false)
	if end != nil {
		return *end
	}
	id, err := readAuthorityKeyID(value)
	if err != nil {
		return failed(err)
	}
	x, _ := find(issuer.extensions, oidSubjectKeyID)
	want, err := readSubjectKeyID(x.value)
	if err != nil {
		return fail("the issuer's certificate has no subject key identifier")
	}
	if !bytes.Equal(id, want) {
		return fail("%X, not the issuer's subject key identifier %X", id, want)
	}
	return pass("%X: the issuer's subject key identifier", id)
}

func (c *checkedCertificate) checkExtKeyUsage() verdict {
	if v := c.absentInRoot(oidExtKeyUsage); v != nil {
		return *v
	}
	value, end := c.extension(oidExtKeyUsage, false)
	if end != nil {
		return *end
	}
	oids, err := readOIDs(value)
	if err != nil {
		return failed(err)
	}
	var names []string
	for _, oid := range oids {
		names = append(names, extKeyUsageName(oid))
	}
	switch {
	case slices.Contains(oids, oidOCSPSigning):
		return fail("OCSPSigning must not be in a CA certificate")
	case slices.Contains(oids, oidAnyUsage):
		return fail("anyExtendedKeyUsage says nothing")
	case len(oids) != 1:
		return fail("%d purposes (%s), expected a single one", len(oids), strings.Join(names, ", "))
	}
	return pass("%s", names[0])
}

func (c *checkedCertificate) checkPolicies() verdict {
	if v := c.absentInRoot(oidPolicies); v != nil {
		return *v
	}
	value, end := c.extension(oidPolicies, false)
	if end != nil {
		return *end
	}
	policies, err := readPolicies(value)
	switch {
	case err != nil:
		return failed(err)
	case len(policies) == 0:
		return fail("no policy")
	case slices.Contains(policies, anyPolicy):
		return fail("anyPolicy covers what nobody agreed to")
	}
	return pass("%s", strings.Join(policies, ", "))
}

func (c *checkedCertificate) checkCRLPoints() verdict {
	if v := c.absentInRoot(oidCRLPoints); v != nil {
		return *v
	}
	value, end := c.extension(oidCRLPoints, false)
	if end != nil {
		return *end
	}
	urls, err := readCRLPoints(value)
	if err != nil {
		return failed(err)
	}
	return judgeURLs(urls)
}

func judgeURLs(urls []string) verdict {
	if len(urls) == 0 {
		return fail("no URL")
	}
	for _, u := range urls {
		if what := badURL(u); u == "" || what != "" {
			return fail("URL %q: %s", u, what)
		}
	}
	return pass("%s", strings.Join(urls, ", "))
}

func (c *checkedCertificate) checkAccess() verdict {
	if v := c.absentInRoot(oidInfoAccess); v != nil {
		return *v
	}
	value, end := c.extension(oidInfoAccess, false)
	if end != nil {
		return *end
	}
	list, err := readAccess(value)
	if err != nil {
		return failed(err)
	}
	var urls []string
	for _, a := range list {
		if a.method != oidCAIssuers && a.method != oidOCSP {
			return fail("access method %s does not belong here", a.method)
		}
		if a.method == oidCAIssuers {
			urls = append(urls, a.url)
		}
		if what := badURL(a.url); a.url == "" || what != "" {
			return fail("URL %q: %s", a.url, what)
		}
	}
	return judgeURLs(urls)
}

func (c *checkedCertificate) checkOthers() verdict {
	return judgeOthers(c.extensions, oidBasic, oidKeyUsage, oidSubjectKeyID, oidAuthorityKeyID,
		oidExtKeyUsage, oidPolicies, oidCRLPoints, oidInfoAccess)
}

// judgeOthers fails on extensions that no check looks at.
func judgeOthers(list []extension, known ...string) verdict {
	for _, x := range list {
		if !slices.Contains(known, x.oid) {
			return fail("extension %s does not belong here", x.oid)
		}
	}
	return pass("none")
}

// checkProfile compares the certificate with its profile.
func (c *checkedCertificate) checkProfile() verdict {
	p := c.known.Profile
	if p == nil {
		return skip("the profile is not known")
	}
	if root := p.Object == ObjectRootCA; root != c.root {
		return fail("the profile is for a %s", p.Object)
	}
	if want := p.Subject.der(); !bytes.Equal(want, c.subject) {
		return fail("subject %s, the profile says %s", nameOrHex(c.subject), nameOrHex(want))
	}
	period, err := ParsePeriod(p.Validity)
	if err != nil || !period.Last(c.notBefore).Equal(c.notAfter) {
		return fail("notAfter %s, the profile says %s from %s", stamp(c.notAfter), p.Validity, stamp(c.notBefore))
	}
	if a, err := signatureAlgorithmOf(c.algorithm); err != nil || p.Digest != "" && DigestName(a.hash) != p.Digest {
		return fail("signed with %x, the profile says %s", c.algorithm, p.Digest)
	}
	return c.checkProfileExtensions(p)
}

func (c *checkedCertificate) checkProfileExtensions(p *Profile) verdict {
	for _, f := range []struct {
		field    string
		have     []string
		want     []string
		anyOrder bool
	}{
		{"path length", c.pathLength(), orNone(p.PathLength), false},
		{"key usage", c.list(oidKeyUsage, readKeyUsage), p.KeyUsage, true},
		{"extended key usage", c.extKeyUsageNames(), p.ExtKeyUsage, true},
		{"certificate policies", c.list(oidPolicies, readPolicies), p.Policies, true},
		{"CRL distribution points", c.list(oidCRLPoints, readCRLPoints), orNone(p.CRLURL), false},
		{"authority information access", c.list(oidInfoAccess, caIssuers), orNone(p.CAIssuersURL), false},
	} {
		have, want := slices.Clone(f.have), slices.Clone(f.want)
		if f.anyOrder {
			slices.Sort(have)
			slices.Sort(want)
		}
		if !slices.Equal(have, want) {
			return fail("%s %q, the profile says %q", f.field, have, want)
		}
	}
	return pass("as profile %q says", p.Name)
}

// orNone is a list of one, or an empty one.
func orNone(s string) []string {
	if s == "" || s == None {
		return nil
	}
	return []string{s}
}

// list reads an extension with a reader that returns a list; nil if it is not
// there or malformed, which other checks report.
func (c *checkedCertificate) list(oid string, read func([]byte) ([]string, error)) []string {
	x, ok := find(c.extensions, oid)
	if !ok {
		return nil
	}
	l, err := read(x.value)
	if err != nil {
		return []string{err.Error()}
	}
	return l
}

func (c *checkedCertificate) pathLength() []string {
	return c.list(oidBasic, func(value []byte) ([]string, error) {
		b, err := readBasic(value)
		if err != nil || !b.limited {
			return nil, err
		}
		return []string{strconv.Itoa(b.length)}, nil
	})
}

func (c *checkedCertificate) extKeyUsageNames() (names []string) {
	for _, oid := range c.list(oidExtKeyUsage, readOIDs) {
		names = append(names, extKeyUsageName(oid))
	}
	return names
}

// caIssuers returns every URL of an authority information access, which a
// profile has for caIssuers only.
func caIssuers(value []byte) (urls []string, err error) {
	list, err := readAccess(value)
	for _, a := range list {
		urls = append(urls, a.url)
	}
	return urls, err
}
