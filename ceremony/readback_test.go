package ceremony

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

func TestSameRead(t *testing.T) {
	const hex = "0ad7d35e8a88e3dd"
	words := strings.Join(audit.Words([]byte{0x0a, 0xd7, 0xd3, 0x5e, 0x8a, 0x88, 0xe3, 0xdd}), " ")
	for _, c := range []struct {
		typed, value string
		want         bool
	}{
		{hex, hex, true},
		{"0AD7 D35E 8a88 e3dd", hex, true},
		{"0a:d7:d3:5e-8a.88.e3.dd", hex, true},
		{words, hex, true},
		{strings.ToUpper(words), hex, true},
		{"denk 0000001", "DENK0000001", true},
		{strings.ToLower(words), words, true},
		{"", hex, false},
		{hex[:15], hex, false},
		{hex + "0", hex, false},
		{"0ad7d35e8a88e3d0", hex, false},
		{strings.Join(strings.Fields(words)[:7], " "), hex, false},
		{"", "", false},
		{"-", " ", false},
	} {
		if got := sameRead(c.typed, c.value); got != c.want {
			t.Errorf("%q for %q: %v", c.typed, c.value, got)
		}
	}
}
