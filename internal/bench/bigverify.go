package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/verify"
)

const million = 1_000_000

// steps is how many steps a log of a size has: one in a thousand entries, at
// most 999. With that of the close, 1,000 checkpoints are kept.
func steps(size int64) int { return int(min(size/1000, 1000)) - 1 }

// bigBundles are bundles that are nearly all log, and the auditor's program to
// check them with. They are made when they are first asked for.
type bigBundles struct {
	dir     string
	program string
	peaks   map[int64]float64 // peak memory of a check in MB, by the log's size
}

// bundle returns the folder of the bundle with so many entries.
func (b *bigBundles) bundle(size int64) (string, error) {
	if b.dir == "" {
		dir, err := scratch()
		if err != nil {
			return "", err
		}
		b.dir, b.program, b.peaks = dir, filepath.Join(dir, "keyrite-verify"), map[int64]float64{}
		build := exec.Command("go", "build", "-o", b.program, "./cmd/keyrite-verify")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building keyrite-verify: %w: %s", err, out)
		}
	}
	dir := filepath.Join(b.dir, fmt.Sprint(size))
	if err := os.Mkdir(dir, 0o755); errors.Is(err, os.ErrExist) {
		return dir, nil
	} else if err != nil {
		return "", err
	}
	if err := writeBigBundle(dir, size, steps(size)); err != nil {
		return "", fmt.Errorf("making a bundle of %d entries: %w", size, err)
	}
	return dir, nil
}

// remove removes all bundles.
func (b *bigBundles) remove() error {
	if b.dir == "" {
		return nil
	}
	return os.RemoveAll(b.dir)
}

// check lets the auditor's program make all its checks on the bundle with so
// many entries, and returns how long that takes.
func (b *bigBundles) check(w stopwatch, size int64) (time.Duration, error) {
	dir, err := b.bundle(size)
	if err != nil {
		return 0, err
	}
	var out, talk bytes.Buffer
	c := exec.Command(b.program, "--json", dir)
	c.Stdout, c.Stderr = &out, &talk
	start := w.now()
	err = c.Run()
	took := w.now().Sub(start)
	if c.ProcessState == nil || c.ProcessState.ExitCode() != verify.ExitFailed {
		return 0, fmt.Errorf("checking a bundle of %d entries: %w: %s", size, err, talk.Bytes())
	}
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("this system does not say how much memory a process took")
	}
	b.peaks[size] = max(b.peaks[size], float64(usage.Maxrss)/1024) // in KiB on Linux
	return took, expected(out.Bytes(), size)
}

// expected makes sure that all of a log was read and holds, and that of the
// bundle nothing is amiss but that it has no transcript: the log commits to no
// pages, and the file is missing.
func expected(report []byte, size int64) error {
	var r verify.Report
	if err := json.Unmarshal(report, &r); err != nil {
		return fmt.Errorf("reading the report: %w", err)
	}
	failures := 0
	for _, f := range r.Findings {
		if f.Weight != verify.Failure {
			continue
		}
		failures++
		if f.Code != verify.PagesDiffer && (f.Code != verify.FileMissing || f.File != bundle.TranscriptFile) {
			return fmt.Errorf("a sound log is found to be broken: %s %s: %s", f.Code, f.File, f.What)
		}
	}
	if r.Log.Size != size || failures != 2 {
		return fmt.Errorf("%d entries were read, not %d; %d failures", r.Log.Size, size, failures)
	}
	return nil
}

// hash is plain SHA-256 of the entries of both stores of a bundle, in memory and
// on one core: reading them is not counted.
func (b *bigBundles) hash(w stopwatch, size int64) (total time.Duration, err error) {
	dir, err := b.bundle(size)
	if err != nil {
		return 0, err
	}
	f, err := os.Open(filepath.Join(dir, bundle.LogFile))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := bufio.NewReaderSize(f, 1<<20)
	for {
		full, err := r.Peek(r.Size())
		if len(full) == 0 {
			return total, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		whole := full[:bytes.LastIndexByte(full, '\n')+1]
		start := w.now()
		for range 2 { // audit.db and log.jsonl
			for rest := whole; len(rest) > 0; {
				i := bytes.IndexByte(rest, '\n')
				sha256.Sum256(rest[:i])
				rest = rest[i+1:]
			}
		}
		total += w.now().Sub(start)
		if _, err := r.Discard(len(whole)); err != nil {
			return 0, err
		}
	}
}

// verifyMillion is the time of all checks on a bundle of a million entries and
// a thousand kept checkpoints, by the auditor's program on all cores, over that
// of plain SHA-256 of its entries.
func (b *bigBundles) verifyMillion(w stopwatch) (float64, error) {
	return alternate(5,
		func() (time.Duration, error) { return b.check(w, million) },
		func() (time.Duration, error) { return b.hash(w, million) })
}

// verifyGrowth is the time of all checks on four million entries over that on
// one million.
func (b *bigBundles) verifyGrowth(w stopwatch) (float64, error) {
	return alternate(3,
		func() (time.Duration, error) { return b.check(w, 4*million) },
		func() (time.Duration, error) { return b.check(w, million) })
}

// verifyMemory is the most memory that the auditor's program took at both
// sizes, over 200 MB.
func (b *bigBundles) verifyMemory(w stopwatch) (float64, error) {
	most := 0.0
	for _, size := range []int64{million, 4 * million} {
		if b.peaks[size] == 0 {
			if _, err := b.check(w, size); err != nil {
				return 0, err
			}
		}
		most = max(most, b.peaks[size])
	}
	return most / 200, nil
}

// databaseSize is the size of a closed audit.db over that of log.jsonl, which
// holds the same entries.
func (b *bigBundles) databaseSize(stopwatch) (float64, error) {
	dir, err := b.bundle(million)
	if err != nil {
		return 0, err
	}
	db, err := os.Stat(filepath.Join(dir, bundle.DatabaseFile))
	if err != nil {
		return 0, err
	}
	lines, err := os.Stat(filepath.Join(dir, bundle.LogFile))
	if err != nil {
		return 0, err
	}
	return float64(db.Size()) / float64(lines.Size()), nil
}

// alternate times a and b in turn, so that both meet the same neighbours, and
// returns the median of the ratios. What makes them ready is not counted: each
// is done once before.
func alternate(times int, a, b func() (time.Duration, error)) (float64, error) {
	var ratios []float64
	for i := range times + 1 {
		x, err := a()
		if err != nil {
			return 0, err
		}
		y, err := b()
		if err != nil {
			return 0, err
		}
		if i > 0 {
			ratios = append(ratios, float64(x)/float64(y))
		}
	}
	return median(ratios), nil
}
