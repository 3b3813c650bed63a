package main

import (
	"encoding/json"
	"os"
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

// What is another one in every run, wherever it stands in an entry.
var (
	moments = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?`)
	figures = regexp.MustCompile(`(?i)([0-9a-f]{2,4}[ :]){7,}[0-9a-f]{2,4}|[0-9a-f]{16,}|[A-Za-z0-9+/]{32,}={0,2}`)
)

// measured are the members of an entry whose numbers differ: durations, the size
// of what has a DER signature in it, and what the system gives out.
var measured = []string{"micros", "words", "offset_ms", "drift_ms", "size", "slot", "session"}

// told is an entry, whole, but for what is another one in every run: times,
// salts, keys, serial numbers, hashes and their words.
func told(t *testing.T, e *audit.Entry) string {
	t.Helper()
	b, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(b, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"time", "salt", "prev", "seq"} {
		delete(members, name)
	}
	b, err = json.Marshal(same("", members))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// same is a value of an entry with marks for what differs.
func same(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for n, m := range v {
			v[n] = same(n, m)
		}
	case []any:
		for i, m := range v {
			v[i] = same(name, m)
		}
	case float64:
		if slices.Contains(measured, name) {
			return "<number>"
		}
	case string:
		if slices.Contains(measured, name) {
			return "<number>"
		}
		for mark, re := range map[string]*regexp.Regexp{"<time>": moments, "<figures>": figures} {
			v = re.ReplaceAllString(v, mark)
		}
		return strings.ReplaceAll(v, os.TempDir(), "<folder>")
	}
	return v
}

func toldBy(s *stage) (list []string) {
	for _, e := range s.entries() {
		if _, jumped := e.Data.(*audit.ClockJump); !jumped { // a busy machine
			list = append(list, told(s.t, e))
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
				t.Errorf("entry %d line by line:\n%s\non the full screen:\n%s", i, a[i], b[i])
			}
		}
		t.Errorf("line by line there are %d entries, on the full screen %d", len(a), len(b))
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
