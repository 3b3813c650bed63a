package simcard

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"testing"
	"time"

	"github.com/keyrite/keyrite/internal/cvc"
	"github.com/keyrite/keyrite/internal/cvc/curve"
	"github.com/keyrite/keyrite/internal/cvc/tlv"
	"github.com/keyrite/keyrite/internal/simcard/apdu"
)

// ecWish is what OpenSC sends to generate a key on a curve.
func ecWish(t *testing.T, name string) []byte {
	t.Helper()
	c, ok := curve.Named(name)
	if !ok {
		t.Fatalf("there is no curve %q", name)
	}
	oid, _ := hex.DecodeString("060A04007F00070202020203")
	key := append(oid, tlv.Append(nil, 0x81, c.P.Bytes())...)
	key = tlv.Append(key, 0x82, c.A.FillBytes(make([]byte, c.Size)))
	key = tlv.Append(key, 0x87, []byte{1})
	return wishOf(key)
}

func rsaWish(bits int, e ...byte) []byte {
	oid, _ := hex.DecodeString("060A04007F00070202020102")
	key := tlv.Append(oid, 0x82, e)
	return wishOf(tlv.Append(key, 0x02, []byte{byte(bits >> 8), byte(bits)}))
}

func wishOf(key []byte) []byte {
	b := tlv.Append(nil, cvc.TagProfile, []byte{0})
	b = tlv.Append(b, cvc.TagCAR, []byte("UTCA00001"))
	b = tlv.Append(b, cvc.TagPublicKey, key)
	return tlv.Append(b, cvc.TagCHR, []byte("ZZSIM00000100001"))
}

// generate makes a key and returns what attests it.
func (k *bench) generate(id byte, wish []byte) *cvc.Attested {
	k.Helper()
	data, status := k.give(command(0, 0x46, id, 0, wish, apdu.MaxExtended))
	if status != apdu.OK {
		k.Fatalf("generating key %d: %v", id, status)
	}
	a, err := cvc.ParseAttested(data)
	if err != nil {
		k.Fatal(err)
	}
	return a
}

// TestAttestation: what the card says of a key leads to the test root.
func TestAttestation(t *testing.T) {
	k := newBench(t)
	k.ok(userRight)
	a := k.generate(1, ecWish(t, "secp384r1"))
	chain, _ := k.give(command(0, 0xB1, 0x2F, 0x02, []byte{0x54, 2, 0, 0}, 4096))
	device, rest, err := cvc.Parse(chain)
	if err != nil {
		t.Fatal(err)
	}
	issuer, rest, err := cvc.Parse(rest)
	if err != nil || len(rest) > 0 {
		t.Fatal(err, rest)
	}
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Root()
	if err != nil || !bytes.Equal(root.Raw, again.Raw) {
		t.Error("the root certificate is another each time")
	}
	for what, err := range map[string]error{"root": root.VerifyBy(root.Key), "issuer": issuer.VerifyBy(root.Key), "device": device.VerifyBy(issuer.Key), "key": a.Verify(device)} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if device.CHR != "ZZSIM00000100001" || device.CAR != issuer.CHR || issuer.CAR != root.CHR {
		t.Errorf("chain %s, %s, %s", device.CHR, issuer.CHR, root.CHR)
	}
	kept, _ := k.give(command(0, 0xB1, 0xCE, 1, []byte{0x54, 2, 0, 0}, 4096))
	if !bytes.Equal(kept, a.Raw) {
		t.Error("CE01 holds something else")
	}
}

func TestGenerateRefuses(t *testing.T) {
	k := newBench(t)
	good := ecWish(t, "secp256r1")
	if _, s := k.give(command(0, 0x46, 1, 0, good, 65536)); s != apdu.NotAuthenticated {
		t.Errorf("without the PIN: %v", s)
	}
	k.ok(userRight)
	k.generate(1, good)
	noCurve := wishOf(tlv.Append(nil, 0x81, []byte{7}))
	for _, c := range []struct {
		p1, p2 byte
		wish   []byte
		want   apdu.Status
	}{
		{1, 0, good, apdu.FileExists},
		{0, 0, good, apdu.WrongParameters},
		{2, 1, good, apdu.WrongParameters},
		{2, 0, good[:20], apdu.WrongData},
		{2, 0, noCurve, apdu.WrongData},
		{2, 0, wishOf([]byte{0x81}), apdu.WrongData},
		{2, 0, tlv.Append(nil, cvc.TagProfile, []byte{0}), apdu.WrongData},
		{2, 0, rsaWish(2048, 3), apdu.WrongData},
		{2, 0, rsaWish(512, 1, 0, 1), apdu.WrongData},
		{2, 0, bytes.Replace(good, []byte("ZZSIM00000100001"), []byte("ZZ\x00IM00000100001"), 1), apdu.WrongData},
	} {
		if _, s := k.give(command(0, 0x46, c.p1, c.p2, c.wish, 65536)); s != c.want {
			t.Errorf("%d %d %x: %v, want %v", c.p1, c.p2, c.wish, s, c.want)
		}
	}
	if len(k.s.Keys) != 1 {
		t.Errorf("%d keys", len(k.s.Keys))
	}
}

