package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
)

// A detached signature over a file is made with SHA-256 whatever the key, so
// that the number that people compare is the one that is signed. It is what
//
//	openssl dgst -sha256 -verify key.pub.pem -signature FILE.sig FILE
//
// takes: the DER of Ecdsa-Sig-Value (RFC 3279 section 2.2.3), or an RSA PKCS #1
// v1.5 signature (RFC 8017 section 8.2).

// DetachedInput returns the mechanism with which a key signs a file, and what
// C_Sign gets: the SHA-256, for RSA in a DigestInfo. A key that is neither RSA
// nor on a known curve is an error.
func DetachedInput(file []byte, pub crypto.PublicKey) (mechanism string, input []byte, err error) {
	mechanism = MechanismRSA
	if _, ok := pub.(*ecdsa.PublicKey); ok {
		mechanism = MechanismECDSA
	}
	if AlgorithmOf(pub) == "unknown" {
		return "", nil, errors.New("the key is neither RSA nor on a curve that is known here")
	}
	for i := range signatureAlgorithms {
		if a := &signatureAlgorithms[i]; a.hash == crypto.SHA256 && a.mechanism == mechanism {
			return mechanism, a.input(file), nil
		}
	}
	panic("pki: no algorithm with SHA-256 for " + mechanism)
}

// DetachedSignature turns what a token gave into the bytes of the signature's
// file. The error says that it is none of that key's form.
func DetachedSignature(signature []byte, pub crypto.PublicKey) ([]byte, error) {
	if k, ok := pub.(*rsa.PublicKey); ok && len(signature) != k.Size() {
		return nil, fmt.Errorf("the token's signature has %d bytes, one of %s has %d", len(signature), AlgorithmOf(pub), k.Size())
	}
	return signatureValue(signature, pub)
}

// VerifyDetached reports an error if a signature's file is not the key's over
// the file.
func VerifyDetached(file, signature []byte, pub crypto.PublicKey) error {
	digest := sha256.Sum256(file)
	switch key := pub.(type) {
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(key, digest[:], signature) {
			return nil
		}
	case *rsa.PublicKey:
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil {
			return nil
		}
	}
	return errors.New("the signature is not one of the key over the SHA-256 of this file")
}

// OneSequence reports whether a file is from its first byte to its last one
// ASN.1 SEQUENCE, in DER or BER. Certificates, lists, requests, OCSP answers and
// time-stamps are, also before they are signed: whoever signs such a file as if it
// were a document issues what it says.
func OneSequence(b []byte) bool {
	if len(b) < 2 || b[0] != tagSequence {
		return false
	}
	if b[1] < 0x80 {
		return len(b) == 2+int(b[1])
	}
	count := int(b[1] & 0x7f)
	if count == 0 {
		return true // of indefinite length
	}
	if count > 8 || len(b) < 2+count {
		return false
	}
	n := uint64(0)
	for _, c := range b[2 : 2+count] {
		n = n<<8 | uint64(c)
	}
	return n == uint64(len(b)-2-count)
}
