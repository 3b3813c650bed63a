package tokentest

import (
	"errors"
	"os"
	"testing"

	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/fake"
	"github.com/keyrite/keyrite/internal/token/p11"
)

func TestFake(t *testing.T) {
	Run(t, func(*testing.T) token.Module { return fake.New() })
}

func TestFakeSmartCardHSM(t *testing.T) {
	Run(t, func(*testing.T) token.Module { return fake.NewSmartCardHSM("DENK0100001") })
}

func TestSoftHSM2(t *testing.T) {
	Run(t, func(t *testing.T) token.Module { return SoftHSM(t).Open(t) })
}

// TestNamedModule runs the part of the suite that changes nothing on the module
// that KEYRITE_TEST_MODULE names; it never asks for a PIN and never sends one.
func TestNamedModule(t *testing.T) {
	path := os.Getenv("KEYRITE_TEST_MODULE")
	if path == "" {
		path = SoftHSM(t).Module
	}
	RunReadOnly(t, func(t *testing.T) token.Module {
		m, err := p11.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_, err := m.Do(token.Call{Function: token.Finalize})
			if err != nil && !errors.Is(err, token.CKR_CRYPTOKI_NOT_INITIALIZED) {
				t.Error(err)
			}
		})
		return m
	})
}
