package printer

import (
	"bytes"
	"crypto/rand"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/sys/unix"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/secretshare"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/transcript/qr"
)

const secret = "6029384715263748"

// slips are the shares of a PIN, two of three, as the ceremony prints them.
func slips(t *testing.T) (list []room.Slip, texts []string) {
	t.Helper()
	set := secretshare.Set{Origin: "keyrite.ceremony/production/0f1e2d3c4b5a69788796a5b4c3d2e1f0", Token: "hsm", Kind: secretshare.SOPIN, Number: 123, K: 2, N: 3}
	shares, err := set.Split([]byte(secret), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shares {
		text := string(s.Text(set))
		code, err := qr.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		slip := room.Slip{Name: "hsm/so-pin", Title: "Share of the SO-PIN (token \\hsm)", Lines: []string{set.Origin, "set 012345"}, Code: code}
		for _, row := range s.Rows() {
			slip.Rows = append(slip.Rows, token.NewPIN(row))
		}
		list, texts = append(list, slip), append(texts, text)
	}
	return list, texts
}

const person = "Łukasz Exämple (LE)"

// printed prints a slip on the end of a pseudo-terminal, a real character device,
// and returns what came out of the other.
func printed(t *testing.T, language string, s room.Slip) []byte {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	p, err := New(tty.Name(), language)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.Note(), "a program takes what is printed") {
		t.Errorf("what may be behind it is not said: %q", p.Note())
	}
	out := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(master) // EIO once the other end is closed
		out <- b
	}()
	if err := p.Print(person, s); err != nil {
		t.Fatal(err)
	}
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	b := <-out
	if !bytes.Equal(b, p.page(person, s)) {
		t.Errorf("%d bytes came out, %d were sent: the line changed them", len(b), len(p.page(person, s)))
	}
	return b
}

// wordsOf are the rows of words of a printed text, numbered from 1.
func wordsOf(t *testing.T, s room.Slip, text string) {
	t.Helper()
	text = strings.Join(strings.Fields(text), " ")
	for i, row := range s.Rows {
		row.Reveal(func(b []byte) {
			if !strings.Contains(text, strings.Join([]string{string(rune('1' + i)), string(b)}, " ")) {
				t.Errorf("row %d is not on the slip: %s", i+1, text)
			}
		})
	}
}

// joined has docs/examples/join.py join two texts.
func joined(t *testing.T, texts ...string) {
	t.Helper()
	cmd := exec.Command("python3", filepath.Join("..", "..", "docs", "examples", "join.py"))
	cmd.Stdin = strings.NewReader(strings.Join(texts, "\n\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != secret {
		t.Errorf("join.py: %v, %q", err, out)
	}
}

// TestESCPOS reads the printed strip as a printer would: the words, and the raster,
// which a reader of QR codes reads; two slips give the PIN back.
func TestESCPOS(t *testing.T) {
	list, texts := slips(t)
	var read []string
	for i, s := range list[:2] {
		text, dots := strip(t, printed(t, ESCPOS, s))
		wordsOf(t, s, text)
		for _, line := range strings.Split(text, "\n") {
			if len(line) > 32 {
				t.Errorf("a line of %d columns: %q", len(line), line)
			}
		}
		if !strings.Contains(text, "FOR ?ukasz Ex?mple (LE) ALONE") {
			t.Errorf("the name is not on it: %s", text)
		}
		bits, err := gozxing.NewBinaryBitmapFromImage(dots)
		if err != nil {
			t.Fatal(err)
		}
		r, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
		if err != nil || r.GetText() != texts[i] {
			t.Fatalf("the QR code: %v", err)
		}
		read = append(read, r.GetText())
	}
	joined(t, read...)
}

// strip takes the commands of a page apart.
func strip(t *testing.T, b []byte) (text string, dots image.Image) {
	t.Helper()
	var out strings.Builder
	for len(b) > 0 {
		switch {
		case bytes.HasPrefix(b, []byte("\x1b@")):
			b = b[2:]
		case bytes.HasPrefix(b, []byte("\x1bd")):
			b = b[3:]
		case bytes.HasPrefix(b, []byte("\x1dV\x42")):
			b = b[4:]
		case bytes.HasPrefix(b, []byte("\x1dv0\x00")):
			width, height := int(b[4])+int(b[5])<<8, int(b[6])+int(b[7])<<8
			if width*8 > 384 {
				t.Errorf("%d dots do not fit on a strip", width*8)
			}
			m := image.NewGray(image.Rect(0, 0, width*8, height))
			for y := range height {
				for x := range width * 8 {
					if b[8+y*width+x/8]&(0x80>>(x%8)) == 0 {
						m.SetGray(x, y, color.Gray{Y: 255})
					}
				}
			}
			b, dots = b[8+width*height:], m
		case b[0] == '\n' || b[0] >= ' ' && b[0] < 0x7f:
			out.WriteByte(b[0])
			b = b[1:]
		default:
			t.Fatalf("a printer does not know %q", b[:min(8, len(b))])
		}
	}
	if dots == nil {
		t.Fatal("no QR code was printed")
	}
	return out.String(), dots
}

// TestPostScript has ghostscript draw the printed sheet: its words are read as text,
// its QR code by zbarimg from the picture; two slips give the PIN back.
func TestPostScript(t *testing.T) {
	list, texts := slips(t)
	var read []string
	for i, s := range list[1:] {
		page := printed(t, PostScript, s)
		for _, size := range []string{"a4", "letter"} {
			text := run(t, page, "gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sPAPERSIZE="+size, "-sDEVICE=txtwrite", "-sOutputFile=-", "-")
			wordsOf(t, s, string(text))
			if !strings.Contains(string(text), "FOR ?ukasz Exämple (LE) ALONE") || !strings.Contains(string(text), `Share of the SO-PIN (token \hsm)`) {
				t.Errorf("%s: who it is for is not on it: %s", size, text)
			}
			picture := filepath.Join(t.TempDir(), "slip.png")
			if err := os.WriteFile(picture, run(t, page, "gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sPAPERSIZE="+size, "-sDEVICE=pnggray", "-r200", "-sOutputFile=-", "-"), 0o600); err != nil {
				t.Fatal(err)
			}
			halves(t, picture)
			got := strings.TrimSpace(string(run(t, nil, "zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", picture)))
			if got != texts[i+1] {
				t.Fatalf("%s: the QR code reads as %d characters, want %d", size, len(got), len(texts[i+1]))
			}
			if size == "a4" {
				read = append(read, got)
			}
		}
	}
	joined(t, read...)
}

// halves wants the secret in the middle third alone, and the lowest third covered.
func halves(t *testing.T, picture string) {
	t.Helper()
	f, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	dark := func(from, to int) (n float64) {
		for y := from; y < to; y++ {
			for x := range m.Bounds().Dx() {
				if c, _, _, _ := m.At(x, y).RGBA(); c < 0xc000 {
					n++
				}
			}
		}
		return n / float64((to-from)*m.Bounds().Dx())
	}
	h := m.Bounds().Dy()
	if top, low := dark(0, h/3), dark(h*2/3+40, h); top > 0.03 || low < 0.15 {
		t.Errorf("of the upper third %.3f is dark, of the lower %.3f", top, low)
	}
}

func run(t *testing.T, in []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = bytes.NewReader(in)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, errs.String())
	}
	return out
}

