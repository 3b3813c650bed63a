package paper

import (
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/pdf"
)

// Again makes the transcript of a closed log a second time, for comparison: the
// signed pages, and the PDF. The PDF is nil if this program has not the
// renderer, the fonts or the Go version that the log names, so that its bytes
// would differ though nothing is wrong; the pages' digests do not depend on
// those.
func (p Paper) Again(entries []*audit.Entry, file func(string) ([]byte, error)) ([]transcript.Page, []byte, error) {
	commit, _, err := Committed(entries)
	if err != nil {
		return nil, nil, err
	}
	var head audit.Hash
	if n, err := hex.Decode(head[:], []byte(commit.Head)); err != nil || n != len(head) {
		return nil, nil, fmt.Errorf("making the transcript again: head %q is no hash", commit.Head)
	}
	pages, err := p.Pages(entries[:commit.Size], head, file)
	if err != nil {
		return nil, nil, err
	}
	if commit.Renderer != transcript.Renderer || commit.Go != runtime.Version() || !slices.Equal(commit.Fonts, pdf.Fonts()) {
		return pages, nil, nil
	}
	checkpoint, err := file(bundle.CheckpointFile)
	if err != nil {
		return pages, nil, err
	}
	b, err := p.PDF(entries, checkpoint, file)
	return pages, b, err
}
