// Package tlv reads and writes BER-TLV data objects with definite lengths, as
// smart cards use them (ISO/IEC 7816-4, 5.2.2).
//
//	object = tag length value
//	tag    = 1 to 3 bytes; if the low five bits of the first are all set,
//	         bytes follow while their top bit is set
//	length = 00-7F, or 81 xx, or 82 xxxx, or 83 xxxxxx
//
// Parsing is strict: a length is written in the shortest way, so that what is
// parsed and written again has the same bytes.
package tlv

import (
	"errors"
	"fmt"
)

// An Object is one tag with its value. The value shares memory with the input
// that it was read from.
type Object struct {
	Tag   uint32 // the bytes of the tag, big-endian: 0x7F21
	Value []byte
	Raw   []byte // tag, length and value
}

var errShort = errors.New("the data ends inside a TLV object")

// Next reads the first object of b and returns what stands after it. An object
// that is cut off, a tag of more than three bytes and a length that is not the
// shortest are errors.
func Next(b []byte) (o Object, rest []byte, err error) {
	tag, n, err := readTag(b)
	if err != nil {
		return Object{}, nil, err
	}
	length, m, err := readLength(b[n:])
	if err != nil {
		return Object{}, nil, fmt.Errorf("tag %X: %w", tag, err)
	}
	n += m
	if length > len(b)-n {
		return Object{}, nil, fmt.Errorf("tag %X: value of %d bytes: %w", tag, length, errShort)
	}
	end := n + length
	return Object{Tag: tag, Value: b[n:end:end], Raw: b[:end:end]}, b[end:], nil
}

func readTag(b []byte) (tag uint32, n int, err error) {
	if len(b) == 0 {
		return 0, 0, errShort
	}
	tag, n = uint32(b[0]), 1
	if b[0]&0x1F != 0x1F {
		return tag, n, nil
	}
	for {
		if n == len(b) {
			return 0, 0, errShort
		}
		if n == 3 {
			return 0, 0, fmt.Errorf("tag %X…: longer than 3 bytes", tag)
		}
		c := b[n]
		tag, n = tag<<8|uint32(c), n+1
		if c&0x80 == 0 {
			return tag, n, nil
		}
	}
}

func readLength(b []byte) (length, n int, err error) {
	if len(b) == 0 {
		return 0, 0, errShort
	}
	if b[0] < 0x80 {
		return int(b[0]), 1, nil
	}
	size := int(b[0] & 0x7F)
	if size < 1 || size > 3 {
		return 0, 0, fmt.Errorf("length byte %02X: expected 00-7F, 81, 82 or 83", b[0])
	}
	if len(b) < 1+size {
		return 0, 0, errShort
	}
	for _, c := range b[1 : 1+size] {
		length = length<<8 | int(c)
	}
	if length < 0x80 || size > 1 && length < 1<<(8*(size-1)) {
		return 0, 0, fmt.Errorf("length %d in %d bytes: not the shortest form", length, size+1)
	}
	return length, 1 + size, nil
}

// All reads every object of b, which must end where the last of them does.
func All(b []byte) ([]Object, error) {
	var list []Object
	for len(b) > 0 {
		o, rest, err := Next(b)
		if err != nil {
			return nil, err
		}
		list, b = append(list, o), rest
	}
	return list, nil
}

// Find returns the value of the first object of list with a tag, and whether
// there is one.
func Find(list []Object, tag uint32) ([]byte, bool) {
	for _, o := range list {
		if o.Tag == tag {
			return o.Value, true
		}
	}
	return nil, false
}

// Append adds an object to dst: its value is what parts hold, one after the
// other. It panics on a value of 16 MiB or more.
func Append(dst []byte, tag uint32, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	for shift := 16; shift >= 0; shift -= 8 {
		if tag>>shift != 0 || shift == 0 {
			dst = append(dst, byte(tag>>shift))
		}
	}
	switch {
	case n < 0x80:
		dst = append(dst, byte(n))
	case n < 0x100:
		dst = append(dst, 0x81, byte(n))
	case n < 0x10000:
		dst = append(dst, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		dst = append(dst, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		panic("tlv: value of 16 MiB or more")
	}
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return dst
}
