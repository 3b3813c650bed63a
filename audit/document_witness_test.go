package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// witnessExample writes the worked example of a witness, over the log of the
// other example, by a key made from a seed that everybody knows.
func witnessExample(t *testing.T) string {
	seed := sha256.Sum256([]byte("keyrite audit-log.md witness"))
	w, err := audit.GenerateWitnessKey(witnessName, bytes.NewReader(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(example(t), "```text checkpoint\n")
	checkpoint, _, _ := strings.Cut(rest, "```")
	p, _, err := audit.Cosignatures([]byte(checkpoint))
	if err != nil {
		t.Fatal(err)
	}
	line, err := w.Cosign(p, time.Date(2026, 3, 4, 9, 20, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	both, err := audit.AddCosignature([]byte(checkpoint), line.Line(), w.Key())
	if err != nil {
		t.Fatal(err)
	}
	v := audit.VerdictNote{Origin: p.Origin, Step: "roll-call", Size: p.Size, Root: p.Root, Witness: "w1", Because: "Ελένη showed no passport"}
	said, err := w.SignVerdict(v)
	if err != nil {
		t.Fatal(err)
	}
	typedVerdict, err := audit.TypedVerdict(said, w.Key())
	if err != nil {
		t.Fatal(err)
	}
	skey, err := w.PrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	block := func(what, name, text string) { fmt.Fprintf(&out, "%s:\n\n```text %s\n%s\n```\n\n", what, name, text) }
	out.WriteByte('\n')
	block("The private key's 32-byte seed", "witness-seed", hex.EncodeToString(seed[:]))
	block("The private key, as in its file", "witness-skey", string(skey))
	block("The verifier key, of type 0x04", "witness-vkey", w.Key().String())
	block("Its words", "witness-words", strings.Join(w.Key().Words()[:16], " ")+"\n"+strings.Join(w.Key().Words()[16:], " "))
	block("What the cosignature signs, in hex", "witness-message", hexLines([]byte("cosignature/v1\ntime 1772616000\n"+p.Text())))
	block("The checkpoint with the cosignature", "witness-checkpoint", strings.TrimSuffix(string(both), "\n"))
	block("The cosignature, as it is typed", "witness-typed", strings.Join(line.Typed(), "\n"))
	block("The same public key, of type 0x01, for verdicts", "witness-note-vkey", w.Key().NoteKey())
	block("A verdict, a signed note (the last line ends in a newline, too)", "witness-verdict", strings.TrimSuffix(string(said), "\n"))
	block("Its signature, as it is typed", "witness-typed-verdict", strings.Join(typedVerdict, "\n"))
	return out.String()
}

// The example of a witness holds by SHA-256, Ed25519 and arithmetic alone.
func TestDocumentWitnessExample(t *testing.T) {
	blocks := readExample(t, "witness example")
	seed, err := hex.DecodeString(blocks["witness-seed"])
	if err != nil {
		t.Fatal(err)
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	hash := func(kind byte) []byte {
		h := sha256.Sum256(append([]byte(witnessName+"\n"+string(kind)), public...))
		return h[:4]
	}
	key := func(prefix string, kind, of byte, secret []byte) string {
		return fmt.Sprintf("%s%s+%x+%s", prefix, witnessName, hash(of), base64.StdEncoding.EncodeToString(append([]byte{kind}, secret...)))
	}
	for name, want := range map[string]string{
		"witness-vkey": key("", 4, 4, public), "witness-note-vkey": key("", 1, 1, public), "witness-skey": key("PRIVATE+KEY+", 4, 4, seed),
	} {
		if blocks[name] != want {
			t.Errorf("%s is %q, not %q", name, blocks[name], want)
		}
	}
	sum := sha256.Sum256([]byte(blocks["witness-vkey"]))
	if b, err := audit.ParseWords(blocks["witness-words"]); err != nil || !bytes.Equal(b, sum[:]) {
		t.Errorf("the words say %x, %v", b, err)
	}

	text, lines, _ := strings.Cut(blocks["witness-checkpoint"], "\n\n")
	text += "\n"
	if want := strings.Split(readExample(t, "example")["checkpoint"], "\n\n")[0] + "\n"; text != want {
		t.Errorf("the checkpoint says %q, not %q", text, want)
	}
	sig := signatureOf(t, lines, 1)
	at := binary.BigEndian.Uint64(sig[4:])
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, text)
	if got, err := hex.DecodeString(strings.ReplaceAll(blocks["witness-message"], "\n", "")); err != nil || string(got) != message {
		t.Errorf("the message is %q, not %q", got, message)
	}
	if len(sig) != 76 || !bytes.Equal(sig[:4], hash(4)) || !ed25519.Verify(public, []byte(message), sig[12:]) {
		t.Error("the cosignature does not verify")
	}
	if got := typed(t, blocks["witness-typed"]); !bytes.Equal(got, append([]byte{4}, sig...)) {
		t.Errorf("typed is %x", got)
	}

	verdict, lines, _ := strings.Cut(blocks["witness-verdict"], "\n\n")
	sig = signatureOf(t, lines, 0)
	if len(sig) != 68 || !bytes.Equal(sig[:4], hash(1)) || !ed25519.Verify(public, []byte(verdict+"\n"), sig[4:]) || !strings.HasPrefix(verdict, "keyrite verdict v1\norigin ") {
		t.Error("the verdict does not verify")
	}
	if got := typed(t, blocks["witness-typed-verdict"]); !bytes.Equal(got, append([]byte{1}, sig...)) {
		t.Errorf("typed is %x", got)
	}
}

// signatureOf returns the bytes of signature line i.
func signatureOf(t *testing.T, lines string, i int) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(strings.Fields(strings.Split(lines, "\n")[i])[2])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// typed reads lines as the document says.
func typed(t *testing.T, text string) []byte {
	t.Helper()
	var out []byte
	for _, line := range strings.Split(text, "\n") {
		var n, of int64
		if _, err := fmt.Sscanf(line, "%d/%d ", &n, &of); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		chars := strings.Join(strings.Fields(line)[1:], "")
		chars, check := chars[:len(chars)-2], chars[len(chars)-2:]
		sum := big.NewInt(n*32 + of)
		for _, c := range chars {
			sum.Add(sum.Mul(sum, big.NewInt(32)), big.NewInt(int64(strings.IndexRune(typedAlphabet, c))))
		}
		c := sum.Mod(sum, big.NewInt(1021)).Int64()
		if want := string([]byte{typedAlphabet[c/32], typedAlphabet[c%32]}); check != want {
			t.Errorf("%q has the check %s, not %s", line, check, want)
		}
		b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(chars)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}
