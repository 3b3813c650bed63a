package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keyrite/keyrite/internal/bundle"
)

// peerEntries is how many records each of the peers checks.
const peerEntries = 100_000

// journalRemote writes journals from records in text; it has no fixed place.
var journalRemote = []string{"/usr/lib/systemd/systemd-journal-remote", "/lib/systemd/systemd-journal-remote"}

// The peers are measured alike: the time of all checks on a bundle of 100,000
// entries by the auditor's program over that of a peer.

// againstGit is over git fsck of as many commits, each with an entry as its
// message.
func (b *bigBundles) againstGit(w stopwatch) (float64, error) {
	return b.against(w, newRepository, func(path string) error {
		return command("git", "-C", path, "fsck", "--full", "--no-progress")
	})
}

// againstJournal is over journalctl --verify of as many records.
func (b *bigBundles) againstJournal(w stopwatch) (float64, error) {
	return b.against(w, newJournal, func(path string) error {
		return command("journalctl", "--verify", "--quiet", "--file", path)
	})
}

// againstTree is over a Merkle tree made again from the entries of one store with
// golang.org/x/mod/sumdb/tlog, by a program of its own, as keyrite-verify is one.
// It checks neither the form of the entries, nor the chain, nor what they mean.
func (b *bigBundles) againstTree(w stopwatch) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	given := func(_, entries string) (string, error) { return entries, nil }
	return b.against(w, given, func(entries string) error { return command(self, rebuildTree, entries) })
}

// rebuildTree makes this program rebuild the tree of a file and do nothing else.
const rebuildTree = "rebuild-tree"

// against measures a peer: prepare makes what it checks, in a folder, from the
// file with the entries.
func (b *bigBundles) against(w stopwatch, prepare func(dir, entries string) (string, error), peer func(path string) error) (float64, error) {
	dir, err := b.bundle(peerEntries)
	if err != nil {
		return 0, err
	}
	path, err := prepare(b.dir, filepath.Join(dir, bundle.LogFile))
	if err != nil {
		return 0, fmt.Errorf("preparing a peer: %w", err)
	}
	return alternate(5,
		func() (time.Duration, error) { return b.check(w, peerEntries) },
		func() (time.Duration, error) { return w.time(whole(func() error { return peer(path) })) })
}

// command runs a program that must succeed.
func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %.300s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// feed runs a program that reads what write writes.
func feed(c *exec.Cmd, write func(*bufio.Writer) error) error {
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	b := bufio.NewWriterSize(in, 1<<20)
	err = errors.Join(write(b), b.Flush(), in.Close())
	if e := c.Wait(); e != nil {
		err = errors.Join(err, fmt.Errorf("%s: %w: %.300s", c.Path, e, out.Bytes()))
	}
	return err
}

// eachLine calls f for the entries in a file.
func eachLine(path string, f func(n int64, line []byte) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	r := bufio.NewReaderSize(file, 1<<20)
	for n := int64(0); ; n++ {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(n, line[:len(line)-1]); err != nil {
			return err
		}
	}
}

// newRepository makes a repository with a commit an entry.
func newRepository(dir, entries string) (string, error) {
	path := filepath.Join(dir, "peer.git")
	if err := command("git", "init", "--quiet", "--bare", path); err != nil {
		return "", err
	}
	return path, feed(exec.Command("git", "-C", path, "fast-import", "--quiet"), func(out *bufio.Writer) error {
		return eachLine(entries, func(n int64, line []byte) error {
			_, err := fmt.Fprintf(out, "commit refs/heads/log\ncommitter Ada Example <ada@ceremony.example> %d +0000\ndata %d\n%s\n", 1767323045+n, len(line), line)
			return err
		})
	})
}

// newJournal makes a journal with a record an entry.
func newJournal(dir, entries string) (string, error) {
	program := ""
	for _, path := range journalRemote {
		if _, err := os.Stat(path); err == nil {
			program = path
		}
	}
	if program == "" {
		return "", errors.New("there is no systemd-journal-remote (scripts/install-deps bench installs it)")
	}
	path := filepath.Join(dir, "peer.journal")
	err := feed(exec.Command(program, "--output="+path, "--split-mode=none", "-"), func(out *bufio.Writer) error {
		return eachLine(entries, func(n int64, line []byte) error {
			_, err := fmt.Fprintf(out, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032x\nMESSAGE=%s\n\n", 1767323045000000+n, 1000000+n, 1, line)
			return err
		})
	})
	if err != nil {
		return "", err
	}
	out, err := exec.Command("journalctl", "--quiet", "--output=cat", "--file", path).Output()
	if n := bytes.Count(out, []byte{'\n'}); err != nil || n != peerEntries {
		return "", fmt.Errorf("the journal has %d records: %w", n, err)
	}
	return path, nil
}

// rebuild makes the tree of the entries again and compares its root with the
// checkpoint's.
func rebuild(entries string) error {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		list := make([]tlog.Hash, len(at))
		for i, n := range at {
			list[i] = stored[n]
		}
		return list, nil
	})
	size := int64(0)
	err := eachLine(entries, func(n int64, line []byte) error {
		hashes, err := tlog.StoredHashes(n, line, read)
		stored = append(stored, hashes...)
		size = n + 1
		return err
	})
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(size, read)
	if err != nil {
		return err
	}
	note, err := os.ReadFile(filepath.Join(filepath.Dir(entries), bundle.CheckpointFile))
	if err != nil {
		return err
	}
	if !strings.Contains(string(note), root.String()) {
		return fmt.Errorf("the tree made again has the root %s, which is not the checkpoint's", hex.EncodeToString(root[:]))
	}
	return nil
}
