package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// forked compares two sides, in text and JSON as well.
func forked(t *testing.T, a, b string) (*ForkReport, string) {
	t.Helper()
	r, err := Fork(a, b, Options{Recompose: pagesOnly})
	if err != nil {
		t.Fatal(err)
	}
	var text, asJSON bytes.Buffer
	if err := errors.Join(r.WriteText(&text, false), r.WriteJSON(&asJSON)); err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(asJSON.Bytes(), &back); err != nil || back["relation"] != string(r.Relation) {
		t.Errorf("JSON: %v, %v", back["relation"], err)
	}
	return r, text.String()
}

// TestForkFromACopiedFolder copies a ceremony's folder in a pause and goes on
// with both: each is sound, and together they show what was done.
func TestForkFromACopiedFolder(t *testing.T) {
	before, one, other := bundletest.Fork(t, bundletest.Ceremony{NoPDF: true})
	for _, b := range []*bundletest.Bundle{one, other} {
		if r := check(t, b, Options{Recompose: pagesOnly}); r.Verdict == Failed {
			t.Fatalf("%s alone is not sound:\n%s", b.Dir, codes(r))
		}
	}
	r, text := forked(t, one.Dir, other.Dir)
	if r.Relation != Forked || r.Exit != 1 || r.Common < 10 || r.Common >= one.Size {
		t.Fatalf("%s, exit %d, common %d\n%s", r.Relation, r.Exit, r.Common, text)
	}
	for i, b := range []*bundletest.Bundle{one, other} {
		s := r.Sides[i]
		if s.Entry == nil || s.Entry.Seq != r.Common || s.Entry.Kind != "segment-open" || s.Entry.Time == "" || s.Key != b.LogKeys[1] {
			t.Errorf("side %d: %+v", i, s)
		}
	}
	if r.Sides[0].Entry.Hash == r.Sides[1].Entry.Hash || r.Sides[0].Key == r.Sides[1].Key {
		t.Error("the sides do not differ where they part")
	}
	for _, says := range []string{"FORK: they share the first", "segment-open", one.LogKeys[1], other.LogKeys[1], "two runs went on"} {
		if !strings.Contains(text, says) {
			t.Errorf("nothing of %q in\n%s", says, text)
		}
	}

	// what was there before is the beginning of both
	for _, b := range []*bundletest.Bundle{one, other} {
		r, text := forked(t, b.Dir, before.Dir)
		if r.Relation != Prefix || r.Exit != 0 || r.Common != r.Sides[1].Size || r.Sides[1].Verdict != NotClosed || r.Sides[1].Entry != nil || r.Sides[0].Entry == nil {
			t.Errorf("the beginning: %s\n%s", r.Relation, text)
		}
	}

	// a checkpoint of the one against the other, and against a proof
	if r, text := forked(t, one.Dir, other.Path(bundle.CheckpointFile)); r.Relation != Forked || r.Exit != 1 || !strings.Contains(text, "one log with two heads") {
		t.Errorf("bundle and checkpoint: %s\n%s", r.Relation, text)
	}
	p, err := audit.ProveEntry(readStore(t, other), 2)
	if err != nil {
		t.Fatal(err)
	}
	if r, text := forked(t, one.Path(bundle.CheckpointFile), saved(t, p.Marshal())); r.Relation != Forked || !strings.Contains(text, "not checked") {
		t.Errorf("checkpoint and proof: %s\n%s", r.Relation, text)
	}
}

// TestForkRelations compares what is no fork.
func TestForkRelations(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{Pause: true, NoPDF: true})
	other := bundletest.Make(t, bundletest.Ceremony{Abort: true, NoPDF: true})
	sound := check(t, b, Options{Recompose: pagesOnly})
	first := sound.Log.Segments[1].checkpoint
	early := saved(t, []byte(first))
	damaged := bundletest.Copy(t, b)
	damaged.Write(t, bundle.LogFile, bytes.Replace(b.Read(t, bundle.LogFile), []byte("passport"), []byte("passporT"), 1))
	junk := saved(t, []byte("x"))
	for _, test := range []struct {
		name, a, b string
		relation   Relation
		exit       int
		says       string
	}{
		{"itself", b.Dir, b.Dir, Same, 0, "SAME"},
		{"a copy", b.Dir, bundletest.Copy(t, b).Dir, Same, 0, "SAME"},
		{"another", b.Dir, other.Dir, Different, 0, "DIFFERENT LOGS"},
		{"its checkpoint", b.Dir, b.Path(bundle.CheckpointFile), Same, 0, "SAME"},
		{"an early checkpoint", b.Dir, early, Prefix, 0, "is the beginning of"},
		{"the other way round", early, b.Dir, Prefix, 0, "is the beginning of"},
		{"two checkpoints", early, b.Path(bundle.CheckpointFile), Unprovable, 1, "CANNOT TELL"},
		{"a checkpoint twice", early, early, Same, 0, "SAME"},
		{"another's checkpoint", b.Dir, other.Path(bundle.CheckpointFile), Different, 0, "DIFFERENT"},
		{"a damaged side", b.Dir, damaged.Dir, NotAllSound, 1, "E-STORES-DIFFER"},
		{"no checkpoint", b.Dir, junk, NotAllSound, 1, "neither a checkpoint nor a proof"},
	} {
		r, text := forked(t, test.a, test.b)
		if r.Relation != test.relation || r.Exit != test.exit || !strings.Contains(text, test.says) {
			t.Errorf("%s: %s, exit %d\n%s", test.name, r.Relation, r.Exit, text)
		}
	}
	if _, err := Fork(b.Dir, b.Dir+"x", Options{}); err == nil {
		t.Error("a side that is not there")
	}
}

func TestParseForkArgs(t *testing.T) {
	r, err := ParseForkArgs([]string{"a", "--json", "b"})
	if err != nil || r.A != "a" || r.B != "b" || !r.JSON {
		t.Errorf("%+v, %v", r, err)
	}
	for _, args := range [][]string{nil, {"a"}, {"a", "b", "c"}, {"a", "b", "--x"}, {"", "b"}} {
		if r, err := ParseForkArgs(args); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %+v, %v", args, r, err)
		}
	}
	if r, err := ParseForkArgs([]string{"--help"}); err != nil || !r.Help {
		t.Errorf("help: %+v, %v", r, err)
	}
}
