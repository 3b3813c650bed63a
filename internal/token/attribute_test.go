package token

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestAttributeRoundTrip(t *testing.T) {
	for _, v := range []bool{true, false} {
		if got, err := Bool(CKA_SIGN, v).Bool(); got != v || err != nil {
			t.Errorf("%v became %v, %v", v, got, err)
		}
	}
	for _, v := range []uint{0, 1, 384, 1 << 40, ^uint(0)} {
		a := Ulong(CKA_MODULUS_BITS, v)
		if got, err := a.Ulong(); got != v || err != nil || len(a.Value) != 8 {
			t.Errorf("%d became %d, %v, %d bytes", v, got, err, len(a.Value))
		}
	}
	if got, err := Text(CKA_LABEL, "Łódź").Text(); got != "Łódź" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if a := Bytes(CKA_ID, []byte{1, 2}); a.Type != CKA_ID || !bytes.Equal(a.Value, []byte{1, 2}) {
		t.Errorf("%+v", a)
	}
}

func TestAttributeErrors(t *testing.T) {
	bad := map[string]func() error{
		"bool of 2":         func() error { _, err := Attribute{Type: CKA_SIGN, Value: []byte{2}}.Bool(); return err },
		"bool of 8 bytes":   func() error { _, err := Ulong(CKA_SIGN, 1).Bool(); return err },
		"bool of nothing":   func() error { _, err := Attribute{Type: CKA_SIGN}.Bool(); return err },
		"ulong of 4 bytes":  func() error { _, err := Bytes(CKA_CLASS, []byte{1, 0, 0, 0}).Ulong(); return err },
		"ulong of 16 bytes": func() error { _, err := Bytes(CKA_CLASS, make([]byte, 16)).Ulong(); return err },
		"text not UTF-8":    func() error { _, err := Bytes(CKA_LABEL, []byte{0xff}).Text(); return err },
	}
	for name, f := range bad {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	told := Attribute{Type: CKA_SIGN, Err: CKR_ATTRIBUTE_SENSITIVE}
	_, err1 := told.Bool()
	_, err2 := told.Ulong()
	_, err3 := told.Text()
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, CKR_ATTRIBUTE_SENSITIVE) || !strings.Contains(err.Error(), "CKA_SIGN") {
			t.Errorf("%v", err)
		}
	}
}

func TestShown(t *testing.T) {
	for want, a := range map[string]Attribute{
		"true":                 Bool(CKA_SIGN, true),
		"false":                Bool(CKA_SIGN, false),
		"3":                    Ulong(CKA_CLASS, 3),
		"18446744073709551615": Ulong(CKA_MODULUS_BITS, ^uint(0)),
		"root 山田":              Text(CKA_LABEL, "root 山田"),
		"00ff":                 Bytes(CKA_ID, []byte{0, 0xff}),
		"malformed: ff":        Bytes(CKA_LABEL, []byte{0xff}),
		"malformed: 0101":      Bytes(CKA_SIGN, []byte{1, 1}),
		"malformed: 01":        Bytes(CKA_CLASS, []byte{1}),
		"":                     {Type: CKA_LABEL, Value: []byte("x"), Err: CKR_ATTRIBUTE_SENSITIVE},
	} {
		if got := a.Shown(); got != want {
			t.Errorf("%s: %q, want %q", AttributeName(a.Type), got, want)
		}
	}
}

// TestReadable: everything that is or could be a key's secret part is refused,
// and what is not known is, too.
func TestReadable(t *testing.T) {
	secret := []uint{
		0x11,                                     // CKA_VALUE
		0x123, 0x124, 0x125, 0x126, 0x127, 0x128, // CKA_PRIVATE_EXPONENT, primes, exponents, coefficient
		0x80000000, 0x40000211, 0x9999,
	}
	for _, typ := range secret {
		if Readable(typ) {
			t.Errorf("%s may be read", AttributeName(typ))
		}
	}
	for typ, n := range attributeNames {
		for _, part := range []string{"VALUE", "PRIVATE_EXPONENT", "PRIME", "EXPONENT_1", "EXPONENT_2", "COEFFICIENT", "OTP", "BASE"} {
			if strings.Contains(n, part) && Readable(typ) {
				t.Errorf("%s may be read", n)
			}
		}
	}
	if len(readable) != 41 {
		t.Errorf("%d attributes may be read: look at each that was added", len(readable))
	}
	if !Readable(CKA_LABEL) || !Readable(CKA_MODULUS) {
		t.Error("label or modulus may not be read")
	}
}

func TestLookup(t *testing.T) {
	list := []Attribute{Bool(CKA_SIGN, true), Text(CKA_LABEL, "a")}
	if a, ok := Lookup(list, CKA_LABEL); !ok || a.Shown() != "a" {
		t.Errorf("%+v, %v", a, ok)
	}
	if _, ok := Lookup(list, CKA_ID); ok {
		t.Error("found what is not there")
	}
}

func TestAttributeOnly(t *testing.T) {
	for err, want := range map[error]bool{
		CKR_ATTRIBUTE_TYPE_INVALID: true, CKR_ATTRIBUTE_SENSITIVE: true,
		CKR_DEVICE_REMOVED: false, CKR_SESSION_HANDLE_INVALID: false, CKR_OBJECT_HANDLE_INVALID: false,
		CKR_USER_NOT_LOGGED_IN: false, CKR_TOKEN_NOT_PRESENT: false, errors.New("other"): false,
	} {
		if AttributeOnly(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}
