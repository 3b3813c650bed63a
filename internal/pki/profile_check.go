package pki

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A fieldReport takes one problem of a profile: the field's path as written in
// the script, and what is wrong.
type fieldReport func(path, what string)

// ValidateFields reports every problem of the profile in plain language, path
// relative to the profile ("subject.country"). A profile with a Template is not
// complete: only what it says itself is looked at; merge it first to have the
// whole checked. The rules are those of the Baseline Requirements for CA
// certificates (BR 7.1.2.1, 7.1.2.6, 7.1.2.10) and their CRLs (BR 7.2).
func (p Profile) ValidateFields(report func(path, what string)) {
	if p.Name == "" {
		report("name", "missing: the script needs a name for the profile")
	}
	p.checkForms(report)
	if p.Template != "" {
		return
	}
	switch p.Object {
	case ObjectRootCA:
		p.checkSubjectComplete(report)
		p.checkRoot(report)
	case ObjectSubCA:
		p.checkSubjectComplete(report)
		p.checkSubCA(report)
	case ObjectCRL:
		p.checkCRL(report)
	default:
		report("object", fmt.Sprintf("is %q: must be root-ca, sub-ca or crl, or come from a template", p.Object))
	}
}

// checkForms looks at each value that is there, by itself.
func (p Profile) checkForms(report fieldReport) {
	p.checkSubjectForms(report)
	for _, f := range []struct{ path, value string }{{"validity", p.Validity}, {"next_update", p.NextUpdate}} {
		if _, err := ParsePeriod(f.value); err != nil && f.value != "" && f.value != None {
			report(f.path, err.Error())
		}
	}
	if _, _, err := p.pathLength(); err != nil {
		report("path_length", err.Error())
	}
	checkChoices(report, "key_usage", p.KeyUsage, keyUsageNames())
	p.checkExtKeyUsage(report)
	p.checkPolicies(report)
	for _, f := range []struct{ path, value string }{{"crl_url", p.CRLURL}, {"ca_issuers_url", p.CAIssuersURL}} {
		if what := badURL(f.value); what != "" && f.value != None {
			report(f.path, what)
		}
	}
	if p.CRLURL != "" && p.CRLURL == p.CAIssuersURL && p.CRLURL != None {
		report("ca_issuers_url", "is the same as crl_url: one is the issuer's certificate, the other its CRL")
	}
	for i, a := range p.AcceptedLints {
		if strings.TrimSpace(a.Lint) == "" || strings.TrimSpace(a.Reason) == "" {
			report(fmt.Sprintf("accepted_lints[%d]", i), "needs both a lint and a reason")
		}
	}
}

// maxNameChars is the most characters an attribute of a name may have (RFC
// 5280 appendix A.1, the smallest upper bound of those used here).
const maxNameChars = 64

func (p Profile) checkSubjectForms(report fieldReport) {
	for _, a := range p.Subject.attributes() {
		if a.value == "" || a.value == None {
			continue
		}
		if what := badNameValue(a.field, a.value); what != "" {
			report("subject."+a.field, what)
		}
	}
}

// badNameValue says what is wrong with an attribute of a name, or "".
func badNameValue(field, v string) string {
	switch {
	case field == "country" && (len(v) != 2 || v[0] < 'A' || v[0] > 'Z' || v[1] < 'A' || v[1] > 'Z'):
		return fmt.Sprintf("is %q: must be two capital letters, such as DE", v)
	case strings.TrimSpace(v) != v:
		return fmt.Sprintf("%q begins or ends with white space", v)
	case len([]rune(v)) > maxNameChars:
		return fmt.Sprintf("has %d characters: at most %d fit", len([]rune(v)), maxNameChars)
	case strings.IndexFunc(v, hidden) >= 0 || strings.ToValidUTF8(v, "") != v:
		return fmt.Sprintf("%q has a control, bidirectional or invisible character", v)
	case strings.IndexFunc(v, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0:
		return fmt.Sprintf("is %q: only punctuation is no name", v)
	}
	return ""
}

// hidden reports whether a character cannot be seen or changes how others are
// seen.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || r == 0x2028 || r == 0x2029 || r == 0xfffd
}

