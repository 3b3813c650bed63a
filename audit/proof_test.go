package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keyrite/keyrite/audit"
)

// proofSizes is up to which size of the tree every proof is tried.
const proofSizes = 300

// grow returns a tree of n leaves, its roots at every size and its leaves.
func grow(n int64) (*audit.Tree, []audit.Hash, []audit.Hash) {
	tree, f := new(audit.Tree), new(audit.Frontier)
	roots := []audit.Hash{f.Root()}
	var leaves []audit.Hash
	for i := range n {
		leaf := audit.LeafHash([]byte{byte(i), byte(i >> 8)})
		tree.Append(leaf)
		f.Append(leaf)
		roots, leaves = append(roots, f.Root()), append(leaves, leaf)
	}
	return tree, roots, leaves
}

// Every inclusion proof of all sizes checks; with one byte of it changed, cut
// off, made longer, or for another place, size, root or leaf it fails.
func TestInclusionProofs(t *testing.T) {
	tree, roots, leaves := grow(proofSizes)
	for size := int64(1); size <= proofSizes; size++ {
		c := audit.Checkpoint{Size: size, Root: roots[size]}
		for n := range size {
			proof, err := tree.Inclusion(n, size)
			if err != nil {
				t.Fatal(err)
			}
			if err := audit.CheckInclusion(proof, c, n, leaves[n]); err != nil {
				t.Fatalf("entry %d of %d: %v", n, size, err)
			}
			broken := func(what string, p []audit.Hash, c audit.Checkpoint, n int64, leaf audit.Hash) {
				if audit.CheckInclusion(p, c, n, leaf) == nil {
					t.Fatalf("entry %d of %d, %s: accepted", n, size, what)
				}
			}
			spoil(proof, size+n, func(what string, p []audit.Hash) { broken(what, p, c, n, leaves[n]) })
			broken("another place", proof, c, (n+1)%(size+1), leaves[n])
			broken("another leaf", proof, c, n, audit.Hash{1})
			broken("another root", proof, audit.Checkpoint{Size: size, Root: roots[size-1]}, n, leaves[n])
		}
	}
}

// Every consistency proof of all sizes checks; changed, it fails.
func TestConsistencyProofs(t *testing.T) {
	tree, roots, _ := grow(proofSizes)
	for size := int64(0); size <= proofSizes; size++ {
		c := audit.Checkpoint{Size: size, Root: roots[size]}
		for old := range size + 1 {
			proof, err := tree.Consistency(old, size)
			if err != nil {
				t.Fatal(err)
			}
			if err := audit.CheckConsistency(proof, c, old, roots[old]); err != nil {
				t.Fatalf("%d of %d: %v", old, size, err)
			}
			broken := func(what string, p []audit.Hash, c audit.Checkpoint, root audit.Hash) {
				if audit.CheckConsistency(p, c, old, root) == nil {
					t.Fatalf("%d of %d, %s: accepted", old, size, what)
				}
			}
			spoil(proof, size+old, func(what string, p []audit.Hash) { broken(what, p, c, roots[old]) })
			wrong := roots[old]
			wrong[(size+old)%audit.HashSize] ^= 1 << (size % 8)
			broken("another old root", proof, c, wrong)
			if old > 0 {
				broken("another root", proof, audit.Checkpoint{Size: size, Root: wrong}, roots[old])
			}
		}
	}
}

// spoil calls f with the proof changed: one byte of each hash (which one, n
// decides), the last hash missing, one more.
func spoil(proof []audit.Hash, n int64, f func(what string, p []audit.Hash)) {
	changed := append([]audit.Hash{}, proof...)
	for i := range changed {
		at := (n*7 + int64(i)) % audit.HashSize
		changed[i][at] ^= 1 << ((n + int64(i)) % 8)
		f(fmt.Sprintf("hash %d, byte %d changed", i, at), changed)
		changed[i] = proof[i]
	}
	if len(proof) > 0 {
		f("one hash less", proof[:len(proof)-1])
	}
	f("one hash more", append(changed, audit.Hash{}))
}

