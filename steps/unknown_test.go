package steps_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
)

const deviating = `  "*/expected/*": "that the call succeeds"
  "*/happened/*": "the power went"
  "*/decided/*": "to do it again"
  "*/deviation/*": "@initials"
`

// TestWrongAnswers breaks the ceremony off around calls that last, and has the
// room answer wrongly what became of them. Nothing false may end up in the log:
// what the room says is proved on the token, and where it cannot stay, the room
// is asked again.
func TestWrongAnswers(t *testing.T) {
	dir := t.TempDir()
	commits := traced(t, dir)
	for name, c := range map[string]struct {
		function string
		side     string // before: the call's outcome is lost; after: it was never made
		said     string
		more     string // answers for what the room is asked then
		first    bool   // the first resume fails, and says this
		want     string
	}{
		"init that did not happen":     {"C_InitToken", "after", "it-happened", "", false, ""},
		"init that happened":           {"C_InitToken", "before", "it-did-not-happen", "", false, ""},
		"SO-PIN that was not set":      {"C_SetPIN", "after", "it-happened", "  \"new-so-pin/on-failure/*\": [\"repeat\"]\n" + deviating, false, ""},
		"user PIN that was not set":    {"C_InitPIN", "after", "it-happened", "  \"user-pin/on-failure/*\": [\"repeat\"]\n" + deviating, false, ""},
		"key that was made, adopted":   {"C_GenerateKeyPair", "before", "it-did-not-happen", "  \"make-root-key/adopt-key/*\": \"ours\"\n", false, ""},
		"key that was made, unknown":   {"C_GenerateKeyPair", "before", "it-cannot-be-known", "  \"make-root-key/adopt-key/*\": \"ours\"\n", false, ""},
		"key that was made, refused":   {"C_GenerateKeyPair", "before", "it-did-not-happen", "  \"make-root-key/adopt-key/*\": \"stop\"\n  \"make-root-key/on-failure/*\": \"abort\"\n" + meant, true, "aborted"},
		"key that was not made":        {"C_GenerateKeyPair", "after", "it-happened", "", false, ""},
		"SO-PIN of which none can say": {"C_SetPIN", "after", "it-cannot-be-known", "", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			at := 0
			for i, k := range commits {
				if k == "hsm-intent:"+c.function {
					at = i + 1
					break
				}
			}
			if at == 0 {
				t.Fatalf("no %s among %v", c.function, commits)
			}
			if c.side == "before" {
				at++ // the outcome's commit
			}
			d := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			if err := os.Mkdir(d, 0o755); err != nil {
				t.Fatal(err)
			}
			if out, err := spawn(d, "start", c.side+" "+strconv.Itoa(at), "", ""); err == nil {
				t.Fatalf("the child was not killed: %s", tail(out))
			}
			answers := strings.Replace(resumeAnswers("before", ""), "it-happened", c.said, 1) + c.more
			out, err := resumeWith(d, answers)
			if c.first {
				if err == nil || !bytes.Contains(out, []byte(c.want)) {
					t.Fatalf("resume: %v\n%s", err, tail(out))
				}
			} else if err != nil {
				t.Fatalf("resume: %v\n%s", err, tail(out))
			}
			if err := sound(filepath.Join(d, "bundle")); err != nil {
				t.Fatal(err)
			}
			if lines, err := os.ReadFile(filepath.Join(d, "bundle", "log.jsonl")); err != nil || !bytes.Contains(lines, []byte(`"as":"witness","person":"witness-1","typed":"EIW","what":"Of `+c.function+` it is said: `)) {
				t.Errorf("no witness has confirmed what became of the call: %v", err)
			}
		})
	}
}

// TestAbortedStaysAborted kills a ceremony at every durable commit after the
// room gave it up; a resume seals it as aborted and never goes on.
func TestAbortedStaysAborted(t *testing.T) {
	for n := range 40 {
		dir := t.TempDir()
		st, err := openStage(dir, "root-ca")
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(st.answers)
		if err != nil {
			t.Fatal(err)
		}
		abort := strings.Replace(string(b), `  "*/ready/*": "@initials"`, "  \"*/ready/*\": \"@initials\"\n  \"prove-login/ready/*\": \"!\"\n  \"prove-login/menu/*\": \"abort\"\n  \"prove-login/give-up/*\": \"@word\"\n  \"prove-login/reason/*\": \"the fire alarm\"", 1)
		if err := st.prepare([]byte(abort)); err != nil {
			t.Fatal(err)
		}
		broken := &failing{after: n}
		st.store = func(s ceremony.Store) ceremony.Store { broken.Store = s; return broken }
		err = st.start()
		if !broken.failed {
			if err == nil || !strings.Contains(err.Error(), "aborted") {
				t.Fatalf("the ceremony alone: %v", err)
			}
			t.Logf("%d durable commits after the abort", n)
			return
		}
		st.store = nil
		if err := st.prepare(append(b, resumeAnswers("after", "")...)); err != nil {
			t.Fatal(err)
		}
		if err := st.resume(); err == nil || !strings.Contains(err.Error(), "aborted") {
			t.Fatalf("failed %d commits after the abort, resumed: %v", n, err)
		}
		if err := sound(st.bundle()); err != nil {
			t.Fatalf("failed %d commits after the abort: %v", n, err)
		}
		entries := st.entries(t)
		if last, ok := entries[len(entries)-1].Data.(*audit.Close); !ok || last.Result != "aborted" {
			t.Fatalf("failed %d commits after the abort: the last entry is %+v", n, entries[len(entries)-1].Data)
		}
		if slices.ContainsFunc(entries, func(e *audit.Entry) bool { return e.Kind() == "key" }) {
			t.Fatalf("failed %d commits after the abort: a key was made", n)
		}
	}
	t.Fatal("the abort has more durable commits than this test tries")
}

// A failing store fails the n-th durable commit after the entry abort, and all
// later ones.
type failing struct {
	ceremony.Store
	after   int
	aborted bool
	failed  bool
}

func (f *failing) Append(from int64, entries [][]byte, checkpoint []byte, keep, sync bool) error {
	if f.aborted && sync {
		if f.after == 0 || f.failed {
			f.failed = true
			return os.ErrClosed
		}
		f.after--
	}
	for _, b := range entries {
		f.aborted = f.aborted || bytes.Contains(b, []byte(`"kind":"abort"`))
	}
	return f.Store.Append(from, entries, checkpoint, keep, sync)
}
