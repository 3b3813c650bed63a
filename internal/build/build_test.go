package build

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// TestLinked builds a program as the Makefile does and asks it.
func TestLinked(t *testing.T) {
	const path = "github.com/keyrite/keyrite/internal/build"
	built := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	for _, test := range []struct{ name, ldflags, want string }{
		{"nothing known", "", "dev\n\ndev, " + built},
		{"version", "-X " + path + ".number=v1.2.0", "v1.2.0\n\nv1.2.0, " + built},
		{"both", "-X " + path + ".number=v1.2.0 -X " + path + ".commit=4f1c", "v1.2.0\n4f1c\nv1.2.0, commit 4f1c, " + built},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command("go", "run", "-buildvcs=false", "-ldflags", test.ldflags, "./testdata/print")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := strings.TrimSpace(string(out)); got != test.want {
				t.Errorf("printed %q, want %q", got, test.want)
			}
		})
	}
}
