package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
)

// A log key's signed notes and verifier key are those of stock sumdb/note.
func TestLogKeyIsANoteKey(t *testing.T) {
	k := newKey(t, origin, "key")
	v, err := note.NewVerifier(k.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	if v.Name() != k.Name() || v.KeyHash() != k.KeyHash() || k.Name() != origin {
		t.Errorf("name %q, hash %08x; the verifier says %q, %08x", k.Name(), k.KeyHash(), v.Name(), v.KeyHash())
	}
	text := "keyrite page v1\nfirst page\n"
	b, err := k.SignNote(text)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(b, note.VerifierList(v))
	if err != nil || n.Text != text {
		t.Errorf("sumdb/note opens %+v, %v", n, err)
	}
	n, err = audit.OpenNote(b, k.VerifierKey())
	if err != nil || n.Text != text || len(n.Sigs) != 1 {
		t.Errorf("OpenNote gives %+v, %v", n, err)
	}
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if n, err := audit.OpenNote(bad, k.VerifierKey()); err == nil {
			t.Errorf("with bit 0 of byte %d flipped it opens as %q", i, n.Text)
		}
	}
}

func TestOpenNoteErrors(t *testing.T) {
	k, other := newKey(t, origin, "key"), newKey(t, origin, "other")
	b, err := k.SignNote("text\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenNote(b, other.VerifierKey(), k.VerifierKey()); err != nil {
		t.Errorf("with the key among others: %v", err)
	}
	for name, vkeys := range map[string][]string{"no key": nil, "another key": {other.VerifierKey()}, "no verifier key": {"x"}, "one bad": {k.VerifierKey(), ""}} {
		if _, err := audit.OpenNote(b, vkeys...); err == nil {
			t.Errorf("%s: it opens", name)
		}
	}
	if _, err := k.SignNote("no newline at the end"); err == nil {
		t.Error("a text without a last newline was signed")
	}
}

func TestSignBytes(t *testing.T) {
	k := newKey(t, origin, "key")
	msg := []byte("keyrite page v1\npage 1\n")
	sig, err := k.SignBytes(msg)
	if err != nil || len(sig) != ed25519.SignatureSize {
		t.Fatalf("%x, %v", sig, err)
	}
	if err := audit.VerifyBytes(k.VerifierKey(), msg, sig); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"message":   audit.VerifyBytes(k.VerifierKey(), append(msg, 'x'), sig),
		"signature": audit.VerifyBytes(k.VerifierKey(), msg, append([]byte{sig[0] ^ 1}, sig[1:]...)),
		"length":    audit.VerifyBytes(k.VerifierKey(), msg, sig[:63]),
		"nothing":   audit.VerifyBytes(k.VerifierKey(), msg, nil),
		"key":       audit.VerifyBytes(newKey(t, origin, "other").VerifierKey(), msg, sig),
		"bad key":   audit.VerifyBytes("x", msg, sig),
	} {
		if err == nil {
			t.Errorf("with another %s the signature verifies", name)
		}
	}
	checkpoint := audit.Checkpoint{Origin: "o", Size: 1}.Text()
	if _, err := k.SignBytes([]byte(checkpoint)); err == nil {
		t.Error("SignBytes signs a checkpoint")
	}
}

// However it is printed, a key shows nothing of itself.
func TestLogKeyIsRedacted(t *testing.T) {
	seed := make([]byte, 32)
	if _, err := io.ReadFull(&source{seed: "key"}, seed); err != nil {
		t.Fatal(err)
	}
	k := newKey(t, origin, "key")
	holder := struct {
		Key *audit.LogKey
		in  *audit.LogKey
	}{k, k}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+"|"+verb+"|"+verb+"\n", k, holder, []*audit.LogKey{k})
	}
	j, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	for _, secret := range []string{hex.EncodeToString(seed[:4]), string(seed[:4]), fmt.Sprint(seed[:3])[1:8]} {
		if strings.Contains(strings.ToLower(out.String()), strings.ToLower(secret)) {
			t.Errorf("%q of the seed is in %s", secret, out.String())
		}
	}
	if got := fmt.Sprintf("%v %s %#v", k, k, k); got != "[redacted] [redacted] [redacted]" {
		t.Errorf("printed as %s", got)
	}
	if k.String() != "[redacted]" || k.GoString() != "[redacted]" || !bytes.Contains(j, []byte("[redacted]")) {
		t.Errorf("%s, %s, %s", k.String(), k.GoString(), j)
	}
}

