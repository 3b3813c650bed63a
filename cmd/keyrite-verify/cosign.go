package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/keyfile"
	"github.com/keyrite/keyrite/internal/verify"
)

const cosignHelp = `usage: keyrite-verify cosign DIR|CHECKPOINT|- --key FILE [options]

Signs a ceremony's checkpoint with a witness's key, on the witness's own
machine. DIR is the folder of a closed ceremony: all of it is verified first,
and what fails is not signed. CHECKPOINT is a file with the signed note that the
room shows as a QR code; - reads it from the standard input. Either is compared
with what the witness noted in the room.

options, before or after the argument:
  --key FILE       the witness's key, made by 'keyrite-verify witness-key'
  --head HEAD      the head that you noted: 64 hex digits, or 32 words in quotes
  --log-key KEY    the log key that was read aloud; once for each segment
  --unseen         sign though you noted neither: your signature then says only
                   that this checkpoint existed when you signed
  -o FILE          write the checkpoint with your line into FILE, which must not
                   exist. For a closed ceremony: -o DIR/after/
  --help           print this

a verdict instead of a cosignature, over the same checkpoint:
  --verdict WHAT   agree, or "do not agree"
  --because TEXT   why you do not agree
  --step ID        the step in which you are asked
  --witness ID     who you are in the script

an approval instead, where a step asks for yours:
  --approve ACT    step, or skip or repeat; with --step and --witness

Prints the line that goes back into the room (as text or QR code), then the
same in lines that can be read aloud and typed.

example:
  keyrite-verify cosign root-ceremony --key alice.key --head "$(cat noted)" \
      -o root-ceremony/after/

exit codes: 0 signed · 1 not signed: it fails, or is not what was noted ·
            2 wrong use · 3 a file could not be read or written
`

// maxCheckpoint is the most bytes of a signed checkpoint that are read.
const maxCheckpoint = 1 << 20

// A cosigning is a command line of cosign, understood.
type cosigning struct {
	*console
	target                      string
	key, out                    string
	unseen                      bool
	verdict, because, step, who string
	approve                     string
	verify.Options
}

// cosign carries out "cosign".
func (c *console) cosign(args []string) int {
	return c.finish(c.cosignWith(args), "cosign", cosignHelp)
}

func (c *console) cosignWith(args []string) error {
	s, err := parseCosign(args)
	if err != nil {
		return err
	}
	s.console = c
	p, signed, err := s.checkpoint()
	if err != nil {
		return err
	}
	return s.sign(p, signed)
}

func parseCosign(args []string) (*cosigning, error) {
	s := new(cosigning)
	fs := flag.NewFlagSet("cosign", flag.ContinueOnError)
	fs.StringVar(&s.key, "key", "", "")
	fs.StringVar(&s.out, "o", "", "")
	fs.StringVar(&s.Head, "head", "", "")
	fs.Func("log-key", "", func(k string) error { s.LogKeys = append(s.LogKeys, k); return nil })
	fs.BoolVar(&s.unseen, "unseen", false, "")
	fs.StringVar(&s.verdict, "verdict", "", "")
	fs.StringVar(&s.approve, "approve", "", "")
	fs.StringVar(&s.because, "because", "", "")
	fs.StringVar(&s.step, "step", "", "")
	fs.StringVar(&s.who, "witness", "", "")
	rest, err := parse(fs, args)
	switch {
	case err != nil:
		return nil, err
	case len(rest) != 1:
		return nil, wrongUse("one folder or checkpoint is wanted, found %d", len(rest))
	case s.key == "":
		return nil, wrongUse("which key? name its file with --key")
	case s.Head == "" && len(s.LogKeys) == 0 && !s.unseen:
		return nil, wrongUse("what did you note in the room? Give its head with --head or its log key with --log-key, or say --unseen: then your signature says only that this checkpoint existed when you signed")
	}
	s.target = rest[0]
	return s, s.checkVerdict()
}

