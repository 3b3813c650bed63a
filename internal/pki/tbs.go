package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // the digests of the table of signature algorithms
	_ "crypto/sha512"
	"errors"
	"fmt"
	"math/big"
)

// What a TBS becomes.
const (
	ObjectCertificate = "certificate"
	ObjectList        = "crl"
)

// A TBS is a certificate or CRL that lacks only its signature.
type TBS struct {
	Object    string      // ObjectCertificate or ObjectList
	DER       []byte      // TBSCertificate or TBSCertList: the bytes that are signed
	Digest    crypto.Hash // of them
	Mechanism string      // "CKM_ECDSA" or "CKM_RSA_PKCS"
	Input     []byte      // what C_Sign gets: the digest for ECDSA, the DigestInfo for RSA
	Serial    *big.Int    // of a certificate; nil for a CRL
	// Preview is the whole object, signed by a throw-away key: linters take
	// it, nobody else should. Nil when the TBS was loaded.
	Preview []byte

	issuerKey crypto.PublicKey
}

// LoadTBS makes a TBS again from its stored bytes, after a crash or to compare
// a log's C_Sign input with them. It is an error if the bytes are neither a
// TBSCertificate nor a TBSCertList in DER, or name a signature algorithm that is
// not allowed or does not go with the issuer's key.
func LoadTBS(tbsDER []byte, issuerKey crypto.PublicKey) (*TBS, error) {
	p, err := parseTBS(tbsDER)
	if err != nil {
		return nil, err
	}
	if err := p.algorithm.matches(issuerKey); err != nil {
		return nil, err
	}
	return &TBS{
		Object: p.object, DER: bytes.Clone(tbsDER), Digest: p.algorithm.hash, Mechanism: p.algorithm.mechanism,
		Input: p.algorithm.input(tbsDER), Serial: p.serial, issuerKey: issuerKey,
	}, nil
}

// A parsedTBS is what has to be known of a TBS to sign it.
type parsedTBS struct {
	object    string
	algorithm *signatureAlgorithm
	serial    *big.Int
	cert      *certificateFields // one of the two
	crl       *crlFields
}

// parseTBS reads a TBSCertificate, which begins with [0], or a TBSCertList,
// which does not (RFC 5280 sections 4.1, 5.1).
func parseTBS(tbs []byte) (p parsedTBS, err error) {
	if len(tbs) > maxSigned {
		return p, fmt.Errorf("%d bytes are too many for a certificate or CRL", len(tbs))
	}
	outer, _, err := next(tbs)
	if err != nil || outer.tag != tagSequence || len(outer.content) == 0 {
		return p, errors.New("neither a TBSCertificate nor a TBSCertList in DER")
	}
	var identifier []byte
	if outer.content[0] == tagConstructed {
		p.object = ObjectCertificate
		if p.cert, err = parseTBSCertificate(tbs); err != nil {
			return p, err
		}
		identifier, p.serial = p.cert.algorithm, p.cert.serial
	} else {
		p.object = ObjectList
		if p.crl, err = parseTBSCertList(tbs); err != nil {
			return p, err
		}
		identifier = p.crl.algorithm
	}
	p.algorithm, err = signatureAlgorithmOf(identifier)
	return p, err
}

// fromPreview takes the TBS out of what crypto/x509 made.
func fromPreview(preview []byte, issuerKey crypto.PublicKey) (*TBS, error) {
	tbs, _, _, err := SplitSigned(preview)
	if err != nil {
		return nil, fmt.Errorf("reading back what was built: %w", err)
	}
	t, err := LoadTBS(tbs, issuerKey)
	if err != nil {
		return nil, fmt.Errorf("reading back what was built: %w", err)
	}
	t.Preview = preview
	return t, nil
}

// Sign has the TBS signed and returns the finished certificate or CRL in DER.
//
// sign is given exactly Input and returns what the token gave: r‖s of equal
// length for CKM_ECDSA, the bytes of the signature for CKM_RSA_PKCS. Its error
// comes back as it is; all others are those of [AssembleFromTBS].
func (t *TBS) Sign(sign func(input []byte) (signature []byte, err error)) (der []byte, err error) {
	signature, err := sign(bytes.Clone(t.Input))
	if err != nil {
		return nil, err
	}
	return t.Assemble(signature)
}

// Assemble is Sign with a signature that was already made, as the token gave
// it.
func (t *TBS) Assemble(signature []byte) (der []byte, err error) {
	return AssembleFromTBS(t.DER, signature, t.issuerKey)
}

// AssembleFromTBS puts stored TBS bytes and a token's raw signature together:
//
//	SEQUENCE { TBS as it stands, its AlgorithmIdentifier, BIT STRING signature }
//
// r‖s becomes the DER of Ecdsa-Sig-Value (RFC 3279 section 2.2.3). The result
// is checked with [VerifySignature] and its TBS compared byte for byte before it
// is returned: an error means that the signature is not one of issuerKey over
// these bytes, or that the bytes are no TBS.
func AssembleFromTBS(tbsDER, signature []byte, issuerKey crypto.PublicKey) (der []byte, err error) {
	p, err := parseTBS(tbsDER)
	if err != nil {
		return nil, fmt.Errorf("assembling: %w", err)
	}
	if err := p.algorithm.matches(issuerKey); err != nil {
		return nil, fmt.Errorf("assembling: %w", err)
	}
	value, err := signatureValue(signature, issuerKey)
	if err != nil {
		return nil, fmt.Errorf("assembling: %w", err)
	}
	der = wrap(tagSequence, tbsDER, unhex(p.algorithm.der), wrap(tagBitString, []byte{0}, value))
	tbs, _, _, err := SplitSigned(der)
	if err != nil || !bytes.Equal(tbs, tbsDER) {
		return nil, fmt.Errorf("assembling: the result does not hold what was signed: %w", err)
	}
	if err := VerifySignature(der, issuerKey); err != nil {
		return nil, fmt.Errorf("assembling: %w", err)
	}
	return der, nil
}

// signatureValue turns a token's signature into what stands in the BIT STRING.
func signatureValue(signature []byte, issuerKey crypto.PublicKey) ([]byte, error) {
	pub, ok := issuerKey.(*ecdsa.PublicKey)
	if !ok {
		return signature, nil
	}
	size := (pub.Params().N.BitLen() + 7) / 8
	if len(signature) != 2*size {
		return nil, fmt.Errorf("the token's signature has %d bytes, r‖s of %s has %d", len(signature), AlgorithmOf(pub), 2*size)
	}
	return wrap(tagSequence, unsigned(signature[:size]), unsigned(signature[size:])), nil
}

// unsigned encodes a big-endian number as INTEGER.
func unsigned(b []byte) []byte {
	b = bytes.TrimLeft(b, "\x00")
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return wrap(tagInteger, b)
}

// newThrowAway makes a key of the issuer's kind for the first pass, which
// crypto/x509 cannot do without: it checks its own signature. The key signs the
// preview and is forgotten. RSA ones have 2048 bits, whatever the issuer's size:
// no byte of the TBS depends on it.
func newThrowAway(alg *signatureAlgorithm, issuerKey crypto.PublicKey) (crypto.Signer, error) {
	var signer crypto.Signer
	var err error
	if pub, ok := issuerKey.(*ecdsa.PublicKey); ok && alg.mechanism == MechanismECDSA {
		signer, err = ecdsa.GenerateKey(pub.Curve, rand.Reader)
	} else {
		signer, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return nil, fmt.Errorf("making a key for the first pass: %w", err)
	}
	return signer, nil
}
