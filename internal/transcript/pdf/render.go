// Package pdf draws a transcript's pages as a PDF, with a QR code on each. It
// is the only package that knows gofpdf.
package pdf

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/qr"
)

// Input is everything that the PDF is made from. The same input gives the same
// bytes, with the same version of Go and of the fonts.
type Input struct {
	Pages      []transcript.Page // the signed pages
	Closing    transcript.Page   // the sheet behind them
	Sealed     []audit.Page      // digest and signature of each of Pages
	Size       int64             // entries that Pages were made from
	Head       audit.Hash        // root over them
	Origin     string
	Mode       string    // "production" or "rehearsal"
	Checkpoint []byte    // the final one, a signed note
	Title      string    // of the document
	Created    time.Time // the close entry's time
}

// Render returns the PDF. It fails if a page has no seal or one that is not
// 32 and 64 bytes of hex, if the seals' digests are not those of the pages, if
// the origin does not end in 32 hex digits, if the mode is unknown, and if a
// text holds a character that no font covers.
func Render(in Input) ([]byte, error) { return render(in, 0, 0) }

func render(in Input, dx, dy float64) ([]byte, error) {
	codes, err := pageCodes(in)
	if err != nil {
		return nil, fmt.Errorf("drawing the transcript: %w", err)
	}
	all := append(append([]transcript.Page{}, in.Pages...), in.Closing)
	wide, err := needsWide(all, in.Title)
	if err != nil {
		return nil, fmt.Errorf("drawing the transcript: %w", err)
	}
	c := newCanvas(in.Title, in.Created, wide)
	c.dx, c.dy = dx, dy
	c.attach(in.Pages)
	before := ""
	for i, p := range in.Pages {
		if err := errors.Join(c.page(p), c.seal(codes[i], before)); err != nil {
			return nil, fmt.Errorf("drawing page %d: %w", p.Number, err)
		}
		before = in.Sealed[i].Digest
	}
	if err := errors.Join(c.page(in.Closing), c.checkpoint(in.Checkpoint)); err != nil {
		return nil, fmt.Errorf("drawing the closing sheet: %w", err)
	}
	return c.bytes()
}

// pageCodes returns what the pages' QR codes say.
func pageCodes(in Input) ([]transcript.Code, error) {
	if len(in.Sealed) != len(in.Pages) {
		return nil, fmt.Errorf("%d pages have %d seals", len(in.Pages), len(in.Sealed))
	}
	if in.Mode != "production" && in.Mode != "rehearsal" {
		return nil, fmt.Errorf("unknown mode %q", in.Mode)
	}
	id, err := transcript.OriginID(in.Origin)
	if err != nil {
		return nil, err
	}
	codes := make([]transcript.Code, len(in.Pages))
	for i, digest := range transcript.Digests(in.Pages) {
		seal := in.Sealed[i]
		if seal.Digest != digest.String() {
			return nil, fmt.Errorf("page %d has the digest %s, its seal is for %q", i+1, digest, seal.Digest)
		}
		signature, err := hex.DecodeString(seal.Signature)
		if err != nil || len(signature) != 64 {
			return nil, fmt.Errorf("page %d: the signature %q is not 64 bytes of hex", i+1, seal.Signature)
		}
		codes[i] = transcript.Code{
			Origin: id, Mode: in.Mode, Page: i + 1, Of: len(in.Pages),
			Digest: digest, Size: in.Size, Head: in.Head, Signature: [64]byte(signature),
		}
	}
	return codes, nil
}

// needsWide reports whether any text needs the fallback font, which is large,
// and refuses text that gofpdf could not draw.
func needsWide(pages []transcript.Page, title string) (wide bool, err error) {
	for _, p := range pages {
		for _, r := range string(p.Text()) {
			switch {
			case r == '\n':
			case transcript.IsWide(r):
				wide = true
			case transcript.Width(string(r)) == 0:
				return false, fmt.Errorf("page %d: no font covers %U", p.Number, r)
			}
		}
	}
	for _, r := range title {
		if r > 0xFFFF {
			return false, fmt.Errorf("the title %q: %U cannot be written", title, r)
		}
	}
	return wide, nil
}

// page draws all of a page but its seal.
func (c *canvas) page(p transcript.Page) error {
	c.pdf.AddPage()
	if p.Mark != "" {
		if err := c.watermark(p.Mark); err != nil {
			return err
		}
	}
	if c.scale != 1 {
		c.pdf.TransformBegin()
		c.pdf.TransformScaleXY(c.scale*100, 0, 0)
	}
	if p.Mark != "" {
		c.bar(left, bannerTop, c.right-left, bannerHeight)
		c.ink(255)
		banner := strings.TrimSpace(p.Header[0].Text)
		width := c.measure("sans", "B", 12, banner)
		c.flowing((left+c.right-min(width, c.right-left-8))/2, bannerTop+5, "sans", "B", 12, c.right-left-8, banner)
		c.ink(0)
	}
	c.grid(0, titleLine, "B", p.Header[1].Text)
	c.grid(0, modeLine, "", p.Header[2].Text)
	c.ink(140)
	c.rule(left, c.right, headRule, 0.2)
	c.ink(0)
	y := bodyTop
	for i, l := range p.Lines {
		c.frame(left+boxColumn*column, y, boxed(p.Lines, i-1), boxed(p.Lines, i), boxed(p.Lines, i+1))
		c.frame(left, y, framed(p.Lines, i-1), framed(p.Lines, i), framed(p.Lines, i+1))
		c.line(y, l)
		y += leading * float64(l.Units())
	}
	c.ink(110)
	c.grid(0, c.footer, "", p.Footer.Text)
	c.ink(0)
	return nil
}