func (k *bench) sign(id, algo byte, data []byte) []byte {
	k.Helper()
	out, status := k.give(command(0x80, 0x68, id, algo, data, 512))
	if status != apdu.OK {
		k.Fatalf("signing with key %d, algorithm %02X: %v", id, algo, status)
	}
	return out
}

func TestECDSA(t *testing.T) {
	k := newBench(t)
	k.ok(userRight)
	text := []byte("example")
	s256, s512 := sha256.Sum256(text), sha512.Sum512(text)
	for i, name := range []string{"secp256r1", "brainpoolP384r1", "secp521r1"} {
		id := byte(i + 1)
		pub := k.generate(id, ecWish(t, name)).Request.Key
		for algo, hash := range map[byte][]byte{0x70: s256[:], 0x73: s256[:], 0x75: s512[:]} {
			data := text
			if algo == 0x70 {
				data = hash
			}
			var sig struct{ R, S *big.Int }
			if _, err := asn1.Unmarshal(k.sign(id, algo, data), &sig); err != nil {
				t.Fatal(err)
			}
			if !pub.Curve.Verify(pub.Point, hash, sig.R, sig.S) {
				t.Errorf("%s, algorithm %02X: the signature does not verify", name, algo)
			}
		}
	}
	for want, c := range map[apdu.Status][]byte{
		apdu.WrongParameters:   command(0x80, 0x68, 1, 0x20, s256[:], 512),
		apdu.ReferenceNotFound: command(0x80, 0x68, 9, 0x70, s256[:], 512),
		apdu.WrongLength:       command(0x80, 0x68, 1, 0x70, nil, 512),
	} {
		if _, s := k.give(c); s != want {
			t.Errorf("%x: %v, want %v", c, s, want)
		}
	}
	k.want(apdu.WrongParameters, "8068017F01 AA 00")
	k.want(apdu.WrongLength, "8068017301 AA 10") // the answer does not fit Le
	k.ok(applet)
	k.want(apdu.NotAuthenticated, "8068017001 AA 00")
}

func TestECDH(t *testing.T) {
	k := newBench(t)
	k.ok(userRight)
	a := k.generate(1, ecWish(t, "brainpoolP256r1")).Request.Key
	b := k.generate(2, ecWish(t, "brainpoolP256r1")).Request.Key
	derive := func(id byte, peer cvc.PublicKey) []byte {
		out, s := k.give(command(0x80, 0x62, id, 0x80, peer.Curve.Bytes(peer.Point), 512))
		if s != apdu.OK || out[0] != 4 {
			t.Fatalf("deriving: %v", s)
		}
		return out
	}
	if !bytes.Equal(derive(1, b), derive(2, a)) {
		t.Error("the two sides derive different points")
	}
	k.want(apdu.WrongData, "8062018001 04 00")
	k.want(apdu.WrongParameters, "8062012101 04 00")
}

