package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// harmless are the system calls that change nothing outside the process. A call
// that stands neither here nor among those that judge looks at is a finding.
var harmless = []string{
	"arch_prctl", "brk", "close", "epoll_create1", "epoll_ctl", "epoll_pwait", "eventfd2", "exit", "exit_group",
	"fcntl", "fstat", "futex", "getdents64", "getpid", "getrandom", "gettid", "lseek", "madvise", "mincore", "mmap",
	"mprotect", "munmap", "nanosleep", "newfstatat", "poll", "ppoll", "prctl", "pread64", "prlimit64", "read", "readlinkat", "restart_syscall",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_getaffinity", "sched_yield", "set_robust_list",
	"set_tid_address", "sigaltstack", "tgkill", "timer_create", "timer_delete", "timer_settime", "uname",
	"clock_gettime", "clock_nanosleep", "getcwd",
}

// runtimeReads are the files that Go's runtime reads of the kernel.
var runtimeReads = regexp.MustCompile(`^(/sys/kernel/mm/transparent_hugepage/hpage_pmd_size|/proc/(self|\d+)/(cgroup|mountinfo|auxv)|/sys/fs/cgroup/.*|/sys/devices/system/cpu/.*)$`)

// Lines of strace -f -y: "123 openat(3</dir>, "name", O_RDONLY) = 4</dir/name>",
// and the halves of a call that another thread's came between.
var (
	traceLine  = regexp.MustCompile(`^(\d+) +(.*)$`)
	traceFirst = regexp.MustCompile(`^(.*) *<unfinished \.\.\.>$`)
	traceRest  = regexp.MustCompile(`^<\.\.\. [a-z0-9_]+ resumed>(.*)$`)
	traceCall  = regexp.MustCompile(`^([a-z0-9_]+)\((.*)\) += (.*)$`)
	traceOpen  = regexp.MustCompile(`^[^"]*<([^>]*)>, "([^"]*)", (?:\{flags=)?([A-Z_|]+)`)
	traceGiven = regexp.MustCompile(`^\d+<([^>]*)>`)
)

// A trace is what a traced program did that matters.
type trace struct {
	opened []string // what was opened, whether it succeeded or not, by its real path
	wrong  []string // what a program that only reads does not do
	calls  int
}

// judge reads what strace wrote. Files in dir may be opened for reading.
func judge(text, dir string) trace {
	var tr trace
	half := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		m := traceLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		thread, rest := m[1], m[2]
		if first := traceFirst.FindStringSubmatch(rest); first != nil {
			half[thread] = first[1]
			continue
		}
		if second := traceRest.FindStringSubmatch(rest); second != nil {
			rest = half[thread] + second[1]
			delete(half, thread)
		}
		call := traceCall.FindStringSubmatch(rest)
		if call == nil {
			if !strings.HasPrefix(rest, "---") && !strings.HasPrefix(rest, "+++") && !strings.HasPrefix(rest, "exit") {
				tr.wrong = append(tr.wrong, "a line that nobody understands: "+line)
			}
			continue
		}
		tr.calls++
		tr.call(call[1], call[2], call[3], dir)
	}
	return tr
}

// call judges one system call.
func (tr *trace) call(name, args, result, dir string) {
	bad := func(why string) { tr.wrong = append(tr.wrong, fmt.Sprintf("%s: %s(%s) = %s", why, name, args, result)) }
	switch {
	case name == "execve":
		if tr.calls > 1 {
			bad("runs a program")
		}
	case name == "clone", name == "clone3":
		if !strings.Contains(args, "CLONE_THREAD") {
			bad("starts a process")
		}
	case name == "write":
		if fd := strings.SplitN(args, "<", 2); fd[0] != "1" && fd[0] != "2" && !strings.Contains(args, "<anon_inode:[eventfd]>") {
			bad("writes")
		}
	case name == "openat", name == "openat2":
		tr.open(args, result, dir, bad)
	case !slices.Contains(harmless, name):
		bad("a call that a reader does not need")
	}
}

func (tr *trace) open(args, result, dir string, bad func(string)) {
	m := traceOpen.FindStringSubmatch(args)
	if m == nil {
		bad("opens something unknown")
		return
	}
	path := m[2]
	if !filepath.IsAbs(path) {
		path = filepath.Join(m[1], path)
	}
	if real := traceGiven.FindStringSubmatch(result); real != nil {
		path = real[1]
	}
	tr.opened = append(tr.opened, path)
	for _, flag := range strings.Split(m[3], "|") {
		if slices.Contains([]string{"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE", "__O_TMPFILE"}, flag) {
			bad("opens for writing")
		}
	}
	if path != dir && !strings.HasPrefix(path, dir+"/") && !runtimeReads.MatchString(path) {
		bad("opens what it was not given")
	}
}

