package simcard

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"

	"github.com/keyrite/keyrite/internal/cvc/curve"
	"github.com/keyrite/keyrite/internal/simcard/apdu"
)

// dkek is the device key encryption key: the sum (exclusive or) of its shares.
type dkek struct {
	Shares   int    `json:"shares"`
	Imported int    `json:"imported"`
	Value    []byte `json:"value"` // 32 bytes, once the first share is there
}

func (d *dkek) random(r io.Reader) error {
	d.Value = make([]byte, 32)
	_, err := io.ReadFull(r, d.Value)
	return err
}

func (d *dkek) complete() bool { return d != nil && d.Imported == d.Shares }

// check returns the key check value: the first 8 bytes of the SHA-256.
func (d *dkek) check() []byte {
	sum := sha256.Sum256(d.Value)
	return sum[:8]
}

// derive makes the keys for encryption and authentication.
func (d *dkek) derive() (enc, mac cipher.Block) {
	block := func(n byte) cipher.Block {
		k := sha256.Sum256(append(bytes.Clone(d.Value), 0, 0, 0, n))
		b, err := aes.NewCipher(k[:])
		if err != nil {
			panic("simcard: AES refuses a key of 32 bytes")
		}
		return b
	}
	return block(1), block(2)
}

// importShare is IMPORT DKEK SHARE (80 52). With 32 bytes it adds a share;
// without it only tells: number of shares, how many are missing, key check
// value (zeros while some are). A card that was initialised without says 6D00.
func (c *Card) importShare(cmd apdu.Command) ([]byte, error) {
	if cmd.P1 != 0 || cmd.P2 != 0 {
		return nil, apdu.WrongParameters
	}
	if c.s.DKEK == nil {
		return nil, apdu.InstructionUnknown
	}
	if len(cmd.Data) > 0 {
		if err := c.addShare(cmd.Data); err != nil {
			return nil, err
		}
	}
	d := c.s.DKEK
	out := []byte{byte(d.Shares), byte(d.Shares - d.Imported)}
	if d.complete() {
		return append(out, d.check()...), nil
	}
	return append(out, make([]byte, 8)...), nil
}

func (c *Card) addShare(share []byte) error {
	if len(share) != 32 {
		return apdu.WrongLength
	}
	if c.s.DKEK.complete() {
		return apdu.ConditionsNotMet
	}
	return c.change(func(s *state) error {
		sum := make([]byte, 32)
		copy(sum, s.DKEK.Value)
		subtle.XORBytes(sum, sum, share)
		s.DKEK.Value = sum
		s.DKEK.Imported++
		return nil
	})
}

// Kinds of key in a blob.
const (
	blobRSA = 0x06 // with the primes
	blobEC  = 0x0C
)

// A key blob: what the DKEK is, what is in it, encrypted, authenticated.
//
//	KCV       8 bytes
//	kind      1 byte
//	4 fields  length (2 bytes) and that many bytes; of no use here, empty
//	cipher    AES-256-CBC, no IV, of: 8 random bytes, size in bits (2 bytes),
//	          then the numbers, each length (2 bytes) and that many bytes; 80
//	          and zeros up to the block
//	MAC       16 bytes, AES-256-CMAC of all before
//
// Numbers of EC: a, b, p, n, G, Q, d. Of RSA: d, p, q, n, e.
const blobHead = 8 + 1 + 4*2

// wrapKey is WRAP KEY (80 72, P2 92): it gives out a key as a blob that only a
// card with the same DKEK opens.
func (c *Card) wrapKey(cmd apdu.Command) ([]byte, error) {
	if err := c.needUser(); err != nil {
		return nil, err
	}
	if cmd.P2 != 0x92 {
		return nil, apdu.WrongParameters
	}
	k, ok := c.s.Keys[cmd.P1]
	if !ok {
		return nil, apdu.ReferenceNotFound
	}
	if !c.s.DKEK.complete() {
		return nil, apdu.ConditionsNotMet
	}
	kind, plain, err := k.numbers()
	if err != nil {
		return nil, err
	}
	prefix := make([]byte, 8)
	if _, err := io.ReadFull(c.random, prefix); err != nil {
		return nil, fmt.Errorf("wrapping a key: %w", err)
	}
	plain = append(append(prefix, plain...), 0x80)
	for len(plain)%aes.BlockSize != 0 {
		plain = append(plain, 0)
	}
	enc, mac := c.s.DKEK.derive()
	cipher.NewCBCEncrypter(enc, make([]byte, aes.BlockSize)).CryptBlocks(plain, plain)
	blob := append(c.s.DKEK.check(), kind)
	blob = append(append(blob, make([]byte, 8)...), plain...)
	return append(blob, cmac(mac, blob)...), nil
}

// numbers writes what is encrypted, after the random bytes.
func (k key) numbers() (kind byte, out []byte, err error) {
	var list [][]byte
	var bits int
	if c, d, ok := k.ec(); ok {
		kind, bits = blobEC, c.P.BitLen()
		for _, n := range []*big.Int{c.A, c.B, c.P, c.N} {
			list = append(list, n.FillBytes(make([]byte, c.Size)))
		}
		list = append(list, c.Bytes(c.Base()), c.Bytes(c.Multiply(c.Base(), d)), k.D)
	} else {
		priv, err := k.rsa()
		if err != nil {
			return 0, nil, err
		}
		kind, bits = blobRSA, priv.N.BitLen()
		list = [][]byte{priv.D.Bytes(), priv.Primes[0].Bytes(), priv.Primes[1].Bytes(), priv.N.Bytes(), {1, 0, 1}}
	}
	out = binary.BigEndian.AppendUint16(nil, uint16(bits))
	for _, n := range list {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(n))), n...)
	}
	return kind, out, nil
}

