package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/keyfile"
)

func (p *program) approveCommand() *cli.Command {
	return &cli.Command{
		Name:      "approve",
		Usage:     "sign a script's SHA-256 as one of its approvers",
		ArgsUsage: "FILE",
		Description: "Checks the script, shows what is approved, asks for the word APPROVE and signs with\n" +
			"the approver's own key (made with 'keyrite-verify witness-key'), on the approver's own\n" +
			"machine. The note goes beside the script, where 'keyrite run' finds it.\n\nExample:\n" +
			"   keyrite approve root-ca.yaml --key manager.key",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "key", Usage: "the approver's private key in `FILE`", Required: true},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the note to `NOTE`, which must not exist (default: approvals/ID.note beside the script)"},
		},
		Action: func(c *cli.Context) error {
			list, err := args(c, 1, 1, "one script file")
			if err != nil {
				return err
			}
			s, b, err := p.readScript(list[0])
			if err != nil {
				return err
			}
			key, err := p.openKey(c.String("key"))
			if err != nil {
				return err
			}
			defer key.Wipe()
			out := c.String("output")
			id := s.ApproverWithKey(key.Key().String())
			if id == "" {
				return usage("the script names no approver with the key %s: what nobody asks for is not signed", key.Key())
			}
			if out == "" {
				out = filepath.Join(filepath.Dir(list[0]), filepath.FromSlash(bundle.ApprovalFile(id)))
			}
			return p.approve(s, b, id, key, out)
		},
	}
}

// approve shows what is about to be approved, and signs once that is confirmed.
func (p *program) approve(s *ceremony.Script, b []byte, id string, key *audit.WitnessSigner, out string) error {
	if _, err := os.Lstat(out); err == nil {
		return usage("%s exists, and nothing is overwritten: give another name with -o", out)
	}
	a := audit.ScriptApprovalNote{Script: audit.Hash(sha256.Sum256(b)), Mode: s.Mode, Title: s.Title, At: time.Now().UTC().Truncate(time.Second)}
	p.showApproval(s, a, id)
	word, err := p.line("Type APPROVE to sign this with your key, anything else to leave it: ")
	if err != nil {
		return usage("reading what was typed: %v; nothing was signed", err)
	}
	if word != "APPROVE" {
		return &exitError{exitFailed, fmt.Errorf("%q is not APPROVE: nothing was signed", word)}
	}
	note, err := key.SignScriptApproval(a)
	if err != nil {
		return err
	}
	if dir := filepath.Dir(out); filepath.Base(dir) == bundle.ApprovalsDir {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return environment(err)
		}
	}
	return p.output(out, note)
}

func (p *program) showApproval(s *ceremony.Script, a audit.ScriptApprovalNote, id string) {
	words := audit.Words(a.Script[:])
	fmt.Fprintf(p.err, "You are about to approve, as %s (%s):\n\n  %s\n  %s, %s\n  mode: %s\n  %s\n\n  steps: %d, people: %d, tokens: %d, keys: %d; %d of %d approvers must approve\n\n  SHA-256  %s\n",
		s.ApproverName(id), id, a.Title, s.Organisation, s.Place, strings.ToUpper(a.Mode), strings.TrimSpace(s.Purpose),
		len(s.Steps), len(s.Participants), len(s.Tokens), len(s.Keys), s.Approvals.Count, len(s.Approvals.Approvers), a.Script)
	for i := 0; i < len(words); i += 8 {
		fmt.Fprintf(p.err, "           %s\n", strings.Join(words[i:i+8], " "))
	}
	fmt.Fprint(p.err, "\nCompare it with the paper that you read (keyrite print), to the last word.\n")
}

// openKey reads a private key, and asks for its passphrase if it takes one.
func (p *program) openKey(file string) (*audit.WitnessSigner, error) {
	b, err := readLimited(file, keyfile.MaxSize+1)
	defer clear(b)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	key, err := keyfile.Open(b, func() ([]byte, error) { return p.passphrase("Passphrase of " + file + ": ") })
	if err != nil {
		return nil, usage("the key %s: %v", file, err)
	}
	return key, nil
}

// passphrase asks for a passphrase: without echo on a terminal, else it is the
// next line of standard input. The caller overwrites it.
func (p *program) passphrase(prompt string) (b []byte, err error) {
	if isTerminal(p.in) {
		fmt.Fprint(p.err, prompt)
		b, err = term.ReadPassword(int(p.in.Fd()))
		fmt.Fprintln(p.err)
	} else {
		b, err = p.readLine()
	}
	if err == nil && len(b) == 0 {
		err = errors.New("it is empty")
	}
	return b, err
}

// line asks for a line.
func (p *program) line(prompt string) (string, error) {
	fmt.Fprint(p.err, prompt)
	b, err := p.readLine()
	return strings.TrimSpace(string(b)), err
}

// maxTyped is the most bytes of a line that is typed.
const maxTyped = 1024

// readLine reads a line of standard input byte by byte: nothing behind it is
// taken, and no copy is made on the way.
func (p *program) readLine() ([]byte, error) {
	line, one := make([]byte, 0, maxTyped), make([]byte, 1)
	for len(line) < maxTyped {
		n, err := p.in.Read(one)
		switch {
		case n == 1 && one[0] == '\n':
			return line, nil
		case n == 1 && one[0] != '\r':
			line = append(line, one[0])
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		case err != nil:
			clear(line)
			return nil, err
		}
	}
	clear(line)
	return nil, fmt.Errorf("over %d bytes", maxTyped)
}

// approvalFlag names approvals that do not lie beside the script.
var approvalFlag = &cli.StringSliceFlag{Name: "approval", Usage: "an approver's signed note in `FILE`; once for each (those in approvals/ beside the script are found)"}

// given reads the approvals of a script: those beside it, and the files named.
// Notes of other scripts beside it are passed over with a word; a file that was
// named must hold an approval of this one.
func (p *program) given(s *ceremony.Script, script []byte, file string, named []string) ([]*audit.ScriptApproval, error) {
	if s.Approvals == nil {
		if len(named) > 0 {
			return nil, usage("--approval: the script asks for no approvals")
		}
		return nil, nil
	}
	beside, err := filepath.Glob(filepath.Join(filepath.Dir(file), bundle.ApprovalsDir, "*.note"))
	if err != nil {
		return nil, usage("looking for approvals beside %s: %v", file, err)
	}
	var list []*audit.ScriptApproval
	for i, name := range append(named, beside...) {
		b, err := readLimited(name, 1<<16)
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		a, err := s.Approval(script, b)
		switch {
		case i >= len(named) && errors.Is(err, ceremony.ErrOtherScriptApproved):
			fmt.Fprintf(p.err, "keyrite: %s is passed over: %v\n", name, err)
		case err != nil:
			return nil, usage("the approval %s: %v", name, err)
		default:
			list = append(list, a)
		}
	}
	return list, nil
}
