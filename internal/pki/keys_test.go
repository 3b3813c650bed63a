package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"sync"
	"testing"
	"time"
)

// allAlgorithms are the kinds of key that a script can ask for.
var allAlgorithms = []string{"RSA-2048", "RSA-3072", "RSA-4096", "P-256", "P-384", "P-521"}

var (
	keyLock  sync.Mutex
	keyCache = map[string]crypto.Signer{}
)

// softKey returns a software key, the same for the same algorithm and name.
func softKey(t testing.TB, algorithm, name string) crypto.Signer {
	t.Helper()
	keyLock.Lock()
	defer keyLock.Unlock()
	if k := keyCache[algorithm+name]; k != nil {
		return k
	}
	a, err := ParseAlgorithm(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	var k crypto.Signer
	if a.Curve != nil {
		k, err = ecdsa.GenerateKey(a.Curve, rand.Reader)
	} else {
		k, err = rsa.GenerateKey(rand.Reader, a.RSABits)
	}
	if err != nil {
		t.Fatal(err)
	}
	keyCache[algorithm+name] = k
	return k
}

// asToken signs as a token does with CKM_ECDSA and CKM_RSA_PKCS: what it is
// given is neither hashed nor wrapped again.
func asToken(key crypto.Signer) func([]byte) ([]byte, error) {
	return func(input []byte) ([]byte, error) {
		switch k := key.(type) {
		case *rsa.PrivateKey:
			return rsa.SignPKCS1v15(nil, k, 0, input)
		case *ecdsa.PrivateKey:
			r, s, err := ecdsa.Sign(rand.Reader, k, input)
			if err != nil {
				return nil, err
			}
			size := (k.Params().N.BitLen() + 7) / 8
			b := make([]byte, 2*size)
			r.FillBytes(b[:size])
			s.FillBytes(b[size:])
			return b, nil
		}
		panic("no such key")
	}
}

var start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func rootProfile() Profile {
	return Profile{
		Name: "root", Object: ObjectRootCA, Validity: "10y",
		KeyUsage: []string{"keyCertSign", "cRLSign"},
		Subject:  Subject{Country: "DE", Organisation: "Beispiel & Söhne", CommonName: "Łukasz 山田 Root Ελένη"},
	}
}

func subProfile() Profile {
	return Profile{
		Name: "sub", Object: ObjectSubCA, Validity: "5y", PathLength: "0",
		KeyUsage:    []string{"keyCertSign", "cRLSign"},
		ExtKeyUsage: []string{"serverAuth"}, Policies: []string{"2.23.140.1.2.1"},
		CRLURL: "http://crl.example.org/root.crl", CAIssuersURL: "http://ca.example.org/root.cer",
		Subject: Subject{Country: "DE", State: "Bayern", Locality: "Hof", Organisation: "Example", CommonName: "Example TLS CA 1"},
	}
}

func crlProfile() Profile {
	return Profile{Name: "crl", Object: ObjectCRL, NextUpdate: "6m"}
}

func randomBytes(seed byte) []byte {
	b := make([]byte, SerialRandomSize)
	for i := range b {
		b[i] = seed + byte(i)*37
	}
	return b
}

// made is a TBS with what it became.
type made struct {
	tbs  *TBS
	der  []byte
	cert *x509.Certificate
}

func finish(t testing.TB, tbs *TBS, err error, key crypto.Signer) made {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	der, err := tbs.Sign(asToken(key))
	if err != nil {
		t.Fatal(err)
	}
	m := made{tbs: tbs, der: der}
	if tbs.Object == ObjectCertificate {
		if m.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func makeRoot(t testing.TB, key crypto.Signer, at time.Time) made {
	t.Helper()
	tbs, err := NewCertificate(CertificateRequest{
		Profile: rootProfile(), SubjectKey: key.Public(), IssuerKey: key.Public(), Serial: randomBytes(200), NotBefore: at,
	})
	return finish(t, tbs, err, key)
}

func makeSub(t testing.TB, root made, rootKey crypto.Signer, sub crypto.PublicKey, at time.Time) made {
	t.Helper()
	tbs, err := NewCertificate(CertificateRequest{
		Profile: subProfile(), SubjectKey: sub, Issuer: root.cert, IssuerKey: rootKey.Public(), Serial: randomBytes(3), NotBefore: at,
	})
	return finish(t, tbs, err, rootKey)
}

func makeCRL(t testing.TB, root made, rootKey crypto.Signer, number int64, at time.Time, revoked ...Revoked) made {
	t.Helper()
	tbs, err := NewCRL(CRLRequest{
		Profile: crlProfile(), Issuer: root.cert, IssuerKey: rootKey.Public(), Number: big.NewInt(number), ThisUpdate: at, Revoked: revoked,
	})
	return finish(t, tbs, err, rootKey)
}

// mustPass fails the test for every finding that failed.
func mustPass(t testing.TB, findings []Finding) {
	t.Helper()
	if len(findings) < 10 {
		t.Errorf("only %d findings", len(findings))
	}
	for _, f := range Failed(findings) {
		t.Errorf("%s %s: %s", f.Number, f.Field, f.What)
	}
}

// mustFail fails the test unless the field is among those that failed.
func mustFail(t testing.TB, findings []Finding, field string) {
	t.Helper()
	for _, f := range Failed(findings) {
		if f.Field == field {
			return
		}
	}
	t.Errorf("%q did not fail; failed: %v", field, Failed(findings))
}

// resign replaces a certificate's or CRL's TBS and signs it again, as somebody
// would who has the key and other software.
func resign(t testing.TB, der []byte, key crypto.Signer, change func(tbs []byte) []byte) []byte {
	t.Helper()
	tbs, _, _, err := SplitSigned(der)
	if err != nil {
		t.Fatal(err)
	}
	tbs = change(bytes.Clone(tbs))
	p, err := parseTBS(tbs)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := asToken(key)(p.algorithm.input(tbs))
	if err != nil {
		t.Fatal(err)
	}
	value, err := signatureValue(signature, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return wrap(tagSequence, tbs, unhex(p.algorithm.der), wrap(tagBitString, []byte{0}, value))
}
