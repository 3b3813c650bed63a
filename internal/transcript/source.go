package transcript

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/keyrite/keyrite/audit"
)

// A Source is everything that the pages are made from. The same source gives
// the same pages, on any machine and at any time.
type Source struct {
	Origin  string         // of the log
	Entries []*audit.Entry // 0…n−1, in their order
	Head    audit.Hash     // root over them
	Script  []byte         // script.yaml; only its hash is printed
	Cover   Cover          // what the script says

	// File returns an artifact's bytes by its name in the bundle. If File is
	// nil the annex gives the artifacts' hashes and no text.
	File func(name string) ([]byte, error)
	// AnnexText turns a certificate or CRL into lines that a person can read.
	// Nil means none. What File or AnnexText fails with is told on the page.
	AnnexText func(name string, b []byte) ([]string, error)
}

// A Cover is what the script says of the ceremony, as far as the pages show it.
type Cover struct {
	Title, Organisation, Place, Purpose string
	Mode                                string // "production" or "rehearsal"
	Participants                        []Participant
	Steps                               []Step
}

// A Participant is a person on the roster.
type Participant struct {
	ID, Name string
	Roles    []string
}

// A Step is a step as the script has it. Say and Watch may be empty; Witnesses
// are participant ids.
type Step struct {
	ID, Title, Say, Watch string
	Witnesses             []string
}

// Compose makes the pages that the log key signs. The closing sheet is made
// after the close, by [ClosingPage].
//
// It fails only if Script is not the one that the log's first entry names: a
// cover filled from another script would be a false one. A script of no bytes
// is not compared.
func Compose(src Source) ([]Page, error) {
	f := gather(src)
	if f.open != nil && len(src.Script) > 0 {
		sum := sha256.Sum256(src.Script)
		if have := hex.EncodeToString(sum[:]); have != f.open.Script.SHA256 {
			return nil, fmt.Errorf("composing the transcript: the script's SHA-256 is %s, the log says %q", have, f.open.Script.SHA256)
		}
	}
	var blocks []block
	blocks = append(blocks, f.coverBlocks()...)
	blocks = append(blocks, f.stepBlocks()...)
	blocks = append(blocks, f.annexBlocks()...)
	return f.pages(paginate(blocks)), nil
}

// pages gives every body its frame.
func (f *facts) pages(bodies [][]Line) []Page {
	pages := make([]Page, len(bodies))
	for i, lines := range bodies {
		pages[i] = Page{Number: i + 1, Of: len(bodies), Mark: f.mark(), Lines: lines}
		pages[i].frame(f.src.Origin, f.src.Cover, f.mode())
	}
	return pages
}
