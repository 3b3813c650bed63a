package pdf

import (
	"fmt"

	"github.com/jung-kurt/gofpdf"

	"github.com/keyrite/keyrite/internal/transcript"
)

// attach puts every signed page's canonical text into the PDF as a file
// page-001.txt, …: what the page's digest is computed from, byte for byte.
func (c *canvas) attach(pages []transcript.Page) {
	var files []gofpdf.Attachment
	for _, p := range pages {
		files = append(files, gofpdf.Attachment{
			Filename:    fmt.Sprintf("page-%03d.txt", p.Number),
			Description: fmt.Sprintf("the canonical text of page %d", p.Number),
			Content:     p.Text(),
		})
	}
	c.pdf.SetAttachments(files)
}
