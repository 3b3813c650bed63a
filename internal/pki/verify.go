package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
)

// SplitSigned takes a certificate or CRL apart: the bytes that are signed, the
// AlgorithmIdentifier outside of them, both whole, and the signature's bytes.
// Anything that is not DER of exactly
//
//	SEQUENCE { SEQUENCE tbs, SEQUENCE algorithm, BIT STRING signature }
//
// with nothing after it and no unused bits is an error.
func SplitSigned(der []byte) (tbs, algorithm, signature []byte, err error) {
	if len(der) > maxSigned {
		return nil, nil, nil, fmt.Errorf("%d bytes are too many for a certificate or CRL", len(der))
	}
	top := &cursor{b: der}
	c := top.in(tagSequence, "signed object")
	tbs = c.take(tagSequence, "signed bytes").full
	algorithm = c.take(tagSequence, "signature algorithm").full
	signature, unused := c.bits("signature")
	if c.err == nil && unused != 0 {
		c.fail("signature", errors.New("unused bits"))
	}
	top.done(c, "signed object")
	top.done(&cursor{b: top.b}, "signed object")
	if top.err != nil {
		return nil, nil, nil, top.err
	}
	return tbs, algorithm, signature, nil
}

// VerifySignature checks a certificate's or CRL's signature with the issuer's
// key, without the code that builds them. The AlgorithmIdentifier must be one
// of BR 7.1.3.2 byte for byte, the same inside and outside, and go with the
// key's kind and curve.
//
// It returns nil only if all of that and the signature hold.
func VerifySignature(signedDER []byte, issuerKey crypto.PublicKey) error {
	tbs, outer, signature, err := SplitSigned(signedDER)
	if err != nil {
		return err
	}
	p, err := parseTBS(tbs)
	if err != nil {
		return err
	}
	if !bytes.Equal(outer, unhex(p.algorithm.der)) {
		return fmt.Errorf("the signature algorithm outside, %x, is not the one inside, %s (RFC 5280 section 4.1.1.2)", outer, p.algorithm.der)
	}
	if err := p.algorithm.matches(issuerKey); err != nil {
		return err
	}
	h := p.algorithm.hash.New()
	h.Write(tbs)
	digest := h.Sum(nil)
	switch key := issuerKey.(type) {
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(key, digest, signature) {
			return errors.New("the signature is not one of the issuer's key over these bytes")
		}
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(key, p.algorithm.hash, digest, signature); err != nil {
			return errors.New("the signature is not one of the issuer's key over these bytes")
		}
	}
	return nil
}
