package lint

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/internal/pki"
)

// objects are previews of a root, a sub-CA and a CRL that have nothing wrong.
type objects struct{ root, sub, crl []byte }

func build(t *testing.T) objects {
	t.Helper()
	subject := pki.Subject{Country: "DE", Organisation: "Example", CommonName: "Example Root"}
	usage := []string{"keyCertSign", "cRLSign"}
	root := pki.Profile{Name: "root", Object: pki.ObjectRootCA, Subject: subject, Validity: "10y", KeyUsage: usage}
	sub := root
	sub.Name, sub.Object, sub.Validity, sub.PathLength = "sub", pki.ObjectSubCA, "5y", "0"
	sub.Subject.CommonName = "Example TLS CA"
	sub.ExtKeyUsage, sub.Policies = []string{"serverAuth"}, []string{"2.23.140.1.2.1"}
	sub.CRLURL, sub.CAIssuersURL = "http://crl.example.org/root.crl", "http://ca.example.org/root.cer"
	crl := pki.Profile{Name: "crl", Object: pki.ObjectCRL, NextUpdate: "12m"}
	rootKey, subKey := newKey(t), newKey(t)
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	random := []byte("0123456789abcdef")
	rootTBS, err := pki.NewCertificate(pki.CertificateRequest{Profile: root, SubjectKey: rootKey.Public(), IssuerKey: rootKey.Public(), Serial: random, NotBefore: at})
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := x509.ParseCertificate(rootTBS.Preview)
	if err != nil {
		t.Fatal(err)
	}
	subTBS, err := pki.NewCertificate(pki.CertificateRequest{Profile: sub, SubjectKey: subKey.Public(), Issuer: issuer, IssuerKey: rootKey.Public(), Serial: random, NotBefore: at})
	if err != nil {
		t.Fatal(err)
	}
	crlTBS, err := pki.NewCRL(pki.CRLRequest{Profile: crl, Issuer: issuer, IssuerKey: rootKey.Public(), Number: big.NewInt(1), ThisUpdate: at})
	if err != nil {
		t.Fatal(err)
	}
	return objects{rootTBS.Preview, subTBS.Preview, crlTBS.Preview}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestClean shows that what the built-in shapes make has nothing wrong in the
// linter's eyes, and how many lints looked at it.
func TestClean(t *testing.T) {
	o := build(t)
	for _, c := range []struct {
		kind    string
		preview []byte
		least   int // lints that must have applied
	}{
		{pki.ObjectRootCA, o.root, 60},
		{pki.ObjectSubCA, o.sub, 70},
		{pki.ObjectCRL, o.crl, 10},
	} {
		began := time.Now()
		report, err := Lint(c.preview, c.kind)
		if err != nil {
			t.Errorf("%s: %v", c.kind, err)
		}
		t.Logf("%s: %v: %s", c.kind, time.Since(began), strings.Join(report.Lines(), "\n"))
		if report.Lints < c.least {
			t.Errorf("%s: only %d lints applied", c.kind, report.Lints)
		}
		for _, r := range report.Remarks {
			// Said of every CA that does not sign OCSP answers itself.
			if r.Lint != "n_ca_digital_signature_not_set" || r.Severity != "notice" {
				t.Errorf("%s: %s", c.kind, r)
			}
		}
	}
}

// badRoot is a root as other software makes it: with OU and extended key usage,
// valid for forty years, with the serial number 1.
func badRoot(t *testing.T) []byte {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), NotAfter: time.Date(2066, 11, 24, 9, 0, 0, 0, time.UTC),
		Subject:               pkix.Name{Country: []string{"DE"}, Organization: []string{"Example"}, OrganizationalUnit: []string{"Unit"}, CommonName: "Root"},
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// longCRL is a CRL whose next one comes after more than a year.
func longCRL(t *testing.T) []byte {
	t.Helper()
	key := newKey(t)
	issuer := &x509.Certificate{RawSubject: []byte{0x30, 0}, SubjectKeyId: []byte{1}, KeyUsage: x509.KeyUsageCRLSign}
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: at, NextUpdate: at.AddDate(0, 12, 1)}, issuer, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestStops(t *testing.T) {
	for _, c := range []struct {
		name, kind string
		preview    []byte
		accepted   []pki.AcceptedLint
		want       []string // parts of the error
		not        []string
	}{
		{"root", pki.ObjectRootCA, badRoot(t), nil,
			[]string{"zlint v3.7.3 forbids the signing", "e_subj_orgunit_in_ca_cert", "e_root_ca_extended_key_usage_present"}, nil},
		{"one accepted", pki.ObjectRootCA, badRoot(t), []pki.AcceptedLint{{Lint: "e_subj_orgunit_in_ca_cert", Reason: "an exercise"}},
			[]string{"e_root_ca_extended_key_usage_present"}, []string{"e_subj_orgunit_in_ca_cert"}},
		{"CRL", pki.ObjectCRL, longCRL(t), nil, []string{"e_crl_next_update_invalid"}, nil},
		{"no reason", pki.ObjectRootCA, badRoot(t), []pki.AcceptedLint{{Lint: "e_subj_orgunit_in_ca_cert", Reason: " "}}, []string{"has no reason"}, nil},
		{"no such lint", pki.ObjectRootCA, badRoot(t), []pki.AcceptedLint{{Lint: "e_nothing", Reason: "why not"}}, []string{`"e_nothing" is not one`}, nil},
		{"kind", "leaf", badRoot(t), nil, []string{`unknown kind "leaf"`}, nil},
		{"no certificate", pki.ObjectSubCA, []byte("hello"), nil, []string{"reading the certificate"}, nil},
		{"no CRL", pki.ObjectCRL, []byte("hello"), nil, []string{"reading the CRL"}, nil},
	} {
		_, err := Lint(c.preview, c.kind, c.accepted...)
		if err == nil {
			t.Errorf("%s: nothing stops the signing", c.name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: no %q in %v", c.name, w, err)
			}
		}
		for _, n := range c.not {
			if strings.Contains(err.Error(), n) {
				t.Errorf("%s: %q in %v", c.name, n, err)
			}
		}
	}
}

// TestAccepted shows that an accepted error is in the report with its reason,
// and comes before lesser remarks.
func TestAccepted(t *testing.T) {
	report, err := Lint(badRoot(t), pki.ObjectRootCA, pki.AcceptedLint{Lint: "e_subj_orgunit_in_ca_cert", Reason: "an exercise"})
	if err == nil {
		t.Error("the other errors do not stop")
	}
	if !strings.HasPrefix(report.Lines()[0], Linter+": ") || len(report.Lines()) != len(report.Remarks)+1 {
		t.Errorf("lines %q", report.Lines())
	}
	rank := map[string]int{"fatal": 0, "error": 1, "warning": 2, "notice": 3}
	found := false
	for i, r := range report.Remarks {
		if i > 0 && rank[r.Severity] < rank[report.Remarks[i-1].Severity] {
			t.Errorf("%s stands after %s", r, report.Remarks[i-1])
		}
		if r.Lint == "e_subj_orgunit_in_ca_cert" {
			found = r.Severity == "error" && !r.Stops() && strings.HasSuffix(r.String(), "; accepted: an exercise")
		}
	}
	if !found {
		t.Errorf("the accepted error is not in the report: %q", report.Lines())
	}
}

// TestVersion holds the version that goes into the log against go.mod.
func TestVersion(t *testing.T) {
	mod, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimPrefix(Linter, "zlint ")
	if !strings.Contains(string(mod), "github.com/zmap/zlint/v3 "+version+"\n") {
		t.Errorf("go.mod does not require zlint %s", version)
	}
}
