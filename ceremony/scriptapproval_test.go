package ceremony

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
)

// withApprovals puts approvals into the good script.
func withApprovals(t testing.TB, approvals string) string {
	t.Helper()
	before, after, ok := strings.Cut(goodScript(t), "tokens:\n")
	if !ok {
		t.Fatal("the good script has no tokens")
	}
	return before + approvals + "tokens:\n" + after
}

func approver(t testing.TB, name, seed string) *audit.WitnessSigner {
	t.Helper()
	s, err := audit.GenerateWitnessKey(name, strings.NewReader(strings.Repeat(seed, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestApprovalProblems: who may approve, and what is said of the rest.
func TestApprovalProblems(t *testing.T) {
	one, other := approver(t, "approver.example/one", "a").Key().String(), approver(t, "approver.example/other", "a").Key().String()
	for name, x := range map[string]struct{ approvals, want string }{
		"none of them":     {"approvals:\n  count: 0\n  approvers:\n    - id: wit\n", "approvals.count: expected 1 to 1, the number of approvers"},
		"too many":         {"approvals:\n  count: 2\n  approvers:\n    - id: wit\n", "approvals.count: expected 1 to 1, the number of approvers"},
		"administrator":    {"approvals:\n  count: 1\n  approvers:\n    - id: admin\n", `approvals.approvers[1].id: "admin" is the ceremony administrator: somebody else approves the script`},
		"no name":          {"approvals:\n  count: 1\n  approvers:\n    - id: boss\n      key: " + one + "\n", `approvals.approvers[1].id: "boss" is no participant: write the person's name, too`},
		"no key":           {"approvals:\n  count: 1\n  approvers:\n    - id: boss\n      name: Example Head\n", `approvals.approvers[1].id: "boss" is no participant and cannot approve in the room`},
		"a name too many":  {"approvals:\n  count: 1\n  approvers:\n    - id: wit\n      name: Example Head\n", `approvals.approvers[1].name: "wit" is a participant, whose name stands there already: leave the name out`},
		"twice":            {"approvals:\n  count: 1\n  approvers:\n    - id: wit\n    - id: wit\n", `approvals.approvers[2].id: "wit" is there twice`},
		"one key for two":  {"approvals:\n  count: 1\n  approvers:\n    - id: wit\n      key: " + one + "\n    - id: boss\n      name: Example Head\n      key: " + other + "\n", `approvals.approvers[2].key: the public key `},
		"no key at all":    {"approvals:\n  count: 1\n  approvers:\n    - id: wit\n      key: abc\n", `approvals.approvers[1].key: parsing witness key "abc"`},
		"an unknown field": {"approvals:\n  count: 1\n  by: wit\n  approvers:\n    - id: wit\n", `approvals.by: `},
	} {
		text := strings.ReplaceAll(withApprovals(t, x.approvals), "- id: wit\n", "- id: "+witnessOf(t)+"\n")
		want := strings.ReplaceAll(x.want, `"wit"`, `"`+witnessOf(t)+`"`)
		_, problems := ParseAndCheck("c.yaml", []byte(text), testKinds())
		if !strings.Contains(problems.Error(), want) || !strings.HasPrefix(problems.Error(), "c.yaml:") {
			t.Errorf("%s: %v\nwant %s", name, problems, want)
		}
	}
}

// witnessOf is the id of a participant of the good script who may approve.
func witnessOf(t testing.TB) string {
	t.Helper()
	s, problems := ParseAndCheck("c.yaml", []byte(goodScript(t)), testKinds())
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	for i := range s.Participants {
		if s.Participants[i].IsWitness() {
			return s.Participants[i].ID
		}
	}
	t.Fatal("no witness")
	return ""
}

// TestApproval reads notes: the right one, and all that are not.
func TestApproval(t *testing.T) {
	boss, stranger := approver(t, "approver.example/boss", "b"), approver(t, "approver.example/boss", "c")
	wit := witnessOf(t)
	script := []byte(withApprovals(t, "approvals:\n  count: 2\n  approvers:\n    - id: boss\n      name: Example Head\n      key: "+boss.Key().String()+"\n    - id: "+wit+"\n"))
	s, problems := ParseAndCheck("c.yaml", script, testKinds())
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	if id := s.ApproverWithKey(boss.Key().String()); id != "boss" || s.ApproverWithKey("") != "" || s.ApproverWithKey(stranger.Key().String()) != "" {
		t.Errorf("the key is that of %q", id)
	}
	note := func(by *audit.WitnessSigner, of []byte, title, mode string) []byte {
		b, err := by.SignScriptApproval(audit.ScriptApprovalNote{Script: audit.Hash(sha(of)), Mode: mode, Title: title, At: time.Unix(1700000000, 0)})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	a, err := s.Approval(script, note(boss, script, s.Title, s.Mode))
	if err != nil || a.Person != "boss" || a.Name != "Example Head" || a.How != ByNote {
		t.Fatalf("%+v, %v", a, err)
	}
	for name, bad := range map[string][]byte{
		"another script": note(boss, []byte("x"), s.Title, s.Mode), "another key": note(stranger, script, s.Title, s.Mode),
		"another title": note(boss, script, "Another", s.Mode), "another mode": note(boss, script, s.Title, Rehearsal), "no note": []byte("approved"),
	} {
		got, err := s.Approval(script, bad)
		if err == nil || errors.Is(err, ErrOtherScriptApproved) != (name == "another script") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	given := []*audit.ScriptApproval{a, a}
	if got := s.InRoom(given); len(got) != 1 || got[0] != wit {
		t.Errorf("in the room: %q", got)
	}
	if got := s.ApprovalsMissing(given, true); got != "" {
		t.Errorf("with the room: %q", got)
	}
	if got := s.ApprovalsMissing(given, false); !strings.Contains(got, "asks for 2 approval(s) and has 1; not approved by") || !strings.Contains(got, "("+wit+")") {
		t.Errorf("missing: %q", got)
	}
	if got := s.ApprovalsMissing(nil, true); !strings.Contains(got, "has 0") {
		t.Errorf("nobody approved: %q", got)
	}
	if _, err := Start(Config{Script: s, ScriptBytes: script, Mode: Production, Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "2 approval(s)") {
		t.Errorf("a ceremony starts without approvals: %v", err)
	}
}

// TestTypedHash: words or digits, in any case, whole.
func TestTypedHash(t *testing.T) {
	sum := FileOf("", []byte("x")).SHA256
	b := sha([]byte("x"))
	words := strings.Join(audit.Words(b[:]), " ")
	for typed, want := range map[string]bool{
		sum: true, strings.ToUpper(sum): true, sum[:32] + " " + sum[32:]: true, words: true, strings.ToUpper(words): true,
		sum[:63]: false, strings.Join(audit.Words(b[:31]), " "): false, "": false, "none": false, FileOf("", nil).SHA256: false,
	} {
		if TypedHash(typed, sum) != want {
			t.Errorf("%q: %v", typed, !want)
		}
	}
}

func sha(b []byte) [32]byte { return sha256.Sum256(b) }
