package dkek

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/internal/cvc/tlv"
)

// A Wrapped key is what is kept of a key outside the card.
type Wrapped struct {
	Blob        []byte // as the card gave it
	Description []byte // PKCS #15 private key description, with label and id; may be missing
	Certificate []byte // what the card had in the key's certificate file; may be missing
}

const (
	tagSequence = 0x30
	tagOctets   = 0x04
	tagText     = 0x0C
)

// maxWrapped is the most bytes that the file of a wrapped key has.
const maxWrapped = 16 << 10

// Bytes returns the file: a SEQUENCE of the blob as OCTET STRING and the two
// others as they are.
func (w Wrapped) Bytes() []byte {
	return tlv.Append(nil, tagSequence, tlv.Append(nil, tagOctets, w.Blob), w.Description, w.Certificate)
}

// ParseWrapped reads such a file.
func ParseWrapped(b []byte) (Wrapped, error) {
	if len(b) > maxWrapped {
		return Wrapped{}, fmt.Errorf("reading a wrapped key: more than %d bytes", maxWrapped)
	}
	outer, rest, err := tlv.Next(b)
	if err != nil || len(rest) > 0 || outer.Tag != tagSequence {
		return Wrapped{}, errors.New("reading a wrapped key: the file is not one SEQUENCE")
	}
	list, err := tlv.All(outer.Value)
	if err != nil || len(list) == 0 || len(list) > 3 || list[0].Tag != tagOctets || len(list[0].Value) <= CheckSize {
		return Wrapped{}, errors.New("reading a wrapped key: expected an OCTET STRING, a description of the key and a certificate")
	}
	w := Wrapped{Blob: list[0].Value}
	if len(list) > 1 {
		w.Description = list[1].Raw
	}
	if len(list) > 2 {
		w.Certificate = list[2].Raw
	}
	return w, nil
}

// CheckValue is the key check value of the DKEK under which the key was wrapped,
// as the blob says: its first 8 bytes.
func (w Wrapped) CheckValue() string {
	return hex.EncodeToString(w.Blob[:min(CheckSize, len(w.Blob))])
}

// Names returns label and id that a description gives a private key (PKCS #15,
// 6.3: CommonObjectAttributes, then CommonKeyAttributes). ok is false if it
// cannot be read.
func Names(description []byte) (label string, id []byte, ok bool) {
	outer, _, err := tlv.Next(description)
	if err != nil {
		return "", nil, false
	}
	parts, err := tlv.All(outer.Value)
	if err != nil || len(parts) < 2 || parts[0].Tag != tagSequence || parts[1].Tag != tagSequence {
		return "", nil, false
	}
	object, err1 := tlv.All(parts[0].Value)
	key, err2 := tlv.All(parts[1].Value)
	text, ok1 := tlv.Find(object, tagText)
	id, ok2 := tlv.Find(key, tagOctets)
	return string(text), id, err1 == nil && err2 == nil && ok1 && ok2
}
