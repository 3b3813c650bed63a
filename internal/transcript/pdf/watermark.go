package pdf

import (
	"bytes"
	"fmt"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// The watermark runs up the page's diagonal.
const (
	markAngle  = 54 * math.Pi / 180
	markLength = 250.0 // mm, at most
	markHeight = 31.0  // mm of the em, at most
	markGrey   = 0.90
)

// watermark writes a mark large and pale across the page. It is drawn as the
// outlines of its letters, not as text: a search in the file finds the mark in
// the banner, and copied text has no letters of it in between.
func (c *canvas) watermark(mark string) error {
	path, width, err := outline(mark)
	if err != nil {
		return fmt.Errorf("drawing the watermark %q: %w", mark, err)
	}
	em := min(markHeight, markLength/width) / mmPerPt
	sin, cos := math.Sincos(markAngle)
	x, y := (pageWidth/2+c.dx)/mmPerPt, (pageHeight/2-c.dy)/mmPerPt
	// From the middle of the page back by half the mark, and down by half the
	// height of a capital letter.
	x += -width/2*em*cos + 0.36*em*sin
	y += -width/2*em*sin - 0.36*em*cos
	c.pdf.RawWriteStr(fmt.Sprintf("q %.2f g %.5f %.5f %.5f %.5f %.5f %.5f cm\n%sf Q\n",
		markGrey, em*cos, em*sin, -em*sin, em*cos, x, y, path))
	return nil
}

// outline returns text in DejaVu Sans Bold as a PDF path of one em's size, and
// its width in ems.
func outline(text string) (path string, width float64, err error) {
	f, err := sfnt.Parse([]byte(sansBoldFont))
	if err != nil {
		return "", 0, err
	}
	var b bytes.Buffer
	var buf sfnt.Buffer
	ppem := fixed.Int26_6(f.UnitsPerEm()) << 6
	for _, r := range text {
		glyph, err := f.GlyphIndex(&buf, r)
		if err != nil {
			return "", 0, err
		}
		segments, err := f.LoadGlyph(&buf, glyph, ppem, nil)
		if err != nil {
			return "", 0, err
		}
		pen := pen{out: &b, at: width, em: float64(ppem)}
		for _, s := range segments {
			pen.draw(s)
		}
		advance, err := f.GlyphAdvance(&buf, glyph, ppem, font.HintingNone)
		if err != nil {
			return "", 0, err
		}
		width += float64(advance) / float64(ppem)
	}
	return b.String(), width, nil
}

// A pen writes a glyph's segments as PDF path operators.
type pen struct {
	out    *bytes.Buffer
	at, em float64 // where the glyph begins, in ems; units of an em
	x, y   float64 // the current point
}

func (p *pen) point(q fixed.Point26_6) (x, y float64) {
	return p.at + float64(q.X)/p.em, -float64(q.Y) / p.em
}

func (p *pen) draw(s sfnt.Segment) {
	x, y := p.point(s.Args[0])
	switch s.Op {
	case sfnt.SegmentOpMoveTo:
		fmt.Fprintf(p.out, "%.4f %.4f m\n", x, y)
	case sfnt.SegmentOpLineTo:
		fmt.Fprintf(p.out, "%.4f %.4f l\n", x, y)
	case sfnt.SegmentOpQuadTo:
		// A quadratic curve as a cubic one: the control points lie two thirds
		// of the way to the one of the quadratic.
		cx, cy := x, y
		x, y = p.point(s.Args[1])
		fmt.Fprintf(p.out, "%.4f %.4f %.4f %.4f %.4f %.4f c\n",
			p.x+(cx-p.x)*2/3, p.y+(cy-p.y)*2/3, x+(cx-x)*2/3, y+(cy-y)*2/3, x, y)
	}
	p.x, p.y = x, y
}
