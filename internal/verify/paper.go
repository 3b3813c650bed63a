package verify

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/transcript"
)

// checkHeads goes through the log once more where entries speak of a head, and
// compares it with the root at that size.
func (v *verifier) checkHeads(c *Check) {
	c.Count = int64(len(v.log.heads))
	sizes := []int64{}
	for _, h := range v.log.heads {
		sizes = append(sizes, h.size)
	}
	want := v.rootsAt(sizes)
	for _, h := range v.log.heads {
		if h.size < 0 || h.size > h.seq {
			v.findEntry(RecordedHeadDiffers, v.log.file, h.seq, h.what+" speaks of more entries than there were", fmt.Sprint(h.seq), fmt.Sprint(h.size))
		} else if root := want[h.size]; root.String() != h.head {
			v.findEntry(RecordedHeadDiffers, v.log.file, h.seq, h.what+" speaks of another head than the log had at that size", root.String(), h.head)
		}
	}
}

// rootsAt returns the log's roots at some sizes, zero for those that it has not.
func (v *verifier) rootsAt(sizes []int64) map[int64]audit.Hash {
	want := map[int64]audit.Hash{}
	if len(sizes) == 0 {
		return want
	}
	for _, n := range sizes {
		want[n] = audit.Hash{}
	}
	var tree audit.Frontier
	note := func() {
		if _, ok := want[tree.Size()]; ok {
			want[tree.Size()] = tree.Root()
		}
	}
	note()
	v.each(v.log.file, func(_ int64, b []byte) {
		tree.Append(audit.StatedHash(b))
		note()
	})
	return want
}

// checkTranscript checks what the log commits to about the paper: that there
// is a commitment, its signatures, the pages made again, the PDF.
func (v *verifier) checkTranscript(c *Check) {
	pages := v.log.pages
	if len(pages) == 0 {
		c.Result = "not done"
		if v.closed() && v.leftOut(bundle.TranscriptFile) && v.log.hidden.count > 0 {
			c.Note = "the transcript shows what is hidden: neither it nor the entries that commit to it are in the copy"
		} else if v.closed() {
			v.find(PagesDiffer, v.log.file, "the log is closed and commits to no transcript", "a transcript entry", "")
		}
		return
	}
	v.checkPlaces(pages)
	digests := v.checkCommitment(c, pages)
	if !v.has(bundle.TranscriptFile) {
		return
	}
	if digests != nil {
		v.recompose(c, pages, digests)
	}
	if v.closed() && !v.pdfCompared && !v.manifestHolds {
		v.find(TranscriptUnbound, bundle.TranscriptFile, "the PDF was not compared with the log, and no manifest binds it", "", "")
	}
}

// checkPlaces checks where the transcript entries stand: they speak of the whole
// log before the first of them, and the close follows the last. Only the note
// that the clock was set may stand between.
func (v *verifier) checkPlaces(pages []committed) {
	first := pages[0]
	if from := v.log.made.places[first.seq].from; first.Size < from || first.Size > first.seq {
		v.findEntry(PagesDiffer, v.log.file, first.seq, "the transcript is not made from all entries before it", fmt.Sprint(first.seq), fmt.Sprint(first.Size))
	}
	for _, p := range pages[1:] {
		if !v.log.made.places[p.seq].follows {
			v.findEntry(PagesDiffer, v.log.file, p.seq, "something stands between two transcript entries that no page shows", "", "")
		}
	}
	if v.closed() && !v.log.made.sealed {
		v.findEntry(PagesDiffer, v.log.file, v.log.lastSeq, "something stands between the transcript and the close that no page shows", "", "")
	}
	s := v.log.segments[max(first.segment, 0)]
	for _, p := range pages {
		if p.Go != s.program.Go {
			v.findEntry(PagesDiffer, v.log.file, p.seq, "the transcript names another Go version than the program that made it", s.program.Go, p.Go)
		}
	}
}

// checkCommitment checks the transcript entries: together they name every page
// once, for one state of the log, each signed. It returns the digests, nil if
// they are not whole.
func (v *verifier) checkCommitment(c *Check, pages []committed) []audit.Hash {
	first := pages[0]
	var digests []audit.Hash
	whole := true
	for _, p := range pages {
		if p.Size != first.Size || p.Head != first.Head || p.Of != first.Of || p.Renderer != first.Renderer || p.First != len(digests)+1 {
			v.findEntry(PagesDiffer, v.log.file, p.seq, "the transcript entries do not belong together", fmt.Sprintf("page %d of %d of %d entries", len(digests)+1, first.Of, first.Size), fmt.Sprintf("page %d of %d of %d entries", p.First, p.Of, p.Size))
			whole = false
		}
		for _, page := range p.Pages {
			c.Count++
			digest, ok := v.checkPage(p, page, len(digests)+1)
			digests = append(digests, digest)
			whole = whole && ok
		}
	}
	if len(digests) != first.Of {
		v.findEntry(PagesDiffer, v.log.file, first.seq, "the transcript entries do not name every page", fmt.Sprint(first.Of), fmt.Sprint(len(digests)))
		whole = false
	}
	if !whole {
		return nil
	}
	return digests
}

