package steps_test

import (
	"os"
	"testing"
)

func TestRootCeremony(t *testing.T) {
	for _, template := range []string{"root-ca", "root-ca-with-sub-ca"} {
		t.Run(template, func(t *testing.T) {
			st, err := openStage(t.TempDir(), template)
			if err != nil {
				t.Fatal(err)
			}
			st.out = os.Stderr
			if err := st.start(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
