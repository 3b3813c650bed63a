package verify

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/mod/sumdb/note"

	"github.com/keyrite/keyrite/audit"
)

// ProofReportSchema names the version of a proof report's JSON.
const ProofReportSchema = "keyrite proof report v1"

// ProofOptions is what the reader of a proof brings along.
type ProofOptions struct {
	LogKeys       []string // verifier keys that were read aloud
	WitnessKeys   []string // verifier keys of witnesses, or NAME=KEY
	Head          string   // root that was noted: 64 hex digits or 32 words
	OldHead       string   // of a consistency proof: the root that was noted earlier
	RequireAnchor bool     // a proof that nothing anchors is no success
	Verifier      string   // this program's name and version
}

// A ProofReport is what a proof's file shows.
type ProofReport struct {
	Schema      string           `json:"schema"` // ProofReportSchema
	Verifier    string           `json:"verifier"`
	File        string           `json:"file"`    // as given
	Kind        string           `json:"kind"`    // "inclusion", "consistency", or "" if the file is no proof
	Verdict     Verdict          `json:"verdict"` // Verified, Consistent or Failed
	Exit        int              `json:"exit"`
	Anchors     []string         `json:"anchors"`      // what from outside agrees, in words
	WouldAnchor string           `json:"would_anchor"` // what would make it evidence
	Problems    []string         `json:"problems"`     // what does not hold
	Origin      string           `json:"origin"`
	Mode        string           `json:"mode"`       // as the origin says
	Size        int64            `json:"size"`       // entries in the log
	Root        string           `json:"root"`       // over them, hex
	Number      int64            `json:"number"`     // the entry's number, or the earlier size
	EntryHash   string           `json:"entry_hash"` // hex; "" for a consistency proof
	Entry       json.RawMessage  `json:"entry"`      // null for a consistency proof
	Signatures  []ProofSignature `json:"signatures"`

	entry *audit.Entry
}

// A ProofSignature is one signature line of the proof's checkpoint.
type ProofSignature struct {
	Name    string `json:"name"`     // of the key
	KeyHash string `json:"key_hash"` // 8 hex digits
	Kind    string `json:"kind"`     // "log key", "cosignature" or "unknown"
	Time    string `json:"time"`     // of a cosignature, RFC 3339
	Holds   bool   `json:"holds"`    // it verifies with a key given from outside
}

// CheckProof reads and checks the proof in a file. The error is nil unless the
// file cannot be read or an option is not what it should be ([ErrUsage]).
func CheckProof(file string, o ProofOptions) (*ProofReport, error) {
	given, err := parseProofGiven(o)
	if err != nil {
		return nil, err
	}
	b, err := readProof(file)
	if err != nil {
		return nil, err
	}
	r := &ProofReport{Schema: ProofReportSchema, Verifier: o.Verifier, File: file, Number: -1, Anchors: []string{}, Problems: []string{}, Signatures: []ProofSignature{}}
	inclusion, consistency, err := audit.ParseProof(b)
	switch {
	case err != nil:
		r.problem("the file is no proof: %v", err)
	case inclusion != nil && given.old != nil:
		return nil, fmt.Errorf("%w: --old-head is for a consistency proof, and %q shows an entry", ErrUsage, file)
	case consistency != nil && given.old == nil:
		return nil, fmt.Errorf("%w: %q shows that a log grew from %d entries: --old-head HEAD is the head that you noted then", ErrUsage, file, consistency.Old)
	case inclusion != nil:
		r.inclusion(inclusion)
		r.signatures(inclusion.Checkpoint, given)
	default:
		r.consistency(consistency, *given.old)
		r.signatures(consistency.Checkpoint, given)
	}
	r.conclude(o)
	return r, nil
}

// readProof reads a file that may be a proof.
func readProof(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("opening the proof: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, audit.MaxProofFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading the proof: %w", err)
	}
	return b, nil
}

func (r *ProofReport) problem(format string, args ...any) {
	r.Problems = append(r.Problems, shorten(fmt.Sprintf(format, args...)))
}

func (r *ProofReport) inclusion(p *audit.Proof) {
	r.Kind, r.Number, r.EntryHash = "inclusion", p.Index, audit.LeafHash(p.Entry).String()
	c, e, err := p.Check()
	r.checkpoint(c)
	if e != nil {
		r.entry, r.Entry = e, p.Entry
	}
	if err != nil {
		r.problem("%v", err)
	}
}

func (r *ProofReport) consistency(p *audit.ConsistencyProof, old audit.Hash) {
	r.Kind, r.Number = "consistency", p.Old
	c, err := p.Check(old)
	r.checkpoint(c)
	if err != nil {
		r.problem("%v", err)
	}
}

// checkpoint notes what the checkpoint says.
func (r *ProofReport) checkpoint(c audit.Checkpoint) {
	r.Origin, r.Size, r.Root = c.Origin, c.Size, c.Root.String()
	mode, err := audit.OriginMode(c.Origin)
	if err != nil {
		r.problem("%v", err)
	}
	r.Mode = mode
	if open, ok := r.opened(); ok && open.Origin != c.Origin {
		r.problem("the entry opens the log %q", open.Origin)
	}
}

// opened returns the entry's data if it is the one that opens a log.
func (r *ProofReport) opened() (*audit.LogOpen, bool) {
	if r.entry == nil {
		return nil, false
	}
	open, ok := r.entry.Data.(*audit.LogOpen)
	return open, ok
}

// A proofGiven is what was brought along, parsed.
type proofGiven struct {
	logs      []string
	witnesses []givenKey
	head, old *audit.Hash
}

