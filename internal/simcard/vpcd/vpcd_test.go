package vpcd

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
)

// echo answers a command with itself and counts what it is told.
type echo struct {
	resets int
	err    error
}

func (e *echo) ATR() []byte { return []byte{0x3B, 0x00} }
func (e *echo) PowerUp()    { e.resets++ }
func (e *echo) Transmit(b []byte) ([]byte, error) {
	return append([]byte{0xEE}, b...), e.err
}

// stream reads from in and writes to out.
type stream struct {
	in  io.Reader
	out bytes.Buffer
}

func (s *stream) Read(b []byte) (int, error)  { return s.in.Read(b) }
func (s *stream) Write(b []byte) (int, error) { return s.out.Write(b) }

func serve(t *testing.T, in string, card Card) (out string, err error) {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(in, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{in: bytes.NewReader(b)}
	err = Serve(s, card)
	return hex.EncodeToString(s.out.Bytes()), err
}

func TestServe(t *testing.T) {
	e := &echo{}
	out, err := serve(t, "000101 000104 000102 000400a40000 000100 0000", e)
	if err != nil || out != "00023b00"+"0005ee00a40000"+"0001ee" || e.resets != 3 {
		t.Errorf("got %s, %d resets, %v", out, e.resets, err)
	}
	if _, err := serve(t, "000103", e); err == nil || !strings.Contains(err.Error(), "control 03") {
		t.Errorf("control 03: %v", err)
	}
	for _, cut := range []string{"00", "0004", "000400a4"} {
		if _, err := serve(t, cut, e); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut after %s: %v", cut, err)
		}
	}
	e.err = errors.New("pulled")
	if out, err := serve(t, "000400a40000", e); !errors.Is(err, e.err) || out != "" {
		t.Errorf("a pulled card answers %s, %v", out, err)
	}
}

func TestWriteFrameRefusesTooMuch(t *testing.T) {
	if err := WriteFrame(io.Discard, make([]byte, MaxFrame+1)); err == nil {
		t.Error("65,536 bytes pass")
	}
}

// FuzzServe: whatever the stream holds, the card answers or the stream ends.
func FuzzServe(f *testing.F) {
	f.Add([]byte{0, 1, 4, 0, 4, 0, 0xA4, 0, 0})
	f.Add([]byte{0, 1, 9})
	f.Add([]byte{0xFF, 0xFF, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &stream{in: bytes.NewReader(b)}
		if err := Serve(s, &echo{}); err == nil {
			for s.out.Len() > 0 {
				if _, err := ReadFrame(&s.out); err != nil {
					t.Fatalf("an answer is no frame: %v", err)
				}
			}
		}
	})
}
