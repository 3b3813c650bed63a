package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

const hashHelp = `usage: keyrite-verify hash FILE...

Prints the SHA-256 of files in a form that two people can compare: one reads it
aloud, the other follows on paper. Each file has its name, eight groups of eight
hex digits, as sha256sum prints them without the blanks, and the same 32 bytes
as 32 PGP words.

options:
  --help  print this

example:
  keyrite-verify hash keyrite-v1.2.0-linux-amd64.tar.zst

exit codes: 0 done · 2 wrong use · 3 a file could not be read
`

// hash carries out "hash".
func (c *console) hash(args []string) int { return c.finish(c.printHashes(args), "hash", hashHelp) }

func (c *console) printHashes(args []string) error {
	fs := flag.NewFlagSet("hash", flag.ContinueOnError)
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return wrongUse("which file?")
	}
	for i, file := range files {
		sum, err := fileSum(file)
		if err != nil {
			return unreadable("%w", err)
		}
		if i > 0 {
			fmt.Fprintln(c.Out)
		}
		fmt.Fprint(c.Out, file+"\n"+spoken(sum))
	}
	return nil
}

// fileSum returns the SHA-256 of a file of any size.
func fileSum(file string) (sum []byte, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, fmt.Errorf("reading %q: %w", file, err)
	}
	return h.Sum(nil), nil
}

// spoken writes a hash for reading aloud: two lines of four groups of eight hex
// digits, then four lines of eight words, each indented by two.
func spoken(sum []byte) string {
	var b strings.Builder
	for line := range slices.Chunk(sum, 16) {
		var groups []string
		for g := range slices.Chunk(line, 4) {
			groups = append(groups, hex.EncodeToString(g))
		}
		fmt.Fprintf(&b, "  %s\n", strings.Join(groups, " "))
	}
	for line := range slices.Chunk(audit.Words(sum), 8) {
		fmt.Fprintf(&b, "  %s\n", strings.Join(line, " "))
	}
	return b.String()
}
