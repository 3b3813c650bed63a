package tty

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"
)

func TestReadLine(t *testing.T) {
	for _, c := range []struct {
		in   string
		size int
		want string
		err  error
	}{
		{"abc\n", 4, "abc", nil},
		{"abcd\n", 4, "", ErrTooLong},
		{"abcdabcdabcd\n", 4, "", ErrTooLong},
		{"\n", 4, "", nil},
		{"", 4, "", io.EOF},
		{"abc", 4, "", io.EOF},
		{"abcd", 4, "", io.EOF},
	} {
		in, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, c.in)
		w.Close()
		term, err := openTerminal(in)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, c.size)
		n, err := term.readLine(b, func() error { return nil })
		if string(b[:n]) != c.want || err != c.err {
			t.Errorf("reading %q into %d bytes: %q, %v; want %q, %v", c.in, c.size, b[:n], err, c.want, c.err)
		}
		in.Close()
	}
}

// The buffer of a secret that was refused or interrupted is wiped.
func TestSecretWiped(t *testing.T) {
	for _, keys := range []string{"1234\x1b5678", strings.Repeat("7", 3*MaxSecret), "12\xff34", "12\x0434\x04\x04"} {
		master, slave, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		c, err := Open(slave)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(master, keys+"\r")
		b := make([]byte, MaxSecret+1)
		if _, err := c.secret(b); err == nil {
			t.Errorf("%q was accepted", keys)
		}
		if !bytes.Equal(b, make([]byte, len(b))) {
			t.Errorf("after %q the buffer holds %q", keys, b)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		master.Close()
		slave.Close()
	}
}
