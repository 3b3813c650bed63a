package plain

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"regexp"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/transcript/qr"
)

// TestPrivate: a slip is seen between two clearings and nowhere else, however
// the wait for its person ends.
func TestPrivate(t *testing.T) {
	for _, c := range []struct {
		name, keys  string
		interrupted bool
	}{
		{"enter", enter, false},
		{"typing that is thrown away", "something" + enter, false},
		{"arrow key", "\x1b[D" + enter, false},
		{"interrupt", "\x03", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, "private ask")
			s.expect("press Enter when it is written down")
			s.send(c.keys)
			if r := s.next("private"); r.Interrupted != c.interrupted || !c.interrupted && r.Err != "" {
				t.Fatalf("report %+v", r)
			}
			s.expect("Question of ask")
			s.send("LE" + enter)
			s.next("ask")
			s.next("close")
			s.restored()
			before, rest, entered := strings.Cut(s.screen(), enterOther)
			shown, after, left := strings.Cut(rest, leaveOther)
			if !entered || !left {
				t.Fatalf("the screen was not cleared on both sides: %q", s.screen())
			}
			for _, want := range []string{"FOR Łukasz Example (LE) ALONE", "Share 2 of 3", `token hsm\x1b[2J`, " 1  aardvark " + planted, " 2  second row"} {
				if !strings.Contains(shown, want) {
					t.Errorf("the slip does not show %q: %q", want, shown)
				}
			}
			if strings.Contains(before+after, planted) || strings.Contains(after, "something") {
				t.Errorf("shown outside the slip: %q, %q", before, after)
			}
		})
	}
}

// TestSlipCode: the QR code stands beside the rows, or below them, or a line says
// how much room it needs; a reader of QR codes reads it from the screen.
func TestSlipCode(t *testing.T) {
	const text = "keyrite-share/1 keyrite.ceremony/rehearsal/0f1e2d3c4b5a69788796a5b4c3d2e1f0 hsm 123 1123120a0b0c"
	modules, err := qr.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	s := room.Slip{Rows: []token.PIN{token.NewPIN([]byte(planted)), token.NewPIN([]byte("second row"))}, Code: modules}
	for _, c := range []struct {
		width, height int
		where         string
	}{{120, 40, "beside"}, {56, 60, "below"}, {80, 24, ""}, {40, 60, ""}} {
		page := string(SlipPage(room.Prompt{Person: "LE"}, s, c.width, c.height))
		lines := strings.Split(strings.TrimPrefix(page, enterOther), "\r\n")
		if len(lines) >= c.height {
			t.Errorf("%d × %d: %d lines", c.width, c.height, len(lines))
		}
		for _, l := range lines {
			if n := len([]rune(l)); n >= c.width && c.where != "" {
				t.Errorf("%d × %d: a line of %d columns", c.width, c.height, n)
			}
		}
		if got := readCode(t, lines); got != text && c.where != "" {
			t.Errorf("%d × %d: the code reads as %q", c.width, c.height, got)
		}
		if beside := regexp.MustCompile(planted + ` +█`).MatchString(page); beside != (c.where == "beside") {
			t.Errorf("%d × %d: beside: %v", c.width, c.height, beside)
		}
		if says := strings.Contains(page, "no room for the QR code: it needs"); says != (c.where == "") {
			t.Errorf("%d × %d: says that there is no room: %v\n%s", c.width, c.height, says, page)
		}
	}
}

// readCode reads a QR code that is drawn in half blocks.
func readCode(t *testing.T, lines []string) string {
	t.Helper()
	const dots = 4
	m := image.NewGray(image.Rect(0, 0, 200*dots, 2*len(lines)*dots))
	for y, l := range lines {
		for x, r := range []rune(l) {
			for half, set := range []bool{r == '█' || r == '▀', r == '█' || r == '▄'} {
				for dy := range dots {
					for dx := range dots {
						if set {
							m.SetGray(x*dots+dx, (2*y+half)*dots+dy, color.Gray{Y: 255})
						}
					}
				}
			}
		}
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return err.Error()
	}
	return r.GetText()
}

// A slip is written to no file and no pipe.
func TestPrivateNeedsATerminal(t *testing.T) {
	var out bytes.Buffer
	r, _ := piped(t, "\n", &out)
	err := r.Private(room.Prompt{Person: "LE"}, room.Slip{Rows: []token.PIN{token.NewPIN([]byte(planted))}})
	if !errors.Is(err, room.ErrGone) || out.Len() != 0 {
		t.Errorf("%v, shown %q", err, out.String())
	}
}