func (p Profile) checkSubjectComplete(report fieldReport) {
	for _, a := range p.Subject.attributes() {
		switch a.field {
		case "country", "organisation", "common_name":
			if a.value == "" {
				report("subject."+a.field, "missing: a CA certificate needs it (BR 7.1.2.10.2)")
			}
		case "organisational_unit":
			if a.value != "" {
				report("subject."+a.field, "must not be in a CA certificate (BR 7.1.2.10.2): leave it out")
			}
		}
	}
	for _, u := range []string{"keyCertSign", "cRLSign"} {
		if !slices.Contains(p.KeyUsage, u) {
			report("key_usage", "lacks "+u+": a CA needs it (BR 7.1.2.10.7)")
		}
	}
	if p.NextUpdate != "" {
		report("next_update", "belongs to a CRL profile, not to a certificate's")
	}
	if p.Validity == "" {
		report("validity", "missing: say how long the certificate is valid, such as 10y")
	}
}

// Days that a root certificate may be valid (BR 7.1.2.1.1).
const (
	minRootDays = 2922
	maxRootDays = 9132
)

func (p Profile) checkRoot(report fieldReport) {
	if per, err := ParsePeriod(p.Validity); err == nil {
		if d := per.days(); d < minRootDays || d > maxRootDays {
			report("validity", fmt.Sprintf("%s is %d days: a root is valid for %d to %d (BR 7.1.2.1.1)", p.Validity, d, minRootDays, maxRootDays))
		}
	}
	for _, f := range []struct {
		path, why string
		there     bool
	}{
		{"ext_key_usage", "must not be in a root (BR 7.1.2.1.2)", len(p.ExtKeyUsage) > 0},
		{"policies", "do not belong in a root (BR 7.1.2.1.2)", len(p.Policies) > 0},
		{"crl_url", "does not belong in a root: nobody above it revokes it (BR 7.1.2.11.2)", p.CRLURL != ""},
		{"ca_issuers_url", "does not belong in a root: it has no issuer above it (BR 7.1.2.1.2)", p.CAIssuersURL != ""},
		{"path_length", "should not be limited in a root (BR 7.1.2.1.4)", p.PathLength != "" && p.PathLength != None},
	} {
		if f.there {
			report(f.path, f.why+": leave it out")
		}
	}
}

// maxSubCADays keeps a subordinate CA within what a root may live.
const maxSubCADays = maxRootDays

func (p Profile) checkSubCA(report fieldReport) {
	if per, err := ParsePeriod(p.Validity); err == nil && per.days() > maxSubCADays {
		report("validity", fmt.Sprintf("%s is longer than any root may live (%d days)", p.Validity, maxSubCADays))
	}
	for _, f := range []struct {
		path, why string
		missing   bool
	}{
		{"path_length", "say how many CAs may follow, \"0\" for none (BR 7.1.2.10.4)", p.PathLength == ""},
		{"policies", "name at least one certificate policy (BR 7.1.2.10.5)", len(p.Policies) == 0},
		{"crl_url", "say where the issuer's CRL is found (BR 7.1.2.11.2)", p.CRLURL == ""},
		{"ca_issuers_url", "say where the issuer's certificate is found (BR 7.1.2.10.3)", p.CAIssuersURL == ""},
		{"ext_key_usage", "name the one purpose, such as serverAuth (BR 7.1.2.10.6)", len(p.ExtKeyUsage) == 0},
	} {
		if f.missing {
			report(f.path, "missing: "+f.why)
		}
	}
}

// maxCRLMonths is how far nextUpdate of a CRL for CA certificates may be away
// (BR 4.9.7, 7.2).
const maxCRLMonths = 12

func (p Profile) checkCRL(report fieldReport) {
	per, err := ParsePeriod(p.NextUpdate)
	switch {
	case p.NextUpdate == "":
		report("next_update", "missing: say when the next CRL is due, such as 6m")
	case err == nil && per.tooLongForCRL():
		report("next_update", fmt.Sprintf("%s is over the %d months that a CRL for CA certificates may last (BR 4.9.7)", p.NextUpdate, maxCRLMonths))
	}
	for _, f := range []struct {
		path  string
		there bool
	}{
		{"subject", p.Subject != Subject{}}, {"validity", p.Validity != ""}, {"path_length", p.PathLength != ""},
		{"key_usage", len(p.KeyUsage) > 0}, {"ext_key_usage", len(p.ExtKeyUsage) > 0}, {"policies", len(p.Policies) > 0},
		{"crl_url", p.CRLURL != ""}, {"ca_issuers_url", p.CAIssuersURL != ""},
	} {
		if f.there {
			report(f.path, "belongs to a certificate profile, not to a CRL's")
		}
	}
}