// Each byte of each hash of a few proofs.
func TestProofBytes(t *testing.T) {
	tree, roots, leaves := grow(proofSizes)
	for _, size := range []int64{2, 3, 8, 13, 255, 300} {
		c := audit.Checkpoint{Size: size, Root: roots[size]}
		in, err := tree.Inclusion(size/3, size)
		if err != nil {
			t.Fatal(err)
		}
		of, err := tree.Consistency(size/2, size)
		if err != nil {
			t.Fatal(err)
		}
		for i := range audit.HashSize * max(len(in), len(of)) {
			for _, p := range [][]audit.Hash{in, of} {
				if k := i / audit.HashSize; k < len(p) {
					p[k][i%audit.HashSize] ^= 0x10
				}
			}
			if i/audit.HashSize < len(in) && audit.CheckInclusion(in, c, size/3, leaves[size/3]) == nil {
				t.Errorf("size %d: inclusion proof with byte %d changed: accepted", size, i)
			}
			if i/audit.HashSize < len(of) && audit.CheckConsistency(of, c, size/2, roots[size/2]) == nil {
				t.Errorf("size %d: consistency proof with byte %d changed: accepted", size, i)
			}
			for _, p := range [][]audit.Hash{in, of} {
				if k := i / audit.HashSize; k < len(p) {
					p[k][i%audit.HashSize] ^= 0x10
				}
			}
		}
	}
}

// A proof made here is one that tlog checks, and of the length that RFC 6962
// gives it.
func TestProofsAreTlogs(t *testing.T) {
	tree, roots, leaves := grow(100)
	p, err := tree.Inclusion(41, 100)
	if err != nil {
		t.Fatal(err)
	}
	var record tlog.RecordProof
	for _, h := range p {
		record = append(record, tlog.Hash(h))
	}
	if err := tlog.CheckRecord(record, 100, tlog.Hash(roots[100]), 41, tlog.Hash(leaves[41])); err != nil {
		t.Error(err)
	}
	if p, err = tree.Inclusion(0, 1); err != nil || len(p) != 0 {
		t.Errorf("the proof of the only entry: %v, %v", p, err)
	}
}

func TestNoSuchProof(t *testing.T) {
	tree, _, _ := grow(5)
	for _, try := range [][2]int64{{-1, 5}, {5, 5}, {0, 6}, {3, 2}, {0, 0}} {
		if p, err := tree.Inclusion(try[0], try[1]); err == nil {
			t.Errorf("Inclusion(%d, %d) = %v", try[0], try[1], p)
		}
	}
	for _, try := range [][2]int64{{-1, 5}, {6, 5}, {0, 6}, {3, 2}} {
		if p, err := tree.Consistency(try[0], try[1]); err == nil {
			t.Errorf("Consistency(%d, %d) = %v", try[0], try[1], p)
		}
	}
	if tree.Size() != 5 {
		t.Errorf("size %d", tree.Size())
	}
}

// sampleProofs returns one file of each kind over the sample log, and the roots.
func sampleProofs(t testing.TB) (in, of []byte) {
	t.Helper()
	note := sampleNote(t)
	h := audit.Hash(sha256.Sum256([]byte("h")))
	p := &audit.Proof{Entry: []byte(`{"a":1}`), Index: 1, Hashes: []audit.Hash{h, h}, Checkpoint: note}
	q := &audit.ConsistencyProof{Old: 2, Hashes: []audit.Hash{h}, Checkpoint: note}
	return p.Marshal(), q.Marshal()
}

