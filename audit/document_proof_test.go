package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/storetest"
)

const proofDocument = "../docs/proof.md"

// exampleStore is the log of the worked example, as it stands in the document.
func exampleStore(t *testing.T) audit.Store {
	t.Helper()
	blocks := readExample(t, "example")
	var list [][]byte
	for i := range 3 {
		list = append(list, []byte(blocks[fmt.Sprintf("entry-%d", i)]))
	}
	m := new(storetest.Memory)
	if err := m.Append(0, list, []byte(blocks["checkpoint"]+"\n"), true, true); err != nil {
		t.Fatal(err)
	}
	return m
}

// proofExample writes the worked example of docs/proof.md.
func proofExample(t *testing.T) string {
	p, err := audit.ProveEntry(exampleStore(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	q, err := audit.ProveGrowth(exampleStore(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("\nThat entry 1 is in the log of three entries:\n\n```text inclusion\n%s```\n\nThat this log begins with its first two entries:\n\n```text consistency\n%s```\n\n", p.Marshal(), q.Marshal())
}

func TestProofDocument(t *testing.T) {
	b, err := os.ReadFile(proofDocument)
	if err != nil {
		t.Fatal(err)
	}
	before, got, after := generated(t, string(b), "proof example")
	want := proofExample(t)
	if *update {
		if err := os.WriteFile(proofDocument, []byte(before+want+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("the example of %s is not up to date: go test ./audit -run Document -update", proofDocument)
	}
	blocks := strings.Split(got, "```")
	if len(blocks) != 5 {
		t.Fatalf("%d fences", len(blocks)-1)
	}
	checkExample(t, strings.TrimPrefix(blocks[1], "text inclusion\n"), strings.TrimPrefix(blocks[3], "text consistency\n"))
}

// checkExample checks the files by x/mod and the document's words alone.
func checkExample(t *testing.T, inclusion, consistency string) {
	v, err := note.NewVerifier(readExample(t, "example")["vkey"])
	if err != nil {
		t.Fatal(err)
	}
	open := func(file string) (lines []string, tree tlog.Tree) {
		head, signed, _ := strings.Cut(file, "\n\n")
		n, err := note.Open([]byte(signed), note.VerifierList(v))
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(n.Text, "\n")
		if _, err := fmt.Sscan(parts[1], &tree.N); err != nil {
			t.Fatal(err)
		}
		if tree.Hash, err = tlog.ParseHash(parts[2]); err != nil {
			t.Fatal(err)
		}
		return strings.Split(head, "\n"), tree
	}
	lines, tree := open(inclusion)
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil || lines[0] != "c2sp.org/tlog-proof@v1" || lines[2] != "index 1" {
		t.Errorf("the file begins %q, %v", lines, err)
	}
	var record tlog.RecordProof
	for _, line := range lines[3:] {
		record = append(record, parseHash(t, line))
	}
	if err := tlog.CheckRecord(record, tree.N, tree.Hash, 1, sha256.Sum256(append([]byte{0}, entry...))); err != nil {
		t.Error(err)
	}
	lines, tree = open(consistency)
	var grown tlog.TreeProof
	for _, line := range lines[1:] {
		grown = append(grown, parseHash(t, line))
	}
	blocks := readExample(t, "example")
	old := tlog.NodeHash(tlog.RecordHash([]byte(blocks["entry-0"])), tlog.RecordHash([]byte(blocks["entry-1"])))
	if err := tlog.CheckTree(grown, tree.N, tree.Hash, 2, old); err != nil || lines[0] != "old 2" {
		t.Errorf("%q: %v", lines[0], err)
	}
}

func parseHash(t *testing.T, s string) tlog.Hash {
	t.Helper()
	h, err := tlog.ParseHash(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A proof is made of what the checkpoint signs, and of nothing else.
func TestProve(t *testing.T) {
	s := exampleStore(t)
	for n := range int64(3) {
		p, err := audit.ProveEntry(s, n)
		if err != nil {
			t.Fatal(err)
		}
		if _, e, err := p.Check(); err != nil || e.Seq != n {
			t.Errorf("entry %d: %+v, %v", n, e, err)
		}
		p.Index++
		if _, _, err := p.Check(); err == nil {
			t.Errorf("entry %d as entry %d: accepted", n, n+1)
		}
	}
	if p, err := audit.ProveEntry(s, 3); err == nil {
		t.Errorf("an entry that is not there: %+v", p)
	}
	if p, err := audit.ProveGrowth(s, 4); err == nil {
		t.Errorf("a size that was not: %+v", p)
	}
	if p, err := audit.ProveEntry(new(storetest.Memory), 0); err == nil {
		t.Errorf("an empty log: %+v", p)
	}
}

// Of a redacted copy the entries that are shown are proved by the same files.
func TestProveRedacted(t *testing.T) {
	s := exampleStore(t)
	head, err := s.Head()
	if err != nil {
		t.Fatal(err)
	}
	list := encoded(t, s)
	list[1] = audit.Hidden{Seq: 1, Hash: audit.LeafHash(list[1])}.Marshal()
	m := new(storetest.Memory)
	if err := m.Append(0, list, head, true, true); err != nil {
		t.Fatal(err)
	}
	want, err := audit.ProveEntry(s, 2)
	if err != nil {
		t.Fatal(err)
	}
	got, err := audit.ProveEntry(m, 2)
	if err != nil || !bytes.Equal(got.Marshal(), want.Marshal()) {
		t.Errorf("entry 2 of the copy: %v", err)
	}
	if p, err := audit.ProveEntry(m, 1); err == nil {
		t.Errorf("a hidden entry: %+v", p)
	}
	list[1] = audit.Hidden{Seq: 1}.Marshal()
	m = new(storetest.Memory)
	if err := m.Append(0, list, head, true, true); err != nil {
		t.Fatal(err)
	}
	if p, err := audit.ProveEntry(m, 2); err == nil {
		t.Errorf("beside a wrong hash: %+v", p)
	}
}

func TestMergeCosignatures(t *testing.T) {
	b := sampleNote(t)
	w, err := audit.GenerateWitnessKey("witness.example/w", bytes.NewReader(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := audit.Cosignatures(b)
	if err != nil {
		t.Fatal(err)
	}
	line, err := w.Cosign(c, start)
	if err != nil {
		t.Fatal(err)
	}
	late, err := audit.AddCosignature(b, line.Line(), w.Key())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is there
		got, err := audit.MergeCosignatures(b, late)
		if err != nil || !bytes.Equal(got, late) {
			t.Fatalf("merged: %q, %v", got, err)
		}
		b = got
	}
	other := readExample(t, "example")["checkpoint"] + "\n"
	if got, err := audit.MergeCosignatures(b, []byte(other)); err == nil {
		t.Errorf("of another checkpoint: %q", got)
	}
}
