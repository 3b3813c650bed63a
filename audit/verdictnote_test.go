package audit_test

import (
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
)

var sampleVerdict = audit.VerdictNote{Origin: origin, Step: "make-root", Size: 213, Root: audit.Hash{7}, Witness: "w1", Because: "the label was another one"}

// A verdict is a note that stock sumdb/note opens with the key of type 0x01,
// and every flipped bit is found.
func TestVerdictNote(t *testing.T) {
	w := newWitness(t, witnessName, "alice")
	agreed := sampleVerdict
	agreed.Agree, agreed.Because = true, ""
	for _, v := range []audit.VerdictNote{sampleVerdict, agreed} {
		if got, err := audit.ParseVerdictNote(v.Text()); err != nil || got != v {
			t.Errorf("%q parses as %+v, %v", v.Text(), got, err)
		}
		b, err := w.SignVerdict(v)
		if err != nil {
			t.Fatal(err)
		}
		stock, err := note.NewVerifier(w.Key().NoteKey())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := note.Open(b, note.VerifierList(stock)); err != nil || n.Text != v.Text() {
			t.Errorf("stock note opens %+v, %v", n, err)
		}
		if got, err := audit.OpenVerdictNote(b, w.Key()); err != nil || got != v {
			t.Errorf("%s opens as %+v, %v", b, got, err)
		}
		if got, err := audit.ReadVerdictNote(b); err != nil || got != v {
			t.Errorf("%s is read as %+v, %v", b, got, err)
		}
		for i := range b {
			bad := append([]byte(nil), b...)
			bad[i] ^= 1
			if got, err := audit.OpenVerdictNote(bad, w.Key()); err == nil {
				t.Errorf("with bit 0 of byte %d flipped it opens as %+v", i, got)
			}
		}
		if _, err := audit.OpenVerdictNote(b, newWitness(t, witnessName, "mallory").Key()); err == nil {
			t.Error("it opens with another key")
		}
	}
}

// What a key signs as one kind of thing is none of another kind.
func TestVerdictIsNoCheckpoint(t *testing.T) {
	b, c, log, w := cosigned(t)
	if _, err := audit.ParseCheckpoint(sampleVerdict.Text()); err == nil {
		t.Error("a verdict's text is a checkpoint's")
	}
	if _, err := audit.ParseVerdictNote(c.Text()); err == nil {
		t.Error("a checkpoint's text is a verdict's")
	}
	if _, err := audit.OpenVerdictNote(b, w.Key()); err == nil {
		t.Error("a checkpoint opens as a verdict")
	}
	said, err := w.SignVerdict(sampleVerdict)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := audit.Cosignatures(said); err == nil {
		t.Error("a verdict is read as a checkpoint")
	}
	if _, err := audit.OpenCheckpoint(said, log.VerifierKey()); err == nil {
		t.Error("a verdict opens as a checkpoint")
	}
	if _, err := audit.ReadVerdictNote(b); err == nil {
		t.Error("a checkpoint is read as a verdict")
	}
	if _, err := audit.ReadVerdictNote(nil); err == nil {
		t.Error("nothing is read as a verdict")
	}
}

func TestParseVerdictNoteRefuses(t *testing.T) {
	good := sampleVerdict.Text()
	agree := strings.Replace(good, "do not agree\nbecause the label was another one\n", "agree\n", 1)
	if v, err := audit.ParseVerdictNote(agree); err != nil || !v.Agree {
		t.Fatalf("%q parses as %+v, %v", agree, v, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "version": strings.Replace(good, "v1", "v2", 1), "no last line feed": strings.TrimSuffix(good, "\n"), "more": good + "x\n",
		"an empty line": good + "\n", "agreeing with a reason": strings.Replace(good, "do not agree", "agree", 1),
		"disagreeing without one": strings.Replace(agree, "agree", "do not agree", 1), "an empty reason": strings.Replace(good, "the label was another one", "", 1),
		"half": good[:strings.Index(good, "root")], "order": strings.Replace(strings.Replace(good, "step ", "size ", 1), "size 213", "step 213", 1),
		"size": strings.Replace(good, "213", "0213", 1), "root in upper case": strings.Replace(good, "root 07", "root 0A", 1), "root": strings.Replace(good, "root 07", "root 7", 1),
		"step": strings.Replace(good, "make-root", "make root", 1), "no step": strings.Replace(good, "make-root", "", 1), "witness": strings.Replace(good, "witness w1", "witness w+1", 1),
		"origin": strings.Replace(good, "origin ", "origin  ", 1), "two spaces": strings.Replace(good, "verdict do", "verdict  do", 1),
		"bidirectional reason": strings.Replace(good, "label", "la\u202ebel", 1), "separator": strings.Replace(good, "label", "la\u2028bel", 1),
		"tab": strings.Replace(good, "label", "la\tbel", 1), "bad UTF-8": strings.Replace(good, "label", "\xff", 1),
		"long reason": strings.Replace(good, "label", strings.Repeat("x", 4096), 1), "carriage returns": strings.ReplaceAll(good, "\n", "\r\n"),
	} {
		if v, err := audit.ParseVerdictNote(bad); err == nil {
			t.Errorf("%s: %q parses as %+v", name, bad, v)
		}
	}
	w := newWitness(t, witnessName, "alice")
	for name, v := range map[string]audit.VerdictNote{
		"nothing":                 {},
		"agreeing with a reason":  {Origin: origin, Step: "a", Witness: "w", Agree: true, Because: "x"},
		"a reason with two lines": {Origin: origin, Step: "a", Witness: "w", Because: "x\nverdict agree"},
	} {
		b, err := w.SignVerdict(v)
		if got, readErr := audit.ReadVerdictNote(b); err == nil && (readErr != nil || got != v) {
			t.Errorf("%s: %s was signed", name, b)
		}
	}
}

func FuzzParseVerdictNote(f *testing.F) {
	f.Add(sampleVerdict.Text())
	f.Add(strings.Replace(sampleVerdict.Text(), "do not agree\nbecause the label was another one\n", "agree\n", 1))
	f.Fuzz(func(t *testing.T, text string) {
		v, err := audit.ParseVerdictNote(text)
		if err == nil && v.Text() != text {
			t.Errorf("%q is written again as %q", text, v.Text())
		}
	})
}
