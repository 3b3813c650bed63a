package tokentest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"

	"github.com/keyrite/keyrite/internal/token"
)

// The curves of package tokentest, with their OIDs (RFC 5480 section 2.1.1.1).
var curves = []struct {
	curve elliptic.Curve
	oid   asn1.ObjectIdentifier
}{
	{elliptic.P256(), asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}},
	{elliptic.P384(), asn1.ObjectIdentifier{1, 3, 132, 0, 34}},
	{elliptic.P521(), asn1.ObjectIdentifier{1, 3, 132, 0, 35}},
}

// ECPair returns the call that generates an EC key pair on a named curve (P-256,
// P-384, P-521 as elliptic names them) with CKA_ID id and label "key".
func ECPair(session uint, curve string, id byte) token.Call {
	for _, c := range curves {
		if c.curve.Params().Name == curve {
			params, err := asn1.Marshal(c.oid)
			if err != nil {
				panic(err)
			}
			call := pair(session, token.CKM_EC_KEY_PAIR_GEN, id)
			call.Template = append(call.Template, token.Bytes(token.CKA_EC_PARAMS, params))
			return call
		}
	}
	panic("tokentest: no curve " + curve)
}

// RSAPair returns the call that generates an RSA key pair.
func RSAPair(session uint, bits uint, id byte) token.Call {
	call := pair(session, token.CKM_RSA_PKCS_KEY_PAIR_GEN, id)
	call.Template = append(call.Template, token.Ulong(token.CKA_MODULUS_BITS, bits),
		token.Bytes(token.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}))
	return call
}

func pair(session, mechanism uint, id byte) token.Call {
	return token.Call{
		Function: token.GenerateKeyPair, Session: session, Mechanism: mechanism,
		Template: []token.Attribute{
			token.Bool(token.CKA_TOKEN, true), token.Bool(token.CKA_PRIVATE, false),
			token.Bool(token.CKA_VERIFY, true),
			token.Bytes(token.CKA_ID, []byte{id}), token.Text(token.CKA_LABEL, "key"),
		},
		Private: []token.Attribute{
			token.Bool(token.CKA_TOKEN, true), token.Bool(token.CKA_PRIVATE, true),
			token.Bool(token.CKA_SENSITIVE, true), token.Bool(token.CKA_EXTRACTABLE, false),
			token.Bool(token.CKA_SIGN, true),
			token.Bytes(token.CKA_ID, []byte{id}), token.Text(token.CKA_LABEL, "key"),
		},
	}
}

// get reads one attribute that must be there.
func (h *harness) get(session, object, typ uint) token.Attribute {
	h.t.Helper()
	list := h.must(token.Call{Function: token.GetAttribute, Session: session, Object: object, Want: []uint{typ}}).Attributes
	if len(list) != 1 || list[0].Type != typ || list[0].Err != nil {
		h.t.Fatalf("reading %s: %+v", token.AttributeName(typ), list)
	}
	return list[0]
}

// find returns the objects that match a template.
func (h *harness) find(session uint, template ...token.Attribute) []uint {
	h.t.Helper()
	h.must(token.Call{Function: token.FindObjectsInit, Session: session, Template: template})
	defer h.must(token.Call{Function: token.FindObjectsFinal, Session: session})
	var found []uint
	for {
		batch := h.must(token.Call{Function: token.FindObjects, Session: session, Max: 2}).Objects
		if len(batch) == 0 {
			return found
		}
		if len(batch) > 2 {
			h.t.Fatalf("2 objects asked for, %d came", len(batch))
		}
		found = append(found, batch...)
	}
}

func testSearch(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.user()
	h.fails(token.Call{Function: token.FindObjects, Session: s, Max: 1}, token.CKR_OPERATION_NOT_INITIALIZED)
	h.fails(token.Call{Function: token.FindObjectsFinal, Session: s}, token.CKR_OPERATION_NOT_INITIALIZED)
	if found := h.find(s); len(found) != 0 {
		t.Errorf("a new token has %d objects", len(found))
	}
	a := h.must(ECPair(s, "P-256", 1))
	b := h.must(ECPair(s, "P-256", 2))
	if found := h.find(s); len(found) != 4 {
		t.Errorf("two key pairs are %d objects", len(found))
	}
	if found := h.find(s, token.Bytes(token.CKA_ID, []byte{2}), token.Ulong(token.CKA_CLASS, token.CKO_PRIVATE_KEY)); !slices.Equal(found, []uint{b.Private}) {
		t.Errorf("found %v, want %d", found, b.Private)
	}
	found := h.find(s, token.Ulong(token.CKA_CLASS, token.CKO_PUBLIC_KEY))
	slices.Sort(found)
	want := []uint{a.Public, b.Public}
	slices.Sort(want)
	if !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	if found := h.find(s, token.Text(token.CKA_LABEL, "other")); len(found) != 0 {
		t.Errorf("found %v by a label that nothing has", found)
	}
}

