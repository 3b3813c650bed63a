package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/templates"
)

const unblockStep = `  - id: unblock
    kind: pin-unblock
    title: Unblock the user PIN
    actor: administrator
    witnesses: [witness-1, witness-2]
    token: hsm

`

// TestTraining is what an administrator without a spare token practises at a
// terminal, on the simulated card under the real OpenSC: the factory SO-PIN, one
// of sixteen digits in its place, three wrong user PINs, the unblocking by the
// SO with a wrong SO-PIN first.
func TestTraining(t *testing.T) {
	t.Parallel()
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.yaml")
	if err != nil {
		t.Fatal(err)
	}
	script := strings.Replace(string(b), "  - id: make-root-key\n", unblockStep+"  - id: make-root-key\n", 1)
	s := &stage{t: t, dir: t.TempDir()}
	s.out = filepath.Join(s.dir, "bundle")
	if err := os.WriteFile(filepath.Join(s.dir, "t.yaml"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	c := open(t, s.dir, nil, "rehearse", "t.yaml", "--token", "nitrokey-sim", "--out", s.out)
	c.until("Initialise the token")
	c.until("current SO-PIN")
	c.sees("tries of hsm")
	c.sees("SO-PIN 15 left 0 15 left 15 wrong ones, for good")
	c.say(c.pins.factory)
	c.until("The new SO-PIN of hsm")
	c.say("60293847152637") // fourteen digits
	c.sees("was not sent to the token")
	c.until("Prove the user PIN")
	for _, try := range []struct{ says, again string }{
		{"2 left; at least one wrong try was made", "again"},
		{"1 left; one try is left: a wrong one locks it", "again"},
		{"locked", "skip"},
	} {
		if try.says == "locked" {
			c.until("LAST TRY")
			c.say("LAST TRY")
		}
		c.until("current user PIN")
		c.say("51604938")
		c.sees(`logging in to "hsm" with the user PIN: CKR_PIN_`)
		c.sees("tries: " + try.says)
		c.until("How does the room go on?")
		c.say(try.again)
	}
	c.say("the PIN is right", "it was wrong three times", "the SO unblocks it", "EUC", "EIW")
	c.until("Why is the user PIN blocked")
	c.say("three wrong tries, agreed by the security officer")
	c.until("current SO-PIN")
	c.say("7130495826374850")
	c.pins.user = "95142683"
	c.until("The new user PIN of hsm")
	c.say(c.pins.user, c.pins.user)
	c.sees("it is the SO-PIN that was wrong")
	c.sees("wrong in this ceremony since the last right one: 1; locked after 15")
	c.until("How does the room go on?")
	c.say("again")
	c.until("Why is the user PIN blocked")
	c.say("still the three wrong tries")
	c.until("current SO-PIN")
	c.sees("SO-PIN 14 left 1 14 left 15 wrong ones, for good")
	c.ends(0)
	s.verified("This was a REHEARSAL")
	var results []string
	for _, d := range logged[*audit.Result](s) {
		results = append(results, d.Name+": "+d.Value)
	}
	for _, want := range []string{"tries of the user PIN before: locked", "user PIN: set (by-so)", "tries of the user PIN after: no wrong try"} {
		if !strings.Contains(strings.Join(results, "\n"), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	for _, pin := range []string{c.pins.so, c.pins.user, "51604938", "7130495826374850"} {
		if strings.Contains(c.screen(), pin) {
			t.Errorf("the screen shows %s", pin)
		}
	}
}
