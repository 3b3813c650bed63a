package plain

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/keyrite/keyrite/internal/room"
)

// piped opens a room whose input is a pipe that holds text and is at its end.
func piped(t *testing.T, text string, out io.Writer) (*Room, *os.File) {
	t.Helper()
	in, w := pipe(t)
	io.WriteString(w, text)
	w.Close()
	r, err := New(Options{In: in, Out: out, Width: 80})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		in.Close()
	})
	return r, in
}

func TestAskFromPipe(t *testing.T) {
	var out bytes.Buffer
	r, in := piped(t, "LE\nnobody\n pause\nrest", &out)
	if got, err := r.Ask(room.Prompt{Question: "first"}); got != "LE" || err != nil {
		t.Fatalf("first: %q, %v", got, err)
	}
	if got, err := r.Ask(room.Prompt{Question: "second", Choices: menu}); got != "pause" || err != nil {
		t.Fatalf("second: %q, %v", got, err)
	}
	if !strings.Contains(out.String(), "    > LE\n") {
		t.Errorf("the answer is not shown: %q", out.String())
	}
	if rest, _ := io.ReadAll(in); string(rest) != "rest" {
		t.Errorf("after the answers the pipe holds %q, want what was not asked for", rest)
	}
	if _, err := r.Ask(room.Prompt{Question: "third"}); !errors.Is(err, room.ErrGone) {
		t.Errorf("at the end of the pipe: %v", err)
	}
}

// A line without its end may be cut: it is no answer.
func TestCutLineIsNoAnswer(t *testing.T) {
	r, _ := piped(t, "abort", &bytes.Buffer{})
	if got, err := r.Ask(room.Prompt{}); !errors.Is(err, room.ErrGone) || got != "" {
		t.Errorf("a cut line is %q, %v", got, err)
	}
}

func TestSecretFromPipeRefused(t *testing.T) {
	var out bytes.Buffer
	r, in := piped(t, planted+"\n", &out)
	pin, err := r.Secret(room.Prompt{Question: "PIN"})
	if !errors.Is(err, room.ErrGone) || !pin.Empty() || !strings.Contains(err.Error(), "no terminal") {
		t.Errorf("a secret from a pipe: %v", err)
	}
	if rest, _ := io.ReadAll(in); string(rest) != planted+"\n" {
		t.Errorf("the pipe was read: %q is left", rest)
	}
}

func TestNothingCanBeShown(t *testing.T) {
	out := writerFunc(func([]byte) (int, error) { return 0, syscall.EIO })
	r, _ := piped(t, "LE\nLE\n", out)
	r.Show(room.Text{Text: "what is acknowledged"})
	for range 2 {
		if got, err := r.Ask(room.Prompt{}); !errors.Is(err, room.ErrGone) || !errors.Is(err, syscall.EIO) {
			t.Errorf("an answer to what nobody saw: %q, %v", got, err)
		}
	}
}

func TestNewNeedsInputAndOutput(t *testing.T) {
	if _, err := New(Options{Out: io.Discard}); err == nil {
		t.Error("a room without input")
	}
	if _, err := New(Options{In: os.Stdin}); err == nil {
		t.Error("a room without output")
	}
}

func TestCloseTwice(t *testing.T) {
	r, _ := piped(t, "", io.Discard)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
