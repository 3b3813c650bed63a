package verify

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
)

// ErrUsage is in every error about an option that is not what it should be.
var ErrUsage = errors.New("wrong use")

// given is what the auditor brings along, parsed.
type given struct {
	head   *audit.Hash
	script string
}

func parseGiven(o Options) (g given, err error) {
	for _, k := range o.LogKeys {
		if _, err := note.NewVerifier(k); err != nil {
			return g, fmt.Errorf("%w: log key %q: %w", ErrUsage, k, err)
		}
	}
	if o.Head != "" {
		h, err := ParseHead(o.Head)
		if err != nil {
			return g, fmt.Errorf("%w: head %q: %w", ErrUsage, o.Head, err)
		}
		g.head = &h
	}
	g.script = strings.ToLower(strings.TrimSpace(o.ScriptSHA256))
	if b, err := hex.DecodeString(g.script); err != nil || g.script != "" && len(b) != audit.HashSize {
		return g, fmt.Errorf("%w: script hash %q: want 64 hex digits", ErrUsage, o.ScriptSHA256)
	}
	return g, nil
}

// ParseHead reads a root as hex digits or PGP words, white space left out.
func ParseHead(s string) (h audit.Hash, err error) {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		b, err = audit.ParseWords(s)
	}
	if err != nil {
		return h, err
	}
	if len(b) != len(h) {
		return h, fmt.Errorf("want %d bytes, as hex digits or words, found %d", len(h), len(b))
	}
	return audit.Hash(b), nil
}

// checkGiven compares the log with what the auditor brought along.
func (v *verifier) checkGiven(c *Check) {
	v.checkGivenKeys(c)
	if h := v.given.head; h != nil {
		c.Count++
		switch {
		case !v.closed():
			c.Note = "the head cannot be compared before the log is closed"
		case *h != v.log.root:
			v.find(HeadDiffersFromGiven, "", "the head given from outside is not the root over the log", h.String(), v.log.root.String())
		default:
			v.report.Anchors = append(v.report.Anchors, "the final head")
			for i := range v.log.segments {
				v.log.segments[i].Anchored = true
			}
		}
	}
	if want := v.given.script; want != "" {
		c.Count++
		if v.report.Script != want {
			v.find(ScriptNotAgreed, "script.yaml", "the script is not the one agreed", want, v.report.Script)
		} else {
			c.Note = strings.TrimPrefix(c.Note+"; the script is the one agreed", "; ")
		}
	}
	if c.Count == 0 {
		c.Result, c.Note = "not done", "nothing was given"
	}
	v.checkAnchors()
}

// checkGivenKeys matches the log keys given with the segments.
func (v *verifier) checkGivenKeys(c *Check) {
	for _, k := range v.LogKeys {
		c.Count++
		known := false
		for i := range v.log.segments {
			s := &v.log.segments[i]
			if s.LogKey != k {
				continue
			}
			known = true
			if !v.closed() {
				c.Note = "the log names the key, but no signature of it was checked: the log is not closed"
				continue
			}
			s.Anchored = true
			v.report.Anchors = append(v.report.Anchors, fmt.Sprintf("the log key of segment %d", s.Number))
		}
		if !known {
			v.find(LogKeyDiffers, "", "the log key given from outside signs no segment of this log", k, v.firstKey())
		}
	}
}

func (v *verifier) firstKey() string {
	if len(v.log.segments) == 0 {
		return ""
	}
	return v.log.segments[0].LogKey
}

// checkAnchors names the segments that nothing vouches for, and the one value
// that would make the log evidence. A log of one segment without any anchor is
// told by the verdict alone.
func (v *verifier) checkAnchors() {
	anchored := 0
	for _, s := range v.log.segments {
		if s.Anchored {
			anchored++
		}
	}
	if anchored < len(v.log.segments) {
		v.report.WouldAnchor = "One value would make it evidence: the log's head as it was read aloud at the close (--head), or the log key of each segment (--log-key): from the room's notes, not from the bundle."
	}
	for _, s := range v.log.segments {
		if !s.Anchored && (anchored > 0 || s.Number > 0) {
			v.findEntry(SegmentUnanchored, "", s.First, fmt.Sprintf("nothing from outside vouches for segment %d, entries %d to %d", s.Number, s.First, s.Last), "", s.LogKey)
		}
	}
}
