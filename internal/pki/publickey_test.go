package pki

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
)

func TestAlgorithmNames(t *testing.T) {
	for _, name := range allAlgorithms {
		a, err := ParseAlgorithm(name)
		if err != nil || a.Name != name || (a.RSABits == 0) == (a.Curve == nil) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
		if got := AlgorithmOf(softKey(t, name, "root").Public()); got != name {
			t.Errorf("AlgorithmOf a %s key is %q", name, got)
		}
		if p := ECParams(name); (p != nil) != strings.HasPrefix(name, "P-") {
			t.Errorf("ECParams(%q) = %x", name, p)
		}
	}
	for _, name := range []string{"", "RSA", "RSA-1024", "RSA-02048", "RSA-+2048", "rsa-2048", "P-224", "P256", "Ed25519"} {
		if a, err := ParseAlgorithm(name); err == nil {
			t.Errorf("ParseAlgorithm(%q) = %+v", name, a)
		}
	}
	if got := AlgorithmOf("no key"); got != "unknown" {
		t.Errorf("AlgorithmOf a string is %q", got)
	}
}

// TestFromPKCS11 makes keys of attribute values in both forms.
func TestFromPKCS11(t *testing.T) {
	for _, name := range allAlgorithms {
		pub := softKey(t, name, "root").Public()
		want, wantHex, err := SPKISHA256(pub)
		if err != nil || len(wantHex) != 64 || wantHex != strings.ToLower(Fingerprint(want)) {
			t.Fatalf("%s: %s, %v", name, wantHex, err)
		}
		var point, modulus, exponent []byte
		switch k := pub.(type) {
		case *ecdsa.PublicKey:
			if point, err = k.Bytes(); err != nil {
				t.Fatal(err)
			}
		case *rsa.PublicKey:
			modulus, exponent = append([]byte{0}, k.N.Bytes()...), big.NewInt(int64(k.E)).Bytes()
		}
		forms := [][]byte{point}
		if point != nil {
			forms = append(forms, wrap(tagOctetString, point))
		}
		for _, p := range forms {
			got, err := PublicKeyFromPKCS11(p, ECParams(name), modulus, exponent)
			if err != nil || !sameKey(got, pub) {
				t.Errorf("%s from %x: %v, %v", name, p, got, err)
			}
		}
	}
}

func TestFromPKCS11Refuses(t *testing.T) {
	point, err := softKey(t, "P-256", "root").Public().(*ecdsa.PublicKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	off := append([]byte{}, point...)
	off[64] ^= 1
	p256 := ECParams("P-256")
	for _, c := range []struct {
		name                             string
		point, params, modulus, exponent []byte
		want                             string
	}{
		{"nothing", nil, nil, nil, nil, "need either"},
		{"both", point, p256, []byte{1}, []byte{3}, "need either"},
		{"no params", point, nil, nil, nil, "need either"},
		{"no exponent", nil, nil, []byte{1}, nil, "need either"},
		{"off the curve", off, p256, nil, nil, "not on P-256"},
		{"another curve", point, ECParams("P-384"), nil, nil, "neither an uncompressed P-384 point"},
		{"short", point[:64], p256, nil, nil, "neither an uncompressed"},
		{"compressed", append([]byte{2}, point[1:33]...), p256, nil, nil, "neither an uncompressed"},
		{"wrong form", append([]byte{5}, point[1:]...), p256, nil, nil, "not on P-256"},
		{"octet string with more", append(wrap(tagOctetString, point), 0), p256, nil, nil, "neither an uncompressed"},
		{"bit string", wrap(tagBitString, []byte{0}, point), p256, nil, nil, "neither an uncompressed"},
		{"infinity", []byte{0}, p256, nil, nil, "neither an uncompressed"},
		{"unknown curve", point, unhex("06052b8104000a"), nil, nil, "is not the name of"},
		{"long exponent", nil, nil, []byte{5}, []byte{1, 0, 0, 0, 0}, "more than 31 bits"},
		{"zero", nil, nil, []byte{0}, []byte{1}, "zero"},
	} {
		key, err := PublicKeyFromPKCS11(c.point, c.params, c.modulus, c.exponent)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want %q", c.name, key, err, c.want)
		}
	}
}

func TestFingerprint(t *testing.T) {
	if got := Fingerprint([]byte("abc")); got != "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD" {
		t.Errorf("fingerprint %s", got)
	}
	if _, _, err := SPKISHA256("no key"); err == nil {
		t.Error("a string has an SPKI")
	}
}

// TestSignatureTable holds the constants against what BR 7.1.3.2 prints.
func TestSignatureTable(t *testing.T) {
	want := []string{
		"300d06092a864886f70d01010b0500", "300d06092a864886f70d01010c0500", "300d06092a864886f70d01010d0500",
		"300a06082a8648ce3d040302", "300a06082a8648ce3d040303", "300a06082a8648ce3d040304",
	}
	for i, a := range signatureAlgorithms {
		got, err := signatureAlgorithmOf(unhex(want[i]))
		if err != nil || got.name != a.name {
			t.Errorf("%s: %v, %v", want[i], got, err)
		}
		if n := len(a.input([]byte("x"))); n != a.hash.Size()+len(a.prefix)/2 {
			t.Errorf("%s: input of %d bytes", a.name, n)
		}
	}
	for _, bad := range []string{"", "300b06092a864886f70d01010b", "300d06092a864886f70d0101050500", "300c06082a8648ce3d0403020500", strings.Repeat("00", 99)} {
		b, err := hex.DecodeString(bad)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := signatureAlgorithmOf(b); err == nil {
			t.Errorf("%s passes for %s", bad, a.name)
		}
	}
}

// TestDigests holds which digest goes with which key.
func TestDigests(t *testing.T) {
	for _, c := range []struct{ alg, digest, want string }{
		{"P-256", "", "SHA-256"}, {"P-256", "SHA-256", "SHA-256"}, {"P-256", "SHA-384", ""}, {"P-256", "SHA-1", ""},
		{"P-384", "", "SHA-384"}, {"P-384", "SHA-256", ""}, {"P-521", "", "SHA-512"}, {"P-521", "SHA-384", ""},
		{"RSA-2048", "", "SHA-256"}, {"RSA-4096", "SHA-384", "SHA-384"}, {"RSA-3072", "SHA-512", "SHA-512"}, {"RSA-2048", "MD5", ""},
	} {
		a, err := chooseAlgorithm(softKey(t, c.alg, "root").Public(), c.digest)
		if (err == nil) != (c.want != "") || err == nil && DigestName(a.hash) != c.want {
			t.Errorf("%s with %q: %v, %v", c.alg, c.digest, a, err)
		}
	}
	if _, err := chooseAlgorithm("no key", ""); err == nil {
		t.Error("a string signs")
	}
}
