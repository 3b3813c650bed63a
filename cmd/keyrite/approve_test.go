package main

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/keyfile"
)

// asks puts approvals by a key of its own and by the SO-PIN custodian into the
// script of a stage, and returns the key's file.
func (s *stage) asks(count string) (keyFile string) {
	s.t.Helper()
	key, err := audit.GenerateWitnessKey("approver.example/manager", strings.NewReader(strings.Repeat("m", 32)))
	if err != nil {
		s.t.Fatal(err)
	}
	plain, err := keyfile.Plain(key)
	if err != nil {
		s.t.Fatal(err)
	}
	keyFile = filepath.Join(s.dir, "manager.key")
	if err := os.WriteFile(keyFile, plain, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.rewrite(func(script string) string {
		return strings.Replace(script, "\ntokens:\n", "\napprovals:\n  count: "+count+"\n  approvers:\n    - id: manager\n      name: Example Manager\n      key: "+key.Key().String()+"\n    - id: so-custodian\n\ntokens:\n", 1)
	})
	return keyFile
}

// rewrite changes the stage's script.
func (s *stage) rewrite(change func(string) string) {
	s.t.Helper()
	file := filepath.Join(s.dir, "script.yaml")
	b, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(change(string(b))), 0o644)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestApproved holds a production ceremony that asks for two approvals: one was
// signed before, the other is typed in the room from paper, wrong first.
func TestApproved(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	key := s.asks("2")
	c := openFull(t, s.dir, s.env, "approve", "script.yaml", "--key", key)
	c.sees("Type APPROVE to sign this")
	c.keys("approve\r")
	c.exits(1)
	c = openFull(t, s.dir, s.env, "approve", "script.yaml", "--key", key)
	c.sees("Type APPROVE to sign this")
	c.keys("APPROVE\r")
	c.exits(0)
	script, err := os.ReadFile(filepath.Join(s.dir, "script.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(script)
	words := strings.Join(audit.Words(sum[:]), " ")
	other := sha256.Sum256([]byte("another script"))

	c = s.run()
	c.until("Type the SHA-256 of the script from your approved paper")
	if strings.Contains(c.screen(), words) {
		t.Error("the screen shows what is to be typed from paper")
	}
	c.say(strings.Join(audit.Words(other[:]), " "))
	c.sees("is not the SHA-256 of this script")
	c.say(strings.ToUpper(words))
	c.until("second clock")
	c.say("!", "abort", "ABORT", "enough was shown")
	c.exits(1)
	s.problem("is not the SHA-256 of this script")
	approvals := logged[*audit.ScriptApproval](s)
	if len(approvals) != 2 || approvals[0].Person != "manager" || approvals[1].How != "paper" {
		t.Errorf("approvals: %+v", approvals)
	}
	kept, err := os.ReadFile(filepath.Join(s.out, bundle.ApprovalFile("manager")))
	if err != nil || string(kept) != approvals[0].Note {
		t.Errorf("the bundle has the note %q, %v", kept, err)
	}
	s.verified("Example Manager (signed note of ")
	paper := s.paper()
	if !strings.Contains(paper, "Script approved by") || !strings.Contains(paper, "Example Manager: signed note of") || !strings.Contains(paper, "typed its SHA-256 in the room from the approved paper") {
		t.Error("the cover does not say who approved the script")
	}
}

// TestNotApproved: nothing is begun without the approvals that are asked for;
// one who does not approve stops it before the first step, and a resume asks
// again.
func TestNotApproved(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	s.asks("2")
	out := s.keyrite(2, "run", "script.yaml", "--out", s.out)
	if !strings.Contains(out, "asks for 2 approval(s) and has 0; not approved by Example Manager (manager)") {
		t.Errorf("it says %q", out)
	}
	if _, err := os.Lstat(s.out); err == nil {
		t.Error("a bundle was begun")
	}
	s.rewrite(func(script string) string { return strings.Replace(script, "count: 2", "count: 1", 1) })
	c := s.run()
	c.until("Type the SHA-256 of the script from your approved paper")
	c.say("none")
	c.exits(4)
	c.sees("asks for 1 approval(s) and has 0")
	if n := len(logged[*audit.StepBegin](s)); n > 0 {
		t.Errorf("%d steps were begun", n)
	}
	c = s.resume()
	c.until("Type the SHA-256 of the script from your approved paper")
	c.say("!", "abort", "ABORT", "not approved")
	c.exits(1)
	s.verified("ABORTED")
}

// TestApprovalRestored takes the approver's note out of the bundle in a break, as
// a crash before it was written would: a resume writes it again from the log.
func TestApprovalRestored(t *testing.T) {
	t.Parallel()
	s := setUp(t, "production")
	key := s.asks("1")
	c := openFull(t, s.dir, s.env, "approve", "script.yaml", "--key", key)
	c.sees("Type APPROVE to sign this")
	c.keys("APPROVE\r")
	c.exits(0)
	c = s.run()
	c.until("second clock")
	c.say("!", "pause", "lunch")
	c.exits(4)
	note := filepath.Join(s.out, bundle.ApprovalFile("manager"))
	if err := os.Remove(note); err != nil {
		t.Fatal(err)
	}
	c = s.resume()
	c.until("second clock")
	c.say("!", "abort", "ABORT", "enough was shown")
	c.exits(1)
	kept, err := os.ReadFile(note)
	if approvals := logged[*audit.ScriptApproval](s); err != nil || len(approvals) != 1 || string(kept) != approvals[0].Note {
		t.Errorf("the bundle has the note %q, %v; the log %+v", kept, err, approvals)
	}
	s.verified("ABORTED")
}
