package apdu

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	ff := strings.Repeat("5a", 256)
	for _, c := range []struct {
		in   string
		data string
		le   int
		bad  bool
	}{
		{in: "00200081"},
		{in: "0020008100", le: 256},
		{in: "0084000008", le: 8},
		{in: "00a40000022f02", data: "2f02"},
		{in: "00a40000022f0200", data: "2f02", le: 256},
		{in: "80580000000000", le: MaxExtended},
		{in: "80580000000200", le: 512},
		{in: "80680170000100" + ff, data: ff},
		{in: "80680170000100" + ff + "0200", data: ff, le: 512},
		{in: "002000", bad: true},
		{in: "ff200081", bad: true},
		{in: "00a40000032f02", bad: true},
		{in: "00a40000012f0200", bad: true},
		{in: "805800000000", bad: true},
		{in: "8058000000000001", bad: true},
		{in: "80680170000002aabb01", bad: true},
		{in: "80680170000003aabb", bad: true},
	} {
		b, err := hex.DecodeString(c.in)
		if err != nil && !c.bad {
			t.Fatal(err)
		}
		got, err := Parse(b)
		if c.bad {
			if err == nil {
				t.Errorf("Parse(%s) = %+v, want an error", c.in, got)
			}
			continue
		}
		if err != nil || hex.EncodeToString(got.Data) != c.data || got.Le != c.le {
			t.Errorf("Parse(%s) = %+v, %v", c.in, got, err)
		}
		if again := got.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("%s comes back as %x", c.in, again)
		}
	}
}

func TestTries(t *testing.T) {
	for left, want := range map[int]Status{-1: Blocked, 0: Blocked, 1: 0x63C1, 15: 0x63CF, 16: 0x63CF} {
		if got := Tries(left); got != want {
			t.Errorf("Tries(%d) = %v, want %v", left, got, want)
		}
	}
	if n, ok := Status(0x63C4).Left(); n != 4 || !ok {
		t.Errorf("63C4 says %d, %v", n, ok)
	}
	if _, ok := Blocked.Left(); ok {
		t.Error("6983 passes for a number of tries")
	}
	if got := FileNotFound.Error(); got != "status 6A82" {
		t.Error(got)
	}
}

func TestResponse(t *testing.T) {
	b := Response([]byte{1, 2}, OK)
	data, s, err := Split(b)
	if err != nil || s != OK || !bytes.Equal(data, []byte{1, 2}) {
		t.Errorf("%x comes back as %x, %v, %v", b, data, s, err)
	}
	if _, _, err := Split(b[:1]); err == nil {
		t.Error("a response of one byte passes")
	}
}

func TestChain(t *testing.T) {
	whole := Command{CLA: 0x80, INS: 0x74, P1: 1, P2: 0x93, Data: bytes.Repeat([]byte{3}, 600), Le: 256}
	var c Chain
	parts := whole.Split(255)
	if len(parts) != 3 {
		t.Fatalf("%d parts, want 3", len(parts))
	}
	for i, p := range parts {
		parsed, err := Parse(p.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		got, done, err := c.Add(parsed)
		if err != nil || done != (i == 2) {
			t.Fatalf("part %d: %v, %v", i, done, err)
		}
		if done && (!bytes.Equal(got.Data, whole.Data) || got.CLA != 0x80 || got.Le != 256) {
			t.Errorf("the whole is %+v", got)
		}
	}
	other := parts[0]
	other.P1 = 2
	if _, _, err := c.Add(parts[0]); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Add(other); !errors.Is(err, ChainingRefused) {
		t.Errorf("another command inside a chain: %v", err)
	}
	if _, done, err := c.Add(Command{INS: 0x84}); !done || err != nil {
		t.Errorf("after a refused chain: %v, %v", done, err)
	}
	big := Command{CLA: 0x10, Data: make([]byte, 40000)}
	if _, _, err := c.Add(big); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Add(big); !errors.Is(err, ChainingRefused) {
		t.Errorf("80,000 bytes: %v", err)
	}
}

// FuzzParse: a command that is understood has one encoding in its form, short
// or extended.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"00200081", "0020008106313233343536", "00a4040c0be82b0601040181c31f0201", "80580000000000", "80680170000003aabbcc0200"} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if err != nil {
			return
		}
		if again := c.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("%x comes back as %x", b, again)
		}
	})
}
