package steps_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/room"
)

// A witnessRoom is a room in which a witness has a machine with a key: it reads
// what is shown and answers the prompts for signatures.
type witnessRoom struct {
	room.Room
	signer *audit.WitnessSigner
	media  string
	sign   map[string]func(w *witnessRoom) []string // by the prompt's key: the answers, one after the other

	shown   string // the text for the witness's machine that was shown last
	pending map[string][]string
	asked   []string // keys of all prompts
}

// Show keeps the text that a witness's machine is given.
func (w *witnessRoom) Show(m room.Message) {
	w.Room.Show(m)
	if text, ok := m.(room.Verbatim); ok {
		w.shown = text.Text
	}
}

// Ask answers from the witness's machine where it can.
func (w *witnessRoom) Ask(p room.Prompt) (string, error) {
	w.asked = append(w.asked, p.Key)
	if f := w.sign[p.Key]; f != nil {
		if len(w.pending[p.Key]) == 0 {
			if w.pending == nil {
				w.pending = map[string][]string{}
			}
			w.pending[p.Key] = f(w)
		}
		v := w.pending[p.Key][0]
		w.pending[p.Key] = w.pending[p.Key][1:]
		return v, nil
	}
	return w.Room.Ask(p)
}

// text is what was shown last.
func (w *witnessRoom) text() string { return w.shown }

// cosignature signs the checkpoint that was shown.
func (w *witnessRoom) cosignature(size int64) audit.Cosignature {
	p, _, err := audit.Cosignatures([]byte(w.text()))
	if err != nil {
		panic(err)
	}
	if size >= 0 {
		p.Size = size
	}
	c, err := w.signer.Cosign(p, time.Unix(1795000000, 0))
	if err != nil {
		panic(err)
	}
	return c
}

// verdict signs the verdict that was shown.
func (w *witnessRoom) verdict() []byte {
	v, err := audit.ParseVerdictNote(w.text())
	if err != nil {
		panic(err)
	}
	b, err := w.signer.SignVerdict(v)
	if err != nil {
		panic(err)
	}
	return b
}

func lineOf(note []byte) string {
	_, line, _ := strings.Cut(string(note), "\n\n")
	return strings.TrimSuffix(line, "\n")
}