func sampleNote(t testing.TB) []byte {
	t.Helper()
	const origin = "keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0"
	key, err := audit.NewLogKey(origin, bytes.NewReader(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	note, err := key.SignNote(audit.Checkpoint{Origin: origin, Size: 3, Root: audit.Hash{1}}.Text())
	if err != nil {
		t.Fatal(err)
	}
	return note
}

func TestProofFile(t *testing.T) {
	in, of := sampleProofs(t)
	p, none, err := audit.ParseProof(in)
	if err != nil || none != nil || p.Index != 1 || len(p.Hashes) != 2 || !bytes.Equal(p.Marshal(), in) {
		t.Errorf("inclusion: %+v, %v, %v", p, none, err)
	}
	nil1, q, err := audit.ParseProof(of)
	if err != nil || nil1 != nil || q.Old != 2 || len(q.Hashes) != 1 || !bytes.Equal(q.Marshal(), of) {
		t.Errorf("consistency: %+v, %v, %v", nil1, q, err)
	}
	if !strings.HasPrefix(string(in), "c2sp.org/tlog-proof@v1\nextra eyJhIjoxfQ==\nindex 1\n") {
		t.Errorf("file begins %q", in[:80])
	}
}

func TestProofFileRefused(t *testing.T) {
	in, of := sampleProofs(t)
	hash := base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n"
	for name, change := range map[string]struct{ from, to string }{
		"another version":       {"proof@v1", "proof@v2"},
		"no extra data":         {"extra eyJhIjoxfQ==\n", ""},
		"empty extra data":      {"eyJhIjoxfQ==", ""},
		"extra in another form": {"eyJhIjoxfQ==", "eyJhIjoxfR=="},
		"extra without padding": {"eyJhIjoxfQ==", "eyJhIjoxfQ"},
		"leading zero":          {"index 1", "index 01"},
		"plus":                  {"index 1", "index +1"},
		"negative":              {"index 1", "index -1"},
		"large":                 {"index 1", "index 9007199254740992"},
		"no index":              {"index 1\n", ""},
		"twice":                 {"index 1\n", "index 1\nindex 1\n"},
		"short hash":            {"index 1\n", "index 1\nAAAA\n"},
		"line breaks":           {"index 1\n", "index 1\r\n"},
		"no empty line":         {"\n\nkeyrite.", "\nkeyrite."},
		"two empty lines":       {"\n\nkeyrite.", "\n\n\nkeyrite."},
		"too many hashes":       {"index 1\n", "index 1\n" + strings.Repeat(hash, 54)},
		"another text":          {"/0f1e2d3c4b5a69788796a5b4c3d2e1f0\n3\n", "/0f1e2d3c4b5a69788796a5b4c3d2e1f0\n03\n"},
		"too long":              {"index 1\n", "index 1\n" + strings.Repeat("A", audit.MaxProofFile)},
		"cut off":               {string(in[len(in)-5:]), ""},
	} {
		b := strings.Replace(string(in), change.from, change.to, 1)
		if b == string(in) {
			t.Fatalf("%s changes nothing", name)
		}
		if p, q, err := audit.ParseProof([]byte(b)); err == nil {
			t.Errorf("%s: %+v, %+v", name, p, q)
		}
	}
	for _, line := range []string{"old 02", "old -1", "old", "new 2", ""} {
		b := strings.Replace(string(of), "old 2", line, 1)
		if p, q, err := audit.ParseProof([]byte(b)); err == nil {
			t.Errorf("%q: %+v, %+v", line, p, q)
		}
	}
}

// What parses has one form.
func FuzzProof(f *testing.F) {
	in, of := sampleProofs(f)
	f.Add(in)
	f.Add(of)
	f.Add([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, q, err := audit.ParseProof(b)
		switch {
		case err != nil:
		case p != nil && !bytes.Equal(p.Marshal(), b), q != nil && !bytes.Equal(q.Marshal(), b), (p == nil) == (q == nil):
			t.Errorf("%q parses to %+v, %+v", b, p, q)
		case p != nil:
			_, _, _ = p.Check()
		default:
			_, _ = q.Check(audit.Hash{})
		}
	})
}

func TestHidden(t *testing.T) {
	h := audit.Hidden{Seq: 12, Hash: audit.LeafHash([]byte("x"))}
	b := h.Marshal()
	if string(b) != `{"hidden":"`+h.Hash.String()+`","seq":12}` {
		t.Errorf("Marshal: %s", b)
	}
	if got, ok := audit.ParseHidden(b); !ok || got != h {
		t.Errorf("ParseHidden: %+v, %t", got, ok)
	}
	if audit.StatedHash(b) != h.Hash || audit.StatedHash([]byte("x")) != h.Hash {
		t.Error("StatedHash differs")
	}
	if _, err := audit.Parse(b); err == nil {
		t.Error("a hidden entry is read as an entry")
	}
	for name, s := range map[string]string{
		"upper case":   strings.ToUpper(h.Hash.String()),
		"short":        h.Hash.String()[1:],
		"no hex digit": strings.Replace(h.Hash.String(), h.Hash.String()[:1], "g", 1),
	} {
		if got, ok := audit.ParseHidden([]byte(`{"hidden":"` + s + `","seq":12}`)); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for i := range b {
		if _, ok := audit.ParseHidden(b[:i]); ok {
			t.Errorf("cut at %d: accepted", i)
		}
	}
	for _, tail := range []string{`","seq":012}`, `","seq":-1}`, `","seq":1}x`, `","seq":}`, `","seq": 1}`, `","seq":9007199254740992}`} {
		if got, ok := audit.ParseHidden([]byte(`{"hidden":"` + h.Hash.String() + tail)); ok {
			t.Errorf("%s: %+v", tail, got)
		}
	}
}
