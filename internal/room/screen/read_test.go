package screen

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/internal/room"
)

// numbered is a text of so many lines.
func numbered(lines int) room.Text {
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "line %03d of what is signed\n", i)
	}
	return room.Text{Text: b.String()}
}

// numbers are those of the lines on the page.
func (p *projector) numbers() (n []string) {
	for _, m := range regexp.MustCompile(`line (\d{3}) of`).FindAllStringSubmatch(p.display.Text(), -1) {
		n = append(n, m[1])
	}
	return n
}

// pages presses Enter to the last page and returns seen and the numbers of the
// lines that stood on a page after those, in the order in which they did.
func (p *projector) pages(seen ...string) []string {
	p.t.Helper()
	for {
		text := p.display.Text()
		for _, n := range p.numbers() {
			if len(seen) == 0 || n > seen[len(seen)-1] {
				seen = append(seen, n)
			}
		}
		if !strings.Contains(text, "── ▼") {
			return seen
		}
		p.keys(enter)
		p.turned(text)
	}
}

// turned waits until the screen shows another page than before, and all of it.
func (p *projector) turned(before string) {
	p.t.Helper()
	last := before
	p.until(func(s string) bool {
		defer func() { last = s }()
		time.Sleep(5 * time.Millisecond)
		return s != before && s == last
	}, "is another page")
}

// An answer counts once everything that was shown stood on the page, however it
// is tried to come around it; the menu is always open.
func TestReadToTheEnd(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {60, 15}, {40, 12}, {160, 45}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			p := project(t, size[0], size[1])
			p.stage()
			p.room.Show(numbered(200))
			answer := p.ask(question)
			p.shows("more lines", "I have seen")
			p.keys("SIGN")
			p.shows("> SIGN")
			p.keys(enter)
			p.shows("Read to the end")
			p.keys("\x1b[F") // the end, and nothing of what stands before
			p.shows("line 199 of", "Read to here, then answer")
			p.keys("SIGN" + enter)
			p.shedsAll("line 199 of")
			p.shows("Read to the end")
			if seen := p.pages(); len(seen) == 0 || seen[len(seen)-1] != "199" {
				t.Fatalf("the pages have the lines %v", seen)
			}
			select {
			case o := <-answer:
				t.Fatalf("taken before all was read: %+v", o)
			default:
			}
			p.keys("SIGN" + enter)
			p.wants(answer, "SIGN")
		})
	}
}

// A page after the other, nothing is left out, also when the question needs more
// lines for a refusal in between.
func TestEveryLineIsShown(t *testing.T) {
	p := project(t, 80, 24)
	p.stage()
	p.room.Show(numbered(150))
	q := question
	q.Choices = choices
	answer := p.ask(q)
	p.shows("more lines", "line 000 of", "absent")
	first := p.numbers()
	p.keys("perhaps" + enter)
	p.shows("Read to the end")
	if seen := p.pages(first...); len(seen) != 150 || seen[0] != "000" || seen[149] != "149" {
		t.Errorf("the pages have the lines %v", seen)
	}
	p.keys("perhaps" + enter)
	p.shows("none of the words")
	p.keys("yes" + enter)
	p.wants(answer, "yes")
}

func TestMenuBeforeTheEnd(t *testing.T) {
	p := project(t, 80, 24)
	p.room.Show(numbered(60))
	answer := p.ask(question)
	p.shows("more lines")
	p.keys("! stop" + enter)
	p.wants(answer, "! stop")
}

// A PIN that is typed before the end is thrown away.
func TestSecretBeforeTheEnd(t *testing.T) {
	p := project(t, 80, 24)
	p.room.Show(numbered(60))
	got := p.secret(room.Prompt{Person: "Example Custodian (EC)", Question: "The new PIN"})
	p.shows("more lines")
	p.keys("00000000" + enter)
	p.shows("Read to the end")
	if seen := p.pages(); seen[len(seen)-1] != "059" {
		t.Errorf("the pages have the lines %v", seen)
	}
	p.keys(planted + enter)
	p.wants(got, planted)
}

// Another size forgets nothing that was read, and reads nothing by itself; a
// window too small to read in takes no answer.
func TestResizeBeforeTheEnd(t *testing.T) {
	p := project(t, 80, 24)
	p.stage()
	p.room.Show(numbered(60))
	answer := p.ask(question)
	p.shows("more lines")
	p.resize(30, 5)
	p.shows("too small")
	p.keys("EW" + enter)
	p.shows("enlarge the window")
	p.resize(60, 15)
	p.shows("── ▼")
	p.keys("EW" + enter)
	p.shows("Read to the end")
	p.pages()
	p.resize(80, 24)
	p.shows("UTC")
	p.keys("EW" + enter)
	p.wants(answer, "EW")
}

// A text before a code that needs the whole screen is read before it.
func TestCodeAfterText(t *testing.T) {
	p := project(t, 80, 40)
	p.stage()
	p.room.Show(numbered(60))
	modules := make([][]bool, 45)
	for y := range modules {
		modules[y] = make([]bool, 45)
		modules[y][0], modules[y][44] = true, true
	}
	p.room.Show(room.Code{Name: "log key", Modules: modules})
	answer := p.ask(question)
	p.shows("line 000 of", "more lines")
	for page := 0; !strings.Contains(p.display.Text(), "Tab: back"); page++ {
		text := p.display.Text()
		p.keys(enter)
		p.turned(text)
		if page == 10 {
			t.Fatalf("the code never got the whole screen:\n%s", p.display.Text())
		}
	}
	p.keys("EW" + enter)
	p.wants(answer, "EW")
}
