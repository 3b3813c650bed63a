package softhsm

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/p11"
)

func TestProvision(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a rehearsal", "token")
	conf, err := Provision(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	want := "directories.tokendir = " + filepath.Join(dir, "tokens") + "\n"
	if !filepath.IsAbs(conf) || !strings.Contains(string(b), want) {
		t.Errorf("%s: %s", conf, b)
	}
	for path, mode := range map[string]fs.FileMode{conf: 0o600, filepath.Join(dir, "tokens"): 0o700 | fs.ModeDir, dir: 0o700 | fs.ModeDir} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if _, err := Provision(dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
	if again, err := os.ReadFile(conf); err != nil || string(again) != string(b) {
		t.Errorf("the configuration was changed: %s, %v", again, err)
	}
}

// TestProvisionUsed: the real SoftHSM2 uses the directory, spaces in its path
// included, and no other.
func TestProvisionUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a rehearsal of Łukasz")
	conf, err := Provision(dir)
	if err != nil {
		t.Fatal(err)
	}
	path, err := Module()
	if err != nil {
		t.Fatalf("this test drives a real SoftHSM2: %v", err)
	}
	m, err := p11.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(ConfigEnv, conf)
	for _, c := range []token.Call{
		{Function: token.Initialize},
		{Function: token.InitToken, PIN: token.NewPIN([]byte("48171936")), Label: "here"},
		{Function: token.Finalize},
	} {
		if _, err := m.Do(c); err != nil {
			t.Fatalf("%s: %v", c.Function, err)
		}
	}
	found, err := filepath.Glob(filepath.Join(dir, "tokens", "*", "token.object"))
	if err != nil || len(found) != 1 {
		t.Errorf("tokens in the directory: %v, %v", found, err)
	}
}

func TestProvisionRefuses(t *testing.T) {
	base := t.TempDir()
	for _, name := range []string{"a#b", "a=b", "a\nb"} {
		dir := filepath.Join(base, name)
		if _, err := Provision(dir); err == nil || !strings.Contains(err.Error(), "choose another directory") {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q was made", name)
		}
	}
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Provision(filepath.Join(file, "sub")); err == nil {
		t.Error("a directory below a file")
	}
}
