package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/keyfile"
	"github.com/keyrite/keyrite/templates"
)

// TestExposedKey unlocks a witness's key at a real terminal: the passphrase is
// typed without echo, a wrong one is asked for again, and neither is found
// afterwards, on the terminal or in the bundle. The verdict and the report call
// the key exposed.
func TestExposedKey(t *testing.T) {
	t.Parallel()
	secrets := []string{"Lerche-Zimt-6603", "Lerche-Zimt-6630"}
	key, err := audit.GenerateWitnessKey("witness.example.org/eia", bytes.NewReader(bytes.Repeat([]byte{9}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keyfile.Seal(key, []byte(secrets[0]), 2)
	if err != nil {
		t.Fatal(err)
	}
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := setUpScript(t, strings.NewReplacer(
		"model: nitrokey-hsm", "model: softhsm2", `serial: "DENK0000000"`, "serial: any", "mode: production", "mode: rehearsal",
		"participants:\n", "allow_exposed_keys: true\nparticipants:\n",
		"    roles: [independent-witness]", "    roles: [independent-witness]\n    witness_key: "+key.Key().String(),
	).Replace(string(b)))
	if err := os.WriteFile(filepath.Join(s.dir, "eia.key"), sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	c := s.run()
	c.until("Is it yours?")
	c.say("yes")
	c.until("The signature of your verdict")
	c.say("here eia.key")
	c.sees("This machine then has the key itself")
	c.say("expose", secrets[1])
	c.sees("the passphrase is not the one of this key file")
	c.say(secrets[0])
	c.until("Your cosignature of the checkpoint")
	c.say("none", "no time")
	c.until("With which machine will you cosign the final checkpoint")
	c.say("here", "eia.key", "expose", secrets[0])
	c.until("Your cosignature of the final checkpoint")
	c.say("here", secrets[0])
	c.ends(0)
	if got := len(logged[*audit.WitnessKeyExposed](s)); got != 2 {
		t.Errorf("%d entries say that the key was exposed", got)
	}
	s.verified("key EXPOSED TO THE MACHINE")
	vkey := "witness-2=" + key.Key().String()
	if out := s.keyrite(1, "verify", s.out, "--witness-key", vkey); !strings.Contains(out, "not counted, because the key was exposed") {
		t.Errorf("the report does not say why the key counts for nothing:\n%s", out)
	}
	if out := s.keyrite(0, "verify", "--count-exposed", "--witness-key", vkey, s.out); !strings.HasPrefix(out, "VERIFIED") || !strings.Contains(out, "[key EXPOSED to the ceremony machine]") {
		t.Errorf("counted:\n%s", out)
	}
	if p := s.paper(); strings.Count(p, "EXPOSED TO THE MACHINE") < 3 {
		t.Error("the transcript does not call the key exposed")
	}
	if found := leaks([]byte(c.screen()), secrets...); found != nil {
		t.Errorf("the terminal shows %v", found)
	}
	for _, f := range leaksBelow(t, s.out, secrets...) {
		t.Error(f)
	}
}
