package pdf

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/image/draw"

	"github.com/keyrite/keyrite/internal/transcript"
	"github.com/keyrite/keyrite/internal/transcript/sample"
)

// scanned draws pages first to last of a PDF as images, in PGM: the pixels of
// PNG without the time to compress them.
func scanned(t *testing.T, pdf string, dpi, first, last int, options ...string) []string {
	t.Helper()
	prefix := filepath.Join(t.TempDir(), "page")
	options = append(options, "-gray", "-r", fmt.Sprint(dpi), "-f", fmt.Sprint(first), "-l", fmt.Sprint(last), pdf, prefix)
	run(t, "pdftoppm", options...)
	names, err := filepath.Glob(prefix + "-*.p[gn][mg]")
	if err != nil || len(names) != last-first+1 {
		t.Fatalf("%d images of pages %d to %d (%v)", len(names), first, last, err)
	}
	return names
}

// payloads returns what the pages' codes must say, the closing sheet's last.
func payloads(t *testing.T, in Input) []string {
	t.Helper()
	codes, err := pageCodes(in)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range codes {
		want = append(want, transcript.QR(c))
	}
	return append(want, transcript.CheckpointQR(in.Checkpoint))
}

// zbar reads every image's code, one a line.
func zbar(t *testing.T, images []string) []string {
	t.Helper()
	out := run(t, "zbarimg", append([]string{"-q", "--raw", "-Sdisable", "-Sqrcode.enable"}, images...)...)
	return strings.Split(strings.TrimSpace(out), "\n")
}

// TestZbar: zbarimg reads every page's code from images of 100, 150 and
// 200 dpi, and the log key's verifier key checks what it reads.
func TestZbar(t *testing.T) {
	in := input(t, sample.Ceremony())
	name := written(t, in, 0, 0)
	want := payloads(t, in)
	for _, dpi := range []int{100, 150, 200} {
		var options []string
		if dpi == 100 {
			options = []string{"-png"}
		}
		got := zbar(t, scanned(t, name, dpi, 1, len(want), options...))
		if len(got) != len(want) {
			t.Errorf("%d dpi: %d codes read, want %d", dpi, len(got), len(want))
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%d dpi, page %d: read %q, want %q", dpi, i+1, got[i], want[i])
			}
		}
		for _, s := range got[:len(got)-1] {
			c, err := transcript.ParseQR(s)
			if err == nil {
				err = c.Verify(in.Origin, sample.LogKey(1))
			}
			if err != nil {
				t.Errorf("%d dpi: %v", dpi, err)
			}
		}
		note, err := transcript.ParseCheckpointQR(got[len(got)-1])
		if err != nil || string(note) != string(in.Checkpoint) {
			t.Errorf("%d dpi: the closing sheet's checkpoint is read as %q (%v)", dpi, note, err)
		}
	}
}

// TestPositions: at 100 dpi, wherever the code falls on the pixels. A pixel is
// 0.254 mm.
func TestPositions(t *testing.T) {
	in := input(t, sample.Small())
	want := payloads(t, in)
	last := len(want)
	for _, dx := range []float64{0.05, 0.11, 0.17, 0.23} {
		for _, dy := range []float64{0.03, 0.09, 0.15, 0.21} {
			images := scanned(t, written(t, in, dx, dy), 100, last-1, last)
			got := zbar(t, images)
			if len(got) != 2 || got[0] != want[last-2] || got[1] != want[last-1] {
				t.Errorf("moved by %.2f, %.2f mm: zbarimg read %q", dx, dy, got)
			}
		}
	}
}

