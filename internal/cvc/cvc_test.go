package cvc

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/cvc/curve"
	"github.com/keyrite/keyrite/internal/cvc/tlv"
)

// A signer is a key made for a test.
type signer struct {
	pub  PublicKey
	sign Sign
}

func ecKey(t testing.TB, name string) signer {
	t.Helper()
	c, ok := curve.Named(name)
	if !ok {
		t.Fatalf("there is no curve %q", name)
	}
	d, err := c.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{
		pub: PublicKey{OID: OIDECDSA, Curve: c, Point: c.Multiply(c.Base(), d)},
		sign: func(data []byte) ([]byte, error) {
			hash := sha256.Sum256(data)
			r, s, err := c.Sign(rand.Reader, d, hash[:])
			if err != nil {
				return nil, err
			}
			return append(r.FillBytes(make([]byte, c.Size)), s.FillBytes(make([]byte, c.Size))...), nil
		},
	}
}

func rsaKey(t testing.TB) signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signer{
		pub: PublicKey{OID: OIDRSA, Modulus: key.N, E: key.E},
		sign: func(data []byte) ([]byte, error) {
			hash := sha256.Sum256(data)
			return rsa.SignPKCS1v15(nil, key, crypto.SHA256, hash[:])
		},
	}
}

// role is an authorization as the vendor's root has it.
var role = []byte{0x06, 0x0B, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x03, 0x01, 0x01, 0x53, 0x01, 0x00}

// chain makes a root and a device's certificate.
func chain(t testing.TB) (root, device *Certificate, deviceKey signer) {
	t.Helper()
	rootKey := ecKey(t, "brainpoolP256r1")
	root, err := Issue(&Certificate{CAR: "ZZTESTCA00001", CHR: "ZZTESTCA00001", Key: rootKey.pub, Authorization: role, From: "2026-01-02", To: "2036-12-31"}, rootKey.sign)
	if err != nil {
		t.Fatal(err)
	}
	deviceKey = ecKey(t, "brainpoolP256r1")
	device, err = Issue(&Certificate{CAR: root.CHR, CHR: "ZZTESTDEV00001", Key: deviceKey.pub, Authorization: role, From: "2026-01-02", To: "2036-12-31"}, rootKey.sign)
	if err != nil {
		t.Fatal(err)
	}
	return root, device, deviceKey
}

func attested(t testing.TB, key, deviceKey signer, device *Certificate) *Attested {
	t.Helper()
	request, err := Issue(&Certificate{CAR: "ZZTESTDEV00001", CHR: "ZZTESTDEV00002", Key: key.pub}, key.sign)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Attest(request, device.CHR, deviceKey.sign)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestVendorRoot: the root certificate of the maker of the SmartCard-HSM, as
// Debian's source package of OpenSC 0.23 holds it (etc/DESRCACC100001).
func TestVendorRoot(t *testing.T) {
	text, err := os.ReadFile("testdata/DESRCACC100001.hex")
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	c, rest, err := Parse(b)
	if err != nil || len(rest) > 0 {
		t.Fatalf("%d bytes left, %v", len(rest), err)
	}
	if c.CAR != "DESRCACC100001" || c.CHR != c.CAR || c.From != "2012-11-09" || c.To != "2032-11-08" || c.Key.Curve.Name != "brainpoolP256r1" || c.IsRequest() {
		t.Errorf("%+v", c)
	}
	if err := c.VerifyBy(c.Key); err != nil {
		t.Error(err)
	}
	// Every byte counts: with one of its bits turned it is refused, or the
	// signature does not verify.
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1 << (i % 8)
		c, _, err := Parse(bad)
		if err == nil && c.VerifyBy(c.Key) == nil {
			t.Fatalf("byte %d, bit %d turned: still verifies", i, i%8)
		}
	}
}

func TestAttested(t *testing.T) {
	root, device, deviceKey := chain(t)
	if err := device.VerifyBy(root.Key); err != nil {
		t.Error(err)
	}
	for name, key := range map[string]signer{"EC": ecKey(t, "secp384r1"), "RSA": rsaKey(t)} {
		a := attested(t, key, deviceKey, device)
		if !a.Request.IsRequest() || !a.Request.Key.Equal(key.pub) || a.Request.CHR != "ZZTESTDEV00002" {
			t.Errorf("%s: %+v", name, a.Request)
		}
		if err := a.Verify(device); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := a.Verify(root); err == nil || !strings.Contains(err.Error(), "signed by") {
			t.Errorf("%s, by another device: %v", name, err)
		}
		forged := *device
		forged.Key = key.pub
		if err := a.Verify(&forged); err == nil || !strings.Contains(err.Error(), "does not verify") {
			t.Errorf("%s, by another device of the same name: %v", name, err)
		}
	}
}

