package steps_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/keyfile"
	"github.com/keyrite/keyrite/internal/verify"
)

// Passphrases that stand nowhere by chance.
const (
	plantedPassphrase = "Amsel-Kreide-4471"
	wrongPassphrase   = "Amsel-Kreide-4417"
)

// keyFiles puts files with a witness's key on the medium: it under a passphrase,
// another one's, and it without a passphrase.
func keyFiles(t *testing.T, media string, own, other *audit.WitnessSigner) {
	t.Helper()
	plain, err := keyfile.Plain(own)
	if err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]*audit.WitnessSigner{"own.key": own, "other.key": other} {
		b, err := keyfile.Seal(k, []byte(plantedPassphrase), 2)
		if err == nil {
			err = os.WriteFile(filepath.Join(media, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(media, "plain.key"), plain, 0o600); err != nil {
		t.Fatal(err)
	}
}

// exposing lets the script allow it and keeps what the room sees.
func exposing(t *testing.T, screen *bytes.Buffer) func(*stage, *witnessRoom) {
	return func(st *stage, w *witnessRoom) {
		st.out = screen
		st.script = []byte(strings.Replace(string(st.script), "participants:\n", "allow_exposed_keys: true\nparticipants:\n", 1))
		keyFiles(t, st.dir, w.signer, witnessSigner(t, "witness.example.org/other", 2))
	}
}

// here is what a witness types who unlocks the key, one after the other.
func here(answers ...string) func(*witnessRoom) []string {
	return func(*witnessRoom) []string { return answers }
}

const passphrases = "  \"*/passphrase/*\": \"" + plantedPassphrase + "\"\n  \"*/expose/*\": \"expose\"\n"

// TestExposedKey: a witness unlocks the key on the ceremony machine for the
// verdict, the cosignature and the final one. All of it is recorded, verifies,
// and is called exposed; the passphrase and the key stand nowhere.
func TestExposedKey(t *testing.T) {
	var screen bytes.Buffer
	sign := map[string]func(*witnessRoom) []string{
		"verdicts/verdict-signature/witness-2": here("here own.key"),
		"cosign/cosignature/witness-2":         here("here"),
		"the-end/cosignature/witness-2":        here("here other.key", "here own.key"),
	}
	st, w, err := witnessedAs(t, exposing(t, &screen), sign, compared+
		"  \"verdicts/passphrase/*\": [\""+wrongPassphrase+"\", \""+plantedPassphrase+"\"]\n"+passphrases+
		"  \"the-end/final-key/*\": [\"here\", \"here\"]\n  \"the-end/key-file/*\": [\"none.key\", \"own.key\"]\n")
	if err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	said, _ := entriesOf[*audit.WitnessKeyExposed](entries)
	if len(said) != 3 || said[0].For != ceremony.ForVerdict || said[1].For != ceremony.ForCosign || said[2].For != ceremony.ForFinal {
		t.Fatalf("exposed: %+v", said)
	}
	for _, d := range said {
		if d.Key != w.signer.Key().String() || d.File != "own.key" || d.Person != "witness-2" {
			t.Errorf("exposed: %+v", d)
		}
	}
	tries := []string{}
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Secret); ok && d.Secret == "witness key passphrase" {
			tries = append(tries, d.Result)
		}
	}
	if len(tries) != 4 || !strings.Contains(tries[0], keyfile.ErrPassphrase.Error()) || strings.Join(tries[1:], ",") != "accepted,accepted,accepted" {
		t.Errorf("tries of the passphrase: %q", tries)
	}
	verdicts, _ := entriesOf[*audit.Verdict](entries)
	lines, _ := entriesOf[*audit.Cosigned](entries)
	if len(verdicts) != 2 || verdicts[0].Exposed || !verdicts[1].Exposed || len(lines) != 1 || !lines[0].Exposed {
		t.Errorf("verdicts %+v, cosignatures %+v", verdicts, lines)
	}
	if !strings.Contains(screen.String(), "exposed to the machine") {
		t.Error("the room was not told what it means")
	}
	exposedReport(t, st, w)
	nowhere(t, st, &screen, w.signer)
}

// exposedReport holds the auditor's report against what was done.
func exposedReport(t *testing.T, st *stage, w *witnessRoom) {
	t.Helper()
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	vkey := "witness-2=" + w.signer.Key().String()
	for count, want := range map[bool]verify.Verdict{false: verify.Consistent, true: verify.Verified} {
		r, err := verify.Bundle(st.bundle(), verify.Options{WitnessKeys: []string{vkey}, CountExposed: count, Recompose: recompose})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != want || !r.Has(verify.WitnessKeyExposed) || len(r.Cosignatures) != 2 || !r.Cosignatures[0].Exposed || !r.Cosignatures[1].Exposed || !r.WitnessKeys[0].Exposed {
			t.Errorf("counted %t: %s, %+v", count, r.Verdict, r.Cosignatures)
		}
		var text strings.Builder
		if err := r.WriteText(&text, false); err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"agrees, signed (exposed to the machine)", "key EXPOSED TO THE MACHINE"} {
			if !strings.Contains(text.String(), s) {
				t.Errorf("no %q in\n%s", s, text.String())
			}
		}
		if first, _, _ := strings.Cut(text.String(), "\n"); count != strings.Contains(first, "EXPOSED") {
			t.Errorf("counted %t: the first line is %s", count, first)
		}
	}
}

