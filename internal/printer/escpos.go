package printer

import (
	"bytes"
	"fmt"

	"github.com/keyrite/keyrite/internal/room"
)

// What a strip of paper of 58 mm, the narrowest, can hold.
const (
	stripDots    = 384
	stripColumns = 32

	quiet      = 4 // light modules around a QR code (ISO/IEC 18004, 5.3.8)
	mostModule = 6 // dots
)

// pageSize is more than any page: it is never grown, so no copy is left behind.
const pageSize = 1 << 18

// escpos returns a slip for a receipt printer: ESC @ (begin), lines of ASCII, the QR
// code as a raster (GS v 0), ESC d (feed) and GS V (cut). What is no secret stands
// at the end that is cut last, outside when the strip is rolled up from the other.
func escpos(person string, s room.Slip) []byte {
	b := make([]byte, 0, pageSize)
	b = append(b, 0x1b, '@')
	rule := bytes.Repeat([]byte("-"), stripColumns)
	line := func(text string) {
		for _, l := range wrap(ascii(text), stripColumns) {
			b = append(append(b, l...), '\n')
		}
	}
	b = append(append(b, rule...), '\n')
	for i, row := range s.Rows {
		row.Reveal(func(words []byte) {
			for j, word := range bytes.Fields(words) {
				switch {
				case j == 0:
					b = fmt.Appendf(b, "%2d  ", i+1)
				case j%2 == 0:
					b = append(b, "\n    "...)
				default:
					b = append(b, ' ')
				}
				b = append(b, word...)
			}
		})
		b = append(b, '\n')
	}
	b = raster(b, s.Code)
	b = append(append(b, rule...), '\n')
	line("Roll the words inside, seal, sign over the seal.")
	b = append(b, "\n\n"...)
	line("FOR " + person + " ALONE")
	line(s.Title)
	for _, l := range s.Lines {
		line(l)
	}
	return append(b, 0x1b, 'd', 4, 0x1d, 'V', 66, 0)
}

// raster appends a QR code: GS v 0 0, bytes a row and rows (16 bits each, low byte
// first), then the dots, 1 for black, from the left.
func raster(b []byte, dark [][]bool) []byte {
	side := len(dark) + 2*quiet
	scale := min(mostModule, stripDots/side)
	if len(dark) == 0 || scale < 1 {
		return b
	}
	width := (side*scale + 7) / 8
	height := side * scale
	b = append(b, 0x1d, 'v', '0', 0, byte(width), byte(width>>8), byte(height), byte(height>>8))
	for y := range height {
		for x := range width {
			var dots byte
			for bit := range 8 {
				if module(dark, (x*8+bit)/scale-quiet, y/scale-quiet) {
					dots |= 0x80 >> bit
				}
			}
			b = append(b, dots)
		}
	}
	return b
}

func module(dark [][]bool, x, y int) bool {
	return y >= 0 && y < len(dark) && x >= 0 && x < len(dark[y]) && dark[y][x]
}

// ascii returns a text that is no secret in the characters that every printer has.
func ascii(text string) []byte { return characters(text, 0x7e) }

// characters keeps what is printable up to a code point; for others it has "?".
func characters(text string, last rune) []byte {
	var b []byte
	for _, r := range text {
		if r < ' ' || r > last || r > 0x7e && r < 0xa0 {
			r = '?'
		}
		b = append(b, byte(r))
	}
	return b
}

// wrap cuts a line at spaces, and a word that is too long where it must be.
func wrap(text []byte, width int) (lines [][]byte) {
	for len(text) > width {
		cut := bytes.LastIndexByte(text[:width+1], ' ')
		if cut <= 0 {
			cut = width
		}
		lines = append(lines, text[:cut])
		text = bytes.TrimLeft(text[cut:], " ")
	}
	return append(lines, text)
}
