package verify

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// readStore opens the log of a bundle.
func readStore(t *testing.T, b *bundletest.Bundle) *sqlite.Store {
	t.Helper()
	s, err := sqlite.OpenReader(b.Path(bundle.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// cosignedBy adds a new witness's cosignature to a checkpoint.
func cosignedBy(t *testing.T, note []byte) ([]byte, *audit.WitnessKey) {
	t.Helper()
	w, err := audit.GenerateWitnessKey("witness.example/alice", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := audit.Cosignatures(note)
	if err != nil {
		t.Fatal(err)
	}
	line, err := w.Cosign(c, time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if note, err = audit.AddCosignature(note, line.Line(), w.Key()); err != nil {
		t.Fatal(err)
	}
	return note, w.Key()
}

// saved writes a proof's file.
func saved(t *testing.T, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.tlog-proof")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// checkedProof checks a proof, in text and JSON as well.
func checkedProof(t *testing.T, file string, o ProofOptions) (*ProofReport, string) {
	t.Helper()
	r, err := CheckProof(file, o)
	if err != nil {
		t.Fatal(err)
	}
	var text, asJSON bytes.Buffer
	if err := errors.Join(r.WriteText(&text, false), r.WriteJSON(&asJSON)); err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(asJSON.Bytes(), &back); err != nil || back["verdict"] != string(r.Verdict) {
		t.Errorf("JSON: %v, %v", back["verdict"], err)
	}
	return r, text.String()
}

// TestProof checks proofs of a log of two segments, whose final checkpoint the
// second one's key signs.
func TestProof(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{Pause: true, NoPDF: true})
	other := bundletest.Make(t, bundletest.Ceremony{Abort: true, NoPDF: true})
	p, err := audit.ProveEntry(readStore(t, b), 3)
	if err != nil {
		t.Fatal(err)
	}
	var witness *audit.WitnessKey
	p.Checkpoint, witness = cosignedBy(t, p.Checkpoint)
	_, stranger := cosignedBy(t, p.Checkpoint)
	file := saved(t, p.Marshal())
	wrong := strings.Replace(witness.String(), "+", "+0", 1)
	for _, test := range []struct {
		name    string
		o       ProofOptions
		verdict Verdict
		exit    int
		says    string
	}{
		{"alone", ProofOptions{}, Consistent, 0, "Anybody can make a log"},
		{"anchor wanted", ProofOptions{RequireAnchor: true}, Consistent, 1, "--log-key"},
		{"last run's key", ProofOptions{LogKeys: b.LogKeys[1:], RequireAnchor: true}, Verified, 0, "PROVED: entry 3 is in the log; anchored by the log key"},
		{"both keys", ProofOptions{LogKeys: b.LogKeys}, Verified, 0, "PROVED"},
		{"first run's key", ProofOptions{LogKeys: b.LogKeys[:1]}, Failed, 1, "the last run's signs the final checkpoint"},
		{"another log's key", ProofOptions{LogKeys: other.LogKeys}, Failed, 1, "no log key given signed"},
		{"head", ProofOptions{Head: b.Head}, Verified, 0, "anchored by the head"},
		{"another head", ProofOptions{Head: other.Head}, Failed, 1, other.Head},
		{"witness", ProofOptions{WitnessKeys: []string{"Alice=" + witness.String()}}, Verified, 0, "anchored by the cosignature of Alice"},
		{"another witness", ProofOptions{WitnessKeys: []string{stranger.String()}}, Failed, 1, "no cosignature by the witness key given"},
		{"witness but another head", ProofOptions{WitnessKeys: []string{witness.String()}, Head: other.Head}, Failed, 1, "From outside agrees: the cosignature of witness.example/alice"},
	} {
		r, text := checkedProof(t, file, test.o)
		if r.Verdict != test.verdict || r.Exit != test.exit || !strings.Contains(text, test.says) {
			t.Errorf("%s: %s, exit %d:\n%s", test.name, r.Verdict, r.Exit, text)
		}
		if r.Number != 3 || r.Size != b.Size || r.Origin != b.Origin || len(r.Signatures) != 2 || r.Signatures[1].Kind != "cosignature" {
			t.Errorf("%s: %+v", test.name, r)
		}
		for _, says := range []string{"REHEARSAL", "Entry 3: attendance", "Oto Sample", "passport", "whether what the entry says is true", "2026-11-26T09:00:00Z"} {
			if !strings.Contains(text, says) {
				t.Errorf("%s: nothing of %q in\n%s", test.name, says, text)
			}
		}
	}
	for name, o := range map[string]ProofOptions{
		"log key": {LogKeys: []string{"x"}}, "witness key": {WitnessKeys: []string{wrong}}, "head": {Head: "00"}, "old head": {OldHead: b.Head},
	} {
		if r, err := CheckProof(file, o); !errors.Is(err, ErrUsage) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if r, err := CheckProof(file+"x", ProofOptions{}); err == nil || errors.Is(err, ErrUsage) {
		t.Errorf("no file: %+v, %v", r, err)
	}
}

// TestProofChanged changes what a proof is made of; the head that was noted
// finds it, whoever signs again.
func TestProofChanged(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{NoPDF: true})
	s := readStore(t, b)
	sound := func() *audit.Proof {
		p, err := audit.ProveEntry(s, 7)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	o := ProofOptions{LogKeys: b.LogKeys, Head: b.Head}
	for name, change := range map[string]func(*audit.Proof){
		"entry":      func(p *audit.Proof) { p.Entry = bytes.Replace(p.Entry, []byte("wil"), []byte("ewa"), 1) },
		"index":      func(p *audit.Proof) { p.Index++ },
		"hash":       func(p *audit.Proof) { p.Hashes[2][0] ^= 1 },
		"no entry":   func(p *audit.Proof) { p.Entry = []byte("{}") },
		"checkpoint": func(p *audit.Proof) { p.Checkpoint = bytes.Replace(p.Checkpoint, []byte("\n1"), []byte("\n2"), 1) },
		"signature": func(p *audit.Proof) {
			at := len(p.Checkpoint) - 10
			p.Checkpoint[at] = 'A' + (p.Checkpoint[at]-'A'+1)%26
		},
	} {
		p := sound()
		change(p)
		if bytes.Equal(p.Marshal(), sound().Marshal()) {
			t.Fatalf("%s: nothing changed", name)
		}
		if r, text := checkedProof(t, saved(t, p.Marshal()), o); r.Verdict != Failed || r.Exit != 1 || len(r.Problems) == 0 {
			t.Errorf("%s: %s\n%s", name, r.Verdict, text)
		}
	}
	for _, junk := range []string{"", "x", "c2sp.org/tlog-proof@v1\nindex 1\n\n", strings.Repeat("A", audit.MaxProofFile+1)} {
		if r, text := checkedProof(t, saved(t, []byte(junk)), ProofOptions{}); r.Verdict != Failed || r.Kind != "" || !strings.Contains(text, "is no proof") {
			t.Errorf("%.20q: %s\n%s", junk, r.Verdict, text)
		}
	}
}

// TestConsistencyProof shows that a log still begins as it did at a pause.
func TestConsistencyProof(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{Pause: true, NoPDF: true})
	s := readStore(t, b)
	var tree audit.Frontier
	roots := []string{tree.Root().String()}
	if err := s.Entries(0, func(_ int64, e []byte) error {
		tree.Append(audit.LeafHash(e))
		roots = append(roots, tree.Root().String())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, old := range []int64{0, 1, 20, b.Size} {
		p, err := audit.ProveGrowth(s, old)
		if err != nil {
			t.Fatal(err)
		}
		file := saved(t, p.Marshal())
		r, text := checkedProof(t, file, ProofOptions{LogKeys: b.LogKeys[1:], OldHead: roots[old]})
		if r.Verdict != Verified || r.Kind != "consistency" || r.Number != old || !strings.Contains(text, "begins with the") {
			t.Errorf("old %d: %s\n%s", old, r.Verdict, text)
		}
		if r, text := checkedProof(t, file, ProofOptions{OldHead: roots[old], RequireAnchor: true}); r.Verdict != Consistent || r.Exit != 1 {
			t.Errorf("old %d, nothing signed: %s\n%s", old, r.Verdict, text)
		}
		if r, text := checkedProof(t, file, ProofOptions{OldHead: roots[(old+1)%b.Size]}); r.Verdict != Failed {
			t.Errorf("old %d, another head: %s\n%s", old, r.Verdict, text)
		}
		if r, err := CheckProof(file, ProofOptions{}); !errors.Is(err, ErrUsage) {
			t.Errorf("old %d, no head: %+v, %v", old, r, err)
		}
	}
}

func TestParseProofArgs(t *testing.T) {
	r, err := ParseProofArgs([]string{"f", "--log-key", "a", "--witness-key=b", "--witness-key", "c", "--head", "d", "--old-head", "e", "--json", "--require-anchor"})
	if err != nil || r.File != "f" || !r.JSON || !r.RequireAnchor || len(r.LogKeys) != 1 || len(r.WitnessKeys) != 2 || r.Head != "d" || r.OldHead != "e" {
		t.Errorf("%+v, %v", r, err)
	}
	for _, args := range [][]string{nil, {"a", "b"}, {"--jsn", "a"}, {""}} {
		if r, err := ParseProofArgs(args); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %+v, %v", args, r, err)
		}
	}
	if r, err := ParseProofArgs([]string{"a", "--help"}); err != nil || !r.Help {
		t.Errorf("help: %+v, %v", r, err)
	}
}
