package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tool runs one of the independent tools, which must be installed.
func tool(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func writePEM(t *testing.T, dir, name, kind string, ders ...[]byte) {
	t.Helper()
	var b bytes.Buffer
	for _, der := range ders {
		if err := pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestChain makes root, sub-CA and CRL with every kind of key and has openssl,
// certtool, crypto/x509 and our own checks agree on them.
func TestChain(t *testing.T) {
	for _, alg := range allAlgorithms {
		t.Run(alg, func(t *testing.T) {
			testChain(t, alg, "P-256")
		})
	}
	t.Run("P-384 over RSA-2048", func(t *testing.T) { testChain(t, "P-384", "RSA-2048") })
}

func testChain(t *testing.T, alg, subAlg string) {
	now := time.Now()
	rootKey, subKey := softKey(t, alg, "root"), softKey(t, subAlg, "sub")
	root := makeRoot(t, rootKey, now)
	sub := makeSub(t, root, rootKey, subKey.Public(), now)
	crl := makeCRL(t, root, rootKey, 1, now)
	later := makeCRL(t, root, rootKey, 2, now, Revoked{sub.cert.SerialNumber, now, "cessationOfOperation"})

	rp, sp, cp := rootProfile(), subProfile(), crlProfile()
	mustPass(t, CheckCertificate(root.der, Known{SubjectKey: rootKey.Public(), Random: randomBytes(200), Signed: now, Profile: &rp}))
	mustPass(t, CheckCertificate(sub.der, Known{Issuer: root.der, SubjectKey: subKey.Public(), Random: randomBytes(3), Signed: now, Profile: &sp}))
	mustPass(t, CheckCRL(crl.der, Known{Issuer: root.der, Signed: now, Profile: &cp}))
	mustPass(t, CheckCRL(later.der, Known{Issuer: root.der, Signed: now, Profile: &cp, Previous: crl.der}))
	if err := sub.cert.CheckSignatureFrom(root.cert); err != nil {
		t.Error(err)
	}

	dir := t.TempDir()
	writePEM(t, dir, "root.pem", "CERTIFICATE", root.der)
	writePEM(t, dir, "sub.pem", "CERTIFICATE", sub.der)
	writePEM(t, dir, "chain.pem", "CERTIFICATE", sub.der, root.der)
	writePEM(t, dir, "root.crl.pem", "X509 CRL", crl.der)
	writePEM(t, dir, "later.crl.pem", "X509 CRL", later.der)
	tool(t, dir, "openssl", "verify", "-x509_strict", "-check_ss_sig", "-CAfile", "root.pem", "root.pem", "sub.pem")
	tool(t, dir, "openssl", "verify", "-x509_strict", "-crl_check", "-CAfile", "root.pem", "-CRLfile", "root.crl.pem", "sub.pem")
	tool(t, dir, "openssl", "crl", "-CAfile", "root.pem", "-in", "root.crl.pem", "-noout")
	if out := tool(t, dir, "openssl", "crl", "-CAfile", "root.pem", "-in", "later.crl.pem", "-noout"); !strings.Contains(out, "verify OK") {
		t.Errorf("openssl crl: %s", out)
	}
	tool(t, dir, "certtool", "--verify-chain", "--infile", "chain.pem")
	tool(t, dir, "certtool", "--verify-crl", "--load-ca-certificate", "root.pem", "--infile", "root.crl.pem")
	revoked, err := exec.Command("openssl", "verify", "-crl_check", "-CAfile", filepath.Join(dir, "root.pem"), "-CRLfile", filepath.Join(dir, "later.crl.pem"), filepath.Join(dir, "sub.pem")).CombinedOutput()
	if err == nil || !bytes.Contains(revoked, []byte("revoked")) {
		t.Errorf("openssl does not see that the sub-CA is revoked: %s", revoked)
	}
}

// TestTextAgreesWithOpenSSL compares what our text says of a certificate with
// what openssl says.
func TestTextAgreesWithOpenSSL(t *testing.T) {
	rootKey := softKey(t, "P-384", "root")
	root := makeRoot(t, rootKey, time.Now())
	sub := makeSub(t, root, rootKey, softKey(t, "P-256", "sub").Public(), time.Now())
	dir := t.TempDir()
	writePEM(t, dir, "sub.pem", "CERTIFICATE", sub.der)
	text, err := Text(sub.der)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-subject"}, {"-issuer"}} {
		out := tool(t, dir, "openssl", append([]string{"x509", "-in", "sub.pem", "-noout", "-nameopt", "utf8,sep_comma_plus_space,sname"}, args...)...)
		_, want, _ := strings.Cut(strings.TrimSpace(out), "=")
		if !strings.Contains(text, ": "+want+"\n") {
			t.Errorf("our text has no %q:\n%s", want, text)
		}
	}
	out := tool(t, dir, "openssl", "x509", "-in", "sub.pem", "-noout", "-serial", "-fingerprint", "-sha256", "-ext", "subjectKeyIdentifier,authorityKeyIdentifier")
	for _, line := range strings.Split(strings.ReplaceAll(out, ":", ""), "\n") {
		line = strings.TrimSpace(line)
		if _, v, ok := strings.Cut(line, "="); ok {
			line = v
		}
		if len(line) >= 32 && !strings.ContainsAny(line, " ") && !strings.Contains(text, line) {
			t.Errorf("our text lacks %q of openssl:\n%s", line, text)
		}
	}
	for _, want := range []string{"Łukasz 山田 Root Ελένη", "Beispiel & Söhne", "Public key: P-256", "URL: http://crl.example.org/root.crl"} {
		if !strings.Contains(text, want) {
			t.Errorf("our text lacks %q:\n%s", want, text)
		}
	}
}

// TestOpenSSLFields looks at the fields as openssl shows them.
func TestOpenSSLFields(t *testing.T) {
	rootKey := softKey(t, "P-384", "root")
	root := makeRoot(t, rootKey, start)
	sub := makeSub(t, root, rootKey, softKey(t, "P-256", "sub").Public(), start)
	crl := makeCRL(t, root, rootKey, 7, start, Revoked{big.NewInt(1 << 62), start, "superseded"})
	dir := t.TempDir()
	writePEM(t, dir, "root.pem", "CERTIFICATE", root.der)
	writePEM(t, dir, "sub.pem", "CERTIFICATE", sub.der)
	writePEM(t, dir, "crl.pem", "X509 CRL", crl.der)
	for _, c := range []struct {
		args []string
		want []string
		not  []string
	}{
		{[]string{"x509", "-in", "root.pem", "-noout", "-text"}, []string{
			"Version: 3", "ecdsa-with-SHA384", "Not Before: Nov 24 09:00:00 2026 GMT", "Not After : Nov 24 08:59:59 2036 GMT",
			"X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n",
			"X509v3 Basic Constraints: critical\n                CA:TRUE\n", "X509v3 Subject Key Identifier",
		}, []string{"Extended", "Policies", "Distribution", "Authority Information", "OU"}},
		{[]string{"x509", "-in", "sub.pem", "-noout", "-text"}, []string{
			"CA:TRUE, pathlen:0", "TLS Web Server Authentication", "CA Issuers - URI:http://ca.example.org/root.cer",
			"URI:http://crl.example.org/root.crl", "Policy: 2.23.140.1.2.1",
			"Subject: C = DE, ST = Bayern, L = Hof, O = Example, CN = Example TLS CA 1",
		}, []string{"OCSP"}},
		{[]string{"crl", "-in", "crl.pem", "-noout", "-text"}, []string{
			"Version 2", "Last Update: Nov 24 09:00:00 2026 GMT", "Next Update: May 24 08:59:59 2027 GMT",
			"X509v3 CRL Number: \n                7\n", "Serial Number: 4000000000000000", "Superseded", "X509v3 Authority Key Identifier",
		}, []string{"Hold"}},
	} {
		out := tool(t, dir, "openssl", c.args...)
		for _, w := range c.want {
			if !strings.Contains(out, w) {
				t.Errorf("openssl %s: no %q in\n%s", c.args, w, out)
			}
		}
		for _, n := range c.not {
			if strings.Contains(out, n) {
				t.Errorf("openssl %s: %q in\n%s", c.args, n, out)
			}
		}
	}
}

// TestPreview shows that the preview holds the very bytes that are signed.
func TestPreview(t *testing.T) {
	key := softKey(t, "RSA-3072", "root")
	root := makeRoot(t, key, start)
	preview, err := x509.ParseCertificate(root.tbs.Preview)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(preview.RawTBSCertificate, root.cert.RawTBSCertificate) || !bytes.Equal(root.tbs.DER, root.cert.RawTBSCertificate) {
		t.Error("preview, TBS and certificate hold different bytes")
	}
	if bytes.Equal(preview.Signature, root.cert.Signature) {
		t.Error("the preview has the real signature")
	}
	if err := VerifySignature(root.tbs.Preview, key.Public()); err == nil {
		t.Error("the preview passes for the real thing")
	}
}
