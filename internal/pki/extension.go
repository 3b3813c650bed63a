package pki

import (
	"errors"
	"fmt"
	"math/big"
)

// reading runs a reader over an extension's value, all of which it must read.
func reading[T any](value []byte, what string, read func(*cursor) T) (T, error) {
	c := &cursor{b: value}
	v := read(c)
	c.done(&cursor{b: c.b}, what)
	return v, c.err
}

// basicConstraints is RFC 5280 section 4.2.1.9.
type basicConstraints struct {
	ca      bool
	limited bool // a path length is there
	length  int
}

func readBasic(value []byte) (basicConstraints, error) {
	return reading(value, "basic constraints", func(c *cursor) (b basicConstraints) {
		in := c.in(tagSequence, "basic constraints")
		if in.is(tagBoolean) {
			if b.ca = in.boolean("cA"); !b.ca {
				in.fail("basic constraints", errors.New("cA FALSE is written out, which DER forbids"))
			}
		}
		if in.is(tagInteger) {
			n, _ := in.integer("path length")
			if n.Sign() < 0 || n.BitLen() > 15 {
				in.fail("path length", fmt.Errorf("%v is out of range", n))
			}
			b.limited, b.length = true, int(n.Int64())
		}
		c.done(in, "basic constraints")
		return b
	})
}

// readKeyUsage returns the names of the bits that are set (RFC 5280 section
// 4.2.1.3), written in the shortest form, as DER asks of named bits.
func readKeyUsage(value []byte) ([]string, error) {
	return reading(value, "key usage", func(c *cursor) (names []string) {
		b, unused := c.bits("key usage")
		n := 8*len(b) - unused
		if c.err == nil && (n == 0 || n > len(keyUsageBits) || b[(n-1)/8]>>(7-(n-1)%8)&1 == 0) {
			c.fail("key usage", errors.New("no usage, an unknown one, or zero bits at the end"))
			return nil
		}
		for i := range n {
			if b[i/8]>>(7-i%8)&1 == 1 {
				names = append(names, keyUsageBits[i])
			}
		}
		return names
	})
}

// readOIDs reads a SEQUENCE OF OBJECT IDENTIFIER: an extended key usage.
func readOIDs(value []byte) ([]string, error) {
	return reading(value, "extended key usage", func(c *cursor) (list []string) {
		in := c.in(tagSequence, "extended key usage")
		for in.more() {
			list = append(list, in.oid("extended key usage"))
		}
		c.done(in, "extended key usage")
		return list
	})
}

// readPolicies returns the identifiers of certificate policies (RFC 5280
// section 4.2.1.4). Qualifiers are read over.
func readPolicies(value []byte) ([]string, error) {
	return reading(value, "certificate policies", func(c *cursor) (list []string) {
		in := c.in(tagSequence, "certificate policies")
		for in.more() {
			p := in.in(tagSequence, "policy")
			list = append(list, p.oid("policy"))
			if p.more() {
				p.take(tagSequence, "policy qualifiers")
			}
			in.done(p, "policy")
		}
		c.done(in, "certificate policies")
		return list
	})
}

// readCRLPoints returns the URLs of CRL distribution points (RFC 5280 section
// 4.2.1.13). A point with anything but full names that are URLs is an error.
func readCRLPoints(value []byte) ([]string, error) {
	return reading(value, "CRL distribution points", func(c *cursor) (urls []string) {
		in := c.in(tagSequence, "CRL distribution points")
		for in.more() {
			point := in.in(tagSequence, "distribution point")
			name := point.in(tagConstructed, "distribution point name")
			full := name.in(tagConstructed, "full name")
			for full.more() {
				urls = append(urls, string(full.take(tagContext|6, "URL").content))
			}
			name.done(full, "full name")
			point.done(name, "distribution point name")
			in.done(point, "distribution point")
		}
		c.done(in, "CRL distribution points")
		return urls
	})
}

// An access is one entry of an authority information access.
type access struct{ method, url string }

// readAccess reads an authority information access (RFC 5280 section 4.2.2.1)
// whose locations are URLs.
func readAccess(value []byte) ([]access, error) {
	return reading(value, "authority information access", func(c *cursor) (list []access) {
		in := c.in(tagSequence, "authority information access")
		for in.more() {
			d := in.in(tagSequence, "access description")
			a := access{method: d.oid("access method")}
			a.url = string(d.take(tagContext|6, "URL").content)
			in.done(d, "access description")
			list = append(list, a)
		}
		c.done(in, "authority information access")
		return list
	})
}

// readAuthorityKeyID returns the key identifier of an authority key identifier
// that has nothing else (RFC 5280 section 4.2.1.1, BR 7.1.2.11.1).
func readAuthorityKeyID(value []byte) ([]byte, error) {
	return reading(value, "authority key identifier", func(c *cursor) []byte {
		in := c.in(tagSequence, "authority key identifier")
		id := in.take(tagContext, "key identifier").content
		c.done(in, "authority key identifier")
		return id
	})
}

func readSubjectKeyID(value []byte) ([]byte, error) {
	return reading(value, "subject key identifier", func(c *cursor) []byte {
		return c.take(tagOctetString, "subject key identifier").content
	})
}

func readNumber(value []byte) (*big.Int, error) {
	return reading(value, "CRL number", func(c *cursor) *big.Int {
		n, _ := c.integer("CRL number")
		return n
	})
}

// readReason returns a reason code (RFC 5280 section 5.3.1).
func readReason(value []byte) (int, error) {
	return reading(value, "reason code", func(c *cursor) int {
		n, err := parseInteger(c.take(tagEnumerated, "reason code").content)
		if err != nil || n.Sign() < 0 || n.BitLen() > 7 {
			c.fail("reason code", errors.New("malformed"))
			return -1
		}
		return int(n.Int64())
	})
}

// reasonNames names every reason code of RFC 5280 section 5.3.1; 7 is unused.
var reasonNames = []string{
	"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
	"cessationOfOperation", "certificateHold", "7", "removeFromCRL", "privilegeWithdrawn", "aACompromise",
}

// reasonName returns the name of a reason code.
func reasonName(code int) string {
	if code >= 0 && code < len(reasonNames) {
		return reasonNames[code]
	}
	return fmt.Sprint(code)
}
