package transcript_test

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/sample"
)

// signedCode returns a page's code as the log key of segment 0 signs it.
func signedCode(t testing.TB, mode string) transcript.Code {
	t.Helper()
	id, err := transcript.OriginID(sample.Origin)
	if err != nil {
		t.Fatal(err)
	}
	c := transcript.Code{Origin: id, Mode: mode, Page: 3, Of: 17, Size: 274}
	c.Digest[0], c.Head[31] = 0xD1, 0x4E
	note := transcript.PageNote(sample.Origin, c.Mode, c.Page, c.Of, c.Digest, c.Size, c.Head)
	copy(c.Signature[:], sample.Sign(0, note))
	return c
}

func TestPageNote(t *testing.T) {
	var digest, head audit.Hash
	digest[0], head[0] = 0xab, 0xcd
	zeros := strings.Repeat("00", 31)
	want := "keyrite page v1\norigin o/production/1\nmode production\npage 3 of 17\ndigest ab" + zeros + "\nlog 274 cd" + zeros + "\n"
	got := transcript.PageNote("o/production/1", "production", 3, 17, digest, 274, head)
	if got != want {
		t.Errorf("note is\n%s\nwant\n%s", got, want)
	}
	if _, err := audit.ParseCheckpoint(got); err == nil {
		t.Error("the page note is a checkpoint")
	}
}

func TestQR(t *testing.T) {
	for _, mode := range []string{"production", "rehearsal"} {
		c := signedCode(t, mode)
		s := transcript.QR(c)
		if i := strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", r) }); i >= 0 {
			t.Errorf("%q: character %d is not in QR's alphanumeric set", s, i)
		}
		back, err := transcript.ParseQR(s)
		if err != nil || back != c {
			t.Fatalf("%q is read as %+v, %v", s, back, err)
		}
		if err := back.Verify(sample.Origin, sample.LogKey(0)); err != nil {
			t.Error(err)
		}
	}
}

// TestQRCorrupt changes every character of a code: it is refused, by its form
// or by its signature.
func TestQRCorrupt(t *testing.T) {
	s := transcript.QR(signedCode(t, "rehearsal"))
	for i := range s {
		for _, by := range []byte("0F:P-g") {
			if s[i] == by {
				continue
			}
			changed := s[:i] + string(by) + s[i+1:]
			c, err := transcript.ParseQR(changed)
			if err == nil {
				err = c.Verify(sample.Origin, sample.LogKey(0))
			}
			if err == nil {
				t.Errorf("%q with %q at %d is accepted", s, by, i)
			}
		}
	}
}

func TestQRRefused(t *testing.T) {
	good := transcript.QR(signedCode(t, "rehearsal"))
	for name, s := range map[string]string{
		"empty":        "",
		"other tag":    strings.Replace(good, "PAGE-1", "PAGE-2", 1),
		"lower case":   strings.ToLower(good),
		"page 0":       strings.Replace(good, "3-17", "0-17", 1),
		"page beyond":  strings.Replace(good, "3-17", "18-17", 1),
		"leading zero": strings.Replace(good, "3-17", "03-17", 1),
		"sign":         strings.Replace(good, "3-17", "+3-17", 1),
		"no dash":      strings.Replace(good, "3-17", "317", 1),
		"mode":         strings.Replace(good, ":R:", ":X:", 1),
		"short":        good[:len(good)-2],
		"more":         good + ":",
		"size":         strings.Replace(good, ":274:", ":-274:", 1),
	} {
		if c, err := transcript.ParseQR(s); err == nil {
			t.Errorf("%s: read as %+v", name, c)
		}
	}
}

func TestVerifyRefused(t *testing.T) {
	c := signedCode(t, "rehearsal")
	other := c
	other.Mode = "production"
	for name, err := range map[string]error{
		"other key":    c.Verify(sample.Origin, sample.LogKey(1)),
		"other origin": c.Verify("keyrite.example/rehearsal/00000000000000000000000000000000", sample.LogKey(0)),
		"other prefix": c.Verify("x"+sample.Origin, sample.LogKey(0)),
		"no origin":    c.Verify("", sample.LogKey(0)),
		"no key":       c.Verify(sample.Origin, "nonsense"),
		"other mode":   other.Verify(sample.Origin, sample.LogKey(0)),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestOriginID(t *testing.T) {
	id, err := transcript.OriginID("a/b/000102030405060708090a0b0c0d0e0f")
	if err != nil || id != [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} {
		t.Errorf("%x, %v", id, err)
	}
	for _, bad := range []string{"", "a/b", "a/b/", "a/000102030405060708090A0B0C0D0E0F", "a/00", "a/000102030405060708090a0b0c0d0e0f/"} {
		if _, err := transcript.OriginID(bad); err == nil {
			t.Errorf("%q has an id", bad)
		}
	}
}

// FuzzParseQR: what is read is what was written.
func FuzzParseQR(f *testing.F) {
	f.Add(transcript.QR(signedCode(f, "rehearsal")))
	f.Add("KEYRITE-PAGE-1:::::::")
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := transcript.ParseQR(s); err == nil && transcript.QR(c) != s {
			t.Errorf("%q is written as %q", s, transcript.QR(c))
		}
	})
}

func TestCheckpointQR(t *testing.T) {
	note := sample.Checkpoint(sample.Small(), 0)
	back, err := transcript.ParseCheckpointQR(transcript.CheckpointQR(note))
	if err != nil || string(back) != string(note) {
		t.Errorf("%q, %v", back, err)
	}
	long := append([]byte{}, note...)
	for len(long) < 4000 {
		long = append(long, "— witness AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"...)
	}
	back, err = transcript.ParseCheckpointQR(transcript.CheckpointQR(long))
	if err != nil || len(back) > 1000 || !strings.HasPrefix(string(back), string(note)) || back[len(back)-1] != '\n' {
		t.Errorf("a long note is cut to %q, %v", back, err)
	}
	if got := transcript.CheckpointQR([]byte(strings.Repeat("x", 3000))); len(got) > 2000 {
		t.Errorf("a line of 3000 bytes gives a code of %d", len(got))
	}
	for _, bad := range []string{"", "KEYRITE-CHECKPOINT-1", "KEYRITE-CHECKPOINT-1:a", "KEYRITE-CHECKPOINT-1:AA======", "KEYRITE-CHECKPOINT-1:AB"} {
		if b, err := transcript.ParseCheckpointQR(bad); err == nil {
			t.Errorf("%q is read as %q", bad, b)
		}
	}
}
