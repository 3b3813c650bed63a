package verify

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
)

// ErrUsage is in every error about an option that is not what it should be.
var ErrUsage = errors.New("wrong use")

// given is what the auditor brings along, parsed.
type given struct {
	head      *audit.Hash
	script    string
	witnesses []givenKey
	policy    *policy
	tsa       []*x509.Certificate // CAs of time-stamp authorities
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
	for _, k := range o.WitnessKeys {
		w, err := parseGivenKey(k)
		if err != nil {
			return g, fmt.Errorf("%w: witness key: %w", ErrUsage, err)
		}
		g.witnesses = append(g.witnesses, w)
	}
	if len(o.Policy) > 0 {
		if g.policy, err = parsePolicy(o.Policy); err != nil {
			return g, fmt.Errorf("%w: %w", ErrUsage, err)
		}
	}
	if g.tsa, err = parseTSA(o.TSACA); err != nil {
		return g, fmt.Errorf("%w: CA of the time-stamp authority: %w", ErrUsage, err)
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
	v.anchorByWitnesses(c)
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
	keys := v.LogKeys
	if v.given.policy != nil {
		keys = slices.Concat(keys, v.given.policy.logs)
	}
	for _, k := range keys {
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
