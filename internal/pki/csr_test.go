package pki

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newCSR returns a request in DER.
func newCSR(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "山田 CA"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func inPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestParseCSR(t *testing.T) {
	for _, alg := range allAlgorithms {
		key := softKey(t, alg, "root")
		der := newCSR(t, key)
		for _, b := range [][]byte{der, inPEM("CERTIFICATE REQUEST", der), append([]byte("made by somebody\n"), inPEM("NEW CERTIFICATE REQUEST", der)...), append(inPEM("CERTIFICATE REQUEST", der), " \n\n"...)} {
			csr, err := ParseCSR(b)
			if err != nil || !sameKey(csr.PublicKey, key.Public()) || !bytes.Equal(csr.Raw, der) || csr.Subject.CommonName != "山田 CA" {
				t.Errorf("%s: %v, %v", alg, csr, err)
			}
		}
	}
}

// TestParseCSRFromOpenSSL reads what openssl makes.
func TestParseCSRFromOpenSSL(t *testing.T) {
	dir := t.TempDir()
	tool(t, dir, "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout", "key.pem", "-out", "csr.pem", "-utf8", "-subj", "/C=DE/O=Example/CN=Ełk")
	b, err := os.ReadFile(filepath.Join(dir, "csr.pem"))
	if err != nil {
		t.Fatal(err)
	}
	csr, err := ParseCSR(b)
	if err != nil || csr.Subject.CommonName != "Ełk" {
		t.Errorf("%v, %v", csr, err)
	}
}

func TestParseCSRRefuses(t *testing.T) {
	good := newCSR(t, softKey(t, "P-256", "root"))
	forged := bytes.Clone(good)
	forged[len(forged)-1] ^= 1
	renamed := bytes.Replace(good, []byte("山田"), []byte("山川"), 1)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	pss, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{SignatureAlgorithm: x509.SHA256WithRSAPSS}, softKey(t, "RSA-2048", "root"))
	if err != nil {
		t.Fatal(err)
	}
	sha1 := bytes.ReplaceAll(newCSR(t, softKey(t, "RSA-2048", "root")), unhex("06092a864886f70d01010b"), unhex("06092a864886f70d010105"))
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "is empty"},
		{"text", []byte("hello"), "neither PEM nor DER"},
		{"large", make([]byte, maxCSR+1), "too many"},
		{"certificate", inPEM("CERTIFICATE", good), `a PEM block "CERTIFICATE" instead`},
		{"private key", inPEM("EC PRIVATE KEY", good), `a PEM block "EC PRIVATE KEY" instead`},
		{"two", append(inPEM("CERTIFICATE REQUEST", good), inPEM("CERTIFICATE REQUEST", good)...), "something follows"},
		{"trailing DER", append(bytes.Clone(good), 0), "damaged or none"},
		{"cut off", good[:50], "damaged or none"},
		{"forged signature", forged, "no proof"},
		{"other subject", renamed, "no proof"},
		{"Ed25519", newCSR(t, ed), "neither RSA nor ECDSA"},
		{"RSA-1024", newCSR(t, short), "too short"},
		{"PSS", pss, "is signed with SHA256-RSAPSS"},
		{"SHA-1", sha1, "is signed with SHA1-RSA"},
	} {
		if csr, err := ParseCSR(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want %q", c.name, csr, err, c.want)
		}
	}
}