// TestLargeCheckpoint: the largest code of a closing sheet, that of a checkpoint
// with many cosignatures, is read as well and does not reach the text.
func TestLargeCheckpoint(t *testing.T) {
	in := input(t, sample.Small())
	for i := 0; len(in.Checkpoint) < 1200; i++ {
		in.Checkpoint = fmt.Appendf(in.Checkpoint, "— witness-%d %s\n", i, strings.Repeat("A", 104))
	}
	in.Closing = transcript.ClosingPage(in.Pages, in.Checkpoint, make([]string, 60)...)
	want := payloads(t, in)
	last := len(want)
	for _, dpi := range []int{100, 150} {
		if got := zbar(t, scanned(t, written(t, in, 0, 0), dpi, last, last)); got[0] != want[last-1] {
			t.Errorf("%d dpi: read %q, want %q", dpi, got, want[last-1])
		}
	}
	if text := strings.Join(strings.Fields(string(in.Closing.Text())), " "); !strings.Contains(text, "without its last cosignatures") {
		t.Error("the closing sheet does not say that its code is cut")
	}
}

// TestGozxing: another reader reads every page as well.
func TestGozxing(t *testing.T) {
	in := input(t, sample.Ceremony())
	want := payloads(t, in)
	for i, name := range scanned(t, written(t, in, 0, 0), 150, 1, len(want)) {
		if got := gozxingRead(t, name); got != want[i] {
			t.Errorf("page %d: read %q, want %q", i+1, got, want[i])
		}
	}
}

// gozxingRead tries several scales and both binarisers.
func gozxingRead(t *testing.T, name string) string {
	t.Helper()
	img := foot(readPGM(t, name))
	hints := map[gozxing.DecodeHintType]interface{}{gozxing.DecodeHintType_TRY_HARDER: true}
	for _, scale := range []float64{1, 2, 1.5, 3} {
		source := gozxing.NewLuminanceSourceFromImage(scaled(img, scale))
		for _, b := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
			bitmap, err := gozxing.NewBinaryBitmap(b)
			if err != nil {
				t.Fatal(err)
			}
			if r, err := qrcode.NewQRCodeReader().Decode(bitmap, hints); err == nil {
				return r.GetText()
			}
		}
	}
	return ""
}

// readPGM reads a grey image as pdftoppm writes it.
func readPGM(t *testing.T, name string) *image.Gray {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var w, h int
	if _, err := fmt.Sscanf(string(b[:32]), "P5\n%d %d\n255\n", &w, &h); err != nil || len(b) < w*h {
		t.Fatalf("%s is no grey image of 8 bits (%v)", name, err)
	}
	return &image.Gray{Pix: b[len(b)-w*h:], Stride: w, Rect: image.Rect(0, 0, w, h)}
}

// foot returns the page's lower right part, where the code is.
func foot(img *image.Gray) *image.Gray {
	b := img.Bounds()
	part := image.Rect(0, 0, b.Dx()/2, b.Dy()/4)
	out := image.NewGray(part)
	draw.Draw(out, part, img, image.Pt(b.Dx()-part.Dx(), b.Dy()-part.Dy()), draw.Src)
	return out
}

func scaled(img image.Image, by float64) image.Image {
	b := img.Bounds()
	out := image.NewGray(image.Rect(0, 0, int(float64(b.Dx())*by), int(float64(b.Dy())*by)))
	draw.BiLinear.Scale(out, out.Bounds(), img, b, draw.Src, nil)
	return out
}

// TestPageImages: REHEARSAL stands across every page, on a production page
// nothing does; nothing is drawn outside the margins.
func TestPageImages(t *testing.T) {
	in := input(t, sample.Small())
	images := scanned(t, written(t, in, 0, 0), 50, 1, len(in.Pages)+1)
	for i, name := range images {
		pale, edge := count(readPGM(t, name))
		if pale < 4000 {
			t.Errorf("page %d: %d pale pixels are no watermark", i+1, pale)
		}
		if edge > 0 {
			t.Errorf("page %d: %d pixels in the margin", i+1, edge)
		}
	}
}

// count counts the pixels of the watermark's grey and those that are not white
// within 6 mm of the paper's edge.
func count(img image.Image) (pale, edge int) {
	b := img.Bounds()
	margin := b.Dx() * 6 / 210
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			g := color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y
			if g > 225 && g < 235 {
				pale++
			}
			if g < 250 && (x < margin || y < margin/3 || x >= b.Dx()-margin) {
				edge++
			}
		}
	}
	return pale, edge
}
