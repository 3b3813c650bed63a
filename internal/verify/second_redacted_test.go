package verify

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/redact"
	"github.com/keyrite/keyrite/internal/verify/bundletest"
)

// shown are the entries of a bundle's log by kind; those that are hidden have
// none.
func shown(t *testing.T, b *bundletest.Bundle) (kinds map[string][]int64, all [][]byte) {
	t.Helper()
	kinds = map[string][]int64{}
	for line := range bytes.Lines(b.Read(t, bundle.LogFile)) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if e, err := audit.Parse(line); err == nil {
			kinds[e.Kind()] = append(kinds[e.Kind()], e.Seq)
		}
		all = append(all, line)
	}
	return kinds, all
}

// redactedCopy makes a copy of a bundle in which something is hidden.
func redactedCopy(t *testing.T, b *bundletest.Bundle, hide ...string) *bundletest.Bundle {
	t.Helper()
	s, err := redact.ParseSelection(hide)
	if err != nil {
		t.Fatal(err)
	}
	c := *b
	c.Dir = filepath.Join(t.TempDir(), "copy")
	if _, err := redact.Copy(b.Dir, c.Dir, s); err != nil {
		t.Fatal(err)
	}
	return &c
}

// hideByHand puts a hash in an entry's place, in both stores.
func hideByHand(t *testing.T, c *bundletest.Bundle, seq int64, hash func(audit.Hash) audit.Hash) {
	t.Helper()
	_, all := shown(t, c)
	all[seq] = audit.Hidden{Seq: seq, Hash: hash(audit.StatedHash(all[seq]))}.Marshal()
	c.Write(t, bundle.LogFile, append(bytes.Join(all, []byte("\n")), '\n'))
	sqlite3(t, c, fmt.Sprintf("UPDATE entry SET body=CAST('%s' AS BLOB) WHERE seq=%d", all[seq], seq))
}

func same(h audit.Hash) audit.Hash { return h }

func other(h audit.Hash) audit.Hash { h[7] ^= 1; return h }

// say makes the file redacted of a copy name what is hidden in it, after a
// change.
func say(t *testing.T, c *bundletest.Bundle, change func(r *bundle.Redaction)) {
	t.Helper()
	r, err := bundle.ParseRedaction(string(c.Read(t, bundle.RedactedFile)))
	if err != nil {
		t.Fatal(err)
	}
	r.Hidden = nil
	_, all := shown(t, c)
	for i, line := range all {
		seq := int64(i)
		if _, hidden := audit.ParseHidden(line); !hidden {
			continue
		}
		if n := len(r.Hidden); n > 0 && r.Hidden[n-1].To+1 == seq {
			r.Hidden[n-1].To = seq
		} else {
			r.Hidden = append(r.Hidden, bundle.Range{From: seq, To: seq})
		}
	}
	change(r)
	c.Write(t, bundle.RedactedFile, []byte(r.Text()))
}

func removeFile(t *testing.T, c *bundletest.Bundle, name string) {
	t.Helper()
	if err := os.Remove(c.Path(name)); err != nil {
		t.Fatal(err)
	}
}