// straced runs a program under strace and returns what strace wrote. That the
// machine has no strace, or forbids it, is a failure.
func straced(t *testing.T, program string, args ...string) (text string, exit int) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("strace is missing: scripts/install-deps test installs it: %v", err)
	}
	out := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(strace, append([]string{"-f", "-qq", "-y", "-s", "4096", "-o", out, program}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	said, err := cmd.CombinedOutput()
	b, readErr := os.ReadFile(out)
	if readErr != nil || !strings.Contains(string(b), "execve(") {
		t.Fatalf("strace could not trace %s; this test needs a machine that allows ptrace (in a container: --cap-add SYS_PTRACE): %v %v\n%s", program, err, readErr, said)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

// auditor builds the program as a release has it and holds that it is static.
func auditor(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", file, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program is not static: it has a segment %v", p.Type)
		}
	}
	return file
}

// TestOpensNothingElse runs the program itself under strace: it reads the bundle
// and what Go's runtime asks of the kernel, follows no link out of it, and
// writes, connects to and starts nothing.
func TestOpensNothingElse(t *testing.T) {
	program := auditor(t)
	whole := bundletest.Make(t, bundletest.Ceremony{})
	linked := bundletest.Copy(t, whole)
	outside := t.TempDir()
	for _, name := range []string{"log.jsonl", "keys", "artifacts/root.pem"} {
		moved := filepath.Join(outside, filepath.Base(name))
		if err := os.Rename(linked.Path(name), moved); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(moved, linked.Path(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, dir string
		args      []string
		exit      int
		opened    []string
	}{
		{"whole", whole.Dir, nil, 0, []string{"audit.db", "log.jsonl", "transcript.pdf", "artifacts/root.pem", "keys/log-0.vkey"}},
		{"anchored, JSON", whole.Dir, []string{"--json", "--head", whole.Head}, 0, []string{"SHA256SUMS", "manifest"}},
		{"links", linked.Dir, nil, 1, []string{"audit.db", "transcript.pdf"}},
		{"nothing there", filepath.Join(outside, "none"), nil, 3, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(test.dir))
			if err != nil {
				t.Fatal(err)
			}
			dir = filepath.Join(dir, filepath.Base(test.dir))
			text, exit := straced(t, program, append(test.args, dir)...)
			if exit != test.exit {
				t.Errorf("exit %d, want %d", exit, test.exit)
			}
			tr := judge(text, dir)
			for _, w := range tr.wrong {
				t.Error(w)
			}
			for _, want := range test.opened {
				if !slices.Contains(tr.opened, filepath.Join(dir, want)) {
					t.Errorf("%s was not opened; opened were %q", want, tr.opened)
				}
			}
		})
	}
}

// TestJudgeSeesWrong holds the judge itself: what a program must not do is seen
// in the trace of programs that do it, and in lines as strace writes them.
func TestJudgeSeesWrong(t *testing.T) {
	dir := t.TempDir()
	text, _ := straced(t, "/bin/sh", "-c", "cat /etc/hostname >"+filepath.Join(dir, "new"))
	seen := strings.Join(judge(text, dir).wrong, "\n")
	for _, want := range []string{"opens for writing", "opens what it was not given", "runs a program", "a reader does not need: vfork("} {
		if !strings.Contains(seen, want) {
			t.Errorf("the judge did not see that the shell %s:\n%s", want, seen)
		}
	}
	const first = "7 execve(\"/p\", [\"/p\"], 0x7ff /* 1 var */) = 0\n"
	for _, test := range []struct{ line, want string }{
		{`7 openat(3</b>, "audit.db", O_RDONLY|O_CLOEXEC) = 4</b/audit.db>`, ""},
		{`7 openat(3</b>, "audit.db", O_RDWR|O_CLOEXEC) = 4</b/audit.db>`, "opens for writing"},
		{`7 openat(3</b>, "new", O_WRONLY|O_CREAT, 0600) = -1 EACCES (Permission denied)`, "opens for writing"},
		{`7 openat(3</b>, "keys", O_RDONLY) = 4</elsewhere/keys>`, "opens what it was not given"},
		{`7 openat(AT_FDCWD</b>, "../x", O_RDONLY) = -1 ENOENT (No such file or directory)`, "opens what it was not given"},
		{"7 openat(3</b>, \"keys\", O_RDONLY <unfinished ...>\n8 gettid() = 8\n7 <... openat resumed>) = 4</elsewhere>", "opens what it was not given"},
		{`7 openat(3</b>, "/bb", O_RDONLY) = 4</bb>`, "opens what it was not given"},
		{`7 write(1<pipe:[1]>, "x", 1) = 1`, ""},
		{`7 write(4</b/audit.db>, "x", 1) = 1`, "writes"},
		{`7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3`, "a reader does not need"},
		{`7 unlinkat(3</b>, "x", 0) = 0`, "a reader does not need"},
		{`7 renameat(3</b>, "x", 3</b>, "y") = 0`, "a reader does not need"},
		{`7 execve("/bin/sh", ["sh"], 0x7ff /* 1 var */) = 0`, "runs a program"},
		{`7 clone(child_stack=NULL, flags=SIGCHLD) = 9`, "starts a process"},
		{`7 what is this`, "nobody understands"},
		{`7 --- SIGURG {si_signo=SIGURG} ---`, ""},
	} {
		got := strings.Join(judge(first+test.line, "/b").wrong, "\n")
		if !strings.Contains(got, test.want) || (test.want == "") != (got == "") {
			t.Errorf("%s: the judge said %q, want %q", test.line, got, test.want)
		}
	}
}