// checkChoices reports values that are none of the allowed, and repeats.
func checkChoices(report fieldReport, path string, values, allowed []string) {
	for i, v := range values {
		switch {
		case v == None && len(values) == 1:
		case !slices.Contains(allowed, v):
			report(fmt.Sprintf("%s[%d]", path, i), fmt.Sprintf("is %q: must be one of %s", v, strings.Join(allowed, ", ")))
		case slices.Contains(values[:i], v):
			report(fmt.Sprintf("%s[%d]", path, i), fmt.Sprintf("%q stands twice", v))
		}
	}
}

func (p Profile) checkExtKeyUsage(report fieldReport) {
	if slices.Contains(p.ExtKeyUsage, "OCSPSigning") {
		report("ext_key_usage", "OCSPSigning must not be in a CA certificate: it would let the CA answer for its issuer (BR 7.1.2.10.6)")
		return
	}
	checkChoices(report, "ext_key_usage", p.ExtKeyUsage, extKeyUsageNames())
	if len(p.ExtKeyUsage) > 1 {
		report("ext_key_usage", "has more than one purpose: root programs ask for CAs with a single one")
	}
}

// anyPolicy is the object identifier that stands for every policy.
const anyPolicy = "2.5.29.32.0"

func (p Profile) checkPolicies(report fieldReport) {
	for i, s := range p.Policies {
		path := fmt.Sprintf("policies[%d]", i)
		_, err := x509.ParseOID(s)
		switch {
		case s == None && len(p.Policies) == 1:
		case err != nil:
			report(path, fmt.Sprintf("%q is no object identifier such as 2.23.140.1.2.1", s))
		case s == anyPolicy:
			report(path, "anyPolicy would cover what nobody agreed to: name the policies")
		case slices.Contains(p.Policies[:i], s):
			report(path, fmt.Sprintf("%q stands twice", s))
		}
	}
}

// badURL says what is wrong with a URL in a certificate, or "".
func badURL(s string) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "":
		return fmt.Sprintf("%q is no URL", s)
	case u.Scheme != "http":
		return fmt.Sprintf("%q must begin with http:// (checking an https:// one would need the very CRL it leads to)", s)
	case u.User != nil || u.Fragment != "" || strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0:
		return fmt.Sprintf("%q has a user, a fragment or a character that is not printable ASCII", s)
	}
	return ""
}

// pathLength returns the path length constraint; limited is false if there is
// none.
func (p Profile) pathLength() (n int, limited bool, err error) {
	if p.PathLength == "" || p.PathLength == None {
		return 0, false, nil
	}
	n, err = strconv.Atoi(p.PathLength)
	if err != nil || n < 0 || n > 9 || strconv.Itoa(n) != p.PathLength {
		return 0, false, fmt.Errorf("is %q: must be a number from 0 to 9 in quotes, or none", p.PathLength)
	}
	return n, true, nil
}

// A Period is a length of time as a script writes it.
type Period struct {
	years, months, daysLong int
}

// ParsePeriod reads "10y", "6m" or "398d": a number from 1 to 9999 without
// leading zeros, and d, m or y.
func ParsePeriod(s string) (Period, error) {
	bad := fmt.Errorf("%q is no length of time: write a number and d, m or y, such as 90d, 6m or 10y", s)
	if len(s) < 2 || len(s) > 5 || s[0] == '0' {
		return Period{}, bad
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 16)
	if err != nil {
		return Period{}, bad
	}
	switch s[len(s)-1] {
	case 'y':
		if n > 100 {
			return Period{}, fmt.Errorf("%q is over a hundred years", s)
		}
		return Period{years: int(n)}, nil
	case 'm':
		return Period{months: int(n)}, nil
	case 'd':
		return Period{daysLong: int(n)}, nil
	}
	return Period{}, bad
}

// Last returns the last second of the period that begins at start, both
// included (RFC 5280 section 4.1.2.5, BR 1.6.1 "Validity Period"): a year from
// 2030-01-01 00:00:00 ends at 2030-12-31 23:59:59.
func (p Period) Last(start time.Time) time.Time {
	return start.AddDate(p.years, p.months, p.daysLong).Add(-time.Second)
}

// days is the period's length, counted from a fixed day.
func (p Period) days() int {
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	return int(start.AddDate(p.years, p.months, p.daysLong).Sub(start) / (24 * time.Hour))
}

func (p Period) tooLongForCRL() bool { return p.days() > 365 }