func TestRSA(t *testing.T) {
	k := newBench(t)
	k.ok(userRight)
	a := k.generate(1, rsaWish(2048, 1, 0, 1))
	if err := a.Request.VerifyBy(a.Request.Key); err != nil {
		t.Error(err)
	}
	pub := &rsa.PublicKey{N: a.Request.Key.Modulus, E: a.Request.Key.E}
	text := []byte("example")
	hash := sha256.Sum256(text)
	if err := rsa.VerifyPKCS1v15(pub, crypto.SHA256, hash[:], k.sign(1, 0x33, text)); err != nil {
		t.Error("hashed on the card: ", err)
	}
	prefix, _ := hex.DecodeString("3031300d060960864801650304020105000420")
	if err := rsa.VerifyPKCS1v15(pub, crypto.SHA256, hash[:], k.sign(1, 0x30, append(prefix, hash[:]...))); err != nil {
		t.Error("DigestInfo: ", err)
	}
	for algo, data := range map[byte][]byte{0x40: hash[:], 0x43: text} {
		if err := rsa.VerifyPSS(pub, crypto.SHA256, hash[:], k.sign(1, algo, data), &rsa.PSSOptions{SaltLength: 32}); err != nil {
			t.Errorf("PSS %02X: %v", algo, err)
		}
	}
	m := bytes.Repeat([]byte{5}, 256)
	raw := new(big.Int).SetBytes(k.sign(1, 0x20, m))
	if raw.Exp(raw, big.NewInt(65537), pub.N); !bytes.Equal(raw.Bytes(), m) {
		t.Error("raw: the power of e is not what was signed")
	}
	box := new(big.Int).Exp(new(big.Int).SetBytes(m), big.NewInt(65537), pub.N).FillBytes(make([]byte, 256))
	if out, s := k.give(command(0x80, 0x62, 1, 0x21, box, 512)); s != apdu.OK || !bytes.Equal(out, m) {
		t.Errorf("decrypted %x, %v", out, s)
	}
	for _, c := range []struct {
		ins, algo byte
		data      []byte
		want      apdu.Status
	}{
		{0x68, 0x20, m[:255], apdu.WrongLength},
		{0x68, 0x20, bytes.Repeat([]byte{0xFF}, 256), apdu.WrongData},
		{0x68, 0x40, hash[:31], apdu.WrongLength},
		{0x68, 0x30, make([]byte, 250), apdu.WrongData},
		{0x68, 0x70, hash[:], apdu.WrongParameters},
		{0x68, 0x3F, hash[:], apdu.WrongParameters},
		{0x62, 0x20, m, apdu.WrongParameters},
	} {
		if _, s := k.give(command(0x80, c.ins, 1, c.algo, c.data, 512)); s != c.want {
			t.Errorf("%02X %02X with %d bytes: %v, want %v", c.ins, c.algo, len(c.data), s, c.want)
		}
	}
}

