package verify

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
)

// ForkReportSchema names the version of a fork report's JSON.
const ForkReportSchema = "keyrite fork report v1"

// A Relation says how two logs stand to each other.
type Relation string

// The relations.
const (
	Same        Relation = "same"        // the same log at the same size
	Prefix      Relation = "prefix"      // one is the beginning of the other
	Different   Relation = "different"   // two logs that have nothing to do with each other
	Forked      Relation = "fork"        // one log that was continued in two ways
	Unprovable  Relation = "cannot tell" // what was given does not decide it
	NotAllSound Relation = "failed"      // a side does not verify
)

// A ForkReport says how two bundles, or checkpoints, stand to each other.
type ForkReport struct {
	Schema   string      `json:"schema"` // ForkReportSchema
	Verifier string      `json:"verifier"`
	Relation Relation    `json:"relation"`
	Exit     int         `json:"exit"`
	Common   int64       `json:"common"` // entries that both begin with; -1 if that is not known
	Sides    [2]ForkSide `json:"sides"`
	Note     string      `json:"note"` // what to know about the result
}

// A ForkSide is one of the two.
type ForkSide struct {
	Name     string     `json:"name"`     // as given
	Kind     string     `json:"kind"`     // "bundle", "checkpoint" or "proof"
	Verdict  Verdict    `json:"verdict"`  // of a bundle; "" for a file
	Problems []string   `json:"problems"` // why it does not verify
	Origin   string     `json:"origin"`
	Size     int64      `json:"size"`
	Head     string     `json:"head"`  // root, hex
	Key      string     `json:"key"`   // log key that signs the side where they part; of a file, what is known of its signer
	Entry    *ForkEntry `json:"entry"` // the first one in which they part; null if there is none

	report *Report
	leaves []audit.Hash
	root   audit.Hash
}

// A ForkEntry is one entry of a side.
type ForkEntry struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
	Kind string `json:"kind"` // "hidden" in a redacted copy
	Time string `json:"time"`
	Step string `json:"step"`
}

// Fork compares two bundles, or a bundle or file with a checkpoint or proof.
// The error is nil unless one cannot be read.
func Fork(a, b string, o Options) (*ForkReport, error) {
	r := &ForkReport{Schema: ForkReportSchema, Verifier: o.Verifier, Common: -1}
	for i, name := range []string{a, b} {
		s, err := forkSide(name, o)
		if err != nil {
			return nil, err
		}
		r.Sides[i] = *s
	}
	if err := r.compare(); err != nil {
		return nil, err
	}
	switch r.Relation {
	case Same, Prefix, Different:
		r.Exit = ExitSound
	default:
		r.Exit = ExitFailed
	}
	return r, nil
}

// forkSide reads one side.
func forkSide(name string, o Options) (*ForkSide, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	s := &ForkSide{Name: name, Problems: []string{}}
	if !info.IsDir() {
		return s, s.readFile()
	}
	s.Kind = "bundle"
	if s.report, err = Bundle(name, o); err != nil {
		return nil, err
	}
	s.Verdict, s.Origin, s.Size, s.Head = s.report.Verdict, s.report.Log.Origin, s.report.Log.Size, s.report.Log.Head
	for _, f := range s.report.Findings {
		if f.Weight == Failure && len(s.Problems) < MaxFindings {
			s.Problems = append(s.Problems, fmt.Sprintf("%s %s: %s", f.Code, f.where(), f.What))
		}
	}
	return s, eachEntry(name, func(_ int64, b []byte) { s.leaves = append(s.leaves, audit.StatedHash(b)) })
}

// eachEntry calls f for the entries of a bundle's log.
func eachEntry(dir string, f func(n int64, b []byte)) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	files, err := bundle.Read(dir)
	v := &verifier{root: root, files: map[string]bundle.File{}, report: new(Report)}
	for _, file := range files {
		v.files[file.Name] = file
	}
	file := bundle.LogFile
	if !v.has(file) {
		file = bundle.DatabaseFile
	}
	v.each(file, f)
	return errors.Join(err, root.Close())
}

