package plain

import (
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/internal/room"
)

// quiet is the light margin a QR code needs around it, in modules
// (ISO/IEC 18004, 5.3.8).
const quiet = 4

// code draws a QR code, two modules a character. Light modules are drawn and
// dark ones left out, so that it reads rightly where text is light on dark;
// with colour it reads rightly everywhere.
func (p *page) code(m room.Code) {
	grid := framed(m.Modules)
	if len(grid) == 0 {
		return
	}
	p.line("")
	p.block(2, strong, "QR code: "+m.Name)
	if n := len(grid[0]) + 2; n > p.width {
		p.block(2, caution, fmt.Sprintf("It is not shown: it needs %d columns and the screen has %d.", n, p.width))
		return
	}
	p.line("")
	for y := 0; y < len(grid); y += 2 {
		p.line("  " + p.paint(onPaper, halfBlocks(grid[y], grid[y+1])))
	}
	p.line("")
}

// framed returns which modules are light, with the quiet zone all around,
// whether or not the code came with some of it, and an even number of rows.
func framed(dark [][]bool) [][]bool {
	top, bottom, left, right := extent(dark)
	if top > bottom {
		return nil
	}
	width := right - left + 1 + 2*quiet
	height := bottom - top + 1 + 2*quiet
	light := make([][]bool, height+height%2)
	for y := range light {
		light[y] = make([]bool, width)
		for x := range light[y] {
			light[y][x] = y < height && !at(dark, y-quiet+top, x-quiet+left)
		}
	}
	return light
}

// extent returns the first and last row and column that hold a dark module;
// top is greater than bottom if there is none.
func extent(dark [][]bool) (top, bottom, left, right int) {
	top, bottom, left, right = len(dark), -1, -1, -1
	for y, row := range dark {
		for x, d := range row {
			if !d {
				continue
			}
			top, bottom, right = min(top, y), y, max(right, x)
			if left < 0 || x < left {
				left = x
			}
		}
	}
	return top, bottom, left, right
}

func at(grid [][]bool, y, x int) bool {
	return y >= 0 && y < len(grid) && x >= 0 && x < len(grid[y]) && grid[y][x]
}

// halfBlocks draws two rows of modules as one line.
func halfBlocks(upper, lower []bool) string {
	var b strings.Builder
	for x := range upper {
		switch {
		case upper[x] && lower[x]:
			b.WriteRune('█')
		case upper[x]:
			b.WriteRune('▀')
		case lower[x]:
			b.WriteRune('▄')
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}
