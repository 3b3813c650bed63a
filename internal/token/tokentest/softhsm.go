package tokentest

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/p11"
	"github.com/keyrite/keyrite/internal/token/softhsm"
)

// An Env is a throw-away SoftHSM2: an empty token directory and the module.
type Env struct {
	Dir    string // holds tokens/ and softhsm2.conf
	Conf   string // SOFTHSM2_CONF is set to it for the test
	Module string // path of libsofthsm2.so
}

// SoftHSM makes a throw-away SoftHSM2 for a test and points this process's
// SOFTHSM2_CONF at it. A machine without SoftHSM2 fails the test. The library
// is one for the whole process, so such tests cannot run in parallel.
func SoftHSM(t testing.TB) Env {
	t.Helper()
	path, err := softhsm.Module()
	if err != nil {
		t.Fatalf("this test drives a real SoftHSM2: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "softhsm")
	conf, err := softhsm.Provision(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(softhsm.ConfigEnv, conf)
	return Env{Dir: dir, Conf: conf, Module: path}
}

// Open loads the module. At the test's end it is finalised, so that the next
// test can initialise it with its own configuration.
func (e Env) Open(t testing.TB) *p11.Module {
	t.Helper()
	m, err := p11.Open(e.Module)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := m.Do(token.Call{Function: token.Finalize})
		if err != nil && !errors.Is(err, token.CKR_CRYPTOKI_NOT_INITIALIZED) {
			t.Errorf("finalising SoftHSM2: %v", err)
		}
	})
	return m
}
