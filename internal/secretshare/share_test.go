package secretshare

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/bits"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var set = Set{Origin: "keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0", Token: "hsm", Kind: SOPIN, Number: 57, K: 3, N: 5}

// TestField holds the arithmetic against the schoolbook's: long multiplication
// of polynomials and division by x^8+x^4+x^3+x+1.
func TestField(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			want := 0
			for i := range 8 {
				if b>>i&1 == 1 {
					want ^= a << i
				}
			}
			for bits.Len(uint(want)) > 8 {
				want ^= 0x11b << (bits.Len(uint(want)) - 9)
			}
			if got := mul(byte(a), byte(b)); int(got) != want {
				t.Fatalf("%#x * %#x = %#x, want %#x", a, b, got, want)
			}
		}
		if a > 0 && mul(byte(a), inverse(byte(a))) != 1 {
			t.Errorf("%#x times its inverse is not 1", a)
		}
	}
}

// vector is a splitting with chosen coefficients. That the values give the
// secret back was checked once with the code of HashiCorp Vault 1.14.10
// (shamir.Combine), whose shares are these values with x behind.
const (
	vectorSecret       = "6029384715263748"
	vectorCoefficients = "000102030405060708090a0b0c0d0e0f" + "f0e1d2c3b4a5968778695a4b3c2d1e0f"
)

var vectorValues = []string{
	"c6d0e2f98398a4b74155627603172438",
	"db9b531edd905613da985517db99501a",
	"2b7b83de6d30c693aaf80557ebb9401a",
	"afa6b5b196928f83d0dbcdc6eee5f7f4",
	"5f46657126321f03a0bb9d86dec5e7f4",
}

func TestVector(t *testing.T) {
	coefficients, _ := hex.DecodeString(vectorCoefficients)
	values, err := split([]byte(vectorSecret), 3, 5, bytes.NewReader(coefficients))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if got := hex.EncodeToString(v); got != vectorValues[i] {
			t.Errorf("value %d is %s, want %s", i+1, got, vectorValues[i])
		}
	}
}

// subsets calls f with every subset of 0 … n-1.
func subsets(n int, f func([]int)) {
	for m := range 1 << n {
		var s []int
		for i := range n {
			if m>>i&1 == 1 {
				s = append(s, i)
			}
		}
		f(s)
	}
}

