package keyfile

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"

	"filippo.io/age/armor"

	"github.com/keyrite/keyrite/audit"
)

// quick is a work factor for tests.
const quick = 2

func newKey(t testing.TB) *audit.WitnessSigner {
	t.Helper()
	s, err := audit.GenerateWitnessKey("witness.example.org/alice", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func never(t testing.TB) func() ([]byte, error) {
	return func() ([]byte, error) {
		t.Error("a passphrase was asked for")
		return nil, nil
	}
}

func say(passphrase string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(passphrase), nil }
}

func TestPlain(t *testing.T) {
	s := newKey(t)
	b, err := Plain(s)
	if err != nil || Sealed(b) || !strings.HasPrefix(string(b), "PRIVATE+KEY+witness.example.org/alice+") {
		t.Fatalf("the file is %s, %v", b, err)
	}
	got, err := Open(b, never(t))
	if err != nil || got.Key().String() != s.Key().String() {
		t.Errorf("it opens as %v, %v", got, err)
	}
	for name, bad := range map[string][]byte{
		"empty": nil, "no line feed": b[:len(b)-1], "two lines": append(bytes.Clone(b), b...), "carriage return": append(b[:len(b)-1:len(b)-1], "\r\n"...),
		"huge": bytes.Repeat([]byte("x"), MaxSize+1),
	} {
		if got, err := Open(bad, never(t)); err == nil || strings.Contains(err.Error(), string(b[50:])) {
			t.Errorf("%s: opens as %v, %v", name, got, err)
		}
	}
	s.Wipe()
	if _, err := Plain(s); err == nil {
		t.Error("a wiped key is written")
	}
	if _, err := Seal(s, []byte("x"), quick); err == nil {
		t.Error("a wiped key is sealed")
	}
}

func TestSeal(t *testing.T) {
	s := newKey(t)
	b, err := Seal(s, []byte("correct horse"), quick)
	if err != nil || !Sealed(b) || bytes.Contains(b, []byte("PRIVATE")) {
		t.Fatalf("the file is %s, %v", b, err)
	}
	typed := []byte("correct horse")
	got, err := Open(b, func() ([]byte, error) { return typed, nil })
	if err != nil || got.Key().String() != s.Key().String() {
		t.Errorf("it opens as %v, %v", got, err)
	}
	if !bytes.Equal(typed, make([]byte, len(typed))) {
		t.Errorf("the passphrase is left as %q", typed)
	}
	if _, err := Open(b, say("correct house")); !errors.Is(err, ErrPassphrase) {
		t.Errorf("with another passphrase: %v", err)
	}
	if _, err := Open(b, say("")); err == nil {
		t.Error("it opens with no passphrase")
	}
	broken := errors.New("no terminal")
	if _, err := Open(b, func() ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("without a terminal: %v", err)
	}
	if _, err := Seal(s, nil, quick); err == nil {
		t.Error("it is sealed with no passphrase")
	}
	for i := 60; i < len(b); i += 7 {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if got, err := Open(bad, say("correct horse")); err == nil {
			t.Errorf("with byte %d changed it opens as %v", i, got)
		}
	}
}

// A file that asks for more work than a machine has memory is refused unread.
func TestTooMuchWork(t *testing.T) {
	b, err := seal([]byte("x\n"), []byte("p"), quick)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(b, say("p")); err == nil || !strings.Contains(err.Error(), "PRIVATE+KEY+") {
		t.Errorf("another text opens as a key: %v", err)
	}
	hard := strings.Replace(unarmored(t, b), " 2\n", " 21\n", 1)
	if _, err := unseal(armored(t, hard), []byte("p"), maxWork); err == nil {
		t.Error("a work factor of 2^21 is accepted")
	}
}

func unarmored(t *testing.T, b []byte) string {
	t.Helper()
	out, err := io.ReadAll(armor.NewReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func armored(t *testing.T, s string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	_, err := io.WriteString(w, s)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// On another machine than the witness's only what takes a passphrase is opened,
// and nothing that takes more than a quarter of a gigabyte.
func TestUnlock(t *testing.T) {
	s := newKey(t)
	plain, err := Plain(s)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Unlock(plain, never(t)); !errors.Is(err, ErrPlain) || got != nil || strings.Contains(err.Error(), "PRIVATE") {
		t.Errorf("a file without a passphrase opens as %v, %v", got, err)
	}
	b, err := Seal(s, []byte("correct horse"), quick)
	if err != nil {
		t.Fatal(err)
	}
	typed := []byte("correct horse")
	got, err := Unlock(b, func() ([]byte, error) { return typed, nil })
	if err != nil || got.Key().String() != s.Key().String() || !bytes.Equal(typed, make([]byte, len(typed))) {
		t.Errorf("it opens as %v, %v, and the passphrase is left as %q", got, err, typed)
	}
	if _, err := Unlock(b, say("correct house")); !errors.Is(err, ErrPassphrase) || strings.Contains(err.Error(), "house") {
		t.Errorf("another passphrase: %v", err)
	}
	hard := armored(t, strings.Replace(unarmored(t, b), " 2\n", " 19\n", 1))
	if _, err := Unlock(hard, say("correct horse")); err == nil || errors.Is(err, ErrPassphrase) {
		t.Errorf("a work factor of 2^19: %v", err)
	}
	if _, err := Unlock(bytes.Repeat([]byte("x"), MaxSize+1), never(t)); err == nil {
		t.Error("a huge file opens")
	}
}