func testAttributes(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.user()
	keys := h.must(ECPair(s, "P-256", 7))
	// An EC key has no modulus: that one must not lose the others.
	r := h.must(token.Call{Function: token.GetAttribute, Session: s, Object: keys.Private,
		Want: []uint{token.CKA_LABEL, token.CKA_MODULUS, token.CKA_ID}})
	if len(r.Attributes) != 3 {
		t.Fatalf("three attributes asked for, %d came", len(r.Attributes))
	}
	if label, err := r.Attributes[0].Text(); err != nil || label != "key" {
		t.Errorf("label %q, %v", label, err)
	}
	if r.Attributes[1].Err != token.CKR_ATTRIBUTE_TYPE_INVALID || r.Attributes[1].Value != nil {
		t.Errorf("modulus of an EC key: %+v", r.Attributes[1])
	}
	if got := r.Attributes[2].Shown(); got != "07" {
		t.Errorf("id %s", got)
	}
	for _, attr := range []uint{token.CKA_SENSITIVE, token.CKA_EXTRACTABLE, token.CKA_ALWAYS_SENSITIVE,
		token.CKA_NEVER_EXTRACTABLE, token.CKA_LOCAL, token.CKA_SIGN, token.CKA_TOKEN, token.CKA_PRIVATE} {
		a := h.get(s, keys.Private, attr)
		if judged, why := h.model.Judge(attr, a.Value, true); judged == token.Bad {
			t.Errorf("%s is %s: %s", token.AttributeName(attr), a.Shown(), why)
		}
	}
}

func testEC(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.user()
	digest := sha256.Sum256([]byte("to be signed"))
	for i, c := range curves {
		name := c.curve.Params().Name
		keys := h.must(ECPair(s, name, byte(i)))
		var point []byte
		if _, err := asn1.Unmarshal(h.get(s, keys.Public, token.CKA_EC_POINT).Value, &point); err != nil {
			t.Fatal(err)
		}
		pub, err := ecdsa.ParseUncompressedPublicKey(c.curve, point)
		if err != nil {
			t.Fatal(err)
		}
		h.must(token.Call{Function: token.SignInit, Session: s, Mechanism: token.CKM_ECDSA, Object: keys.Private})
		sig := h.must(token.Call{Function: token.Sign, Session: s, Data: digest[:], For: 1}).Signature
		size := (c.curve.Params().BitSize + 7) / 8
		if len(sig) != 2*size {
			t.Fatalf("%s: a signature of %d bytes, want %d", name, len(sig), 2*size)
		}
		r, v := new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:])
		if !ecdsa.Verify(pub, digest[:], r, v) {
			t.Errorf("%s: the signature does not verify", name)
		}
	}
}

// sha256Prefix is the DER of a DigestInfo for SHA-256 up to the digest
// (RFC 8017 section 9.2, note 1).
var sha256Prefix = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

func testRSA(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.user()
	keys := h.must(RSAPair(s, 2048, 1))
	pub := &rsa.PublicKey{
		N: new(big.Int).SetBytes(h.get(s, keys.Public, token.CKA_MODULUS).Value),
		E: int(new(big.Int).SetBytes(h.get(s, keys.Public, token.CKA_PUBLIC_EXPONENT).Value).Int64()),
	}
	if pub.N.BitLen() != 2048 || pub.E != 65537 {
		t.Errorf("RSA key of %d bits, exponent %d", pub.N.BitLen(), pub.E)
	}
	digest := sha256.Sum256([]byte("to be signed"))
	h.must(token.Call{Function: token.SignInit, Session: s, Mechanism: token.CKM_RSA_PKCS, Object: keys.Private})
	sig := h.must(token.Call{Function: token.Sign, Session: s, Data: append(slices.Clone(sha256Prefix), digest[:]...), For: 1}).Signature
	if err := rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], sig); err != nil {
		t.Error(err)
	}
}

