package pdf

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/qr"
)

// bookletDate stands in the PDF for the time it was made: the same script
// always gives the same bytes.
var bookletDate = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// largeScale makes type of 8.8 points one of 16.2.
const largeScale = 1.84

// Booklet draws a script's booklet. Each page's foot has the script's SHA-256
// and, as QR code, "SHA256:" and all of it in upper-case hex. large draws, on
// the same A4 paper, pages that were composed for large print.
func Booklet(pages []transcript.Page, title string, sha256 [32]byte, large bool) ([]byte, error) {
	wide, err := needsWide(pages, title)
	if err != nil {
		return nil, fmt.Errorf("drawing the script: %w", err)
	}
	modules, err := qr.Encode("SHA256:" + strings.ToUpper(hex.EncodeToString(sha256[:])))
	if err != nil {
		return nil, fmt.Errorf("drawing the script: %w", err)
	}
	c := newCanvas(title, bookletDate, wide)
	foot := c.foot
	if large {
		c.enlarge()
		foot = c.largeFoot
	}
	for _, p := range pages {
		if err := c.page(p); err != nil {
			return nil, fmt.Errorf("drawing page %d: %w", p.Number, err)
		}
		foot(sha256, modules)
		if large {
			c.pdf.TransformEnd()
		}
	}
	return c.bytes()
}

// enlarge draws from here on in large print: fewer columns and lines, moved so
// that the margins stay what they are.
func (c *canvas) enlarge() {
	c.scale, c.right = largeScale, left+column*transcript.LargeColumns
	c.dx = (pageWidth/largeScale-column*transcript.LargeColumns)/2 - left
	c.dy = -5
	c.footer = pageHeight/largeScale - 4.5 - c.dy
}

func (c *canvas) foot(sha256 [32]byte, modules [][]bool) {
	size := float64(len(modules)) * module
	top := footerLine - 7 - size
	c.code(right-size, top, module, modules)
	h := hex.EncodeToString(sha256[:])
	c.flowing(left, top+3.2, "sans", "B", 7.6, 60, "SHA-256 of the script")
	c.grid(0, top+8, "B", group(h[:32]))
	c.grid(0, top+12.1, "B", group(h[32:]))
	c.grid(0, top+17, "", strings.Join(audit.Words(sha256[:4]), " ")+" …")
	c.ink(95)
	c.flowing(left, top+22, "sans", "", 7.6, right-left-size-4, "The script that runs must have this hash: 'sha256sum' of the file, and the screen at the start, show it.")
	c.ink(0)
}

// largeFoot has the code as large as in any other booklet, and the beginning of
// the hash beside it; all of it is on the cover.
func (c *canvas) largeFoot(sha256 [32]byte, modules [][]bool) {
	side := module / largeScale
	size := float64(len(modules)) * side
	top := c.footer - 4.5 - size
	c.code(c.right-size, top, side, modules)
	c.flowing(left, top+2.8, "sans", "B", prosePt, c.right-left-size-4, "SHA-256 of the script")
	c.grid(0, top+6.8, "B", group(hex.EncodeToString(sha256[:8]))+" …")
	c.grid(0, top+10.8, "", strings.Join(audit.Words(sha256[:4]), " ")+" …")
}