func TestRequestSignedByAnother(t *testing.T) {
	_, device, deviceKey := chain(t)
	key, other := ecKey(t, "secp256r1"), ecKey(t, "secp256r1")
	a := attested(t, signer{key.pub, other.sign}, deviceKey, device)
	if err := a.Verify(device); err == nil || !strings.Contains(err.Error(), "its own signature") {
		t.Errorf("got %v", err)
	}
	if key.pub.Equal(other.pub) || (PublicKey{}).Equal(PublicKey{}) || !key.pub.Equal(key.pub) {
		t.Error("Equal is wrong")
	}
	if key.pub.Size() != 256 {
		t.Errorf("size %d", key.pub.Size())
	}
}

// TestParseRefuses changes one object of a good certificate.
func TestParseRefuses(t *testing.T) {
	root, _, _ := chain(t)
	outer, _, err := tlv.Next(root.Raw)
	if err != nil {
		t.Fatal(err)
	}
	body, _, err := tlv.Next(outer.Value)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := tlv.All(body.Value)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change map[uint32][]byte, drop uint32) []byte {
		var b []byte
		for _, f := range fields {
			value, changed := change[f.Tag]
			if !changed {
				value = f.Value
			}
			if f.Tag != drop {
				b = tlv.Append(b, f.Tag, value)
			}
		}
		b = tlv.Append(nil, TagBody, b)
		return tlv.Append(nil, TagCertificate, b, tlv.Append(nil, TagSignature, root.Signature))
	}
	if c, _, err := Parse(with(nil, 0)); err != nil || !bytes.Equal(c.Raw, root.Raw) {
		t.Fatalf("unchanged: %v", err)
	}
	key := func(tags ...uint32) []byte { // the EC key without one tag, or with another value
		list, _ := tlv.All(fields[2].Value)
		var b []byte
		for _, o := range list {
			switch {
			case len(tags) == 1 && o.Tag == tags[0]:
			case len(tags) == 2 && o.Tag == tags[0]:
				b = tlv.Append(b, o.Tag, bytes.Repeat([]byte{byte(tags[1])}, len(o.Value)))
			default:
				b = tlv.Append(b, o.Tag, o.Value)
			}
		}
		return b
	}
	rsaValue := func(n, e []byte) []byte {
		return tlv.Append(tlv.Append(appendOID(nil, OIDRSA), 0x81, n), 0x82, e)
	}
	modulus := bytes.Repeat([]byte{0xFF}, 256)
	otherOID := tlv.Append(nil, 0x06, []byte{0x2A, 0x03})
	for _, c := range []struct {
		want string
		in   []byte
	}{
		{"profile 01", with(map[uint32][]byte{TagProfile: {1}}, 0)},
		{"7 characters", with(map[uint32][]byte{TagCAR: []byte("ZZ00001")}, 0)},
		{"21 characters", with(map[uint32][]byte{TagCHR: bytes.Repeat([]byte("Z"), 21)}, 0)},
		{"not printable", with(map[uint32][]byte{TagCHR: []byte("ZZ\x00TEST00001")}, 0)},
		{"date of 5", with(map[uint32][]byte{TagFrom: {2, 6, 0, 1, 0}}, 0)},
		{"six digits", with(map[uint32][]byte{TagFrom: {2, 10, 0, 1, 0, 1}}, 0)},
		{"no such day", with(map[uint32][]byte{TagTo: {2, 6, 1, 3, 0, 1}}, 0)},
		{"7F4F where", tlv.Append(nil, TagCertificate, tlv.Append(nil, 0x7F4F))},
		{"5F37 is missing", tlv.Append(nil, TagCertificate, body.Raw)},
		{"one too many", tlv.Append(nil, TagCertificate, outer.Value, tlv.Append(nil, TagSignature))},
		{"tag 30", []byte{0x30, 0}},
		{"ends inside", []byte{0x7F, 0x21, 5}},
		{"5F25", with(nil, TagFrom)},
		{"7F4C", with(nil, TagAuthorization)},
		{"7F49", with(nil, TagPublicKey)},
		{"no OID", with(map[uint32][]byte{TagPublicKey: {}}, 0)},
		{"is no OID", with(map[uint32][]byte{TagPublicKey: {0x06, 0x00}}, 0)},
		{"1.2.3 is not known", with(map[uint32][]byte{TagPublicKey: otherOID}, 0)},
		{"86", with(map[uint32][]byte{TagPublicKey: key(0x86)}, 0)},
		{"no curve over", with(map[uint32][]byte{TagPublicKey: key(0x81, 3)}, 0)},
		{"parameter 82", with(map[uint32][]byte{TagPublicKey: key(0x82, 3)}, 0)},
		{"parameter 84", with(map[uint32][]byte{TagPublicKey: key(0x84, 3)}, 0)},
		{"point of brainpoolP256r1", with(map[uint32][]byte{TagPublicKey: key(0x86, 4)}, 0)},
		{"cofactor", with(map[uint32][]byte{TagPublicKey: key(0x87, 4)}, 0)},
		{"modulus of 16", with(map[uint32][]byte{TagPublicKey: rsaValue(modulus[:16], []byte{3})}, 0)},
		{"exponent 04", with(map[uint32][]byte{TagPublicKey: rsaValue(modulus, []byte{4})}, 0)},
		{"exponent 00", with(map[uint32][]byte{TagPublicKey: rsaValue(modulus, []byte{0})}, 0)},
	} {
		if got, _, err := Parse(c.in); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(c.want, "exponent 0")) {
			t.Errorf("want an error with %q, got %+v, %v", c.want, got, err)
		}
	}
}

