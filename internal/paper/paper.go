// Package paper makes the transcript of a ceremony from what its log commits
// to: the pages that the log key signs before the close, and the PDF after it.
// The ceremony makes it once; anybody can make it again from the bundle.
package paper

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/pki"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/pdf"
)

// perEntry is how many pages one transcript entry commits to: their digests
// and signatures stay far below an entry's 64 KiB.
const perEntry = 100

// Paper makes transcripts. The zero value is ready.
type Paper struct{}

// Pages composes the signed pages from the entries 0…n−1, whose root is head.
// file reads a file of the bundle by its name.
func (Paper) Pages(entries []*audit.Entry, head audit.Hash, file func(string) ([]byte, error)) ([]transcript.Page, error) {
	open, err := opening(entries)
	if err != nil {
		return nil, err
	}
	return transcript.Compose(transcript.Source{
		Origin: open.Origin, Entries: entries, Head: head, Cover: cover(open, entries),
		File: file, AnnexText: annexText,
	})
}

// Commit composes the pages and returns the entries that commit to them. sign
// is the log key's signature over a page note.
func (p Paper) Commit(entries []*audit.Entry, head audit.Hash, file func(string) ([]byte, error), sign func([]byte) ([]byte, error)) ([]*audit.Transcript, error) {
	pages, err := p.Pages(entries, head, file)
	if err != nil {
		return nil, err
	}
	open, err := opening(entries)
	if err != nil {
		return nil, err
	}
	var list []*audit.Transcript
	for i, digest := range transcript.Digests(pages) {
		if i%perEntry == 0 {
			list = append(list, &audit.Transcript{
				Renderer: transcript.Renderer, Go: runtime.Version(), Fonts: pdf.Fonts(),
				Size: int64(len(entries)), Head: head.String(), Of: len(pages), First: i + 1, Pages: []audit.Page{},
			})
		}
		sig, err := sign([]byte(transcript.PageNote(open.Origin, open.Mode, i+1, len(pages), digest, int64(len(entries)), head)))
		if err != nil {
			return nil, fmt.Errorf("signing page %d: %w", i+1, err)
		}
		last := list[len(list)-1]
		last.Pages = append(last.Pages, audit.Page{Digest: digest.String(), Signature: hex.EncodeToString(sig)})
	}
	return list, nil
}

// PDF draws the transcript of a closed log, given whole.
func (p Paper) PDF(entries []*audit.Entry, checkpoint []byte, file func(string) ([]byte, error)) ([]byte, error) {
	if len(entries) == 0 {
		return nil, errors.New("drawing the transcript: the log is empty")
	}
	last := entries[len(entries)-1]
	if _, ok := last.Data.(*audit.Close); !ok {
		return nil, errors.New("drawing the transcript: the log is not closed, so no page is signed yet")
	}
	commit, sealed, err := Committed(entries)
	if err != nil {
		return nil, err
	}
	var head audit.Hash
	if n, err := hex.Decode(head[:], []byte(commit.Head)); err != nil || n != len(head) {
		return nil, fmt.Errorf("drawing the transcript: head %q is no hash", commit.Head)
	}
	pages, err := p.Pages(entries[:commit.Size], head, file)
	if err != nil {
		return nil, err
	}
	open, err := opening(entries)
	if err != nil {
		return nil, err
	}
	return pdf.Render(pdf.Input{
		Pages: pages, Closing: transcript.ClosingPage(pages, checkpoint, logKeys(entries)...), Sealed: sealed,
		Size: commit.Size, Head: head, Origin: open.Origin, Mode: open.Mode,
		Checkpoint: checkpoint, Title: open.Title, Created: last.Time,
	})
}

// Committed returns the last set of transcript entries in the log and the pages
// they seal. An earlier set, from a close that was broken off, counts for
// nothing.
func Committed(entries []*audit.Entry) (*audit.Transcript, []audit.Page, error) {
	var first *audit.Transcript
	var sealed []audit.Page
	for _, e := range entries {
		d, ok := e.Data.(*audit.Transcript)
		if !ok {
			continue
		}
		if d.First == 1 {
			first, sealed = d, nil
		}
		if first == nil || d.First != len(sealed)+1 || d.Size != first.Size || d.Head != first.Head || d.Of != first.Of {
			return nil, nil, fmt.Errorf("entry %d: the transcript's pages do not go on from the entry before", e.Seq)
		}
		sealed = append(sealed, d.Pages...)
	}
	if first == nil || len(sealed) != first.Of {
		return nil, nil, errors.New("the log does not commit to a whole transcript")
	}
	if first.Size < 1 || first.Size > int64(len(entries)) {
		return nil, nil, fmt.Errorf("the transcript says it was made from %d entries, the log has %d", first.Size, len(entries))
	}
	return first, sealed, nil
}

func opening(entries []*audit.Entry) (*audit.LogOpen, error) {
	if len(entries) > 0 {
		if open, ok := entries[0].Data.(*audit.LogOpen); ok {
			return open, nil
		}
	}
	return nil, errors.New("the log does not begin with a log-open entry")
}

func logKeys(entries []*audit.Entry) []string {
	var keys []string
	for _, e := range entries {
		switch d := e.Data.(type) {
		case *audit.LogOpen:
			keys = append(keys, d.LogKey)
		case *audit.SegmentOpen:
			keys = append(keys, d.LogKey)
		}
	}
	return keys
}

// cover takes what the cover shows from the log: what the script said is there
// as it was shown to the room.
func cover(open *audit.LogOpen, entries []*audit.Entry) transcript.Cover {
	c := transcript.Cover{
		Title: open.Title, Organisation: open.Organisation, Place: open.Place, Purpose: open.Purpose, Mode: open.Mode,
	}
	for _, p := range open.Participants {
		c.Participants = append(c.Participants, transcript.Participant{ID: p.ID, Name: p.Name, Roles: p.Roles})
	}
	begun := map[string]*audit.StepBegin{}
	for _, e := range entries {
		if d, ok := e.Data.(*audit.StepBegin); ok {
			begun[e.Step] = d
		}
	}
	for _, st := range open.Plan {
		step := transcript.Step{ID: st.ID, Title: st.Title}
		if d := begun[st.ID]; d != nil {
			step.Say, step.Watch, step.Witnesses = d.Say, d.Watch, d.Witnesses
		}
		c.Steps = append(c.Steps, step)
	}
	return c
}

// annexText gives certificates and CRLs as text, other artifacts as they are
// if they are PEM.
func annexText(name string, b []byte) ([]string, error) {
	block, rest := pem.Decode(b)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, nil
	}
	switch block.Type {
	case "CERTIFICATE", "X509 CRL":
		text, err := pki.Text(block.Bytes)
		return strings.Split(strings.TrimSpace(text), "\n"), err
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n"), nil
}
