package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/templates"
)

// templateNames lists the templates that keyrite brings along.
func templateNames(t *testing.T) []string {
	t.Helper()
	files, err := fs.Glob(templates.Ceremonies, "ceremonies/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".yaml"); !strings.HasSuffix(name, ".answers") {
			names = append(names, name)
		}
	}
	return names
}

// TestTemplates takes each template as it is, as its user would: written out,
// checked, printed, rehearsed on SoftHSM2 and on a simulated Nitrokey HSM under
// the real pcscd and OpenSC, verified.
func TestTemplates(t *testing.T) {
	names := templateNames(t)
	want := []string{"crl-signing", "decommission", "key-backup", "log-handover", "pin-change", "pin-unblock", "root-ca-with-sub-ca", "root-ca", "signing", "sub-ca-signing"}
	if !slices.Equal(names, want) {
		t.Errorf("templates %q, want %q", names, want)
	}
	for _, name := range names {
		for _, kind := range []string{"softhsm2", "nitrokey-sim"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				s := &stage{t: t, dir: t.TempDir()}
				s.out = filepath.Join(s.dir, "d")
				s.keyrite(0, "new", name, "-o", "t.yaml")
				s.keyrite(0, "new", name, "--answers", "-o", "a.yaml")
				s.keyrite(0, "check", "t.yaml")
				s.keyrite(0, "print", "t.yaml", "-o", "t.pdf")
				s.keyrite(0, "rehearse", "t.yaml", "--answers", "a.yaml", "--token", kind, "--out", s.out)
				s.verified("This was a REHEARSAL")
				s.namesWhatIsNeeded(name)
				s.prepared(name)
				if _, err := os.Stat(s.out + ".token"); err == nil {
					t.Error("the throw-away token is still there")
				}
			})
		}
	}
}

// namesWhatIsNeeded wants the template's head to tell people, time, materials
// and what of AUDIT it covers.
func (s *stage) namesWhatIsNeeded(name string) {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "t.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(b), "\nkeyrite: 1\n")
	for _, word := range []string{"# People: ", "# Time needed: ", "# Materials: ", "# AUDIT items covered: ", "# Before the day: "} {
		if !strings.Contains(head, word) {
			s.t.Errorf("the head of %s has no %q", name, word)
		}
	}
	if strings.Contains(string(b), "include:") {
		s.t.Error("what new writes is not whole")
	}
}

// prepared wants every step done, and the log of a rehearsal to say first that a
// token was made to stand in for one in use.
func (s *stage) prepared(name string) {
	s.t.Helper()
	for _, d := range logged[*audit.StepEnd](s) {
		if d.Result != ceremony.Done {
			s.t.Errorf("a step of %s was %s: %s", name, d.Result, d.Reason)
		}
	}
	prepared := false
	for i, e := range s.entries() {
		if d, ok := e.Data.(*audit.Result); ok && d.Name == "REHEARSAL preparation" {
			prepared = true
			if i != 1 {
				s.t.Errorf("the preparation is entry %d", i)
			}
		}
	}
	made := len(logged[*audit.Token](s)) > 0 && !strings.HasPrefix(name, "root-ca")
	if prepared != made {
		s.t.Errorf("the log of %s says that a token was prepared: %v", name, prepared)
	}
}
