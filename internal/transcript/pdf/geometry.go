package pdf

import "github.com/keyrite/keyrite/internal/transcript"

// The page, in millimetres from its top left corner: A4 portrait. The body's
// lines stand on a grid whose column is the advance of the monospaced font.
const (
	pageWidth  = 210.0
	pageHeight = 297.0

	left     = 15.3
	right    = left + column*transcript.Columns
	mmPerPt  = 25.4 / 72
	bodyPt   = 8.8
	column   = bodyPt * mmPerPt * 1233 / 2048 // DejaVu Sans Mono's advance
	leading  = 3.92
	prosePt  = 9.8
	bodyTop  = 31.5
	baseline = 2.85 // of a line's text, from its top

	bannerTop    = 9.0
	bannerHeight = 7.0
	titleLine    = 20.6
	modeLine     = 25.2
	headRule     = 27.8

	sealRule   = 241.6
	sealTop    = 243.6
	footerLine = 291.5

	// module is the side of a QR code's module: zbarimg reads 0.6 mm from a
	// 100-dpi image wherever the code falls on the pixels.
	module = 0.62
)