// witnessSigner is a key that only the tests have.
func witnessSigner(t *testing.T, name string, seed byte) *audit.WitnessSigner {
	t.Helper()
	s, err := audit.GenerateWitnessKey(name, bytes.NewReader(bytes.Repeat([]byte{seed}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// witnessed runs the root ceremony with a key for witness-2 in the script.
func witnessed(t *testing.T, sign map[string]func(*witnessRoom) []string, more string) (*stage, *witnessRoom, error) {
	t.Helper()
	return witnessedAs(t, nil, sign, more)
}

// witnessedAs is witnessed on a stage that change has changed before.
func witnessedAs(t *testing.T, change func(*stage, *witnessRoom), sign map[string]func(*witnessRoom) []string, more string) (*stage, *witnessRoom, error) {
	t.Helper()
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	w := &witnessRoom{signer: witnessSigner(t, "witness.example.org/eia", 1), media: st.dir, sign: sign}
	if change != nil {
		change(st, w)
	}
	st.script = []byte(strings.Replace(string(st.script), "    roles: [independent-witness]", "    roles: [independent-witness]\n    witness_key: "+w.signer.Key().String(), 1))
	b, err := os.ReadFile(st.answers)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.prepare([]byte(string(b) + more)); err != nil {
		t.Fatal(err)
	}
	st.room = func(r room.Room) room.Room { w.Room = r; return w }
	return st, w, st.start()
}

// usualSignatures are those of a witness who agrees and signs.
func usualSignatures() map[string]func(*witnessRoom) []string {
	return map[string]func(*witnessRoom) []string{
		"verdicts/verdict-signature/witness-2": func(w *witnessRoom) []string { return []string{lineOf(w.verdict())} },
		"cosign/cosignature/witness-2":         func(w *witnessRoom) []string { return []string{w.cosignature(-1).Line()} },
		"the-end/cosignature/witness-2":        func(w *witnessRoom) []string { return []string{w.cosignature(-1).Line()} },
	}
}

func entriesOf[D audit.Data](entries []*audit.Entry) (list []D, seqs []int64) {
	for _, e := range entries {
		if d, ok := e.Data.(D); ok {
			list, seqs = append(list, d), append(seqs, e.Seq)
		}
	}
	return list, seqs
}

// entriesBySeq returns the entries of one kind by their number.
func entriesBySeq[D audit.Data](entries []*audit.Entry) map[int64]D {
	list, seqs := entriesOf[D](entries)
	all := map[int64]D{}
	for i, seq := range seqs {
		all[seq] = list[i]
	}
	return all
}

const compared = "  \"roll-call/key-compared/*\": \"yes\"\n"

// TestWitnessKey: a witness with a key signs the verdict and cosigns the
// checkpoint in the middle and the final one; all of it stands in the bundle
// and verifies.
func TestWitnessKey(t *testing.T) {
	st, _, err := witnessed(t, usualSignatures(), compared)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	k := witnessSigner(t, "witness.example.org/eia", 1).Key()
	keys, _ := entriesOf[*audit.WitnessKeyRead](entries)
	if len(keys) != 1 || keys[0].Person != "witness-2" || keys[0].Key != k.String() || keys[0].How != ceremony.FromScript {
		t.Errorf("keys: %+v", keys)
	}
	if b, err := os.ReadFile(filepath.Join(st.bundle(), bundle.WitnessKeyFile("witness-2"))); err != nil || string(b) != k.String()+"\n" {
		t.Errorf("key file: %q, %v", b, err)
	}
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Verdict); ok && d.Person == "witness-2" {
			n, err := audit.OpenVerdictNote([]byte(d.Note), k)
			if err != nil || n.Step != e.Step || n.Size != d.Size || n.Root.String() != d.Head || !n.Agree {
				t.Errorf("verdict: %+v, %v", n, err)
			}
		}
	}
	lines, _ := entriesOf[*audit.Cosigned](entries)
	if len(lines) != 1 {
		t.Fatalf("%d cosignatures", len(lines))
	}
	cosigned := cosignedBy(t, st, k)
	if len(cosigned) != 2 || !cosigned[lines[0].Size] || !cosigned[int64(len(entries))] {
		t.Errorf("checkpoints kept with a cosignature: %v, recorded for %d, the log has %d entries", cosigned, lines[0].Size, len(entries))
	}
	final, err := os.ReadFile(filepath.Join(st.bundle(), bundle.CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, c, err := audit.Cosignatures(final); err != nil || len(c) != 1 {
		t.Errorf("final checkpoint: %v, %v", c, err)
	}
}

// cosignedBy returns the sizes of the checkpoints that are kept with a line of
// the key.
func cosignedBy(t *testing.T, st *stage, k *audit.WitnessKey) map[int64]bool {
	t.Helper()
	store, err := sqlite.OpenReader(filepath.Join(st.bundle(), bundle.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	sizes := map[int64]bool{}
	err = store.Kept(func(size int64, note []byte) error {
		p, lines, err := audit.Cosignatures(note)
		for _, c := range lines {
			if k.Check(c, p) == nil {
				sizes[size] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}

// TestSignaturesBrought: signatures come as a line, in the form for typing or
// from a file; what is of something else is refused, says why, and nothing of
// it counts.
func TestSignaturesBrought(t *testing.T) {
	sign := usualSignatures()
	sign["verdicts/verdict-signature/witness-2"] = func(w *witnessRoom) []string {
		note := w.verdict()
		typed, err := audit.TypedVerdict(note, w.signer.Key())
		if err != nil {
			panic(err)
		}
		other := witnessSigner(t, "witness.example.org/other", 2)
		wrong, err := other.SignVerdict(audit.VerdictNote{Origin: "o", Step: "s", Witness: "w", Agree: true})
		if err != nil {
			panic(err)
		}
		return append([]string{"none of this", lineOf(wrong), "file nothing.txt", typed[1][:len(typed[1])-1] + "7"}, typed...)
	}
	sign["cosign/cosignature/witness-2"] = func(w *witnessRoom) []string {
		c := w.cosignature(-1)
		if err := os.WriteFile(filepath.Join(w.media, "line.txt"), []byte(w.text()+c.Line()+"\n"), 0o600); err != nil {
			panic(err)
		}
		return []string{w.cosignature(7).Line(), "file line.txt"}
	}
	sign["the-end/cosignature/witness-2"] = func(w *witnessRoom) []string { return w.cosignature(-1).Typed() }
	st, _, err := witnessed(t, sign, compared)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	refused := []string{}
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Answer); ok && strings.Contains(d.Question, "refused") {
			refused = append(refused, d.Value)
		}
	}
	if len(refused) != 5 {
		t.Errorf("refused: %q", refused)
	}
	if got := cosignedBy(t, st, witnessSigner(t, "witness.example.org/eia", 1).Key()); len(got) != 2 {
		t.Errorf("cosigned: %v", got)
	}
}

// TestVerdictBeforeNextStep: the step after a verdict begins only when every
// witness has an entry, and one who says nothing is recorded as missing.
func TestVerdictBeforeNextStep(t *testing.T) {
	st, err := play(t, "root-ca", nil, "  \"verdicts/verdict/witness-1\": \"no-verdict\"\n  \"verdicts/because/witness-1\": \"left the room\"\n")
	if err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	verdicts, seqs := entriesOf[*audit.Verdict](entries)
	if len(verdicts) != 2 || !verdicts[0].Missing || verdicts[0].Agree || verdicts[0].Because != "left the room" || verdicts[1].Missing {
		t.Fatalf("verdicts: %+v", verdicts)
	}
	for _, e := range entries {
		if d, ok := e.Data.(*audit.StepBegin); ok && d.StepKind != "verdict" && e.Seq > seqs[0] && e.Seq < seqs[1] {
			t.Errorf("step %s begins between the verdicts", e.Step)
		}
	}
	// The room pauses before witness-2 has said anything: the run that goes on asks again, and only then goes on.
	st, err = play(t, "root-ca", nil, "  \"verdicts/verdict/witness-2\": \"!\"\n  \"*/menu/*\": \"pause\"\n  \"*/reason/*\": \"lunch\"\n")
	var stop *ceremony.Stop
	if !errors.As(err, &stop) || stop.Abort {
		t.Fatalf("expected a pause, got %v", err)
	}
	if begun, _ := entriesOf[*audit.StepBegin](st.entries(t)); begun[len(begun)-1].StepKind != "verdict" {
		t.Errorf("%s began without a verdict of witness-2", begun[len(begun)-1].Title)
	}
	if err := st.goOn(""); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Error(err)
	}
}

// TestKeyRefused: a key that its witness does not own, or a second witness's
// copy of it, is not bound.
func TestKeyRefused(t *testing.T) {
	_, _, err := witnessed(t, usualSignatures(), "  \"roll-call/key-compared/*\": \"no\"\n"+abortOnFailure)
	var stop *ceremony.Stop
	if !errors.As(err, &stop) || !stop.Abort {
		t.Errorf("a key that is not the witness's: %v", err)
	}
	k := witnessSigner(t, "witness.example.org/eia", 1).Key()
	st, _, err := witnessed(t, usualSignatures(), compared+"  \"roll-call/witness-key/witness-1\": \""+k.String()+"\"\n"+abortOnFailure)
	if err == nil {
		err = errors.New("the ceremony ended")
	}
	if keys, _ := entriesOf[*audit.WitnessKeyRead](st.entries(t)); len(keys) > 1 {
		t.Errorf("one key was bound twice: %+v (%v)", keys, err)
	}
}

// TestAdoptedKey: a key is read from a file on the medium and adopted.
func TestAdoptedKey(t *testing.T) {
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	w := &witnessRoom{signer: witnessSigner(t, "witness.example.org/eiw", 3), media: st.dir, sign: map[string]func(*witnessRoom) []string{}}
	for key, f := range usualSignatures() {
		w.sign[strings.ReplaceAll(key, "witness-2", "witness-1")] = f
	}
	if err := os.WriteFile(filepath.Join(st.dir, "key.vkey"), []byte(w.signer.Key().String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(st.answers)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.prepare([]byte(string(b) + compared + "  \"roll-call/witness-key/witness-1\": [\"file none.vkey\", \"file ../key.vkey\", \"file key.vkey\"]\n")); err != nil {
		t.Fatal(err)
	}
	st.room = func(r room.Room) room.Room { w.Room = r; return w }
	if err := st.start(); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	if keys, _ := entriesOf[*audit.WitnessKeyRead](st.entries(t)); len(keys) != 1 || keys[0].How != ceremony.Adopted || keys[0].Person != "witness-1" {
		t.Errorf("keys: %+v", keys)
	}
}

// TestFreshness: the values stand in the log's beginning; one of tomorrow, or
// without a time, is asked again.
func TestFreshness(t *testing.T) {
	st, err := play(t, "root-ca", nil, "  \"fresh/since/witness-1\": [\"soon\", \"2100-01-01\", \"2026-01-31\", \"@now\"]\n")
	if err != nil {
		t.Fatal(err)
	}
	values, seqs := entriesOf[*audit.Freshness](st.entries(t))
	if len(values) != 2 || values[0].Claimed != "2026-01-31T00:00:00Z" || seqs[1] > 60 {
		t.Errorf("values: %+v at %v", values, seqs)
	}
}
