package screen

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

func TestPage(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {160, 50}, {40, 12}, {120, 30}, {200, 80}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			p := project(t, size[0], size[1])
			p.stage()
			answer := p.ask(question)
			p.shows("Example", "REHEARSAL", "step 8 of 19 · Example step 8", "UTC", "123 entries", "aardvark", "I have seen", "Nobody can go back.")
			if size[1] >= 24 {
				p.shows("Example Root CA", "Example Custodian (EC)", "7 of 19 steps over", "SO-PIN: ONE TRY LEFT (of 15)",
					"Something is said.", "What is looked at.", "Something changes", "Nobody can go back.", "user PIN: all tries left (of 3)", "logged in: user")
			}
			if size[0] >= wideWidth {
				p.shows("SCRIPT", "✓  7 Example step 7", "▸  8 Example step 8", "serial DENK0000000", "adroitness     absurd", "aggregate")
			}
			p.pages()
			p.keys("EW" + enter)
			p.wants(answer, "EW")
			p.shows("» EW")
		})
	}
}

// What colours say, the words say, too.
func TestNoColour(t *testing.T) {
	p := project(t, 80, 24)
	p.stage()
	p.room.Show(room.Warning{Text: "This is odd."})
	p.room.Show(room.Failure{What: "it failed", RV: "CKR_PIN_LOCKED", Hint: "Stop."})
	p.shows("! This is odd.", "✗ it failed", "CKR_PIN_LOCKED", "What to do:")
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range regexp.MustCompile(`\x1b\[([0-9;:]*)m`).FindAllStringSubmatch(string(p.raw), -1) {
		for _, n := range strings.FieldsFunc(m[1], func(r rune) bool { return r == ';' || r == ':' }) {
			if len(n) > 1 {
				t.Errorf("the screen was written in colour: %q", m[0])
			}
		}
	}
}

func TestAnswers(t *testing.T) {
	p := project(t, 80, 24)
	for i, c := range []struct{ keys, want string }{
		{"LE", "LE"},
		{"  Passport,  seen by YH ", "Passport,  seen by YH"},
		{"", ""},
		{"Łukasz 山田 Ελένη", "Łukasz 山田 Ελένη"},
		{"LX\x7fE", "LE"},
		{"one two\x17three", "one three"},
		{"nothing\x15LE", "LE"},
		{"\x1b[A\x1b[B\x1b[5~LE", "LE"}, // what scrolls is no text
		{"!", "!"},
	} {
		q := question
		q.Question = fmt.Sprintf("Question %d", i)
		answer := p.ask(q)
		p.shows(q.Question)
		p.keys(c.keys + enter)
		p.wants(answer, c.want)
	}
}

// What is typed before a question, or after the end of its answer, is no
// answer.
func TestTypedTooEarly(t *testing.T) {
	p := project(t, 80, 24)
	p.keys("abort" + enter)
	time.Sleep(50 * time.Millisecond)
	first := p.ask(question)
	p.shows("I have seen this done")
	p.keys("LE" + enter + "abort" + enter + "pause")
	p.wants(first, "LE")
	second := p.ask(room.Prompt{Question: "The second question"})
	p.shows("The second question")
	p.keys("on" + enter)
	p.wants(second, "on")
}

func TestChoices(t *testing.T) {
	p := project(t, 80, 24)
	q := question
	q.Choices = choices
	answer := p.ask(q)
	p.shows("yes   present", "no    absent")
	p.keys("perhaps" + enter)
	p.shows(`"perhaps" is none of the words: yes, no`)
	p.keys("Y" + enter)
	p.wants(answer, "yes")
}

func TestTooLong(t *testing.T) {
	p := project(t, 80, 24)
	answer := p.ask(question)
	p.shows("I have seen this done")
	for range 5 {
		p.keys(strings.Repeat("x", 500))
	}
	p.shows("longer than 2048 bytes")
	p.keys("\x15LE" + enter)
	p.wants(answer, "LE")
}

