package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/keyrite/keyrite/audit"
)

// manifestTitle is the first line of a manifest's text: its kind and version.
const manifestTitle = "keyrite manifest v1"

// A Manifest is what the log key signs last: the log as it ended, and the
// files beside it.
type Manifest struct {
	Origin string            // of the log
	Size   int64             // entries in the log
	Root   audit.Hash        // root over them
	Sums   [sha256.Size]byte // SHA-256 of the file SHA256SUMS
}

// ManifestNote returns the text of the manifest's note:
//
//	keyrite manifest v1
//	origin <origin>
//	size <decimal>
//	root <64 hex digits>
//	sums <64 hex digits>
//
// Every line ends with a newline. The second line of a tlog-checkpoint is a
// decimal number, the manifest's never is: neither can pass for the other.
func ManifestNote(origin string, size int64, root audit.Hash, sums [sha256.Size]byte) string {
	return fmt.Sprintf("%s\norigin %s\nsize %d\nroot %s\nsums %x\n", manifestTitle, origin, size, root, sums)
}

// ParseManifest reads the text that [ManifestNote] returns, in exactly that
// form; anything else is an error.
func ParseManifest(text string) (Manifest, error) {
	m, err := parseManifest(text)
	if err == nil && ManifestNote(m.Origin, m.Size, m.Root, m.Sums) != text {
		err = errors.New("not in canonical form")
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("parsing the manifest: %w", err)
	}
	return m, nil
}

func parseManifest(text string) (m Manifest, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 6 || lines[0] != manifestTitle || lines[5] != "" {
		return m, fmt.Errorf("want 5 lines, the first %q", manifestTitle)
	}
	var values [4]string
	for i, name := range []string{"origin", "size", "root", "sums"} {
		v, ok := strings.CutPrefix(lines[i+1], name+" ")
		if !ok || v == "" {
			return m, fmt.Errorf("line %d: want %q and a value", i+2, name)
		}
		values[i] = v
	}
	m.Origin = values[0]
	if m.Size, err = strconv.ParseInt(values[1], 10, 64); err != nil || m.Size < 0 {
		return m, fmt.Errorf("line 3: size %q", values[1])
	}
	if err := hash(m.Root[:], values[2]); err != nil {
		return m, fmt.Errorf("line 4: %w", err)
	}
	if err := hash(m.Sums[:], values[3]); err != nil {
		return m, fmt.Errorf("line 5: %w", err)
	}
	return m, nil
}

func hash(dst []byte, s string) error {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(dst) {
		return fmt.Errorf("want %d hex digits, found %q", 2*len(dst), s)
	}
	copy(dst, b)
	return nil
}
