package p11

import (
	"fmt"
	"os"
	"strings"
)

// A known module: where Debian and others put it, and what to install.
type known struct {
	paths   []string
	install string
}

var knownModules = map[string]known{
	"softhsm2": {
		paths: []string{
			"/usr/lib/softhsm/libsofthsm2.so",
			"/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
			"/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
			"/usr/lib64/pkcs11/libsofthsm2.so",
			"/usr/local/lib/softhsm/libsofthsm2.so",
		},
		install: "apt-get install softhsm2",
	},
	"opensc": {
		paths: []string{
			"/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
			"/usr/lib/aarch64-linux-gnu/opensc-pkcs11.so",
			"/usr/lib64/pkcs11/opensc-pkcs11.so",
			"/usr/lib/opensc-pkcs11.so",
			"/usr/local/lib/opensc-pkcs11.so",
		},
		install: "apt-get install opensc-pkcs11",
	},
}

// aliases are other names by which a module is asked for.
var aliases = map[string]string{
	"softhsm":          "softhsm2",
	"libsofthsm2.so":   "softhsm2",
	"opensc-pkcs11":    "opensc",
	"opensc-pkcs11.so": "opensc",
}

// Find returns the path of a well-known PKCS#11 module: "softhsm2" or "opensc",
// also by the name of its file. A name with a slash is a path and returned as
// it is. The error says what to install.
func Find(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	if a, ok := aliases[name]; ok {
		name = a
	}
	k, ok := knownModules[name]
	if !ok {
		return "", fmt.Errorf("finding PKCS#11 module %q: no module of that name is known (softhsm2 and opensc are): %s", name, useModule)
	}
	for _, path := range k.paths {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("finding PKCS#11 module %q: it is in none of the usual places (%s): install it (%s) or name it with --module",
		name, strings.Join(k.paths, ", "), k.install)
}