// nowhere looks for the passphrases and the private key in the bundle and on
// the screen.
func nowhere(t *testing.T, st *stage, screen *bytes.Buffer, key *audit.WitnessSigner) {
	t.Helper()
	private, err := key.PrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	look := func(where string, b []byte) {
		looked++
		b = bytes.ToLower(b)
		for _, secret := range []string{plantedPassphrase, wrongPassphrase, string(private)} {
			for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), base64.RawStdEncoding.EncodeToString([]byte(secret))} {
				if bytes.Contains(b, bytes.ToLower([]byte(form))) {
					t.Errorf("%s: it holds a secret, as %.12s…", where, form)
				}
			}
		}
	}
	look("the screen", screen.Bytes())
	err = filepath.WalkDir(st.bundle(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		look(path, b)
		return err
	})
	if err != nil || looked < 10 {
		t.Errorf("looked into %d places: %v", looked, err)
	}
}

// TestExposedKeyRefused: a file without a passphrase, another's key and one that
// is not there sign nothing; what was read is called exposed. Whoever goes back
// exposes nothing.
func TestExposedKeyRefused(t *testing.T) {
	var screen bytes.Buffer
	sign := usualSignatures()
	sign["verdicts/verdict-signature/witness-2"] = func(w *witnessRoom) []string {
		return []string{"here", "here ../own.key", "here none.key", "here own.key", lineOf(w.verdict())}
	}
	sign["cosign/cosignature/witness-2"] = func(w *witnessRoom) []string {
		return []string{"here plain.key", "here other.key", "here own.key", w.cosignature(-1).Line()}
	}
	st, w, err := witnessedAs(t, exposing(t, &screen), sign, compared+
		"  \"verdicts/expose/*\": \"back\"\n  \"cosign/passphrase/*\": [\""+plantedPassphrase+"\", \"@empty\"]\n"+passphrases+"  \"the-end/final-key/*\": \"own\"\n")
	if err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	refused := map[string][]string{}
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Answer); ok && strings.Contains(d.Question, "refused") {
			refused[e.Step] = append(refused[e.Step], d.Value)
		}
	}
	for step, want := range map[string][]string{
		"verdicts": {"no key file was named", "../own.key", "no file \"none.key\" on the medium", "stays locked"},
		"cosign":   {"takes no passphrase", "other.key holds the key witness.example.org/other", "no passphrase was typed"},
	} {
		if len(refused[step]) != len(want) {
			t.Errorf("%s: refused %q", step, refused[step])
			continue
		}
		for i := range want {
			if !strings.Contains(refused[step][i], want[i]) {
				t.Errorf("%s: refused %q, want %q", step, refused[step][i], want[i])
			}
		}
	}
	said, _ := entriesOf[*audit.WitnessKeyExposed](entries)
	var files []string
	for _, d := range said {
		files = append(files, d.File+" "+strings.SplitN(d.Key, "+", 2)[0])
	}
	own, other := " witness.example.org/eia", " witness.example.org/other"
	if strings.Join(files, ",") != strings.Join([]string{"plain.key" + own, "other.key" + own, "other.key" + other, "own.key" + own}, ",") {
		t.Errorf("exposed: %q", files)
	}
	verdicts, _ := entriesOf[*audit.Verdict](entries)
	lines, _ := entriesOf[*audit.Cosigned](entries)
	if verdicts[1].Note == "" || verdicts[1].Exposed || len(lines) != 1 || !lines[0].Exposed {
		t.Errorf("verdict %+v, cosignature %+v: what comes after the exposure counts as exposed, by whatever machine", verdicts[1], lines)
	}
	if err := sound(st.bundle()); err != nil {
		t.Error(err)
	}
	nowhere(t, st, &screen, w.signer)
}

// TestExposureForbidden: a script that does not say so lets no key be unlocked.
func TestExposureForbidden(t *testing.T) {
	sign := usualSignatures()
	sign["cosign/cosignature/witness-2"] = func(w *witnessRoom) []string {
		keyFiles(t, w.media, w.signer, witnessSigner(t, "witness.example.org/other", 2))
		return []string{"here own.key", w.cosignature(-1).Line()}
	}
	st, _, err := witnessed(t, sign, compared)
	if err != nil {
		t.Fatal(err)
	}
	if said, _ := entriesOf[*audit.WitnessKeyExposed](st.entries(t)); len(said) > 0 {
		t.Errorf("exposed: %+v", said)
	}
}

// TestExposedAfterBreak: a run that goes on knows from the log that the key was
// exposed, and which file held it.
func TestExposedAfterBreak(t *testing.T) {
	var screen bytes.Buffer
	sign := usualSignatures()
	sign["verdicts/verdict-signature/witness-2"] = here("here own.key")
	sign["the-end/cosignature/witness-2"] = here("here")
	paused := false
	sign["cosign/cosignature/witness-2"] = func(w *witnessRoom) []string {
		if !paused {
			paused = true
			return []string{"!"}
		}
		return []string{w.cosignature(-1).Line()}
	}
	stay := passphrases + "  \"the-end/final-key/*\": \"own\"\n"
	st, w, err := witnessedAs(t, exposing(t, &screen), sign, compared+stay+"  \"*/menu/*\": \"pause\"\n  \"*/reason/*\": \"lunch\"\n")
	var stop *ceremony.Stop
	if !errors.As(err, &stop) || stop.Abort {
		t.Fatalf("expected a pause, got %v", err)
	}
	if err := st.goOn(stay); err != nil {
		t.Fatal(err)
	}
	lines, _ := entriesOf[*audit.Cosigned](st.entries(t))
	if len(lines) != 1 || !lines[0].Exposed {
		t.Errorf("cosignatures: %+v", lines)
	}
	if got := cosignedBy(t, st, w.signer.Key()); len(got) != 2 {
		t.Errorf("cosigned: %v", got)
	}
	if err := sound(st.bundle()); err != nil {
		t.Error(err)
	}
}
