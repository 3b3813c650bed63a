package pdf

import (
	"bytes"
	"fmt"
	"time"

	"github.com/jung-kurt/gofpdf"

	"github.com/keyrite/keyrite/internal/transcript"
)

// A canvas draws on the pages of one PDF. dx and dy move everything: tests use
// them to see a QR code fall differently on the pixels.
type canvas struct {
	pdf    *gofpdf.Fpdf
	dx, dy float64
	sheet
}

// A sheet is how A4 paper is used: everything is drawn scale times as large, to
// the right margin and down to the footer line.
type sheet struct{ scale, right, footer float64 }

// newCanvas begins a PDF with fixed dates, in a fixed order.
func newCanvas(title string, created time.Time, wide bool) *canvas {
	p := gofpdf.New("P", "mm", "A4", "")
	p.SetCatalogSort(true)
	p.SetCreationDate(created.UTC())
	p.SetModificationDate(created.UTC())
	p.SetTitle(title, true)
	p.SetCreator(transcript.Renderer, true)
	p.SetProducer("gofpdf", true)
	p.SetAutoPageBreak(false, 0)
	p.SetMargins(0, 0, 0)
	for _, f := range fonts() {
		if f.family != "wide" || wide {
			p.AddUTF8FontFromBytes(f.family, f.style, []byte(f.data))
		}
	}
	return &canvas{pdf: p, sheet: sheet{scale: 1, right: right, footer: footerLine}}
}

// bytes ends the PDF.
func (c *canvas) bytes() ([]byte, error) {
	var b bytes.Buffer
	if err := c.pdf.Output(&b); err != nil {
		return nil, fmt.Errorf("writing the PDF: %w", err)
	}
	return b.Bytes(), nil
}

// ink sets the colour of text and shapes: 0 is black, 255 white.
func (c *canvas) ink(grey int) {
	c.pdf.SetTextColor(grey, grey, grey)
	c.pdf.SetDrawColor(grey, grey, grey)
	c.pdf.SetFillColor(grey, grey, grey)
}

func (c *canvas) rule(x1, x2, y, width float64) {
	c.pdf.SetLineWidth(width)
	c.pdf.Line(x1+c.dx, y+c.dy, x2+c.dx, y+c.dy)
}

func (c *canvas) bar(x, y, w, h float64) {
	c.pdf.Rect(x+c.dx, y+c.dy, w, h, "F")
}

// grid draws text on the column grid: every run of narrow characters at its
// column, wide ones from the fallback font over two columns.
func (c *canvas) grid(col int, y float64, style, text string) {
	c.runs(text, func(run string, wide bool) {
		x := left + float64(col)*column
		if wide {
			c.wide(x, y, run)
		} else {
			c.pdf.SetFont("mono", style, bodyPt)
			c.pdf.Text(x+c.dx, y+c.dy, run)
		}
		col += transcript.Width(run)
	})
}

// widePt is the size of the wide characters, wideGap what is missing to two
// columns.
const (
	widePt  = 9.9
	wideGap = 2*bodyPt*1233/2048 - widePt // points
)

func (c *canvas) wide(x, y float64, run string) {
	c.pdf.SetFont("wide", "", widePt)
	c.pdf.RawWriteStr(fmt.Sprintf("%.3f Tc\n", wideGap))
	c.pdf.Text(x+c.dx, y+c.dy, run)
	c.pdf.RawWriteStr("0 Tc\n")
}

// runs divides text into runs of narrow and of wide characters. Runs of
// spaces alone are not drawn.
func (c *canvas) runs(text string, draw func(run string, wide bool)) {
	start, wide := 0, false
	for i, r := range text {
		if w := transcript.IsWide(r); w != wide {
			if i > start {
				draw(text[start:i], wide)
			}
			start, wide = i, w
		}
	}
	if start < len(text) {
		draw(text[start:], wide)
	}
}

// flowing draws text in a proportional font, shrunk if it would pass maxWidth,
// and returns its width.
func (c *canvas) flowing(x, y float64, family, style string, size, maxWidth float64, text string) float64 {
	width := c.measure(family, style, size, text)
	if width > maxWidth {
		size *= maxWidth / width
		width = maxWidth
	}
	c.runs(text, func(run string, wide bool) {
		c.font(family, style, size, wide)
		c.pdf.Text(x+c.dx, y+c.dy, run)
		x += c.pdf.GetStringWidth(run)
	})
	return width
}

func (c *canvas) measure(family, style string, size float64, text string) (width float64) {
	c.runs(text, func(run string, wide bool) {
		c.font(family, style, size, wide)
		width += c.pdf.GetStringWidth(run)
	})
	return width
}

func (c *canvas) font(family, style string, size float64, wide bool) {
	if wide {
		family, style = "wide", ""
	}
	c.pdf.SetFont(family, style, size)
}

// code draws a QR code with its top left module at x, y: one path for all
// modules, in the code's own coordinates, so that no seams can appear between
// them.
func (c *canvas) code(x, y, module float64, modules [][]bool) {
	k := 1 / mmPerPt
	var b bytes.Buffer
	fmt.Fprintf(&b, "q 0 g %.5f 0 0 %.5f %.5f %.5f cm\n", module*k, -module*k, (x+c.dx)*k, (pageHeight-y-c.dy)*k)
	for row, bits := range modules {
		for from := 0; from < len(bits); from++ {
			to := from
			for to < len(bits) && bits[to] {
				to++
			}
			if to > from {
				fmt.Fprintf(&b, "%d %d %d 1 re\n", from, row, to-from)
				from = to
			}
		}
	}
	b.WriteString("f Q\n")
	c.pdf.RawWriteStr(b.String())
}
