package curve

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
)

func named(t *testing.T, name string) *Curve {
	t.Helper()
	c, ok := Named(name)
	if !ok {
		t.Fatalf("there is no curve %q", name)
	}
	return c
}

// TestParameters: the base point is on the curve and has the order N, the field
// and the order are prime, and Hasse's bound holds.
func TestParameters(t *testing.T) {
	if len(Names()) != 12 {
		t.Errorf("%d curves, want 12", len(Names()))
	}
	for _, name := range Names() {
		c := named(t, name)
		if !c.P.ProbablyPrime(20) || !c.N.ProbablyPrime(20) {
			t.Errorf("%s: the field or the order is not prime", name)
		}
		if !c.on(c.Base()) || c.Multiply(c.Base(), c.N).X != nil {
			t.Errorf("%s: the base point does not have the order N", name)
		}
		gap := new(big.Int).Sub(c.P, c.N)
		if gap.BitLen() > c.P.BitLen()/2+2 {
			t.Errorf("%s: the order is not near the size of the field", name)
		}
		if o, ok := Over(c.P.Bytes()); !ok || o.Name != name {
			t.Errorf("%s is not found by its field", name)
		}
	}
	if _, ok := Named("secp255"); ok {
		t.Error("a curve that is not there is found")
	}
	if _, ok := Over([]byte{7}); ok {
		t.Error("a field that is not there is found")
	}
}

// TestAgainstLibrary: what is signed here verifies with Go's library and the
// other way round.
func TestAgainstLibrary(t *testing.T) {
	for name, std := range map[string]elliptic.Curve{"secp256r1": elliptic.P256(), "secp384r1": elliptic.P384(), "secp521r1": elliptic.P521()} {
		c := named(t, name)
		key, err := ecdsa.GenerateKey(std, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		hash := sha512.Sum512([]byte(name))
		d, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		q, err := c.ParsePoint(point)
		if err != nil {
			t.Fatal(err)
		}
		r, s, err := c.Sign(rand.Reader, new(big.Int).SetBytes(d), hash[:])
		if err != nil || !ecdsa.Verify(&key.PublicKey, hash[:], r, s) {
			t.Errorf("%s: the library refuses a signature made here (%v)", name, err)
		}
		r, s, err = ecdsa.Sign(rand.Reader, key, hash[:])
		if err != nil {
			t.Fatal(err)
		}
		if !c.Verify(q, hash[:], r, s) {
			t.Errorf("%s: a signature of the library is refused", name)
		}
	}
}

// TestBrainpoolVector: RFC 7027, appendix A.1, the key agreement on
// brainpoolP256r1.
func TestBrainpoolVector(t *testing.T) {
	c := named(t, "brainpoolP256r1")
	da := number("81db1ee100150ff2ea338d708271be38300cb54241d79950f77b063039804f1d")
	db := number("55e40bc41e37e3e2ad25c3c6654511ffa8474a91a0032087593852d3e7d76bd3")
	a, b := c.Multiply(c.Base(), da), c.Multiply(c.Base(), db)
	want := "44106e913f92bc02a1705d9953a8414db95e1aaa49e81d9e85f929a8e3100be5"
	if got := hex.EncodeToString(a.X.Bytes()); got != want {
		t.Errorf("x of A's public key is %s, want %s", got, want)
	}
	want = "89afc39d41d3b327814b80940b042590f96556ec91e6ae7939bce31f3a18bf2b"
	for who, p := range map[string]Point{"A": c.Multiply(b, da), "B": c.Multiply(a, db)} {
		if got := hex.EncodeToString(p.X.Bytes()); got != want {
			t.Errorf("%s's shared x is %s, want %s", who, got, want)
		}
	}
}

func TestSignEveryCurve(t *testing.T) {
	hash := sha256.Sum256([]byte("a digest"))
	other := sha256.Sum256([]byte("another"))
	for _, name := range Names() {
		c := named(t, name)
		d, err := c.Generate(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		q := c.Multiply(c.Base(), d)
		back, err := c.ParsePoint(c.Bytes(q))
		if err != nil || back.X.Cmp(q.X) != 0 || back.Y.Cmp(q.Y) != 0 {
			t.Errorf("%s: the public point comes back as %v, %v", name, back, err)
		}
		r, s, err := c.Sign(rand.Reader, d, hash[:])
		if err != nil {
			t.Fatal(err)
		}
		zero, over := new(big.Int), new(big.Int).Add(s, c.N)
		for what, ok := range map[string]bool{
			"the signature":     !c.Verify(q, hash[:], r, s),
			"another digest":    c.Verify(q, other[:], r, s),
			"another key":       c.Verify(c.Base(), hash[:], r, s),
			"r and s exchanged": c.Verify(q, hash[:], s, r),
			"r of 0":            c.Verify(q, hash[:], zero, s),
			"s of 0":            c.Verify(q, hash[:], r, zero),
			"s above the order": c.Verify(q, hash[:], r, over),
		} {
			if ok {
				t.Errorf("%s: wrong verdict about %s", name, what)
			}
		}
	}
}

func TestAdd(t *testing.T) {
	c := named(t, "brainpoolP256r1")
	g, none := c.Base(), Point{}
	minus := Point{g.X, new(big.Int).Sub(c.P, g.Y)}
	if got := c.Add(g, minus); got.X != nil {
		t.Errorf("a point less itself is %v", got)
	}
	if got := c.Add(g, g); got.X.Cmp(c.Multiply(g, big.NewInt(2)).X) != 0 {
		t.Error("a point and itself are not its double")
	}
	if c.Add(none, g).X != g.X || c.Add(g, none).X != g.X || c.Multiply(none, c.GX).X != nil {
		t.Error("the point at infinity is not neutral")
	}
}

func TestParsePointRefuses(t *testing.T) {
	c := named(t, "secp256r1")
	good := c.Bytes(c.Base())
	bad := bytes.Clone(good)
	bad[64] ^= 1
	compressed := bytes.Clone(good)
	compressed[0] = 2
	large := append([]byte{4}, bytes.Repeat([]byte{0xFF}, 64)...)
	for want, b := range map[string][]byte{"not on": bad, "expected 04": compressed, "coordinates": good[:64], "curve": large} {
		if _, err := c.ParsePoint(b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%x: %v, want an error with %q", b, err, want)
		}
	}
	if _, err := c.ParsePoint(nil); err == nil {
		t.Error("no bytes pass for a point")
	}
}

func TestGenerateSaysWhyItFailed(t *testing.T) {
	c := named(t, "secp256r1")
	if _, err := c.Generate(strings.NewReader("short")); err == nil {
		t.Error("a key is made of five bytes")
	}
	if _, _, err := c.Sign(strings.NewReader("short"), big.NewInt(1), []byte{1}); err == nil {
		t.Error("a signature is made of five bytes")
	}
}
