package pki

import (
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Tags of the DER elements that certificates and CRLs are made of (X.690).
const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagBitString   = 0x03
	tagOctetString = 0x04
	tagNull        = 0x05
	tagOID         = 0x06
	tagEnumerated  = 0x0a
	tagUTF8        = 0x0c
	tagSequence    = 0x30
	tagSet         = 0x31
	tagPrintable   = 0x13
	tagIA5         = 0x16
	tagUTCTime     = 0x17
	tagGeneralized = 0x18
	tagContext     = 0x80 // [0] … [30], primitive
	tagConstructed = 0xa0 // [0] … [30], constructed
)

// An element is one DER element: full is tag, length and content.
type element struct {
	tag           byte
	full, content []byte
}

// next splits the first DER element off b. It refuses what is BER but not DER:
// indefinite and non-minimal lengths; and tags above 30, which nothing here
// uses.
func next(b []byte) (e element, rest []byte, err error) {
	if len(b) < 2 {
		return e, nil, errors.New("truncated DER element")
	}
	if b[0]&0x1f == 0x1f {
		return e, nil, fmt.Errorf("unsupported DER tag 0x%02x", b[0])
	}
	n, header := int(b[1]), 2
	if b[1]&0x80 != 0 {
		if n, header, err = longLength(b); err != nil {
			return e, nil, err
		}
	}
	if n > len(b)-header {
		return e, nil, fmt.Errorf("DER length %d exceeds the %d bytes left", n, len(b)-header)
	}
	end := header + n
	return element{b[0], b[:end:end], b[header:end:end]}, b[end:], nil
}

// longLength reads a length of two bytes or more.
func longLength(b []byte) (n, header int, err error) {
	count := int(b[1] & 0x7f)
	switch {
	case count == 0:
		return 0, 0, errors.New("indefinite length, which DER forbids")
	case count > 3:
		return 0, 0, fmt.Errorf("DER length of %d bytes is too long", count)
	case len(b) < 2+count:
		return 0, 0, errors.New("truncated DER length")
	case b[2] == 0:
		return 0, 0, errors.New("DER length is not minimal")
	}
	for _, c := range b[2 : 2+count] {
		n = n<<8 | int(c)
	}
	if n < 0x80 {
		return 0, 0, errors.New("DER length is not minimal")
	}
	return n, 2 + count, nil
}

// A cursor reads DER elements one after the other. Its first error sticks, and
// everything read after it is empty.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) fail(what string, err error) {
	if c.err == nil {
		c.err = fmt.Errorf("reading %s: %w", what, err)
	}
}

// more reports whether anything is left to read.
func (c *cursor) more() bool { return c.err == nil && len(c.b) > 0 }

// is reports whether the next element has the tag.
func (c *cursor) is(tag byte) bool { return c.more() && c.b[0] == tag }

// any reads the next element, whatever its tag.
func (c *cursor) any(what string) element {
	if c.err != nil {
		return element{}
	}
	e, rest, err := next(c.b)
	if err != nil {
		c.fail(what, err)
		return element{}
	}
	c.b = rest
	return e
}

// take reads the next element, which must have the tag.
func (c *cursor) take(tag byte, what string) element {
	e := c.any(what)
	if c.err == nil && e.tag != tag {
		c.fail(what, fmt.Errorf("tag 0x%02x instead of 0x%02x", e.tag, tag))
	}
	if c.err != nil {
		return element{}
	}
	return e
}

// in reads the next element and returns a cursor over its content. Errors of
// the inner cursor come back through done.
func (c *cursor) in(tag byte, what string) *cursor {
	e := c.take(tag, what)
	return &cursor{b: e.content, err: c.err}
}

// done takes over the error of an inner cursor, which must be at its end.
func (c *cursor) done(inner *cursor, what string) {
	if inner.more() {
		inner.fail(what, fmt.Errorf("%d bytes too many", len(inner.b)))
	}
	if c.err == nil {
		c.err = inner.err
	}
}

