// Package tsatest makes time-stamps with the openssl program, for tests alone.
package tsatest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An Authority gives time-stamps. It lives as long as the test.
type Authority struct {
	CA  []byte // certificate of the CA, PEM
	t   testing.TB
	dir string
}

// config is for "openssl ts" and the certificates.
const config = `
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[tsa]
keyUsage = critical,digitalSignature
extendedKeyUsage = USAGE
[ts]
default_tsa = default
[default]
serial = SERIAL
crypto_device = builtin
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = ESSALG
`

// New makes a CA and an authority under it. usage is the certificate's extended
// key usage, "critical,timeStamping" as it should be; key is the algorithm,
// "EC" or "RSA"; ess is the digest that names the certificate, "sha1" or
// "sha256".
func New(t testing.TB, usage, key, ess string) *Authority {
	t.Helper()
	a := &Authority{t: t, dir: t.TempDir()}
	a.write("ts.cnf", strings.NewReplacer("USAGE", usage, "SERIAL", "serial", "ESSALG", ess).Replace(config))
	a.write("serial", "01\n")
	algorithm := map[string][]string{"EC": {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"}, "RSA": {"-newkey", "rsa:2048"}}[key]
	a.openssl(append([]string{"req", "-x509", "-config", "ts.cnf", "-extensions", "ca", "-noenc", "-days", "3650", "-subj", "/CN=Example TSA CA", "-keyout", "ca.key", "-out", "ca.pem"}, algorithm...)...)
	a.openssl(append([]string{"req", "-config", "ts.cnf", "-noenc", "-subj", "/CN=Example TSA", "-keyout", "tsa.key", "-out", "tsa.csr"}, algorithm...)...)
	a.openssl("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "7", "-days", "3650", "-extfile", "ts.cnf", "-extensions", "tsa", "-out", "tsa.pem")
	a.CA = a.read("ca.pem")
	return a
}

// Stamp answers a request, TimeStampReq in DER, with a TimeStampResp.
func (a *Authority) Stamp(request []byte) []byte {
	a.t.Helper()
	a.write("req.tsq", string(request))
	a.openssl("ts", "-reply", "-config", "ts.cnf", "-section", "default", "-queryfile", "req.tsq", "-out", "resp.tsr")
	return a.read("resp.tsr")
}

// Request makes a request with openssl, digest being "-sha256" and the like.
func (a *Authority) Request(msg []byte, digest string, more ...string) []byte {
	a.t.Helper()
	a.write("msg", string(msg))
	a.openssl(append([]string{"ts", "-query", "-data", "msg", digest, "-out", "req.tsq"}, more...)...)
	return a.read("req.tsq")
}

// Verify lets openssl check a response.
func (a *Authority) Verify(msg, response []byte) {
	a.t.Helper()
	a.write("msg", string(msg))
	a.write("resp.tsr", string(response))
	a.openssl("ts", "-verify", "-data", "msg", "-in", "resp.tsr", "-CAfile", "ca.pem")
}

func (a *Authority) openssl(args ...string) {
	a.t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Dir = a.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		a.t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (a *Authority) write(name, content string) {
	a.t.Helper()
	if err := os.WriteFile(filepath.Join(a.dir, name), []byte(content), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func (a *Authority) read(name string) []byte {
	a.t.Helper()
	b, err := os.ReadFile(filepath.Join(a.dir, name))
	if err != nil {
		a.t.Fatal(err)
	}
	return b
}
