package steps_test

import (
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/printer"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/transcript/qr"
)

// A tray is what has come out of a printer: the far end of a pseudo-terminal.
type tray struct {
	mu    sync.Mutex
	paper []byte
}

func (tr *tray) fill(r io.Reader) {
	for b := make([]byte, 4096); ; {
		n, err := r.Read(b)
		tr.mu.Lock()
		tr.paper = append(tr.paper, b[:n]...)
		tr.mu.Unlock()
		if err != nil {
			return
		}
	}
}

var (
	numbered = regexp.MustCompile(`(?m)^ ?(\d+)  ([A-Za-z ]+(?:\n    [A-Za-z ]+)*)$`)
	rasters  = regexp.MustCompile(`(?s)\x1dv0.*?\n--`)
)

// rows are those of the last slip that lies in the tray, once it is cut.
func (tr *tray) rows() (rows []string) {
	for range 1000 {
		tr.mu.Lock()
		all := string(tr.paper)
		tr.mu.Unlock()
		if strings.HasSuffix(all, "\x1dVB\x00") {
			last := all[strings.LastIndex(all, "\x1b@"):]
			for _, m := range numbered.FindAllStringSubmatch(rasters.ReplaceAllString(last, ""), -1) {
				rows = append(rows, strings.Join(strings.Fields(m[2]), " "))
			}
			return rows
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// A reading room types back what lies in the tray, and later what was there for a
// person before; nothing is shown to anybody alone.
type readingRoom struct {
	room.Room
	t     *testing.T
	tray  *tray
	slips map[string][]string
}

func (r *readingRoom) Private(room.Prompt, room.Slip) error {
	r.t.Error("a share that is printed was shown on the screen")
	return nil
}

func (r *readingRoom) Secret(p room.Prompt) (token.PIN, error) {
	if p.Row == 0 {
		return r.Room.Secret(p)
	}
	key := p.Person + p.Slip
	if strings.Contains(p.Question, " new ") && p.Row == 1 {
		r.slips[key] = r.tray.rows()
	}
	if rows := r.slips[key]; p.Row <= len(rows) {
		return token.NewPIN([]byte(rows[p.Row-1])), nil
	}
	r.t.Errorf("no row %d lies in the tray for %s", p.Row, p.Person)
	return token.PIN{}, room.ErrGone
}

// slipStage prints the shares of the short ceremony on a pseudo-terminal.
func slipStage(t *testing.T) (*stage, *readingRoom) {
	t.Helper()
	st := &stage{dir: t.TempDir(), out: io.Discard}
	st.answers = filepath.Join(st.dir, "answers.yaml")
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close(); master.Close() })
	r := &readingRoom{t: t, tray: &tray{}, slips: map[string][]string{}}
	go r.tray.fill(master)
	if err := st.share(""); err != nil {
		t.Fatal(err)
	}
	st.script = []byte(strings.ReplaceAll(sharedScript, "threshold: 2}", "threshold: 2, show: slip}"))
	st.room = func(rm room.Room) room.Room { r.Room = rm; return r }
	st.qr = func(text string) [][]bool {
		m, err := qr.Encode(text)
		if err != nil {
			t.Error(err)
		}
		return m
	}
	p, err := printer.New(tty.Name(), printer.ESCPOS)
	if err != nil {
		t.Fatal(err)
	}
	st.printer = p
	return st, r
}

// TestSlips: shares are printed on a character device and shown nowhere else; what
// came out of it opens the token, and is in no file.
func TestSlips(t *testing.T) {
	st, r := slipStage(t)
	if err := st.start(); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	if err := setsOf(entries).judge(); err != nil {
		t.Error(err)
	}
	slips := 0
	for _, e := range entries {
		switch d := e.Data.(type) {
		case *audit.ShareShown:
			slips++
			if d.Shown != "slip" || d.Printer != st.printer.Name() || !strings.Contains(d.Warning, "pseudo-terminal") {
				t.Errorf("entry %d: %+v", e.Seq, d)
			}
		case *audit.Share:
			if d.Shown != "slip" {
				t.Errorf("entry %d: %+v", e.Seq, d)
			}
		}
	}
	if slips != 4 || len(r.slips) != 4 {
		t.Errorf("%d slips printed, %d read; want 4", slips, len(r.slips))
	}
	for _, rows := range r.slips {
		findNowhere(t, st.dir, rows...)
	}
}

// A jammed printer fails once.
type jammed struct {
	ceremony.Printer
	jams int
}

func (j *jammed) Print(person string, s room.Slip) error {
	if j.jams++; j.jams == 2 {
		return errors.New("it has taken nothing for 1m0s")
	}
	return j.Printer.Print(person, s)
}

// TestSlipJammed: a slip that was not printed whole makes all shares of the PIN void;
// new ones are made.
func TestSlipJammed(t *testing.T) {
	st, _ := slipStage(t)
	st.printer = &jammed{Printer: st.printer}
	if err := st.prepare([]byte(sharedAnswers + "  \"*/on-failure/*\": \"again\"\n")); err != nil {
		t.Fatal(err)
	}
	if err := st.start(); err != nil {
		t.Fatal(err)
	}
	if err := sound(st.bundle()); err != nil {
		t.Fatal(err)
	}
	entries := st.entries(t)
	if err := setsOf(entries).judge(); err != nil {
		t.Error(err)
	}
	if v := voids(entries); len(v) != 1 || !slices.Equal(v[0].People, []string{"so-1", "so-2"}) {
		t.Errorf("declared void: %+v", v)
	}
	if p := problems(entries); !strings.Contains(p, "the slip for Example Custodian 2 (ECQ) is void, and so are all shares of this PIN: it has taken nothing for 1m0s") {
		t.Errorf("problems: %s", p)
	}
}

// TestNoPrinter: in a rehearsal without a printer the screen stands in, and the log
// says so; a ceremony makes no share.
func TestNoPrinter(t *testing.T) {
	for mode, want := range map[string]string{"rehearsal": "", "production": "the place file names no printer"} {
		st := &stage{dir: t.TempDir(), out: io.Discard, mode: mode}
		st.answers = filepath.Join(st.dir, "answers.yaml")
		if err := st.share(abortOnFailure); err != nil {
			t.Fatal(err)
		}
		script := strings.ReplaceAll(sharedScript, "threshold: 2}", "threshold: 2, show: slip}")
		st.script = []byte(strings.Replace(script, "mode: rehearsal", "mode: "+mode, 1))
		err := st.start()
		entries := st.entries(t)
		if p := problems(entries); (err == nil) != (want == "") || !strings.Contains(p, want) {
			t.Errorf("%s: %v, problems %q", mode, err, p)
		}
		for _, e := range entries {
			if d, ok := e.Data.(*audit.ShareShown); ok && (d.Shown != "screen" || mode == "production") {
				t.Errorf("%s: entry %d: %+v", mode, e.Seq, d)
			}
		}
	}
}