func TestParseAttestedRefuses(t *testing.T) {
	_, device, deviceKey := chain(t)
	a := attested(t, ecKey(t, "secp256r1"), deviceKey, device)
	parts, err := tlv.All(a.Raw)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := tlv.All(parts[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	for want, b := range map[string][]byte{
		"tag 7F21, expected 67": device.Raw,
		"bytes after it":        append(bytes.Clone(a.Raw), 0),
		"42 is missing":         tlv.Append(nil, TagAttested, inner[0].Raw),
		"characters":            tlv.Append(nil, TagAttested, inner[0].Raw, tlv.Append(nil, TagCAR, []byte("ZZ")), inner[2].Raw),
		"where 7F4E":            tlv.Append(nil, TagAttested, tlv.Append(nil, TagCertificate, inner[1].Raw), inner[1].Raw, inner[2].Raw),
		"ends inside":           a.Raw[:40],
	} {
		if _, err := ParseAttested(b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestExtensions(t *testing.T) {
	key := ecKey(t, "secp256r1")
	c, err := Issue(&Certificate{CHR: "ZZTESTDEV00002", Key: key.pub, Extensions: []byte{0x73, 0}}, key.sign)
	if err != nil || !bytes.Equal(c.Extensions, []byte{0x73, 0}) || c.CAR != "" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestIssueRefuses(t *testing.T) {
	key := ecKey(t, "secp256r1")
	for want, c := range map[string]*Certificate{
		"characters":  {CHR: "ZZ", Key: key.pub},
		"no OID":      {CHR: "ZZTESTDEV00002"},
		"date of 0":   {CHR: "ZZTESTDEV00002", Key: key.pub, Authorization: role},
		"no such day": {CHR: "ZZTESTDEV00002", Key: key.pub, Authorization: role, From: "2026-01-02", To: "2026-13-02"},
		"six digits":  {CHR: "ZZTESTDEV00002", Key: key.pub, Authorization: role, From: "2026-01-0x", To: "2026-12-02"},
	} {
		if got, err := Issue(c, key.sign); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %+v, %v", want, got, err)
		}
	}
	failing := func([]byte) ([]byte, error) { return nil, os.ErrClosed }
	if _, err := Issue(&Certificate{CHR: "ZZTESTDEV00002", Key: key.pub}, failing); err == nil {
		t.Error("a signer that fails is not noticed")
	}
	c, err := Issue(&Certificate{CHR: "ZZTESTDEV00002", Key: key.pub}, key.sign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Attest(c, "ZZTESTDEV00001", failing); err == nil {
		t.Error("a device that fails is not noticed")
	}
	if err := key.pub.Verify(nil, make([]byte, 63)); err == nil {
		t.Error("a signature of 63 bytes passes")
	}
	if k := (PublicKey{Modulus: big.NewInt(0xFF)}); k.Size() != 8 {
		t.Errorf("size %d", k.Size())
	}
}

// FuzzParse: what is understood is what was there, byte for byte, and checking
// it does not fail in another way than by an error.
func FuzzParse(f *testing.F) {
	root, device, deviceKey := chain(f)
	a := attested(f, ecKey(f, "secp256r1"), deviceKey, device)
	b := attested(f, rsaKey(f), deviceKey, device)
	for _, seed := range [][]byte{root.Raw, device.Raw, a.Raw, b.Raw, a.Request.Raw} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if c, rest, err := Parse(in); err == nil {
			if !bytes.Equal(append(bytes.Clone(c.Raw), rest...), in) {
				t.Error("Raw and the rest are not the input")
			}
			_ = c.VerifyBy(c.Key)
		}
		if a, err := ParseAttested(in); err == nil {
			if !bytes.Equal(a.Raw, in) || !bytes.HasPrefix(a.Signed, a.Request.Raw) {
				t.Error("Raw or Signed is not the input's")
			}
			_ = a.Verify(device)
		}
	})
}