func TestSecret(t *testing.T) {
	p := project(t, 80, 24)
	for _, c := range []struct {
		keys, want string
		err        error
	}{
		{planted, planted, nil},
		{"", "", nil},
		{"12\x1b[A", "", room.ErrMistyped},
		{"4827x\x7f3659", planted, nil},
	} {
		got := p.secret(room.Prompt{Person: "Example Custodian (EC)", Question: "The new PIN"})
		p.shows("(not shown) >", "The new PIN")
		p.keys(c.keys + enter)
		o := p.gets(got)
		if o.answer != c.want || !errors.Is(o.err, c.err) {
			t.Errorf("%q is the secret %q, %v", c.keys, o.answer, o.err)
		}
		p.shedsAll("(not shown) >")
	}
	p.shows("(entered, not shown)")
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.Contains(string(p.raw), planted[:4]) {
		t.Error("the secret, or its beginning, was written to the terminal")
	}
}

func TestPaging(t *testing.T) {
	p := project(t, 80, 24)
	p.stage()
	var long strings.Builder
	for i := range 100 {
		fmt.Fprintf(&long, "line %03d of a long text\n", i)
	}
	p.room.Show(room.Text{Text: long.String()})
	answer := p.ask(question)
	p.shows("Something is said.", "more lines: Enter shows them")
	for i := range 100 {
		p.until(func(s string) bool {
			return strings.Contains(s, fmt.Sprintf("line %03d", i)) || i == 0 || !strings.Contains(s, "line 099")
		}, "goes on")
		if !strings.Contains(p.display.Text(), fmt.Sprintf("line %03d", i)) {
			p.keys(enter)
			p.shows(fmt.Sprintf("line %03d", i))
		}
	}
	p.shedsAll("more lines")
	p.keys("\x1b[5~\x1b[5~")
	p.shows("more lines")
	p.keys("EW" + enter)
	p.wants(answer, "EW")
}

func TestVerbatimWhole(t *testing.T) {
	p := project(t, 80, 24)
	text := "keyrite.example/note\n12\n" + strings.Repeat("x", 70) + "\n\n— signature"
	p.room.Show(room.Verbatim{Text: text})
	answer := p.ask(question)
	p.until(func(s string) bool { return strings.Contains(s, text) }, "has the text as it stands")
	p.keys(enter)
	p.wants(answer, "")
}

// A code that is higher than the page gets the whole screen.
func TestCode(t *testing.T) {
	p := project(t, 80, 40)
	p.stage()
	modules := make([][]bool, 45)
	for y := range modules {
		modules[y] = make([]bool, 45)
		for x := range modules[y] {
			modules[y][x] = x == 0 || y == 0 || x == 44 || y == 44
		}
	}
	p.room.Show(room.Code{Name: "log key", Modules: modules})
	answer := p.ask(question)
	p.until(func(s string) bool {
		return strings.Count(s, "████ █") >= 20 && strings.Contains(s, "I have seen")
	}, "shows all of the code")
	p.shedsAll("step 8 of 19")
	p.keys("\t")
	p.shows("step 8 of 19")
	p.keys("EW" + enter)
	p.wants(answer, "EW")
}

func TestResize(t *testing.T) {
	p := project(t, 80, 24)
	p.stage()
	answer := p.ask(question)
	p.shows("Something is said.")
	p.keys("E")
	for _, size := range [][2]int{{160, 50}, {30, 5}, {10, 2}, {1, 1}, {80, 24}, {40, 12}, {100, 30}} {
		p.resize(size[0], size[1])
		if size[0] >= LeastWidth {
			p.shows("step 8 of 19 · Example step 8", "> E")
		}
		if size[0] == 30 {
			p.shows("> E", "too small")
		}
	}
	p.keys("W" + enter)
	p.wants(answer, "EW")
}

func TestBusy(t *testing.T) {
	p := project(t, 80, 24)
	p.stage()
	started := time.Now()
	p.room.mu.Lock()
	p.room.now = func() time.Time { return time.Now().Add(time.Since(started) * 100) }
	p.room.mu.Unlock()
	done := p.room.Busy("generating the key – do not remove the token", 5*time.Minute)
	p.shows("generating the key – do not remove the token", "of about 5 min", "░")
	p.until(func(s string) bool { return strings.Contains(s, "1 min") || strings.Contains(s, "2 min") }, "shows the time passing")
	done()
	done()
	p.shedsAll("of about 5 min")
	p.shows("generating the key – do not remove the token: took")
}

