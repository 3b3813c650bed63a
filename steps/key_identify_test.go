package steps_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/token/fake"
	"github.com/keyrite/keyrite/steps"
	"github.com/keyrite/keyrite/templates"
)

// later is the script of a ceremony that uses the root key of an earlier one:
// the root ceremony without the steps that make token, PIN and key.
func later(t *testing.T, spki string, more string) string {
	t.Helper()
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := string(b)
	for _, id := range []string{"empty-before", "init-token", "new-so-pin", "user-pin", "prove-login", "make-root-key", "root-certificate", "content-after", "hand-out"} {
		s = drop(s, id)
	}
	known := "    compare: [witness-1, witness-2]\n"
	if spki != "" {
		known = "    spki_sha256: \"" + spki + "\"\n"
	}
	return before("first-crl", `  - id: find-key
    kind: key-identify
    title: Find the root key
    actor: user-custodian
    witnesses: [witness-1, witness-2]
    key: root
    certificate: root.pem
`+known+"\n"+more)(s)
}

// again holds a later ceremony with the token of an earlier one.
func again(t *testing.T, earlier *stage, script, more string) (*stage, error) {
	t.Helper()
	st := &stage{dir: earlier.dir, out: earlier.out, answers: earlier.answers, card: earlier.card, lib: earlier.lib, script: []byte(script), name: "later"}
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(st.answers, []byte(string(b)+more), 0o600); err != nil {
		t.Fatal(err)
	}
	return st, st.start()
}

// firstCeremony makes the root key on a card and puts its certificate on the
// medium. It returns the SHA-256 of the public key.
func firstCeremony(t *testing.T) (*stage, string) {
	t.Helper()
	st, err := playCard(t, func(s string) string { return s }, "")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(st.bundle(), "artifacts", "root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(st.dir, "root.pem"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	keys, _ := entriesOf[*audit.Key](st.entries(t))
	return st, keys[0].SPKISHA256
}

// TestKeyIdentify: a later ceremony finds the key of an earlier one, compares
// it, and signs the next CRL with it.
func TestKeyIdentify(t *testing.T) {
	first, spki := firstCeremony(t)
	st, err := again(t, first, strings.Replace(later(t, spki, ""), "number: 1", "number: 2", 1), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	keys, _ := entriesOf[*audit.Key](all)
	if len(keys) != 1 || !keys[0].Found || keys[0].Generated != 0 || keys[0].SPKISHA256 != spki {
		t.Errorf("keys: %+v", keys)
	}
	if n := len(calls(all, "find-key", "C_GenerateKeyPair")); n != 0 {
		t.Errorf("a key was generated (%d calls)", n)
	}
	made := map[string]string{}
	files, _ := entriesOf[*audit.Artifact](all)
	for _, f := range files {
		made[f.File.Name] = f.Object
	}
	if made["artifacts/root.pem"] != "brought-certificate" || made["artifacts/root.crl.pem"] != "crl" || made["artifacts/root.pub.pem"] != "public-key" {
		t.Errorf("artifacts: %v", made)
	}
}

// TestKeyIdentifyRefuses: another key, another certificate, a key that is not
// there.
func TestKeyIdentifyRefuses(t *testing.T) {
	first, spki := firstCeremony(t)
	for name, c := range map[string]struct {
		script func() string
		more   string
		want   string
	}{
		"another key":             {func() string { return later(t, zeros, "") }, "", "it is another key"},
		"another key on paper":    {func() string { return later(t, "", "") }, "  \"find-key/key-sha256/witness-2\": \"0000000000000000\"\n  \"find-key/key-sha256/witness-1\": \"@word\"\n", "is not the one on the paper"},
		"a key that is not there": {func() string { return strings.Replace(later(t, spki, ""), `id: "01"`, `id: "02"`, 1) }, "", "is not on token"},
		"a certificate that is not": {func() string {
			return strings.Replace(later(t, spki, ""), "certificate: root.pem", "certificate: answers.yaml", 1)
		}, "", "no certificate in PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			os.RemoveAll(filepath.Join(first.dir, "later"))
			script := strings.Replace(c.script(), "issuer: root.pem", "issuer: "+issuerOf(c.script()), 1)
			st, err := again(t, first, script, c.more+abortOnFailure)
			if p := problems(aborted(t, st, err)); !strings.Contains(p, c.want) {
				t.Errorf("problems: %s", p)
			}
		})
	}
}

// issuerOf is the name of the certificate that a script brings.
func issuerOf(script string) string {
	_, after, _ := strings.Cut(script, "    certificate: ")
	name, _, _ := strings.Cut(after, "\n")
	return name
}

// TestKeyIdentifyRehearsed: on a token that stands in, a throw-away key and
// certificate take their place, and the log says so.
func TestKeyIdentifyRehearsed(t *testing.T) {
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	// The stand-in token is set up by the script's own steps.
	b := string(st.script)
	b = in("make-root-key", "kind: generate-key", "kind: key-identify")(b)
	b = in("make-root-key", "key: root\n", "key: root\n    certificate: root.pem\n    compare: [witness-1, witness-2]\n")(b)
	b = drop(b, "root-certificate")
	if _, problems := ceremony.ParseAndCheck("s.yaml", []byte(b), steps.Kinds()); len(problems) != 1 || !strings.Contains(problems[0].String(), "no key from before is on it") {
		t.Errorf("the model of the world: %v", problems)
	}
	st.card, st.stand = fake.NewSmartCardHSM("DENK0000000"), true
	st.script = []byte(strings.Replace(later(t, zeros, ""), "label: Example Root CA R1", "label: SmartCard-HSM (UserPIN)", 1))
	// The card comes with its factory's user PIN.
	if err := st.prepare([]byte(strings.ReplaceAll(readAnswers(t), "73920461", "648219"))); err != nil {
		t.Fatal(err)
	}
	if err := st.start(); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	all := st.entries(t)
	has(t, results(all, "find-key"), "REHEARSAL: the token stands in", "REHEARSAL: a throw-away key", "REHEARSAL: no certificate was brought")
}

func readAnswers(t *testing.T) string {
	t.Helper()
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