// checkPage checks one page's signature.
func (v *verifier) checkPage(p committed, page audit.Page, number int) (digest audit.Hash, ok bool) {
	d, err := hex.DecodeString(page.Digest)
	sig, err2 := hex.DecodeString(page.Signature)
	head, err3 := hex.DecodeString(p.Head)
	if err != nil || err2 != nil || err3 != nil || len(d) != len(digest) || len(head) != len(digest) || p.segment < 0 || v.log.open == nil {
		v.findEntry(PageSignature, v.log.file, p.seq, fmt.Sprintf("page %d: digest, head or signature cannot be read", number), "", page.Digest)
		return digest, false
	}
	digest = audit.Hash(d)
	text := transcript.PageNote(v.log.open.Origin, v.log.open.Mode, number, p.Of, digest, p.Size, audit.Hash(head))
	if err := audit.VerifyBytes(v.log.segments[p.segment].LogKey, []byte(text), sig); err != nil {
		v.findEntry(PageSignature, v.log.file, p.seq, fmt.Sprintf("page %d is not signed by the log key", number), "", err.Error())
		return digest, false
	}
	return digest, true
}

// recompose makes the transcript again and compares.
func (v *verifier) recompose(c *Check, pages []committed, digests []audit.Hash) {
	first := pages[0]
	if v.Recompose == nil || first.Renderer != transcript.Renderer {
		v.findEntry(PagesNotCompared, bundle.TranscriptFile, first.seq, "the pages cannot be made again by this program", first.Renderer, transcript.Renderer)
		c.Note = "signatures only; pages and PDF were not compared"
		return
	}
	again, pdf, err := v.callRecompose()
	if err != nil {
		v.findEntry(PagesDiffer, bundle.TranscriptFile, first.seq, "the transcript cannot be made from this log and its files", "", err.Error())
		return
	}
	made := transcript.Digests(again)
	if len(made) != len(digests) {
		v.findEntry(PagesDiffer, v.log.file, first.seq, "the log gives another number of pages than was signed", fmt.Sprint(len(made)), fmt.Sprint(len(digests)))
		return
	}
	for i := range made {
		if made[i] != digests[i] {
			v.findEntry(PagesDiffer, v.log.file, first.seq, fmt.Sprintf("page %d made from the log is not the one that was signed (every page behind it differs, too)", i+1), made[i].String(), digests[i].String())
			break
		}
	}
	v.comparePDF(c, first, pdf)
}

// The most that a transcript is made from again: pages, and bytes of entries. A
// ceremony of a day has a hundredth.
const (
	maxPages    = 2000
	maxComposed = 8 << 20
)

// callRecompose calls the hook with all entries of the log. The drawing
// library panics on some texts; that must not end the check.
func (v *verifier) callRecompose() (pages []transcript.Page, pdf []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the renderer gave up: %v", p)
		}
	}()
	if of := v.log.pages[0].Of; of > maxPages {
		v.findEntry(TooMuch, v.log.file, v.log.pages[0].seq, "more pages than any ceremony makes", fmt.Sprint(maxPages), fmt.Sprint(of))
		return nil, nil, fmt.Errorf("%d pages are too many", of)
	}
	var entries []*audit.Entry
	held := 0
	v.each(v.log.file, func(_ int64, b []byte) {
		e, perr := audit.Parse(b)
		held += len(b)
		switch {
		case err != nil:
		case perr != nil:
			err = fmt.Errorf("entry %d: %w", len(entries), perr)
		case held > maxComposed:
			v.findEntry(TooMuch, v.log.file, int64(len(entries)), "more bytes of entries than any transcript is made from", fmt.Sprint(maxComposed), "")
			err = errors.New("the log is too long for a transcript")
		default:
			entries = append(entries, e)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	return v.Recompose(v, entries)
}

func (v *verifier) comparePDF(c *Check, first committed, pdf []byte) {
	v.pdfCompared = len(pdf) > 0 && first.Go == runtime.Version()
	if len(pdf) == 0 || first.Go != runtime.Version() {
		v.findEntry(PDFNotCompared, bundle.TranscriptFile, first.seq, "the PDF cannot be drawn again here byte for byte: its renderer, fonts or Go version are others", first.Go, runtime.Version())
		c.Note = "the pages hold; the PDF was not compared byte for byte"
		return
	}
	b, ok := v.load(bundle.TranscriptFile)
	if !ok || bytes.Equal(b, pdf) {
		return
	}
	at := 0
	for at < min(len(b), len(pdf)) && b[at] == pdf[at] {
		at++
	}
	v.report.add(Finding{Code: PDFDiffers, Weight: Failure, File: bundle.TranscriptFile, Entry: -1, Offset: int64(at), What: "the file is not the PDF made from the log",
		Expected: fmt.Sprintf("%d bytes, SHA-256 %s", len(pdf), hash(pdf)), Found: fmt.Sprintf("%d bytes, SHA-256 %s", len(b), hash(b))})
}
