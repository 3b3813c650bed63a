package steps_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
)

const aDeputy = "  - {id: deputy, name: Example Deputy Custodian, initials: EDC, roles: [user-pin-custodian], alternate_for: user-2}\n"

// holders returns the short ceremony with shares, changed; paper keeps what its
// people write down.
func holders(t *testing.T, more string, changes ...string) *stage {
	t.Helper()
	st := &stage{dir: t.TempDir(), out: io.Discard}
	st.answers = filepath.Join(st.dir, "answers.yaml")
	if err := st.share(more); err != nil {
		t.Fatal(err)
	}
	script := sharedScript
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(script, changes[i]) {
			t.Fatalf("the script has no %q", changes[i])
		}
		script = strings.Replace(script, changes[i], changes[i+1], 1)
	}
	st.script = []byte(script)
	return st
}

// values are the recorded answers to a question that begins so.
func values(entries []*audit.Entry, question string) string {
	var all []string
	for _, e := range entries {
		if d, ok := e.Data.(*audit.Answer); ok && strings.HasPrefix(d.Question, question) {
			all = append(all, d.Value)
		}
	}
	return strings.Join(all, "\n")
}

const stillRight = "  - {id: still-right, kind: secret-check, title: The shares are still right, actor: administrator, token: hsm, pin: user}\n"

// TestAlternateHoldsShare: an alternate of a share's custodian gets the share, types
// it back, gives it, and has it checked, in this ceremony and in a later one for
// which the same people come.
func TestAlternateHoldsShare(t *testing.T) {
	const absent = "  \"roll-call/present/user-2\": \"no\"\n"
	st := holders(t, absent, "tokens:\n", aDeputy+"tokens:\n", "  - {id: the-end", stillRight+"  - {id: the-end")
	if err := st.start(); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	var commitments []string
	shares, _ := entriesOf[*audit.Share](entries)
	for _, d := range shares {
		if d.Secret == "user PIN" {
			commitments = append(commitments, d.Commitment)
		}
		if d.Person == "user-2" || d.Secret == "user PIN" && d.Index == 2 && d.Person != "deputy" {
			t.Errorf("a share of %s: %+v", d.Person, d)
		}
	}
	const gives = "user-1|current|user PIN|share|accepted\ndeputy|current|user PIN|share|accepted\n"
	check := func(against string) {
		t.Helper()
		entries := st.entries(t)
		if got := secretsOf(entries, "prove-login"); got != gives {
			t.Errorf("prove-login:\n%s", got)
		}
		checked, _ := entriesOf[*audit.ShareCheck](entries)
		if len(checked) != 2 || checked[1].Person != "deputy" || checked[1].Result != "right" || checked[1].Against != against {
			t.Errorf("checked: %+v", checked)
		}
	}
	check("this log")

	if err := os.Rename(st.bundle(), st.dir+"/first"); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(st.script), "  - {id: init-token")
	head = strings.Replace(head, "user_pin: {", "user_pin: {commitments: ["+strings.Join(commitments, ", ")+"], ", 1)
	st.script = []byte(head + stillRight + "  - {id: prove-login, kind: login-proof, title: Log in, actor: administrator, token: hsm}\n  - {id: the-end, kind: close, title: Close, actor: administrator}\n")
	if err := st.prepare([]byte(sharedAnswers + absent)); err != nil {
		t.Fatal(err)
	}
	if err := st.start(); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	check("script")
}

