package printer

import (
	"encoding/hex"
	"fmt"

	"github.com/keyrite/keyrite/internal/room"
)

// prologue sets the page's thirds up: t is a third's height, w its width. The
// origin is the lower left corner of what the printer can print on.
const prologue = `%!PS-Adobe-2.0
%%Pages: 1
%%EndComments
/Helvetica findfont dup length dict begin
  { 1 index /FID ne { def } { pop pop } ifelse } forall
  /Encoding ISOLatin1Encoding dup length array copy dup 45 /hyphen put def currentdict end /H exch definefont pop
gsave
clippath pathbbox /y1 exch def /x1 exch def /y0 exch def /x0 exch def
x0 y0 translate
/w x1 x0 sub def /t y1 y0 sub 3 div def
`

// postScript returns a slip as a sheet in three parts: outside above, the secret in
// the middle, a cover below that the eye cannot look through. Folded up and back, the
// secret is inside and the name outside.
func postScript(person string, s room.Slip) []byte {
	b := make([]byte, 0, pageSize)
	b = append(b, prologue...)
	at := func(size int, up, text string) { // up: what puts the height on the stack
		b = fmt.Appendf(b, "/H findfont %d scalefont setfont 24 %s moveto (", size, up)
		b = append(escaped(b, characters(text, 0xff)), ") show\n"...)
	}
	at(14, "t 3 mul 40 sub", "FOR "+person+" ALONE")
	at(11, "t 3 mul 62 sub", s.Title)
	for i, l := range s.Lines {
		at(9, fmt.Sprintf("t 3 mul %d sub", 80+14*i), l)
	}
	at(9, "t 2 mul 24 add", "Fold the lower third up over the words, then this third back, so that this side is outside. Seal; sign over the seal.")
	b = append(b, "[4 4] 0 setdash 0 t 2 mul moveto w 0 rlineto stroke 0 t moveto w 0 rlineto stroke [] 0 setdash\n"...)
	for i, row := range s.Rows {
		b = fmt.Appendf(b, "/Courier findfont 9 scalefont setfont 24 t 2 mul %d sub moveto (%2d  ", 36+20*i, i+1)
		row.Reveal(func(words []byte) { b = escaped(b, words) })
		b = append(b, ") show\n"...)
	}
	b = codeImage(b, s.Code)
	b = append(b, "0 0 w t 6 sub rectclip 0.3 setlinewidth 0 3 w t add { 0 moveto t neg t rlineto stroke } for\n"...)
	b = append(b, "0 3 w t add { t sub 0 moveto t t rlineto stroke } for\n"...)
	return append(b, "grestore showpage\n\x04"...)
}

// codeImage appends the QR code at the right of the middle third, 2 points a module: dark
// modules are painted through a mask of hex digits, a bit each, rows filled up to bytes.
func codeImage(b []byte, dark [][]bool) []byte {
	n := len(dark)
	if n == 0 {
		return b
	}
	b = fmt.Appendf(b, "gsave w %d sub t 1.5 mul %d sub translate %d %d scale\n%d %d true [%d 0 0 %d 0 %d] {<", 2*n+24, n, 2*n, 2*n, n, n, n, -n, n)
	row := make([]byte, (n+7)/8)
	defer clear(row)
	for y := range n {
		clear(row)
		for x := range n {
			if module(dark, x, y) {
				row[x/8] |= 0x80 >> (x % 8)
			}
		}
		b = append(hex.AppendEncode(b, row), '\n')
	}
	return append(b, ">} imagemask grestore\n"...)
}

// escaped appends the bytes of a PostScript string, printable ones as they are.
func escaped(b, text []byte) []byte {
	for _, c := range text {
		switch {
		case c == '(' || c == ')' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > 0x7e:
			b = fmt.Appendf(b, "\\%03o", c)
		default:
			b = append(b, c)
		}
	}
	return b
}
