package cvc

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/internal/cvc/tlv"
)

// DeviceSerial returns the serial number in a device's certificate, the first of
// a card's chain: its holder without the five characters that number its keys. What
// stands behind that certificate is not looked at.
func DeviceSerial(chain []byte) (string, error) {
	value := chain
	for _, tag := range []uint32{TagCertificate, TagBody, TagCHR} {
		v, ok := inside(value, tag)
		if !ok {
			return "", fmt.Errorf("reading the serial number: the device's certificate has no object %X", tag)
		}
		value = v
	}
	if len(value) <= 5 {
		return "", fmt.Errorf("reading the serial number: the holder %q is too short", value)
	}
	return strings.ToValidUTF8(string(value[:len(value)-5]), "\uFFFD"), nil
}

// inside returns the value of the first object with a tag.
func inside(b []byte, tag uint32) ([]byte, bool) {
	for len(b) > 0 {
		o, rest, err := tlv.Next(b)
		if err != nil {
			return nil, false
		}
		if o.Tag == tag {
			return o.Value, true
		}
		b = rest
	}
	return nil, false
}
