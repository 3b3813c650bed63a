package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token/softhsm"
)

// tool runs another program on the stage's token.
func (s *stage) tool(program string, args ...string) string {
	s.t.Helper()
	module, err := softhsm.Module()
	if err != nil {
		s.t.Fatal(err)
	}
	return command(s.t, s.dir, s.env, 0, program, append([]string{"--module", module}, args...)...)
}

// TestSkip leaves out a step that nothing needs, as a recorded deviation.
func TestSkip(t *testing.T) {
	t.Parallel()
	s := setUp(t, "rehearsal")
	c := s.run()
	c.until("second clock")
	c.say("2020-02-29 12:00:00")
	c.sees("the script allows 2m0s: set the machine's clock")
	c.until("How does the room go on?")
	c.say("skip", "clocks that agree", "the second clock stands", "the auditor's watch is noted instead", "ECA", "EIW", "EIA")
	c.ends(0)
	s.verified("CONSISTENT WITH ITSELF")
	d := logged[*audit.Deviation](s)
	if len(d) != 1 || d[0].Effect != "skip" || len(d[0].People) != 3 {
		t.Errorf("deviations: %+v", d)
	}
	if p := s.paper(); !strings.Contains(p, "the second clock stands") {
		t.Error("the transcript does not tell of the step left out")
	}
}

// TestKeyLabelTaken finds a foreign key under the label of the one to be made.
// The step cannot be left out; when the foreign key is gone it is done.
func TestKeyLabelTaken(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	c := s.run()
	c.until("Generate the root key")
	key := []string{"--token-label", "Example Root CA R1", "--login", "--pin", usual.user, "--id", "07", "--label", "example-root-r1"}
	s.tool("pkcs11-tool", append(key, "--keypairgen", "--key-type", "EC:prime256v1")...)
	c.until("How does the room go on?")
	c.sees(`the label "example-root-r1" or the id 01 is used by another object on token "hsm"`)
	c.say("skip")
	c.sees("The step cannot be left out: what follows would be impossible.")
	c.sees(`key "root" is used before a generate-key step has made it`)
	c.until("How does the room go on?")
	s.tool("pkcs11-tool", append(key, "--delete-object", "--type", "privkey")...)
	s.tool("pkcs11-tool", append(key, "--delete-object", "--type", "pubkey")...)
	c.say("repeat", "an empty token", "a key of another CA was there", "it was deleted with pkcs11-tool", "EUC", "EIW", "EIA")
	c.ends(0)
	s.verified("CONSISTENT WITH ITSELF")
	s.problem("is used by another object")
	if n := s.calls("C_GenerateKeyPair", "CKR_OK"); n != 1 {
		t.Errorf("%d keys were generated", n)
	}
	if n := len(logged[*audit.Deviation](s)); n != 1 {
		t.Errorf("%d deviations", n)
	}
}

// TestLabelTaken finds the token's label on another token. Nothing is
// initialised before that one is taken away.
func TestLabelTaken(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	s.tool("softhsm2-util", "--init-token", "--free", "--label", "Example Root CA R1", "--so-pin", "5820", "--pin", "5821")
	c := s.run()
	c.until("How does the room go on?")
	c.sees(`the label "Example Root CA R1" is taken by the token in slot`)
	c.sees("take that token away")
	c.say("skip")
	c.sees(`token "hsm" is not initialised yet`)
	c.until("How does the room go on?")
	s.tool("softhsm2-util", "--delete-token", "--token", "Example Root CA R1")
	c.say("again")
	c.ends(0)
	s.problem("is taken by the token in slot")
	s.verified("CONSISTENT WITH ITSELF")
	if n := s.calls("C_InitToken", "CKR_OK"); n != 1 {
		t.Errorf("C_InitToken was called %d times", n)
	}
}

// TestTokenPulled takes the token away while a prompt waits, and brings it back.
func TestTokenPulled(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	c := s.run()
	c.until("Generate the root key")
	c.until("current user PIN")
	tokens, away := filepath.Join(s.dir, "token", "tokens"), filepath.Join(s.dir, "away")
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	move(tokens, away)
	c.pass("How does the room go on?")
	c.sees(`logging in to "hsm" with the user PIN: CKR_GENERAL_ERROR`)
	c.sees("What to do: The token or its driver failed")
	c.say("again")
	c.until("How does the room go on?") // still away
	move(away, tokens)
	c.say("again")
	c.ends(0)
	s.verified("CONSISTENT WITH ITSELF")
	s.problem("CKR_GENERAL_ERROR")
	if n := s.calls("C_GenerateKeyPair", "CKR_OK"); n != 1 {
		t.Errorf("%d keys were generated", n)
	}
}
