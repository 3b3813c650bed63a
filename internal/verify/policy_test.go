package verify

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

func newWitness(t testing.TB, name string) *audit.WitnessSigner {
	t.Helper()
	s, err := audit.GenerateWitnessKey("witness.example.org/"+name, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The quorum of two levels of groups, by every subset of five witnesses.
func TestPolicyQuorum(t *testing.T) {
	var text strings.Builder
	var keys []*audit.WitnessKey
	text.WriteString("# a comment\n\n \t\n")
	for i, name := range []string{"X1", "X2", "X3", "Y1", "Y2"} {
		keys = append(keys, newWitness(t, name).Key())
		fmt.Fprintf(&text, "witness %s %s https://example.org/%d\n", name, keys[i], i)
	}
	p, err := parsePolicy([]byte(text.String() + "group X 2 X1 X2 X3\n\tgroup  Y any Y1 Y2 \ngroup both all X Y\nquorum both\n"))
	if err != nil {
		t.Fatal(err)
	}
	for subset := range 32 {
		signed, x, y := map[string]bool{}, 0, 0
		for i, k := range keys {
			if subset>>i&1 == 1 {
				signed[publicHex(k)] = true
				if i < 3 {
					x++
				} else {
					y++
				}
			}
		}
		if got := p.met(signed); got != (x >= 2 && y >= 1) {
			t.Errorf("%d of X and %d of Y: met is %v", x, y, got)
		}
	}
	none, err := parsePolicy([]byte("quorum none\n"))
	if err != nil || none.met(nil) {
		t.Errorf("a policy without a quorum: %+v, %v", none, err)
	}
}

func TestPolicyRefuses(t *testing.T) {
	k, other := newWitness(t, "a").Key(), newWitness(t, "b").Key()
	same, err := audit.NewWitnessKey("witness.example.org/c", k.Public())
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.NewLogKey("keyrite.ceremony/rehearsal/00", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := fmt.Sprintf("witness a %s\nwitness b %s\n", k, other)
	if p, err := parsePolicy([]byte("log " + log.VerifierKey() + " https://example.org\n" + w + "quorum a\n")); err != nil || len(p.logs) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	for text, want := range map[string]string{
		"":                         "does not end",
		"quorum none":              "does not end",
		"\n":                       "no quorum",
		w:                          "no quorum",
		w + "quorum c\n":           "line 3: quorum \"c\" is defined by no line before",
		"quorum a\n" + w:           "line 1: quorum",
		w + "quorum a\nquorum b\n": "second quorum",
		w + "quorum\n":             "none of",
		w + "quorum a b\n":         "none of",
		"witness a\nquorum a\n":    "none of",
		"Witness a " + k.String() + "\nquorum a\n":                         "none of",
		"witness a " + k.NoteKey() + "\nquorum a\n":                        "type 0x01",
		"witness none " + k.String() + "\nquorum none\n":                   "is taken",
		w + "witness a " + same.String() + "\nquorum a\n":                  "is taken",
		w + "witness c " + same.String() + "\nquorum a\n":                  "is that of witness \"a\"",
		w + "group a any b\nquorum a\n":                                    "is taken",
		w + "group g any c\nquorum g\n":                                    "\"c\" is defined by no line",
		w + "group g any g\nquorum g\n":                                    "\"g\" is defined by no line",
		w + "group g any\nquorum a\n":                                      "none of",
		w + "group g 0 a b\nquorum g\n":                                    "a number from 1 to 2",
		w + "group g 3 a b\nquorum g\n":                                    "a number from 1 to 2",
		w + "group g 01 a b\nquorum g\n":                                   "a number from 1 to 2",
		w + "group g any a a\nquorum g\n":                                  "is one of a group already",
		w + "group g any a\ngroup h any a b\nquorum g\n":                   "is one of a group already",
		w + "group g any none\nquorum g\n":                                 "is defined by no line",
		"log x\nquorum none\n":                                             "log key \"x\"",
		"log " + strings.Repeat("log "+log.VerifierKey()+"\n", 2)[4:] + "": "twice",
		w + "quorum a\r\n":                                                 "control character",
		"quorum none\x00\n":                                                "control character",
		strings.Repeat("#", MaxPolicy+1):                                   "at most",
		w + strings.Repeat("group g any a\n", 300):                         "line 4",
	} {
		if p, err := parsePolicy([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %+v, %v; want %q", text, p, err, want)
		}
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add("witness a witness.example.org/alice+daea012a+BIm0/AvFLFhrNglsz5X3cRxUh9iLnMc93skW9FH/bjYn\ngroup g any a\nquorum g\n")
	f.Add("quorum none\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePolicy([]byte(text))
		if err != nil {
			return
		}
		all := map[string]bool{}
		for _, w := range p.witnesses {
			all[publicHex(w.key)] = true
		}
		if p.quorum != "none" && !p.met(all) || p.met(nil) {
			t.Errorf("%q: met by all %v, by nobody %v", text, p.met(all), p.met(nil))
		}
	})
}

// The policy in docs/verify.md is one, and asks for what the text says: two of
// three witnesses, or the notary. Its keys are made from seeds that everybody
// knows.
func TestPolicyInDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "# two of the three witnesses, or the notary\n")
	text, _, _ := strings.Cut(rest, "```")
	p, err := parsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	signed := map[string]bool{}
	for i, name := range []string{"ada", "ben", "cleo", "notary"} {
		host := map[bool]string{true: "notary.example.com/2026", false: "witness.example.org/" + name}[name == "notary"]
		seed := sha256.Sum256([]byte("keyrite verify.md " + name))
		k, err := audit.GenerateWitnessKey(host, bytes.NewReader(seed[:]))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.witness(name); got == nil || got.String() != k.Key().String() {
			t.Fatalf("witness %s has the key %v, not %s", name, got, k.Key())
		}
		signed[publicHex(k.Key())] = name != "cleo"
		if got := p.met(signed); got != (i > 0) {
			t.Errorf("after %s the quorum is met: %v", name, got)
		}
	}
	if !p.met(map[string]bool{publicHex(p.witness("notary")): true}) {
		t.Error("the notary is not enough")
	}
}
