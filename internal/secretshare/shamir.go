package secretshare

import (
	"errors"
	"fmt"
	"io"
)

// Most is the largest number of shares, and of the threshold.
const Most = 15

// MostBytes is the longest secret, in bytes; LeastBytes the shortest.
const (
	LeastBytes = 1
	MostBytes  = 16
)

// split returns n values of which any k give the secret back: for each byte of
// the secret a polynomial over GF(2^8) of degree k-1 whose constant term is that
// byte and whose other coefficients come from random, at x = 1 … n.
func split(secret []byte, k, n int, random io.Reader) ([][]byte, error) {
	switch {
	case len(secret) < LeastBytes || len(secret) > MostBytes:
		return nil, fmt.Errorf("splitting a secret: it must have %d to %d bytes", LeastBytes, MostBytes)
	case n > Most:
		return nil, fmt.Errorf("splitting a secret into %d shares: at most %d", n, Most)
	case k < 2 || k > n:
		return nil, fmt.Errorf("splitting a secret into %d shares, %d of them enough: the threshold must be 2 to %d", n, k, n)
	}
	// Row 0 is the secret, rows 1 … k-1 the coefficients.
	rows := make([]byte, k*len(secret))
	defer clear(rows)
	copy(rows, secret)
	if _, err := io.ReadFull(random, rows[len(secret):]); err != nil {
		return nil, fmt.Errorf("splitting a secret: reading randomness: %w", err)
	}
	values := make([][]byte, n)
	for i := range values {
		x, value := byte(i+1), make([]byte, len(secret))
		for row := k - 1; row >= 0; row-- { // Horner
			for j := range value {
				value[j] = mul(value[j], x) ^ rows[row*len(secret)+j]
			}
		}
		values[i] = value
	}
	return values, nil
}

// join returns the secret that values at distinct x give: Lagrange's formula at 0.
func join(xs []byte, values [][]byte) ([]byte, error) {
	if len(xs) < 2 || len(xs) != len(values) {
		return nil, errors.New("joining shares: expected two or more")
	}
	secret := make([]byte, len(values[0]))
	for i, xi := range xs {
		if xi == 0 || len(values[i]) != len(secret) {
			return nil, errors.New("joining shares: their lengths differ, or one has no number")
		}
		weight := byte(1)
		for j, xj := range xs {
			switch {
			case i == j:
			case xi == xj:
				return nil, fmt.Errorf("joining shares: share %d is there twice", xi)
			default:
				weight = mul(weight, mul(xj, inverse(xi^xj)))
			}
		}
		for b := range secret {
			secret[b] ^= mul(weight, values[i][b])
		}
	}
	return secret, nil
}

// mul multiplies in GF(2^8) with the polynomial x^8+x^4+x^3+x+1, the field of AES
// (FIPS 197, 4.2), in the same time for all bytes: no table is looked up and no
// branch depends on them.
func mul(a, b byte) (product byte) {
	for range 8 {
		product ^= a & -(b & 1)
		a = a<<1 ^ 0x1b&-(a>>7)
		b >>= 1
	}
	return product
}

// inverse returns the inverse of a, which must not be 0: a^254.
func inverse(a byte) byte {
	result := byte(1)
	for range 254 {
		result = mul(result, a)
	}
	return result
}
