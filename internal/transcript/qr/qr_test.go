package qr

import (
	"strings"
	"testing"
)

// TestSizes: alphanumeric text takes the smaller code of its mode; the sizes
// are those of ISO/IEC 18004, table 7, level M.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		text string
		side int
	}{
		{"A", 21},
		{strings.Repeat("A", 20), 21},
		{strings.Repeat("A", 21), 25},
		{strings.Repeat("a", 14), 21},
		{strings.Repeat("a", 15), 25},
		{strings.Repeat("A", 311), 57},
		{strings.Repeat("A", 366), 61},
		{strings.Repeat("A", 367), 65},
	} {
		m, err := Encode(c.text)
		if err != nil || len(m) != c.side {
			t.Errorf("%d × %q: %d modules, want %d (%v)", len(c.text), c.text[:1], len(m), c.side, err)
		}
	}
}

// TestNoBorder: the finder patterns stand in the corners.
func TestNoBorder(t *testing.T) {
	m, err := Encode("KEYRITE")
	if err != nil {
		t.Fatal(err)
	}
	n := len(m) - 1
	if !m[0][0] || !m[0][n] || !m[n][0] || !m[0][6] || m[1][1] {
		t.Error("the finder patterns are not in the corners")
	}
	for _, row := range m {
		if len(row) != len(m) {
			t.Errorf("a row of %d modules in a code of %d", len(row), len(m))
		}
	}
}

func TestTooLong(t *testing.T) {
	if _, err := Encode(strings.Repeat("A", 4000)); err == nil || !strings.Contains(err.Error(), "of 4000 bytes") {
		t.Errorf("4000 characters: %v", err)
	}
}
