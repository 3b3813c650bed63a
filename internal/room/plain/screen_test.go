package plain

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/internal/room"
)

// evil is what a hostile token label or name could hold: clear the screen, set
// the title, move the cursor, turn the text around.
const evil = "A\x1b[2J\x1b]0;x\x07\x9b\u009b1A\b\r\u202eB\x00"

// hostile are messages with evil in every field that is text.
var hostile = []room.Message{
	room.Step{ID: evil, Kind: evil, Title: evil, Actor: evil, Witnesses: []string{evil, evil}, Say: evil, Watch: evil, Effect: evil, Irreversible: evil},
	room.StepDone{Title: evil, Result: evil},
	room.Fact{Name: evil, Value: evil},
	room.Fact{Name: evil, Value: evil, Big: true},
	room.Fact{Name: strings.Repeat(evil, 9), Value: strings.Repeat(evil, 9)},
	room.Text{Text: evil},
	room.Warning{Text: evil},
	room.Failure{What: evil, RV: evil, Hint: evil},
	room.Table{Header: []string{evil, evil}, Rows: [][]string{{evil, evil}}},
	room.Code{Name: evil, Modules: stripes(5, 0)},
	room.Code{Name: evil, Modules: stripes(200, 0)},
}

var command = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestNoEscapeGetsThrough(t *testing.T) {
	for _, color := range []bool{false, true} {
		var out bytes.Buffer
		s := NewScreen(&out, color, 80)
		for _, m := range hostile {
			s.Show(m)
		}
		s.Question(room.Prompt{Key: evil, Person: evil, Question: evil, Choices: []room.Choice{{Word: evil, Does: evil}}}, false)
		s.Answered(evil, evil)
		s.Busy(evil, time.Second)()
		text := out.String()
		if color {
			text = command.ReplaceAllString(text, "")
		}
		for _, r := range text {
			if r != '\n' && !harmless(r) {
				t.Fatalf("colour %v: %q got through in %q", color, r, text)
			}
		}
		if n := strings.Count(text, `\x1b`); n < 20 {
			t.Errorf("colour %v: only %d escapes are shown", color, n)
		}
	}
}

// Colour is an accent: without its commands the text is the same.
func TestColorOnlyAccents(t *testing.T) {
	for _, c := range messages {
		var plainOut, colored bytes.Buffer
		NewScreen(&plainOut, false, 80).Show(c.m)
		NewScreen(&colored, true, 80).Show(c.m)
		if strings.Contains(plainOut.String(), "\x1b") {
			t.Errorf("%s has a command without colour", c.name)
		}
		if got := command.ReplaceAllString(colored.String(), ""); got != plainOut.String() {
			t.Errorf("%s in colour says:\n%s\nwithout:\n%s", c.name, got, plainOut.String())
		}
		if n := strings.Count(colored.String(), "\x1b["); n%2 != 0 {
			t.Errorf("%s in colour leaves a style on", c.name)
		}
	}
	var b bytes.Buffer
	NewScreen(&b, true, 80).Show(room.Failure{What: "x"})
	if !strings.Contains(b.String(), "\x1b[1;31m✗\x1b[0m x\n") {
		t.Errorf("the mark of a failure is not red: %q", b.String())
	}
}

func TestShowPanicsOnForeignType(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a string was shown as a message")
		}
	}()
	NewScreen(&bytes.Buffer{}, false, 80).Show("text")
}

func TestEmptyMessages(t *testing.T) {
	var out bytes.Buffer
	s := NewScreen(&out, false, 80)
	s.Show(room.Table{})
	s.Show(room.Code{Name: "none", Modules: [][]bool{{false}, {}}})
	if out.Len() != 0 {
		t.Errorf("nothing is shown as %q", out.String())
	}
}

// A code is the same whether or not its margin came with it.
func TestCodeMargin(t *testing.T) {
	var with, without bytes.Buffer
	NewScreen(&with, false, 80).Show(room.Code{Modules: stripes(21, 4)})
	NewScreen(&without, false, 80).Show(room.Code{Modules: stripes(21, 0)})
	if with.String() != without.String() {
		t.Errorf("with margin:\n%s\nwithout:\n%s", with.String(), without.String())
	}
}

// Reading the half blocks back gives the modules and four light ones around.
func TestCodeModules(t *testing.T) {
	dark := stripes(7, 0)
	var out bytes.Buffer
	NewScreen(&out, false, 80).Show(room.Code{Modules: dark})
	var rows []string
	for _, l := range strings.Split(out.String(), "\n") {
		if strings.ContainsAny(l, "█▀▄") {
			rows = append(rows, strings.TrimPrefix(l, "  "))
		}
	}
	for y := range 15 {
		for x, r := range []rune(rows[y/2]) {
			light := r == '█' || r == '▀' && y%2 == 0 || r == '▄' && y%2 == 1
			if light == at(dark, y-quiet, x-quiet) {
				t.Errorf("module %d,%d is light: %v", x, y, light)
			}
		}
	}
}

