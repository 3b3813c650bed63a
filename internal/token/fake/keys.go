package fake

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"

	"github.com/keyrite/keyrite/internal/token"
)

// mechanisms that the fake knows, with their key sizes in bits.
var mechanisms = []struct {
	id  uint
	can token.KeySizes
}{
	{token.CKM_RSA_PKCS_KEY_PAIR_GEN, token.KeySizes{Min: 2048, Max: 4096, Flags: token.CKF_GENERATE_KEY_PAIR}},
	{token.CKM_RSA_PKCS, token.KeySizes{Min: 2048, Max: 4096, Flags: token.CKF_SIGN}},
	{token.CKM_EC_KEY_PAIR_GEN, token.KeySizes{Min: 256, Max: 521, Flags: token.CKF_GENERATE_KEY_PAIR}},
	{token.CKM_ECDSA, token.KeySizes{Min: 256, Max: 521, Flags: token.CKF_SIGN}},
}

// curves by the OID in CKA_EC_PARAMS (RFC 5480 section 2.1.1.1).
var curves = map[string]elliptic.Curve{
	"1.2.840.10045.3.1.7": elliptic.P256(),
	"1.3.132.0.34":        elliptic.P384(),
	"1.3.132.0.35":        elliptic.P521(),
}

func (m *Module) getMechanismList(c token.Call, r *token.Result) token.RV {
	if _, rv := m.present(c.Slot); rv != token.CKR_OK {
		return rv
	}
	for _, mech := range mechanisms {
		r.Mechanisms = append(r.Mechanisms, mech.id)
	}
	return token.CKR_OK
}

func (m *Module) getMechanismInfo(c token.Call, r *token.Result) token.RV {
	if _, rv := m.present(c.Slot); rv != token.CKR_OK {
		return rv
	}
	for _, mech := range mechanisms {
		if mech.id == c.Mechanism {
			r.KeySizes = mech.can
			return token.CKR_OK
		}
	}
	return token.CKR_MECHANISM_INVALID
}

func (m *Module) generateKeyPair(c token.Call, r *token.Result) token.RV {
	s, t, rv := m.session(c.Session)
	switch {
	case rv != token.CKR_OK:
		return rv
	case !s.readWrite:
		return token.CKR_SESSION_READ_ONLY
	case t.loggedIn != asUser:
		return token.CKR_USER_NOT_LOGGED_IN
	}
	pub, priv := newObject(c.Template), newObject(c.Private)
	switch c.Mechanism {
	case token.CKM_EC_KEY_PAIR_GEN:
		rv = m.generateEC(pub, priv)
	case token.CKM_RSA_PKCS_KEY_PAIR_GEN:
		rv = m.generateRSA(pub, priv)
	default:
		rv = token.CKR_MECHANISM_INVALID
	}
	if rv != token.CKR_OK {
		return rv
	}
	finish(pub, priv, c.Mechanism)
	r.Public, r.Private = m.handle(), m.handle()
	t.objects[r.Public], t.objects[r.Private] = pub, priv
	return token.CKR_OK
}

func newObject(template []token.Attribute) *object {
	o := &object{attributes: map[uint][]byte{}}
	for _, a := range template {
		o.attributes[a.Type] = append([]byte(nil), a.Value...)
	}
	return o
}

func (o *object) set(list ...token.Attribute) {
	for _, a := range list {
		o.attributes[a.Type] = a.Value
	}
}

// finish sets what a token adds to the templates.
func finish(pub, priv *object, mechanism uint) {
	pub.set(token.Ulong(token.CKA_CLASS, token.CKO_PUBLIC_KEY),
		token.Bool(token.CKA_LOCAL, true), token.Ulong(token.CKA_KEY_GEN_MECHANISM, mechanism))
	priv.set(token.Ulong(token.CKA_CLASS, token.CKO_PRIVATE_KEY),
		token.Bool(token.CKA_LOCAL, true), token.Ulong(token.CKA_KEY_GEN_MECHANISM, mechanism),
		token.Bool(token.CKA_ALWAYS_SENSITIVE, priv.is(token.CKA_SENSITIVE)),
		token.Bool(token.CKA_NEVER_EXTRACTABLE, !priv.is(token.CKA_EXTRACTABLE)))
	for _, attr := range []uint{token.CKA_EXTRACTABLE, token.CKA_SENSITIVE, token.CKA_PRIVATE, token.CKA_SIGN, token.CKA_TOKEN} {
		if _, ok := priv.attributes[attr]; !ok {
			priv.set(token.Bool(attr, false))
		}
	}
}

