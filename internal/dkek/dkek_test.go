package dkek

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// sealed is a file that OpenSC's format has for the share 5AC3, sixteen times,
// and the password "example password"; sc-hsm-tool imports it (internal/simcard/pcsc).
const sealed = "53616c7465645f5f6578616d706c6531efefad0ffd38179169f53d3a46e72a80" +
	"aa49d418c96d60dcad20ede6a2332103f0c7101e9fad748c99e354d7f67cf52e"

func TestShare(t *testing.T) {
	share := bytes.Repeat([]byte{0x5A, 0xC3}, 16)
	want, err := hex.DecodeString(sealed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Seal(share, []byte("example password"), strings.NewReader("example1"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v", got, err)
	}
	if back, err := Open(want, []byte("example password")); err != nil || !bytes.Equal(back, share) {
		t.Errorf("%x, %v", back, err)
	}
	if _, err := Open(want, []byte("example passwort")); !errors.Is(err, ErrPassword) {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := Seal(share[1:], nil, strings.NewReader("example1")); err == nil {
		t.Error("a share of 31 bytes is sealed")
	}
	if _, err := Seal(share, nil, strings.NewReader("short")); err == nil {
		t.Error("a share is sealed without randomness")
	}
	for _, bad := range [][]byte{nil, want[:63], append(bytes.Clone(want), 0), append([]byte("salted__"), want[8:]...)} {
		if _, err := Open(bad, nil); err == nil || errors.Is(err, ErrPassword) {
			t.Errorf("%x: %v", bad, err)
		}
	}
	if v := CheckValue(share); len(v) != 16 {
		t.Errorf("check value %q", v)
	}
}

func TestWrapped(t *testing.T) {
	w := Wrapped{Blob: bytes.Repeat([]byte{7}, 200), Certificate: []byte{0x67, 1, 9}}
	// An EC key as OpenSC describes it: label "root", flags, id 01, usage.
	w.Description = []byte{0xA0, 19, 0x30, 10, 0x0C, 4, 'r', 'o', 'o', 't', 0x03, 2, 6, 0x40, 0x30, 3, 0x04, 1, 1, 0xA1, 0}
	got, err := ParseWrapped(w.Bytes())
	if err != nil || !bytes.Equal(got.Bytes(), w.Bytes()) || got.CheckValue() != "0707070707070707" {
		t.Errorf("%v, %v", got, err)
	}
	if label, id, ok := Names(got.Description); !ok || label != "root" || !bytes.Equal(id, []byte{1}) {
		t.Errorf("%q, %x, %v", label, id, ok)
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "rest": append(w.Bytes(), 0), "cut off": w.Bytes()[:50], "no blob": {0x30, 0}, "short blob": {0x30, 3, 0x04, 1, 1},
		"other": {0x31, 0}, "too large": make([]byte, maxWrapped+1), "text": append([]byte{0x30, 16, 0x0C, 14}, make([]byte, 14)...),
	} {
		if _, err := ParseWrapped(bad); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	for _, bad := range [][]byte{nil, {0x30}, {0x30, 0}, w.Certificate, {0xA0, 4, 0x30, 0, 0x30, 0}} {
		if _, _, ok := Names(bad); ok {
			t.Errorf("%x is read", bad)
		}
	}
}

func FuzzParseWrapped(f *testing.F) {
	f.Add(Wrapped{Blob: make([]byte, 20), Description: []byte{0x30, 0}}.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := ParseWrapped(b)
		if err != nil {
			return
		}
		if again, err := ParseWrapped(w.Bytes()); err != nil || !bytes.Equal(again.Blob, w.Blob) {
			t.Errorf("%x: %v", b, err)
		}
		Names(w.Description)
	})
}
