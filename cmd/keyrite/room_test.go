package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

var headWords = regexp.MustCompile(`(?s)log head.*?in words\s+(.*?)\r\n\r\n`)

// noted is the head that somebody in the room writes down from the screen.
func noted(t *testing.T, c *terminal) []string {
	t.Helper()
	m := headWords.FindAllStringSubmatch(c.screen(), -1)
	if m == nil {
		t.Fatal("the screen shows no head in words")
	}
	return strings.Fields(m[len(m)-1][1])
}

// TestCeremony holds a whole ceremony at a terminal, in both modes.
func TestCeremony(t *testing.T) {
	for mode, verdict := range map[string]string{"rehearsal": "This was a REHEARSAL", "production": "CONSISTENT WITH ITSELF"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := setUp(t, mode)
			c := s.run()
			c.ends(0)
			c.sees("The ceremony is complete.")
			s.verified(verdict)
			marked := strings.Contains(c.screen(), "REHEARSAL") || strings.Contains(s.paper(), "REHEARSAL")
			if marked != (mode == "rehearsal") {
				t.Errorf("screen or transcript are marked REHEARSAL: %t", marked)
			}
			if strings.Contains(c.screen(), "\x1b[") {
				t.Error("NO_COLOR is set and the screen has escape sequences")
			}
		})
	}
}

// TestWrongWords types what nobody asked for: nothing is acknowledged by it.
func TestWrongWords(t *testing.T) {
	t.Parallel()
	s := setUp(t, "rehearsal")
	c := s.run()
	c.say("perhaps")
	c.sees(`"perhaps" is none of the words: yes, no`)
	c.until("is done as the script says")
	c.say("EIW")
	c.sees(`"EIW" is not your initials ECA. Nothing was acknowledged`)
	c.say("", "eca") // in any case
	c.until("I have seen this done")
	c.say("\x1b[A")
	c.sees("a character that cannot be shown")
	c.until("second clock")
	c.say("soon")
	c.sees(`"soon" is not a date and time`)
	c.until("▸ Example Ceremony Administrator (ECA) \"The machine")
	c.say("!", "abort", "ABORT", "enough was shown")
	c.exits(1)
	for _, a := range logged[*audit.Ack](s) {
		if a.Person == "administrator" && !strings.EqualFold(a.Typed, "ECA") {
			t.Errorf("acknowledged with %q", a.Typed)
		}
	}
}

// TestPauseAndResume writes down a deviation, pauses and goes on: with a wrong
// head first, then with the one noted.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	s := setUp(t, "rehearsal")
	c := s.run()
	c.until("Generate the root key")
	c.say("!", "deviation", "silence", "a telephone rang", "it was switched off")
	c.say("ECU?", "EIW", "EIA") // one does not agree
	c.say("!", "continue")
	c.say("!", "pause", "lunch")
	c.exits(4)
	c.sees("Note this head")
	head := noted(t, c)
	c.sees("the ceremony is paused: lunch")
	c.sees("to go on: keyrite resume " + s.out)
	s.keyrite(1, "verify", s.out) // not closed

	c = s.resume()
	c.sees("resumed after a pause")
	c.until("Type the head")
	c.say("acrobat " + strings.Join(head[1:4], " "))
	c.sees("What was typed is not the head on disk")
	c.until("Type the head")
	c.say(strings.Join(head[:3], " ")) // three words are too few
	c.sees("What was typed is not the head on disk")
	c.until("Type the head")
	c.say(strings.Join(head[:4], " "), strings.Join(head[:5], " "), "none")
	c.until("Who held the token")
	c.ends(0)
	s.verified("CONSISTENT WITH ITSELF")
	s.problem("differs from the head on disk")
	d := logged[*audit.Deviation](s)
	if len(d) != 1 || d[0].Happened != "a telephone rang" || strings.Join(d[0].People, " ") != "witness-1 witness-2" {
		t.Errorf("deviations: %+v", d)
	}
	if a := logged[*audit.SegmentAdopt](s); len(a) != 1 || a[0].Seen != "typed" || a[0].Custody == "" {
		t.Errorf("adoptions: %+v", a)
	}
	if n := s.calls("C_GenerateKeyPair", "CKR_OK"); n != 1 {
		t.Errorf("%d keys were generated", n)
	}
	for _, want := range []string{"a telephone rang", "lunch", "bag 7"} {
		if !strings.Contains(s.paper(), want) {
			t.Errorf("the transcript does not tell of %q", want)
		}
	}
}

// TestAbort gives a ceremony up with a key on the token.
func TestAbort(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	c := s.run()
	c.until("Type the word SIGN")
	c.say("!", "abort", "ABORT", "the subject is wrong")
	c.exits(1)
	c.sees("key left on token hsm")
	c.sees("The bundle of the aborted ceremony is sealed")
	c.sees("the room aborted the ceremony: the subject is wrong")
	s.verified("ABORTED")
	if n := s.calls("C_Sign", "CKR_OK"); n != 0 {
		t.Errorf("%d signatures were made", n)
	}
	if in, out := s.calls("C_Login", "CKR_OK"), s.calls("C_Logout", "CKR_OK"); in != out {
		t.Errorf("%d logins and %d logouts", in, out)
	}
	p := s.paper()
	if !strings.Contains(p[:600], "ABORTED") || !strings.Contains(p, "the subject is wrong") {
		t.Errorf("the transcript is not headed ABORTED, or does not say why: %s", p[:600])
	}
	// The log is closed: nothing is left to do, and nobody has to be asked.
	if out := s.keyrite(1, "resume", s.out); !strings.Contains(out, "is sealed") || !strings.Contains(out, "aborted") {
		t.Errorf("resume of a closed bundle says %q", out)
	}
}
