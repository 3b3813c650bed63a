package pki

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// complaints returns what a profile's own check reports.
func complaints(p Profile) (list []string) {
	p.ValidateFields(func(path, what string) { list = append(list, path+": "+what) })
	return list
}

func TestGoodProfiles(t *testing.T) {
	noLimit, code := subProfile(), subProfile()
	noLimit.PathLength = None
	code.ExtKeyUsage = []string{"codeSigning"}
	ocsp := rootProfile()
	ocsp.KeyUsage = []string{"digitalSignature", "keyCertSign", "cRLSign"}
	for _, p := range []Profile{rootProfile(), subProfile(), crlProfile(), noLimit, code, ocsp, {Name: "x", Template: "root-ca"}} {
		for _, c := range complaints(p) {
			t.Errorf("%s: %s", p.Name, c)
		}
	}
}

func TestBadProfiles(t *testing.T) {
	long := strings.Repeat("é", 65)
	for _, c := range []struct {
		base   func() Profile
		change func(*Profile)
		want   string
	}{
		{rootProfile, func(p *Profile) { p.Name = "" }, "name: missing"},
		{rootProfile, func(p *Profile) { p.Object = "" }, `object: is ""`},
		{rootProfile, func(p *Profile) { p.Object = "leaf" }, `object: is "leaf"`},
		{rootProfile, func(p *Profile) { p.Subject.Country = "" }, "subject.country: missing"},
		{rootProfile, func(p *Profile) { p.Subject.Country = "de" }, "subject.country: is \"de\": must be two capital letters"},
		{rootProfile, func(p *Profile) { p.Subject.Country = "DEU" }, "subject.country"},
		{rootProfile, func(p *Profile) { p.Subject.Organisation = "" }, "subject.organisation: missing"},
		{rootProfile, func(p *Profile) { p.Subject.CommonName = "" }, "subject.common_name: missing"},
		{rootProfile, func(p *Profile) { p.Subject.CommonName = long }, "subject.common_name: has 65 characters"},
		{rootProfile, func(p *Profile) { p.Subject.CommonName = " Root" }, "begins or ends with white space"},
		{rootProfile, func(p *Profile) { p.Subject.CommonName = "Ro\u202eot" }, "bidirectional"},
		{rootProfile, func(p *Profile) { p.Subject.CommonName = "Ro\u200bot" }, "invisible"},
		{rootProfile, func(p *Profile) { p.Subject.CommonName = "Ro\x00ot" }, "control"},
		{rootProfile, func(p *Profile) { p.Subject.CommonName = "Ro\xffot" }, "control"},
		{rootProfile, func(p *Profile) { p.Subject.Locality = "-" }, "only punctuation"},
		{rootProfile, func(p *Profile) { p.Subject.OrganisationalUnit = "IT" }, "subject.organisational_unit: must not be"},
		{rootProfile, func(p *Profile) { p.Validity = "" }, "validity: missing"},
		{rootProfile, func(p *Profile) { p.Validity = "ten years" }, "validity: \"ten years\" is no length"},
		{rootProfile, func(p *Profile) { p.Validity = "7y" }, "validity: 7y is 2556 days"},
		{rootProfile, func(p *Profile) { p.Validity = "2921d" }, "2921 days"},
		{rootProfile, func(p *Profile) { p.Validity = "9133d" }, "9133 days"},
		{rootProfile, func(p *Profile) { p.KeyUsage = []string{"keyCertSign"} }, "key_usage: lacks cRLSign"},
		{rootProfile, func(p *Profile) { p.KeyUsage = append(p.KeyUsage, "keyAgreement") }, `key_usage[2]: is "keyAgreement"`},
		{rootProfile, func(p *Profile) { p.KeyUsage = append(p.KeyUsage, "cRLSign") }, `key_usage[2]: "cRLSign" stands twice`},
		{rootProfile, func(p *Profile) { p.ExtKeyUsage = []string{"serverAuth"} }, "ext_key_usage: must not be in a root"},
		{rootProfile, func(p *Profile) { p.Policies = []string{"1.2.3"} }, "policies: do not belong in a root"},
		{rootProfile, func(p *Profile) { p.CRLURL = "http://example.org/" }, "crl_url: does not belong in a root"},
		{rootProfile, func(p *Profile) { p.CAIssuersURL = "http://example.org/" }, "ca_issuers_url: does not belong"},
		{rootProfile, func(p *Profile) { p.PathLength = "1" }, "path_length: should not be limited"},
		{rootProfile, func(p *Profile) { p.NextUpdate = "6m" }, "next_update: belongs to a CRL"},
		{rootProfile, func(p *Profile) { p.AcceptedLints = []AcceptedLint{{Lint: "e_x"}} }, "accepted_lints[0]: needs both"},
		{subProfile, func(p *Profile) { p.PathLength = "" }, "path_length: missing"},
		{subProfile, func(p *Profile) { p.PathLength = "01" }, "path_length: is \"01\""},
		{subProfile, func(p *Profile) { p.PathLength = "-1" }, "path_length: is \"-1\""},
		{subProfile, func(p *Profile) { p.PathLength = "10" }, "path_length: is \"10\""},
		{subProfile, func(p *Profile) { p.ExtKeyUsage = nil }, "ext_key_usage: missing"},
		{subProfile, func(p *Profile) { p.ExtKeyUsage = []string{"serverAuth", "clientAuth"} }, "more than one purpose"},
		{subProfile, func(p *Profile) { p.ExtKeyUsage = []string{"OCSPSigning"} }, "OCSPSigning must not be"},
		{subProfile, func(p *Profile) { p.ExtKeyUsage = []string{"any"} }, `ext_key_usage[0]: is "any"`},
		{subProfile, func(p *Profile) { p.Policies = nil }, "policies: missing"},
		{subProfile, func(p *Profile) { p.Policies = []string{"2.5.29.32.0"} }, "anyPolicy"},
		{subProfile, func(p *Profile) { p.Policies = []string{"OV"} }, `policies[0]: "OV" is no object identifier`},
		{subProfile, func(p *Profile) { p.Policies = []string{"1.2.3", "1.2.3"} }, `policies[1]: "1.2.3" stands twice`},
		{subProfile, func(p *Profile) { p.CRLURL = "" }, "crl_url: missing"},
		{subProfile, func(p *Profile) { p.CRLURL = "https://example.org/a" }, "must begin with http://"},
		{subProfile, func(p *Profile) { p.CRLURL = "http:///a" }, "is no URL"},
		{subProfile, func(p *Profile) { p.CRLURL = "http://user@example.org/a" }, "has a user"},
		{subProfile, func(p *Profile) { p.CRLURL = "http://example.org/ä" }, "not printable ASCII"},
		{subProfile, func(p *Profile) { p.CAIssuersURL = "" }, "ca_issuers_url: missing"},
		{subProfile, func(p *Profile) { p.CAIssuersURL = p.CRLURL }, "is the same as crl_url"},
		{subProfile, func(p *Profile) { p.Validity = "30y" }, "longer than any root"},
		{crlProfile, func(p *Profile) { p.NextUpdate = "" }, "next_update: missing"},
		{crlProfile, func(p *Profile) { p.NextUpdate = "13m" }, "next_update: 13m is over the 12 months"},
		{crlProfile, func(p *Profile) { p.NextUpdate = "366d" }, "over the 12 months"},
		{crlProfile, func(p *Profile) { p.Validity = "10y" }, "validity: belongs to a certificate"},
		{crlProfile, func(p *Profile) { p.Subject.CommonName = "CRL" }, "subject: belongs to a certificate"},
		{crlProfile, func(p *Profile) { p.Template, p.Validity = "crl", "x" }, "validity: \"x\" is no length"},
	} {
		p := c.base()
		c.change(&p)
		got := complaints(p)
		if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, c.want) }) {
			t.Errorf("want %q, got %q", c.want, got)
		}
		if len(got) > 2 {
			t.Errorf("%q: one mistake, %d complaints: %q", c.want, len(got), got)
		}
	}
}

