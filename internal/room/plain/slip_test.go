package plain

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
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

// A slip is written to no file and no pipe.
func TestPrivateNeedsATerminal(t *testing.T) {
	var out bytes.Buffer
	r, _ := piped(t, "\n", &out)
	err := r.Private(room.Prompt{Person: "LE"}, room.Slip{Rows: []token.PIN{token.NewPIN([]byte(planted))}})
	if !errors.Is(err, room.ErrGone) || out.Len() != 0 {
		t.Errorf("%v, shown %q", err, out.String())
	}
}
