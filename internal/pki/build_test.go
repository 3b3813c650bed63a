package pki

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestSerialFromRandom(t *testing.T) {
	for random, want := range map[string]string{
		strings.Repeat("00", 16):           "40000000000000000000000000000000",
		strings.Repeat("ff", 16):           "7fffffffffffffffffffffffffffffff",
		"8000000000000000000000000000000a": "4000000000000000000000000000000a",
		"3f0102030405060708090a0b0c0d0e0f": "7f0102030405060708090a0b0c0d0e0f",
	} {
		b := unhex(random)
		if got := SerialFromRandom(b).Text(16); got != want || !bytes.Equal(b, unhex(random)) {
			t.Errorf("%s: %s, want %s", random, got, want)
		}
	}
	for _, n := range []int{0, 8, 15, 17, 20} {
		if got := SerialFromRandom(make([]byte, n)); got != nil {
			t.Errorf("%d bytes give %v", n, got)
		}
	}
}

// TestRefusedCertificates asks for certificates that must not be made.
func TestRefusedCertificates(t *testing.T) {
	rootKey, subKey := softKey(t, "P-384", "root"), softKey(t, "P-256", "sub").Public()
	root := makeRoot(t, rootKey, start)
	sub := makeSub(t, root, rootKey, subKey, start)
	limited := *root.cert
	limited.MaxPathLen, limited.MaxPathLenZero = 1, false
	noKeyID := *root.cert
	noKeyID.SubjectKeyId = nil
	noSign := *root.cert
	noSign.KeyUsage = x509.KeyUsageCRLSign
	weak := &rsa.PublicKey{N: odd(2048), E: 65537}
	for _, c := range []struct {
		name   string
		change func(*CertificateRequest)
		want   string
	}{
		{"template", func(r *CertificateRequest) { r.Profile.Template = "sub-ca-tls" }, "was not merged"},
		{"bad profile", func(r *CertificateRequest) { r.Profile.CRLURL = "" }, "crl_url: missing"},
		{"CRL profile", func(r *CertificateRequest) { r.Profile = crlProfile() }, "the profile is for a crl"},
		{"no key", func(r *CertificateRequest) { r.SubjectKey = nil }, "the subject's key: there is no key"},
		{"weak key", func(r *CertificateRequest) { r.SubjectKey = weak }, "the subject's key: the RSA modulus can be divided by 3"},
		{"weak issuer", func(r *CertificateRequest) { r.IssuerKey = weak }, "the issuer's key: the RSA modulus"},
		{"few random bytes", func(r *CertificateRequest) { r.Serial = r.Serial[:8] }, "needs 16 random bytes, there are 8"},
		{"no random bytes", func(r *CertificateRequest) { r.Serial = nil }, "there are 0"},
		{"broken generator", func(r *CertificateRequest) { r.Serial = bytes.Repeat([]byte{7}, 16) }, "are all 07"},
		{"no time", func(r *CertificateRequest) { r.NotBefore = time.Time{} }, "notBefore is missing"},
		{"no issuer", func(r *CertificateRequest) { r.Issuer = nil }, "a sub-ca by another"},
		{"root with issuer", func(r *CertificateRequest) { r.Profile = rootProfile() }, "a root-ca is signed by itself"},
		{"root with another's key", func(r *CertificateRequest) { r.Profile, r.Issuer = rootProfile(), nil }, "must be signed by its own key"},
		{"issuer's own key", func(r *CertificateRequest) { r.SubjectKey = r.IssuerKey }, "is the issuer's own key"},
		{"issuer's own name", func(r *CertificateRequest) { r.Profile.Subject = rootProfile().Subject }, "the same name as its issuer"},
		{"another key signs", func(r *CertificateRequest) { r.IssuerKey = softKey(t, "P-384", "other").Public() }, "is for another key"},
		{"issuer without identifier", func(r *CertificateRequest) { r.Issuer = &noKeyID }, "no subject key identifier"},
		{"issuer that may not sign", func(r *CertificateRequest) { r.Issuer = &noSign }, "lacks the key usage"},
		{"path length 0 above", func(r *CertificateRequest) {
			r.Issuer, r.IssuerKey, r.SubjectKey = sub.cert, subKey, rootKey.Public()
			r.Profile.Subject.CommonName = "Below"
		}, "path length is 0"},
		{"path length 1 above 1", func(r *CertificateRequest) { r.Issuer, r.Profile.PathLength = &limited, "1" }, "path length is 1"},
		{"no path length below 1", func(r *CertificateRequest) { r.Issuer, r.Profile.PathLength = &limited, None }, "path length is 1"},
		{"too long", func(r *CertificateRequest) { r.Profile.Validity = "11y" }, "after its issuer"},
		{"too early", func(r *CertificateRequest) { r.NotBefore = start.Add(-time.Second) }, "before its issuer"},
		{"digest", func(r *CertificateRequest) { r.Profile.Digest = "SHA-256" }, "does not go with a P-384 key"},
	} {
		r := CertificateRequest{Profile: subProfile(), SubjectKey: subKey, Issuer: root.cert, IssuerKey: rootKey.Public(), Serial: randomBytes(1), NotBefore: start}
		c.change(&r)
		if _, err := NewCertificate(r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	r := CertificateRequest{Profile: subProfile(), SubjectKey: subKey, Issuer: &limited, IssuerKey: rootKey.Public(), Serial: randomBytes(1), NotBefore: start.Add(999 * time.Millisecond)}
	tbs, err := NewCertificate(r)
	if err != nil {
		t.Fatal(err)
	}
	if tbs.Serial.Cmp(SerialFromRandom(r.Serial)) != 0 || tbs.Object != ObjectCertificate || tbs.Mechanism != MechanismECDSA || tbs.Digest != crypto.SHA384 {
		t.Errorf("TBS %+v", tbs)
	}
}

// TestRefusedCRLs asks for CRLs that must not be made.
func TestRefusedCRLs(t *testing.T) {
	key := softKey(t, "P-256", "root")
	root := makeRoot(t, key, start)
	noSign := *root.cert
	noSign.KeyUsage = x509.KeyUsageCertSign
	one := Revoked{big.NewInt(1), start, "superseded"}
	for _, c := range []struct {
		name   string
		change func(*CRLRequest)
		want   string
	}{
		{"profile", func(r *CRLRequest) { r.Profile = rootProfile() }, "the profile is for a root-ca"},
		{"bad profile", func(r *CRLRequest) { r.Profile.NextUpdate = "2y" }, "over the 12 months"},
		{"no issuer", func(r *CRLRequest) { r.Issuer = nil }, "issuer's certificate is missing"},
		{"no key", func(r *CRLRequest) { r.IssuerKey = nil }, "there is no key"},
		{"another key", func(r *CRLRequest) { r.IssuerKey = softKey(t, "P-256", "other").Public() }, "is for another key"},
		{"no right", func(r *CRLRequest) { r.Issuer = &noSign }, "lacks the key usage"},
		{"no number", func(r *CRLRequest) { r.Number = nil }, "CRL number <nil>"},
		{"number 0", func(r *CRLRequest) { r.Number = new(big.Int) }, "CRL number 0"},
		{"long number", func(r *CRLRequest) { r.Number = odd(160) }, "at most 20 bytes"},
		{"no time", func(r *CRLRequest) { r.ThisUpdate = time.Time{} }, "thisUpdate is missing"},
		{"late", func(r *CRLRequest) { r.NextUpdate = start.AddDate(1, 0, 1) }, "by at most 12 months"},
		{"at once", func(r *CRLRequest) { r.NextUpdate = start }, "must be after"},
		{"hold", func(r *CRLRequest) { r.Revoked = []Revoked{{big.NewInt(1), start, "certificateHold"}} }, `"certificateHold" is none of`},
		{"no reason", func(r *CRLRequest) { r.Revoked = []Revoked{{big.NewInt(1), start, ""}} }, `reason "" is none of`},
		{"no serial", func(r *CRLRequest) { r.Revoked = []Revoked{{nil, start, "superseded"}} }, "is not from 1"},
		{"serial 0", func(r *CRLRequest) { r.Revoked = []Revoked{{new(big.Int), start, "superseded"}} }, "is not from 1"},
		{"twice", func(r *CRLRequest) { r.Revoked = []Revoked{one, {big.NewInt(2), start, "superseded"}, one} }, "stands twice"},
		{"future", func(r *CRLRequest) { r.Revoked = []Revoked{{big.NewInt(1), start.Add(time.Second), "superseded"}} }, "is after thisUpdate"},
		{"never", func(r *CRLRequest) { r.Revoked = []Revoked{{big.NewInt(1), time.Time{}, "superseded"}} }, "or missing"},
		{"digest", func(r *CRLRequest) { r.Profile.Digest = "SHA-512" }, "does not go with a P-256 key"},
	} {
		r := CRLRequest{Profile: crlProfile(), Issuer: root.cert, IssuerKey: key.Public(), Number: big.NewInt(1), ThisUpdate: start}
		c.change(&r)
		if _, err := NewCRL(r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestAllReasons revokes for each reason and reads it back with crypto/x509.
func TestAllReasons(t *testing.T) {
	key := softKey(t, "P-256", "root")
	root := makeRoot(t, key, start)
	var list []Revoked
	for i, r := range Reasons() {
		list = append([]Revoked{{big.NewInt(int64(100 + i)), start, r}}, list...)
	}
	crl := makeCRL(t, root, key, 1, start, list...)
	mustPass(t, CheckCRL(crl.der, Known{Issuer: root.der}))
	parsed, err := x509.ParseRevocationList(crl.der)
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.CheckSignatureFrom(root.cert); err != nil {
		t.Error(err)
	}
	for i, e := range parsed.RevokedCertificateEntries {
		if e.SerialNumber.Int64() != int64(100+i) || reasonName(e.ReasonCode) != Reasons()[i] {
			t.Errorf("entry %d: serial %v, reason %d", i, e.SerialNumber, e.ReasonCode)
		}
	}
	if len(parsed.RevokedCertificateEntries) != len(list) || reasonName(-1) != "-1" || reasonName(99) != "99" {
		t.Errorf("%d entries", len(parsed.RevokedCertificateEntries))
	}
}

// TestSign gives the signer exactly the input and takes only a signature that
// holds.
func TestSign(t *testing.T) {
	for _, alg := range []string{"P-256", "P-384", "P-521", "RSA-2048"} {
		key := softKey(t, alg, "root")
		root := makeRoot(t, key, start)
		tbs := root.tbs
		h := tbs.Digest.New()
		h.Write(tbs.DER)
		if digest := h.Sum(nil); !bytes.HasSuffix(tbs.Input, digest) || tbs.Mechanism == MechanismECDSA && len(tbs.Input) != len(digest) {
			t.Errorf("%s: input %x for digest %x", alg, tbs.Input, digest)
		}
		var given, signature []byte
		der, err := tbs.Sign(func(input []byte) (s []byte, err error) {
			given = bytes.Clone(input)
			signature, err = asToken(key)(input)
			clear(input)
			return signature, err
		})
		if err != nil || !bytes.Equal(given, tbs.Input) {
			t.Fatalf("%s: %v, given %x", alg, err, given)
		}
		again, err := AssembleFromTBS(bytes.Clone(tbs.DER), signature, key.Public())
		if err != nil || !bytes.Equal(again, der) {
			t.Errorf("%s: assembled again it is another: %v", alg, err)
		}
		loaded, err := LoadTBS(tbs.DER, key.Public())
		if err != nil || !bytes.Equal(loaded.Input, tbs.Input) || loaded.Mechanism != tbs.Mechanism || loaded.Digest != tbs.Digest || loaded.Serial.Cmp(tbs.Serial) != 0 {
			t.Errorf("%s: loaded %+v, %v", alg, loaded, err)
		}
		if again, err := loaded.Assemble(signature); err != nil || !bytes.Equal(again, der) {
			t.Errorf("%s: %v", alg, err)
		}
		testWrongSignatures(t, alg, tbs, signature)
	}
	lost := errors.New("the token is gone")
	if _, err := makeRoot(t, softKey(t, "P-256", "root"), start).tbs.Sign(func([]byte) ([]byte, error) { return nil, lost }); !errors.Is(err, lost) {
		t.Errorf("the signer's error became %v", err)
	}
}

func testWrongSignatures(t *testing.T, alg string, tbs *TBS, signature []byte) {
	t.Helper()
	changed := bytes.Clone(signature)
	changed[3] ^= 1
	zero := make([]byte, len(signature))
	for name, s := range map[string][]byte{
		"none": nil, "short": signature[1:], "long": append(bytes.Clone(signature), 0), "changed": changed, "zero": zero,
		"DER": wrap(tagSequence, unsigned(signature[:len(signature)/2]), unsigned(signature[len(signature)/2:])),
	} {
		if der, err := tbs.Assemble(s); err == nil {
			t.Errorf("%s: signature %q gives %x", alg, name, der)
		}
	}
	other := softKey(t, alg, "other")
	if _, err := tbs.Sign(asToken(other)); err == nil || !strings.Contains(err.Error(), "not one of the issuer's key") {
		t.Errorf("%s: another key's signature: %v", alg, err)
	}
	if _, err := AssembleFromTBS(tbs.DER, signature, other.Public()); err == nil {
		t.Errorf("%s: the signature passes for another key's", alg)
	}
}

func TestLoadRefuses(t *testing.T) {
	key := softKey(t, "P-256", "root")
	root := makeRoot(t, key, start)
	for name, c := range map[string]struct {
		der []byte
		key crypto.PublicKey
	}{
		"nothing":         {nil, key.Public()},
		"text":            {[]byte("hello, world"), key.Public()},
		"whole":           {root.der, key.Public()},
		"empty sequence":  {wrap(tagSequence), key.Public()},
		"more":            {append(bytes.Clone(root.tbs.DER), 0), key.Public()},
		"another curve":   {root.tbs.DER, softKey(t, "P-384", "root").Public()},
		"another kind":    {root.tbs.DER, softKey(t, "RSA-2048", "root").Public()},
		"no key":          {root.tbs.DER, nil},
		"huge":            {make([]byte, maxSigned+1), key.Public()},
		"other algorithm": {bytes.Replace(root.tbs.DER, unhex("06082a8648ce3d040302"), unhex("06082a8648ce3d040301"), 1), key.Public()},
	} {
		if tbs, err := LoadTBS(c.der, c.key); err == nil {
			t.Errorf("%s: loaded as %+v", name, tbs)
		}
		if _, err := AssembleFromTBS(c.der, make([]byte, 64), c.key); err == nil {
			t.Errorf("%s: assembled", name)
		}
	}
	if _, _, _, err := SplitSigned(make([]byte, maxSigned+1)); err == nil {
		t.Error("a huge object is split")
	}
}

// TestSubjectKeyID compares the key identifier with one made by hand.
func TestSubjectKeyID(t *testing.T) {
	id, err := SubjectKeyID(softKey(t, "P-256", "root").Public())
	if err != nil || len(id) != 20 {
		t.Errorf("%x, %v", id, err)
	}
	root := makeRoot(t, softKey(t, "P-256", "root"), start)
	if !bytes.Equal(root.cert.SubjectKeyId, id) || !bytes.Equal(root.cert.AuthorityKeyId, id) {
		t.Errorf("certificate has %x and %x, want %x", root.cert.SubjectKeyId, root.cert.AuthorityKeyId, id)
	}
	if _, err := SubjectKeyID("no key"); err == nil {
		t.Error("a string has a key identifier")
	}
	if _, err := keyIDOf([]byte{0x30, 0}); err == nil {
		t.Error("an empty SPKI has a key identifier")
	}
}
