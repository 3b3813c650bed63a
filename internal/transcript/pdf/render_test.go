package pdf

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/sample"
)

// input returns everything that a sample ceremony's PDF is made from.
func input(t testing.TB, src transcript.Source) Input {
	t.Helper()
	pages, err := transcript.Compose(src)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint := sample.Checkpoint(src, 1)
	return Input{
		Pages: pages, Closing: transcript.ClosingPage(pages, checkpoint, sample.LogKey(0), sample.LogKey(1)),
		Sealed: sample.Seal(src, pages, 1), Size: int64(len(src.Entries)), Head: src.Head,
		Origin: src.Origin, Mode: src.Cover.Mode, Checkpoint: checkpoint,
		Title: src.Cover.Title, Created: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC),
	}
}

// written renders in, moved by dx and dy millimetres, into a file.
func written(t testing.TB, in Input, dx, dy float64) string {
	t.Helper()
	b, err := render(in, dx, dy)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "transcript.pdf")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// run runs a program and returns its standard output. A program that is not
// installed fails the test.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("running %s %q: %v\n%s%s", name, args, err, out, stderr.Bytes())
	}
	return string(out)
}

func TestReproducible(t *testing.T) {
	first, err := Render(input(t, sample.Ceremony()))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		again, err := Render(input(t, sample.Ceremony()))
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("the same input gave other bytes (%v)", err)
		}
	}
	in := input(t, sample.Ceremony())
	in.Created = in.Created.Add(time.Second).In(time.FixedZone("elsewhere", 3600))
	other, err := Render(in)
	if err != nil || bytes.Equal(first, other) {
		t.Errorf("another time gave the same bytes (%v)", err)
	}
	in.Created = in.Created.Add(-time.Second)
	zone, err := Render(in)
	if err != nil || !bytes.Equal(first, zone) {
		t.Errorf("the same time in another zone gave other bytes (%v)", err)
	}
}

func TestWellFormed(t *testing.T) {
	name := written(t, input(t, sample.Ceremony()), 0, 0)
	if out := run(t, "qpdf", "--check", name); !strings.Contains(out, "No syntax or stream encoding errors found") {
		t.Errorf("qpdf says:\n%s", out)
	}
	info := run(t, "pdfinfo", name)
	for _, want := range []string{"Title:           Root key ceremony 2026", "Creator:         keyrite-transcript/2", "Page size:       595.28 x 841.89 pts (A4)"} {
		if !strings.Contains(info, want) {
			t.Errorf("pdfinfo does not say %q:\n%s", want, info)
		}
	}
}

// TestSearchable: what is drawn can be searched for and copied, names and
// checksums included, and the watermark leaves no letters in between.
func TestSearchable(t *testing.T) {
	in := input(t, sample.Ceremony())
	pages := strings.Split(run(t, "pdftotext", "-layout", written(t, in, 0, 0), "-"), "\f")
	all := append(append([]transcript.Page{}, in.Pages...), in.Closing)
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	for i, p := range all {
		have := squeeze(pages[i])
		for _, line := range strings.Split(string(p.Text()), "\n") {
			if want := squeeze(line); !strings.Contains(have, want) {
				t.Errorf("page %d: %q cannot be found", p.Number, line)
			}
		}
		if i < len(in.Sealed) && !strings.Contains(have, in.Sealed[i].Digest[:32]) {
			t.Errorf("page %d: its checksum cannot be found", p.Number)
		}
		if i > 0 && i < len(in.Sealed) && !strings.Contains(have, in.Sealed[i-1].Digest[32:]) {
			t.Errorf("page %d: the checksum of the page before cannot be found", p.Number)
		}
	}
	text := strings.Join(pages, "")
	for _, name := range []string{"Łukasz Wzorcowy", "山田 太郎", "Ελένη Παραδείγματος", "Дмитрий Примеров"} {
		if !strings.Contains(text, name) {
			t.Errorf("%q cannot be found as it stands", name)
		}
	}
	if strings.Count(text, "REHEARSAL") < len(all) {
		t.Error("REHEARSAL does not stand on every page")
	}
}

// TestAttachments: the canonical texts come out of the PDF, and the chain of
// digests can be computed from them alone.
func TestAttachments(t *testing.T) {
	in := input(t, sample.Ceremony())
	dir := t.TempDir()
	run(t, "pdfdetach", "-saveall", "-o", dir, written(t, in, 0, 0))
	prev := make([]byte, 32)
	for i := range in.Pages {
		text, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("page-%03d.txt", i+1)))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(append(append([]byte("keyrite page digest v1\n"), prev...), text...))
		if prev = sum[:]; hex.EncodeToString(prev) != in.Sealed[i].Digest {
			t.Errorf("page %d: the attached text has the digest %x, sealed is %s", i+1, prev, in.Sealed[i].Digest)
		}
	}
}

