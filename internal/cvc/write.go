package cvc

import (
	"fmt"

	"github.com/keyrite/keyrite/internal/cvc/tlv"
)

// A Sign function makes the signature over data that PublicKey.Verify accepts.
type Sign func(data []byte) ([]byte, error)

// Issue writes a certificate with the fields of c and a signature by sign. From
// and To are "YYYY-MM-DD" in the years 2000 to 2099; Body, Signature and Raw
// are not read. What it writes is parsed before it is returned, so that nothing
// is issued that Parse refuses.
func Issue(c *Certificate, sign Sign) (*Certificate, error) {
	b := tlv.Append(nil, TagProfile, []byte{0})
	if c.CAR != "" {
		b = tlv.Append(b, TagCAR, []byte(c.CAR))
	}
	b = tlv.Append(b, TagPublicKey, c.Key.value())
	b = tlv.Append(b, TagCHR, []byte(c.CHR))
	if c.Authorization != nil {
		b = tlv.Append(b, TagAuthorization, c.Authorization)
		b = tlv.Append(b, TagFrom, digits(c.From))
		b = tlv.Append(b, TagTo, digits(c.To))
	}
	if c.Extensions != nil {
		b = tlv.Append(b, TagExtensions, c.Extensions)
	}
	body := tlv.Append(nil, TagBody, b)
	signature, err := sign(body)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate of %q: %w", c.CHR, err)
	}
	whole := tlv.Append(nil, TagCertificate, body, tlv.Append(nil, TagSignature, signature))
	issued, _, err := Parse(whole)
	return issued, err
}

// Attest puts a device's signature around a request.
func Attest(request *Certificate, device string, sign Sign) (*Attested, error) {
	signed := tlv.Append(append([]byte(nil), request.Raw...), TagCAR, []byte(device))
	signature, err := sign(signed)
	if err != nil {
		return nil, fmt.Errorf("attesting a request of %q: %w", request.CHR, err)
	}
	return ParseAttested(tlv.Append(nil, TagAttested, signed, tlv.Append(nil, TagSignature, signature)))
}

// digits writes "2026-11-24" as 02 06 01 01 02 04.
func digits(date string) []byte {
	var out []byte
	for _, c := range []byte(date) {
		if c != '-' {
			out = append(out, c-'0')
		}
	}
	return out[min(2, len(out)):]
}
