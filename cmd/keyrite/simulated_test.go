package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

// TestSimulatedCard rehearses on a simulated Nitrokey HSM, with a break: the
// room has no answer when the SO-PIN is to be changed. The card keeps its state
// and its slowness until the resume, which finds it by its serial number.
func TestSimulatedCard(t *testing.T) {
	t.Parallel()
	s := &stage{t: t, dir: t.TempDir()}
	s.out = filepath.Join(s.dir, "bundle")
	s.keyrite(0, "new", "root-ca", "-o", "t.yaml")
	s.keyrite(0, "new", "root-ca", "--answers", "-o", "all.yaml")
	all, err := os.ReadFile(filepath.Join(s.dir, "all.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const line = "\n  \"new-so-pin/so-pin-new/*\""
	some := strings.Replace(string(all), line, "\n  \"nobody/so-pin-new/*\"", 1)
	if some == string(all) {
		t.Fatal("the answers have no new SO-PIN")
	}
	const back = `  "resume/head/*": "none"
  "resume/bag/*": "none"
  "resume/power-cycled/*": "@initials"
  "resume/custody/*": "nobody"
  "resume/adopt/*": "@initials"
`
	for name, text := range map[string]string{"some.yaml": some, "all.yaml": string(all) + back} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.keyrite(4, "rehearse", "t.yaml", "--answers", "some.yaml", "--token", "nitrokey-sim", "--realistic", "--out", s.out)
	if _, err := os.Stat(s.out + ".token/card-0"); err != nil {
		t.Errorf("the card is not kept for the resume: %v", err)
	}
	s.keyrite(2, "resume", s.out, "--answers", "all.yaml", "--module", "softhsm2")
	s.keyrite(0, "resume", s.out, "--answers", "all.yaml")
	s.verified("This was a REHEARSAL")
	if n := s.calls("C_GenerateKeyPair", "CKR_OK"); n != 1 {
		t.Errorf("%d keys were generated", n)
	}
	for _, d := range logged[*audit.HSMOutcome](s) {
		if d.Function == "C_GenerateKeyPair" && d.Micros < 600_000 {
			t.Errorf("a realistic card made a key in %d µs", d.Micros)
		}
	}
	serials := map[string]bool{}
	for _, d := range logged[*audit.Token](s) {
		serials[d.Info.Serial] = true
		if d.Model != "nitrokey-hsm" || !strings.Contains(d.Module.Manufacturer, "OpenSC") {
			t.Errorf("model %q, module of %q", d.Model, d.Module.Manufacturer)
		}
	}
	if len(serials) != 1 {
		t.Errorf("the token had the serial numbers %v", serials)
	}
	if _, err := os.Stat(s.out + ".token"); err == nil {
		t.Error("the throw-away token is still there")
	}
}

// TestSimulatedCardsRefused: a kind that there is not, and more tokens than
// there are readers.
func TestSimulatedCardsRefused(t *testing.T) {
	t.Parallel()
	s := &stage{t: t, dir: t.TempDir()}
	s.keyrite(0, "new", "root-ca", "-o", "t.yaml")
	if out := s.keyrite(2, "rehearse", "t.yaml", "--token", "yubikey", "--out", "b"); !strings.Contains(out, "expected softhsm2, nitrokey-sim or spare") {
		t.Errorf("got %q", out)
	}
	if out := s.keyrite(2, "rehearse", "t.yaml", "--realistic", "--out", "b"); !strings.Contains(out, "is for --token nitrokey-sim") {
		t.Errorf("got %q", out)
	}
	script, err := os.ReadFile(filepath.Join(s.dir, "t.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const token = "\ntokens:\n"
	if !strings.Contains(string(script), token) {
		t.Fatal("the script has no tokens")
	}
	var more strings.Builder
	for _, n := range []string{"2", "3"} {
		more.WriteString("  - name: spare-" + n + "\n    model: nitrokey-hsm\n    serial: \"DENK000000" + n + "\"\n    label: Example Spare " + n +
			"\n    so_pin_custodian: so-custodian\n    user_pin_custodian: user-custodian\n")
	}
	three := strings.Replace(string(script), token, token+more.String(), 1)
	if err := os.WriteFile(filepath.Join(s.dir, "three.yaml"), []byte(three), 0o600); err != nil {
		t.Fatal(err)
	}
	out := s.keyrite(2, "rehearse", "three.yaml", "--answers", "none.yaml", "--token", "nitrokey-sim", "--out", "b")
	if !strings.Contains(out, "2 readers") {
		t.Errorf("got %q", out)
	}
}
