package harden

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The test binary runs itself as a child, which is hardened or not, says what
// it is like and then, if asked, aborts.
const (
	roleEnv  = "KEYRITE_HARDEN_CHILD"
	plain    = "plain"    // not hardened
	hardened = "hardened" // hardened as it is
	limited  = "limited"  // hardened, without the right to lock memory
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		child(role)
	}
	os.Exit(m.Run())
}

// A state is what the child reads back of itself, not through Process.
type state struct {
	Report   Report
	Err      string
	Core     [2]uint64
	Dumpable int
	VmLck    string
	Bytes    int
}

func child(role string) {
	// A core can be written unless Process prevents it.
	var l unix.Rlimit
	must(unix.Getrlimit(unix.RLIMIT_CORE, &l))
	must(unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: l.Max, Max: l.Max}))
	var s state
	if role == limited {
		mayNotLock()
	}
	if role != plain {
		r, err := Process()
		s.Report, s.Err = r, fmt.Sprint(err)
	}
	must(unix.Getrlimit(unix.RLIMIT_CORE, &l))
	s.Core = [2]uint64{l.Cur, l.Max}
	s.Dumpable, _ = unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if role != plain {
		s.Bytes = allocate()
	}
	s.VmLck = vmLck()
	must(json.NewEncoder(os.Stdout).Encode(s))
	// As a crash in a PKCS#11 library would: the default action, not Go's.
	abort()
}

// abort ends the process by SIGABRT with its default action.
func abort() {
	type sigaction struct {
		handler, flags, restorer uintptr
		mask                     uint64
	}
	var sa sigaction
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGABRT), uintptr(unsafe.Pointer(&sa)), 0, 8, 0, 0)
	if errno != 0 {
		must(errno)
	}
	must(syscall.Kill(syscall.Getpid(), syscall.SIGABRT))
	time.Sleep(time.Minute)
}

// mayNotLock gives up the right to lock more than a page or two.
func mayNotLock() {
	runtime.LockOSThread() // capabilities are a thread's
	must(unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: 1 << 16, Max: 1 << 16}))
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	must(unix.Capget(&head, &data[0]))
	data[0].Effective &^= 1 << unix.CAP_IPC_LOCK
	must(unix.Capset(&head, &data[0]))

}

// allocate uses memory as a long ceremony would: locked memory must not stop it.
func allocate() int {
	var kept [][]byte
	n := 0
	for range 64 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
		n += len(kept[len(kept)-1])
	}
	return n
}

func vmLck() string {
	b, err := os.ReadFile("/proc/self/status")
	must(err)
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmLck:"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
}

// run runs a child in an empty directory and returns what it said, whether the
// kernel says that a core was dumped, and the directory.
func run(t *testing.T, role string) (s state, dumped bool, dir string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	c := exec.Command(self)
	c.Dir, c.Env = dir, append(os.Environ(), roleEnv+"="+role)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	ws := c.ProcessState.Sys().(syscall.WaitStatus)
	if !ws.Signaled() || ws.Signal() != syscall.SIGABRT {
		t.Fatalf("the %s child ended with %v, not SIGABRT: %s", role, c.ProcessState, out)
	}
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("the %s child said %q: %v", role, out, err)
	}
	return s, ws.CoreDump(), dir
}

// TestNoCore: a hardened process that aborts leaves no core, and says of itself
// what the kernel says.
func TestNoCore(t *testing.T) {
	s, dumped, dir := run(t, hardened)
	if dumped {
		t.Error("the kernel dumped a core")
	}
	if s.Err != "<nil>" || s.Core != [2]uint64{0, 0} || s.Dumpable != 0 {
		t.Errorf("read back: %+v", s)
	}
	if s.Report.CoreLimit != "0/0" || s.Report.Dumpable {
		t.Errorf("report: %+v", s.Report)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	if s.Report.Locked != (s.VmLck != "0 kB") {
		t.Errorf("locked: %v, but VmLck is %s", s.Report.Locked, s.VmLck)
	}
	if !s.Report.Locked && len(s.Report.Notes) == 0 {
		t.Error("memory is not locked and nothing says why")
	}
	if s.Bytes != 64<<20 {
		t.Errorf("%d bytes allocated", s.Bytes)
	}
}

// TestLimited: a process that may not lock memory is hardened all the same,
// says so, and can use memory.
func TestLimited(t *testing.T) {
	s, dumped, _ := run(t, limited)
	if dumped || s.Err != "<nil>" || s.Report.CoreLimit != "0/0" || s.Report.Dumpable {
		t.Errorf("dumped %v, %+v", dumped, s)
	}
	if s.Report.Locked || s.VmLck != "0 kB" || !strings.Contains(strings.Join(s.Report.Notes, "\n"), "memory is not locked") {
		t.Errorf("locked: %v, VmLck %s, notes %q", s.Report.Locked, s.VmLck, s.Report.Notes)
	}
	if s.Bytes != 64<<20 {
		t.Errorf("%d bytes allocated", s.Bytes)
	}
}

// TestCoreOtherwise: the same child without hardening would dump, so the test
// above can fail. Where the limit of this machine forbids cores to everybody, or
// cores go to a program or an absolute path, no core can be looked for without a
// change of the machine's settings: there only the child's own reading of its limit,
// dumpable flag and locked memory shows the difference.
func TestCoreOtherwise(t *testing.T) {
	s, dumped, _ := run(t, plain)
	if s.Dumpable != 1 {
		t.Errorf("a plain process has dumpable %d", s.Dumpable)
	}
	if s.VmLck != "0 kB" {
		t.Errorf("a plain process has locked %s", s.VmLck)
	}
	if s.Core[0] > 0 && !dumped && !elsewhere(t) {
		t.Errorf("the limit is %d and the kernel dumped nothing: this test would not see a core", s.Core[0])
	}
}

// elsewhere reports whether cores go to a program or an absolute path, which
// may not exist here.
func elsewhere(t *testing.T) bool {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil {
		t.Fatal(err)
	}
	return len(b) > 0 && (b[0] == '|' || b[0] == '/')
}

func TestAnySwap(t *testing.T) {
	const header = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
	for text, want := range map[string]bool{
		header: false,
		header + "/dev/sda2 partition 1000 0 -2\n": true,
	} {
		if got, err := anySwap(strings.NewReader(text)); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "something else\n"} {
		if _, err := anySwap(strings.NewReader(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestLimit(t *testing.T) {
	if limit(unix.RLIM_INFINITY) != "unlimited" || limit(0) != "0" {
		t.Errorf("%s, %s", limit(unix.RLIM_INFINITY), limit(0))
	}
}
