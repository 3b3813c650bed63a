package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// maxCSR is the most bytes of a certificate request that are looked at.
const maxCSR = 64 << 10

// ParseCSR reads one PKCS #10 certificate request in PEM or DER and checks it.
//
// It is an error if there is not exactly one request, it does not parse, its
// signature by its own key does not hold (no proof of possession, RFC 2986
// section 4.2), is made with SHA-1 or another algorithm outside BR 7.1.3.2, or
// its key is weak ([CheckPublicKey]). The SHA-256 that two people compare is
// Fingerprint(csr.Raw), of the DER.
func ParseCSR(pemOrDER []byte) (*x509.CertificateRequest, error) {
	der, err := csrDER(pemOrDER)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate request: %w", err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate request: it is damaged or none: %w", err)
	}
	if err := CheckPublicKey(csr.PublicKey); err != nil {
		return nil, fmt.Errorf("the certificate request's key: %w", err)
	}
	if err := checkCSRAlgorithm(csr); err != nil {
		return nil, err
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("the certificate request's signature does not hold: no proof that its sender has the private key: %w", err)
	}
	return csr, nil
}

func checkCSRAlgorithm(csr *x509.CertificateRequest) error {
	for _, a := range signatureAlgorithms {
		if a.x509 == csr.SignatureAlgorithm {
			return nil
		}
	}
	return fmt.Errorf("the certificate request is signed with %v: only RSA PKCS #1 v1.5 and ECDSA with SHA-256, SHA-384 or SHA-512 are accepted", csr.SignatureAlgorithm)
}

// csrDER returns the DER of the one request in b.
func csrDER(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, errors.New("the file is empty")
	}
	if len(b) > maxCSR {
		return nil, fmt.Errorf("%d bytes are too many: at most %d", len(b), maxCSR)
	}
	if b[0] == tagSequence {
		return b, nil
	}
	block, rest := pem.Decode(b)
	if block == nil {
		return nil, errors.New("neither PEM nor DER")
	}
	if block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST" {
		return nil, fmt.Errorf("a PEM block %q instead of \"CERTIFICATE REQUEST\"", block.Type)
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("something follows the request in the file: it must hold one request alone")
	}
	return block.Bytes, nil
}
