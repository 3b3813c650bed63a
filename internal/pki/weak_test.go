package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestStrongKeys shows that sound keys of every kind pass, and in what time.
func TestStrongKeys(t *testing.T) {
	for _, alg := range allAlgorithms {
		pub := softKey(t, alg, "root").Public()
		began := time.Now()
		if err := CheckPublicKey(pub); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		t.Logf("%s: %v", alg, time.Since(began))
	}
}

// prime returns a prime of exactly that many bits.
func prime(t *testing.T, bits int) *big.Int {
	t.Helper()
	p, err := rand.Prime(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// nextPrime returns the first prime above n.
func nextPrime(n *big.Int) *big.Int {
	p := new(big.Int).Add(n, big.NewInt(1))
	for !p.ProbablyPrime(10) {
		p.Add(p, big.NewInt(1))
	}
	return p
}

// odd returns 2^bits − 1.
func odd(bits uint) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), bits)
	return n.Sub(n, big.NewInt(1))
}

func mul(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) }

// rocaPrime makes a prime as the faulty library did: k·M + 65537^a mod M, with M
// the product of the first 126 primes, as for keys of 2048 bits.
func rocaPrime(t *testing.T) *big.Int {
	t.Helper()
	m := big.NewInt(1)
	for _, p := range primesBelow(702) {
		m.Mul(m, big.NewInt(int64(p)))
	}
	low := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(3), 1022), m) // top bits 11
	for {
		a, err := rand.Int(rand.Reader, m)
		if err != nil {
			t.Fatal(err)
		}
		k, err := rand.Int(rand.Reader, new(big.Int).Rsh(low, 3))
		if err != nil {
			t.Fatal(err)
		}
		p := mul(k.Add(k, low), m)
		p.Add(p, new(big.Int).Exp(big.NewInt(65537), a, m))
		if p.ProbablyPrime(10) {
			return p
		}
	}
}