// line draws a body line whose top is at y.
func (c *canvas) line(y float64, l transcript.Line) {
	bottom := y + leading*float64(l.Units()-1) + baseline
	switch l.Style {
	case transcript.Title:
		c.flowing(left, y+leading*1.9, "sans", "B", 19, c.right-left, l.Text)
	case transcript.Heading:
		c.flowing(left, bottom-1.7, "sans", "B", 12, c.right-left, l.Text)
		c.ink(140)
		c.rule(left, c.right, bottom-0.3, 0.2)
		c.ink(0)
	case transcript.Subheading:
		c.flowing(left, bottom, "sans", "B", 9.6, c.right-left, l.Text)
	case transcript.Prose:
		indent := float64(len(l.Text)-len(strings.TrimLeft(l.Text, " "))) * column
		c.flowing(left+indent, bottom, "sans", "", prosePt, c.right-left-indent, strings.TrimLeft(l.Text, " "))
	case transcript.TableHead:
		c.grid(0, bottom, "B", l.Text)
		c.ink(140)
		indent := float64(len(l.Text)-len(strings.TrimLeft(l.Text, " "))) * column
		c.rule(left+indent, c.right, bottom+0.85, 0.15)
		c.ink(0)
	case transcript.Alarm:
		c.bar(left-2.6, y+0.2, 1.1, leading)
		c.grid(0, bottom, "B", l.Text)
	case transcript.Strong, transcript.BoxedHead:
		c.grid(0, bottom, "B", l.Text)
	case transcript.Quiet:
		c.ink(95)
		c.grid(0, bottom, "", l.Text)
		c.ink(0)
	default:
		c.lead(bottom, l)
	}
}

// lead draws a line whose first columns are bold.
func (c *canvas) lead(y float64, l transcript.Line) {
	at := len(l.Text)
	for i := range l.Text {
		if transcript.Width(l.Text[:i]) >= l.Lead {
			at = i
			break
		}
	}
	c.grid(0, y, "B", strings.TrimRight(l.Text[:at], " "))
	c.grid(transcript.Width(l.Text[:at]), y, "", l.Text[at:])
}

// boxed reports whether line i belongs to a framed box.
func boxed(lines []transcript.Line, i int) bool {
	return i >= 0 && i < len(lines) && (lines[i].Style == transcript.Boxed || lines[i].Style == transcript.BoxedHead)
}

// framed reports whether line i belongs to a frame over the page's width.
func framed(lines []transcript.Line, i int) bool {
	return i >= 0 && i < len(lines) && lines[i].Style == transcript.Framed
}

// boxColumn is where a box begins.
const boxColumn = 18.8

// frame draws the part of a frame, from x to the right, that belongs to the line
// at y.
func (c *canvas) frame(x, y float64, before, here, after bool) {
	if !here {
		return
	}
	c.pdf.SetLineWidth(0.3)
	if !before {
		c.rule(x, c.right, y+0.1, 0.3)
	}
	if !after {
		c.rule(x, c.right, y+leading+0.1, 0.3)
	}
	c.pdf.Line(x+c.dx, y+0.1+c.dy, x+c.dx, y+leading+0.1+c.dy)
	c.pdf.Line(c.right+c.dx, y+0.1+c.dy, c.right+c.dx, y+leading+0.1+c.dy)
}

// seal draws the foot of a signed page: its checksum, the one before, what the
// log key signed, and the QR code that holds it all.
func (c *canvas) seal(code transcript.Code, before string) error {
	modules, err := qr.Encode(transcript.QR(code))
	if err != nil {
		return err
	}
	size := float64(len(modules)+qr.QuietZone) * module
	c.code(right-float64(len(modules))*module, sealTop, module, modules)
	c.ink(140)
	c.rule(left, right-size-1, sealRule, 0.2)
	c.ink(0)
	digest := code.Digest.String()
	y := sealTop + 3.2
	put := func(label, style string, values ...string) {
		c.flowing(left, y, "sans", "B", 7.6, 60, label)
		for _, v := range values {
			c.grid(15, y, style, v)
			y += 4.1
		}
		y += 0.7
	}
	put("Checksum of", "B", group(digest[:32]), group(digest[32:]))
	y -= 4.8
	c.flowing(left, y, "sans", "B", 7.6, 60, "this page")
	y += 4.8
	put("in words", "", strings.Join(audit.Words(code.Digest[:4]), " ")+" …")
	if before == "" {
		put("Page before", "", "none: the chain of checksums begins here")
	} else {
		put("Page before", "", group(before[:32]), group(before[32:]))
	}
	put("Made from", "", fmt.Sprintf("entries 0 to %d, root over them:", code.Size-1), group(code.Head.String()[:32]), group(code.Head.String()[32:]))
	c.ink(95)
	c.flowing(left, y, "sans", "", 7.6, right-left-size-4, "The square code holds these values and the log key's signature over them.")
	c.ink(0)
	return nil
}

// group writes hex in groups of four digits.
func group(s string) string {
	var groups []string
	for i := 0; i < len(s); i += 4 {
		groups = append(groups, s[i:i+4])
	}
	return strings.Join(groups, " ")
}

// checkpoint draws the final checkpoint's QR code on the closing sheet.
func (c *canvas) checkpoint(note []byte) error {
	modules, err := qr.Encode(transcript.CheckpointQR(note))
	if err != nil {
		return err
	}
	size := float64(len(modules)) * module
	c.code(right-size, footerLine-7-size, module, modules)
	c.flowing(left, footerLine-11, "sans", "B", 9.6, right-left-size-6, "The final checkpoint")
	c.flowing(left, footerLine-7, "sans", "", prosePt, right-left-size-6, "signed by the log key, as square code →")
	return nil
}
