package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room/screen/screentest"
)

// A projector is a terminal whose whole screen is read instead of its lines.
type projector struct {
	*terminal
	display  *screentest.Display
	fed      int    // bytes of the terminal that the display has
	answered string // what stood there when the last answer was given
	turned   int    // how many pages were turned
}

// project begins the ceremony on the full screen.
func (s *stage) project() *projector {
	s.t.Helper()
	d, err := screentest.New(160, 50)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { d.Close() })
	return &projector{terminal: openFull(s.t, s.dir, s.env, "run", "script.yaml", "--out", s.out), display: d}
}

// page is what the screen shows below its first line, where the clock is.
func (p *projector) page() []string {
	p.mu.Lock()
	b := slices.Clone(p.seen[p.fed:])
	p.fed = len(p.seen)
	p.mu.Unlock()
	p.display.Write(b)
	return p.display.Lines()[1:]
}

var typedHere = regexp.MustCompile(`^ +(\(not shown\) |Enter )?>$`)

// next turns pages to the end of what is shown and waits for the next question;
// ok is false if the program ended instead.
func (p *projector) next() (q prompt, ok bool) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		page := p.page()
		line, _, shown := p.display.Cursor()
		p.mu.Lock()
		ended := p.ended
		p.mu.Unlock()
		if ended {
			return q, false
		}
		if now := strings.Join(page, "\n"); shown && line > 0 && typedHere.MatchString(page[line-1]) && now != p.answered {
			p.answered = now
			if strings.Contains(now, "── ▼ ") {
				p.turned++
				p.keys("\r")
				continue
			}
			from := line - 1
			for from > 0 && !strings.HasPrefix(page[from], " ▸ ") && !strings.HasPrefix(page[from], "──") {
				from--
			}
			return prompt{step: strings.TrimSpace(page[0]), text: strings.Join(strings.Fields(strings.Join(page[from:line], " ")), " ")}, true
		}
	}
	p.t.Fatalf("the program neither asks nor ends; the screen shows:\n%s", p.display.Text())
	return q, false
}

// told is what an entry says that is the same in every run of a ceremony:
// neither times nor salts, keys, serial numbers or hashes.
func told(e *audit.Entry) string {
	said := ""
	switch d := e.Data.(type) {
	case *audit.StepBegin:
		said = fmt.Sprint(d.Number, d.Of, d.Title, d.Actor, d.Witnesses, d.Attempt)
	case *audit.StepEnd:
		said = d.Result
	case *audit.Ack:
		said = fmt.Sprint(d.Person, d.As, d.What, d.Typed)
	case *audit.Answer:
		said = fmt.Sprint(d.Person, d.Question)
	case *audit.Secret:
		said = fmt.Sprint(d.Person, d.Secret, d.Use, d.Result)
	case *audit.Decision:
		said = fmt.Sprint(d.Person, d.Question, d.Chosen)
	case *audit.Verdict:
		said = fmt.Sprint(d.Person, d.Agree)
	case *audit.Attendance:
		said = fmt.Sprint(d.Person, d.Present)
	case *audit.KeyRead:
		said = fmt.Sprint(d.People)
	case *audit.HSMIntent:
		said = d.Function
	case *audit.HSMOutcome:
		said = d.Function + d.RV
	case *audit.ToBeSigned:
		said = d.For
	case *audit.Artifact:
		said = d.File.Name
	case *audit.Close:
		said = d.Result
	}
	return e.Step + " " + e.Kind() + " " + said
}

func toldBy(s *stage) (list []string) {
	for _, e := range s.entries() {
		if _, jumped := e.Data.(*audit.ClockJump); !jumped { // a busy machine
			list = append(list, told(e))
		}
	}
	return list
}

// TestFullScreen types a whole root ceremony on the full screen and line by
// line: the same is asked of the same people, and the logs differ in nothing
// but times, salts and keys.
func TestFullScreen(t *testing.T) {
	t.Parallel()
	lines := setUp(t, "rehearsal")
	c := lines.run()
	c.ends(0)

	s := setUp(t, "rehearsal")
	p := s.project()
	asked := 0
	for q, ok := p.next(); ok; q, ok = p.next() {
		if asked++; asked > 400 {
			t.Fatal("the program asks for ever")
		}
		if strings.Contains(q.text, "This page goes when Enter is pressed") {
			for _, want := range []string{"log head", "in words", "REHEARSAL"} {
				if !strings.Contains(p.display.Text(), want) {
					t.Errorf("the last page has no %q:\n%s", want, p.display.Text())
				}
			}
			p.keys("\r")
			continue
		}
		p.keys(p.answer(q) + "\r")
	}
	if p.turned == 0 {
		t.Error("no text was longer than the page")
	}
	p.exits(0)
	p.page()
	if p.display.Alternate() || !strings.Contains(p.display.Text(), "The ceremony is complete.") {
		t.Errorf("in the end the terminal shows\n%s", p.display.Text())
	}
	s.verified("This was a REHEARSAL")
	if a, b := toldBy(lines), toldBy(s); !slices.Equal(a, b) {
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("entry %d is %q line by line and %q on the full screen", i, a[i], b[i])
			}
		}
		t.Fatalf("line by line there are %d entries, on the full screen %d", len(a), len(b))
	}
	for _, secret := range []string{usual.so, usual.user} {
		if strings.Contains(p.screen(), secret) {
			t.Error("a PIN was written to the terminal")
		}
	}
}

// TestFullScreenInterrupted opens the menu with Ctrl-C, pauses and finds the
// terminal as it was; a hang-up pauses, too.
func TestFullScreenInterrupted(t *testing.T) {
	t.Parallel()
	s := setUp(t, "rehearsal")
	p := s.project()
	if _, ok := p.next(); !ok {
		t.Fatal("nothing was asked")
	}
	for _, step := range []struct{ wants, keys string }{
		{"here?", "\x03"}, {"The step waits.", "pause\r"}, {"Why?", "lunch\r"}, {"This page goes when Enter is pressed", "\r"},
	} {
		for deadline := time.Now().Add(patience); !strings.Contains(strings.Join(p.page(), "\n"), step.wants); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the screen has no %q:\n%s", step.wants, p.display.Text())
			}
		}
		p.keys(step.keys)
	}
	p.exits(4)
	s.soundAndPaused("lunch")
	p.page()
	if p.display.Alternate() || !strings.Contains(p.display.Text(), "keyrite resume") {
		t.Errorf("in the end the terminal shows\n%s", p.display.Text())
	}

	s = setUp(t, "rehearsal")
	p = s.project()
	if _, ok := p.next(); !ok {
		t.Fatal("nothing was asked")
	}
	p.master.Close()
	p.exits(4)
	s.soundAndPaused("terminal")
}