func TestMerge(t *testing.T) {
	base := subProfile()
	base.AcceptedLints = []AcceptedLint{{"a", "b"}}
	own := Profile{
		Name: "mine", Template: "sub", Validity: "3y", Subject: Subject{CommonName: "Mine", State: None},
		PathLength: None, Policies: []string{"1.2.3"}, CRLURL: None, ExtKeyUsage: []string{None},
		AcceptedLints: []AcceptedLint{{"c", "d"}},
	}
	want := base
	want.Name, want.Template, want.Validity, want.PathLength = "mine", "", "3y", None
	want.Subject.CommonName, want.Subject.State = "Mine", ""
	want.Policies, want.CRLURL, want.ExtKeyUsage = []string{"1.2.3"}, "", nil
	want.AcceptedLints = []AcceptedLint{{"a", "b"}, {"c", "d"}}
	got := own.Merge(base)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	got.KeyUsage[0] = "changed"
	if base.KeyUsage[0] == "changed" {
		t.Error("the merged profile shares the template's list")
	}
}

// TestMergeKnowsAllFields sets every field by reflection: none may get lost.
func TestMergeKnowsAllFields(t *testing.T) {
	var full Profile
	fill(reflect.ValueOf(&full).Elem())
	full.Template = ""
	for _, got := range []Profile{full.Merge(Profile{}), Profile{Name: full.Name}.Merge(full)} {
		if !reflect.DeepEqual(got, full) {
			t.Errorf("got  %+v\nwant %+v", got, full)
		}
	}
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	default:
		panic("a profile has a field of kind " + v.Kind().String())
	}
}

