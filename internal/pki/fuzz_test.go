package pki

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

// seeds adds the objects of testdata, whole, as TBS and cut off.
func seeds(f *testing.F) {
	for _, name := range goldenObjects {
		der, err := os.ReadFile(filepath.Join("testdata", name+".der"))
		if err != nil {
			f.Fatal(err)
		}
		tbs, _, _, err := SplitSigned(der)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
		f.Add(tbs)
		f.Add(der[:len(der)/2])
	}
	f.Add([]byte{0x30, 0x80})
}

// FuzzSplitSigned puts together again what it takes apart, and has the readers
// agree with crypto/x509 wherever both accept the bytes.
func FuzzSplitSigned(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, der []byte) {
		tbs, algorithm, signature, err := SplitSigned(der)
		if err != nil {
			return
		}
		if again := wrap(tagSequence, tbs, algorithm, wrap(tagBitString, []byte{0}, signature)); !bytes.Equal(again, der) {
			t.Fatalf("taken apart and put together it is\n%x, was\n%x", again, der)
		}
		own, ownErr := parseTBSCertificate(tbs)
		lib, libErr := x509.ParseCertificate(der)
		if ownErr != nil || libErr != nil {
			return
		}
		if own.serial.Cmp(lib.SerialNumber) != 0 || !own.notAfter.Equal(lib.NotAfter) || !own.notBefore.Equal(lib.NotBefore) ||
			!bytes.Equal(own.subject, lib.RawSubject) || !bytes.Equal(own.issuer, lib.RawIssuer) ||
			!bytes.Equal(own.spki, lib.RawSubjectPublicKeyInfo) || len(own.extensions) != len(lib.Extensions) || own.version != lib.Version {
			t.Fatalf("read as %+v, crypto/x509 says %+v", own, lib)
		}
	})
}

// FuzzCheckCertificate checks anything as certificate and CRL: findings, never
// a panic; and what has no failed finding has a signature that holds.
func FuzzCheckCertificate(f *testing.F) {
	seeds(f)
	root, err := os.ReadFile(filepath.Join("testdata", "root-p384.der"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		for _, known := range []Known{{}, {Issuer: root}, {Issuer: der}} {
			if f := CheckCertificate(der, known); len(f) == 0 {
				t.Fatal("no findings")
			} else if issuer, err := x509.ParseCertificate(root); err == nil && known.Issuer != nil && len(Failed(f)) == 0 && !bytes.Equal(der, known.Issuer) && VerifySignature(der, issuer.PublicKey) != nil {
				t.Fatal("nothing failed, but the signature does not hold")
			}
			if f := CheckCRL(der, known); len(f) == 0 {
				t.Fatal("no findings")
			}
		}
		text, err := Text(der)
		if again, _ := Text(der); err == nil && (text != again || text == "") {
			t.Fatalf("text %q, then %q", text, again)
		}
	})
}

// FuzzParseCSR reads anything as a request: what it accepts has a key that
// passes.
func FuzzParseCSR(f *testing.F) {
	der := newCSR(f, softKey(f, "P-256", "root"))
	f.Add(der)
	f.Add(inPEM("CERTIFICATE REQUEST", der))
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		csr, err := ParseCSR(b)
		if err != nil {
			return
		}
		if CheckPublicKey(csr.PublicKey) != nil || csr.CheckSignature() != nil {
			t.Fatalf("accepted %x", b)
		}
	})
}
