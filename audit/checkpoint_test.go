package audit_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keyrite/keyrite/audit"
)

func TestCheckpointText(t *testing.T) {
	c := audit.Checkpoint{Origin: origin, Size: 2, Root: audit.LeafHash([]byte("x"))}
	text := c.Text()
	if lines := strings.Split(text, "\n"); len(lines) != 4 || lines[0] != origin || lines[1] != "2" || len(lines[2]) != 44 {
		t.Errorf("text is %q", text)
	}
	got, err := audit.ParseCheckpoint(text)
	if err != nil || got != c {
		t.Errorf("%+v comes back as %+v, %v", c, got, err)
	}
	for _, size := range []int64{0, 1<<53 - 1} {
		c.Size = size
		if got, err := audit.ParseCheckpoint(c.Text()); err != nil || got != c {
			t.Errorf("%+v comes back as %+v, %v", c, got, err)
		}
	}
	// sumdb's own trees have another first line and the same two after it.
	tree, err := tlog.ParseTree([]byte(strings.Replace(text, origin, "go.sum database tree", 1)))
	if err != nil || tree.N != 2 || audit.Hash(tree.Hash) != c.Root {
		t.Errorf("sumdb reads %+v, %v", tree, err)
	}
}

func TestParseCheckpointRefuses(t *testing.T) {
	good := audit.Checkpoint{Origin: "o", Size: 12, Root: audit.Hash{1}}.Text()
	root := strings.Split(good, "\n")[2]
	for name, bad := range map[string]string{
		"empty":                "",
		"no last newline":      strings.TrimSuffix(good, "\n"),
		"an extension line":    good + "extension\n",
		"an empty line":        good + "\n",
		"two lines":            "o\n12\n",
		"carriage returns":     strings.ReplaceAll(good, "\n", "\r\n"),
		"carriage return":      strings.Replace(good, root, root[:20]+"\r"+root[20:], 1),
		"origin empty":         "\n12\n" + root + "\n",
		"origin space":         "o o\n12\n" + root + "\n",
		"origin plus":          "o+o\n12\n" + root + "\n",
		"origin control":       "o\x01\n12\n" + root + "\n",
		"origin bad UTF-8":     "o\xff\n12\n" + root + "\n",
		"size empty":           "o\n\n" + root + "\n",
		"size leading zero":    "o\n012\n" + root + "\n",
		"size plus":            "o\n+12\n" + root + "\n",
		"size minus":           "o\n-12\n" + root + "\n",
		"size minus zero":      "o\n-0\n" + root + "\n",
		"size hex":             "o\n0x12\n" + root + "\n",
		"size underscore":      "o\n1_2\n" + root + "\n",
		"size 2^53":            "o\n9007199254740992\n" + root + "\n",
		"size 2^64":            "o\n18446744073709551616\n" + root + "\n",
		"root empty":           "o\n12\n\n",
		"root short":           "o\n12\nAAAA\n",
		"root long":            "o\n12\n" + strings.Repeat("A", 64) + "\n",
		"root without padding": "o\n12\n" + strings.TrimRight(root, "=") + "\n",
		"root trailing bits":   "o\n12\n" + root[:42] + "B=\n",
		"root URL alphabet":    "o\n12\n_" + root[1:] + "\n",
	} {
		if c, err := audit.ParseCheckpoint(bad); err == nil {
			t.Errorf("%s: %q parses as %+v", name, bad, c)
		}
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(audit.Checkpoint{Origin: origin, Size: 2, Root: audit.Hash{1}}.Text())
	f.Add("o\n0\n" + strings.Repeat("A", 43) + "=\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := audit.ParseCheckpoint(text)
		if err == nil && c.Text() != text {
			t.Errorf("%q is written again as %q", text, c.Text())
		}
	})
}

func TestOrigin(t *testing.T) {
	for _, mode := range []string{audit.ModeProduction, audit.ModeRehearsal} {
		o, err := audit.NewOrigin(mode, &source{seed: "origin"})
		if err != nil {
			t.Fatal(err)
		}
		other, err := audit.NewOrigin(mode, &source{seed: "another"})
		if err != nil || o == other || len(o) != len("keyrite.ceremony/")+len(mode)+1+32 {
			t.Errorf("origins %q and %q, %v", o, other, err)
		}
		if got, err := audit.OriginMode(o); err != nil || got != mode {
			t.Errorf("the mode of %q is %q, %v", o, got, err)
		}
	}
	if o, err := audit.NewOrigin("practice", &source{}); err == nil {
		t.Errorf("an unknown mode gives %q", o)
	}
	broken := errors.New("no randomness")
	if _, err := audit.NewOrigin(audit.ModeProduction, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("without randomness: %v", err)
	}
}

func TestOriginModeRefuses(t *testing.T) {
	id := strings.Repeat("0a", 16)
	for _, bad := range []string{
		"", "keyrite.ceremony/", "keyrite.ceremony/production", "keyrite.ceremony/production/",
		"keyrite.ceremony/production/" + id[1:], "keyrite.ceremony/production/" + id + "00",
		"keyrite.ceremony/production/" + strings.ToUpper(id), "keyrite.ceremony/production/" + id + "/x",
		"keyrite.ceremony/production//" + id, "keyrite.ceremony/Rehearsal/" + id, "keyrite.ceremony//" + id,
		"example.org/production/" + id, " keyrite.ceremony/production/" + id, "keyrite.ceremony/production/" + id + "\n",
	} {
		if mode, err := audit.OriginMode(bad); err == nil {
			t.Errorf("the mode of %q is %q", bad, mode)
		}
	}
}

func TestOpenCheckpoint(t *testing.T) {
	k := newKey(t, origin, "key")
	c := audit.Checkpoint{Origin: origin, Size: 3, Root: audit.Hash{9}}
	b, err := k.SignNote(c.Text())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := audit.OpenCheckpoint(b, k.VerifierKey()); err != nil || got != c {
		t.Errorf("%+v opens as %+v, %v", c, got, err)
	}
	other := newKey(t, origin, "other")
	if _, err := audit.OpenCheckpoint(b, other.VerifierKey()); err == nil {
		t.Error("it opens with another key")
	}
	foreign := newKey(t, "example.org/log", "key")
	b, err = foreign.SignNote(c.Text())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenCheckpoint(b, foreign.VerifierKey()); err == nil {
		t.Error("it opens signed by a key of another name")
	}
	b, err = k.SignNote("keyrite page v1\nnot a number\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenCheckpoint(b, k.VerifierKey()); err == nil {
		t.Error("another note opens as a checkpoint")
	}
}

// A witness's line beside the log's changes nothing.
func TestOpenCheckpointWithMoreSignatures(t *testing.T) {
	k, witness := newKey(t, origin, "key"), newKey(t, "witness.example", "witness")
	c := audit.Checkpoint{Origin: origin, Size: 3, Root: audit.Hash{9}}
	for _, signers := range [][]note.Signer{{k, witness}, {witness, k}} {
		b, err := note.Sign(&note.Note{Text: c.Text()}, signers...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := audit.OpenCheckpoint(b, k.VerifierKey()); err != nil || got != c {
			t.Errorf("%s opens as %+v, %v", b, got, err)
		}
		broken := bytes.Replace(b, []byte("\n3\n"), []byte("\n4\n"), 1)
		if _, err := audit.OpenCheckpoint(broken, k.VerifierKey()); err == nil {
			t.Errorf("%s opens", broken)
		}
	}
}
