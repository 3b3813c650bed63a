package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
)

const (
	// pollEvery is the time between two looks at the log. Each opens it, reads
	// what is new and closes it: a reader that stays open would keep the writer
	// from sealing.
	pollEvery = 300 * time.Millisecond
	// pollTries is how many looks in a row may fail because the log is being
	// made or sealed.
	pollTries = 20
)

func (p *program) followCommand() *cli.Command {
	return &cli.Command{
		Name:      "follow",
		Usage:     "show the log of a ceremony as it grows, checked as it comes",
		ArgsUsage: "DIR",
		Description: "For a witness's own eyes: on another terminal or a serial line, line by line, while\n" +
			"'keyrite run' writes. Each entry is shown once its form, its place in the chain and\n" +
			"the signature on the log's head were checked; at each step's end the head in words.\n" +
			"It changes nothing, goes on over a pause and a resume, and ends when the log is\n" +
			"closed: 0, or 1 if the ceremony was aborted or the log does not check. Ctrl-C ends\n" +
			"it before.\n\nExample:\n" +
			"   keyrite follow ceremony-2026\n   keyrite follow --wait ceremony-2026 >/dev/ttyS0",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "wait", Usage: "wait for the folder and its log if they are not there yet"},
			&cli.BoolFlag{Name: "json", Usage: "print the entries as they are, one a line"},
		},
		Action: func(c *cli.Context) error {
			dir, err := p.awaited(c)
			if err != nil {
				return err
			}
			f := &following{p: p, path: filepath.Join(dir, bundle.DatabaseFile), json: c.Bool("json")}
			return f.run()
		},
	}
}

// awaited is the bundle's folder, once it is there.
func (p *program) awaited(c *cli.Context) (string, error) {
	if !c.Bool("wait") {
		return bundleArg(c)
	}
	list, err := args(c, 1, 1, "one bundle folder")
	if err != nil {
		return "", err
	}
	for told := false; ; time.Sleep(pollEvery) {
		_, err := os.Stat(filepath.Join(list[0], bundle.DatabaseFile))
		if err == nil {
			return list[0], nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", environment(err)
		}
		if !told {
			fmt.Fprintf(p.err, "Waiting for the log in %s\n", list[0])
			told = true
		}
	}
}

// A following is a log that is followed.
type following struct {
	p    *program
	path string
	json bool

	log    audit.Follower
	failed int // looks in a row that did not reach the log
}

// run follows the log to its close.
func (f *following) run() error {
	for ; ; time.Sleep(pollEvery) {
		closed, err := f.look()
		if err != nil {
			return err
		}
		if closed != nil {
			return f.end(closed)
		}
	}
}

// look reads and shows what is new; closed is the log's close, if it is there.
func (f *following) look() (closed *audit.Close, err error) {
	store, err := sqlite.OpenReader(f.path)
	if err != nil {
		if f.failed++; f.failed < pollTries {
			return nil, nil
		}
		return nil, environment(err)
	}
	f.failed = 0
	list, err := f.log.Look(store)
	if cerr := store.Close(); cerr != nil && err == nil {
		return nil, environment(cerr)
	}
	if err != nil {
		return nil, &exitError{exitFailed, fmt.Errorf("THE LOG DOES NOT CHECK: %w", err)}
	}
	for _, e := range list {
		if err := f.show(e); err != nil {
			return nil, environment(err)
		}
		if d, ok := e.Entry.Data.(*audit.Close); ok {
			closed = d
		}
	}
	return closed, nil
}

func (f *following) show(e audit.Followed) error {
	if f.json {
		_, err := fmt.Fprintln(f.p.out, string(e.Encoded))
		return err
	}
	line, err := readable(e.Encoded)
	if err != nil {
		return err
	}
	switch d := e.Entry.Data.(type) {
	case *audit.LogOpen:
		line += keyInWords(d.LogKey)
	case *audit.SegmentOpen:
		line += keyInWords(d.LogKey)
	case *audit.StepEnd, *audit.Pause, *audit.Abort, *audit.Close:
		line += fmt.Sprintf("\n       head of the log at %d entries: %s", e.Entry.Seq+1, strings.Join(audit.Words(e.Root[:]), " "))
	}
	_, err = fmt.Fprintln(f.p.out, line)
	return err
}

// keyInWords is what the room reads aloud of a log key.
func keyInWords(vkey string) string {
	sum := sha256.Sum256([]byte(vkey))
	return "\n       log key in words: " + strings.Join(audit.Words(sum[:]), " ")
}

// end reads the closed log once more from its beginning, since what was read
// before could have been changed afterwards, and says how it ended.
func (f *following) end(d *audit.Close) error {
	seen := f.log.Head()
	for try := 1; ; try++ {
		head, err := f.again()
		switch {
		case err == nil && head == seen:
			return f.verdict(d, seen)
		case err == nil:
			return &exitError{exitFailed, fmt.Errorf("THE LOG DOES NOT CHECK: its head was %s at %d entries and is %s at %d: %w", seen.Root, seen.Size, head.Root, head.Size, audit.ErrRolledBack)}
		case try == pollTries:
			return &exitError{exitFailed, fmt.Errorf("THE LOG DOES NOT CHECK: %w", err)}
		}
		time.Sleep(pollEvery)
	}
}

func (f *following) again() (audit.Checkpoint, error) {
	store, err := sqlite.OpenReader(f.path)
	if err != nil {
		return audit.Checkpoint{}, err
	}
	head, err := audit.CheckStore(store)
	return head, errors.Join(err, store.Close())
}

func (f *following) verdict(d *audit.Close, head audit.Checkpoint) error {
	out := f.p.out
	if f.json {
		out = f.p.err
	}
	fmt.Fprintf(out, "The log is closed: %s, %d entries. Every entry, every link and the signature on the head were checked as they came.\n"+
		"Compare the head with what was noted; 'keyrite verify' checks the whole bundle.\n", d.Result, head.Size)
	if d.Result != "complete" {
		return &exitError{code: exitFailed}
	}
	return nil
}
