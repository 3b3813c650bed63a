package simcard

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/keyrite/keyrite/internal/cvc"
	"github.com/keyrite/keyrite/internal/cvc/curve"
	"github.com/keyrite/keyrite/internal/cvc/tlv"
	"github.com/keyrite/keyrite/internal/simcard/apdu"
)

// key is a private key: on a curve by name, or RSA.
type key struct {
	Curve string `json:"curve,omitempty"`
	D     []byte `json:"d,omitempty"`
	RSA   []byte `json:"rsa,omitempty"` // PKCS #1
}

// ec returns the curve and the number of a key that is on one.
func (k key) ec() (*curve.Curve, *big.Int, bool) {
	c, ok := curve.Named(k.Curve)
	return c, new(big.Int).SetBytes(k.D), ok
}

func (k key) rsa() (*rsa.PrivateKey, error) { return x509.ParsePKCS1PrivateKey(k.RSA) }

func (k key) isRSA() bool { return k.Curve == "" }

// check refuses a key that cannot be used.
func (k key) check() error {
	if k.isRSA() {
		if len(k.RSA) == 0 {
			return fmt.Errorf("neither on a curve nor RSA")
		}
		return nil // parsed when it is used: that takes long
	}
	c, d, ok := k.ec()
	if !ok {
		return fmt.Errorf("there is no curve %q", k.Curve)
	}
	if d.Sign() == 0 || d.Cmp(c.N) >= 0 {
		return fmt.Errorf("its number is not below the order of %s", k.Curve)
	}
	return nil
}

// bits is the size by which the profile knows how long a command takes.
func (k key) bits() (int, error) {
	if c, _, ok := k.ec(); ok {
		return c.P.BitLen(), nil
	}
	priv, err := k.rsa()
	if err != nil {
		return 0, err
	}
	return priv.N.BitLen(), nil
}

// public returns the public key with the algorithm that a request names.
func (k key) public() (cvc.PublicKey, error) {
	if c, d, ok := k.ec(); ok {
		return cvc.PublicKey{OID: cvc.OIDECDSA, Curve: c, Point: c.Multiply(c.Base(), d)}, nil
	}
	priv, err := k.rsa()
	if err != nil {
		return cvc.PublicKey{}, err
	}
	return cvc.PublicKey{OID: cvc.OIDRSA, Modulus: priv.N, E: priv.E}, nil
}

// signer signs certificates and requests: SHA-256, r ‖ s or PKCS #1 v1.5.
func (k key) signer(random io.Reader) cvc.Sign {
	return func(data []byte) ([]byte, error) {
		hash := sha256.Sum256(data)
		if c, d, ok := k.ec(); ok {
			r, s, err := c.Sign(random, d, hash[:])
			if err != nil {
				return nil, err
			}
			return append(r.FillBytes(make([]byte, c.Size)), s.FillBytes(make([]byte, c.Size))...), nil
		}
		priv, err := k.rsa()
		if err != nil {
			return nil, err
		}
		return rsa.SignPKCS1v15(nil, priv, crypto.SHA256, hash[:])
	}
}

// A wish is what GENERATE ASYMMETRIC KEY PAIR asks for: the fields of a
// certificate body without the public point or modulus.
type wish struct {
	car, chr string
	curve    string
	bits     int // RSA
}

// readWish reads 5F29 00, 42 CAR, 7F49 {06 OID, domain parameters | 82 exponent,
// 02 size}, 5F20 CHR. Only the exponent 65537 is known.
func readWish(b []byte) (wish, error) {
	list, err := tlv.All(b)
	if err != nil {
		return wish{}, apdu.WrongData
	}
	var w wish
	car, _ := tlv.Find(list, cvc.TagCAR)
	chr, ok := tlv.Find(list, cvc.TagCHR)
	value, ok2 := tlv.Find(list, cvc.TagPublicKey)
	if !ok || !ok2 {
		return wish{}, apdu.WrongData
	}
	w.car, w.chr = string(car), string(chr)
	list, err = tlv.All(value)
	if err != nil {
		return wish{}, apdu.WrongData
	}
	if p, ok := tlv.Find(list, 0x81); ok {
		c, ok := curve.Over(p)
		if !ok {
			return wish{}, apdu.WrongData
		}
		w.curve = c.Name
		return w, nil
	}
	size, _ := tlv.Find(list, 0x02)
	e, ok := tlv.Find(list, 0x82)
	if !ok || new(big.Int).SetBytes(e).Int64() != 65537 || len(e) > 3 {
		return wish{}, apdu.WrongData
	}
	switch n := new(big.Int).SetBytes(size); n.Int64() {
	case 1024, 1536, 2048, 3072, 4096:
		w.bits = int(n.Int64())
		return w, nil
	}
	return wish{}, apdu.WrongData
}