// TestRefused: what is no printer for certain takes no share.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	file, fifo := filepath.Join(dir, "file"), filepath.Join(dir, "fifo")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(fifo, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                        "it is a file on a disk",
		link:                        "it is a file on a disk",
		fifo:                        "it leads to another program",
		dir:                         "is a directory",
		"/dev/null":                 "as /dev/null is, and no printer",
		"/dev/full":                 "as /dev/null is, and no printer",
		"/dev/ptmx":                 "it is a screen, and no printer",
		filepath.Join(dir, "other"): "no such file or directory",
		"Office_Printer":            "the name of a print queue is none",
	} {
		if _, err := New(path, PostScript); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	if _, err := New("/dev/null", "pcl"); err == nil || !strings.Contains(err.Error(), `no page language "pcl"`) {
		t.Errorf("%v", err)
	}
	if b, err := os.ReadFile(file); err != nil || len(b) != 0 {
		t.Errorf("the file holds %d bytes, %v", len(b), err)
	}
}

// TestJudge: the devices by their numbers.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		major, minor uint32
		note, refuse string
	}{
		{6, 0, "", ""}, {180, 0, "", ""}, {180, 15, "", ""}, {4, 64, "", ""}, {166, 0, "", ""}, {188, 1, "", ""},
		{136, 3, "pseudo-terminal", ""}, {143, 3, "pseudo-terminal", ""}, {180, 96, "does not know", ""}, {10, 223, "10:223", ""},
		{4, 1, "", "it is a screen"}, {5, 0, "", "it is a screen"}, {1, 3, "", "no printer"},
	} {
		note, err := judge(&unix.Stat_t{Mode: unix.S_IFCHR, Rdev: unix.Mkdev(c.major, c.minor)})
		if (err != nil) != (c.refuse != "") || err != nil && !strings.Contains(err.Error(), c.refuse) || (note == "") != (c.note == "") || !strings.Contains(note, c.note) {
			t.Errorf("%d:%d: %q, %v", c.major, c.minor, note, err)
		}
	}
	if _, err := judge(&unix.Stat_t{Mode: unix.S_IFBLK}); err == nil {
		t.Error("a disk is a printer")
	}
}

// TestStuck: a printer that takes nothing is given up, and said so; nothing of the
// slip is in the error.
func TestStuck(t *testing.T) {
	list, _ := slips(t)
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer tty.Close()
	p, err := New(tty.Name(), ESCPOS)
	if err != nil {
		t.Fatal(err)
	}
	p.patience = 300 * time.Millisecond
	if err := p.write(fdOf(t, tty.Name()), make([]byte, 1<<20)); err == nil || !regexp.MustCompile(`it has taken nothing for 300ms, with \d+ bytes to go`).MatchString(err.Error()) {
		t.Errorf("%v", err)
	}
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	if err := master.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Print(person, list[0]); err == nil || strings.Contains(err.Error(), "aardvark") {
		t.Errorf("a printer that is gone: %v", err)
	}
}

func fdOf(t *testing.T, path string) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// TestOwnTerminal: the terminal that the program itself talks to is no printer.
func TestOwnTerminal(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer tty.Close()
	if _, err := New(tty.Name(), ESCPOS); err != nil {
		t.Fatalf("another terminal: %v", err)
	}
	saved, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(saved)
	if err := unix.Dup3(int(tty.Fd()), 0, 0); err != nil {
		t.Fatal(err)
	}
	_, err = New(tty.Name(), ESCPOS)
	if derr := unix.Dup3(saved, 0, 0); derr != nil {
		t.Fatal(derr)
	}
	if err == nil || !strings.Contains(err.Error(), "it is the terminal that people sit at") {
		t.Errorf("one's own terminal: %v", err)
	}
}
