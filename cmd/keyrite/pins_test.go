package main

import (
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

// stepOf counts the logins tried in a step.
func (s *stage) logins(step string) (n int) {
	s.t.Helper()
	for _, e := range s.entries() {
		if d, ok := e.Data.(*audit.HSMIntent); ok && e.Step == step && d.Function == "C_Login" {
			n++
		}
	}
	return n
}

// TestWrongPINs types wrong PINs: they are recorded, asked for again, and what
// cannot be right is not sent to the token.
func TestWrongPINs(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	c := s.run()
	c.until("Replace the factory SO-PIN")
	c.until("current SO-PIN")
	c.say("0000111122223333")
	c.sees(`logging in to "hsm" with the SO-PIN: CKR_PIN_INCORRECT`)
	c.sees("tries: at least one wrong try was made")
	c.until("How does the room go on?")
	c.say("again")
	c.until("current SO-PIN")
	c.say("abc") // too short for this token
	c.sees("was not sent to the token")
	c.until("current SO-PIN")
	c.say("") // an empty line is no PIN
	c.sees("was not sent to the token")
	c.until("The new SO-PIN of hsm")
	c.say(c.pins.so)
	c.until("The new SO-PIN again")
	c.say("6029384715263749")
	c.sees("the two entries differ")
	for _, weak := range []string{"1234567887654321", "3537363231383830", "4444444444444444", "passwort"} {
		c.until("The new SO-PIN of hsm")
		c.say(weak)
		c.sees("is too easy to guess")
	}
	c.until("The new SO-PIN of hsm")
	c.say(c.pins.factory[:3])
	c.sees("was not sent to the token")

	c.until("Prove the user PIN")
	c.until("current user PIN")
	c.say("73920462")
	c.sees(`logging in to "hsm" with the user PIN: CKR_PIN_INCORRECT`)
	c.until("How does the room go on?")
	c.say("!", "deviation", "the right PIN", "a slip of the finger", "it is typed again", "EUC", "EIW", "EIA")
	c.ends(0)
	s.verified("CONSISTENT WITH ITSELF")

	s.problem("CKR_PIN_INCORRECT")
	for step, want := range map[string]int{"new-so-pin": 2, "prove-login": 2} {
		if got := s.logins(step); got != want {
			t.Errorf("%d logins in step %s, want %d", got, step, want)
		}
	}
	results := map[string]int{}
	for _, d := range logged[*audit.Secret](s) {
		results[d.Result]++
	}
	if results["the two entries differ"] != 1 {
		t.Errorf("what became of the PINs: %v", results)
	}
	if p := s.paper(); !strings.Contains(p, "CKR_PIN_INCORRECT") || !strings.Contains(p, "a slip of the finger") {
		t.Error("the transcript does not tell of the wrong PIN")
	}
}

// TestNewPINIsOldPIN refuses to replace a PIN by itself.
func TestNewPINIsOldPIN(t *testing.T) {
	t.Parallel()
	s := setUp(t, "rehearsal")
	c := s.run()
	c.pins.factory = "8306142957306142"
	c.until("The new SO-PIN of hsm")
	c.say(c.pins.factory, c.pins.factory)
	c.sees("the new SO-PIN is the old one; it was not sent")
	c.until("How does the room go on?")
	c.say("again")
	c.until("Set the user PIN")
	c.say("!", "abort", "ABORT", "seen enough")
	c.exits(1)
	if n := s.calls("C_SetPIN", "CKR_OK"); n != 1 {
		t.Errorf("the SO-PIN was set %d times", n)
	}
}