// TestDigestByHand runs the commands of docs/transcript.md as they stand on a
// transcript: they print the first page's checksum.
func TestDigestByHand(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/transcript.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shell, ok := strings.Cut(string(doc), "```sh\npdfdetach")
	shell, _, closed := strings.Cut(shell, "```")
	if !ok || !closed {
		t.Fatal("docs/transcript.md has no commands with pdfdetach")
	}
	in := input(t, sample.Small())
	name := written(t, in, 0, 0)
	out := run(t, "sh", "-c", "cd '"+filepath.Dir(name)+"' && pdfdetach"+shell)
	if !strings.HasPrefix(out, in.Sealed[0].Digest) {
		t.Errorf("by hand the first page's digest is %q, sealed is %s", out, in.Sealed[0].Digest)
	}
}

func TestProductionHasNoMark(t *testing.T) {
	src := sample.Small()
	src.Cover.Mode = "production"
	src.Entries[0].Data.(*audit.LogOpen).Mode = "production"
	name := written(t, input(t, src), 0, 0)
	if text := run(t, "pdftotext", name, "-"); strings.Contains(text, "REHEARSAL") {
		t.Error("a production transcript says REHEARSAL")
	}
	for _, f := range []string{"REHEARSAL", "REHEARSAL – ABORTED"} {
		if path, width, err := outline(f); err != nil || path == "" || width < 5 {
			t.Errorf("the mark %q has no outline (%v)", f, err)
		}
	}
}

// TestWideFontOnlyWhenNeeded: the large fallback font is in a PDF that needs
// it, and in no other.
func TestWideFontOnlyWhenNeeded(t *testing.T) {
	if fonts := run(t, "pdffonts", written(t, input(t, sample.Ceremony()), 0, 0)); !strings.Contains(fonts, "wide") {
		t.Errorf("山田 was drawn without the fallback font:\n%s", fonts)
	}
	src := sample.Small()
	for i := range src.Cover.Participants {
		src.Cover.Participants[i].Name = "Plain Name"
	}
	for _, e := range src.Entries {
		if a, ok := e.Data.(*audit.Attendance); ok {
			a.Name = "Plain Name"
		}
	}
	if fonts := run(t, "pdffonts", written(t, input(t, src), 0, 0)); strings.Contains(fonts, "wide") {
		t.Errorf("the fallback font is there for nothing:\n%s", fonts)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Input)
		want   string
	}{
		"seal missing":    {func(in *Input) { in.Sealed = in.Sealed[1:] }, "pages have"},
		"other digest":    {func(in *Input) { in.Sealed[1].Digest = in.Sealed[0].Digest }, "page 2 has the digest"},
		"page changed":    {func(in *Input) { in.Pages[0].Footer.Text += "!" }, "page 1 has the digest"},
		"short signature": {func(in *Input) { in.Sealed[0].Signature = "00" }, `page 1: the signature "00" is not 64 bytes of hex`},
		"no signature":    {func(in *Input) { in.Sealed[2].Signature = "" }, "page 3: the signature"},
		"mode":            {func(in *Input) { in.Mode = "drill" }, `unknown mode "drill"`},
		"origin":          {func(in *Input) { in.Origin = "o" }, `reading the origin "o"`},
		"glyph":           {func(in *Input) { in.Closing.Lines[1].Text = "سلام" }, "no font covers U+0633"},
		"beyond":          {func(in *Input) { in.Closing.Lines[1].Text = "𝕏" }, "no font covers U+1D54F"},
		"title":           {func(in *Input) { in.Title = "𝕏" }, "U+1D54F cannot be written"},
	} {
		in := input(t, sample.Small())
		c.change(&in)
		if b, err := Render(in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d bytes, error %v, want %q", name, len(b), err, c.want)
		}
	}
}

// TestFontsReadme: the table of fonts says what is embedded.
func TestFontsReadme(t *testing.T) {
	readme, err := os.ReadFile("fonts/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files := Fonts()
	if len(files) != 5 {
		t.Errorf("%d fonts", len(files))
	}
	for _, f := range files {
		if !strings.Contains(string(readme), "| "+f.Name+" |") || !strings.Contains(string(readme), f.SHA256) || f.Size < 1000 {
			t.Errorf("fonts/README.md does not list %+v", f)
		}
	}
}

// TestLongMark: title, organisation and origin of any length stay on the page.
func TestLongMark(t *testing.T) {
	src := sample.Small()
	src.Cover.Title = strings.Repeat("Wide Title 山田 ", 30)
	src.Cover.Organisation = strings.Repeat("W", 500)
	written(t, input(t, src), 0, 0)
}

func BenchmarkTranscriptPerPage(b *testing.B) {
	in := input(b, sample.Ceremony())
	for b.Loop() {
		if _, err := Render(in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*(len(in.Pages)+1)), "µs/page")
}

func BenchmarkCompose(b *testing.B) {
	src := sample.Ceremony()
	for b.Loop() {
		if _, err := transcript.Compose(src); err != nil {
			b.Fatal(err)
		}
	}
}
