package harden

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func process() (Report, error) {
	var r Report
	err := errors.Join(noCore(&r), notDumpable(&r))
	lock(&r)
	swap(&r)
	return r, err
}

// noCore sets RLIMIT_CORE to 0, hard limit included: it cannot be raised again.
func noCore(r *Report) error {
	err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	if err != nil {
		err = fmt.Errorf("setting RLIMIT_CORE to 0: %w", err)
	}
	var now unix.Rlimit
	if gerr := unix.Getrlimit(unix.RLIMIT_CORE, &now); gerr != nil {
		return errors.Join(err, fmt.Errorf("reading RLIMIT_CORE: %w", gerr))
	}
	r.CoreLimit = limit(now.Cur) + "/" + limit(now.Max)
	return err
}

func limit(v uint64) string {
	if v == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return strconv.FormatUint(v, 10)
}

// notDumpable clears the dumpable flag. A core_pattern that pipes to a program
// does not look at RLIMIT_CORE, but at this.
func notDumpable(r *Report) error {
	err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		err = fmt.Errorf("clearing the dumpable flag: %w", err)
	}
	now, gerr := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if gerr != nil {
		r.Dumpable = true // not known: the worse of the two
		return errors.Join(err, fmt.Errorf("reading the dumpable flag: %w", gerr))
	}
	r.Dumpable = now != 0
	return err
}

// lock keeps all pages out of the swap, those to come too. A lock that is
// limited is not tried: Go reserves far more address space than it uses, and
// with MCL_FUTURE every mapping beyond the limit would fail and end the process.
func lock(r *Report) {
	if !mayLock() {
		r.Notes = append(r.Notes, "memory is not locked: RLIMIT_MEMLOCK is limited and the process has no CAP_IPC_LOCK (as root, or with ulimit -l unlimited, it is)")
		return
	}
	// MCL_ONFAULT locks pages as they are used, not what is merely reserved.
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		r.Notes = append(r.Notes, fmt.Sprintf("memory is not locked: mlockall: %v", err))
		return
	}
	r.Locked = true
}

// mayLock reports whether the process may lock as much memory as it likes.
func mayLock() bool {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &l) == nil && l.Cur == math.MaxUint64 {
		return true
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&head, &data[0]) != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_IPC_LOCK) != 0
}

// swap looks whether the machine swaps, even if not this process's pages.
func swap(r *Report) {
	f, err := os.Open("/proc/swaps")
	if err == nil {
		defer f.Close()
		r.Swap, err = anySwap(f)
	}
	if err != nil {
		r.Swap = true // not known: the worse of the two
		r.Notes = append(r.Notes, fmt.Sprintf("whether swap is in use cannot be read: %v", err))
		return
	}
	if r.Swap {
		r.Notes = append(r.Notes, "swap is in use on this machine: turn it off with swapoff -a before a ceremony")
	}
}

// anySwap reads /proc/swaps: a header, then a line for each swap area.
func anySwap(f io.Reader) (bool, error) {
	lines := bufio.NewScanner(f)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "Filename") {
		return false, errors.Join(lines.Err(), errors.New("/proc/swaps has no header"))
	}
	used := lines.Scan()
	return used, lines.Err()
}
