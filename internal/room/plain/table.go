package plain

import (
	"strings"

	"github.com/keyrite/keyrite/internal/room"
)

const (
	tableIndent = 2
	tableGap    = 2
	leastColumn = 6
)

// table sets rows under a header. Columns are as wide as their content; where
// that is more than the screen has, the widest shrink and their cells wrap.
func (p *page) table(m room.Table) {
	widths := columnWidths(m)
	if len(widths) == 0 {
		return
	}
	shrink(widths, p.width-tableIndent)
	p.line("")
	p.row(widths, m.Header, strong)
	rules := make([]string, len(widths))
	for i, w := range widths {
		rules[i] = strings.Repeat("─", w)
	}
	p.row(widths, rules, plainStyle)
	for _, r := range m.Rows {
		p.row(widths, r, plainStyle)
	}
}

func columnWidths(m room.Table) []int {
	var widths []int
	for _, row := range append([][]string{m.Header}, m.Rows...) {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 1)
			}
			for _, l := range wrap(cell, mostText) {
				widths[i] = max(widths[i], columns(l))
			}
		}
	}
	return widths
}

// shrink takes columns away from the widest until all fit in total, as long as
// one is left that can be narrower.
func shrink(widths []int, total int) {
	for {
		sum, widest := tableGap*(len(widths)-1), 0
		for i, w := range widths {
			sum += w
			if w > widths[widest] {
				widest = i
			}
		}
		if sum <= total || widths[widest] <= leastColumn {
			return
		}
		widths[widest]--
	}
}

func (p *page) row(widths []int, cells []string, st style) {
	wrapped := make([][]string, len(widths))
	height := 1
	for i, w := range widths {
		if i < len(cells) {
			wrapped[i] = wrap(cells[i], w)
			height = max(height, len(wrapped[i]))
		}
	}
	for n := range height {
		line := ""
		for i, w := range widths {
			cell := ""
			if n < len(wrapped[i]) {
				cell = wrapped[i][n]
			}
			line += pad(cell, w) + strings.Repeat(" ", tableGap)
		}
		p.line(strings.Repeat(" ", tableIndent) + p.paint(st, strings.TrimRight(line, " ")))
	}
}