// share is a DKEK share.
func share(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func TestDKEK(t *testing.T) {
	k := newBench(t)
	k.want(apdu.InstructionUnknown, "80520000 00")
	k.ok(initialized("920102", soRight))
	k.ok(userRight)
	k.generate(1, ecWish(t, "brainpoolP256r1"))
	k.generate(2, rsaWish(1024, 1, 0, 1))
	k.want(apdu.ConditionsNotMet, "80720192000000")
	if got := hex.EncodeToString(k.ok("80520000 00")); got != "02020000000000000000" {
		t.Errorf("before: %s", got)
	}
	k.want(apdu.WrongLength, "8052000001 AA 00")
	k.want(apdu.WrongParameters, "80520001 00")
	k.give(command(0x80, 0x52, 0, 0, share(1), 256))
	data, s := k.give(command(0x80, 0x52, 0, 0, share(2), 256))
	sum := sha256.Sum256(share(3))
	if want := append([]byte{2, 0}, sum[:8]...); s != apdu.OK || !bytes.Equal(data, want) {
		t.Errorf("after: %x, %v, want %x", data, s, want)
	}
	if _, s := k.give(command(0x80, 0x52, 0, 0, share(4), 256)); s != apdu.ConditionsNotMet {
		t.Errorf("a share too many: %v", s)
	}

	other := newBench(t)
	other.ok(initialized("920101", soRight))
	other.ok(userRight)
	for id := byte(1); id <= 2; id++ {
		blob, s := k.give(command(0x80, 0x72, id, 0x92, nil, 65536))
		if s != apdu.OK {
			t.Fatal(s)
		}
		if id == 1 {
			if _, s := other.give(command(0x80, 0x74, id, 0x93, blob, 0)); s != apdu.ConditionsNotMet {
				t.Errorf("before the DKEK is there: %v", s)
			}
			other.give(command(0x80, 0x52, 0, 0, share(3), 256)) // the same sum
		}
		for i := range blob {
			bad := bytes.Clone(blob)
			bad[i] ^= 1 << (i % 8)
			if _, s := other.give(command(0x80, 0x74, 7, 0x93, bad, 0)); s != apdu.WrongData {
				t.Fatalf("byte %d turned: %v", i, s)
			}
		}
		if _, s := other.give(command(0x80, 0x74, id, 0x93, blob, 0)); s != apdu.OK {
			t.Fatal(s)
		}
		if _, s := other.give(command(0x80, 0x74, id, 0x93, blob, 0)); s != apdu.FileExists {
			t.Errorf("twice: %v", s)
		}
		a, _ := k.s.Keys[id].public()
		b, err := other.s.Keys[id].public()
		if err != nil || !a.Equal(b) {
			t.Errorf("key %d is another one there", id)
		}
		if _, attested := other.s.Files[0xCE00|uint16(id)]; attested {
			t.Errorf("key %d came in and is attested as made there", id)
		}
	}
	stranger := newBench(t)
	stranger.ok(initialized("920100", soRight)) // a random one
	stranger.ok(userRight)
	blob, _ := k.give(command(0x80, 0x72, 1, 0x92, nil, 65536))
	if _, s := stranger.give(command(0x80, 0x74, 1, 0x93, blob, 0)); s != apdu.WrongData {
		t.Errorf("another DKEK: %v", s)
	}
	k.want(apdu.ReferenceNotFound, "80720992000000")
	k.want(apdu.WrongParameters, "80720191000000")
	k.want(apdu.WrongParameters, "8074009301 AA")
	k.ok(applet)
	k.want(apdu.NotAuthenticated, "80720192000000")
	k.want(apdu.NotAuthenticated, "8074019301 AA")
}

// TestOpenBlob: what is authentic and makes no sense all the same.
func TestOpenBlob(t *testing.T) {
	d := &dkek{Value: share(9)}
	for _, b := range [][]byte{nil, make([]byte, 40), make([]byte, 17+16+16)} {
		if k, err := d.open(b); err == nil {
			t.Errorf("%d bytes open as %+v", len(b), k)
		}
	}
	for _, c := range []struct {
		kind byte
		in   string
	}{{blobEC, "0001"}, {blobEC, "0001AA"}, {blobRSA, "000101 000101 000101 000101 000101"}, {9, ""},
		{blobEC, "0000 0000 000107 0000 0000 0000 000101"}} {
		b, _ := hex.DecodeString(string(bytes.ReplaceAll([]byte(c.in), []byte(" "), nil)))
		if k, err := readNumbers(c.kind, b); err == nil {
			t.Errorf("%s opens as %+v", c.in, k)
		}
	}
}

// TestCMAC: RFC 4493, section 4, which is for AES-128.
func TestCMAC(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	block, err := aes.NewCipher(unhex("2b7e151628aed2a6abf7158809cf4f3c"))
	if err != nil {
		t.Fatal(err)
	}
	m := unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{0: "bb1d6929e95937287fa37d129b756746", 16: "070a16b46b4d4144f79bdd9dd04a287c", 40: "dfa66747de9ae63030ca32611497c827", 64: "51f0bebf7e3b9d92fc49741779363cfe"} {
		if got := hex.EncodeToString(cmac(block, m[:n])); got != want {
			t.Errorf("%d bytes: %s, want %s", n, got, want)
		}
	}
}

func TestProfile(t *testing.T) {
	k := newBench(t)
	var slept time.Duration
	k.Card.profile, k.Card.sleep = Realistic(), func(d time.Duration) { slept += d }
	k.ok(userRight)
	step := func(what string, want time.Duration, f func()) {
		slept = 0
		f()
		if slept != want {
			t.Errorf("%s takes %v, want %v", what, slept, want)
		}
	}
	ms := time.Millisecond
	step("a challenge", 5*ms, func() { k.ok("0084000008") })
	step("an EC key", 605*ms, func() { k.generate(1, ecWish(t, "secp256r1")) })
	step("an EC signature", 90*ms, func() { k.sign(1, 0x70, share(1)) })
	step("an RSA key", 5*ms+10*time.Second/16, func() { k.generate(2, rsaWish(1024, 1, 0, 1)) })
	step("an RSA signature", 5*ms+27500*time.Microsecond, func() { k.sign(2, 0x33, share(1)) })
	if got := Realistic().generate(wish{bits: 4096}); got != 160*time.Second {
		t.Errorf("RSA 4096 takes %v", got)
	}
}

// TestRootIsKnown: the authority of these cards is known by its public key, as
// one that proves nothing.
func TestRootIsKnown(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range cvc.Roots() {
		key, err := r.Key()
		if err != nil {
			t.Fatal(err)
		}
		if key.Equal(root.Key) != r.Simulated || (r.CHR == root.CHR) != r.Simulated {
			t.Errorf("%s: simulated %v", r.CHR, r.Simulated)
		}
	}
}