func parseProofGiven(o ProofOptions) (g proofGiven, err error) {
	for _, k := range o.LogKeys {
		if _, err := note.NewVerifier(k); err != nil {
			return g, fmt.Errorf("%w: log key %q: %w", ErrUsage, k, err)
		}
	}
	g.logs = o.LogKeys
	for _, k := range o.WitnessKeys {
		w, err := parseGivenKey(k)
		if err != nil {
			return g, fmt.Errorf("%w: %w", ErrUsage, err)
		}
		if w.name == "" {
			w.name = w.key.Name()
		}
		g.witnesses = append(g.witnesses, w)
	}
	for _, h := range []struct {
		text string
		to   **audit.Hash
	}{{o.Head, &g.head}, {o.OldHead, &g.old}} {
		if h.text == "" {
			continue
		}
		root, err := ParseHead(h.text)
		if err != nil {
			return g, fmt.Errorf("%w: head %q: %w", ErrUsage, h.text, err)
		}
		*h.to = &root
	}
	return g, nil
}

// signatures compares the checkpoint with what was brought along.
func (r *ProofReport) signatures(signed []byte, g proofGiven) {
	r.listSignatures(signed)
	r.checkLogKeys(signed, g.logs)
	c, all, err := audit.Cosignatures(signed)
	if err != nil {
		return // reported by the proof's check
	}
	for _, w := range g.witnesses {
		found := false
		for _, s := range all {
			if !w.key.Made(s) {
				continue
			}
			found = true
			if err := w.key.Check(s, c); err != nil {
				r.problem("%v", err)
				continue
			}
			r.holds(w.key.Name(), w.key.KeyHash())
			r.Anchors = append(r.Anchors, "the cosignature of "+w.name)
		}
		if !found {
			r.problem("the checkpoint has no cosignature by the witness key given, %s", w.key)
		}
	}
	if g.head != nil {
		if *g.head != c.Root {
			r.problem("the head given from outside is %s, that of the checkpoint %s", g.head, c.Root)
		} else {
			r.Anchors = append(r.Anchors, "the head")
		}
	}
}

// checkLogKeys looks for signatures by the log keys given. One of several is
// enough: each run of a ceremony has its own, and the checkpoint has the
// signature of one.
func (r *ProofReport) checkLogKeys(signed []byte, keys []string) {
	signedBy := 0
	for _, k := range keys {
		v, err := note.NewVerifier(k)
		if err != nil {
			continue // reported by parseProofGiven
		}
		_, err = audit.OpenCheckpoint(signed, k)
		var unverified *note.UnverifiedNoteError
		switch {
		case err == nil:
			signedBy++
			r.holds(v.Name(), v.KeyHash())
			r.Anchors = append(r.Anchors, "the log key "+keyID(v.Name(), v.KeyHash()))
		case !errors.As(err, &unverified):
			r.problem("%v", err)
		}
	}
	if len(keys) > 0 && signedBy == 0 {
		r.problem("no log key given signed the checkpoint. In a log of several runs each has its own key, and the last run's signs the final checkpoint: %s", r.expectedKey())
	}
}

// expectedKey says which log key the checkpoint wants.
func (r *ProofReport) expectedKey() string {
	for _, s := range r.Signatures {
		if s.Kind == "log key" {
			return fmt.Sprintf("it is signed under the key hash %s, the 8 hex digits between the plus signs of the log key", s.KeyHash)
		}
	}
	return "it is signed by no log key"
}

func keyID(name string, hash uint32) string { return fmt.Sprintf("%s+%08x", name, hash) }

// holds notes that a signature verifies.
func (r *ProofReport) holds(name string, hash uint32) {
	for i := range r.Signatures {
		if s := &r.Signatures[i]; s.Name == name && s.KeyHash == fmt.Sprintf("%08x", hash) {
			s.Holds = true
		}
	}
}

// listSignatures lists the checkpoint's signature lines, verified or not.
func (r *ProofReport) listSignatures(signed []byte) {
	_, err := note.Open(signed, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return // reported by the proof's check
	}
	for _, s := range unverified.Note.UnverifiedSigs {
		line := ProofSignature{Name: s.Name, KeyHash: fmt.Sprintf("%08x", s.Hash), Kind: "unknown"}
		b, err := base64.StdEncoding.DecodeString(s.Base64)
		switch {
		case err == nil && s.Name == r.Origin && len(b) == 4+64:
			line.Kind = "log key"
		case err == nil && len(b) == 4+8+64 && binary.BigEndian.Uint64(b[4:])>>63 == 0:
			line.Kind = "cosignature"
			line.Time = rfc3339(audit.Cosignature{Time: int64(binary.BigEndian.Uint64(b[4:]))}.At())
		}
		r.Signatures = append(r.Signatures, line)
	}
}

// conclude draws the verdict and exit code.
func (r *ProofReport) conclude(o ProofOptions) {
	switch {
	case len(r.Problems) > 0:
		r.Verdict = Failed
	case len(r.Anchors) > 0:
		r.Verdict = Verified
	default:
		r.Verdict = Consistent
		r.WouldAnchor = "One value would make it evidence: the log key as it was read aloud (--log-key; " + r.expectedKey() + "), the head as it was noted (--head), or the key of a witness who cosigned (--witness-key)."
	}
	r.Exit = ExitSound
	if r.Verdict == Failed || r.Verdict != Verified && o.RequireAnchor {
		r.Exit = ExitFailed
	}
}
