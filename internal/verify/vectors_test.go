package verify

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/storetest"
	"github.com/keyrite/keyrite/audit/vectortest"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/canonjson"
)

// vectors reads the test vectors from the tree.
func vectors(t *testing.T) []*vectortest.Vector {
	t.Helper()
	paths, err := filepath.Glob("../../audit/testdata/vectors/*")
	if err != nil {
		t.Fatal(err)
	}
	var list []*vectortest.Vector
	for _, path := range paths {
		if filepath.Ext(path) == ".db" {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		v, err := vectortest.Parse(filepath.Base(path), b)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	if len(list) < 40 {
		t.Fatalf("only %d vectors", len(list))
	}
	return list
}

// Every vector gets the answer that its header asks for.
func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			switch v.Input {
			case vectortest.InputEntry:
				_, err := audit.Parse(v.Body)
				judgeEntry(t, v, err)
			case vectortest.InputEntries:
				for line := range bytes.Lines(v.Body) {
					_, err := audit.Parse(bytes.TrimSuffix(line, []byte("\n")))
					judgeEntry(t, v, err)
				}
			case vectortest.InputCheckpoint:
				judgeCheckpoint(t, v)
			case vectortest.InputLog:
				judgeLog(t, v)
				if v.Database == "" {
					judgeStore(t, v)
				}
			default:
				t.Fatalf("input %q", v.Input)
			}
		})
	}
}

// judgeEntry compares what [audit.Parse] said of an entry.
func judgeEntry(t *testing.T, v *vectortest.Vector, err error) {
	t.Helper()
	offset := int64(-1)
	var syntax *canonjson.SyntaxError
	if errors.As(err, &syntax) {
		offset = syntax.Offset
	}
	if v.OK != (err == nil) || offset != v.Offset {
		t.Errorf("%v at byte %d, want it at %d", err, offset, v.Offset)
	}
}

func judgeCheckpoint(t *testing.T, v *vectortest.Vector) {
	t.Helper()
	c, err := audit.OpenCheckpoint(v.Body, v.LogKey)
	if err == nil && c.Origin != v.Origin {
		err = errors.New("another origin")
	}
	for _, vkey := range v.WitnessKeys {
		err = errors.Join(err, cosigned(v.Body, vkey))
	}
	if (err == nil) != v.OK {
		t.Errorf("the checkpoint: %v", err)
	}
}

// cosigned returns nil if a checkpoint has exactly one cosignature of a
// witness's key and it holds.
func cosigned(b []byte, vkey string) error {
	k, err := audit.ParseWitnessKey(vkey)
	if err != nil {
		return err
	}
	p, all, err := audit.Cosignatures(b)
	if err != nil {
		return err
	}
	made := slices.DeleteFunc(all, func(c audit.Cosignature) bool { return !k.Made(c) })
	if len(made) != 1 {
		return fmt.Errorf("%d cosignatures of %s", len(made), vkey)
	}
	return k.Check(made[0], p)
}

// logCodes are the findings about the log itself: a vector is no ceremony.
var logCodes = []Code{
	EntryFormat, ChainBroken, LinesFormat, StoresDiffer, DatabaseFormat, LogCut, UnsignedTail, AfterClose, LogGrammar, ModeDiffers, OriginDiffers,
	CheckpointFormat, CheckpointSignature, CheckpointRoot, StoredHeadDiffers, SegmentCheckpoint, SegmentAdoption, KeyNotRead, LogNotClosed,
}

// judgeLog makes a bundle of a log and looks for the finding that the vector
// names; of one that holds there must be none.
func judgeLog(t *testing.T, v *vectortest.Vector) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(bundle.LogFile, v.JSONL())
	write(bundle.CheckpointFile, v.Checkpoint())
	if v.Database != "" {
		b, err := os.ReadFile("../../audit/testdata/vectors/" + v.Database)
		if err != nil {
			t.Fatal(err)
		}
		write(bundle.DatabaseFile, b)
	}
	r, err := Bundle(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var found []Finding
	for _, f := range r.Findings {
		if slices.Contains(logCodes, f.Code) {
			found = append(found, f)
		}
	}
	if v.OK {
		if len(found) > 0 {
			t.Errorf("found\n%s", codes(r))
		}
		return
	}
	if !slices.ContainsFunc(found, func(f Finding) bool {
		return string(f.Code) == v.Finding && (v.Entry < 0 || v.Entry == f.Entry)
	}) {
		t.Errorf("want %s at entry %d, found\n%s", v.Finding, v.Entry, codes(r))
	}
}

// judgeStore has [audit.CheckStore] read a log. It looks at the chain and the
// last key alone, so that a log that fails may pass, never the other way.
func judgeStore(t *testing.T, v *vectortest.Vector) {
	t.Helper()
	m := new(storetest.Memory)
	var bodies [][]byte
	for line := range bytes.Lines(v.JSONL()) {
		bodies = append(bodies, bytes.TrimSuffix(line, []byte("\n")))
	}
	if err := m.Append(0, bodies, v.Checkpoint(), false, false); err != nil {
		t.Fatal(err)
	}
	_, err := audit.CheckStore(m)
	must := []Code{EntryFormat, ChainBroken, LogCut, UnsignedTail, CheckpointRoot, CheckpointSignature}
	if v.OK && err != nil || err == nil && slices.Contains(must, Code(v.Finding)) {
		t.Errorf("%v", err)
	}
}