// checkVerdict looks at the options of a verdict.
func (s *cosigning) checkVerdict() error {
	switch {
	case s.approve != "" && (s.verdict != "" || s.because != ""):
		return wrongUse("--approve and --verdict are two things: sign one after the other")
	case s.approve != "" && s.approve != "step" && s.approve != "skip" && s.approve != "repeat":
		return wrongUse("approve %q: it is \"step\", \"skip\" or \"repeat\"", s.approve)
	case s.approve != "" && (s.step == "" || s.who == ""):
		return wrongUse("an approval takes --step and --witness")
	case s.approve != "":
		return nil
	case s.verdict == "" && (s.because != "" || s.step != "" || s.who != ""):
		return wrongUse("--because belongs to --verdict, --step and --witness to --verdict or --approve")
	case s.verdict == "":
		return nil
	case s.verdict != "agree" && s.verdict != "do not agree":
		return wrongUse("verdict %q: it is \"agree\" or \"do not agree\"", s.verdict)
	case s.step == "" || s.who == "":
		return wrongUse("a verdict takes --step and --witness")
	case (s.verdict == "agree") != (s.because == ""):
		return wrongUse("--because goes with \"do not agree\", and only with that")
	}
	return nil
}

// checkpoint returns what is to be signed, checked against what was noted, and
// the signed note that it stands in.
func (s *cosigning) checkpoint() (audit.Checkpoint, []byte, error) {
	if s.target != "-" {
		info, err := os.Stat(s.target)
		if err != nil {
			return audit.Checkpoint{}, nil, unreadable("%w", err)
		}
		if info.IsDir() {
			return s.fromBundle()
		}
	}
	return s.fromNote()
}

// fromBundle verifies a closed ceremony.
func (s *cosigning) fromBundle() (p audit.Checkpoint, signed []byte, err error) {
	o := s.Options
	o.Verifier, o.Recompose, o.RequireAnchor = name+" "+version(), recompose, !s.unseen
	report, err := verify.Bundle(s.target, o)
	if errors.Is(err, verify.ErrUsage) {
		return p, nil, wrongUse("%w", err)
	}
	if err != nil {
		return p, nil, unreadable("%w", err)
	}
	if report.Exit != verify.ExitSound {
		if err := report.WriteText(s.Err, s.Color); err != nil {
			return p, nil, unreadable("%w", err)
		}
		fmt.Fprintln(s.Err)
		if report.Verdict == verify.NotClosed {
			return p, nil, refused("not signed: the ceremony is not closed; sign the checkpoint that the room shows instead")
		}
		return p, nil, refused("not signed: see above")
	}
	root, err := verify.ParseHead(report.Log.Head)
	if err != nil {
		return p, nil, unreadable("%w", err)
	}
	p = audit.Checkpoint{Origin: report.Log.Origin, Size: report.Log.Size, Root: root}
	signed, err = readSmall(filepath.Join(s.target, bundle.CheckpointFile))
	if err != nil {
		return p, nil, err
	}
	fmt.Fprintf(s.Err, "%s\n", verifiedLine(report))
	return p, signed, nil
}

// verifiedLine says in one line what the verification of a bundle gave.
func verifiedLine(r *verify.Report) string {
	if len(r.Anchors) > 0 {
		return fmt.Sprintf("verified: all of %s; %s", r.Bundle, strings.Join(r.Anchors, " and "))
	}
	return fmt.Sprintf("verified: %s is consistent with itself; nothing that you noted vouches for it", r.Bundle)
}