func TestRehearsal(t *testing.T) {
	p := rootProfile().Rehearsal()
	if p.Subject.CommonName != "REHEARSAL Łukasz 山田 Root Ελένη" || complaints(p) != nil {
		t.Errorf("%q, %q", p.Subject.CommonName, complaints(p))
	}
	if again := p.Rehearsal(); again.Subject != p.Subject {
		t.Errorf("marked twice: %q", again.Subject.CommonName)
	}
	if crl := crlProfile().Rehearsal(); !reflect.DeepEqual(crl, crlProfile()) {
		t.Errorf("a CRL's profile became %+v", crl)
	}
	p.Subject.CommonName = strings.Repeat("é", 60)
	if p = p.Rehearsal(); len([]rune(p.Subject.CommonName)) != 64 || complaints(p) != nil {
		t.Errorf("%q, %q", p.Subject.CommonName, complaints(p))
	}
}

func TestPeriods(t *testing.T) {
	at := time.Date(2028, 2, 29, 10, 0, 0, 0, time.UTC)
	for s, want := range map[string]string{
		"1d": "2028-03-01 09:59:59 UTC", "90d": "2028-05-29 09:59:59 UTC", "398d": "2029-04-02 09:59:59 UTC",
		"6m": "2028-08-29 09:59:59 UTC", "1y": "2029-03-01 09:59:59 UTC", "10y": "2038-03-01 09:59:59 UTC", "20y": "2048-02-29 09:59:59 UTC",
	} {
		p, err := ParsePeriod(s)
		if err != nil || stamp(p.Last(at)) != want {
			t.Errorf("%s: %s, %v, want %s", s, stamp(p.Last(at)), err, want)
		}
	}
	for _, s := range []string{"", "y", "0y", "01y", "-1y", "+1y", "1", "1w", "1.5y", "101y", "99999d", "1Y", " 1y", "1y "} {
		if p, err := ParsePeriod(s); err == nil {
			t.Errorf("ParsePeriod(%q) = %+v", s, p)
		}
	}
}
