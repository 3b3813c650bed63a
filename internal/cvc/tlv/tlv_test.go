package tlv

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestNext(t *testing.T) {
	long := strings.Repeat("AB", 0x80)
	for _, c := range []struct {
		in, value, rest, err string
		tag                  uint32
	}{
		{in: "5302ABCD01", tag: 0x53, value: "abcd", rest: "01"},
		{in: "7F2100", tag: 0x7F21},
		{in: "5F818001FF", tag: 0x5F8180, err: "longer than 3 bytes"},
		{in: "538180" + long, tag: 0x53, value: strings.ToLower(long)},
		{in: "53817F" + long, err: "not the shortest"},
		{in: "53820080" + long, err: "not the shortest"},
		{in: "5380", err: "length byte 80"},
		{in: "5384", err: "length byte 84"},
		{in: "", err: "ends inside"},
		{in: "7F", err: "ends inside"},
		{in: "53", err: "ends inside"},
		{in: "5382", err: "ends inside"},
		{in: "5302AB", err: "value of 2 bytes"},
	} {
		b, err := hex.DecodeString(c.in)
		if err != nil {
			t.Fatal(err)
		}
		o, rest, err := Next(b)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("Next(%s): error %v, want one with %q", c.in, err, c.err)
			}
		case err != nil:
			t.Errorf("Next(%s): %v", c.in, err)
		case o.Tag != c.tag || hex.EncodeToString(o.Value) != c.value || hex.EncodeToString(rest) != c.rest:
			t.Errorf("Next(%s) = %X %x, rest %x", c.in, o.Tag, o.Value, rest)
		case !bytes.Equal(append(bytes.Clone(o.Raw), rest...), b):
			t.Errorf("Next(%s): Raw is %x", c.in, o.Raw)
		}
	}
}

func TestAppendRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000} {
		value := bytes.Repeat([]byte{7}, n)
		b := Append(nil, 0x7F4E, value[:n/2], value[n/2:])
		list, err := All(b)
		if err != nil || len(list) != 1 {
			t.Fatalf("%d bytes: %v, %v", n, list, err)
		}
		got, ok := Find(list, 0x7F4E)
		if !ok || !bytes.Equal(got, value) {
			t.Errorf("%d bytes come back as %d", n, len(got))
		}
		if _, ok := Find(list, 0x53); ok {
			t.Error("Find finds what is not there")
		}
	}
}

func TestAllRefusesARest(t *testing.T) {
	if list, err := All([]byte{0x53, 0x00, 0x53}); err == nil {
		t.Errorf("got %v, want an error", list)
	}
}

// FuzzAll: what is parsed and written again has the same bytes.
func FuzzAll(f *testing.F) {
	f.Add([]byte{0x53, 0x01, 0xFF})
	f.Add([]byte{0x7F, 0x21, 0x81, 0x80})
	f.Add(Append(Append(nil, 0x5F29, []byte{0}), 0x7F49, bytes.Repeat([]byte{1}, 300)))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := All(b)
		if err != nil {
			return
		}
		var again []byte
		for _, o := range list {
			again = Append(again, o.Tag, o.Value)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%x comes back as %x", b, again)
		}
	})
}
