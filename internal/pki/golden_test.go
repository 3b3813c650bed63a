package pki

import (
	"bytes"
	"crypto/x509"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the texts in testdata again; with new keys those that are missing")

// goldenObjects are in testdata as DER, and as text once signed and once not.
var goldenObjects = []string{"root-p384", "sub-p256", "crl-p384", "root-rsa2048"}

func goldenFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goldenRevoked is what the CRL in testdata revokes.
func goldenRevoked() []Revoked {
	return []Revoked{
		{unhexInt("7A3F00000000000000000000000000C1"), start.AddDate(0, -1, 0), "keyCompromise"},
		{unhexInt("41F0000000000000000000000000AB01"), start.AddDate(0, 0, -3), "superseded"},
	}
}

func unhexInt(s string) *big.Int { return new(big.Int).SetBytes(unhex(strings.ToLower(s))) }

// makeGolden makes the DER files of testdata with new keys.
func makeGolden(t *testing.T) {
	t.Helper()
	key := softKey(t, "P-384", "golden")
	root := makeRoot(t, key, start)
	files := map[string][]byte{
		"root-p384":    root.der,
		"sub-p256":     makeSub(t, root, key, softKey(t, "P-256", "golden").Public(), start).der,
		"crl-p384":     makeCRL(t, root, key, 17, start, goldenRevoked()...).der,
		"root-rsa2048": makeRoot(t, softKey(t, "RSA-2048", "golden"), start).der,
	}
	for name, der := range files {
		if err := os.WriteFile(filepath.Join("testdata", name+".der"), der, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestText compares texts with those in testdata.
func TestText(t *testing.T) {
	if _, err := os.Stat(filepath.Join("testdata", "root-p384.der")); *update && err != nil {
		makeGolden(t)
	}
	for _, name := range goldenObjects {
		der := goldenFile(t, name+".der")
		tbs, _, _, err := SplitSigned(der)
		if err != nil {
			t.Fatal(err)
		}
		for file, b := range map[string][]byte{name + ".txt": der, name + "-tbs.txt": tbs} {
			got, err := Text(b)
			if err != nil {
				t.Errorf("%s: %v", file, err)
			}
			if *update {
				if err := os.WriteFile(filepath.Join("testdata", file), []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(goldenFile(t, file)); got != want {
				t.Errorf("%s:\n%s\nwant:\n%s", file, got, want)
			}
			for _, line := range strings.Split(got, "\n") {
				if utf8.RuneCountInString(line) > 90 {
					t.Errorf("%s: long line %q", file, line)
				}
			}
		}
	}
}

// TestGoldenTBS builds the objects of testdata again from their public keys:
// the bytes to be signed are the same to the last.
func TestGoldenTBS(t *testing.T) {
	cert := func(name string) *x509.Certificate {
		c, err := x509.ParseCertificate(goldenFile(t, name+".der"))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	root, sub, rsaRoot := cert("root-p384"), cert("sub-p256"), cert("root-rsa2048")
	built := map[string]func() (*TBS, error){
		"root-p384": func() (*TBS, error) {
			return NewCertificate(CertificateRequest{Profile: rootProfile(), SubjectKey: root.PublicKey, IssuerKey: root.PublicKey, Serial: randomBytes(200), NotBefore: start})
		},
		"root-rsa2048": func() (*TBS, error) {
			return NewCertificate(CertificateRequest{Profile: rootProfile(), SubjectKey: rsaRoot.PublicKey, IssuerKey: rsaRoot.PublicKey, Serial: randomBytes(200), NotBefore: start})
		},
		"sub-p256": func() (*TBS, error) {
			return NewCertificate(CertificateRequest{Profile: subProfile(), SubjectKey: sub.PublicKey, Issuer: root, IssuerKey: root.PublicKey, Serial: randomBytes(3), NotBefore: start})
		},
		"crl-p384": func() (*TBS, error) {
			return NewCRL(CRLRequest{Profile: crlProfile(), Issuer: root, IssuerKey: root.PublicKey, Number: big.NewInt(17), ThisUpdate: start, Revoked: goldenRevoked()})
		},
	}
	for _, name := range goldenObjects {
		tbs, err := built[name]()
		if err != nil {
			t.Fatal(err)
		}
		want, _, _, err := SplitSigned(goldenFile(t, name+".der"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(tbs.DER, want) {
			t.Errorf("%s: built\n%x\nwant\n%x", name, tbs.DER, want)
		}
	}
	mustPass(t, CheckCertificate(root.Raw, Known{Signed: start}))
	mustPass(t, CheckCertificate(sub.Raw, Known{Issuer: root.Raw, Signed: start}))
	mustPass(t, CheckCRL(goldenFile(t, "crl-p384.der"), Known{Issuer: root.Raw, Signed: start}))
}

func TestTextRefuses(t *testing.T) {
	for _, b := range [][]byte{nil, []byte("hello, world"), {0x30, 0}, goldenFile(t, "root-p384.der")[:100]} {
		if s, err := Text(b); err == nil {
			t.Errorf("%x gives %q", b, s)
		}
	}
}

// TestTextOfOddities shows what is not of our making: unknown extensions,
// malformed ones, no next update, OCSP.
func TestTextOfOddities(t *testing.T) {
	root, err := x509.ParseCertificate(goldenFile(t, "root-p384.der"))
	if err != nil {
		t.Fatal(err)
	}
	der := built(t, root, nil, "P-256", "P-256", func(c *x509.Certificate) {
		c.OCSPServer, c.IsCA, c.MaxPathLen = []string{"http://ocsp.example.org/\u202e"}, false, 0
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny, x509.ExtKeyUsageOCSPSigning, x509.ExtKeyUsageIPSECUser}
		c.ExtraExtensions = append(c.ExtraExtensions, rawExtension("1.2.3.4", true, []byte{1, 2, 3}), rawExtension(oidKeyUsage, false, []byte{5, 0}))
	})
	text, err := Text(der)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  Extension 1.2.3.4, critical\n    DER:\n      010203\n", "  Key usage\n    DER:\n      0500\n", "    CA: no\n",
		"    Usage: anyExtendedKeyUsage\n    Usage: OCSPSigning\n    Usage: 1.3.6.1.5.5.7.3.7\n", `Access: OCSP at http://ocsp.example.org/\u{202E}`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