// fromNote reads a checkpoint alone and compares it with what was noted.
func (s *cosigning) fromNote() (p audit.Checkpoint, signed []byte, err error) {
	if s.target == "-" {
		s.inTaken = true
		signed, err = io.ReadAll(io.LimitReader(s.in, maxCheckpoint))
	} else {
		signed, err = readSmall(s.target)
	}
	if err != nil {
		return p, nil, unreadable("reading the checkpoint: %w", err)
	}
	if n := len(signed); n > 0 && signed[n-1] != '\n' {
		signed = append(signed, '\n') // readers of QR codes leave it out
	}
	if p, _, err = audit.Cosignatures(signed); err != nil {
		return p, nil, refused("not signed: %w", err)
	}
	if _, err := audit.OriginMode(p.Origin); err != nil {
		return p, nil, refused("not signed: %w", err)
	}
	if err := s.compare(p, signed); err != nil {
		return p, nil, err
	}
	return p, signed, nil
}

// compare holds a checkpoint against what was noted.
func (s *cosigning) compare(p audit.Checkpoint, signed []byte) error {
	if s.Head != "" {
		h, err := verify.ParseHead(s.Head)
		if err != nil {
			return wrongUse("head %q: %w", s.Head, err)
		}
		if h != p.Root {
			return refused("not signed: the head is not the one that you noted\n  noted: %s\n  found: %s", h, p.Root)
		}
		fmt.Fprintln(s.Err, "compared: the head is the one that you noted")
	}
	var signedBy bool
	var keyErr error
	for _, k := range s.LogKeys {
		if _, err := audit.OpenCheckpoint(signed, k); err != nil {
			keyErr = err
		} else {
			signedBy = true
		}
	}
	switch {
	case len(s.LogKeys) > 0 && !signedBy:
		return refused("not signed: the log key that you noted has not signed this checkpoint: %w", keyErr)
	case signedBy:
		fmt.Fprintln(s.Err, "compared: the log key that you noted has signed it")
	case s.Head == "":
		fmt.Fprintln(s.Err, "NOT compared: you noted nothing, so nothing says that this is the log that you saw")
	}
	return nil
}

// sign makes what was asked for and hands it out.
func (s *cosigning) sign(p audit.Checkpoint, signed []byte) error {
	signer, err := s.open()
	if err != nil {
		return err
	}
	defer signer.Wipe()
	s.show(p, signer.Key())
	text, out, lines, err := s.made(signer, p, signed)
	if err != nil {
		return err
	}
	if s.out != "" {
		written, err := s.write(out, signer.Key().Name())
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Err, "written: %s\n", written)
	}
	fmt.Fprintln(s.Err)
	fmt.Fprintf(s.Out, "%s\n\n%s\n", text, strings.Join(lines, "\n"))
	return nil
}

// made returns what is printed, what is written, and the lines for typing.
func (s *cosigning) made(signer *audit.WitnessSigner, p audit.Checkpoint, signed []byte) (text string, out []byte, lines []string, err error) {
	if s.approve != "" {
		return s.approval(signer, p)
	}
	if s.verdict != "" {
		v := audit.VerdictNote{Origin: p.Origin, Step: s.step, Size: p.Size, Root: p.Root, Witness: s.who, Agree: s.verdict == "agree", Because: s.because}
		if out, err = signer.SignVerdict(v); err != nil {
			return "", nil, nil, wrongUse("%w", err)
		}
		if lines, err = audit.TypedVerdict(out, signer.Key()); err != nil {
			return "", nil, nil, unreadable("%w", err)
		}
		return strings.TrimSuffix(string(out), "\n"), out, lines, nil
	}
	line, err := signer.Cosign(p, s.now())
	if err != nil {
		return "", nil, nil, refused("%w", err)
	}
	if out, err = audit.AddCosignature(signed, line.Line(), signer.Key()); err != nil {
		return "", nil, nil, refused("not signed: %w", err)
	}
	return line.Line(), out, line.Typed(), nil
}