// redactionTamperings are changes to a copy of a bundle that hides who was
// there; each leaves the sums, and nearly all the manifest, as they were.
func redactionTamperings(b *bundletest.Bundle, kinds map[string][]int64) map[string]func(t *testing.T, c *bundletest.Bundle) {
	hidden, nothing := kinds["attendance"][0], func(*bundle.Redaction) {}
	hideAndSay := func(seq int64) func(t *testing.T, c *bundletest.Bundle) {
		return func(t *testing.T, c *bundletest.Bundle) {
			hideByHand(t, c, seq, same)
			say(t, c, nothing)
		}
	}
	return map[string]func(t *testing.T, c *bundletest.Bundle){
		"another hash":                func(t *testing.T, c *bundletest.Bundle) { hideByHand(t, c, hidden, other) },
		"an entry hidden, not named":  func(t *testing.T, c *bundletest.Bundle) { hideByHand(t, c, kinds["verdict"][0], same) },
		"no file says that it is one": func(t *testing.T, c *bundletest.Bundle) { removeFile(t, c, bundle.RedactedFile) },
		"the first entry hidden":      hideAndSay(0),
		"the close hidden":            hideAndSay(kinds["close"][0]),
		"a new segment hidden":        hideAndSay(kinds["segment-open"][0]),
		"hidden in one store alone": func(t *testing.T, c *bundletest.Bundle) {
			c.Write(t, bundle.LogFile, b.Read(t, bundle.LogFile))
		},
		"an entry named that is not there": func(t *testing.T, c *bundletest.Bundle) {
			say(t, c, func(r *bundle.Redaction) { r.Hidden = append(r.Hidden, bundle.Range{From: 9999, To: 9999}) })
		},
		"a line changed": func(t *testing.T, c *bundletest.Bundle) {
			replace(t, c, bundle.RedactedFile, "\nreplaced audit.db\n", "\nreplaced log.jsonl\n")
		},
		"of another log": func(t *testing.T, c *bundletest.Bundle) {
			say(t, c, func(r *bundle.Redaction) { r.Origin = strings.Replace(r.Origin, "rehearsal", "production", 1) })
		},
		"a file left out that is there": func(t *testing.T, c *bundletest.Bundle) {
			say(t, c, func(r *bundle.Redaction) { r.LeftOut = append([]string{"artifacts/root.pem"}, r.LeftOut...) })
		},
		"a file left out that a shown entry binds": func(t *testing.T, c *bundletest.Bundle) {
			removeFile(t, c, "artifacts/root.pem")
			say(t, c, func(r *bundle.Redaction) { r.LeftOut = append([]string{"artifacts/root.pem"}, r.LeftOut...) })
		},
		"a file missing that is not named": func(t *testing.T, c *bundletest.Bundle) {
			say(t, c, func(r *bundle.Redaction) { r.LeftOut = nil })
		},
		"a file changed": func(t *testing.T, c *bundletest.Bundle) {
			c.Write(t, "artifacts/root.pem", c.Read(t, "artifacts/sub-ca.pem"))
		},
		"the sum of a replaced file": func(t *testing.T, c *bundletest.Bundle) {
			sums := c.Read(t, bundle.SumsFile)
			at := bytes.Index(sums, []byte("  "+bundle.LogFile)) - 1
			sums[at] = map[bool]byte{true: '1', false: '0'}[sums[at] == '0']
			c.Write(t, bundle.SumsFile, sums)
		},
	}
}

// Whatever of a sound bundle is hidden, both verifiers take the copy; what was
// done to a copy by hand, both find.
func TestSecondRedacted(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{
		NoPDF: true, Pause: true, Cosign: []string{"wil"}, Final: []string{"wil", "ewa"}, SignVerdicts: true,
		Keys: map[string]*audit.WitnessSigner{"wil": aKey(t, "witness.example.org/wil", 1), "ewa": aKey(t, "witness.example.org/ewa", 2)},
	})
	kinds, all := shown(t, b)
	hide := [][]string{{"step=sub-certificate"}, {"person=wil"}, {"kind=attendance", "step=root-key"}}
	for kind := range kinds {
		if _, err := redact.ParseSelection([]string{"kind=" + kind}); err == nil {
			hide = append(hide, []string{"kind=" + kind})
		}
	}
	sign := slices.IndexFunc(all, func(line []byte) bool { return bytes.Contains(line, []byte(`"function":"C_Sign"`)) })
	hide = append(hide, []string{fmt.Sprintf("entry=%d", sign)}, []string{fmt.Sprintf("entry=%d", sign+1)})
	var jobs []secondJob
	for _, what := range hide {
		job := judge(t, strings.Join(what, " "), redactedCopy(t, b, what...), Options{Head: b.Head})
		if jobs = append(jobs, job); job.fail {
			t.Errorf("%s: %s", job.name, job.why)
		}
	}
	for name, change := range redactionTamperings(b, kinds) {
		c := redactedCopy(t, b, "kind=attendance")
		change(t, c)
		job := judge(t, name, c, Options{Head: b.Head})
		if jobs = append(jobs, job); !job.fail {
			t.Errorf("%s: nothing found", name)
		}
	}
	whole := bundletest.Copy(t, b)
	whole.Write(t, bundle.RedactedFile, nil)
	compare(t, append(jobs, judge(t, "nothing hidden", whole, Options{})))
}

// The program in Python says of a copy how much is hidden, and does not say that
// all holds.
func TestSecondRedactedCommand(t *testing.T) {
	b := bundletest.Make(t, bundletest.Ceremony{NoPDF: true})
	kinds, _ := shown(t, b)
	hidden := len(kinds["attendance"]) + len(kinds["transcript"])
	c := redactedCopy(t, b, "kind=attendance")
	out, err := exec.Command("python3", "-B", "../../docs/examples/verify.py", "--head", b.Head, c.Dir).CombinedOutput()
	want := fmt.Sprintf("redacted: %d entries are hidden, and checks that need them could not be made\n", hidden)
	if err != nil || !strings.HasPrefix(string(out), want) || !strings.HasSuffix(string(out), ": what is shown holds\n") {
		t.Errorf("%v, %s", err, out)
	}
}
