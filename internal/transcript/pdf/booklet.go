package pdf

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/qr"
)

// bookletDate stands in the PDF for the time it was made: the same script
// always gives the same bytes.
var bookletDate = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Booklet draws a script's booklet. Each page's foot has the script's SHA-256 in
// hex, its first words, and as QR code in the form "SHA256:" and upper-case hex.
// large draws the same pages on A3, everything larger by the half.
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
	if large {
		c = newCanvasOn("A3", math.Sqrt2, title, bookletDate, wide)
	}
	for _, p := range pages {
		if err := errors.Join(c.page(p), c.foot(sha256, modules)); err != nil {
			return nil, fmt.Errorf("drawing page %d: %w", p.Number, err)
		}
		if large {
			c.pdf.TransformEnd()
		}
	}
	return c.bytes()
}

func (c *canvas) foot(sha256 [32]byte, modules [][]bool) error {
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
	return nil
}
