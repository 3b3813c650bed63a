package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/keyfile"
)

const witnessKeyHelp = `usage: keyrite-verify witness-key NAME -o FILE [--no-passphrase]

Makes a witness's key, on the witness's own machine, and writes it into FILE,
which must not exist yet. NAME tells it from all other keys, such as
witness.example.org/alice: no white space, no plus sign, at most 100 bytes.
The passphrase that FILE will take is asked for twice; if the standard input is
no terminal, its first two lines are taken.

Prints the verifier key and its 32 words. The verifier key goes into the
script, or is read to the room at the roll call; FILE stays with the witness.

options:
  -o FILE          where the private key goes
  --no-passphrase  FILE alone is enough to sign: keep it where nobody else can
                   read it
  --help           print this

example:
  keyrite-verify witness-key witness.example.org/alice -o alice.key

exit codes: 0 done · 2 wrong use · 3 FILE could not be written
`

// witnessKey carries out "witness-key".
func (c *console) witnessKey(args []string) int {
	return c.finish(c.makeKey(args), "witness-key", witnessKeyHelp)
}

func (c *console) makeKey(args []string) error {
	fs := flag.NewFlagSet("witness-key", flag.ContinueOnError)
	out := fs.String("o", "", "")
	open := fs.Bool("no-passphrase", false, "")
	rest, err := parse(fs, args)
	switch {
	case err != nil:
		return err
	case len(rest) != 1:
		return wrongUse("one name is wanted, such as witness.example.org/alice; found %d", len(rest))
	case *out == "":
		return wrongUse("which file? name it with -o")
	}
	if _, err := os.Lstat(*out); err == nil {
		return wrongUse("%q is there already: a key is never overwritten", *out)
	}
	s, err := audit.GenerateWitnessKey(rest[0], c.rand)
	if err != nil {
		return wrongUse("%w", err)
	}
	defer s.Wipe()
	b, err := c.keyFile(s, *open)
	defer clear(b)
	if err != nil {
		return err
	}
	if err := writeExclusive(*out, b, 0o600); err != nil {
		return unreadable("%w", err)
	}
	words := s.Key().Words()
	fmt.Fprintln(c.Out, s.Key())
	for i := 0; i < len(words); i += 8 {
		fmt.Fprintln(c.Out, strings.Join(words[i:i+8], " "))
	}
	fmt.Fprintf(c.Err, "The private key is in %s. Give the first line above to who writes the script,\nand compare the words when they are read to the room.\n", *out)
	return nil
}

// keyFile returns the content of a new key's file.
func (c *console) keyFile(s *audit.WitnessSigner, open bool) ([]byte, error) {
	if open {
		b, err := keyfile.Plain(s)
		if err != nil {
			return nil, unreadable("%w", err)
		}
		return b, nil
	}
	first, err := c.passphrase("Passphrase for the new key: ")
	defer clear(first)
	if err != nil {
		return nil, unreadable("%w", err)
	}
	second, err := c.passphrase("The same once more: ")
	defer clear(second)
	if err != nil {
		return nil, unreadable("%w", err)
	}
	if !bytes.Equal(first, second) {
		return nil, wrongUse("the passphrases differ; no key was made")
	}
	b, err := keyfile.Seal(s, first, 0)
	if err != nil {
		return nil, unreadable("%w", err)
	}
	return b, nil
}

// writeExclusive writes a file that must not exist, synced. If that fails, what
// was written of it is removed.
func writeExclusive(name string, b []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %q: %w", name, errors.Join(err, os.Remove(name)))
	}
	return nil
}
