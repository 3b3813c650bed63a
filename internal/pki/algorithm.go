package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Names of PKCS#11 mechanisms that sign what is already hashed.
const (
	MechanismECDSA = "CKM_ECDSA"    // input: the digest; output: r‖s
	MechanismRSA   = "CKM_RSA_PKCS" // input: a DigestInfo; output: the PKCS #1 v1.5 signature
)

// An Algorithm is a kind and size of key. Exactly one of RSABits and Curve is
// set.
type Algorithm struct {
	Name    string // "RSA-2048", "P-384"
	RSABits int
	Curve   elliptic.Curve
}

// curves lists the curves that are supported: name, curve, namedCurve OID in
// DER and the digest that goes with it (BR 7.1.3.2.2).
var curves = []struct {
	name   string
	curve  elliptic.Curve
	params string
	hash   crypto.Hash
}{
	{"P-256", elliptic.P256(), "06082a8648ce3d030107", crypto.SHA256},
	{"P-384", elliptic.P384(), "06052b81040022", crypto.SHA384},
	{"P-521", elliptic.P521(), "06052b81040023", crypto.SHA512},
}

// rsaSizes are the modulus sizes that a key may be generated with.
var rsaSizes = []int{2048, 3072, 4096}

// ParseAlgorithm reads an algorithm's name: RSA-2048, RSA-3072, RSA-4096,
// P-256, P-384 or P-521. Anything else is an error.
func ParseAlgorithm(name string) (Algorithm, error) {
	for _, c := range curves {
		if c.name == name {
			return Algorithm{Name: name, Curve: c.curve}, nil
		}
	}
	if size, ok := strings.CutPrefix(name, "RSA-"); ok {
		bits, err := strconv.Atoi(size)
		if err == nil && slices.Contains(rsaSizes, bits) && strconv.Itoa(bits) == size {
			return Algorithm{Name: name, RSABits: bits}, nil
		}
	}
	return Algorithm{}, fmt.Errorf("algorithm %q is none of RSA-2048, RSA-3072, RSA-4096, P-256, P-384, P-521", name)
}

// AlgorithmOf names a public key's kind and size as in [ParseAlgorithm]; an
// RSA key of another size gets the name of its size ("RSA-8192"), any other
// key "unknown".
func AlgorithmOf(pub crypto.PublicKey) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k != nil && k.N != nil {
			return "RSA-" + strconv.Itoa(k.N.BitLen())
		}
	case *ecdsa.PublicKey:
		if k == nil {
			break
		}
		for _, c := range curves {
			if c.curve == k.Curve {
				return c.name
			}
		}
	}
	return "unknown"
}

// ECParams returns the DER of the namedCurve object identifier, the value of
// CKA_EC_PARAMS, for P-256, P-384 and P-521, and nil for every other name.
func ECParams(alg string) []byte {
	for _, c := range curves {
		if c.name == alg {
			return unhex(c.params)
		}
	}
	return nil
}

// unhex decodes a constant of this package.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic("pki: bad hex constant " + s)
	}
	return b
}

// A signatureAlgorithm is a row of the table of AlgorithmIdentifiers.
type signatureAlgorithm struct {
	name      string // as printed
	der       string // the whole AlgorithmIdentifier, hex
	hash      crypto.Hash
	mechanism string
	x509      x509.SignatureAlgorithm
	prefix    string // of the DigestInfo (RFC 8017 section 9.2 note 1), hex; RSA only
}

// signatureAlgorithms holds every AlgorithmIdentifier that is accepted, byte
// for byte as BR 7.1.3.2 writes them. Nothing with SHA-1 is among them.
var signatureAlgorithms = []signatureAlgorithm{
	{"RSA PKCS #1 v1.5 with SHA-256", "300d06092a864886f70d01010b0500", crypto.SHA256, MechanismRSA, x509.SHA256WithRSA, "3031300d060960864801650304020105000420"},
	{"RSA PKCS #1 v1.5 with SHA-384", "300d06092a864886f70d01010c0500", crypto.SHA384, MechanismRSA, x509.SHA384WithRSA, "3041300d060960864801650304020205000430"},
	{"RSA PKCS #1 v1.5 with SHA-512", "300d06092a864886f70d01010d0500", crypto.SHA512, MechanismRSA, x509.SHA512WithRSA, "3051300d060960864801650304020305000440"},
	{"ECDSA with SHA-256", "300a06082a8648ce3d040302", crypto.SHA256, MechanismECDSA, x509.ECDSAWithSHA256, ""},
	{"ECDSA with SHA-384", "300a06082a8648ce3d040303", crypto.SHA384, MechanismECDSA, x509.ECDSAWithSHA384, ""},
	{"ECDSA with SHA-512", "300a06082a8648ce3d040304", crypto.SHA512, MechanismECDSA, x509.ECDSAWithSHA512, ""},
}

// signatureAlgorithmOf finds an AlgorithmIdentifier in the table by its bytes.
func signatureAlgorithmOf(identifier []byte) (*signatureAlgorithm, error) {
	h := hex.EncodeToString(identifier)
	for i := range signatureAlgorithms {
		if signatureAlgorithms[i].der == h {
			return &signatureAlgorithms[i], nil
		}
	}
	if len(h) > 64 {
		h = h[:64] + "…"
	}
	return nil, fmt.Errorf("signature algorithm %s is not allowed (BR 7.1.3.2)", h)
}

// matches reports an error if a key of this kind may not sign with the
// algorithm: ECDSA takes the digest that belongs to its curve (BR 7.1.3.2.2),
// RSA any of the three (BR 7.1.3.2.1).
func (a *signatureAlgorithm) matches(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k != nil && a.mechanism == MechanismRSA {
			return nil
		}
	case *ecdsa.PublicKey:
		for _, c := range curves {
			if k != nil && c.curve == k.Curve && c.hash == a.hash && a.mechanism == MechanismECDSA {
				return nil
			}
		}
	}
	return fmt.Errorf("a %s key does not sign with %s", AlgorithmOf(pub), a.name)
}

// chooseAlgorithm returns the algorithm for a signing key and the digest that
// a profile names. "" is the digest of the curve, or SHA-256 for RSA.
func chooseAlgorithm(pub crypto.PublicKey, digest string) (*signatureAlgorithm, error) {
	for i := range signatureAlgorithms {
		a := &signatureAlgorithms[i]
		if (digest == "" || DigestName(a.hash) == digest) && a.matches(pub) == nil {
			return a, nil
		}
	}
	if digest == "" {
		return nil, fmt.Errorf("a key of kind %s cannot sign certificates", AlgorithmOf(pub))
	}
	return nil, fmt.Errorf("digest %q does not go with a %s key: P-256 takes SHA-256, P-384 SHA-384, P-521 SHA-512, RSA any of them", digest, AlgorithmOf(pub))
}

// DigestName returns "SHA-256", "SHA-384" or "SHA-512".
func DigestName(h crypto.Hash) string { return h.String() }

// input returns what a token is given to sign a message: its digest for ECDSA,
// the DigestInfo around it for RSA (RFC 8017 section 9.2).
func (a *signatureAlgorithm) input(message []byte) []byte {
	h := a.hash.New()
	h.Write(message)
	return h.Sum(unhex(a.prefix))
}
