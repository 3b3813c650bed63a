package plain

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/keyrite/keyrite/internal/room/tty"
)

const enter = "\r"

// planted is a PIN that must be seen nowhere.
const planted = "48273659"

func TestAsk(t *testing.T) {
	for _, c := range []struct{ name, keys, want string }{
		{"line", "LE\r", "LE"},
		{"line feed", "LE\n", "LE"},
		{"space around", "  Passport,  seen by YH \r", "Passport,  seen by YH"},
		{"empty", "\r", ""},
		{"other scripts", "Łukasz 山田 Ελένη\r", "Łukasz 山田 Ελένη"},
		{"backspace", "LX\x7fE\r", "LE"},
		{"backspace over two bytes", "Łé\x7f\r", "Ł"},
		{"line taken back", "wrong\x15LE\r", "LE"},
		{"menu", "!\r", "!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, "ask")
			s.expect("Question of ask")
			s.expect("> ")
			s.send(c.keys)
			if got := s.value("ask"); got != c.want {
				t.Errorf("the answer is %q, want %q", got, c.want)
			}
			s.next("close")
			s.restored()
		})
	}
}

func TestAskShowsWhatIsTyped(t *testing.T) {
	s := start(t, "ask")
	s.expect("> ")
	s.send("visible" + enter)
	s.expect("visible")
	s.next("ask")
}

// What cannot be shown, such as an arrow key, is no answer.
func TestAskAgain(t *testing.T) {
	for _, c := range []struct{ name, keys, says string }{
		{"arrow key", "LE\x1b[D", "cannot be shown"},
		{"suspend and quit", "\x1a\x1c", "cannot be shown"},
		{"not UTF-8", "caf\xe9", "cannot be shown"},
		{"turned around", "a\u202eb", "cannot be shown"},
		{"too long", strings.Repeat("x", tty.MaxAnswer+1), "longer than 2048 bytes"},
		{"longer than the kernel's line", strings.Repeat("x", 6000), "longer than 2048 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, "ask")
			s.expect("> ")
			s.send(c.keys + enter)
			s.expect(c.says)
			s.expect("> ")
			s.send("LE" + enter)
			if got := s.value("ask"); got != "LE" {
				t.Errorf("the answer is %q, want LE", got)
			}
		})
	}
}

func TestAskChoices(t *testing.T) {
	for _, c := range []struct{ keys, want string }{
		{"pause", "pause"}, {"PAUSE", "pause"}, {"c", "continue"}, {"Dev", "deviation"}, {"!", "!"}, {"!menu", "!menu"},
	} {
		t.Run(c.keys, func(t *testing.T) {
			s := start(t, "choose")
			s.expect("give the ceremony up")
			s.send("" + enter)
			s.expect("none of the words: continue, deviation, pause, abort")
			s.send("stop" + enter)
			s.expect("none of the words")
			s.send(c.keys + enter)
			if got := s.value("choose"); got != c.want {
				t.Errorf("the answer is %q, want %q", got, c.want)
			}
		})
	}
}

func TestSecret(t *testing.T) {
	longest := strings.Repeat("7", tty.MaxSecret)
	for _, c := range []struct{ name, keys, want string }{
		{"digits", planted + "\r", planted},
		{"empty", "\r", ""},
		{"space kept", " 1 2 \r", " 1 2 "},
		{"backspace", "1234\x7f\x7f56\r", "1256"},
		{"taken back", "1234\x15" + planted + "\r", planted},
		{"longest", longest + "\r", longest},
		{"other letters", "Žluť\r", "Žluť"},
		{"Ctrl-D in the middle", "12\x0434\r", "1234"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, "secret ask")
			s.expect("(not shown) > ")
			s.send(c.keys)
			if got := s.value("secret"); got != c.want {
				t.Errorf("the secret is %q, want %q", got, c.want)
			}
			s.expect("Question of ask")
			if c.want != "" && strings.Contains(s.screen(), strings.TrimSpace(c.want)) {
				t.Errorf("the terminal shows the secret: %q", s.screen())
			}
			if i := strings.Index(s.screen(), secretMark); !strings.HasPrefix(s.screen()[i:], secretMark+"\r\n\r\n") {
				t.Errorf("the terminal shows something of the secret, or where it ended: %q", s.screen()[i:])
			}
			s.expect("> ")
			s.send("LE" + enter)
			s.next("ask")
			s.next("close")
			s.restored()
		})
	}
}

