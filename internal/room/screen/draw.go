package screen

import (
	"fmt"
	"strings"
	"time"

	"github.com/keyrite/keyrite/internal/room/plain"
)

// LeastWidth and LeastHeight are the columns and lines that a page needs. In a
// smaller window only the question is shown.
const LeastWidth, LeastHeight = 40, 12

const (
	fullHeight            = 20      // below, the page has but a line above and one below
	wideWidth, wideHeight = 120, 30 // from here on there is a panel beside the page
	panelWidth            = 46
)

// draw draws everything for the size that the screen has now.
func (v *view) draw(c *canvas, l *line, now time.Time) {
	v.height = c.height
	switch {
	case c.width < LeastWidth || c.height < LeastHeight:
		v.drawSmall(c, l, now)
	case v.whole:
		v.drawWhole(c, l, now)
	default:
		v.drawPage(c, l, now)
	}
}

func (v *view) drawPage(c *canvas, l *line, now time.Time) {
	top := v.header(c, now)
	prompt := v.prompt(l, now, c.width)
	prompt = prompt[max(0, len(prompt)-max(4, (c.height-top)/2)):]
	wide := c.width >= wideWidth && c.height >= wideHeight
	status := 0
	if !wide {
		status = v.status(c)
	}
	rows := c.height - top - 1 - len(prompt) - status
	page := c.part(0, top, c.width, rows)
	if wide {
		page.width -= panelWidth + 2
		v.panel(c.part(page.width+1, top, panelWidth+1, rows))
	}
	v.page(page, l != nil)
	c.rule(top+rows, v.more(), keysHelp(l))
	v.ask(c.part(0, top+rows+1, c.width, len(prompt)), l, prompt)
}

// wholeOverhead is the lines of a whole page that are not the page: the title, a
// rule, the question and the answer.
const wholeOverhead = 4

// drawWhole gives the page everything but a line above and two below.
func (v *view) drawWhole(c *canvas, l *line, now time.Time) {
	v.titleBar(c, now)
	rows := c.height - wholeOverhead
	v.page(c.part(0, 1, c.width, rows), l != nil)
	c.rule(1+rows, v.more(), "Tab: back")
	prompt := []row{{}, {}}
	if l != nil {
		question := " ▸ " + strings.Join(plain.Wrap(l.prompt.Person+": "+l.prompt.Question, 1000), " ")
		prompt = []row{{short(question, c.width), strong}, {l.mark(), strong}}
	}
	v.ask(c.part(0, 2+rows, c.width, len(prompt)), l, prompt)
}

// drawSmall keeps a ceremony going in a window that is too small for a page.
func (v *view) drawSmall(c *canvas, l *line, now time.Time) {
	prompt := v.prompt(l, now, max(c.width, 8))
	prompt = prompt[max(0, len(prompt)-max(1, c.height-2)):]
	c.bar(0, v.stepTitle(), "", "")
	v.rows = 0
	v.fit(max(c.width, LeastWidth)-1, v.height-wholeOverhead)
	v.ask(c.part(0, max(0, c.height-len(prompt)), c.width, len(prompt)), l, prompt)
	if c.height > len(prompt)+1 {
		c.put(1, fmt.Sprintf("Window too small (%d×%d of %d×%d): enlarge it.", c.width, c.height, LeastWidth, LeastHeight), strong)
	}
}

func (v *view) titleBar(c *canvas, now time.Time) {
	mark := ""
	if v.ceremony.Rehearsal {
		mark = "REHEARSAL"
	}
	title := plain.Clean(v.ceremony.Title)
	if title == "" {
		title = "keyrite"
	}
	c.bar(0, title, mark, clock(now))
}

// header draws title, step and progress and returns how many lines it took.
func (v *view) header(c *canvas, now time.Time) int {
	v.titleBar(c, now)
	c.putAt(1, 1, v.stepTitle(), strong)
	if c.height < fullHeight {
		return 2
	}
	if kind := "[" + plain.Clean(v.step.Kind) + "]"; v.step.Kind != "" && plain.Columns(v.stepTitle())+plain.Columns(kind)+4 <= c.width {
		c.putAt(c.width-plain.Columns(kind)-1, 1, kind, normal)
	}
	y := 2
	if v.step.Of > 0 {
		who := "acts: " + v.step.Actor
		if len(v.step.Witnesses) > 0 {
			who += " · witnesses: " + strings.Join(v.step.Witnesses, ", ")
		}
		c.putAt(1, y, plain.Clean(who), normal)
		y++
	}
	if of := len(v.ceremony.Plan); of > 0 {
		c.putAt(1, y, v.progress(c.width-2), normal)
		y++
	}
	c.rule(y, "", "")
	return y + 1
}

