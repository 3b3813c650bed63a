package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
)

// Limits on RSA keys. The upper one bounds the work on hostile input.
const (
	minRSABits = 2048      // BR 6.1.5
	maxRSABits = 8192      // ours
	minRSAExp  = 1<<16 + 1 // BR 6.1.6
	maxFactor  = 752       // BR 6.1.6: no factor smaller than this
)

// fermatRounds is how many rounds of Fermat's factorisation are tried (BR
// 6.1.1.3 asks for 100).
const fermatRounds = 100

// CheckPublicKey reports why a key must not be certified, or nil:
//
//   - kind and size: RSA of 2048 bits and more, a multiple of 8; P-256, P-384,
//     P-521 (BR 6.1.5)
//   - RSA exponent odd, 2^16+1 or more (BR 6.1.6; crypto/rsa has none over 2^31)
//   - RSA modulus odd, not prime, not a power, without factors under 752 (BR
//     6.1.6)
//   - RSA factors close together: 100 rounds of Fermat (BR 6.1.1.3)
//   - RSA key made by the faulty library of ROCA, CVE-2017-15361 (BR 6.1.1.3)
//   - EC point on its curve and not the point at infinity (BR 6.1.6)
//   - EC private key that can be counted to: under 2^20, or as close to the
//     order of the curve
//
// Not covered are the keys of Debian's OpenSSL, CVE-2008-0166, which can only
// be found in lists of them. It takes some 0.1 s for RSA-4096, half a second for the
// longest RSA keys and 0.02 s for EC ones.
func CheckPublicKey(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k == nil || k.N == nil {
			return errors.New("there is no key")
		}
		return checkRSA(k)
	case *ecdsa.PublicKey:
		if k == nil || AlgorithmOf(k) == "unknown" {
			return errors.New("the curve is none of P-256, P-384, P-521 (BR 6.1.5)")
		}
		return checkEC(k)
	case nil:
		return errors.New("there is no key")
	}
	return fmt.Errorf("a key of type %T is neither RSA nor ECDSA (BR 6.1.5)", pub)
}

func checkRSA(k *rsa.PublicKey) error {
	bits := k.N.BitLen()
	switch {
	case k.N.Sign() <= 0 || bits < minRSABits:
		return fmt.Errorf("an RSA modulus of %d bits is too short: at least %d (BR 6.1.5)", bits, minRSABits)
	case bits > maxRSABits:
		return fmt.Errorf("an RSA modulus of %d bits is too long: at most %d", bits, maxRSABits)
	case bits%8 != 0:
		return fmt.Errorf("an RSA modulus of %d bits is no multiple of 8 (BR 6.1.5)", bits)
	case k.E < minRSAExp || k.E%2 == 0:
		return fmt.Errorf("RSA exponent %d is not odd and at least %d (BR 6.1.6)", k.E, minRSAExp)
	}
	if p := smallFactor(k.N); p != 0 {
		return fmt.Errorf("the RSA modulus can be divided by %d (BR 6.1.6)", p)
	}
	if root, power := perfectPower(k.N); power != 0 {
		return fmt.Errorf("the RSA modulus is a number of %d bits to the power of %d (BR 6.1.6)", root.BitLen(), power)
	}
	if fermat(k.N) {
		return fmt.Errorf("the RSA modulus's factors are so close that %d rounds of Fermat's method find them (BR 6.1.1.3)", fermatRounds)
	}
	if roca(k.N) {
		return errors.New("the RSA modulus has the ROCA fingerprint: it was made by a faulty library, CVE-2017-15361 (BR 6.1.1.3)")
	}
	if k.N.ProbablyPrime(0) {
		return errors.New("the RSA modulus is a prime, so that everybody knows the private key")
	}
	return nil
}

// primesBelow returns the primes under n.
func primesBelow(n int) (primes []int) {
	composite := make([]bool, n)
	for i := 2; i < n; i++ {
		if composite[i] {
			continue
		}
		primes = append(primes, i)
		for j := i * i; j < n; j += i {
			composite[j] = true
		}
	}
	return primes
}

// smallFactor returns a prime under maxFactor that divides n, or 0.
func smallFactor(n *big.Int) int {
	for _, p := range primesBelow(maxFactor) {
		if residue(n, p) == 0 {
			return p
		}
	}
	return 0
}

func residue(n *big.Int, p int) int {
	return int(new(big.Int).Mod(n, big.NewInt(int64(p))).Int64())
}

// perfectPower returns a and k if n = a^k with k > 1, else power 0. As n has no
// factor under maxFactor, a has at least 10 bits, and only prime k need to be
// tried.
func perfectPower(n *big.Int) (root *big.Int, power int) {
	for _, k := range primesBelow(n.BitLen()/9 + 2) {
		r := integerRoot(n, k)
		if new(big.Int).Exp(r, big.NewInt(int64(k)), nil).Cmp(n) == 0 {
			return r, k
		}
	}
	return nil, 0
}

// integerRoot returns the largest r with r^k ≤ n, by Newton's method from
// above.
func integerRoot(n *big.Int, k int) *big.Int {
	r := new(big.Int).Lsh(big.NewInt(1), uint((n.BitLen()+k-1)/k))
	big1, bigK := big.NewInt(int64(k-1)), big.NewInt(int64(k))
	for {
		t := new(big.Int).Exp(r, big1, nil)
		t.Div(n, t)
		t.Add(t, new(big.Int).Mul(r, big1))
		t.Div(t, bigK)
		if t.Cmp(r) >= 0 {
			return r
		}
		r = t
	}
}

// fermat reports whether n = a²−b² with a among the first fermatRounds numbers
// from the square root of n up.
func fermat(n *big.Int) bool {
	a := new(big.Int).Sqrt(n)
	for range fermatRounds + 1 {
		b2 := new(big.Int).Mul(a, a)
		b2.Sub(b2, n)
		if b2.Sign() >= 0 && isSquare(b2) {
			return true
		}
		a.Add(a, big.NewInt(1))
	}
	return false
}

func isSquare(n *big.Int) bool {
	switch n.Bit(0) | n.Bit(1)<<1 {
	case 2, 3: // squares are 0 or 1 modulo 4
		return false
	}
	r := new(big.Int).Sqrt(n)
	return r.Mul(r, r).Cmp(n) == 0
}

// rocaPrimes is one above the largest prime of the product M that the faulty
// library used for its shortest keys; longer keys use more of them. Its primes
// are k·M + (65537^a mod M), so that such a modulus is a power of 65537 modulo
// every prime of M (Nemec et al., "The Return of Coppersmith's Attack", 2017).
const rocaPrimes = 168

// roca reports whether n is a power of 65537 modulo every odd prime up to 167.
// That holds for one in about 2^27 sound keys.
func roca(n *big.Int) bool {
	for _, p := range primesBelow(rocaPrimes)[1:] {
		if !powerOf65537(residue(n, p), p) {
			return false
		}
	}
	return true
}

// powerOf65537 reports whether r is in the group that 65537 generates modulo p.
func powerOf65537(r, p int) bool {
	g := 65537 % p
	for x, i := 1, 0; i < p; i++ {
		if x == r {
			return true
		}
		x = x * g % p
	}
	return false
}