func TestSecretRefused(t *testing.T) {
	for _, c := range []struct{ name, keys, want string }{
		{"too long", strings.Repeat("7", tty.MaxSecret+1), "longer than 256 bytes"},
		{"much too long", strings.Repeat("7", 6000), "longer than 256 bytes"},
		{"the length of the buffer twice", strings.Repeat("7", 2*(tty.MaxSecret+1)), "longer than 256 bytes"},
		{"NUL", "12\x0034", "control character"},
		{"arrow key", "1234\x1b[D", "control character"},
		{"quoted control byte", "12\x16\x0134", "control character"},
		{"delete", "12\x16\x7f34", "control character"},
		{"C1", "12\u009b34", "control character"},
		{"not UTF-8", "12\xff34", "not valid UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, "secret secret")
			s.expect("(not shown) > ")
			s.send(c.keys + enter)
			if r := s.next("secret"); !strings.Contains(r.Err, c.want) || r.Gone || r.Interrupted || r.Value != "" {
				t.Errorf("report %+v, want an error with %q", r, c.want)
			}
			s.expect("(not shown) > ")
			s.send(planted + enter)
			if got := s.value("secret"); got != planted {
				t.Errorf("the secret asked for again is %q", got)
			}
			s.next("close")
			s.restored()
		})
	}
}

// A PIN typed before it is asked for must not show, nor answer anything.
func TestTypedTooEarly(t *testing.T) {
	s := start(t, "hold secret hold ask")
	for _, answer := range []string{"secret", "ask"} {
		s.next("hold")
		s.send(planted + enter)
		s.order()
		s.next("hold")
		s.expect("> ")
		s.send("asked" + enter)
		if got := s.value(answer); got != "asked" {
			t.Errorf("%s: the answer is %q, what was typed before the question", answer, got)
		}
	}
	s.next("close")
	if strings.Contains(s.screen(), planted) {
		t.Errorf("the terminal shows what was typed too early: %q", s.screen())
	}
}

// What was typed and not asked for must not end up in the shell.
func TestCloseDiscardsInput(t *testing.T) {
	s := start(t, "hold await-input")
	s.next("hold")
	s.send(planted + enter)
	s.order()
	s.next("hold")
	s.next("await-input")
	if r := s.next("close"); r.Err != "" || r.Value != "<nil>" {
		t.Errorf("closing: %+v", r)
	}
}

// The keys that stop, dump or freeze a program do nothing.
func TestStoppingKeys(t *testing.T) {
	s := start(t, "hold ask")
	s.next("hold")
	s.send("\x1a\x1c\x13")
	s.order()
	s.next("hold")
	s.expect("Question of ask")
	s.expect("> ")
	s.send("LE" + enter)
	if got := s.value("ask"); got != "LE" {
		t.Errorf("the answer is %q, want LE", got)
	}
}

func TestInterruptAtPrompt(t *testing.T) {
	for _, act := range []string{"ask", "secret", "choose"} {
		t.Run(act, func(t *testing.T) {
			s := start(t, act+" secret")
			s.expect("> ")
			s.send(planted[:4] + "\x03")
			if r := s.next(act); !r.Interrupted || r.Value != "" {
				t.Fatalf("report %+v, want interrupted", r)
			}
			if s.mode().Lflag&unix.ECHO != 0 {
				t.Error("the echo is on after the prompt ended")
			}
			s.expect("(not shown) > ")
			s.send("1" + enter)
			if got := s.value("secret"); got != "1" {
				t.Errorf("the secret after the interrupt is %q, want 1", got)
			}
			s.next("close")
			s.restored()
		})
	}
}

func TestInterruptRemembered(t *testing.T) {
	s := start(t, "hold await-interrupt ask ask")
	s.next("hold")
	s.send("\x03")
	s.order()
	s.next("hold")
	s.next("await-interrupt")
	if r := s.next("ask"); !r.Interrupted {
		t.Fatalf("report %+v, want interrupted", r)
	}
	s.expect("> ")
	s.send("LE" + enter)
	if got := s.value("ask"); got != "LE" {
		t.Errorf("the next answer is %q, want LE", got)
	}
}

func TestInterruptTaken(t *testing.T) {
	s := start(t, "hold interrupted ask")
	s.next("hold")
	s.send("\x03")
	s.order()
	s.next("hold")
	if got := s.value("interrupted"); got != "yes" {
		t.Fatal("Interrupted never received the Ctrl-C")
	}
	s.expect("> ")
	s.send("LE" + enter)
	if got := s.value("ask"); got != "LE" {
		t.Errorf("the answer is %q, want LE: the Ctrl-C came twice", got)
	}
}

