package pdf

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"testing"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/width"
)

var update = flag.Bool("update", false, "write the coverage table anew")

// coverageFile is the table that the canonical text depends on.
const coverageFile = "../coverage.go"

// TestCoverageTable makes the table of drawable characters from the embedded
// fonts and compares it with the one in the tree.
func TestCoverageTable(t *testing.T) {
	made, err := format.Source(coverageSource(t))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(coverageFile, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(coverageFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, have) {
		t.Errorf("%s is not what the embedded fonts give; run this test with -update and raise transcript.Renderer", coverageFile)
	}
}

func coverageSource(t *testing.T) []byte {
	var dejavu []*sfnt.Font
	var droid *sfnt.Font
	for _, f := range fonts() {
		parsed, err := sfnt.Parse([]byte(f.data))
		if err != nil {
			t.Fatalf("parsing %s: %v", f.file, err)
		}
		if f.family == "wide" {
			droid = parsed
		} else {
			dejavu = append(dejavu, parsed)
		}
	}
	narrow := func(r rune) bool { return plain(r) && coveredBy(r, dejavu...) }
	wide := func(r rune) bool {
		k := width.LookupRune(r).Kind()
		return plain(r) && !narrow(r) && coveredBy(r, droid) &&
			(k == width.EastAsianWide || k == width.EastAsianFullwidth)
	}
	var b bytes.Buffer
	b.WriteString("package transcript\n\n// Made from the embedded fonts by the test TestCoverageTable -update of\n// internal/transcript/pdf. Changing it changes page texts: raise Renderer.\n\n")
	b.WriteString("// narrow holds the ranges, first and last, of the characters that take one\n// column: every DejaVu font in use has them.\n")
	writeRanges(&b, "narrow", narrow)
	b.WriteString("\n// wide holds the ranges of the East Asian wide characters, which take two\n// columns: the fallback font has them.\n")
	writeRanges(&b, "wide", wide)
	return b.Bytes()
}

// plain reports whether r stands by itself, left to right, and is seen.
func plain(r rune) bool {
	if r != ' ' && (!unicode.IsPrint(r) || unicode.Is(unicode.M, r)) {
		return false
	}
	p, _ := bidi.LookupRune(r)
	switch p.Class() {
	case bidi.R, bidi.AL, bidi.AN, bidi.NSM, bidi.BN:
		return false
	}
	return true
}

func coveredBy(r rune, fonts ...*sfnt.Font) bool {
	var buf sfnt.Buffer
	for _, f := range fonts {
		if g, err := f.GlyphIndex(&buf, r); err != nil || g == 0 {
			return false
		}
	}
	return true
}

func writeRanges(b *bytes.Buffer, name string, in func(rune) bool) {
	fmt.Fprintf(b, "var %s = []uint16{", name)
	n := 0
	for r := rune(0); r <= 0xFFFF; r++ {
		if !in(r) {
			continue
		}
		first := r
		for r < 0xFFFF && in(r+1) {
			r++
		}
		if n%4 == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "0x%04X, 0x%04X, ", first, r)
		n++
	}
	b.WriteString("\n}\n")
}