// progress is a bar with the steps that are over.
func (v *view) progress(width int) string {
	of, done := len(v.ceremony.Plan), v.done()
	text := fmt.Sprintf("  %d of %d steps over", done, of)
	n := width - plain.Columns(text)
	full := n * done / of
	return strings.Repeat("█", full) + strings.Repeat("░", n-full) + text
}

// status draws tokens and log in the last lines and returns how many they are.
func (v *view) status(c *canvas) int {
	var lines []string
	if c.height >= fullHeight {
		lines = v.tokenLines(c.width - 2)
		lines = lines[:min(3, len(lines))]
	}
	if v.log.Size > 0 {
		lines = append(lines, v.logLine())
	}
	if len(lines) == 0 {
		return 0
	}
	y := c.height - len(lines)
	for i, l := range lines {
		c.putAt(1, y+i, l, normal)
	}
	if c.height < fullHeight {
		return len(lines)
	}
	c.rule(y-1, "", "")
	return len(lines) + 1
}

func (v *view) logLine() string {
	return fmt.Sprintf("log %d entries · head: %s …", v.log.Size, strings.Join(v.log.In[:min(4, len(v.log.In))], " "))
}

// page draws what was shown, as far as it fits.
func (v *view) page(c *canvas, asked bool) {
	v.fit(c.width-1, v.height-wholeOverhead)
	v.place(c.height, asked)
	if asked {
		v.seen()
	}
	for i := range c.height {
		if at := v.top + i; at < len(v.body.lines) {
			c.put(i, v.body.lines[at].text, v.body.lines[at].style)
		}
	}
}

// more says how much stands below the page, and that it is to be read if an
// answer came before.
func (v *view) more() string {
	switch n := v.below(); {
	case n > 0 && v.hasty:
		return fmt.Sprintf("▼ Read to the end (%d more): Enter", n)
	case n > 0:
		return fmt.Sprintf("▼ %d more lines: Enter shows them", n)
	case v.hasty:
		return "Read to here, then answer"
	}
	return ""
}

func keysHelp(l *line) string {
	switch {
	case l == nil, l.held:
		return ""
	case l.secret:
		return "Ctrl-C: menu"
	}
	return "!: menu · PgUp PgDn: scroll · Tab: whole page"
}

// prompt is what stands below the page: the question, or what goes on. Its last
// row is the one that is typed in.
func (v *view) prompt(l *line, now time.Time, width int) []row {
	switch {
	case l != nil:
		return l.rows(width)
	case v.busy != nil:
		var rows []row
		for _, t := range v.busy.lines(now, width-4) {
			rows = append(rows, row{"  " + t, strong})
		}
		return rows
	}
	return []row{{"  …", normal}, {}}
}

func (l *line) rows(width int) []row {
	var rows []row
	if l.prompt.Person != "" {
		rows = append(rows, row{short(" ▸ "+plain.Clean(l.prompt.Person), width), strong})
	}
	for _, t := range plain.Wrap(l.prompt.Question, width-5) {
		rows = append(rows, row{"   " + t, normal})
	}
	longest := 0
	for _, c := range l.prompt.Choices {
		longest = max(longest, plain.Columns(plain.Clean(c.Word)))
	}
	for _, c := range l.prompt.Choices {
		word := plain.Clean(c.Word)
		lead := "     " + word + strings.Repeat(" ", longest-plain.Columns(word)+3)
		for i, t := range plain.Wrap(c.Does, max(10, width-plain.Columns(lead)-1)) {
			if i > 0 {
				lead = strings.Repeat(" ", plain.Columns(lead))
			}
			rows = append(rows, row{lead + t, normal})
		}
	}
	if l.refused != "" {
		rows = append(rows, row{short(" ! "+plain.Clean(l.refused)+" – please type it again", width), warning})
	}
	return append(rows, row{l.mark(), strong})
}

func (l *line) mark() string {
	switch {
	case l.held:
		return "   Enter > "
	case l.secret:
		return "   (not shown) > "
	}
	return "   > "
}

// ask draws the prompt and leaves the cursor where the answer is typed.
func (v *view) ask(c *canvas, l *line, rows []row) {
	for i, r := range rows {
		c.put(i, r.text, r.style)
	}
	if l == nil {
		c.screen.HideCursor()
		return
	}
	y, x := len(rows)-1, plain.Columns(l.mark())
	typed := tail(l.text, max(1, c.width-x-1))
	c.putAt(x, y, typed, normal)
	c.screen.ShowCursor(c.x+x+plain.Columns(typed), c.y+y)
}

// tail is the end of what was typed, as far as it fits in n columns.
func tail(typed []rune, n int) string {
	for i := len(typed) - 1; i >= 0; i-- {
		if n -= plain.Columns(string(typed[i])); n < 0 {
			return string(typed[i+1:])
		}
	}
	return string(typed)
}
