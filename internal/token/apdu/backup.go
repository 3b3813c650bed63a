package apdu

import (
	"encoding/hex"
	"fmt"
)

// Options of INITIALIZE DEVICE: the security officer can set the user PIN anew.
const resetRetryCounter = 0x01

// Initialize erases the card and gives it its PINs. soPIN is the one in force, as
// 8 bytes; tries those of the user PIN; shares how many its DKEK will have. The
// data is secret.
func Initialize(soPIN, userPIN []byte, tries, shares byte) Command {
	data := []byte{0x80, 2, 0, resetRetryCounter, 0x81, byte(len(userPIN))}
	data = append(append(data, userPIN...), 0x82, byte(len(soPIN)))
	data = append(append(data, soPIN...), 0x91, 1, tries, 0x92, 1, shares)
	return Command{CLA: 0x80, INS: 0x50, Data: data}
}

// Verify gives a PIN. The data is secret.
func Verify(reference byte, pin []byte) Command { return Command{INS: 0x20, P2: reference, Data: pin} }

// AskDKEK asks what the card says of its DKEK.
func AskDKEK() Command { return Command{CLA: 0x80, INS: 0x52, Le: 256} }

// ImportShare gives the card one share of its DKEK; the answer is that of AskDKEK.
// The data is secret.
func ImportShare(share []byte) Command { return Command{CLA: 0x80, INS: 0x52, Data: share, Le: 256} }

// Wrap asks for a key, encrypted under the DKEK. The user has to be logged in.
func Wrap(number byte) Command {
	return Command{CLA: 0x80, INS: 0x72, P1: number, P2: 0x92, Le: 4096}
}

// Unwrap gives the card a key that one with the same DKEK has wrapped. The user
// has to be logged in.
func Unwrap(number byte, blob []byte) Command {
	return Command{CLA: 0x80, INS: 0x74, P1: number, P2: 0x93, Data: blob}
}

// UpdateBinary writes bytes into a file from an offset, and makes it if it is not
// there. The user has to be logged in.
func UpdateBinary(file uint16, offset int, b []byte) Command {
	n := len(b)
	data := []byte{0x54, 2, byte(offset >> 8), byte(offset), 0x53}
	switch {
	case n < 0x80:
		data = append(data, byte(n))
	case n < 0x100:
		data = append(data, 0x81, byte(n))
	default:
		data = append(data, 0x82, byte(n>>8), byte(n))
	}
	return Command{INS: 0xD7, P1: byte(file >> 8), P2: byte(file), Data: append(data, b...)}
}

// A DKEK is what a card says of its device key encryption key.
type DKEK struct {
	Shares, Outstanding int
	KeyCheck            string // hex; "" while shares are missing
}

// ParseDKEK reads the answer to AskDKEK and ImportShare: number of shares, how
// many are missing, key check value.
func ParseDKEK(b []byte) (DKEK, error) {
	if len(b) != 10 {
		return DKEK{}, fmt.Errorf("what the card says of its DKEK has %d bytes, expected 10", len(b))
	}
	d := DKEK{Shares: int(b[0]), Outstanding: int(b[1])}
	if d.Outstanding == 0 {
		d.KeyCheck = hex.EncodeToString(b[2:])
	}
	return d, nil
}