// approval returns what made returns, for an approval.
func (s *cosigning) approval(signer *audit.WitnessSigner, p audit.Checkpoint) (text string, out []byte, lines []string, err error) {
	out, err = signer.SignApproval(audit.ApprovalNote{Origin: p.Origin, Step: s.step, Act: s.approve, Size: p.Size, Root: p.Root, Person: s.who})
	if err != nil {
		return "", nil, nil, wrongUse("%w", err)
	}
	if lines, err = audit.TypedApproval(out, signer.Key()); err != nil {
		return "", nil, nil, unreadable("%w", err)
	}
	return strings.TrimSuffix(string(out), "\n"), out, lines, nil
}

// open reads the witness's key.
func (s *cosigning) open() (*audit.WitnessSigner, error) {
	b, err := readSmall(s.key)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	signer, err := keyfile.Open(b, func() ([]byte, error) { return s.passphrase("Passphrase of " + s.key + ": ") })
	if err != nil {
		return nil, unreadable("%s: %w", s.key, err)
	}
	return signer, nil
}

// show says what is signed, and by whom.
func (s *cosigning) show(p audit.Checkpoint, k *audit.WitnessKey) {
	mode := "ceremony"
	if m, err := audit.OriginMode(p.Origin); err == nil && m == audit.ModeRehearsal {
		mode = "REHEARSAL"
	}
	words := audit.Words(p.Root[:])
	what := "cosignature"
	if s.approve != "" {
		what = fmt.Sprintf("approval of %s at step %s: %s", s.who, s.step, s.approve)
	}
	if s.verdict != "" {
		what = fmt.Sprintf("verdict of %s at step %s: %s", s.who, s.step, strings.TrimSpace(s.verdict+" "+s.because))
	}
	fmt.Fprintf(s.Err, "signing   %s\n%-9s %s\nentries   %d\nhead      %s\n", what, mode, p.Origin, p.Size, p.Root)
	for i := 0; i < len(words); i += 8 {
		fmt.Fprintf(s.Err, "          %s\n", strings.Join(words[i:i+8], " "))
	}
	fmt.Fprintf(s.Err, "as        %s\n", k)
}

// write writes what -o asks for and returns the name it took.
func (s *cosigning) write(b []byte, key string) (string, error) {
	out := s.out
	if info, err := os.Stat(out); strings.HasSuffix(out, "/") || strings.HasSuffix(out, string(filepath.Separator)) || err == nil && info.IsDir() {
		out = filepath.Join(out, filepath.Base(bundle.CosignatureFile(key)))
	}
	inside, err := s.inBundle(out)
	if err != nil {
		return "", err
	}
	if inside != "" {
		err = bundle.WriteNew(s.target, inside, b)
	} else {
		err = writeExclusive(out, b, 0o644)
	}
	if err != nil {
		return "", unreadable("%w", err)
	}
	return out, nil
}

// inBundle returns the name inside the bundle of a file to be written, "" if it
// is elsewhere. Nothing is written into a bundle but a late cosignature.
func (s *cosigning) inBundle(out string) (string, error) {
	dir, err := filepath.Abs(s.target)
	if err != nil {
		return "", unreadable("%w", err)
	}
	file, err := filepath.Abs(out)
	if err != nil {
		return "", unreadable("%w", err)
	}
	rel, err := filepath.Rel(dir, file)
	if info, statErr := os.Stat(s.target); err != nil || statErr != nil || !info.IsDir() || !filepath.IsLocal(rel) {
		return "", nil
	}
	rel = filepath.ToSlash(rel)
	if !bundle.IsCosignatureFile(rel) || bundle.CheckName(rel) != nil || s.verdict != "" || s.approve != "" {
		return "", wrongUse("%q: into a bundle goes nothing but a cosignature, as after/cosignature-….txt; say -o %s", out, filepath.Join(s.target, bundle.AfterDir)+"/")
	}
	return rel, nil
}

// readSmall reads a key or a checkpoint.
func readSmall(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, unreadable("%w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxCheckpoint+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, unreadable("reading %q: %w", file, err)
	}
	if len(b) > maxCheckpoint {
		return nil, unreadable("reading %q: over %d bytes", file, maxCheckpoint)
	}
	return b, nil
}
