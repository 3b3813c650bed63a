package steps_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/token"
)

// A shadow is a module whose token is used by another program, too, between two
// calls: the first time that keyrite has logged out after making a key.
type shadow struct {
	token.Module
	t      *testing.T
	path   string
	made   bool
	done   bool
	output []byte
}

// Do makes the call, then has the other program make a key.
func (s *shadow) Do(c token.Call) (token.Result, error) {
	r, err := s.Module.Do(c)
	if c.Function == token.GenerateKeyPair && err == nil {
		s.made = true
	}
	if s.made && !s.done && c.Function == token.CloseSession {
		s.done = true
		// The PIN is the rehearsal's; pkcs11-tool sees the token by the same configuration.
		cmd := exec.Command("pkcs11-tool", "--module", s.path, "--login", "--pin", "73920461", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "shadow", "--id", "5ade")
		var runErr error
		if s.output, runErr = cmd.CombinedOutput(); runErr != nil {
			s.t.Errorf("the second process: %v\n%s", runErr, s.output)
		}
	}
	return r, err
}

// TestSecondProcess has an unrecorded second process make a key on the token
// between two calls. The log does not see it happen; the inventory at the end
// does, says what nobody made, and the step is not done.
func TestSecondProcess(t *testing.T) {
	st, err := openStage(t.TempDir(), "root-ca")
	if err != nil {
		t.Fatal(err)
	}
	s := &shadow{t: t, path: st.lib.Path()}
	st.token = func(m token.Module) token.Module { s.Module = m; return s }
	err = st.start()
	if !s.done {
		t.Fatalf("the second process never ran: %v", err)
	}
	if err == nil {
		t.Fatal("the ceremony ended as if nothing had been")
	}
	store, err := sqlite.OpenReader(filepath.Join(st.bundle(), bundle.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	found := false
	err = store.Entries(0, func(_ int64, b []byte) error {
		e, err := audit.Parse(b)
		if err != nil {
			return err
		}
		if d, ok := e.Data.(*audit.Inventory); ok && strings.Contains(strings.Join(d.Differs, "\n"), `"shadow"`) {
			found = true
		}
		return nil
	})
	if err != nil || !found {
		t.Errorf("no inventory tells of the second process's key (%v)\n%s", err, s.output)
	}
}