// make generates the key.
func (w wish) make(random io.Reader) (key, error) {
	if w.curve != "" {
		c, _ := curve.Named(w.curve)
		d, err := c.Generate(random)
		if err != nil {
			return key{}, err
		}
		return key{Curve: w.curve, D: d.FillBytes(make([]byte, c.Size))}, nil
	}
	// Go's library takes no source of randomness for RSA but its own.
	priv, err := rsa.GenerateKey(rand.Reader, w.bits)
	if err != nil {
		return key{}, fmt.Errorf("generating an RSA key of %d bits: %w", w.bits, err)
	}
	return key{RSA: x509.MarshalPKCS1PrivateKey(priv)}, nil
}

// generateKeyPair is GENERATE ASYMMETRIC KEY PAIR (P1 the new key, P2 the
// device's). The answer is a request for the key's certificate, signed by the
// key and attested by the device; the card keeps it in CExx as well. The key
// and the file are stored together.
func (c *Card) generateKeyPair(cmd apdu.Command) ([]byte, error) {
	if err := c.needUser(); err != nil {
		return nil, err
	}
	if cmd.P1 == 0 || cmd.P2 != 0 {
		return nil, apdu.WrongParameters
	}
	if _, ok := c.s.Keys[cmd.P1]; ok {
		return nil, apdu.FileExists
	}
	w, err := readWish(cmd.Data)
	if err != nil {
		return nil, err
	}
	k, err := w.make(c.random)
	if err != nil {
		return nil, err
	}
	c.sleep(c.profile.generate(w))
	request, err := c.attest(k, w)
	if err != nil {
		return nil, err
	}
	return request, c.change(func(s *state) error {
		s.Keys[cmd.P1] = k
		s.Files[prefixEECert<<8|uint16(cmd.P1)] = request
		return nil
	})
}

func (c *Card) attest(k key, w wish) ([]byte, error) {
	pub, err := k.public()
	if err != nil {
		return nil, err
	}
	request, err := cvc.Issue(&cvc.Certificate{CAR: w.car, CHR: w.chr, Key: pub}, k.signer(c.random))
	if err != nil {
		return nil, apdu.WrongData // a CAR or CHR that is none
	}
	device, _, err := cvc.Parse(c.s.DevAut)
	if err != nil {
		return nil, err
	}
	a, err := cvc.Attest(request, device.CHR, c.s.Device.signer(c.random))
	if err != nil {
		return nil, err
	}
	return a.Raw, nil
}

// A Profile says how long a card takes. The zero value takes no time.
type Profile struct {
	Command     time.Duration // every command
	ECKey       time.Duration // generating a key on a curve
	ECSign      time.Duration // signing or deriving with one
	RSAKey2048  time.Duration // generating; other sizes in proportion to the fourth power
	RSASign2048 time.Duration // signing; other sizes in proportion to the square
}

// Realistic returns how long a SmartCard-HSM 4K takes, as its users report. A
// real one needs longer or shorter for each RSA key, as primes are found by
// chance.
func Realistic() Profile {
	return Profile{
		Command:     5 * time.Millisecond,
		ECKey:       600 * time.Millisecond,
		ECSign:      85 * time.Millisecond,
		RSAKey2048:  10 * time.Second,
		RSASign2048: 110 * time.Millisecond,
	}
}

func (p Profile) generate(w wish) time.Duration {
	if w.curve != "" {
		return p.ECKey
	}
	return scale(p.RSAKey2048, w.bits, 4)
}

func (p Profile) use(k key, bits int) time.Duration {
	if k.isRSA() {
		return scale(p.RSASign2048, bits, 2)
	}
	return p.ECSign
}

// scale multiplies d by (bits/2048) to the power n.
func scale(d time.Duration, bits, n int) time.Duration {
	f := 1.0
	for range n {
		f *= float64(bits) / 2048
	}
	return time.Duration(float64(d) * f)
}
