package audit_test

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

// TestHeard: what counts of a text that was typed by ear, and what does not.
func TestHeard(t *testing.T) {
	const hex = "0ad7d35e8a88e3dd"
	words := strings.Join(audit.Words([]byte{0x0a, 0xd7, 0xd3, 0x5e, 0x8a, 0x88, 0xe3, 0xdd}), " ")
	for _, c := range []struct {
		typed, value           string
		wantHeard, wantReading bool
	}{
		{hex, hex, true, true},
		{"0AD7 D35E 8a88 e3dd", hex, true, true},
		{"0a:d7:d3:5e-8a.88.e3.dd", hex, true, false},
		{words, hex, true, true},
		{strings.ToUpper(words), hex, true, true},
		{"denk 0000001", "DENK0000001", true, true},
		{"a-0017-4423", "A 0017 4423", true, false},
		{strings.ToLower(words), words, true, true},
		{"", hex, false, false},
		{hex[:15], hex, false, false},
		{hex + "0", hex, false, false},
		{"0ad7d35e8a88e3d0", hex, false, false},
		{strings.Join(strings.Fields(words)[:7], " "), hex, false, false},
		{"", "", false, false},
		{"-", " ", false, false},
		{"-", "-", false, true},
	} {
		if got := audit.SameHeard(c.typed, c.value); got != c.wantHeard {
			t.Errorf("SameHeard(%q, %q) = %v", c.typed, c.value, got)
		}
		if got := audit.SameReading(c.typed, c.value); got != c.wantReading {
			t.Errorf("SameReading(%q, %q) = %v", c.typed, c.value, got)
		}
	}
}
