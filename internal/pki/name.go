package pki

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A nameAttribute is one attribute of a [Subject].
type nameAttribute struct {
	field string // of the profile
	oid   string // content of the OBJECT IDENTIFIER, hex
	value string
}

// attributes lists the subject's attributes in the order of BR 7.1.4.2, empty
// ones too.
func (s Subject) attributes() []nameAttribute {
	return []nameAttribute{
		{"country", "550406", s.Country},
		{"state", "550408", s.State},
		{"locality", "550407", s.Locality},
		{"organisation", "55040a", s.Organisation},
		{"organisational_unit", "55040b", s.OrganisationalUnit},
		{"common_name", "550403", s.CommonName},
	}
}

// der encodes the subject as a Name: one attribute a relative distinguished
// name, the country a PrintableString and all others UTF8Strings (BR 7.1.4.2).
// crypto/x509 would put them into another order, so it is given these bytes.
func (s Subject) der() []byte {
	var rdns [][]byte
	for _, a := range s.attributes() {
		if a.value == "" {
			continue
		}
		tag := byte(tagUTF8)
		if a.field == "country" {
			tag = tagPrintable
		}
		rdns = append(rdns, wrap(tagSet, wrap(tagSequence, wrap(tagOID, unhex(a.oid)), wrap(tag, []byte(a.value)))))
	}
	return wrap(tagSequence, rdns...)
}

// attributeNames are the short names of RFC 4514 section 3 and a few more.
var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C",
	"2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "street", "2.5.4.10": "O",
	"2.5.4.11": "OU", "2.5.4.17": "postalCode", "2.5.4.42": "GN",
	"2.5.4.97":                   "organizationIdentifier",
	"0.9.2342.19200300.100.1.25": "DC",
	"1.2.840.113549.1.9.1":       "emailAddress",
}

// NameText returns a DER Name for people: "C=DE, O=Example, CN=Example Root",
// in the order of the bytes. A comma, plus or backslash in a value, and every
// character that cannot be seen or that changes how others are seen, is
// escaped; a value whose encoding is unknown stands as "#" and hex. A Name that
// does not parse is an error.
func NameText(name []byte) (string, error) {
	rdns, err := parseName(name)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, rdn := range rdns {
		var attrs []string
		for _, a := range rdn {
			short, ok := attributeNames[a.oid]
			if !ok {
				short = a.oid
			}
			attrs = append(attrs, short+"="+a.text())
		}
		parts = append(parts, strings.Join(attrs, " + "))
	}
	return strings.Join(parts, ", "), nil
}

// text returns the attribute's value for people.
func (a attribute) text() string {
	switch s := string(a.value); {
	case a.tag == tagUTF8 && utf8.ValidString(s):
		return visible(s)
	case (a.tag == tagPrintable || a.tag == tagIA5) && ascii(s):
		return visible(s)
	case a.tag == tagBMP && len(s)%2 == 0:
		u := make([]uint16, len(s)/2)
		for i := range u {
			u[i] = uint16(s[2*i])<<8 | uint16(s[2*i+1])
		}
		return visible(string(utf16.Decode(u)))
	}
	return "#" + hex.EncodeToString(a.value)
}

// tagBMP is the tag of BMPString, found in old names only.
const tagBMP = 0x1e

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7f }) < 0 && utf8.ValidString(s)
}

// visible escapes what a reader would not see, or would take for something
// else.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case hidden(r):
			fmt.Fprintf(&b, `\u{%X}`, r)
		case strings.ContainsRune(`,+\`, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isPrintableString reports whether s is made of the characters of a
// PrintableString (X.680 section 41.4).
func isPrintableString(s string) bool {
	for _, r := range s {
		letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune(" '()+,-./:=?", r) {
			return false
		}
	}
	return true
}
