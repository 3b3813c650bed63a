// Package softhsm makes throw-away SoftHSM2 tokens for rehearsals and tests.
package softhsm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/keyrite/keyrite/internal/token/p11"
)

// ConfigEnv is the environment variable that names SoftHSM2's configuration
// file. It must be set before C_Initialize, in the process that calls it.
const ConfigEnv = "SOFTHSM2_CONF"

// Module returns the path of SoftHSM2's PKCS#11 module. The error says what to
// install.
func Module() (string, error) { return p11.Find("softhsm2") }

// Provision makes an empty token directory, dir/tokens, and the configuration
// file dir/softhsm2.conf for it; dir is made if it is not there. Set
// SOFTHSM2_CONF to the path returned. Nothing that exists is overwritten.
//
// Keys in it are files, protected by the user PIN and the file system alone.
func Provision(dir string) (confPath string, err error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("making a SoftHSM2 token directory in %q: %w", dir, err)
	}
	// SoftHSM2 reads "name = value", takes # for a comment wherever it stands
	// and cuts the value at a second equals sign.
	if strings.ContainsAny(abs, "#=\n\r") {
		return "", fmt.Errorf("making a SoftHSM2 token directory in %q: its configuration file cannot hold a path with #, = or a line end: choose another directory", abs)
	}
	tokens := filepath.Join(abs, "tokens")
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return "", fmt.Errorf("making a SoftHSM2 token directory: %w", err)
	}
	if err := os.Mkdir(tokens, 0o700); err != nil {
		return "", fmt.Errorf("making a SoftHSM2 token directory: %w", err)
	}
	confPath = filepath.Join(abs, "softhsm2.conf")
	conf := "directories.tokendir = " + tokens + "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
	if err := create(confPath, conf); err != nil {
		return "", fmt.Errorf("writing SoftHSM2's configuration: %w", err)
	}
	return confPath, nil
}

// create writes a new file that only its owner can read.
func create(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