func testSigning(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.user()
	keys := h.must(ECPair(s, "P-256", 1))
	digest := sha256.Sum256([]byte("to be signed"))
	sign := token.Call{Function: token.Sign, Session: s, Data: digest[:], For: 1}
	h.fails(sign, token.CKR_OPERATION_NOT_INITIALIZED)
	init := token.Call{Function: token.SignInit, Session: s, Mechanism: token.CKM_ECDSA, Object: keys.Private}
	h.must(init)
	h.fails(init, token.CKR_OPERATION_ACTIVE)
	a := h.must(sign).Signature
	h.fails(sign, token.CKR_OPERATION_NOT_INITIALIZED) // one signature for each C_SignInit
	h.must(init)
	if b := h.must(sign).Signature; slices.Equal(a, b) {
		t.Error("two ECDSA signatures have the same nonce")
	}
	init.Mechanism = 0x7fffffff
	h.fails(init, token.CKR_MECHANISM_INVALID)
}

func testDestroy(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.user()
	keys := h.must(ECPair(s, "P-256", 1))
	for _, handle := range []uint{keys.Private, keys.Public} {
		h.must(token.Call{Function: token.DestroyObject, Session: s, Object: handle})
		h.fails(token.Call{Function: token.DestroyObject, Session: s, Object: handle}, token.CKR_OBJECT_HANDLE_INVALID)
	}
	if found := h.find(s); len(found) != 0 {
		t.Errorf("%d objects are left", len(found))
	}
}

// testVisibility: a private key is seen only after the login, and outlives the
// session.
func testVisibility(t *testing.T, m token.Module) {
	h := ready(t, m)
	s := h.user()
	h.must(ECPair(s, "P-256", 1))
	h.must(token.Call{Function: token.Logout, Session: s})
	private := token.Ulong(token.CKA_CLASS, token.CKO_PRIVATE_KEY)
	if found := h.find(s, private); len(found) != 0 {
		t.Errorf("%d private keys are seen without a login", len(found))
	}
	h.fails(ECPair(s, "P-256", 2), token.CKR_USER_NOT_LOGGED_IN)
	h.must(token.Call{Function: token.CloseSession, Session: s})
	if found := h.find(h.user(), private); len(found) != 1 {
		t.Errorf("%d private keys are there in the next session, want 1", len(found))
	}
}

func testWrongHandles(t *testing.T, m token.Module) {
	h := ready(t, m)
	const none = 0x7ffffff1
	for _, c := range []token.Call{
		{Function: token.GetSessionInfo}, {Function: token.Logout}, {Function: token.CloseSession},
		{Function: token.Login, User: token.NormalUser, PIN: pin(UserPIN)},
		{Function: token.InitPIN, PIN: pin(OtherPIN)},
		{Function: token.SetPIN, PIN: pin(UserPIN), NewPIN: pin(OtherPIN)},
		{Function: token.FindObjectsInit}, {Function: token.FindObjects, Max: 1}, {Function: token.FindObjectsFinal},
		{Function: token.GetAttribute, Object: 1, Want: []uint{token.CKA_LABEL}},
		{Function: token.DestroyObject, Object: 1},
		{Function: token.SignInit, Mechanism: token.CKM_ECDSA, Object: 1},
		{Function: token.Sign, Data: []byte{1}, For: 1},
		{Function: token.GenerateRandom, Length: 8, Purpose: token.PurposeSecret},
		ECPair(none, "P-256", 1),
	} {
		c.Session = none
		h.fails(c, token.CKR_SESSION_HANDLE_INVALID)
	}
	s := h.user()
	h.fails(token.Call{Function: token.GetAttribute, Session: s, Object: none, Want: []uint{token.CKA_LABEL}}, token.CKR_OBJECT_HANDLE_INVALID)
	h.fails(token.Call{Function: token.SignInit, Session: s, Mechanism: token.CKM_ECDSA, Object: none}, token.CKR_KEY_HANDLE_INVALID, token.CKR_OBJECT_HANDLE_INVALID)
}
