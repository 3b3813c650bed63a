package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
)

const witnessName = "witness.example.org/alice"

func newWitness(t testing.TB, name, seed string) *audit.WitnessSigner {
	t.Helper()
	s, err := audit.GenerateWitnessKey(name, &source{seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cosigned returns a checkpoint, signed by a log key and a witness.
func cosigned(t testing.TB) (b []byte, c audit.Checkpoint, log *audit.LogKey, w *audit.WitnessSigner) {
	t.Helper()
	log, w = newKey(t, origin, "key"), newWitness(t, witnessName, "alice")
	c = audit.Checkpoint{Origin: origin, Size: 213, Root: audit.Hash{7}}
	b, err := log.SignNote(c.Text())
	if err != nil {
		t.Fatal(err)
	}
	line, err := w.Cosign(c, start)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = audit.AddCosignature(b, line.Line(), w.Key()); err != nil {
		t.Fatal(err)
	}
	return b, c, log, w
}

// Stock sumdb/note opens a checkpoint that has both signatures with our
// verifier, makes the same one with our signer, and finds every flipped bit.
func TestStockNoteOpensCosignatures(t *testing.T) {
	b, c, log, w := cosigned(t)
	v, err := note.NewVerifier(log.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	both := note.VerifierList(v, w.Key())
	n, err := note.Open(b, both)
	if err != nil || n.Text != c.Text() || len(n.Sigs) != 2 || n.Sigs[1].Name != witnessName || n.Sigs[1].Hash != w.Key().KeyHash() {
		t.Fatalf("stock note opens %+v, %v", n, err)
	}
	again, err := note.Sign(&note.Note{Text: c.Text()}, log, w.Cosigner(start))
	if err != nil || !bytes.Equal(again, b) {
		t.Errorf("stock note signs\n%s\nnot\n%s\n%v", again, b, err)
	}
	for i := range b {
		for bit := range 8 {
			bad := bytes.Clone(b)
			bad[i] ^= 1 << bit
			n, err := note.Open(bad, both)
			if err == nil && len(n.Sigs) == 2 && n.Text == c.Text() && n.Sigs[0].Base64 == base64Of(b, 0) && n.Sigs[1].Base64 == base64Of(b, 1) {
				t.Errorf("with bit %d of byte %d flipped it opens as before: %s", bit, i, bad)
			}
		}
	}
}

// base64Of returns the base64 of a note's signature line i.
func base64Of(b []byte, i int) string {
	_, sigs, _ := strings.Cut(string(b), "\n\n")
	return strings.Fields(strings.Split(sigs, "\n")[i])[2]
}

// Every bit of a cosignature's line carries meaning, but for the last four of
// its base64, which must be zero.
func TestCosignatureBits(t *testing.T) {
	b, c, _, w := cosigned(t)
	_, lines, err := audit.Cosignatures(b)
	if err != nil || len(lines) != 1 {
		t.Fatalf("%v, %v", lines, err)
	}
	line := lines[0].Line()
	if !strings.HasSuffix(string(b), "\n"+line+"\n") || !lines[0].At().Equal(start.Truncate(time.Second)) {
		t.Errorf("the line is %q of %s", line, lines[0].At())
	}
	for i := range line {
		for bit := range 8 {
			bad := []byte(line)
			bad[i] ^= 1 << bit
			if got, err := audit.ParseCosignature(string(bad)); err == nil && w.Key().Check(got, c) == nil {
				t.Errorf("with bit %d of byte %d flipped, %q verifies", bit, i, bad)
			}
		}
	}
}

// A cosignature is of one origin, size and root, at one time, by one key.
func TestCosignatureReplayed(t *testing.T) {
	_, c, _, w := cosigned(t)
	line, err := w.Cosign(c, start)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Key().Check(line, c); err != nil {
		t.Error(err)
	}
	other := c
	other.Origin = strings.Replace(origin, "rehearsal", "production", 1)
	bigger, changed := c, c
	bigger.Size++
	changed.Root[31] ^= 1
	for _, p := range []audit.Checkpoint{other, bigger, changed} {
		if err := w.Key().Check(line, p); err == nil {
			t.Errorf("it is taken for one of %+v", p)
		}
	}
	later := line
	later.Time++
	if err := w.Key().Check(later, c); err == nil {
		t.Error("with another time it verifies")
	}
	for name, k := range map[string]*audit.WitnessKey{
		"name": newWitness(t, "witness.example.org/bob", "alice").Key(), "key": newWitness(t, witnessName, "mallory").Key(),
	} {
		if err := k.Check(line, c); err == nil {
			t.Errorf("it verifies with another %s", name)
		}
	}
}

func TestParseCosignatureRefuses(t *testing.T) {
	_, c, _, w := cosigned(t)
	made, err := w.Cosign(c, start)
	if err != nil {
		t.Fatal(err)
	}
	good := made.Line()
	if got, err := audit.ParseCosignature(good); err != nil || got != made {
		t.Fatalf("%q parses as %+v, %v", good, got, err)
	}
	b64 := strings.Fields(good)[2]
	// The example of C2SP tlog-cosignature.
	public := "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
	if got, err := audit.ParseCosignature(public); err != nil || got.Time != 1679315147 || got.KeyHash != 0x8d66cf3f || got.Line() != public {
		t.Errorf("the published example parses as %+v, %v", got, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "line feed": good + "\n", "carriage return": good + "\r", "hyphen": strings.Replace(good, "—", "-", 1),
		"two spaces": strings.Replace(good, " "+b64, "  "+b64, 1), "no name": "— " + b64, "plus in the name": strings.Replace(good, "alice", "al+ce", 1),
		"no padding": strings.TrimRight(good, "="), "trailing bits": strings.Replace(good, "==", "", 1)[:len(good)-3] + "B==",
		"a log's signature": "— " + origin + " " + b64[:96], "more": good + " x", "short": "— a AAAA", "a line break inside": good[:50] + "\n" + good[50:],
		"time over 2^63": "— a AAAAAIAAAAAAAAAA" + strings.Repeat("A", 84) + "A==",
	} {
		if got, err := audit.ParseCosignature(bad); err == nil {
			t.Errorf("%s: %q parses as %+v", name, bad, got)
		}
	}
}

func TestAddCosignature(t *testing.T) {
	b, c, log, w := cosigned(t)
	line := func(s *audit.WitnessSigner, p audit.Checkpoint, at time.Time) string {
		t.Helper()
		made, err := s.Cosign(p, at)
		if err != nil {
			t.Fatal(err)
		}
		return made.Line()
	}
	if same, err := audit.AddCosignature(b, line(w, c, start), w.Key()); err != nil || !bytes.Equal(same, b) {
		t.Errorf("added twice: %s, %v", same, err)
	}
	bob := newWitness(t, "witness.example.org/bob", "bob")
	two, err := audit.AddCosignature(b, line(bob, c, start), bob.Key())
	if err != nil {
		t.Fatal(err)
	}
	if p, err := audit.OpenCheckpoint(two, log.VerifierKey()); err != nil || p != c {
		t.Errorf("with two witnesses it opens as %+v, %v", p, err)
	}
	if p, all, err := audit.Cosignatures(two); err != nil || p != c || len(all) != 2 || !bob.Key().Made(all[1]) {
		t.Errorf("two lines are read as %+v, %v", all, err)
	}
	bigger := c
	bigger.Size++
	for name, add := range map[string]struct {
		b    []byte
		line string
		k    *audit.WitnessKey
	}{
		"another time":       {b, line(w, c, start.Add(time.Minute)), w.Key()},
		"another checkpoint": {b, line(bob, bigger, start), bob.Key()},
		"another key":        {b, line(bob, c, start), w.Key()},
		"no line":            {b, "", bob.Key()},
		"no checkpoint":      {[]byte("text\n\n— a AAAAAAAA\n"), line(bob, c, start), bob.Key()},
		"no note":            {nil, line(bob, c, start), bob.Key()},
	} {
		if got, err := audit.AddCosignature(add.b, add.line, add.k); err == nil {
			t.Errorf("%s: added: %s", name, got)
		}
	}
}

// A note of very many signatures is refused before anything is verified.
func TestManyCosignatures(t *testing.T) {
	b, _, _, w := cosigned(t)
	flood := append(bytes.Clone(b), bytes.Repeat([]byte(strings.SplitAfter(string(b), "\n")[5]), 5000)...)
	if _, _, err := audit.Cosignatures(flood); err == nil {
		t.Error("5001 cosignatures are read")
	}
	full := append(bytes.Clone(b), bytes.Repeat([]byte(strings.SplitAfter(string(b), "\n")[5]), 98)...)
	if _, all, err := audit.Cosignatures(full); err != nil || len(all) != 99 {
		t.Errorf("100 signatures are read as %d, %v", len(all), err)
	}
	bob := newWitness(t, "witness.example.org/bob", "bob")
	c, _, err := audit.Cosignatures(b)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bob.Cosign(c, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.AddCosignature(full, line.Line(), bob.Key()); err == nil {
		t.Error("a 101st signature was added")
	}
	if !w.Key().Made(audit.Cosignature{Name: witnessName, KeyHash: w.Key().KeyHash()}) {
		t.Error("the key does not know its own")
	}
}

func TestWitnessKeyForms(t *testing.T) {
	s := newWitness(t, witnessName, "alice")
	vkey := s.Key().String()
	k, err := audit.ParseWitnessKey(vkey)
	if err != nil || k.String() != vkey || k.Name() != witnessName || !bytes.Equal(k.Public(), s.Key().Public()) {
		t.Fatalf("%q parses as %v, %v", vkey, k, err)
	}
	if words := k.Words(); len(words) != 32 {
		t.Errorf("words are %q", words)
	}
	if v, err := note.NewVerifier(k.NoteKey()); err != nil || v.Name() != witnessName || v.KeyHash() == k.KeyHash() {
		t.Errorf("the key for notes is %q, %v", k.NoteKey(), err)
	}
	for i := range vkey {
		for bit := range 8 {
			bad := []byte(vkey)
			bad[i] ^= 1 << bit
			if got, err := audit.ParseWitnessKey(string(bad)); err == nil {
				t.Errorf("with bit %d of byte %d flipped, %q parses as %s", bit, i, bad, got)
			}
		}
	}
	skey, err := s.PrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := audit.ParseWitnessSigner(string(skey)); err != nil || again.Key().String() != vkey {
		t.Errorf("the private key parses as %v, %v", again, err)
	}
	for i := range skey {
		bad := bytes.Clone(skey)
		bad[i] ^= 1
		if got, err := audit.ParseWitnessSigner(string(bad)); err == nil && got.Key().Name() == witnessName {
			t.Errorf("with byte %d changed the private key parses", i)
		}
	}
}

func TestParseWitnessKeyRefuses(t *testing.T) {
	s := newWitness(t, witnessName, "alice")
	vkey := s.Key().String()
	skey, err := s.PrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	upper := strings.Split(vkey, "+")
	upper[1] = strings.ToUpper(upper[1])
	for name, bad := range map[string]string{
		"empty": "", "a log's key": newKey(t, origin, "key").VerifierKey(), "its own key for notes": s.Key().NoteKey(),
		"no name": vkey[strings.Index(vkey, "+"):], "upper case": strings.Join(upper, "+"), "a line feed": vkey + "\n", "more": vkey + "A",
		"one part": witnessName, "short": witnessName + "+00000000+BA==",
	} {
		if k, err := audit.ParseWitnessKey(bad); err == nil {
			t.Errorf("%s: %q parses as %s", name, bad, k)
		}
	}
	if _, err := audit.ParseWitnessKey(string(skey)); err == nil || strings.Contains(err.Error(), string(skey[60:])) {
		t.Errorf("a private key given for a public one: %v", err)
	}
	for _, name := range []string{"", "a b", "a+b", "a\u202eb", "a\u200bb", "a\x00", "\xff", strings.Repeat("a", 101)} {
		if _, err := audit.GenerateWitnessKey(name, &source{}); err == nil {
			t.Errorf("the name %q was accepted", name)
		}
	}
	if _, err := audit.NewWitnessKey("a", make([]byte, 31)); err == nil {
		t.Error("31 bytes are a public key")
	}
	broken := errors.New("no randomness")
	if _, err := audit.GenerateWitnessKey("a", iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("without randomness: %v", err)
	}
	for _, bad := range []string{"", "PRIVATE+KEY+", "PRIVATE+KEY+a+00000000+BAAA", vkey, strings.Replace(string(skey), "+0", "+1", 1) + "x"} {
		if _, err := audit.ParseWitnessSigner(bad); err == nil {
			t.Errorf("%q is a private key", bad)
		}
	}
}

// For a public key of small order anybody makes signatures, by trying: stock
// Ed25519 accepts them. So no such key is a witness's.
func TestSmallOrderKeysAreRefused(t *testing.T) {
	points := []string{
		"0000000000000000000000000000000000000000000000000000000000000000", "0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	}
	var encodings [][]byte
	for _, p := range points {
		b, err := hex.DecodeString(p)
		if err != nil {
			t.Fatal(err)
		}
		encodings = append(encodings, b, append(bytes.Clone(b[:31]), b[31]|0x80))
	}
	forged := 0
	for _, public := range encodings {
		if _, err := audit.NewWitnessKey("a", public); err == nil {
			t.Errorf("the key %x of small order is accepted", public)
		}
		for _, r := range encodings {
			for m := range 32 {
				if ed25519.Verify(public, fmt.Append(nil, m), append(bytes.Clone(r), make([]byte, 32)...)) {
					forged++
				}
			}
		}
	}
	if forged < 32*len(points) {
		t.Errorf("only %d forgeries were found", forged)
	}
}

func TestCosignerRefuses(t *testing.T) {
	_, c, _, w := cosigned(t)
	for _, text := range []string{"", "keyrite verdict v1\n", c.Text() + "more\n"} {
		if sig, err := w.Cosigner(start).Sign([]byte(text)); err == nil {
			t.Errorf("%q was cosigned: %x", text, sig)
		}
		if w.Key().Verify([]byte(text), make([]byte, 72)) {
			t.Errorf("%q has a cosignature", text)
		}
	}
	if _, err := w.Cosign(c, time.Unix(-1, 0)); err == nil {
		t.Error("a time before 1970 was signed")
	}
	late, err := w.Cosign(c, time.Unix(math.MaxInt64, 0))
	if err != nil || w.Key().Check(late, c) != nil {
		t.Errorf("the last time: %+v, %v", late, err)
	}
	w.Wipe()
	w.Wipe()
	if _, err := w.Cosign(c, start); err == nil {
		t.Error("a wiped key cosigns")
	}
	if _, err := w.SignVerdict(sampleVerdict); err == nil {
		t.Error("a wiped key signs a verdict")
	}
	if _, err := w.PrivateKey(); err == nil {
		t.Error("a wiped key is there")
	}
}

// However it is printed, a private key shows nothing of itself.
func TestWitnessSignerIsRedacted(t *testing.T) {
	s := newWitness(t, witnessName, "alice")
	skey, err := s.PrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer := s.Cosigner(start)
	holder := struct {
		Key *audit.WitnessSigner
		in  note.Signer
	}{s, signer}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+"|"+verb+"|"+verb+"\n", s, holder, signer)
	}
	j, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	seed := make([]byte, 32)
	_, _ = (&source{seed: "alice"}).Read(seed)
	for _, secret := range []string{string(skey[60:]), hex.EncodeToString(seed[:4]), string(seed[:4]), fmt.Sprint(seed[:3])[1:8]} {
		if strings.Contains(strings.ToLower(out.String()), strings.ToLower(secret)) {
			t.Errorf("%q of the key is in %s", secret, out.String())
		}
	}
	if s.String() != "[redacted]" || s.GoString() != "[redacted]" || !bytes.Contains(j, []byte("[redacted]")) {
		t.Errorf("%s, %s, %s", s.String(), s.GoString(), j)
	}
}

func FuzzParseCosignature(f *testing.F) {
	f.Add("— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==")
	f.Add("— a AAAA")
	f.Fuzz(func(t *testing.T, line string) {
		c, err := audit.ParseCosignature(line)
		if err == nil && c.Line() != line {
			t.Errorf("%q is written again as %q", line, c.Line())
		}
	})
}

func FuzzParseWitnessKey(f *testing.F) {
	s := newWitness(f, witnessName, "alice")
	f.Add(s.Key().String())
	f.Add(s.Key().NoteKey())
	f.Fuzz(func(t *testing.T, vkey string) {
		k, err := audit.ParseWitnessKey(vkey)
		if err == nil && k.String() != vkey {
			t.Errorf("%q is written again as %q", vkey, k)
		}
		if signer, err := audit.ParseWitnessSigner("PRIVATE+KEY+" + vkey); err == nil {
			if again, err := signer.PrivateKey(); err != nil || string(again) != "PRIVATE+KEY+"+vkey {
				t.Errorf("%q is written again as %q, %v", vkey, again, err)
			}
		}
	})
}
