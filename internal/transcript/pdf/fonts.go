package pdf

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"

	"github.com/keyrite/keyrite/audit"
)

// The embedded fonts; fonts/README.md says where they are from. They are
// strings because gofpdf writes into the bytes it is given.
var (
	//go:embed fonts/DejaVuSans.ttf
	sansFont string
	//go:embed fonts/DejaVuSans-Bold.ttf
	sansBoldFont string
	//go:embed fonts/DejaVuSansMono.ttf
	monoFont string
	//go:embed fonts/DejaVuSansMono-Bold.ttf
	monoBoldFont string
	//go:embed fonts/DroidSansFallbackFull.ttf
	wideFont string
)

// A fontFile is one of the embedded fonts under the family and style by which
// gofpdf knows it.
type fontFile struct {
	family, style string
	file          string
	data          string
}

// fonts returns the embedded fonts; the last one draws the wide characters.
func fonts() []fontFile {
	return []fontFile{
		{"sans", "", "DejaVuSans.ttf", sansFont},
		{"sans", "B", "DejaVuSans-Bold.ttf", sansBoldFont},
		{"mono", "", "DejaVuSansMono.ttf", monoFont},
		{"mono", "B", "DejaVuSansMono-Bold.ttf", monoBoldFont},
		{"wide", "", "DroidSansFallbackFull.ttf", wideFont},
	}
}

// Fonts returns the names, SHA-256 and sizes of the embedded fonts: what the
// log's transcript entry says of them. The PDF's bytes depend on them, the
// pages' texts and digests do not.
func Fonts() []audit.File {
	var files []audit.File
	for _, f := range fonts() {
		sum := sha256.Sum256([]byte(f.data))
		files = append(files, audit.File{Name: f.file, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(f.data))})
	}
	return files
}
