package simcard

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"

	"github.com/keyrite/keyrite/internal/cvc"
	"github.com/keyrite/keyrite/internal/cvc/curve"
	"github.com/keyrite/keyrite/internal/cvc/tlv"
)

// References of the test authority. ZZ is the country code that ISO 3166 leaves
// to users: no vendor's certificate has it.
const (
	rootReference   = "ZZSIMROOT00001"
	issuerReference = "ZZSIMDICA00001"
)

// The chain is valid for any day on which one rehearses.
const (
	validFrom = "2026-01-01"
	validTo   = "2099-12-31"
)

// deviceCurve is the curve of the vendor's authority and of this one.
const deviceCurve = "brainpoolP256r1"

// authorityKey makes a private key of the test authority: the same for
// everybody, from its name.
func authorityKey(name string) key {
	c, _ := curve.Named(deviceCurve)
	sum := sha256.Sum256([]byte("keyrite simulated SmartCard-HSM, not secret: " + name))
	d := new(big.Int).SetBytes(sum[:])
	d.Mod(d, new(big.Int).Sub(c.N, big.NewInt(1))).Add(d, big.NewInt(1))
	return key{Curve: deviceCurve, D: d.FillBytes(make([]byte, c.Size))}
}

// authorization is what a certificate says of its holder's role: the object
// identifier that the vendor's certificates have, and one byte.
func authorization(role byte) []byte {
	return []byte{0x06, 0x0B, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x03, 0x01, 0x01, 0x53, 0x01, role}
}

// Roles: the root, the issuer of devices, a device.
const (
	roleRoot   = 0xC0
	roleIssuer = 0x80
	roleDevice = 0x00
)

// issue signs one certificate of the chain.
func issue(from, to string, holder key, issuer key, role byte, random io.Reader) (*cvc.Certificate, error) {
	pub, err := holder.public()
	if err != nil {
		return nil, err
	}
	return cvc.Issue(&cvc.Certificate{CAR: from, CHR: to, Key: pub, Authorization: authorization(role), From: validFrom, To: validTo}, issuer.signer(random))
}

// Root returns the certificate of the test authority that every simulated
// card's chain leads to, the same bytes each time. It stands for the vendor's
// DESRCACC100001, and its private key can be read in this file: who trusts it
// trusts everybody.
func Root() (*cvc.Certificate, error) {
	k := authorityKey(rootReference)
	nonces := rand.NewChaCha8(sha256.Sum256([]byte("nonces of " + rootReference)))
	return issue(rootReference, rootReference, k, k, roleRoot, nonces)
}

// Manufacture makes a card as it leaves the factory, with the SO-PIN
// 3537363231383830 and the user PIN 648219, and returns what its store holds.
// The serial number has 3 to 11 characters, capital letters and digits, of
// which OpenSC shows all. The factory state of these cards differs by batch:
// this one is initialised, as those that Nitrokey's guide describes.
//
// A label makes it a token in use, as INITIALIZE DEVICE and OpenSC leave it,
// with the PINs of the factory; without one ("") it has none.
func Manufacture(serial, label string, random io.Reader) ([]byte, error) {
	if err := checkSerial(serial); err != nil {
		return nil, err
	}
	c, _ := curve.Named(deviceCurve)
	d, err := c.Generate(random)
	if err != nil {
		return nil, fmt.Errorf("making a device key: %w", err)
	}
	s := &state{
		Format: formatName, Serial: serial, Options: optionResetRetry,
		Device: key{Curve: deviceCurve, D: d.FillBytes(make([]byte, c.Size))},
		Keys:   map[uint8]key{}, Files: map[uint16][]byte{},
	}
	if label != "" {
		s.Files[fileTokenInfo] = tokenInfo(label)
	}
	device, err := issue(issuerReference, serial+"00001", s.Device, authorityKey(issuerReference), roleDevice, random)
	if err != nil {
		return nil, fmt.Errorf("issuing a device certificate: %w", err)
	}
	issuer, err := issue(rootReference, issuerReference, authorityKey(issuerReference), authorityKey(rootReference), roleIssuer, random)
	if err != nil {
		return nil, fmt.Errorf("issuing the issuer's certificate: %w", err)
	}
	s.DevAut = append(device.Raw, issuer.Raw...)
	if s.User, err = newPIN(random, []byte("648219"), 3); err != nil {
		return nil, err
	}
	if s.SO, err = newPIN(random, []byte{0x35, 0x37, 0x36, 0x32, 0x31, 0x38, 0x38, 0x30}, soTries); err != nil {
		return nil, err
	}
	return s.bytes(), nil
}

// tokenInfo is the TokenInfo of PKCS #15 (ISO/IEC 7816-15, 8.10) with a version,
// the label and the flag that the card makes random numbers.
func tokenInfo(label string) []byte {
	info := tlv.Append(nil, 0x02, []byte{0})
	info = tlv.Append(info, 0x80, []byte(label))
	info = tlv.Append(info, 0x03, []byte{4, 0x10})
	return tlv.Append(nil, 0x30, info)
}

func checkSerial(serial string) error {
	if len(serial) < 3 || len(serial) > 11 {
		return fmt.Errorf("serial number %q of %d characters: expected 3 to 11", serial, len(serial))
	}
	for _, r := range serial {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') {
			return fmt.Errorf("serial number %q: expected capital letters and digits", serial)
		}
	}
	return nil
}
