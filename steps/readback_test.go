package steps_test

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/steps"
	"github.com/keyrite/keyrite/templates"
)

// readingBack has a witness type back what each step of these kinds shows.
func readingBack(s string) string {
	for _, id := range []string{"machine", "see-token", "make-root-key", "root-certificate", "tls-ca-certificate"} {
		s = in(id, "\n    title:", "\n    read_back: witness-2\n    title:")(s)
	}
	// The token of a rehearsal has a serial number once it is initialised.
	return in("make-root-key", "  - id: make-root-key", "  - id: see-again\n    kind: token-identify\n    title: Again\n    actor: administrator\n    token: hsm\n    read_back: witness-2\n\n  - id: make-root-key")(s)
}

// TestReadBack: what was read aloud is typed back and compared in every step kind
// that can have it; who types something else is asked again.
func TestReadBack(t *testing.T) {
	st, err := play(t, "root-ca-with-sub-ca", readingBack, "  \"*/read-back/*\": \"@word\"\n  \"make-root-key/read-back/*\": [\"something else\", \"@word\"]\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range st.entries(t) {
		if d, ok := e.Data.(*audit.ReadBack); ok {
			if d.Person != "witness-2" || d.Value == "" {
				t.Errorf("entry %d: %+v", e.Seq, d)
			}
			got = append(got, map[bool]string{true: "+ ", false: "- "}[d.Match]+d.What)
		}
	}
	want := []string{
		"+ the SHA-256 of the program keyrite", "+ the SHA-256 of the PKCS#11 module",
		"+ the serial number of token hsm",
		"- the SHA-256 of the public key root", "+ the SHA-256 of the public key root", "+ the SHA-256 fingerprint of root.pem",
		"+ the SHA-256 of the certificate request",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestReadBackWrong: what is typed back wrongly three times stops the step.
func TestReadBackWrong(t *testing.T) {
	st, err := play(t, "root-ca", func(s string) string {
		return in("machine", "\n    title:", "\n    read_back: witness-2\n    title:")(s)
	}, "  \"*/read-back/*\": \"a secret slip of the tongue\"\n"+abortOnFailure)
	entries := aborted(t, st, err)
	if p := problems(entries); !strings.Contains(p, "the SHA-256 of the program keyrite was typed back wrongly 3 times by") {
		t.Errorf("problems: %s", p)
	}
	if foundIn(t, st.bundle(), "slip of the tongue") {
		t.Error("what was typed wrongly is in a file")
	}
}

// TestReadBackImpossible: somebody must hear it from somebody else.
func TestReadBackImpossible(t *testing.T) {
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca-with-sub-ca.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"machine", "see-token", "make-root-key", "root-certificate", "tls-ca-certificate"} {
		for person, want := range map[string]string{"nobody": "is not a participant of the script", "actor": "reads aloud in this step as its actor"} {
			text := string(b)
			if person == "actor" {
				step := text[strings.Index(text, "  - id: "+id+"\n"):]
				person = strings.Fields(step[strings.Index(step, "actor: ")+len("actor: "):])[0]
			}
			text = in(id, "\n    title:", "\n    read_back: "+person+"\n    title:")(text)
			_, problems := ceremony.ParseAndCheck("s.yaml", []byte(text), steps.Kinds())
			if err := problems.Err(); err == nil || !strings.Contains(err.Error(), ".read_back: ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %s: %v", id, person, err)
			}
		}
	}
}