func (m *Module) generateEC(pub, priv *object) token.RV {
	params, ok := pub.attributes[token.CKA_EC_PARAMS]
	if !ok {
		return token.CKR_TEMPLATE_INCOMPLETE
	}
	var oid asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(params, &oid); err != nil || len(rest) > 0 {
		return token.CKR_ATTRIBUTE_VALUE_INVALID
	}
	curve, ok := curves[oid.String()]
	if !ok {
		return token.CKR_CURVE_NOT_SUPPORTED
	}
	key, err := ecdsa.GenerateKey(curve, m.Rand)
	if err != nil {
		return token.CKR_GENERAL_ERROR
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return token.CKR_GENERAL_ERROR
	}
	der, err := asn1.Marshal(point)
	if err != nil {
		return token.CKR_GENERAL_ERROR
	}
	priv.key = key
	pub.set(token.Bytes(token.CKA_EC_POINT, der), token.Ulong(token.CKA_KEY_TYPE, token.CKK_EC))
	priv.set(token.Bytes(token.CKA_EC_PARAMS, params), token.Ulong(token.CKA_KEY_TYPE, token.CKK_EC))
	return token.CKR_OK
}

func (m *Module) generateRSA(pub, priv *object) token.RV {
	bits, err := token.Attribute{Type: token.CKA_MODULUS_BITS, Value: pub.attributes[token.CKA_MODULUS_BITS]}.Ulong()
	if err != nil {
		return token.CKR_TEMPLATE_INCOMPLETE
	}
	if bits < 2048 || bits > 4096 {
		return token.CKR_KEY_SIZE_RANGE
	}
	key, err := rsa.GenerateKey(m.Rand, int(bits))
	if err != nil {
		return token.CKR_GENERAL_ERROR
	}
	priv.key = key
	e := big.NewInt(int64(key.E)).Bytes()
	for _, o := range []*object{pub, priv} {
		o.set(token.Bytes(token.CKA_MODULUS, key.N.Bytes()), token.Bytes(token.CKA_PUBLIC_EXPONENT, e),
			token.Ulong(token.CKA_KEY_TYPE, token.CKK_RSA))
	}
	return token.CKR_OK
}

func (m *Module) signInit(c token.Call, _ *token.Result) token.RV {
	s, t, rv := m.session(c.Session)
	if rv != token.CKR_OK {
		return rv
	}
	if s.signKey != nil {
		return token.CKR_OPERATION_ACTIVE
	}
	o := m.visible(t, c.Object)
	switch {
	case o == nil:
		return token.CKR_KEY_HANDLE_INVALID
	case o.key == nil || !o.is(token.CKA_SIGN):
		return token.CKR_KEY_FUNCTION_NOT_PERMITTED
	}
	switch o.key.(type) {
	case *ecdsa.PrivateKey:
		rv = want(c.Mechanism, token.CKM_ECDSA, token.CKM_RSA_PKCS)
	case *rsa.PrivateKey:
		rv = want(c.Mechanism, token.CKM_RSA_PKCS, token.CKM_ECDSA)
	}
	if rv == token.CKR_OK {
		s.signKey, s.mechanism = o, c.Mechanism
	}
	return rv
}

func want(mechanism, right, wrong uint) token.RV {
	switch mechanism {
	case right:
		return token.CKR_OK
	case wrong:
		return token.CKR_KEY_TYPE_INCONSISTENT
	}
	return token.CKR_MECHANISM_INVALID
}

func (m *Module) sign(c token.Call, r *token.Result) token.RV {
	s, _, rv := m.session(c.Session)
	if rv != token.CKR_OK {
		return rv
	}
	if s.signKey == nil {
		return token.CKR_OPERATION_NOT_INITIALIZED
	}
	key := s.signKey.key
	s.signKey = nil
	var err error
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		r.Signature, err = m.signEC(key, c.Data)
	case *rsa.PrivateKey:
		// Hash 0: Data is the DigestInfo, as CKM_RSA_PKCS takes it.
		r.Signature, err = rsa.SignPKCS1v15(nil, key, crypto.Hash(0), c.Data)
	}
	if err != nil {
		return token.CKR_DATA_LEN_RANGE
	}
	return token.CKR_OK
}

// signEC returns r‖s, each as long as the curve's order.
func (m *Module) signEC(key *ecdsa.PrivateKey, digest []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(m.Rand, key, digest)
	if err != nil {
		return nil, err
	}
	size := (key.Curve.Params().N.BitLen() + 7) / 8
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
}