// integer reads an INTEGER and returns its value and content bytes.
func (c *cursor) integer(what string) (*big.Int, []byte) {
	e := c.take(tagInteger, what)
	if c.err != nil {
		return new(big.Int), nil
	}
	n, err := parseInteger(e.content)
	if err != nil {
		c.fail(what, err)
		return new(big.Int), nil
	}
	return n, e.content
}

// parseInteger reads the content of an INTEGER or ENUMERATED: two's
// complement, shortest form.
func parseInteger(b []byte) (*big.Int, error) {
	switch {
	case len(b) == 0:
		return nil, errors.New("empty integer")
	case len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80):
		return nil, errors.New("integer is not minimal")
	}
	n := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n, nil
}

// boolean reads a BOOLEAN, which DER writes as 00 or FF.
func (c *cursor) boolean(what string) bool {
	e := c.take(tagBoolean, what)
	if c.err == nil && (len(e.content) != 1 || e.content[0] != 0 && e.content[0] != 0xff) {
		c.fail(what, errors.New("boolean is neither 00 nor FF"))
	}
	return c.err == nil && e.content[0] == 0xff
}

// bits reads a BIT STRING and returns its bytes and the number of unused bits
// in the last one, which must be zero bits.
func (c *cursor) bits(what string) (b []byte, unused int) {
	e := c.take(tagBitString, what)
	if c.err != nil {
		return nil, 0
	}
	if len(e.content) == 0 || e.content[0] > 7 || len(e.content) == 1 && e.content[0] != 0 {
		c.fail(what, errors.New("malformed bit string"))
		return nil, 0
	}
	b, unused = e.content[1:], int(e.content[0])
	if unused > 0 && b[len(b)-1]&(1<<unused-1) != 0 {
		c.fail(what, errors.New("unused bits of a bit string are not zero"))
	}
	return b, unused
}

// oid reads an OBJECT IDENTIFIER in dotted form.
func (c *cursor) oid(what string) string {
	e := c.take(tagOID, what)
	if c.err != nil {
		return ""
	}
	return c.dotted(e.content, what)
}

func (c *cursor) dotted(content []byte, what string) string {
	var o x509.OID
	if err := o.UnmarshalBinary(content); err != nil {
		c.fail(what, errors.New("malformed object identifier"))
		return ""
	}
	return o.String()
}

// time reads a UTCTime or GeneralizedTime in the forms of RFC 5280 section
// 4.1.2.5: to the second, in Z, the first for years before 2050 and the second
// from then on.
func (c *cursor) time(what string) time.Time {
	e := c.any(what)
	if c.err != nil {
		return time.Time{}
	}
	t, err := parseTime(e)
	if err != nil {
		c.fail(what, err)
	}
	return t
}

func parseTime(e element) (time.Time, error) {
	s := string(e.content)
	layout := "20060102150405Z"
	switch {
	case e.tag == tagUTCTime && len(s) == 13:
		century := "20"
		if s[0] >= '5' {
			century = "19"
		}
		s = century + s
	case e.tag == tagGeneralized && len(s) == 15:
		if s < "2050" {
			return time.Time{}, fmt.Errorf("time %q before 2050 is not a UTCTime", s)
		}
	default:
		return time.Time{}, fmt.Errorf("malformed time %q", s)
	}
	t, err := time.Parse(layout, s)
	if err != nil || t.Format(layout) != s {
		return time.Time{}, fmt.Errorf("malformed time %q", s)
	}
	return t, nil
}

// wrap encodes a DER element around the content.
func wrap(tag byte, contents ...[]byte) []byte {
	n := 0
	for _, c := range contents {
		n += len(c)
	}
	b := []byte{tag}
	switch {
	case n < 0x80:
		b = append(b, byte(n))
	case n < 0x100:
		b = append(b, 0x81, byte(n))
	case n < 0x10000:
		b = append(b, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	for _, c := range contents {
		b = append(b, c...)
	}
	return b
}
