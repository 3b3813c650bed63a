package cvc

import (
	"encoding/hex"
	"fmt"

	"github.com/keyrite/keyrite/internal/cvc/curve"
)

// A Root is a key that chains of devices are trusted to lead to.
type Root struct {
	CHR       string
	Simulated bool // anybody can compute its private key: it proves nothing
	point     string
}

// Roots returns the roots that are known. Both keys are on brainpoolP256r1.
//
// DESRCACC100001 is the SmartCard-HSM Scheme Root CA of CardContact, 2012-11-09
// to 2032-11-08. The point is a fact, read out of its self-signed certificate of
// 441 bytes, SHA-256
// 453a391015c5fbb60116c838ed613591828bf62ac8a1aca276ce4e60525ec3e3, which is the
// same in CardContact's scripts (smartcardhsm.js, rootCerts.DESRCACC100001) and in
// OpenSC (etc/DESRCACC100001, since 2017; LGPL-2.1). No text of either is here.
// The chains of two real devices verify under it (the tests).
//
// ZZSIMROOT00001 is the authority of the simulated cards.
func Roots() []Root {
	return []Root{
		{CHR: "DESRCACC100001", point: "046d025a8026cdba245f10df1b72e9880fff746dab40a43a3d5c6bebf27707c30f" +
			"6dea72430ee3287b0665c1eaa6eaa4fa26c46303001983f82bd1aa31e03da062"},
		{CHR: "ZZSIMROOT00001", Simulated: true, point: "042725d9934cbf2407b39c6e160e6bf793494bfd5d20aefcb57b3c86befed935f0" +
			"4b20a97b797b082395ff892c18adbbc98cbbbd738c77b8a1d8a71d7ddd12ee90"},
	}
}

// Key returns the root's public key.
func (r Root) Key() (PublicKey, error) {
	c, _ := curve.Named("brainpoolP256r1")
	b, err := hex.DecodeString(r.point)
	if err != nil {
		return PublicKey{}, fmt.Errorf("root %s: %w", r.CHR, err)
	}
	p, err := c.ParsePoint(b)
	return PublicKey{OID: OIDECDSA, Curve: c, Point: p}, err
}

// A Proof is what a device says of a key that it made.
type Proof struct {
	Root   Root
	Issuer string    // CHR of the device's issuer
	Device string    // CHR of the device
	Key    PublicKey // the key that was made in it
}

// Serial returns the device's serial number, as OpenSC shows it.
func (p *Proof) Serial() string { return p.Device[:len(p.Device)-5] }

// Prove checks what a device keeps of a key that it made: attested is its EF
// CExx, chain its EF 2F02. The request must be signed by the key itself and by
// the device, the device's certificate by its issuer's, and that one by one of
// roots. The error says which of these does not hold. Dates of certificates are
// not looked at: a device has no other key when its certificate has expired.
func Prove(attested, chain []byte, roots []Root) (*Proof, error) {
	device, rest, err := Parse(chain)
	if err != nil {
		return nil, fmt.Errorf("the device's certificate: %w", err)
	}
	issuer, rest, err := Parse(rest)
	if err != nil {
		return nil, fmt.Errorf("the certificate of the device's issuer: %w", err)
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("the device's certificates: %d bytes after them", len(rest))
	}
	root, key, err := rootOf(issuer, roots)
	if err != nil {
		return nil, err
	}
	if err := issuedBy(issuer, root.CHR, key); err != nil {
		return nil, err
	}
	if err := issuedBy(device, issuer.CHR, issuer.Key); err != nil {
		return nil, err
	}
	a, err := ParseAttested(attested)
	if err != nil {
		return nil, err
	}
	if !a.Request.IsRequest() {
		return nil, fmt.Errorf("what the device signed is a certificate, not a request")
	}
	if err := a.Verify(device); err != nil {
		return nil, err
	}
	return &Proof{Root: root, Issuer: issuer.CHR, Device: device.CHR, Key: a.Request.Key}, nil
}

func rootOf(issuer *Certificate, roots []Root) (Root, PublicKey, error) {
	for _, r := range roots {
		if r.CHR == issuer.CAR {
			key, err := r.Key()
			return r, key, err
		}
	}
	return Root{}, PublicKey{}, fmt.Errorf("the device's issuer %q is certified by %q, which is no root that is known here", issuer.CHR, issuer.CAR)
}

// issuedBy checks that a certificate was signed by a key, from which it may have
// its domain parameters; it is completed with them.
func issuedBy(c *Certificate, name string, by PublicKey) (err error) {
	if c.IsRequest() {
		return fmt.Errorf("the certificate of %q is a request", c.CHR)
	}
	if c.CAR != name {
		return fmt.Errorf("the certificate of %q is issued by %q, expected %q", c.CHR, c.CAR, name)
	}
	if len(c.CHR) <= 5 {
		return fmt.Errorf("the holder %q is too short", c.CHR)
	}
	if err := c.VerifyBy(by); err != nil {
		return err
	}
	c.Key, err = c.Key.On(by)
	return err
}
