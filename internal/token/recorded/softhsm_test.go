package recorded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/tokentest"
)

// TestSoftHSM2Untouched: with a log that cannot be written, a real SoftHSM2
// token is byte for byte what it was, whatever is called.
func TestSoftHSM2Untouched(t *testing.T) {
	env := tokentest.SoftHSM(t)
	inner := env.Open(t)
	st := stageOn(t, inner)
	st.log.dead = true
	before := snapshot(t, env.Dir)
	for _, f := range token.Functions {
		if f.Effect() == token.Leaves {
			continue
		}
		_, err := st.m.Do(st.calls[f])
		var refused *NotRecorded
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", f, err)
		}
		if snapshot(t, env.Dir) != before {
			t.Fatalf("%s changed the token's files", f)
		}
	}
	session := st.calls[token.Logout].Session
	if _, err := inner.Do(token.Call{Function: token.GetSessionInfo, Session: session}); err != nil {
		t.Fatalf("the session is gone: %v", err)
	}
	// Those that leave the token still do.
	for _, f := range []token.Function{token.Logout, token.CloseSession, token.CloseAllSessions, token.Finalize} {
		if _, err := st.m.Do(st.calls[f]); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	if got := len(st.m.Unrecorded()); got != 4 {
		t.Errorf("%d calls unrecorded", got)
	}
	_, err := inner.Do(token.Call{Function: token.GetSlotList})
	if !errors.Is(err, token.CKR_CRYPTOKI_NOT_INITIALIZED) {
		t.Errorf("after C_Finalize: %v", err)
	}
}

// TestSnapshotSees: the comparison above would see what each of these changes.
func TestSnapshotSees(t *testing.T) {
	for _, f := range []token.Function{token.GenerateKeyPair, token.DestroyObject} {
		t.Run(string(f), func(t *testing.T) {
			env := tokentest.SoftHSM(t)
			st := stageOn(t, env.Open(t))
			before := snapshot(t, env.Dir)
			if _, err := st.m.Do(st.calls[f]); err != nil {
				t.Fatal(err)
			}
			if snapshot(t, env.Dir) == before {
				t.Error("the token's files are the same")
			}
		})
	}
}

// snapshot returns names and bytes of all files under dir.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all.WriteString(path + "\x00" + string(b) + "\x00")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestPlantedPINs runs every function that takes a PIN on SoftHSM2, rightly and
// wrongly, and looks for the PINs in everything recorded and in every error.
func TestPlantedPINs(t *testing.T) {
	env := tokentest.SoftHSM(t)
	log := newMemory()
	m := New(env.Open(t), log, audit.File{Name: env.Module})
	pins := []string{"8192736450918273", "5104937282736455", "7736190254", "62815540937"}
	so, newSO, user, wrong := pins[0], pins[1], pins[2], pins[3]
	var texts []string
	note := func(err error) {
		if err != nil {
			texts = append(texts, err.Error(), token.Hint(err))
		}
	}
	note(m.Initialize())
	note(m.do(token.Call{Function: token.InitToken, PIN: pin(so), Label: "planted"}))
	slot := slotOf(t, m, "planted")
	note(m.do(token.Call{Function: token.InitToken, Slot: slot, PIN: pin(wrong), Label: "planted"}))
	note(m.WithSession(slot, true, func(s uint) error {
		note(m.WithLogin(s, token.SO, pin(wrong), func() error { return nil }))
		note(m.WithLogin(s, token.SO, pin(so), func() error {
			note(m.do(token.Call{Function: token.InitPIN, Session: s, PIN: pin(user)}))
			note(m.do(token.Call{Function: token.SetPIN, Session: s, PIN: pin(wrong), NewPIN: pin(newSO)}))
			return m.do(token.Call{Function: token.SetPIN, Session: s, PIN: pin(so), NewPIN: pin(newSO)})
		}))
		note(m.WithLogin(s, token.NormalUser, pin(wrong), func() error { return nil }))
		return m.WithLogin(s, token.NormalUser, pin(user), func() error { return nil })
	}))
	log.dead = true
	note(m.do(token.Call{Function: token.Login, Session: 1, User: token.SO, PIN: pin(so)}))
	if len(texts) < 8 {
		t.Errorf("only %d texts of errors: the wrong PINs were not refused: %q", len(texts)/2, texts)
	}
	everything := log.text(t) + strings.Join(texts, "\n")
	for _, p := range pins {
		if strings.Contains(everything, p) {
			t.Errorf("PIN %s is in the record", p)
		}
	}
	if n := strings.Count(everything, redacted); n < 8 {
		t.Errorf("%d PINs stand as redacted", n)
	}
}

// slotOf returns the slot of the token with a label.
func slotOf(t *testing.T, m *Module, label string) uint {
	t.Helper()
	list, err := m.Tokens()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.Info.Label == label {
			return p.Slot
		}
	}
	t.Fatalf("no token has the label %q: %+v", label, list)
	return 0
}