// TestOnePersonOneShare: whoever has a part of a PIN gets no second one by taking an
// absent custodian's place, by the script or by decision of the room; they are named
// at the roll call, and nothing was asked of the token.
func TestOnePersonOneShare(t *testing.T) {
	const (
		deviates = "  \"roll-call/expected/*\": \"all custodians\"\n  \"roll-call/happened/*\": \"one is missing\"\n  \"roll-call/decided/*\": \"another stands in\"\n"
		user1    = "Example Custodian 3 (ECR) holds a part of the user PIN of token \"hsm\" already, and one person holds one part"
	)
	for name, c := range map[string]struct {
		answers, want, problem string
		changes                []string
	}{
		"a holder, by decision": {
			"  \"roll-call/present/user-2\": \"no\"\n  \"roll-call/alternate/*\": \"nobody\"\n",
			user1, "Example Custodian 4 (ECS) must be here and is absent", nil,
		},
		"an alternate for two": {
			"  \"roll-call/present/so-2\": \"no\"\n  \"roll-call/present/user-2\": \"no\"\n  \"roll-call/alternate/*\": [\"deputy\", \"nobody\"]\n" + deviates,
			"Example Custodian 1 (ECP) holds a part of the SO-PIN of token \"hsm\" already, and one person holds one part\n" +
				"Example Deputy Custodian (EDC) takes the place of Example Custodian 2 (ECQ) already\n" + user1 + "; Example Deputy Custodian (EDC) takes the place of Example Custodian 2 (ECQ) already",
			"Example Custodian 4 (ECS) must be here and is absent", []string{"tokens:\n", aDeputy + "tokens:\n"},
		},
		"both halves of a PIN": {
			"  \"roll-call/present/user-2\": \"no\"\n  \"roll-call/alternate/*\": \"nobody\"\n",
			user1, "Example Custodian 4 (ECS) must be here and is absent",
			[]string{"user_pin: {way: shares, custodians: [user-1, user-2], threshold: 2}", "user_pin: {way: halves, custodians: [user-1, user-2]}"},
		},
		"halves of two PINs": {
			"  \"roll-call/present/user-2\": \"no\"\n  \"roll-call/alternate/*\": \"nobody\"\n",
			"Example Custodian 1 (ECP) holds a part of the PINs of token \"hsm\" already, and one person holds one part; " +
				"Example Custodian 2 (ECQ) holds a part of the PINs of token \"hsm\" already, and one person holds one part; " + user1,
			"Example Custodian 4 (ECS) must be here and is absent",
			[]string{
				"user_pin: {way: shares, custodians: [user-1, user-2], threshold: 2}", "user_pin: {way: halves, custodians: [user-1, user-2]}",
				"so_pin: {way: shares, custodians: [so-1, so-2], threshold: 2}", "so_pin: {way: halves, custodians: [so-1, so-2]}",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			st := holders(t, c.answers+abortOnFailure, c.changes...)
			entries := aborted(t, st, st.start())
			if got := values(entries, "who cannot take the place of "); got != c.want {
				t.Errorf("refused:\n%s\nwant:\n%s", got, c.want)
			}
			if p := problems(entries); !strings.Contains(p, "the ceremony cannot start: "+c.problem) {
				t.Errorf("problems: %s", p)
			}
			for _, e := range entries {
				if d, ok := e.Data.(*audit.Alternate); ok && (d.Absent == "user-2" || d.Person == "user-1") {
					t.Errorf("entry %d: %+v", e.Seq, d)
				}
				if d, ok := e.Data.(*audit.HSMIntent); ok && e.Step != "" && e.Step != "roll-call" {
					t.Errorf("entry %d: %s in %s", e.Seq, d.Function, e.Step)
				}
			}
		})
	}
}

// threeHolders adds a custodian of the user PIN, so that one of three may be away.
var threeHolders = []string{
	"tokens:\n", "  - {id: user-3, name: Example Custodian 5, initials: ECT, roles: [user-pin-custodian]}\ntokens:\n",
	"[user-1, user-2], threshold: 2", "[user-1, user-2, user-3], threshold: 2",
}

// TestTooFewHolders: with fewer holders of shares in the room than it takes, a login
// waits for one who left; if they did not come, the step is refused and says who is
// missing. The token is not asked in either.
func TestTooFewHolders(t *testing.T) {
	t.Run("left", func(t *testing.T) {
		st := holders(t, "  \"prove-login/ready/administrator\": [\"!\", \"!\", \"@initials\"]\n  \"prove-login/menu/*\": [\"leave\", \"leave\"]\n  \"prove-login/who-leaves/*\": [\"user-1\", \"user-3\"]\n"+
			"  \"prove-login/leaves-because/*\": \"a call\"\n  \"prove-login/back/user-1\": \"back\"\n", threeHolders...)
		if err := st.start(); err != nil {
			t.Fatal(err)
		}
		if err := sound(st.bundle()); err != nil {
			t.Fatal(err)
		}
		entries := st.entries(t)
		back := slices.IndexFunc(entries, func(e *audit.Entry) bool {
			d, ok := e.Data.(*audit.Presence)
			return ok && e.Step == "prove-login" && d.Person == "user-1" && d.Present
		})
		login := slices.IndexFunc(entries, func(e *audit.Entry) bool {
			d, ok := e.Data.(*audit.HSMIntent)
			return ok && e.Step == "prove-login" && d.Function == "C_Login"
		})
		if back < 0 || login < back {
			t.Errorf("back in entry %d, login in %d", back, login)
		}
	})
	t.Run("absent", func(t *testing.T) {
		again := "  - {id: second-call, kind: attendance, title: Second roll call, actor: administrator, required: [administrator]}\n"
		st := holders(t, "  \"second-call/present/user-1\": \"no\"\n  \"second-call/present/user-3\": \"no\"\n"+abortOnFailure,
			append(slices.Clone(threeHolders), "  - {id: prove-login", again+"  - {id: prove-login")...)
		entries := aborted(t, st, st.start())
		if p := problems(entries); p != `the user PIN of token "hsm" needs 2 of its 3 custodians with their shares, and Example Custodian 3 (ECR), Example Custodian 5 (ECT) are absent` {
			t.Errorf("problems: %s", p)
		}
		if n := len(calls(entries, "prove-login", "C_Login")); n != 0 {
			t.Errorf("%d logins", n)
		}
	})
}
