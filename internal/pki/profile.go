// Package pki builds, checks and verifies certificates, CRLs and certificate
// requests. It does no I/O and knows no clock and no token.
//
// What is to be signed is complete, and can be checked, linted and stored,
// before a signature exists: [NewCertificate] and [NewCRL] build it with
// crypto/x509, signed by a throw-away key of the same kind; the bytes inside
// that signature (TBSCertificate, TBSCertList) are what the token then signs,
// and [AssembleFromTBS] puts both together. [CheckCertificate], [CheckCRL] and
// [VerifySignature] read the result with a DER reader of their own.
package pki

import (
	"slices"
	"strings"
)

// What a profile describes.
const (
	ObjectRootCA = "root-ca"
	ObjectSubCA  = "sub-ca"
	ObjectCRL    = "crl"
)

// None as a profile's value (or a list's only one) means: nothing, although
// the template has something there.
const None = "none"

// A Profile says how a certificate or CRL is made.
type Profile struct {
	Name          string         `yaml:"name,required" desc:"name used in the script"`
	Template      string         `yaml:"template" desc:"built-in profile it starts from: root-ca, sub-ca-tls or crl; fields given here win"`
	Object        string         `yaml:"object" enum:"root-ca,sub-ca,crl" desc:"what is made"`
	Subject       Subject        `yaml:"subject" desc:"subject of the certificate"`
	Validity      string         `yaml:"validity" desc:"how long the certificate is valid: a number and d, m or y (days, months, years), such as 10y"`
	PathLength    string         `yaml:"path_length" desc:"how many CAs may follow below this one, in quotes (\"0\"), or none for no limit"`
	KeyUsage      []string       `yaml:"key_usage" desc:"keyCertSign, cRLSign, digitalSignature"`
	ExtKeyUsage   []string       `yaml:"ext_key_usage" desc:"one of serverAuth, clientAuth, emailProtection, codeSigning, timeStamping; a root has none"`
	Policies      []string       `yaml:"policies" desc:"certificate policies, dotted object identifiers"`
	CRLURL        string         `yaml:"crl_url" desc:"http URL of the issuer's CRL"`
	CAIssuersURL  string         `yaml:"ca_issuers_url" desc:"http URL of the issuer's certificate"`
	Digest        string         `yaml:"digest" enum:"SHA-256,SHA-384,SHA-512" desc:"digest that is signed; left out: the one of the issuer's curve, SHA-256 for RSA"`
	NextUpdate    string         `yaml:"next_update" desc:"when the next CRL is due, after this one: a number and d, m or y; at most 12m"`
	AcceptedLints []AcceptedLint `yaml:"accepted_lints" desc:"errors of the linter that do not stop the signing, each with the reason"`
}

// A Subject is a distinguished name. Its attributes are encoded in the order
// of BR 7.1.4.2: C, ST, L, O, OU, CN.
type Subject struct {
	Country            string `yaml:"country" desc:"two capital letters, ISO 3166-1"`
	State              string `yaml:"state" desc:"state or province"`
	Locality           string `yaml:"locality" desc:"city or town"`
	Organisation       string `yaml:"organisation" desc:"legal name of the organisation"`
	OrganisationalUnit string `yaml:"organisational_unit" desc:"forbidden in CA certificates (BR 7.1.2.10.2)"`
	CommonName         string `yaml:"common_name" desc:"name of the CA"`
}

// An AcceptedLint is a lint whose error does not stop the signing.
type AcceptedLint struct {
	Lint   string `yaml:"lint,required" desc:"name of the lint, such as e_sub_ca_aia_missing"`
	Reason string `yaml:"reason,required" desc:"why it is accepted"`
}

// Merge returns p on top of base: a field that p leaves empty is base's, None
// makes it empty. The result has p's name and no Template, so that
// [Profile.ValidateFields] looks at it as a whole. Accepted lints add up.
func (p Profile) Merge(base Profile) Profile {
	return Profile{
		Name:          p.Name,
		Object:        over(p.Object, base.Object),
		Subject:       p.Subject.merge(base.Subject),
		Validity:      over(p.Validity, base.Validity),
		PathLength:    overKeepNone(p.PathLength, base.PathLength),
		KeyUsage:      overList(p.KeyUsage, base.KeyUsage),
		ExtKeyUsage:   overList(p.ExtKeyUsage, base.ExtKeyUsage),
		Policies:      overList(p.Policies, base.Policies),
		CRLURL:        over(p.CRLURL, base.CRLURL),
		CAIssuersURL:  over(p.CAIssuersURL, base.CAIssuersURL),
		Digest:        over(p.Digest, base.Digest),
		NextUpdate:    over(p.NextUpdate, base.NextUpdate),
		AcceptedLints: slices.Concat(base.AcceptedLints, p.AcceptedLints),
	}
}

func (s Subject) merge(base Subject) Subject {
	return Subject{
		Country:            over(s.Country, base.Country),
		State:              over(s.State, base.State),
		Locality:           over(s.Locality, base.Locality),
		Organisation:       over(s.Organisation, base.Organisation),
		OrganisationalUnit: over(s.OrganisationalUnit, base.OrganisationalUnit),
		CommonName:         over(s.CommonName, base.CommonName),
	}
}

// overKeepNone is over for path_length, where None is a value of its own.
func overKeepNone(own, base string) string {
	if own == "" {
		return base
	}
	return own
}

func over(own, base string) string {
	if own = overKeepNone(own, base); own == None {
		return ""
	}
	return own
}

func overList(own, base []string) []string {
	if len(own) == 0 {
		own = base
	}
	if len(own) == 1 && own[0] == None {
		return nil
	}
	return slices.Clone(own)
}

// rehearsalMark stands before the common name of what a rehearsal makes.
const rehearsalMark = "REHEARSAL "

// Rehearsal returns the profile with a common name that begins with
// "REHEARSAL", cut to the 64 characters that a common name may have, so that
// nobody takes what a rehearsal makes for the real thing. A CRL profile and one
// that is already marked come back as they are.
func (p Profile) Rehearsal() Profile {
	cn := p.Subject.CommonName
	if cn == "" || strings.HasPrefix(cn, rehearsalMark) {
		return p
	}
	r := []rune(rehearsalMark + cn)
	p.Subject.CommonName = strings.TrimSpace(string(r[:min(len(r), maxNameChars)]))
	return p
}
