package steps_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/verify"
	"github.com/keyrite/keyrite/templates"
)

// afterBreak are the answers of a room that goes on and noted no head.
const afterBreak = `  "resume/head/*": "none"
  "resume/custody/*": "the user PIN custodian, in the safe"
  "resume/bag/*": "B-17"
  "resume/adopt/*": "@initials"
  "resume/power-cycled/*": "@initials"
`

// goOn resumes the root ceremony with more answers.
func (st *stage) goOn(more string) error {
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.answers.yaml")
	if err != nil {
		return err
	}
	if err := st.prepare([]byte(string(b) + afterBreak + more)); err != nil {
		return err
	}
	return st.resume()
}

// pausing is the answer of a room that pauses before a step acts.
func pausing(step string) string {
	return "  \"" + step + "/ready/*\": \"!\"\n  \"*/menu/*\": \"pause\"\n  \"*/reason/*\": \"lunch\"\n"
}

// paused runs the root ceremony up to a step.
func paused(t *testing.T, step string) *stage {
	t.Helper()
	st, err := play(t, "root-ca", nil, pausing(step))
	var stop *ceremony.Stop
	if !errors.As(err, &stop) || stop.Abort {
		t.Fatalf("expected a pause, got %v", err)
	}
	return st
}

// head returns the words that a room would note.
func (st *stage) head(t *testing.T) string {
	t.Helper()
	store, err := sqlite.OpenReader(filepath.Join(st.bundle(), bundle.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	b, err := store.Head()
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := audit.Cosignatures(b)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(audit.Words(p.Root[:])[:5], " ")
}

// typing is the answer of people who noted a head.
func typing(head string, people ...string) string {
	var b strings.Builder
	for _, p := range people {
		b.WriteString("  \"resume/head/" + p + "\": \"" + head + "\"\n")
	}
	return b.String()
}

// TestHeadCompared: what counts is what people typed, two of them and one a
// witness; a head of this log that was noted earlier counts as that.
func TestHeadCompared(t *testing.T) {
	for name, c := range map[string]struct {
		people []string
		old    bool
		seen   string
	}{
		"actor and witness": {[]string{"administrator", "witness-2"}, false, "typed"},
		"two witnesses":     {[]string{"witness-1", "witness-2"}, false, "typed"},
		"one witness":       {[]string{"witness-1"}, false, "not available"},
		"an earlier head":   {[]string{"witness-1", "witness-2"}, true, "earlier"},
		"nobody":            {nil, false, "not available"},
		"the administrator": {[]string{"administrator"}, false, "not available"},
	} {
		t.Run(name, func(t *testing.T) {
			st := paused(t, "see-token")
			head := st.head(t)
			if c.old {
				if err := st.goOn(typing(head, "witness-1", "witness-2") + pausing("see-token")); err == nil {
					t.Fatal("expected a second pause")
				}
			}
			if err := st.goOn(typing(head, c.people...) + pausing("see-token")); err == nil {
				t.Fatal("expected another pause")
			}
			all, _ := entriesOf[*audit.SegmentAdopt](st.entries(t))
			d := all[len(all)-1]
			if d.Seen != c.seen || len(d.Typed) != len(c.people) || d.Bag != "B-17" || d.Custody == "" || len(d.People) != 5 {
				t.Errorf("adoption: %+v", d)
			}
			r, err := verify.Bundle(st.bundle(), verify.Options{Recompose: recompose})
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != verify.NotClosed || r.Has(verify.HeadNotCompared) != (c.seen != "typed") {
				t.Errorf("verdict %s, findings %+v", r.Verdict, r.Findings)
			}
		})
	}
}

// TestRollback: the folder of an earlier break is put back, and the room knows
// a later head: the run stops, and nothing is written.
func TestRollback(t *testing.T) {
	st := paused(t, "see-token")
	old := filepath.Join(st.dir, "old")
	if err := os.CopyFS(old, os.DirFS(st.bundle())); err != nil {
		t.Fatal(err)
	}
	if err := st.goOn(pausing("init-token")); err == nil {
		t.Fatal("expected a second pause")
	}
	noted := st.head(t)
	if err := os.Rename(st.bundle(), filepath.Join(st.dir, "new")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(old, st.bundle()); err != nil {
		t.Fatal(err)
	}
	before := folder(t, st.bundle())
	err := st.goOn(typing(noted, "witness-1"))
	var rollback *ceremony.Rollback
	if !errors.As(err, &rollback) || !strings.Contains(err.Error(), "ROLLBACK") || !strings.Contains(err.Error(), noted) {
		t.Fatalf("the old folder was taken: %v", err)
	}
	if after := folder(t, st.bundle()); !slices.EqualFunc(before, after, bytes.Equal) {
		t.Error("something was written into the folder that was put back")
	}
}

// folder returns names and content of a folder's files, without what SQLite
// keeps beside a database that is open.
func folder(t *testing.T, dir string) (all [][]byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, "-wal") {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, []byte(path), b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// another runs a program of somebody else on the token.
func (st *stage) another(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("pkcs11-tool", append([]string{"--module", st.lib.Path(), "--token-label", "Example Root CA R1"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil && !strings.Contains(string(out), "CKR_PIN_INCORRECT") {
		t.Fatalf("pkcs11-tool %v: %v\n%s", args, err, out)
	}
}

// TestTokenChangedInBreak: a key that another program made while the log did
// not look, and a PIN that it tried, are found when the ceremony goes on, and
// the room decides.
func TestTokenChangedInBreak(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a key":       {[]string{"--login", "--pin", "73920461", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "intruder", "--id", "99"}, `unexpected CKO_PUBLIC_KEY "intruder" (id 99)`},
		"a wrong PIN": {[]string{"--login", "--pin", "11111111", "--list-objects"}, "CKF_USER_PIN_COUNT_LOW"},
	} {
		t.Run(name, func(t *testing.T) {
			st := paused(t, "first-crl")
			st.another(t, c.args...)
			err := st.goOn("  \"resume/differs/*\": \"abort\"\n")
			entries := aborted(t, st, err)
			inventories, _ := entriesOf[*audit.Inventory](entries)
			found := false
			for _, d := range inventories {
				found = found || strings.Contains(strings.Join(d.Differs, "; "), c.want)
			}
			decisions, _ := entriesOf[*audit.Decision](entries)
			if !found || len(decisions) == 0 || !strings.Contains(decisions[len(decisions)-1].Question, c.want) || decisions[len(decisions)-1].Chosen != "abort" {
				t.Errorf("inventories %+v, decisions %+v", inventories, decisions)
			}
		})
	}
}

// A meddler does something when a prompt is put.
type meddler struct {
	room.Room
	at string
	do func()
}

// Ask meddles once.
func (m *meddler) Ask(p room.Prompt) (string, error) {
	if p.Key == m.at && m.do != nil {
		m.do()
		m.do = nil
	}
	return m.Room.Ask(p)
}

// TestTokenUsedBetweenCalls: another program tries a PIN while a step waits: the
// token's own flags tell, and the log says so.
func TestTokenUsedBetweenCalls(t *testing.T) {
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	st.room = func(r room.Room) room.Room {
		return &meddler{r, "first-crl/ready/user-custodian", func() { st.another(t, "--login", "--pin", "11111111", "--list-objects") }}
	}
	if err := st.start(); err != nil {
		t.Fatal(err)
	}
	if got := problems(st.entries(t)); !strings.Contains(got, "CKF_USER_PIN_COUNT_LOW") || !strings.Contains(got, "another program") {
		t.Errorf("problems: %q", got)
	}
	if err := sound(st.bundle()); err != nil {
		t.Error(err)
	}
}
