package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// raw signs what C_Sign gets, as a token does.
func raw(t *testing.T, key crypto.Signer, input []byte) []byte {
	t.Helper()
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, input)
		if err != nil {
			t.Fatal(err)
		}
		size := (k.Params().N.BitLen() + 7) / 8
		b := make([]byte, 2*size)
		r.FillBytes(b[:size])
		s.FillBytes(b[size:])
		return b
	case *rsa.PrivateKey:
		b, err := rsa.SignPKCS1v15(nil, k, crypto.Hash(0), input)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Fatal("key")
	return nil
}

// TestDetached signs a file with each kind of key; openssl takes it, and no
// other file, signature or key.
func TestDetached(t *testing.T) {
	file := []byte("firmware 1.2.3\n")
	keys := map[string]crypto.Signer{}
	for name, c := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = k
	}
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys["RSA-2048"] = k
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range keys {
		t.Run(name, func(t *testing.T) {
			_, input, err := DetachedInput(file, key.Public())
			if err != nil {
				t.Fatal(err)
			}
			given := raw(t, key, input)
			value, err := DetachedSignature(given, key.Public())
			if err != nil {
				t.Fatal(err)
			}
			if err := VerifyDetached(file, value, key.Public()); err != nil {
				t.Error(err)
			}
			if VerifyDetached(append(file, 'x'), value, key.Public()) == nil || VerifyDetached(file, value, other.Public()) == nil || VerifyDetached(file, value[1:], key.Public()) == nil {
				t.Error("something else verifies")
			}
			if _, err := DetachedSignature(given[1:], key.Public()); err == nil {
				t.Error("a signature of another size is taken")
			}
			openssl(t, file, value, key.Public())
		})
	}
	if _, _, err := DetachedInput(file, nil); err == nil {
		t.Error("no key signs")
	}
}

func openssl(t *testing.T, file, value []byte, pub crypto.PublicKey) {
	t.Helper()
	dir := t.TempDir()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"f": file, "f.sig": value, "k.pem": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("openssl", "dgst", "-sha256", "-verify", "k.pem", "-signature", "f.sig", "f")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("openssl: %v: %s", err, out)
	}
}

func TestOneSequence(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	for name, c := range map[string]struct {
		b    []byte
		want bool
	}{
		"certificate": {der, true}, "to be signed": {cert.RawTBSCertificate, true}, "empty sequence": {[]byte{0x30, 0}, true},
		"indefinite": {[]byte{0x30, 0x80, 0, 0}, true}, "long form": {append([]byte{0x30, 0x82, 0, 1}, 5), true},
		"more behind it": {append(append([]byte{}, der...), 'x'), false}, "cut": {der[:len(der)-1], false},
		"text": {[]byte("0 is a digit"), false}, "nothing": {nil, false}, "one byte": {[]byte{0x30}, false}, "digest": {append([]byte{0x31}, sum[:]...), false},
		"too long a length": {[]byte{0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1}, false},
	} {
		if OneSequence(c.b) != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
	}
}
