package pcsc_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/simcard/pcsc"
)

// TestExplorer: opensc-explorer, which a person types commands to, by a script
// on its standard input. It lists the card's files and reads one, is refused a
// wrong PIN and given the right one, writes a file and reads it back.
func TestExplorer(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	out := r.explore(t, "cd aid:E82B0601040181C31F0201", "ls", "info 2F02", "cat 2F02",
		"verify CHV129 31:31:31:31:31:31", "verify CHV129 36:34:38:32:31:39", "random 8",
		"apdu 00 D7 CD 01 0B 54 02 00 00 53 05 48 45 4C 4C 4F", "cat CD01", "apdu 00 E4 02 00 02 CD 01", "cat CD01", "quit")
	for _, want := range []string{"2F02", "ZZSIM000001", "Incorrect code, 2 tries left", "Code correct", "SW1=0x90, SW2=0x00", "HELLO"} {
		if !strings.Contains(out, want) {
			t.Errorf("opensc-explorer does not print %q:\n%s", want, out)
		}
	}
	r.run(t, []string{"User PIN tries left  : 3"}, "sc-hsm-tool")
}

// explore runs opensc-explorer on commands and returns what it printed.
func (r *rig) explore(t *testing.T, commands ...string) string {
	t.Helper()
	path, err := exec.LookPath("opensc-explorer")
	if err != nil {
		t.Fatalf("%v: type scripts/install-deps test", err)
	}
	cmd := exec.Command(path, "--reader", "0")
	cmd.Dir, cmd.Env = r.dir, append(os.Environ(), pcsc.SocketEnv+"="+r.daemon.Socket())
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("opensc-explorer: %v\n%s", err, out)
	}
	return string(out)
}
