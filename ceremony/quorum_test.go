package ceremony

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/token"
)

// A script with approvals, an alternate and a no that goes on says so where it
// is explained and compared.
func TestQuorumExplained(t *testing.T) {
	good := goodScript(t)
	text := strings.Replace(good, "    acknowledge: HEARD\n", "    acknowledge: HEARD\n    on_refusal: continue\n    approve:\n      count: 2\n      of: [auditor, internal-witness]\n", 1)
	text = strings.Replace(text, "  - id: auditor\n", "  - id: deputy\n    name: Example Deputy\n    initials: ED\n    roles: [internal-witness]\n    alternate_for: witness\n  - id: auditor\n", 1)
	text = strings.Replace(text, "participants:\n", "deviations:\n  approve:\n    count: 1\n    of: [internal-witness]\nparticipants:\n", 1)
	before, problems := ParseAndCheck("a.yaml", []byte(good), testKinds())
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	after, problems := ParseAndCheck("b.yaml", []byte(text), testKinds())
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	told := Explain(after, testKinds())
	for _, want := range []string{"nothing is done before it is approved, by 2 of: 山田 Example (YE), internal-witness", "a no is written down and does not stop it", "takes the place of Ελένη Example (witness)", "approval by 1 of: internal-witness"} {
		if !strings.Contains(told, want) {
			t.Errorf("the explanation does not say %q:\n%s", want, told)
		}
	}
	differs := fmt.Sprint(Diff(before, after))
	for _, want := range []string{"approve.count: 2 (was not there)", "approve.of: auditor, internal-witness", "on_refusal: continue", "alternate_for: witness", "deviations.approve.count: 1"} {
		if !strings.Contains(differs, want) {
			t.Errorf("the difference does not name %q: %s", want, differs)
		}
	}
}

// A passphrase is known again by its hash, with a salt of its own; nothing of it
// is in what is kept, and wiping leaves nothing.
func TestPhrase(t *testing.T) {
	secret := func(s string) token.PIN { return token.NewPIN([]byte(s)) }
	a, err := newPhrase(secret("planted passphrase"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newPhrase(secret("planted passphrase"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(a.hash, b.hash) || bytes.Equal(a.salt, b.salt) || bytes.Contains(append(a.hash, a.salt...), []byte("planted")) {
		t.Error("two people with one passphrase have one hash")
	}
	for typed, want := range map[string]bool{"planted passphrase": true, "planted passphrasE": false, "": false, "planted passphrase ": false} {
		if a.is(secret(typed)) != want {
			t.Errorf("%q: %v", typed, !want)
		}
	}
	list := phrases{"a": a}
	list.wipe()
	if len(list) != 0 || !bytes.Equal(a.hash, make([]byte, phraseHash)) || a.is(secret("planted passphrase")) {
		t.Error("it was not wiped")
	}
	if _, err := newPhrase(secret("x"), bytes.NewReader(nil)); err == nil {
		t.Error("a passphrase without a salt")
	}
}
