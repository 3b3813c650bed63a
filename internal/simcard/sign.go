package simcard

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/keyrite/keyrite/internal/simcard/apdu"
)

// Algorithms in P2 of SIGN and DECIPHER.
const (
	algoRSARaw     = 0x20
	algoRSADecrypt = 0x21
	algoRSAPKCS1   = 0x30 // the low digit names the hash, 0 for none
	algoRSAPSS     = 0x40
	algoECDSA      = 0x70
	algoECDH       = 0x80
)

// hashOf returns the hash that the low digit of an algorithm names.
func hashOf(algo byte) (crypto.Hash, bool) {
	h, ok := map[byte]crypto.Hash{1: crypto.SHA1, 2: crypto.SHA224, 3: crypto.SHA256, 4: crypto.SHA384, 5: crypto.SHA512}[algo&0x0F]
	return h, ok
}

// digest hashes data if the algorithm names a hash, and returns it as it is if
// it names none.
func digest(algo byte, data []byte) ([]byte, error) {
	if algo&0x0F == 0 {
		return data, nil
	}
	h, ok := hashOf(algo)
	if !ok {
		return nil, apdu.WrongParameters
	}
	switch h {
	case crypto.SHA1:
		sum := sha1.Sum(data)
		return sum[:], nil
	case crypto.SHA224:
		sum := sha256.Sum224(data)
		return sum[:], nil
	case crypto.SHA256:
		sum := sha256.Sum256(data)
		return sum[:], nil
	case crypto.SHA384:
		sum := sha512.Sum384(data)
		return sum[:], nil
	}
	sum := sha512.Sum512(data)
	return sum[:], nil
}

// used returns the key that P1 names, after the user PIN was given, and waits
// as long as it takes.
func (c *Card) used(cmd apdu.Command) (key, error) {
	if err := c.needUser(); err != nil {
		return key{}, err
	}
	k, ok := c.s.Keys[cmd.P1]
	if !ok {
		return key{}, apdu.ReferenceNotFound
	}
	bits, err := k.bits()
	if err != nil {
		return key{}, err
	}
	c.sleep(c.profile.use(k, bits))
	return k, nil
}

// sign is SIGN (80 68): P1 the key, P2 the algorithm. ECDSA answers with the
// DER of r and s.
func (c *Card) sign(cmd apdu.Command) ([]byte, error) {
	k, err := c.used(cmd)
	if err != nil {
		return nil, err
	}
	if k.isRSA() {
		return c.signRSA(k, cmd)
	}
	if cmd.P2&0xF0 != algoECDSA {
		return nil, apdu.WrongParameters
	}
	hash, err := digest(cmd.P2, cmd.Data)
	if err != nil {
		return nil, err
	}
	if len(hash) == 0 {
		return nil, apdu.WrongLength
	}
	curve, d, _ := k.ec()
	r, s, err := curve.Sign(c.random, d, hash)
	if err != nil {
		return nil, err
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		return nil, fmt.Errorf("encoding a signature: %w", err)
	}
	return der, nil
}

func (c *Card) signRSA(k key, cmd apdu.Command) ([]byte, error) {
	priv, err := k.rsa()
	if err != nil {
		return nil, err
	}
	if cmd.P2 == algoRSARaw {
		return rawRSA(priv, cmd.Data)
	}
	hash, err := digest(cmd.P2, cmd.Data)
	if err != nil {
		return nil, err
	}
	var out []byte
	switch cmd.P2 & 0xF0 {
	case algoRSAPKCS1:
		h, _ := hashOf(cmd.P2) // 0 for a DigestInfo that is given whole
		out, err = rsa.SignPKCS1v15(nil, priv, h, hash)
	case algoRSAPSS:
		h, ok := hashOfSize(len(hash))
		if !ok {
			return nil, apdu.WrongLength
		}
		out, err = rsa.SignPSS(c.random, priv, h, hash, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	default:
		return nil, apdu.WrongParameters
	}
	if err != nil {
		return nil, apdu.WrongData // too long for the modulus
	}
	return out, nil
}

func hashOfSize(n int) (crypto.Hash, bool) {
	h, ok := map[int]crypto.Hash{20: crypto.SHA1, 28: crypto.SHA224, 32: crypto.SHA256, 48: crypto.SHA384, 64: crypto.SHA512}[n]
	return h, ok
}

// rawRSA is data to the power d: the middleware pads and unpads.
func rawRSA(priv *rsa.PrivateKey, data []byte) ([]byte, error) {
	m := new(big.Int).SetBytes(data)
	if len(data) != priv.Size() {
		return nil, apdu.WrongLength
	}
	if m.Cmp(priv.N) >= 0 {
		return nil, apdu.WrongData
	}
	return m.Exp(m, priv.D, priv.N).FillBytes(make([]byte, priv.Size())), nil
}

// decipher is DECIPHER (80 62): raw RSA, or ECDH, which answers with the point.
func (c *Card) decipher(cmd apdu.Command) ([]byte, error) {
	k, err := c.used(cmd)
	if err != nil {
		return nil, err
	}
	if k.isRSA() {
		if cmd.P2 != algoRSADecrypt {
			return nil, apdu.WrongParameters
		}
		priv, err := k.rsa()
		if err != nil {
			return nil, err
		}
		return rawRSA(priv, cmd.Data)
	}
	if cmd.P2 != algoECDH {
		return nil, apdu.WrongParameters
	}
	curve, d, _ := k.ec()
	peer, err := curve.ParsePoint(cmd.Data)
	if err != nil {
		return nil, apdu.WrongData
	}
	return curve.Bytes(curve.Multiply(peer, d)), nil
}
