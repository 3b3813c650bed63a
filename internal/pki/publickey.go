package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Fingerprint returns the SHA-256 of DER bytes as 64 upper-case hex digits
// without separators, the form in which fingerprints are published (BR 8.6).
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// SPKISHA256 returns a public key's SubjectPublicKeyInfo in DER and the
// SHA-256 of it as 64 lower-case hex digits, the form of the log. A key that
// is neither RSA nor ECDSA on a named curve is an error.
func SPKISHA256(pub crypto.PublicKey) (der []byte, hexSum string, err error) {
	if der, err = x509.MarshalPKIXPublicKey(pub); err != nil {
		return nil, "", fmt.Errorf("encoding the public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return der, hex.EncodeToString(sum[:]), nil
}

// PublicKeyFromPKCS11 makes a public key from the raw attribute values of a
// public-key object: CKA_EC_POINT and CKA_EC_PARAMS of a CKK_EC key, or
// CKA_MODULUS and CKA_PUBLIC_EXPONENT (big-endian) of a CKK_RSA key; the other
// two are nil.
//
// CKA_EC_PARAMS is the DER of a namedCurve. CKA_EC_POINT is the uncompressed
// point, either in a DER OCTET STRING (PKCS #11 v2.40 section 2.3.3) or bare,
// as some tokens give it. A point that is not on its curve, an unknown curve
// and an exponent over 31 bits are errors; a weak key is not: [CheckPublicKey]
// finds those.
func PublicKeyFromPKCS11(ecPoint, ecParams, modulus, exponent []byte) (crypto.PublicKey, error) {
	ec, rsaKey := len(ecPoint) > 0 && len(ecParams) > 0, len(modulus) > 0 && len(exponent) > 0
	switch {
	case ec && len(modulus) == 0 && len(exponent) == 0:
		return ecPublicKey(ecPoint, ecParams)
	case rsaKey && len(ecPoint) == 0 && len(ecParams) == 0:
		return rsaPublicKey(modulus, exponent)
	}
	return nil, errors.New("making a public key: need either CKA_EC_POINT and CKA_EC_PARAMS or CKA_MODULUS and CKA_PUBLIC_EXPONENT")
}

func ecPublicKey(point, params []byte) (crypto.PublicKey, error) {
	for _, c := range curves {
		if !bytes.Equal(params, unhex(c.params)) {
			continue
		}
		size := 1 + 2*((c.curve.Params().BitSize+7)/8)
		if len(point) != size {
			e, rest, err := next(point)
			if err != nil || e.tag != tagOctetString || len(rest) > 0 || len(e.content) != size {
				return nil, fmt.Errorf("reading CKA_EC_POINT %x: neither an uncompressed %s point nor an OCTET STRING with one", point, c.name)
			}
			point = e.content
		}
		pub, err := ecdsa.ParseUncompressedPublicKey(c.curve, point)
		if err != nil {
			return nil, fmt.Errorf("reading CKA_EC_POINT: the point is not on %s", c.name)
		}
		return pub, nil
	}
	return nil, fmt.Errorf("reading CKA_EC_PARAMS: %x is not the name of P-256, P-384 or P-521", params)
}

func rsaPublicKey(modulus, exponent []byte) (crypto.PublicKey, error) {
	n, e := new(big.Int).SetBytes(modulus), new(big.Int).SetBytes(exponent)
	if e.BitLen() > 31 {
		return nil, fmt.Errorf("reading CKA_PUBLIC_EXPONENT: %v has more than 31 bits", e)
	}
	if n.Sign() == 0 || e.Sign() == 0 {
		return nil, errors.New("reading CKA_MODULUS and CKA_PUBLIC_EXPONENT: one of them is zero")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}
