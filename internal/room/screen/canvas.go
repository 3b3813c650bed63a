package screen

import (
	"strings"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/color"

	"github.com/keyrite/keyrite/internal/room/plain"
)

// Styles add to what the words say and carry nothing alone. Where there is no
// colour, bold and reversed text remain.
var (
	normal  = tcell.StyleDefault
	strong  = normal.Bold(true)
	bar     = normal.Reverse(true)
	warning = strong.Foreground(color.Olive)
	alarm   = strong.Foreground(color.Maroon)
)

// A canvas is the part of the screen that is drawn on; its lines are clean.
type canvas struct {
	screen        tcell.Screen
	x, y          int
	width, height int
}

// part is a part of the canvas.
func (c *canvas) part(x, y, width, height int) *canvas {
	return &canvas{screen: c.screen, x: c.x + x, y: c.y + y, width: min(width, c.width-x), height: min(height, c.height-y)}
}

// put writes a line at a row, cut to the width.
func (c *canvas) put(y int, text string, style tcell.Style) { c.putAt(0, y, text, style) }

func (c *canvas) putAt(x, y int, text string, style tcell.Style) {
	if y < 0 || y >= c.height || x >= c.width {
		return
	}
	c.screen.PutStrStyled(c.x+x, c.y+y, short(text, c.width-x), style)
}

// rule draws a line across, with a text at its left and one at its right end.
func (c *canvas) rule(y int, left, right string) {
	c.put(y, strings.Repeat("─", c.width), normal)
	if left != "" {
		c.putAt(2, y, " "+left+" ", strong)
	}
	if w := plain.Columns(right); right != "" && w+plain.Columns(left)+10 <= c.width {
		c.putAt(c.width-w-4, y, " "+right+" ", normal)
	}
}

// bar draws a line of reversed text with something at both ends and in the
// middle.
func (c *canvas) bar(y int, left, middle, right string) {
	free := c.width - plain.Columns(right) - plain.Columns(middle) - 5
	c.put(y, strings.Repeat(" ", c.width), bar)
	c.putAt(1, y, short(left, free), bar)
	c.putAt(c.width-plain.Columns(right)-1, y, right, bar)
	c.putAt(c.width-plain.Columns(right)-plain.Columns(middle)-3, y, middle, bar.Bold(true))
}