func TestGone(t *testing.T) {
	for _, act := range []string{"ask", "secret"} {
		for _, c := range []struct {
			name, cause string
			do          func(*session)
		}{
			{"end of file", "at its end", func(s *session) { s.send("\x04") }},
			{"closed", "", func(s *session) { s.master.Close() }},
			{"told to end", "SIGTERM", func(s *session) { s.cmd.Process.Signal(syscall.SIGTERM) }},
			{"hung up", "SIGHUP", func(s *session) { s.cmd.Process.Signal(syscall.SIGHUP) }},
		} {
			t.Run(act+" "+c.name, func(t *testing.T) {
				s := start(t, act+" ask secret")
				s.expect("> ")
				c.do(s)
				for _, act := range []string{act, "ask", "secret"} {
					if r := s.next(act); !r.Gone || !strings.Contains(r.Err, c.cause) {
						t.Errorf("report %+v, want gone because of %q", r, c.cause)
					}
				}
				if c.name != "closed" {
					s.next("close")
					s.restored()
				}
			})
		}
	}
}

func TestGoneBetweenPrompts(t *testing.T) {
	s := start(t, "hold await-gone ask")
	s.next("hold")
	s.cmd.Process.Signal(syscall.SIGHUP)
	s.order()
	s.next("hold")
	s.next("await-gone")
	if r := s.next("ask"); !r.Gone {
		t.Errorf("report %+v, want gone", r)
	}
}

// An output that is a broken pipe must not end the program (SIGPIPE).
func TestBrokenOutput(t *testing.T) {
	s := start(t, "lose-output step ask")
	s.next("lose-output")
	s.next("step")
	if r := s.next("ask"); !r.Gone || !strings.Contains(r.Err, "nothing can be shown") {
		t.Errorf("report %+v, want gone", r)
	}
	s.next("close")
	s.restored()
}

func TestRestoredAfterPanic(t *testing.T) {
	s := start(t, "panic")
	s.expect("> ")
	if s.mode().Lflag&unix.ECHO == 0 {
		t.Error("there is no echo at a question")
	}
	s.send("\x1b" + enter)
	if r := s.next("close"); r.Value != "planted" {
		t.Fatalf("report %+v, want the planted panic", r)
	}
	s.restored()
}

// TestRestoredAfterPanicElsewhere: a panic of the runner while a secret is typed or a
// slip shown, or of what shows the time that passes, takes the slip off and gives
// the terminal back.
func TestRestoredAfterPanicElsewhere(t *testing.T) {
	for act, c := range map[string]struct{ shown, panic string }{
		"panic-secret": {"Question of secret", "no message"},
		"panic-slip":   {planted, "no message"},
		"panic-busy":   {"", "planted in the clock"},
	} {
		t.Run(act, func(t *testing.T) {
			s := start(t, act)
			s.next("hold")
			if s.expect(c.shown); c.shown == "" {
				time.Sleep(100 * time.Millisecond) // many ticks
			} else if s.mode().Lflag&unix.ECHO != 0 {
				t.Error("there is echo while a secret is typed")
			}
			s.order()
			if r := s.next("close"); !strings.Contains(r.Value, c.panic) || strings.Contains(r.Value, "the echo is on") || r.Err != "" {
				t.Errorf("report %+v, want the panic %q", r, c.panic)
			}
			s.restored()
			if act != "panic-slip" {
				return
			}
			s.expect(leaveOther)
			if all := s.screen(); strings.LastIndex(all, leaveOther) < strings.LastIndex(all, planted) {
				t.Errorf("the slip stands on the terminal: %q", all)
			}
		})
	}
}

func TestTerminalWidth(t *testing.T) {
	for _, width := range []int{40, 72, 90} {
		s := startSized(t, "step", uint16(width))
		s.next("step")
		s.next("close")
		s.expect("\r\n" + strings.Repeat("─", width) + "\r\n")
	}
}

func TestBusyOnTerminal(t *testing.T) {
	s := start(t, "busy")
	s.next("hold")
	s.expect("… generating the key: 1 s (about 40 s expected)")
	s.expect("… generating the key: 2 s (about 40 s expected)")
	s.order()
	s.next("busy")
	s.expect("\r  … generating the key: took ")
	if n := strings.Count(s.screen(), "took"); n != 1 {
		t.Errorf("the end is shown %d times", n)
	}
}
