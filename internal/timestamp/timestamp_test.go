package timestamp

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/internal/timestamp/tsatest"
)

var msg = []byte("keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0\n3\nYymtING64dMcuZRd2zMmOQeBpNxX1ay7dDa6pFfJ0vI=\n")

func roots(t testing.TB, a *tsatest.Authority) []*x509.Certificate {
	t.Helper()
	list, err := Certificates(a.CA)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTimestamps(t *testing.T) {
	for _, kind := range []struct{ key, ess, digest string }{{"EC", "sha256", "-sha256"}, {"RSA", "sha1", "-sha512"}} {
		a := tsatest.New(t, "critical,timeStamping", kind.key, kind.ess)
		for _, request := range [][]byte{ours(t), a.Request(msg, kind.digest, "-cert"), a.Request(msg, "-sha384", "-cert", "-no_nonce")} {
			resp := a.Stamp(request)
			a.Verify(msg, resp)
			tok, err := Parse(resp)
			if err != nil {
				t.Fatal(err)
			}
			if err := tok.Check(msg, roots(t, a)); err != nil {
				t.Error(err)
			}
			if d := time.Since(tok.Time); d < -time.Minute || d > time.Hour || tok.Accuracy != 1500*time.Millisecond || tok.Policy != "1.2.3.4.1" || !strings.Contains(tok.Authority, "Example TSA") {
				t.Errorf("the token says %+v", tok)
			}
			if err := tok.Check(append([]byte("x"), msg...), roots(t, a)); err == nil || !strings.Contains(err.Error(), "of other bytes") {
				t.Errorf("of another message: %v", err)
			}
			other := tsatest.New(t, "critical,timeStamping", "EC", "sha256")
			if err := tok.Check(msg, roots(t, other)); err == nil || !strings.Contains(err.Error(), "certificate of the authority") {
				t.Errorf("under another CA: %v", err)
			}
		}
	}
}

func ours(t testing.TB) []byte {
	t.Helper()
	b, err := Request(msg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A certificate that is for other things, too, or does not say so critically,
// makes no time-stamps.
func TestUsage(t *testing.T) {
	a := tsatest.New(t, "critical,timeStamping", "EC", "sha256")
	tok, err := Parse(a.Stamp(ours(t)))
	if err != nil {
		t.Fatal(err)
	}
	all, err := tok.certificates()
	if err != nil {
		t.Fatal(err)
	}
	for _, usages := range [][]asn1.ObjectIdentifier{nil, {oidTimeStamp, {1, 3, 6, 1, 5, 5, 7, 3, 1}}, {{1, 3, 6, 1, 5, 5, 7, 3, 1}}} {
		value, err := asn1.Marshal(usages)
		if err != nil {
			t.Fatal(err)
		}
		for _, critical := range []bool{true, false} {
			c := *all[0]
			c.Extensions = nil
			if usages != nil {
				c.Extensions = append(c.Extensions, extension(value, critical))
			}
			if err := tok.checkUsage(&c); err == nil {
				t.Errorf("usages %v, critical %v are accepted", usages, critical)
			}
		}
	}
	good, err := asn1.Marshal([]asn1.ObjectIdentifier{oidTimeStamp})
	if err != nil {
		t.Fatal(err)
	}
	c := *all[0]
	c.Extensions = append(c.Extensions[:0:0], extension(good, false))
	if err := tok.checkUsage(&c); err == nil {
		t.Error("a usage that is not critical is accepted")
	}
	c.Extensions = append(c.Extensions[:0:0], extension(good, true))
	if err := tok.checkUsage(&c); err != nil {
		t.Error(err)
	}
}

// Whatever byte of a response is changed: what still passes says the same.
func TestEveryByte(t *testing.T) {
	a := tsatest.New(t, "critical,timeStamping", "EC", "sha256")
	resp := a.Stamp(ours(t))
	ca := roots(t, a)
	want, err := Parse(resp)
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for i := range resp {
		bad := bytes.Clone(resp)
		bad[i] ^= 1 << (i % 8)
		tok, err := Parse(bad)
		if err != nil || tok.Check(msg, ca) != nil {
			continue
		}
		passed++
		if !tok.Time.Equal(want.Time) || tok.Accuracy != want.Accuracy || tok.Policy != want.Policy || tok.Serial.Cmp(want.Serial) != 0 {
			t.Errorf("with byte %d changed the token says %+v", i, tok)
		}
	}
	if passed > len(resp)/2 {
		t.Errorf("%d of %d changed bytes pass", passed, len(resp))
	}
	for i := range resp {
		if _, err := Parse(resp[:i]); err == nil {
			t.Errorf("the first %d bytes are a response", i)
		}
	}
	if _, err := Parse(append(bytes.Clone(resp), 0)); err == nil {
		t.Error("a byte behind the response is let pass")
	}
}

func TestRefused(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing": nil, "huge": make([]byte, MaxSize+1), "refused": {0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02}, "no token": {0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00},
		"no token's type": {0x30, 0x0b, 0x30, 0x03, 0x02, 0x01, 0x00, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03},
	} {
		if tok, err := Parse(b); err == nil {
			t.Errorf("%s: parses as %+v", name, tok)
		}
	}
	for _, text := range []string{"20260304091500", "2026030409150Z", "20260304091500+0100", "20260304091500.50Z", "20260304091500.Z", "20261304091500Z"} {
		if at, err := parseTime(asn1.RawValue{Tag: asn1.TagGeneralizedTime, Bytes: []byte(text)}); err == nil {
			t.Errorf("%q is %s", text, at)
		}
	}
	if at, err := parseTime(asn1.RawValue{Tag: asn1.TagGeneralizedTime, Bytes: []byte("20260304091500.5Z")}); err != nil || at.Nanosecond() != 5e8 {
		t.Errorf("half a second is %s, %v", at, err)
	}
	for _, text := range []string{"", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		if list, err := Certificates([]byte(text)); err == nil {
			t.Errorf("%q holds %v", text, list)
		}
	}
}

// A response without the authority's certificate checks if it is given.
func TestCertificateGiven(t *testing.T) {
	a := tsatest.New(t, "critical,timeStamping", "EC", "sha256")
	resp := a.Stamp(a.Request(msg, "-sha256"))
	tok, err := Parse(resp)
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Check(msg, roots(t, a)); err == nil || !strings.Contains(err.Error(), "neither in the time-stamp nor") {
		t.Errorf("without the certificate: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	a := tsatest.New(f, "critical,timeStamping", "EC", "sha256")
	f.Add(a.Stamp(ours(f)))
	f.Add([]byte{0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00})
	ca := roots(f, a)
	f.Fuzz(func(t *testing.T, b []byte) {
		tok, err := Parse(b)
		if err == nil && tok.Check([]byte("another message"), ca) == nil {
			t.Errorf("%x is a time-stamp of another message", b)
		}
		_ = fmt.Sprint(tok, err)
	})
}

func extension(value []byte, critical bool) pkix.Extension {
	return pkix.Extension{Id: oidExtKeyUsage, Critical: critical, Value: value}
}
