package pki

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"testing"
)

// TestNext reads elements that are not DER, among a few that are.
func TestNext(t *testing.T) {
	for in, ok := range map[string]bool{
		"0500": true, "040101": true, "048180" + hex.EncodeToString(make([]byte, 128)): true,
		"": false, "05": false, "0401": false, "3080": false, "308000": false, "04810101": false, "0481": false,
		"04820001" + "01": false, "0484000000010a": false, "1f0100": false, "04820100": false,
	} {
		e, rest, err := next(unhex(in))
		if (err == nil) != ok || ok && (len(rest) != 0 || !bytes.Equal(e.full, unhex(in))) {
			t.Errorf("%s: %v, %x left, %v", in, e, rest, err)
		}
	}
}

// TestWrap writes every form of length and reads it back.
func TestWrap(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 255, 256, 65535, 65536} {
		b := wrap(tagOctetString, make([]byte, n))
		e, rest, err := next(b)
		if err != nil || len(e.content) != n || len(rest) != 0 {
			t.Errorf("%d bytes: %v", n, err)
		}
		want, err := asn1.Marshal(make([]byte, n))
		if err != nil || !bytes.Equal(b, want) {
			t.Errorf("%d bytes: %x…, want %x…", n, b[:4], want[:4])
		}
	}
}

func TestIntegers(t *testing.T) {
	for in, want := range map[string]string{"00": "0", "7f": "127", "0080": "128", "80": "-128", "ff": "-1", "ff7f": "-129"} {
		if n, err := parseInteger(unhex(in)); err != nil || n.String() != want {
			t.Errorf("%s: %v, %v, want %s", in, n, err, want)
		}
	}
	for _, in := range []string{"", "0000", "007f", "ffff", "ff80"} {
		if n, err := parseInteger(unhex(in)); err == nil {
			t.Errorf("%s: %v", in, n)
		}
	}
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		tag      byte
		in, want string
	}{
		{tagUTCTime, "261124090000Z", "2026-11-24 09:00:00 UTC"},
		{tagUTCTime, "491231235959Z", "2049-12-31 23:59:59 UTC"},
		{tagUTCTime, "500101000000Z", "1950-01-01 00:00:00 UTC"},
		{tagGeneralized, "20500101000000Z", "2050-01-01 00:00:00 UTC"},
		{tagUTCTime, "2611240900Z", ""}, {tagUTCTime, "261124090000+0000", ""}, {tagUTCTime, "261131090000Z", ""}, {tagUTCTime, "26112409000Z ", ""},
		{tagGeneralized, "20491231235959Z", ""}, {tagGeneralized, "20500101000000.5Z", ""}, {tagGeneralized, "2050010100000Z+", ""}, {tagOctetString, "261124090000Z", ""},
		{tagUTCTime, "261124240000Z", ""}, {tagUTCTime, "261124235960Z", ""},
	} {
		got, err := parseTime(element{tag: c.tag, content: []byte(c.in)})
		if (err == nil) != (c.want != "") || err == nil && stamp(got) != c.want {
			t.Errorf("%s: %s, %v, want %q", c.in, stamp(got), err, c.want)
		}
	}
}

// TestExtensionReaders gives each reader of an extension malformed values.
func TestExtensionReaders(t *testing.T) {
	err2 := func(_ any, err error) error { return err }
	for name, read := range map[string]func([]byte) error{
		"basic":     func(b []byte) error { return err2(readBasic(b)) },
		"key usage": func(b []byte) error { return err2(readKeyUsage(b)) },
		"usages":    func(b []byte) error { return err2(readOIDs(b)) },
		"policies":  func(b []byte) error { return err2(readPolicies(b)) },
		"points":    func(b []byte) error { return err2(readCRLPoints(b)) },
		"access":    func(b []byte) error { return err2(readAccess(b)) },
		"authority": func(b []byte) error { return err2(readAuthorityKeyID(b)) },
		"subject":   func(b []byte) error { return err2(readSubjectKeyID(b)) },
		"number":    func(b []byte) error { return err2(readNumber(b)) },
		"reason":    func(b []byte) error { return err2(readReason(b)) },
	} {
		for _, bad := range []string{
			"", "00", "0500", "3080", "30020500", "0201", "030200", "0302000000", "03020700", "030201ff", "03030700" + "40", "0a0100" + "00",
			"30030101ff" + "00", "3003010100", "30030101aa", "3003020180", "0a0180", "300404020102", "30053003060180",
			"30063004a0020500", "3003060180", "3006a104020101" + "00",
		} {
			if err := read(unhex(bad)); err == nil {
				t.Errorf("%s reads %s", name, bad)
			}
		}
	}
	if names, err := readKeyUsage(unhex("0303070080")); err != nil || len(names) != 1 || names[0] != "decipherOnly" {
		t.Errorf("decipherOnly: %q, %v", names, err)
	}
}

