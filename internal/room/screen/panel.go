package screen

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/internal/room/plain"
)

// panel draws what stays in view beside the page of a large screen: the script
// with the place where it is, the tokens, the log.
func (v *view) panel(c *canvas) {
	for y := range c.height {
		c.put(y, "│", normal)
	}
	in := c.part(2, 0, c.width-2, c.height)
	below := append(v.tokenRows(in.width), v.logRows(in.width)...)
	if len(below) > in.height/2+4 {
		below = below[:in.height/2+4]
	}
	v.plan(in.part(0, 0, in.width, in.height-len(below)-1))
	for i, r := range below {
		in.put(in.height-len(below)+i, r.text, r.style)
	}
}

// plan lists the steps around the running one.
func (v *view) plan(c *canvas) {
	c.put(0, "SCRIPT", strong)
	rows := c.height - 1
	first := max(0, min(v.step.Number-1-rows/2, len(v.ceremony.Plan)-rows))
	for i := range rows {
		n := first + i
		if n >= len(v.ceremony.Plan) {
			return
		}
		p := v.ceremony.Plan[n]
		mark, style := " ", normal
		switch {
		case p.Result == "done":
			mark = "✓"
		case p.Result == "skipped":
			mark = "–"
		case n == v.step.Number-1:
			mark, style = "▸", strong
		}
		c.put(i+1, fmt.Sprintf("%s %2d %s", mark, n+1, plain.Clean(p.Title)), style)
	}
}

func (v *view) tokenRows(width int) []row {
	var rows []row
	for _, t := range v.tokens {
		name := "TOKEN " + t.Name
		if t.Label != "" && t.Label != t.Name {
			name += " (" + t.Label + ")"
		}
		rows = append(rows, row{plain.Clean(name), strong})
		if t.Serial != "" {
			rows = append(rows, row{plain.Clean("serial " + t.Serial), normal})
		}
		for _, p := range t.PINs {
			style := normal
			if p.Alarm {
				style = alarm
			}
			for _, l := range plain.Wrap(p.Name+": "+p.Tries, width) {
				rows = append(rows, row{l, style})
			}
		}
		in := "nobody is logged in"
		if t.User != "" {
			in = "logged in: " + t.User
		}
		rows = append(rows, row{plain.Clean(in), normal}, row{})
	}
	return rows
}

// logRows is the log's size and its head in words, three in a row.
func (v *view) logRows(width int) []row {
	if v.log.Size == 0 {
		return nil
	}
	rows := []row{{"LOG", strong}, {fmt.Sprintf("%d entries; head in words:", v.log.Size), normal}}
	column := width / 3
	line := ""
	for i, w := range v.log.In {
		line += plain.Clean(w) + strings.Repeat(" ", max(1, column-plain.Columns(w)))
		if i%3 == 2 || i == len(v.log.In)-1 {
			rows, line = append(rows, row{strings.TrimRight(line, " "), normal}), ""
		}
	}
	return rows
}