// TestEverySubset: k shares and more give the secret back, whichever; fewer do
// not join, and what Lagrange's formula gives for them is something else.
func TestEverySubset(t *testing.T) {
	for n := 2; n <= 6; n++ {
		for k := 2; k <= n; k++ {
			secret := []byte("73920461")
			s := set
			s.K, s.N, s.Kind = k, n, UserPIN
			shares, err := s.Split(secret, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			subsets(n, func(which []int) {
				var some []*Share
				for _, i := range which {
					some = append(some, shares[i])
				}
				got, err := Join(some)
				if enough := len(which) >= k; enough != (err == nil) || enough && !bytes.Equal(got, secret) {
					t.Errorf("%d of %d, shares %v: %q, %v", k, n, which, got, err)
				}
			})
		}
	}
	xs, values := []byte{1, 2}, [][]byte{}
	shares, _ := set.Split([]byte(vectorSecret), rand.Reader)
	for _, s := range shares[:2] {
		values = append(values, s.value())
	}
	if got, err := join(xs, values); err != nil || bytes.Equal(got, []byte(vectorSecret)) {
		t.Errorf("two shares of three: %q, %v", got, err)
	}
}

// TestOneShareSaysNothing: for a share, every secret is as likely: with one
// coefficient each value of a share is hit by exactly one for each secret.
func TestOneShareSaysNothing(t *testing.T) {
	for secret := range 256 {
		var seen [256]bool
		for c := range 256 {
			values, err := split([]byte{byte(secret)}, 2, 3, bytes.NewReader([]byte{byte(c)}))
			if err != nil {
				t.Fatal(err)
			}
			seen[values[2][0]] = true
		}
		for v, ok := range seen {
			if !ok {
				t.Fatalf("secret %d never gives the value %d", secret, v)
			}
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, c := range []struct {
		secret string
		k, n   int
		want   string
	}{
		{"", 2, 3, "1 to 16 bytes"},
		{"12345678901234567", 2, 3, "1 to 16 bytes"},
		{"1234", 1, 3, "the threshold must be 2 to 3"},
		{"1234", 4, 3, "the threshold must be 2 to 3"},
		{"1234", 2, 16, "at most 15"},
	} {
		s := set
		s.K, s.N = c.k, c.n
		if _, err := s.Split([]byte(c.secret), rand.Reader); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d of %d: %v", c.k, c.n, err)
		}
	}
	s := set
	s.Kind = 3
	if _, err := s.Split([]byte("1234"), rand.Reader); err == nil {
		t.Error("a third kind of PIN is split")
	}
	for i := range 2 * 16 {
		if _, err := set.Split([]byte(vectorSecret), bytes.NewReader(make([]byte, i))); err == nil {
			t.Fatalf("%d bytes of randomness were enough", i)
		}
	}
}

// read types rows into a reader.
func read(rows [][]byte) (*Share, error) { return typed(new(Reader), rows) }

func typed(r *Reader, rows [][]byte) (*Share, error) {
	for i, row := range rows {
		s, err := r.Row(row)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		if s != nil {
			if i != len(rows)-1 {
				return nil, fmt.Errorf("it is whole after row %d", i+1)
			}
			return s, nil
		}
	}
	return nil, fmt.Errorf("not whole after %d rows", len(rows))
}

// TestRows: for every length of a PIN a share is typed back as it was shown, in
// any case and spacing, and no single change of a word, nor any two rows
// swapped, is taken.
func TestRows(t *testing.T) {
	for n := LeastBytes; n <= MostBytes; n++ {
		shares, err := set.Split(bytes.Repeat([]byte("7"), n), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		rows := shares[4].Rows()
		got, err := read(rows)
		if err != nil || !got.Same(shares[4]) || got.Commitment() != shares[4].Commitment() {
			t.Fatalf("%d bytes: %v, %v", n, got, err)
		}
		for i := range rows {
			if len(rows[i]) > 74 {
				t.Errorf("row %d has %d columns", i+1, len(rows[i]))
			}
			other := append([][]byte{}, rows...)
			other[i] = bytes.ToUpper(bytes.ReplaceAll(rows[i], []byte(" "), []byte(" - ")))
			if _, err := read(other); err != nil {
				t.Errorf("typed otherwise: %v", err)
			}
			if i > 0 {
				other = append([][]byte{}, rows...)
				other[i-1], other[i] = rows[i], rows[i-1]
				if _, err := read(other); err == nil {
					t.Errorf("rows %d and %d are swapped", i, i+1)
				}
			}
		}
	}
}

// TestMistyped changes each word of each row to each of the 255 others of its
// list: a few pass the check of their row, none that of the rows after it and
// the whole.
func TestMistyped(t *testing.T) {
	shares, _ := set.Split([]byte("73920461"), rand.Reader)
	rows := shares[0].Rows()
	late := 0
	var r Reader
	for i, row := range rows {
		was := bytes.Fields(row)
		for w := range was {
			for c := range 256 {
				other := append([][]byte{}, was...)
				other[w] = bytes.Fields(words(bytes.Repeat([]byte{byte(c)}, w+1)))[w]
				if bytes.Equal(other[w], was[w]) {
					continue
				}
				changed := append([][]byte{}, rows...)
				changed[i] = bytes.Join(other, []byte(" "))
				r.Wipe()
				s, err := typed(&r, changed)
				if s != nil || err == nil {
					t.Fatalf("row %d, word %d: taken", i+1, w+1)
				}
				if !strings.HasPrefix(err.Error(), fmt.Sprintf("row %d: ", i+1)) {
					late++
				}
				if bytes.Contains([]byte(err.Error()), other[w]) {
					t.Fatalf("the error holds the word: %v", err)
				}
			}
		}
	}
	if late > 200 { // 1 in 256 of 9,945
		t.Errorf("%d changes were found only by a later row", late)
	}
}

func TestRowSaysWhat(t *testing.T) {
	shares, _ := set.Split([]byte("73920461"), rand.Reader)
	row := string(shares[0].Rows()[0])
	w := strings.Fields(row)
	for name, c := range map[string]struct{ row, want string }{
		"a word left out":  {strings.Join(w[1:], " "), "its word 1 does not belong at this place"},
		"a word too many":  {row + " aardvark", "it has 7 words, expected 6"},
		"no word":          {"xyzzy " + strings.Join(w[1:], " "), "its word 1 is not in the list of words"},
		"a word too few":   {strings.Join(w[:5], " "), "it has 5 words, expected 6"},
		"nothing":          {"", "it has 0 words, expected 6"},
		"words swapped":    {strings.Join([]string{w[0], w[2], w[1], w[3], w[4], w[5]}, " "), "its word 2 does not belong at this place"},
		"a row of another": {string(shares[0].Rows()[3]), "its last word does not fit the others"},
	} {
		var r Reader
		if s, err := r.Row([]byte(c.row)); s != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
		if s, err := r.Row([]byte(row)); s != nil || err != nil || r.Rows() != 1 {
			t.Errorf("%s, then the right row: %v, %v", name, s, err)
		}
	}
	// A header that no share has, with checks that fit.
	for _, header := range [][]byte{{0x21, 0x23, 0x17}, {0x13, 0x23, 0x17}, {0x11, 0x13, 0x17}, {0x11, 0x43, 0x17}, {0x11, 0x23, 0x07}, {0x11, 0x23, 0x47}} {
		b := append(bytes.Clone(header), make([]byte, size(header)-headerSize-sumSize)...)
		sum := checksum(b)
		if s, err := parse(append(b, sum[:]...)); err == nil {
			t.Errorf("header %x is read as %v", header, s)
		}
	}
}

// TestJoinRefuses names what cannot be joined.
func TestJoinRefuses(t *testing.T) {
	a, _ := set.Split([]byte(vectorSecret), rand.Reader)
	later := set
	later.Number++
	b, _ := later.Split([]byte(vectorSecret), rand.Reader)
	user := set
	user.Kind = UserPIN
	c, _ := user.Split([]byte("73920461"), rand.Reader)
	for name, x := range map[string]struct {
		shares []*Share
		want   string
	}{
		"none":        {nil, "there are none"},
		"k-1":         {a[:2], "2 of the 3 that are needed"},
		"twice":       {[]*Share{a[0], a[1], a[0]}, "share 1 is there twice"},
		"another set": {[]*Share{a[0], a[1], b[2]}, "share 3 of set"},
		"another PIN": {[]*Share{a[0], a[1], c[2]}, "share 1 is of the SO-PIN, share 3 of the user PIN"},
	} {
		if got, err := Join(x.shares); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestNothingIsPrinted: however a share is printed, its secret is not.
func TestNothingIsPrinted(t *testing.T) {
	shares, _ := set.Split([]byte(vectorSecret), rand.Reader)
	s := shares[0]
	var secrets []string
	var kept []byte
	s.secret.Reveal(func(b []byte) {
		secrets, kept = []string{hex.EncodeToString(b[:4]), strings.Trim(fmt.Sprint(b[:4]), "[]"), hex.EncodeToString(b[20:])}, b
	})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		text := fmt.Sprintf(verb, s) + fmt.Sprintf(verb, *s) + fmt.Sprintf(verb, []*Share{s}) + fmt.Sprintf(verb, struct{ s Share }{*s})
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
	s.Wipe()
	if !bytes.Equal(kept, make([]byte, 32)) {
		t.Error("it is not wiped")
	}
}

// joinElsewhere runs docs/examples/join.py.
func joinElsewhere(in string) (out, said string, err error) {
	cmd := exec.Command("python3", filepath.Join("..", "..", "docs", "examples", "join.py"))
	cmd.Stdin = strings.NewReader(in)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	return strings.TrimSpace(string(b)), stderr.String(), err
}

// TestAnotherProgram joins shares with docs/examples/join.py, from words and
// from lines of text, and has it refuse what Join refuses.
func TestAnotherProgram(t *testing.T) {
	text := func(s *Share) string { return string(bytes.Join(s.Rows(), []byte("\n"))) + "\n\n" }
	line := func(s *Share) string { return string(s.Text(set)) + "\n\n" }
	for _, pin := range []string{vectorSecret, "73920461", "7"} {
		s, err := set.Split([]byte(pin), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if out, said, err := joinElsewhere(line(s[3]) + text(s[1]) + text(s[4]) + line(s[0])); out != pin || err != nil {
			t.Errorf("%d bytes: %q, %q, %v", len(pin), out, said, err)
		}
	}
	s, _ := set.Split([]byte(vectorSecret), rand.Reader)
	later := set
	later.Number++
	other, _ := later.Split([]byte(vectorSecret), rand.Reader)
	two := text(s[0]) + text(s[2])
	for want, in := range map[string]string{
		"2 of the 3 shares that are needed": two,
		"a share is there twice":            two + text(s[0]),
		"of another set":                    two + text(other[4]),
		"its tag is not that of":            strings.Replace(line(s[0]), " hsm ", " hsn ", 1),
		"share 1, row 1: ":                  text(s[0])[1:],
	} {
		if out, said, err := joinElsewhere(in); err == nil || out != "" || !strings.Contains(said, want) {
			t.Errorf("%s: %q, %q, %v", want, out, said, err)
		}
	}
}
