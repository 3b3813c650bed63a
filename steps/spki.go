package steps

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/token"
)

// publicKey makes a public key of the attributes a token gave.
func publicKey(attrs []token.Attribute) (crypto.PublicKey, error) {
	get := func(typ uint) ([]byte, error) {
		a, ok := token.Lookup(attrs, typ)
		if !ok {
			return nil, nil
		}
		return a.Value, a.Err
	}
	point, err1 := get(token.CKA_EC_POINT)
	params, err2 := get(token.CKA_EC_PARAMS)
	modulus, err3 := get(token.CKA_MODULUS)
	exponent, err4 := get(token.CKA_PUBLIC_EXPONENT)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, fmt.Errorf("the token does not tell its public key: %w", err)
	}
	return pki.PublicKeyFromPKCS11(point, params, modulus, exponent)
}

func spkiBytes(k *audit.Key) ([]byte, error) {
	der, err := hex.DecodeString(k.SPKI)
	if err != nil {
		return nil, fmt.Errorf("public key of %q in the log: %w", k.Name, err)
	}
	return der, nil
}

func parseSPKI(k *audit.Key) (crypto.PublicKey, error) {
	der, err := spkiBytes(k)
	if err != nil {
		return nil, err
	}
	pub, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("public key of %q: %w", k.Name, err)
	}
	return pub, nil
}

func publicPEM(k *audit.Key) ([]byte, error) {
	der, err := spkiBytes(k)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
}

func spkiWords(k *audit.Key) string {
	b, err := hex.DecodeString(k.SPKISHA256)
	if err != nil {
		return ""
	}
	return strings.Join(audit.Words(b), " ")
}