func TestGroups(t *testing.T) {
	for _, c := range []struct {
		hex   string
		width int
		want  string
	}{
		{"0011223344", 74, "0011  2233  44"},
		{fingerprint[:32], 74, "3f2a  9b1c  0d4e  77aa    1122  3344  5566  7788"},
		{fingerprint[:32], 48, "3f2a  9b1c  0d4e  77aa    1122  3344  5566  7788"},
		{fingerprint[:32], 47, "3f2a  9b1c  0d4e  77aa|1122  3344  5566  7788"},
		{fingerprint[:16], 21, "3f2a  9b1c|0d4e  77aa"},
	} {
		if got := strings.Join(groups(c.hex, c.width), "|"); got != c.want {
			t.Errorf("groups(%q, %d) = %q, want %q", c.hex, c.width, got, c.want)
		}
	}
}

func TestIsHex(t *testing.T) {
	for s, want := range map[string]bool{"0011aaFF": true, "0011aaF": false, "0011aa": false, "0011aagg": false, "": false} {
		if got := isHex(s); got != want {
			t.Errorf("isHex(%q) = %v", s, got)
		}
	}
}

func TestChoose(t *testing.T) {
	choices := []room.Choice{{Word: "retry"}, {Word: "repeat"}, {Word: "skip"}, {Word: "Skip all"}}
	for _, c := range []struct{ typed, want, err string }{
		{"retry", "retry", ""},
		{"RETRY", "retry", ""},
		{"ret", "retry", ""},
		{"rep", "repeat", ""},
		{"re", "", `"re" can mean: retry, repeat`},
		{"skip", "skip", ""},
		{"skip a", "Skip all", ""},
		{"sk", "", `"sk" can mean: skip, Skip all`},
		{"", "", `"" is none of the words: retry, repeat, skip, Skip all`},
		{"retryy", "", `"retryy" is none of the words: retry, repeat, skip, Skip all`},
	} {
		got, err := Choose(choices, c.typed)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("Choose(%q) = %q, %v; want %q, %q", c.typed, got, err, c.want, c.err)
		}
	}
}

func TestBusyWithoutTerminal(t *testing.T) {
	var out bytes.Buffer
	s := NewScreen(&out, false, 80)
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	s.now = func() time.Time { return at }
	done := s.Busy("generating the key", 40*time.Second)
	at = at.Add(200 * time.Second)
	done()
	done()
	want := "  … generating the key (about 40 s expected)\n  … generating the key: took 3 min 20 s\n"
	if out.String() != want {
		t.Errorf("shown:\n%swant:\n%s", out.String(), want)
	}
}

// What is shown meanwhile does not mix with the line of the time passing.
func TestShowWhileBusy(t *testing.T) {
	var out bytes.Buffer
	s := NewScreen(&out, false, 80)
	s.live, s.tick = true, time.Hour
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	s.now = func() time.Time { return at }
	b := &busyness{s: s, what: "signing", start: at}
	b.show()
	if out.Len() != 0 {
		t.Errorf("shown before a second has passed: %q", out.String())
	}
	at = at.Add(3 * time.Second)
	b.show()
	s.Show(room.Fact{Name: "a", Value: "b"})
	line := "  … signing: 3 s"
	want := line + "\r" + strings.Repeat(" ", columns(line)) + "\r  a                       b\n"
	if out.String() != want {
		t.Errorf("shown %q, want %q", out.String(), want)
	}
}

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "under 1 s", 400 * time.Millisecond: "under 1 s", time.Second: "1 s", 90 * time.Second: "90 s",
		2 * time.Minute: "2 min", 125 * time.Second: "2 min 5 s",
	} {
		if got := Seconds(d); got != want {
			t.Errorf("Seconds(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestFirstWriteErrorStays(t *testing.T) {
	first := errors.New("first")
	n := 0
	s := NewScreen(writerFunc(func([]byte) (int, error) {
		n++
		return 0, first
	}), false, 80)
	s.Show(room.Text{Text: "a"})
	s.Show(room.Text{Text: "b"})
	if s.Err() != first || n != 1 {
		t.Errorf("after %d writes the error is %v", n, s.Err())
	}
}

func TestWidthWithoutTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if s := NewScreen(f, false, 0); s.size() != 80 || s.live {
		t.Errorf("a file has %d columns and is a terminal: %v", s.size(), s.live)
	}
	if got := NewScreen(f, false, 5).page().width; got != leastWidth {
		t.Errorf("a screen of 5 columns is set in %d", got)
	}
}
