// Package qr makes QR codes. It is the only package that knows go-qrcode.
package qr

import (
	"fmt"

	qrcode "github.com/skip2/go-qrcode"
)

// QuietZone is the width in modules of the empty border that a code needs
// (ISO/IEC 18004). [Encode] does not include it.
const QuietZone = 4

// Encode returns the modules of the smallest QR code of error correction level
// M that holds text, rows from the top, true for dark, without the quiet zone.
// Text in QR's alphanumeric set (0–9 A–Z $%*+-./: and space) takes 5.5 bits a
// character, any other 8. A text that is too long for a code is an error.
func Encode(text string) ([][]bool, error) {
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("making a QR code of %d bytes: %w", len(text), err)
	}
	code.DisableBorder = true
	return code.Bitmap(), nil
}
