package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/timestamp"
)

const tsqHelp = `usage: keyrite-verify tsq DIR|CHECKPOINT -o FILE

Writes a request for an RFC 3161 time-stamp of a ceremony's final checkpoint,
for any time-stamp authority, into FILE, which must not exist. DIR is the
bundle's folder, CHECKPOINT its file checkpoint. The authority's answer goes
into DIR/after/head.tsr, where the verifier looks for it (--tsa-ca).

options:
  -o FILE  where the request goes
  --help   print this

example:
  keyrite-verify tsq root-ceremony -o head.tsq

exit codes: 0 done · 2 wrong use · 3 a file could not be read or written
`

// tsq carries out "tsq".
func (c *console) tsq(args []string) int { return c.finish(c.writeRequest(args), "tsq", tsqHelp) }

func (c *console) writeRequest(args []string) error {
	fs := flag.NewFlagSet("tsq", flag.ContinueOnError)
	out := fs.String("o", "", "")
	rest, err := parse(fs, args)
	switch {
	case err != nil:
		return err
	case len(rest) != 1:
		return wrongUse("one folder or checkpoint is wanted, found %d", len(rest))
	case *out == "":
		return wrongUse("which file? name it with -o")
	}
	file := rest[0]
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		file = filepath.Join(file, bundle.CheckpointFile)
	}
	b, err := readSmall(file)
	if err != nil {
		return err
	}
	p, _, err := audit.Cosignatures(b)
	if err != nil {
		return unreadable("%q: %w", file, err)
	}
	request, err := timestamp.Request([]byte(p.Text()))
	if err != nil {
		return unreadable("%w", err)
	}
	if err := writeExclusive(*out, request, 0o644); err != nil {
		return unreadable("%w", err)
	}
	fmt.Fprintf(c.Err, "The request for %d entries, root %s, is in %s.\n", p.Size, p.Root, *out)
	return nil
}