func TestWeakRSA(t *testing.T) {
	good := softKey(t, "RSA-2048", "root").Public().(*rsa.PublicKey)
	p, q := prime(t, 1024), prime(t, 1024)
	far := new(big.Int).Lsh(big.NewInt(1), 600) // primes this far apart are not found
	for _, c := range []struct {
		name string
		key  *rsa.PublicKey
		want string // "" if it is no weak one
	}{
		{"good", good, ""},
		{"nil", nil, "there is no key"},
		{"no modulus", &rsa.PublicKey{E: 65537}, "there is no key"},
		{"negative", &rsa.PublicKey{N: new(big.Int).Neg(good.N), E: 65537}, "too short"},
		{"1024 bits", &rsa.PublicKey{N: odd(1024), E: 65537}, "1024 bits is too short"},
		{"2049 bits", &rsa.PublicKey{N: mul(p, odd(1026)), E: 65537}, "no multiple of 8"},
		{"huge", &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 20000), E: 65537}, "too long"},
		{"exponent 3", &rsa.PublicKey{N: good.N, E: 3}, "exponent 3"},
		{"exponent 65535", &rsa.PublicKey{N: good.N, E: 65535}, "exponent 65535"},
		{"exponent even", &rsa.PublicKey{N: good.N, E: 65538}, "exponent 65538"},
		{"exponent 65539", &rsa.PublicKey{N: good.N, E: 65539}, ""},
		{"even", &rsa.PublicKey{N: new(big.Int).Lsh(odd(2047), 1), E: 65537}, "divided by 2"},
		{"factor 751", &rsa.PublicKey{N: factor751(t), E: 65537}, "divided by 751"},
		{"square", &rsa.PublicKey{N: mul(p, p), E: 65537}, "1024 bits to the power of 2"},
		{"cube", &rsa.PublicKey{N: cube(t), E: 65537}, "to the power of 3"},
		{"neighbours", &rsa.PublicKey{N: mul(p, nextPrime(p)), E: 65537}, "Fermat"},
		{"far enough", &rsa.PublicKey{N: mul(p, nextPrime(new(big.Int).Add(p, far))), E: 65537}, ""},
		{"ROCA", &rsa.PublicKey{N: mul(rocaPrime(t), rocaPrime(t)), E: 65537}, "ROCA"},
		{"prime", &rsa.PublicKey{N: new(big.Int).Sub(odd(2048), big.NewInt(1556)), E: 65537}, "is a prime"},
		{"sound", &rsa.PublicKey{N: mul(p, q), E: 65537}, ""},
	} {
		if c.want == "" && c.key.N.BitLen()%8 != 0 {
			continue // the product came out a bit short
		}
		err := CheckPublicKey(c.key)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// factor751 returns 751 times two primes, with 2048 bits.
func factor751(t *testing.T) *big.Int {
	t.Helper()
	for {
		if n := mul(mul(prime(t, 1024), prime(t, 1014)), big.NewInt(751)); n.BitLen() == 2048 {
			return n
		}
	}
}

// cube returns the third power of a prime, with 2048 bits.
func cube(t *testing.T) *big.Int {
	t.Helper()
	for {
		p := prime(t, 683)
		if n := mul(mul(p, p), p); n.BitLen() == 2048 {
			return n
		}
	}
}

// TestFermatRounds shows where the 100 rounds end.
func TestFermatRounds(t *testing.T) {
	a := new(big.Int).Lsh(big.NewInt(1), 1024)
	found := func(rounds int64) bool {
		// n = (a−b)(a+b) with a−√n about b²/2a = rounds
		b := new(big.Int).Sqrt(mul(a, big.NewInt(2*rounds)))
		return fermat(new(big.Int).Sub(mul(a, a), mul(b, b)))
	}
	for rounds, want := range map[int64]bool{1: true, 50: true, 99: true, 103: false, 1000: false} {
		if got := found(rounds); got != want {
			t.Errorf("%d rounds: %t", rounds, got)
		}
	}
}

// scalarKey returns the public key of a private one.
func scalarKey(t *testing.T, curve elliptic.Curve, k *big.Int) *ecdsa.PublicKey {
	t.Helper()
	b := make([]byte, (curve.Params().N.BitLen()+7)/8)
	key, err := ecdsa.ParseRawPrivateKey(curve, k.FillBytes(b))
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

func TestWeakEC(t *testing.T) {
	for _, c := range curves {
		n := c.curve.Params().N
		for _, k := range []int64{1, 2, 3, 1023, 1024, 1025, 2047, 2048, 2049, 3071, 3072, 3073, 65535, 65536, 65537, 524289, 1<<20 - 1, 1 << 20} {
			for _, s := range []*big.Int{big.NewInt(k), new(big.Int).Sub(n, big.NewInt(k))} {
				if err := CheckPublicKey(scalarKey(t, c.curve, s)); err == nil {
					t.Errorf("%s: private key %v is not found", c.name, s)
				}
			}
		}
		for _, k := range []*big.Int{big.NewInt(1<<20 + 2000), new(big.Int).Rsh(n, 1), new(big.Int).Rsh(n, 3)} {
			if err := CheckPublicKey(scalarKey(t, c.curve, k)); err != nil {
				t.Errorf("%s: private key %v: %v", c.name, k, err)
			}
		}
	}
}

// TestPoints compares our own arithmetic with the library's.
func TestPoints(t *testing.T) {
	for _, c := range curves {
		p := c.curve.Params()
		g := &ecPoint{p.Gx, p.Gy}
		sum := g
		for k := int64(2); k < 50; k++ {
			sum = addPoints(sum, g, p)
			want, err := scalarKey(t, c.curve, big.NewInt(k)).Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if got := append(append([]byte{4}, sum.x.FillBytes(make([]byte, len(want)/2))...), sum.y.FillBytes(make([]byte, len(want)/2))...); string(got) != string(want) {
				t.Fatalf("%s: %d·G is wrong", c.name, k)
			}
		}
		if addPoints(sum, negated(sum, p), p) != nil || addPoints(nil, g, p) != g || addPoints(g, nil, p) != g {
			t.Errorf("%s: the point at infinity is wrong", c.name)
		}
	}
}

func TestOtherKeys(t *testing.T) {
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key  crypto.PublicKey
		want string
	}{
		{nil, "no key"},
		{pub, "neither RSA nor ECDSA"},
		{p224.Public(), "curve is none of"},
		{(*ecdsa.PublicKey)(nil), "curve is none of"},
		{offCurve(1), "not on P-256"},
		{offCurve(0), "not on P-256"},
	} {
		if err := CheckPublicKey(c.key); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T: %v, want %q", c.key, err, c.want)
		}
	}
}

// offCurve is a point that crypto/ecdsa would not make: x = y = n.
func offCurve(n int64) *ecdsa.PublicKey {
	k := &ecdsa.PublicKey{Curve: elliptic.P256()}
	v := reflect.ValueOf(k).Elem()
	v.FieldByName("X").Set(reflect.ValueOf(big.NewInt(n)))
	v.FieldByName("Y").Set(reflect.ValueOf(big.NewInt(n)))
	return k
}