func TestWipe(t *testing.T) {
	k := newKey(t, origin, "key")
	vkey := k.VerifierKey()
	k.Wipe()
	k.Wipe()
	if _, err := k.SignNote("text\n"); err == nil {
		t.Error("a wiped key signs a note")
	}
	if _, err := k.SignBytes([]byte("text")); err == nil {
		t.Error("a wiped key signs bytes")
	}
	if _, err := k.Sign([]byte("text")); err == nil {
		t.Error("a wiped key signs")
	}
	if k.VerifierKey() != vkey {
		t.Error("the verifier key is gone, too")
	}
}

func TestNewLogKeyRefuses(t *testing.T) {
	for _, name := range []string{"", "a b", "a+b", "a\nb", "\xff", "a\x00"} {
		if _, err := audit.NewLogKey(name, &source{}); err == nil {
			t.Errorf("the name %q was accepted", name)
		}
	}
	broken := errors.New("no randomness")
	if _, err := audit.NewLogKey(origin, io.MultiReader(bytes.NewReader(make([]byte, 31)), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("without randomness: %v", err)
	}
}

func TestWords(t *testing.T) {
	got := strings.Join(audit.Words([]byte{0x00, 0x00, 0xff, 0xff, 0x17, 0x80}), " ")
	if got != "aardvark adroitness Zulu Yucatan banjo intention" {
		t.Errorf("words are %q", got)
	}
	// The example of the list's authors: a PGP fingerprint.
	b, err := hex.DecodeString("e58294f2e9a227486e8b061b31cc528fd7fa3f19")
	if err != nil {
		t.Fatal(err)
	}
	want := "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa " +
		"afflict bravado chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless"
	if got := strings.Join(audit.Words(b), " "); got != want {
		t.Errorf("words are\n%s\nnot\n%s", got, want)
	}
}

// The list is the published one: its SHA-256 is known.
func TestWordListIsWhole(t *testing.T) {
	h := sha256.New()
	seen := map[string]bool{}
	for i := range 256 {
		pair := audit.Words([]byte{byte(i), byte(i)})
		for _, w := range pair {
			if seen[strings.ToLower(w)] {
				t.Errorf("%q is there twice", w)
			}
			seen[strings.ToLower(w)] = true
		}
		fmt.Fprintln(h, strings.ToLower(strings.Join(pair, " ")))
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != "a24d0bcb9d754b40963109851b38ae943464a66944ca76d5698fb002761c0138" {
		t.Errorf("the list's SHA-256 is %s", got)
	}
}

func TestParseWords(t *testing.T) {
	hash := sha256.Sum256([]byte("head"))
	words := audit.Words(hash[:])
	for _, typed := range []string{
		strings.Join(words, " "), strings.ToUpper(strings.Join(words, "-")), strings.ToLower(strings.Join(words, "\n  ")),
		" " + strings.Join(words, ", ") + "\t\r\n",
	} {
		if got, err := audit.ParseWords(typed); err != nil || !bytes.Equal(got, hash[:]) {
			t.Errorf("%q parses as %x, %v", typed, got, err)
		}
	}
	if got, err := audit.ParseWords(""); err != nil || len(got) != 0 {
		t.Errorf("nothing parses as %x, %v", got, err)
	}
	for typed, want := range map[string]string{
		"aardvark adroitness xyzzy":            `word 3, "xyzzy", is not in`,
		"adroitness":                           `word 1, "adroitness", does not belong`,
		"aardvark aardvark":                    `word 2, "aardvark", does not belong`,
		"aardvark absurd adviser":              `word 2, "absurd", does not belong`,
		"aardvark adroitness Yucatan":          `word 3, "Yucatan", does not belong`,
		"aardvark adroitnes":                   `word 2, "adroitnes", is not in`,
		strings.Join(words[1:], " "):           `word 1, `,
		strings.Join(words[:5], " ") + " 0xff": `word 6, "0xff", is not in`,
	} {
		if got, err := audit.ParseWords(typed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q parses as %x, %v; want an error with %s", typed, got, err, want)
		}
	}
}

func FuzzParseWords(f *testing.F) {
	f.Add("topmost Istanbul Pluto vagabond")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := audit.ParseWords(s)
		if err != nil {
			return
		}
		if again, err := audit.ParseWords(strings.Join(audit.Words(b), " ")); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q is %x, whose words are %x (%v)", s, b, again, err)
		}
	})
}
