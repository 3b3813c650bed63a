package audit_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

const typedAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// Every length comes back, in any order of lines, in any case and spacing.
func TestTypedLines(t *testing.T) {
	r := &source{seed: "typed"}
	for n := 1; n <= 310; n += 1 + n/9 {
		b := make([]byte, n)
		_, _ = r.Read(b)
		lines := audit.TypedLines(b)
		if got, err := audit.ParseTyped(strings.Join(lines, "\n")); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%d bytes come back as %x, %v", n, got, err)
		}
		var other strings.Builder
		for i := range lines {
			l := strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(lines[len(lines)-1-i]), "o", "0"), "b", "8")
			head, rest, _ := strings.Cut(l, " ")
			other.WriteString("  " + strings.Replace(head, "/", " / ", 1) + "  " + strings.ReplaceAll(rest, " ", "-") + " \r\n\n")
		}
		if got, err := audit.ParseTyped(other.String()); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("typed as %q, %d bytes come back as %x, %v", other.String(), n, got, err)
		}
	}
	if got, err := audit.ParseTyped("\n \n"); err == nil {
		t.Errorf("nothing is %x", got)
	}
}

// Every wrong character, every two that are swapped, and every other number is
// found, and the error names the line.
func TestTypedMistakes(t *testing.T) {
	b := make([]byte, 77)
	_, _ = (&source{seed: "mistakes"}).Read(b)
	for _, line := range audit.TypedLines(b) {
		head, rest, _ := strings.Cut(line, " ")
		chars := []byte(strings.ReplaceAll(rest, " ", ""))
		wrong := func(what, typed string) {
			t.Helper()
			if got, err := audit.ParseTypedLine(typed); err == nil {
				t.Errorf("%s: %q typed as %q is %x", what, line, typed, got.Bytes)
			} else if !strings.Contains(err.Error(), "line ") {
				t.Errorf("%s: %v does not name the line", what, err)
			}
		}
		for i := range chars {
			bad := bytes.Clone(chars)
			for _, c := range []byte(typedAlphabet) {
				if bad[i] = c; c != chars[i] {
					wrong("mistyped", head+" "+string(bad))
				}
			}
			for j := range i {
				bad := bytes.Clone(chars)
				if bad[i], bad[j] = bad[j], bad[i]; bad[i] != bad[j] {
					wrong("swapped", head+" "+string(bad))
				}
			}
			wrong("left out", head+" "+string(chars[:i])+string(chars[i+1:]))
			wrong("twice", head+" "+string(chars[:i+1])+string(chars[i:]))
		}
		for _, other := range []string{"1/8", "2/8", "3/8", "7/8", "8/8", "1/9", "2/7", "0/8", "9/8", "32/32", "-1/8", "1/", "/8", "1", "", "1/100", "01/8"} {
			if other != head && !strings.HasSuffix(other, head) {
				wrong("another number", other+" "+string(chars))
			}
		}
		for _, other := range []string{"1", "9", "!", "é", "ß", "İ", "K", "="} {
			wrong("a strange character", head+" "+other+string(chars[1:]))
		}
	}
}

func TestTypedWhole(t *testing.T) {
	lines := audit.TypedLines(make([]byte, 77))
	all := strings.Join(lines, "\n")
	for typed, want := range map[string]string{
		strings.Join(lines[:7], "\n"):                          "line 8 of 8 is missing",
		strings.Join(lines[1:], "\n"):                          "line 1 of 8 is missing",
		all + "\n" + lines[2]:                                  "line 3 is there twice",
		all + "\n" + audit.TypedLines([]byte{1})[0]:            "line 1: it is one of 1 lines, those before of 8",
		strings.Replace(all, "2/8", "2/8 A", 1):                "line 2: 19 characters, not 18",
		strings.Replace(all, "/", "", 1):                       "does not begin with its number",
		strings.Replace(all, "AAAA", "AAAB", 1):                "line 1: a character is wrong",
		strings.Replace(all, "AAAA", "AAA1", 1):                "line 1: the character '1' is never used",
		strings.Repeat("x", 100):                               "line \"xxxxxxxxxx",
		audit.TypedLines([]byte{0})[0][:6] + "B" + "AAAAAAAAA": "line 1",
	} {
		if got, err := audit.ParseTyped(typed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %x, %v; want %q", typed, got, err, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("311 bytes can be typed")
		}
	}()
	audit.TypedLines(make([]byte, 311))
}

