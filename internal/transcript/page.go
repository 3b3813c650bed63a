// Package transcript turns the entries of a log into the paper that witnesses
// sign: pages of text lines on a grid of [Columns] columns.
//
// The text of a page is the same whoever draws it: [Compose] makes it from the
// log alone, [Page.Text] gives its bytes, [Digests] the checksums that the log
// key signs through [PageNote]. internal/transcript/pdf draws exactly these
// lines. docs/transcript.md specifies every byte.
package transcript

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// Renderer names the rules by which pages are composed. It changes whenever
// the same log would give other page texts.
const Renderer = "keyrite-transcript/2"

// Columns is the most columns that a line has. An East Asian wide character
// takes two, every other one.
const Columns = 96

// Units is the height of a page's body. [Line.Units] tells what a line takes.
const Units = 53

// digestLabel separates page digests from every other SHA-256 in the log.
const digestLabel = "keyrite page digest v1\n"

// A Style says how a line is drawn. It is no part of the page's text.
type Style int

// The styles of lines.
const (
	Plain      Style = iota // monospaced
	Strong                  // monospaced, bold
	Prose                   // proportional: instructions and explanations
	Title                   // the ceremony's title on the cover, 3 units
	Heading                 // a section or step, 2 units
	Subheading              // a part of one, 1 unit
	TableHead               // the columns' names, with a rule beneath
	Boxed                   // a line of a framed box
	BoxedHead               // the heading line of a framed box
	Alarm                   // something failed: bold, marked at the margin
	Quiet                   // what matters less: grey
	Framed                  // a line of a frame over the page's whole width, to be filled in by hand
)

// A Line is one line of text, at most [Columns] columns, already escaped: it
// holds only characters of the coverage table.
type Line struct {
	Style Style
	Text  string
	Lead  int // so many columns at the line's beginning are drawn bold
}

// Units returns the height of the line in units of the page's body.
func (l Line) Units() int {
	switch l.Style {
	case Title:
		return 3
	case Heading:
		return 2
	}
	return 1
}

// A Page is one sheet of the transcript. Number counts from 1; Of is the number
// of signed pages. The closing sheet, which is not signed, is page Of+1. On
// paper both are counted: "page 3 of 18" is the third of 17 signed pages.
type Page struct {
	Number, Of int
	Mark       string  // "", "REHEARSAL", "ABORTED" or "REHEARSAL – ABORTED"
	Header     [3]Line // mark; title and page number; organisation and mode
	Lines      []Line
	Footer     Line // renderer and log origin
}

// Text returns the page's canonical bytes: the three header lines, the body
// lines and the footer line, UTF-8, each without trailing spaces and ended by
// one line feed.
func (p Page) Text() []byte {
	var b strings.Builder
	put := func(l Line) {
		b.WriteString(strings.TrimRight(l.Text, " "))
		b.WriteByte('\n')
	}
	for _, l := range p.Header {
		put(l)
	}
	for _, l := range p.Lines {
		put(l)
	}
	put(p.Footer)
	return []byte(b.String())
}

// Digests returns the digest of every page, in order. The digest of a page is
// SHA-256("keyrite page digest v1" ‖ LF ‖ the digest before ‖ [Page.Text]),
// with 32 zero bytes before the first page: a page vouches for all before it.
func Digests(pages []Page) []audit.Hash {
	digests := make([]audit.Hash, len(pages))
	var prev audit.Hash
	for i, p := range pages {
		h := sha256.New()
		h.Write([]byte(digestLabel))
		h.Write(prev[:])
		h.Write(p.Text())
		prev = audit.Hash(h.Sum(nil))
		digests[i] = prev
	}
	return digests
}

// frame fills in what every page has around its body: mark, title, page
// number, organisation, mode, renderer and origin.
func (p *Page) frame(origin string, c Cover, mode string) {
	banner := ""
	if p.Mark != "" {
		banner = centre(bannerText(p.Mark))
	}
	number := fmt.Sprintf("page %d of %d", p.Number, p.Of+1)
	p.Header = [3]Line{
		{Strong, banner, 0},
		{Strong, spread(clean(c.Title), number), 0},
		{Plain, spread(clean(c.Organisation), clean(mode)), 0},
	}
	p.Footer = Line{Quiet, spread(Renderer, "log "+clean(origin)), 0}
}

// bannerText returns what a mark means, in words that cannot be mistaken.
func bannerText(mark string) string {
	if strings.HasPrefix(mark, "REHEARSAL") {
		return mark + " – nothing made here may be trusted"
	}
	return mark + " – the ceremony was given up"
}
