package curve

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
)

// Generate makes a private key, 1 to N-1, from the bytes of random.
func (c *Curve) Generate(random io.Reader) (*big.Int, error) {
	less := new(big.Int).Sub(c.N, big.NewInt(1))
	d, err := rand.Int(random, less)
	if err != nil {
		return nil, fmt.Errorf("making a number below the order of %s: %w", c.Name, err)
	}
	return d.Add(d, big.NewInt(1)), nil
}

// reduce makes the number that is signed out of a hash: its leftmost bits, as
// many as the order has (SEC 1, 4.1.3).
func (c *Curve) reduce(hash []byte) *big.Int {
	bits := c.N.BitLen()
	if n := (bits + 7) / 8; len(hash) > n {
		hash = hash[:n]
	}
	e := new(big.Int).SetBytes(hash)
	if extra := len(hash)*8 - bits; extra > 0 {
		e.Rsh(e, uint(extra))
	}
	return e
}

// Sign makes an ECDSA signature of a hash with the private key d.
func (c *Curve) Sign(random io.Reader, d *big.Int, hash []byte) (r, s *big.Int, err error) {
	e := c.reduce(hash)
	for {
		k, err := c.Generate(random)
		if err != nil {
			return nil, nil, err
		}
		r = new(big.Int).Mod(c.Multiply(c.Base(), k).X, c.N)
		s = new(big.Int).Mul(r, d)
		s.Add(s, e).Mul(s, new(big.Int).ModInverse(k, c.N)).Mod(s, c.N)
		if r.Sign() != 0 && s.Sign() != 0 {
			return r, s, nil
		}
	}
}

// Verify reports whether r, s is an ECDSA signature of hash by the key whose
// public point is q, a point of the curve.
func (c *Curve) Verify(q Point, hash []byte, r, s *big.Int) bool {
	if r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(c.N) >= 0 || s.Cmp(c.N) >= 0 {
		return false
	}
	w := new(big.Int).ModInverse(s, c.N)
	u1 := new(big.Int).Mul(c.reduce(hash), w)
	u2 := new(big.Int).Mul(r, w)
	sum := c.Add(c.Multiply(c.Base(), u1.Mod(u1, c.N)), c.Multiply(q, u2.Mod(u2, c.N)))
	return sum.X != nil && new(big.Int).Mod(sum.X, c.N).Cmp(r) == 0
}