// TestReadersAgree compares our readers with encoding/asn1.
func TestReadersAgree(t *testing.T) {
	type basic struct {
		CA     bool `asn1:"optional"`
		Length int  `asn1:"optional,default:-1"`
	}
	for _, b := range []basic{{true, -1}, {true, 0}, {true, 3}, {false, -1}} {
		der, err := asn1.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readBasic(der)
		if err != nil || got.ca != b.CA || got.limited != (b.Length >= 0) || got.limited && got.length != b.Length {
			t.Errorf("%+v: %+v, %v", b, got, err)
		}
	}
	for _, n := range []*big.Int{big.NewInt(0), big.NewInt(-5), big.NewInt(300), odd(159)} {
		der, err := asn1.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readNumber(der); err != nil || got.Cmp(n) != 0 {
			t.Errorf("%v: %v, %v", n, got, err)
		}
	}
}

func TestSerialText(t *testing.T) {
	for n, want := range map[int64]string{0: "00", 10: "0A", -10: "-0A", 0x1234: "1234"} {
		if got := serialText(big.NewInt(n)); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// TestNameText writes names, hostile ones too.
func TestNameText(t *testing.T) {
	set := func(attrs ...[]byte) []byte { return wrap(tagSet, attrs...) }
	attr := func(oid string, tag byte, value string) []byte {
		return wrap(tagSequence, wrap(tagOID, unhex(oid)), wrap(tag, []byte(value)))
	}
	for _, c := range []struct {
		name []byte
		want string
	}{
		{Subject{Country: "PL", Organisation: "Łukasz, Söhne + Co", CommonName: `山田 \ Ελένη`}.der(), `C=PL, O=Łukasz\, Söhne \+ Co, CN=山田 \\ Ελένη`},
		{wrap(tagSequence), ""},
		{wrap(tagSequence, set(attr("550403", tagUTF8, "a\u202eb\nc\u200b"))), `CN=a\u{202E}b\u{A}c\u{200B}`},
		{wrap(tagSequence, set(attr("550403", tagUTF8, "\xff"))), "CN=#ff"},
		{wrap(tagSequence, set(attr("550403", tagPrintable, "\xe9"))), "CN=#e9"},
		{wrap(tagSequence, set(attr("550403", 0x14, "\xe9"))), "CN=#e9"},
		{wrap(tagSequence, set(attr("550403", tagBMP, "\x01\x41\x5c\x71"))), "CN=Ł山"},
		{wrap(tagSequence, set(attr("550403", tagBMP, "\x01"))), "CN=#01"},
		{wrap(tagSequence, set(attr("550403", tagUTF8, "a"), attr("55040a", tagUTF8, "b"))), "CN=a + O=b"},
		{wrap(tagSequence, set(attr("2a0304", tagUTF8, "x"))), "1.2.3.4=x"},
		{wrap(tagSequence, set(attr("0992268993f22c640119", tagIA5, "org"))), "DC=org"},
	} {
		if got, err := NameText(c.name); err != nil || got != c.want {
			t.Errorf("%x: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	for _, bad := range [][]byte{nil, {0x31, 0}, wrap(tagSequence, wrap(tagSequence)), wrap(tagSequence, set(wrap(tagSequence, wrap(tagOID)))),
		wrap(tagSequence, set(attr("55040a", tagUTF8, "b"), attr("550403", tagUTF8, "a"))), append(wrap(tagSequence), 0)} {
		if got, err := NameText(bad); err == nil {
			t.Errorf("%x: %q", bad, got)
		}
	}
	// The library reads our names as we write them.
	var seq pkix.RDNSequence
	if _, err := asn1.Unmarshal(rootProfile().Subject.der(), &seq); err != nil || seq.String() != "CN=Łukasz 山田 Root Ελένη,O=Beispiel & Söhne,C=DE" {
		t.Errorf("%v, %v", seq, err)
	}
}