// unwrapKey is UNWRAP KEY (80 74, P2 93). A blob of another DKEK, or one that
// was changed, is answered 6A80 before anything is stored. An unwrapped key has
// no request attested by the device: it was not made in it.
func (c *Card) unwrapKey(cmd apdu.Command) ([]byte, error) {
	if err := c.needUser(); err != nil {
		return nil, err
	}
	if cmd.P1 == 0 || cmd.P2 != 0x93 {
		return nil, apdu.WrongParameters
	}
	if !c.s.DKEK.complete() {
		return nil, apdu.ConditionsNotMet
	}
	if _, ok := c.s.Keys[cmd.P1]; ok {
		return nil, apdu.FileExists
	}
	k, err := c.s.DKEK.open(cmd.Data)
	if err != nil {
		return nil, apdu.WrongData
	}
	return nil, c.change(func(s *state) error {
		s.Keys[cmd.P1] = k
		return nil
	})
}

// open checks and decrypts a blob.
func (d *dkek) open(blob []byte) (key, error) {
	n := len(blob) - aes.BlockSize
	if n < blobHead+aes.BlockSize || (n-blobHead)%aes.BlockSize != 0 {
		return key{}, fmt.Errorf("blob of %d bytes", len(blob))
	}
	enc, mac := d.derive()
	if !bytes.Equal(blob[:8], d.check()) || subtle.ConstantTimeCompare(cmac(mac, blob[:n]), blob[n:]) != 1 {
		return key{}, fmt.Errorf("blob of another key, or a changed one")
	}
	if !bytes.Equal(blob[9:blobHead], make([]byte, 8)) {
		return key{}, fmt.Errorf("blob with fields that this card does not know")
	}
	plain := make([]byte, n-blobHead)
	cipher.NewCBCDecrypter(enc, make([]byte, aes.BlockSize)).CryptBlocks(plain, blob[blobHead:n])
	end := len(bytes.TrimRight(plain, "\x00")) - 1
	if end < 10 || plain[end] != 0x80 {
		return key{}, fmt.Errorf("blob without padding")
	}
	return readNumbers(blob[8], plain[10:end])
}

func readNumbers(kind byte, b []byte) (key, error) {
	var list [][]byte
	for len(b) > 0 {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
			return key{}, fmt.Errorf("a number is cut off")
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		list, b = append(list, b[2:n]), b[n:]
	}
	switch {
	case kind == blobEC && len(list) == 7:
		return ecNumbers(list)
	case kind == blobRSA && len(list) == 5:
		return rsaNumbers(list)
	}
	return key{}, fmt.Errorf("kind %02X with %d numbers", kind, len(list))
}

// ecNumbers makes a key of a, b, p, n, G, Q, d; only p and d are used, and Q must
// be d times the base point of the curve over p.
func ecNumbers(list [][]byte) (key, error) {
	c, ok := curve.Over(list[2])
	if !ok {
		return key{}, fmt.Errorf("no curve over the field of %x", list[2])
	}
	k := key{Curve: c.Name, D: list[6]}
	if err := k.check(); err != nil {
		return key{}, err
	}
	_, d, _ := k.ec()
	if !bytes.Equal(c.Bytes(c.Multiply(c.Base(), d)), list[5]) {
		return key{}, fmt.Errorf("the public point is of another key")
	}
	return k, nil
}

// rsaNumbers makes a key of d, p, q, n, e.
func rsaNumbers(list [][]byte) (key, error) {
	n := make([]*big.Int, len(list))
	for i, b := range list {
		n[i] = new(big.Int).SetBytes(b)
	}
	priv := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n[3], E: int(n[4].Int64())}, D: n[0], Primes: n[1:3]}
	if err := priv.Validate(); err != nil {
		return key{}, err
	}
	priv.Precompute()
	return key{RSA: x509.MarshalPKCS1PrivateKey(priv)}, nil
}

// cmac is AES-CMAC (RFC 4493).
func cmac(b cipher.Block, data []byte) []byte {
	sub := make([]byte, aes.BlockSize)
	b.Encrypt(sub, sub)
	double(sub)
	last := make([]byte, aes.BlockSize)
	n := (len(data) - 1) / aes.BlockSize * aes.BlockSize
	if len(data) == 0 {
		n = 0
	}
	copy(last, data[n:])
	if len(data)-n < aes.BlockSize {
		last[len(data)-n] = 0x80
		double(sub)
	}
	sum := make([]byte, aes.BlockSize)
	for i := 0; i < n; i += aes.BlockSize {
		subtle.XORBytes(sum, sum, data[i:i+aes.BlockSize])
		b.Encrypt(sum, sum)
	}
	subtle.XORBytes(last, last, sub)
	subtle.XORBytes(sum, sum, last)
	b.Encrypt(sum, sum)
	return sum
}

// double multiplies by x in the field of CMAC.
func double(b []byte) {
	carry := b[0] >> 7
	for i := range b {
		b[i] <<= 1
		if i+1 < len(b) {
			b[i] |= b[i+1] >> 7
		}
	}
	b[len(b)-1] ^= 0x87 * carry
}
