package audit

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// proofHeader is the first line of a C2SP tlog-proof of version 1.
const proofHeader = "c2sp.org/tlog-proof@v1"

// maxProof is the most hashes that a proof of either kind has: a tree of 2^53
// leaves is 53 levels high, and a consistency proof needs one more.
const maxProof = 54

// MaxProofFile is the most bytes that a proof's file has: the entry in base64,
// the hashes, and a checkpoint with 100 signatures.
const MaxProofFile = 256 << 10

// A Proof shows one entry of a log alone.
type Proof struct {
	Entry      []byte // the entry's bytes
	Index      int64  // its number
	Hashes     []Hash // inclusion proof, from the leaf's sibling up
	Checkpoint []byte // the signed note of the tree that it is in
}

// Marshal returns the proof's file, a C2SP tlog-proof whose extra data is the
// entry:
//
//	c2sp.org/tlog-proof@v1
//	extra <base64 of the entry>
//	index 12
//	<base64 of a hash>
//	…
//	<empty line>
//	<signed checkpoint>
func (p *Proof) Marshal() []byte {
	head := proofHeader + "\nextra " + base64.StdEncoding.EncodeToString(p.Entry) + "\nindex " + strconv.FormatInt(p.Index, 10) + "\n"
	return proofFile(head, p.Hashes, p.Checkpoint)
}

// Check returns what the checkpoint says if the proof shows that the entry is
// in the tree it speaks of, at its own number. Whose signatures the checkpoint
// has is not looked at.
func (p *Proof) Check() (Checkpoint, *Entry, error) {
	c, err := readCheckpoint(p.Checkpoint)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	e, err := Parse(p.Entry)
	if err != nil {
		return c, nil, err
	}
	if e.Seq != p.Index {
		return c, e, fmt.Errorf("checking a proof: it is for entry %d, but the entry says that it is %d", p.Index, e.Seq)
	}
	return c, e, CheckInclusion(p.Hashes, c, p.Index, LeafHash(p.Entry))
}

// A ConsistencyProof shows that a log has an earlier state of it as its
// beginning.
type ConsistencyProof struct {
	Old        int64  // size of the earlier state
	Hashes     []Hash // consistency proof
	Checkpoint []byte // the signed note of the later state
}

// Marshal returns the proof's file, in the form in which C2SP tlog-witness asks
// a witness to add a checkpoint:
//
//	old 12
//	<base64 of a hash>
//	…
//	<empty line>
//	<signed checkpoint>
func (p *ConsistencyProof) Marshal() []byte {
	return proofFile("old "+strconv.FormatInt(p.Old, 10)+"\n", p.Hashes, p.Checkpoint)
}

func proofFile(head string, hashes []Hash, checkpoint []byte) []byte {
	b := []byte(head)
	for _, h := range hashes {
		b = append(base64.StdEncoding.AppendEncode(b, h[:]), '\n')
	}
	return append(append(b, '\n'), checkpoint...)
}

// Check returns what the checkpoint says if the proof shows that a log of Old
// entries with the root oldRoot is its beginning. Whose signatures the
// checkpoint has is not looked at.
func (p *ConsistencyProof) Check(oldRoot Hash) (Checkpoint, error) {
	c, err := readCheckpoint(p.Checkpoint)
	if err != nil {
		return Checkpoint{}, err
	}
	return c, CheckConsistency(p.Hashes, c, p.Old, oldRoot)
}

// ParseProof reads a proof's file, of either kind; the other result is nil. It
// accepts exactly what Marshal writes, with the text of a checkpoint in a
// signed note; nothing is checked beyond the form.
func ParseProof(b []byte) (*Proof, *ConsistencyProof, error) {
	if len(b) > MaxProofFile {
		return nil, nil, fmt.Errorf("parsing a proof: %d bytes, at most %d", len(b), MaxProofFile)
	}
	head, note, ok := strings.Cut(string(b), "\n\n")
	if !ok {
		return nil, nil, fmt.Errorf("parsing a proof: no empty line before a checkpoint")
	}
	if _, err := readCheckpoint([]byte(note)); err != nil {
		return nil, nil, fmt.Errorf("parsing a proof: %w", err)
	}
	lines := strings.Split(head, "\n")
	if rest, ok := strings.CutPrefix(lines[0], "old "); ok {
		p := &ConsistencyProof{Checkpoint: []byte(note)}
		var err error
		if p.Old, err = parseSize(rest); err == nil {
			p.Hashes, err = parseHashes(lines[1:])
		}
		if err != nil {
			return nil, nil, fmt.Errorf("parsing a consistency proof: %w", err)
		}
		return nil, p, nil
	}
	p, err := parseInclusion(lines)
	if err != nil {
		return nil, nil, fmt.Errorf("parsing a proof: %w", err)
	}
	p.Checkpoint = []byte(note)
	return p, nil, nil
}

// parseInclusion reads the lines of a tlog-proof before the empty one.
func parseInclusion(lines []string) (*Proof, error) {
	if lines[0] != proofHeader {
		return nil, fmt.Errorf("the first line is %q, not %q or \"old\" and a size", lines[0], proofHeader)
	}
	if len(lines) < 3 {
		return nil, fmt.Errorf("no lines \"extra\" and \"index\"")
	}
	extra, ok := strings.CutPrefix(lines[1], "extra ")
	if !ok {
		return nil, fmt.Errorf("line 2 is not \"extra\" and the entry")
	}
	entry, err := parseBase64(extra)
	if err != nil || len(entry) == 0 || len(entry) > MaxEntry {
		return nil, fmt.Errorf("line 2: not base64 of 1 to %d bytes", MaxEntry)
	}
	index, ok := strings.CutPrefix(lines[2], "index ")
	if !ok {
		return nil, fmt.Errorf("line 3 is not \"index\" and a number")
	}
	n, err := parseSize(index)
	if err != nil {
		return nil, fmt.Errorf("line 3: %w", err)
	}
	hashes, err := parseHashes(lines[3:])
	if err != nil {
		return nil, err
	}
	return &Proof{Entry: entry, Index: n, Hashes: hashes}, nil
}

// parseHashes reads a proof's hashes, one a line.
func parseHashes(lines []string) ([]Hash, error) {
	if len(lines) > maxProof {
		return nil, fmt.Errorf("%d hashes, at most %d", len(lines), maxProof)
	}
	hashes := make([]Hash, len(lines))
	for i, line := range lines {
		b, err := parseBase64(line)
		if err != nil || len(b) != HashSize {
			return nil, fmt.Errorf("hash %d, %q, is not base64 of %d bytes", i+1, line, HashSize)
		}
		hashes[i] = Hash(b)
	}
	return hashes, nil
}

// parseBase64 reads standard base64 that has no second form.
func parseBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err == nil && base64.StdEncoding.EncodeToString(b) != s {
		err = fmt.Errorf("line breaks in base64")
	}
	return b, err
}
