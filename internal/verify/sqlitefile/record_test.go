package sqlitefile

import (
	"encoding/hex"
	"testing"
)

func TestVarint(t *testing.T) {
	for _, test := range []struct {
		hex string
		v   uint64
		n   int
	}{
		{"00", 0, 1},
		{"7f", 127, 1},
		{"8100", 128, 2},
		{"ff7f", 16383, 2},
		{"818000", 16384, 3},
		{"ffffffffffffff7f", 1<<56 - 1, 8},
		{"8080ffffffffffffff", 0, 0}, // fits eight bytes
		{"8180808080808080ff", 1<<57 | 0xff, 9},
		{"ffffffffffffffffff", 1<<64 - 1, 9},
		{"", 0, 0},
		{"80", 0, 0},
		{"8000", 0, 0}, // zero in two bytes
		{"807f", 0, 0},
		{"ffffffffffffffff", 0, 0}, // the ninth is missing
	} {
		b, err := hex.DecodeString(test.hex)
		if err != nil {
			t.Fatal(err)
		}
		if v, n := varint(b); v != test.v || n != test.n {
			t.Errorf("varint(%s) = %#x, %d; want %#x, %d", test.hex, v, n, test.v, test.n)
		}
	}
}

func TestRecord(t *testing.T) {
	blob := []column{rowidColumn, blobColumn}
	for _, test := range []struct {
		name, hex string
		columns   []column
		ok        bool
	}{
		{"blob", "030010aabb", blob, true},
		{"empty blob", "03000c", blob, true},
		{"number", "020105", []column{intColumn}, true},
		{"zero", "0208", []column{intColumn}, true},
		{"one", "0209", []column{intColumn}, true},
		{"two bytes", "02020080", []column{intColumn}, true},
		{"text", "020f61", []column{textColumn}, true},
		{"nothing", "", blob, false},
		{"no columns", "01", blob, false},
		{"header too long", "090010aabb", blob, false},
		{"header of nothing", "00", blob, false},
		{"header in two bytes", "80030010aabb", blob, false},
		{"too few columns", "0200", blob, false},
		{"too many columns", "04001000aabb", blob, false},
		{"rowid not null", "030110aabb", blob, false},
		{"text for blob", "030011aabb", blob, false},
		{"null for blob", "030000", blob, false},
		{"blob cut off", "030010aa", blob, false},
		{"junk behind", "030010aabbcc", blob, false},
		{"one in a byte", "020101", []column{intColumn}, false},
		{"small in two bytes", "0202007f", []column{intColumn}, false},
		{"negative", "0201ff", []column{intColumn}, false},
		{"float", "02073ff0000000000000", []column{intColumn}, false},
		{"number cut off", "0204ff", []column{intColumn}, false},
		{"huge blob", "0b00ffffffffffffffffff", blob, false},
	} {
		b, err := hex.DecodeString(test.hex)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := record(b, test.columns, make([]value, len(test.columns))); (err == nil) != test.ok {
			t.Errorf("%s: %v, %v", test.name, v, err)
		}
	}
}