func TestHangUp(t *testing.T) {
	for name, ask := range map[string]func(*projector, room.Prompt) <-chan outcome{"answer": (*projector).ask, "secret": (*projector).secret} {
		t.Run(name, func(t *testing.T) {
			p := project(t, 80, 24)
			got := ask(p, question)
			p.shows("I have seen this done")
			if err := p.room.console.Leave(syscall.EIO); !errors.Is(err, room.ErrGone) {
				t.Fatal(err)
			}
			if name == "secret" {
				p.keys(planted + enter) // wakes what reads
			}
			if o := p.gets(got); name == "answer" && !errors.Is(o.err, room.ErrGone) {
				t.Errorf("the answer of nobody is %q, %v", o.answer, o.err)
			}
			if o := p.gets(p.ask(question)); !errors.Is(o.err, room.ErrGone) {
				t.Errorf("the next prompt: %v", o.err)
			}
			p.room.Wait("nobody is there")
		})
	}
}

// Close leaves the terminal as it was, on the screen that it had.
func TestRestored(t *testing.T) {
	p := project(t, 80, 24)
	answer := p.ask(question)
	p.shows("I have seen this done")
	if !p.display.Alternate() {
		t.Error("the page is not on the alternate screen")
	}
	p.keys("LE" + enter)
	p.wants(answer, "LE")
	if err := p.room.Close(); err != nil {
		t.Fatal(err)
	}
	p.until(func(string) bool { return !p.display.Alternate() }, "is the one before")
	if _, _, shown := p.display.Cursor(); !shown {
		t.Error("the cursor is hidden")
	}
	after, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil || *after != p.before {
		t.Errorf("the terminal's mode is %+v (%v), it was %+v", after, err, p.before)
	}
	p.room.Show(room.Text{Text: "too late"}) // does nothing
	if err := p.room.Close(); err != nil {
		t.Error(err)
	}
}

// A label cannot move the cursor.
func TestHostileText(t *testing.T) {
	p := project(t, 80, 24)
	p.stage()
	evil := "a\x1b[2Jb\rc\u202ed\x9bHe"
	p.room.Show(room.TokenState{Name: evil, PINs: []room.PINState{{Name: evil, Tries: evil}}})
	p.room.Show(room.Fact{Name: evil, Value: evil})
	q := question
	q.Person, q.Question, q.Choices = evil, evil, []room.Choice{{Word: evil, Does: evil}}
	answer := p.ask(q)
	p.shows("Example Root CA", `a\x1b[2Jb`)
	p.keys("!" + enter)
	p.wants(answer, "!")
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.Contains(string(p.raw), "\x1b[2Jb") || strings.ContainsRune(string(p.raw), 0x202e) {
		t.Error("the text reached the terminal as a command")
	}
}

// A slip is shown to one person on a cleared screen, and no drawing of the page
// brings it back or covers it.
func TestPrivate(t *testing.T) {
	p := project(t, 80, 24)
	p.stage()
	answer := p.ask(question)
	p.shows("Something is said.")
	p.keys("EW" + enter)
	p.wants(answer, "EW")
	done := make(chan outcome, 1)
	go func() {
		err := p.room.Private(room.Prompt{Person: "Example Custodian (EC)", Question: "Write it down."},
			room.Slip{Title: "Share 1 of 3", Rows: []token.PIN{token.NewPIN([]byte(planted))}})
		done <- outcome{"", err}
	}()
	p.shows(planted, "ALONE", "Write it down.")
	p.shedsAll("Something is said.")
	p.resize(80, 30)
	p.room.Show(room.LogState{Size: 124, In: head})
	time.Sleep(100 * time.Millisecond)
	p.shows(planted)
	p.keys("x" + enter)
	p.wants(done, "")
	p.shows("Something is said.", "124 entries", "is not shown again")
	p.shedsAll(planted)
	if !p.display.Alternate() {
		t.Error("the page is not on the alternate screen")
	}
}
