package pki

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// maxSigned is the most bytes of a certificate or CRL that are looked at.
const maxSigned = 8 << 20

// An extension as it stands in a certificate, CRL or CRL entry.
type extension struct {
	oid      string
	critical bool
	value    []byte // content of the OCTET STRING
}

// certificateFields are the fields of a TBSCertificate (RFC 5280 section 4.1),
// read by code of its own and not by crypto/x509, which built it.
type certificateFields struct {
	version             int // 1, 2 or 3
	serial              *big.Int
	serialBytes         []byte // content of the INTEGER
	algorithm           []byte // AlgorithmIdentifier, whole
	issuer, subject     []byte // Name, whole
	notBefore, notAfter time.Time
	spki                []byte // SubjectPublicKeyInfo, whole
	extensions          []extension
}

// crlFields are the fields of a TBSCertList (RFC 5280 section 5.1).
type crlFields struct {
	version                int // 1 or 2
	algorithm              []byte
	issuer                 []byte
	thisUpdate, nextUpdate time.Time // the second zero if absent
	revoked                []revokedFields
	extensions             []extension
}

// revokedFields are one entry of a CRL.
type revokedFields struct {
	serial     *big.Int
	when       time.Time
	extensions []extension
}

// parseTBSCertificate reads a TBSCertificate.
func parseTBSCertificate(tbs []byte) (*certificateFields, error) {
	top := &cursor{b: tbs}
	c := top.in(tagSequence, "TBSCertificate")
	f := &certificateFields{version: 1}
	if c.is(tagConstructed) {
		f.version = c.explicitVersion()
	}
	f.serial, f.serialBytes = c.integer("serial number")
	f.algorithm = c.take(tagSequence, "signature algorithm").full
	f.issuer = c.take(tagSequence, "issuer").full
	v := c.in(tagSequence, "validity")
	f.notBefore, f.notAfter = v.time("notBefore"), v.time("notAfter")
	c.done(v, "validity")
	f.subject = c.take(tagSequence, "subject").full
	f.spki = c.take(tagSequence, "subject public key").full
	if c.is(tagConstructed | 3) {
		f.extensions = c.explicitExtensions(3)
	}
	top.done(c, "TBSCertificate")
	top.done(&cursor{b: top.b}, "TBSCertificate")
	return f, top.err
}

// explicitVersion reads [0] EXPLICIT INTEGER. DER leaves out the default, v1.
func (c *cursor) explicitVersion() int {
	v := c.in(tagConstructed, "version")
	n, _ := v.integer("version")
	c.done(v, "version")
	if c.err == nil && (!n.IsInt64() || n.Int64() < 1 || n.Int64() > 2) {
		c.fail("version", fmt.Errorf("unknown version number %v", n))
	}
	return int(n.Int64()) + 1
}

// explicitExtensions reads [n] EXPLICIT Extensions.
func (c *cursor) explicitExtensions(n byte) []extension {
	x := c.in(tagConstructed|n, "extensions")
	list := x.extensions()
	c.done(x, "extensions")
	return list
}

// extensions reads SEQUENCE OF Extension; none may stand twice (RFC 5280
// section 4.2) and the list may not be empty.
func (c *cursor) extensions() (list []extension) {
	seq := c.in(tagSequence, "extensions")
	seen := map[string]bool{}
	if c.err == nil && !seq.more() {
		c.fail("extensions", errors.New("the list is empty"))
	}
	for seq.more() {
		x := seq.extension()
		if seen[x.oid] {
			seq.fail("extensions", fmt.Errorf("extension %s stands twice", x.oid))
		}
		seen[x.oid] = true
		list = append(list, x)
	}
	c.done(seq, "extensions")
	return list
}

func (c *cursor) extension() (x extension) {
	e := c.in(tagSequence, "extension")
	x.oid = e.oid("extension")
	if e.is(tagBoolean) {
		x.critical = e.boolean("critical")
		if e.err == nil && !x.critical {
			e.fail("extension "+x.oid, errors.New("critical FALSE is written out, which DER forbids"))
		}
	}
	x.value = e.take(tagOctetString, "extension "+x.oid).content
	c.done(e, "extension "+x.oid)
	return x
}

// parseTBSCertList reads a TBSCertList.
func parseTBSCertList(tbs []byte) (*crlFields, error) {
	top := &cursor{b: tbs}
	c := top.in(tagSequence, "TBSCertList")
	f := &crlFields{version: 1}
	if c.is(tagInteger) {
		n, _ := c.integer("version")
		if n.Cmp(big.NewInt(1)) != 0 {
			c.fail("version", fmt.Errorf("unknown version number %v", n))
		}
		f.version = 2
	}
	f.algorithm = c.take(tagSequence, "signature algorithm").full
	f.issuer = c.take(tagSequence, "issuer").full
	f.thisUpdate = c.time("thisUpdate")
	if c.is(tagUTCTime) || c.is(tagGeneralized) {
		f.nextUpdate = c.time("nextUpdate")
	}
	if c.is(tagSequence) {
		f.revoked = c.revoked()
	}
	if c.is(tagConstructed) {
		f.extensions = c.explicitExtensions(0)
	}
	top.done(c, "TBSCertList")
	top.done(&cursor{b: top.b}, "TBSCertList")
	return f, top.err
}

func (c *cursor) revoked() (list []revokedFields) {
	seq := c.in(tagSequence, "revoked certificates")
	if c.err == nil && !seq.more() {
		c.fail("revoked certificates", errors.New("the list is there but empty, which RFC 5280 section 5.1.2.6 forbids"))
	}
	for seq.more() {
		e := seq.in(tagSequence, "revoked certificate")
		var r revokedFields
		r.serial, _ = e.integer("revoked serial number")
		r.when = e.time("revocation date")
		if e.is(tagSequence) {
			r.extensions = e.extensions()
		}
		seq.done(e, "revoked certificate")
		list = append(list, r)
	}
	c.done(seq, "revoked certificates")
	return list
}

// find returns the extension with the object identifier.
func find(list []extension, oid string) (extension, bool) {
	for _, x := range list {
		if x.oid == oid {
			return x, true
		}
	}
	return extension{}, false
}

// An attribute is one AttributeTypeAndValue of a Name.
type attribute struct {
	oid   string
	tag   byte // of the value
	value []byte
}

// parseName reads a Name into its relative distinguished names.
func parseName(name []byte) ([][]attribute, error) {
	top := &cursor{b: name}
	seq := top.in(tagSequence, "name")
	var rdns [][]attribute
	for seq.more() {
		set := seq.in(tagSet, "relative distinguished name")
		var rdn []attribute
		var before []byte
		for set.more() {
			e := set.take(tagSequence, "attribute")
			if bytes.Compare(before, e.full) > 0 {
				set.fail("relative distinguished name", errors.New("attributes are not in DER order"))
			}
			before = e.full
			c := &cursor{b: e.content, err: set.err}
			a := attribute{oid: c.oid("attribute type")}
			v := c.any("attribute value")
			a.tag, a.value = v.tag, v.content
			set.done(c, "attribute")
			rdn = append(rdn, a)
		}
		seq.done(set, "relative distinguished name")
		rdns = append(rdns, rdn)
	}
	top.done(seq, "name")
	top.done(&cursor{b: top.b}, "name")
	return rdns, top.err
}