// The last character of a line of fewer bytes has bits that must be zero.
func TestTypedTrailingBits(t *testing.T) {
	accepted := 0
	for i := range 32 * 1024 {
		line := "1/1 A" + string([]byte{typedAlphabet[i>>10], typedAlphabet[i>>5&31], typedAlphabet[i&31]})
		l, err := audit.ParseTypedLine(line)
		if err != nil {
			continue
		}
		accepted++
		if len(l.Bytes) != 1 || strings.ReplaceAll(audit.TypedLines(l.Bytes)[0], " ", "") != strings.ReplaceAll(line, " ", "") {
			t.Errorf("%q is %x", line, l.Bytes)
		}
	}
	if accepted != 8 {
		t.Errorf("%d lines of a byte that begins with A are read, not 8", accepted)
	}
}

func TestTypedCosignature(t *testing.T) {
	_, c, _, w := cosigned(t)
	bob := newWitness(t, "witness.example.org/bob", "bob")
	made, err := w.Cosign(c, start)
	if err != nil {
		t.Fatal(err)
	}
	lines := made.Typed()
	if len(lines) != 8 {
		t.Errorf("typed in %d lines", len(lines))
	}
	typed := strings.Join(lines, "\n")
	if got, err := audit.ParseTypedCosignature(typed, c, bob.Key(), w.Key()); err != nil || got != made {
		t.Errorf("it comes back as %+v, %v", got, err)
	}
	if got, err := audit.ParseTypedCosignature(typed, c, bob.Key()); err == nil || !strings.Contains(err.Error(), "no witness's key") {
		t.Errorf("without the key it is %+v, %v", got, err)
	}
	bigger := c
	bigger.Size++
	if got, err := audit.ParseTypedCosignature(typed, bigger, w.Key()); err == nil {
		t.Errorf("of another checkpoint it is %+v", got)
	}
	for _, bad := range []string{"", lines[0], strings.Join(audit.TypedLines(make([]byte, 77)), "\n"), strings.Join(audit.TypedLines(append([]byte{4, 0, 0, 0, 0, 255}, make([]byte, 71)...)), "\n")} {
		if got, err := audit.ParseTypedCosignature(bad, c, w.Key()); err == nil {
			t.Errorf("%q is %+v", bad, got)
		}
	}
}

func TestTypedVerdict(t *testing.T) {
	w, other := newWitness(t, witnessName, "alice"), newWitness(t, witnessName, "mallory")
	signed, err := w.SignVerdict(sampleVerdict)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := audit.TypedVerdict(signed, w.Key())
	if err != nil || len(lines) != 7 {
		t.Fatalf("%q, %v", lines, err)
	}
	typed := strings.Join(lines, "\n")
	if got, err := audit.ParseTypedVerdict(typed, sampleVerdict, w.Key()); err != nil || !bytes.Equal(got, signed) {
		t.Errorf("it comes back as %s, %v", got, err)
	}
	another := sampleVerdict
	another.Step = "other"
	if got, err := audit.ParseTypedVerdict(typed, another, w.Key()); err == nil {
		t.Errorf("over another verdict it is %s", got)
	}
	if got, err := audit.ParseTypedVerdict(typed, sampleVerdict, other.Key()); err == nil || !strings.Contains(err.Error(), "not by the key") {
		t.Errorf("by another key it is %s, %v", got, err)
	}
	if _, err := audit.TypedVerdict(signed, other.Key()); err == nil {
		t.Error("another's verdict can be typed")
	}
	for _, bad := range []string{"", lines[0], strings.Join(audit.TypedLines(make([]byte, 69)), "\n")} {
		if got, err := audit.ParseTypedVerdict(bad, sampleVerdict, w.Key()); err == nil {
			t.Errorf("%q is %s", bad, got)
		}
	}
}

func FuzzParseTyped(f *testing.F) {
	f.Add(strings.Join(audit.TypedLines([]byte("0123456789abcdefghij")), "\n"))
	f.Add("1/1 ABCD\n")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := audit.ParseTyped(text)
		if err != nil || len(b) > 310 {
			return
		}
		if again, err := audit.ParseTyped(strings.Join(audit.TypedLines(b), "\n")); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q is %x, typed again %x, %v", text, b, again, err)
		}
	})
}