// readFile reads a signed checkpoint, alone or in a proof.
func (s *ForkSide) readFile() error {
	f, err := os.Open(s.Name)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSmall))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	s.Kind = "checkpoint"
	p, q, err := audit.ParseProof(b)
	switch {
	case err == nil && p != nil:
		s.Kind, b = "proof", p.Checkpoint
		if _, _, err := p.Check(); err != nil {
			s.Problems = append(s.Problems, err.Error())
		}
	case err == nil:
		s.Kind, b = "proof", q.Checkpoint
	}
	c, _, err := audit.Cosignatures(b)
	if err != nil {
		s.Problems = append(s.Problems, "it is neither a checkpoint nor a proof: "+err.Error())
		return nil
	}
	s.Origin, s.Size, s.Head, s.root = c.Origin, c.Size, c.Root.String(), c.Root
	r := ProofReport{Origin: c.Origin}
	r.listSignatures(b)
	s.Key = "signer not checked: " + r.expectedKey()
	return nil
}

// compare draws the relation of the two sides.
func (r *ForkReport) compare() error {
	a, b := &r.Sides[0], &r.Sides[1]
	switch {
	case len(a.Problems) > 0 || len(b.Problems) > 0:
		r.Relation = NotAllSound
		r.Note = "What does not verify cannot be compared."
	case a.Origin != b.Origin:
		r.Relation = Different
	case a.Kind == "bundle" && b.Kind == "bundle":
		return r.compareBundles()
	case a.Kind != "bundle" && b.Kind != "bundle":
		r.compareFiles()
	case a.Kind == "bundle":
		r.compareWithFile(a, b)
	default:
		r.compareWithFile(b, a)
	}
	return nil
}

// compareBundles finds the first entry in which two logs part.
func (r *ForkReport) compareBundles() error {
	a, b := &r.Sides[0], &r.Sides[1]
	n := int64(0)
	for shorter := int64(min(len(a.leaves), len(b.leaves))); n < shorter && a.leaves[n] == b.leaves[n]; n++ {
	}
	r.Common = n
	switch {
	case n == int64(len(a.leaves)) && n == int64(len(b.leaves)):
		r.Relation = Same
	case n == int64(len(a.leaves)) || n == int64(len(b.leaves)):
		r.Relation = Prefix
	default:
		r.Relation = Forked
	}
	for i := range r.Sides {
		if err := r.Sides[i].partAt(n); err != nil {
			return err
		}
	}
	return nil
}

// partAt notes the entry of a side with which it goes its own way, and the key
// that signs it.
func (s *ForkSide) partAt(n int64) error {
	for _, g := range s.report.Log.Segments {
		if g.First <= n {
			s.Key = g.LogKey
		}
	}
	if n >= int64(len(s.leaves)) {
		return nil
	}
	s.Entry = &ForkEntry{Seq: n, Hash: s.leaves[n].String(), Kind: "hidden"}
	return eachEntry(s.Name, func(i int64, b []byte) {
		if i != n {
			return
		}
		if e, err := audit.Parse(b); err == nil {
			s.Entry.Kind, s.Entry.Step, s.Entry.Time = e.Kind(), e.Step, rfc3339(e.Time)
		}
	})
}

// compareFiles compares two checkpoints.
func (r *ForkReport) compareFiles() {
	a, b := &r.Sides[0], &r.Sides[1]
	switch {
	case a.Size != b.Size:
		r.Relation = Unprovable
		r.Note = "Two heads of different sizes: a bundle, or a proof made with 'keyrite log DIR --consistency M', would tell."
	case a.root == b.root:
		r.Relation = Same
	default:
		r.Relation = Forked
		r.Note = "One log had two heads at the same size, if both are genuine: their signatures were not checked."
	}
}

// compareWithFile compares a log with the head that a checkpoint says it had.
func (r *ForkReport) compareWithFile(log, file *ForkSide) {
	if file.Size > int64(len(log.leaves)) {
		r.Relation = Unprovable
		r.Note = "The checkpoint is of a longer log: the bundle may be its beginning or not."
		return
	}
	var tree audit.Frontier
	for _, leaf := range log.leaves[:file.Size] {
		tree.Append(leaf)
	}
	for _, g := range log.report.Log.Segments {
		if g.First <= max(file.Size-1, 0) {
			log.Key = g.LogKey
		}
	}
	switch {
	case tree.Root() != file.root:
		r.Relation = Forked
		r.Note = "Which entry is the first that differs cannot be told from a checkpoint. Its signature was not checked: a head that a witness noted, or cosigned, is genuine."
	case file.Size == log.Size:
		r.Relation, r.Common = Same, file.Size
	default:
		r.Relation, r.Common = Prefix, file.Size
	}
}
