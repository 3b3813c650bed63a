package steps_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/templates"
)

// What goes wrong with the card in a case of TestPulled.
const (
	pulled = "pulled" // pulled out; it comes back when the room is told of a problem
	late   = "late"   // pulled out; it comes back while keyrite waits for it
	other  = "other"  // pulled out; another card is put in first
	reader = "reader" // the reader goes with it, pcscd too
	silent = "silent" // no answer for a while, then it is gone
	reset  = "reset"  // it loses its power for a moment
	status = "status" // it answers 6F00 and does nothing
	slow   = "slow"   // it answers late
)

// A trouble is one run of the root ceremony on a card that fails once.
type trouble struct {
	Kind  string
	At    int  // which command, from 1; 0 for none
	After bool // the command was carried out, its answer is lost
}

func (c trouble) String() string {
	return fmt.Sprintf("%s at command %d, after it: %v", c.Kind, c.At, c.After)
}

// An ending is what came of a run.
type ending struct {
	Err      string
	Steps    []string // the step of each command that the card got
	Commands []string // its first bytes, hex
	Problems []string // as the log has them
}

// TestPulled holds the root ceremony through the real pcscd and OpenSC on a
// simulated card, and has the card pulled out before and after its commands, as
// the room would not; put back, the room goes on. However it went, the ceremony
// ends, the bundle verifies, the token lists one key and the log knows of every
// wrong PIN that the card found, and of a key that may be left over.
func TestPulled(t *testing.T) {
	first := openTables(t, 1)[0]
	plain := first.hold(t, trouble{})
	if plain.Err != "" || len(plain.Problems) > 0 || len(plain.Commands) < 80 {
		t.Fatalf("without a fault: %s, problems %q, %d commands", plain.Err, plain.Problems, len(plain.Commands))
	}
	cases := troubles(plain)
	t.Logf("%d commands, %d cases", len(plain.Commands), len(cases))
	work := make(chan trouble)
	var wg sync.WaitGroup
	for _, tb := range append(openTables(t, 1), first) {
		wg.Go(func() {
			for c := range work {
				e := tb.hold(t, c)
				if e.Err == "" {
					e.Err = c.differs(e, len(plain.Commands))
				}
				if e.Err != "" {
					t.Errorf("%v (%s in %s): %s\nproblems: %q", c, plain.Commands[c.At-1], plain.Steps[c.At-1], e.Err, e.Problems)
				}
			}
		})
	}
	for _, c := range cases {
		work <- c
	}
	close(work)
	wg.Wait()
}

// troubles are the cases: with -faults the card is pulled out on both sides of
// every command, else on both sides of the first of each instruction that
// changes the card, and before the first of each step.
func troubles(plain ending) (list []trouble) {
	seen := map[string]bool{}
	once := func(s string) bool {
		defer func() { seen[s] = true }()
		return !seen[s]
	}
	for i, command := range plain.Commands {
		at, what := i+1, command[2:4]
		if what == "20" && len(command) > 10 { // else VERIFY only asks
			what = "20 with a PIN"
		}
		changes := slices.Contains([]string{"50", "24", "2c", "46", "e4", "d7", "68", "20 with a PIN"}, what)
		if *allFaults || changes && once(what) {
			list = append(list, trouble{pulled, at, false}, trouble{pulled, at, true})
			if what == "46" || what == "24" {
				list = append(list, trouble{other, at, true}, trouble{reset, at, false}, trouble{silent, at, true}, trouble{status, at, false})
			}
			if what == "68" {
				list = append(list, trouble{reader, at, false}, trouble{late, at, true}, trouble{slow, at, false})
			}
			once(plain.Steps[i])
		} else if once(plain.Steps[i]) {
			list = append(list, trouble{pulled, at, false})
		}
	}
	return list
}

// differs says what is wrong with the problems that a ceremony had. After the
// last command nothing can go wrong any more.
func (c trouble) differs(e ending, commands int) string {
	text := strings.Join(e.Problems, "\n")
	named := strings.Contains(text, `expected serial "ZZSIM000001" as identified before, seen slot`) && strings.Contains(text, `serial "ZZSIM000002"`)
	switch {
	case c.Kind == slow && text != "":
		return "a slow answer is a problem"
	case c.Kind != slow && text == "" && c.At < commands-1:
		return "nothing is written of it"
	case c.Kind == other && !named:
		return "the other card is not named as such"
	}
	return ""
}

// A child process holds ceremonies on a table of its own: PKCS#11 modules and
// PC/SC clients are one a process.
type tableProcess struct {
	in  *json.Encoder
	out *json.Decoder
}

// openTables starts n of them; they end with the test.
func openTables(t *testing.T, n int) (list []*tableProcess) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		dir, err := os.MkdirTemp("", "keyrite-t-") // a short path: it holds a socket
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), childEnv+"=table", dirEnv+"="+dir)
		var talk bytes.Buffer
		cmd.Stderr = &talk
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			in.Close()
			if err := cmd.Wait(); err != nil || talk.Len() > 0 {
				t.Errorf("the child: %v\n%s", err, tail(talk.Bytes()))
			}
			os.RemoveAll(dir)
		})
		list = append(list, &tableProcess{json.NewEncoder(in), json.NewDecoder(out)})
	}
	return list
}

// hold has a ceremony held.
func (p *tableProcess) hold(t *testing.T, c trouble) (e ending) {
	if err := p.in.Encode(c); err != nil {
		return ending{Err: "the child is gone: " + err.Error()}
	}
	if err := p.out.Decode(&e); err != nil {
		return ending{Err: "the child is gone: " + err.Error()}
	}
	return e
}

// tableChild is the child: a case a line in, an ending a line out.
func tableChild() error {
	tb, err := openTable(os.Getenv(dirEnv))
	if err != nil {
		return err
	}
	in, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for in.Scan() {
		var c trouble
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			return errors.Join(err, tb.daemon.Stop())
		}
		if err := out.Encode(tb.run(c)); err != nil {
			return errors.Join(err, tb.daemon.Stop())
		}
	}
	return errors.Join(in.Err(), tb.daemon.Stop())
}

// run holds a ceremony and judges it.
func (tb *table) run(c trouble) (e ending) {
	dir, err := os.MkdirTemp(tb.dir, "run-")
	if err == nil {
		err = tb.ceremony(dir, c, &e)
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		e.Err = err.Error()
	}
	return e
}

func (tb *table) ceremony(dir string, c trouble, e *ending) error {
	h := &hand{tb: tb, c: c, e: e, held: &memory{tb.made}, other: &memory{tb.other}}
	if err := h.insert(h.held); err != nil {
		return err
	}
	st, err := tb.stage(dir, h)
	if err == nil {
		err = st.hold(h)
	}
	err = errors.Join(err, h.put(nil))
	if err != nil {
		return err
	}
	if err := sound(st.bundle()); err != nil {
		return err
	}
	return st.judge(h)
}

// stage is a stage whose people go on after a problem.
func (tb *table) stage(dir string, h *hand) (*stage, error) {
	st := &stage{dir: dir, out: io.Discard, answers: filepath.Join(dir, "answers.yaml"), lib: tb.lib}
	var err error
	if st.script, err = templates.Ceremonies.ReadFile("ceremonies/root-ca.yaml"); err != nil {
		return nil, err
	}
	b, err := templates.Ceremonies.ReadFile("ceremonies/root-ca.answers.yaml")
	if err != nil {
		return nil, err
	}
	b = append(b, "\n  \"*/on-failure/*\": \"again\"\n  \"*/adopt-key/*\": \"ours\"\n  \"*/unknown-agreed/*\": \"@initials\"\n"...)
	st.room = func(r room.Room) room.Room { return &troubledRoom{Room: r, h: h} }
	return st, os.WriteFile(st.answers, b, 0o600)
}

// hold is start with the card as the script's own token. A wait of the program
// takes a twentieth of its time here, and moves the clock by the rest.
func (st *stage) hold(h *hand) (err error) {
	if err := os.Mkdir(st.bundle(), 0o755); err != nil {
		return err
	}
	store, err := sqlite.Create(filepath.Join(st.bundle(), bundle.DatabaseFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	c, err := st.config(store)
	if err != nil {
		return err
	}
	c.Serials = map[string]string{"hsm": serialOfCard}
	c.Model = func(*ceremony.TokenSpec) *token.Model { m := token.Models["nitrokey-hsm"]; return &m }
	var ahead time.Duration
	c.Now = func() time.Time { return time.Now().Add(ahead) }
	c.Sleep = func(d time.Duration) {
		time.Sleep(d / 20)
		ahead += d
		h.waited()
	}
	r, err := ceremony.Start(*c)
	if err != nil {
		return err
	}
	return errors.Join(r.Run(), h.err)
}

// judge compares the log with what the card knows.
func (st *stage) judge(h *hand) error {
	store, err := sqlite.OpenReader(filepath.Join(st.bundle(), bundle.DatabaseFile))
	if err != nil {
		return err
	}
	_, entries, err := ceremony.ReadLog(store)
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	wrong, left := 0, 0
	for _, x := range entries {
		switch d := x.Data.(type) {
		case *audit.Problem:
			h.e.Problems = append(h.e.Problems, x.Step+": "+d.What)
		case *audit.Result:
			if d.Name == "key that may be left over" {
				left++
			}
		case *audit.HSMOutcome:
			if d.RV == "CKR_PIN_INCORRECT" || d.RV == "CKR_PIN_LOCKED" {
				wrong++
			}
		}
	}
	if h.wrong != wrong {
		return fmt.Errorf("the card found %d PINs wrong, the log has %d", h.wrong, wrong)
	}
	if !bytes.Equal(h.other.b, h.tb.other) {
		return errors.New("the other card was changed")
	}
	return h.held.check(left)
}

// check wants a card with all its tries and one key; others only if the log says
// that they may be there. That the token lists one is what the ceremony's own
// inventory finds.
func (m *memory) check(left int) error {
	var card struct {
		User struct{ Left int }
		SO   struct{ Left int }
		Keys map[string]any
	}
	if err := json.Unmarshal(m.b, &card); err != nil {
		return err
	}
	if n := len(card.Keys); card.User.Left != 3 || card.SO.Left != 15 || n < 1 || n > 1+left {
		return fmt.Errorf("the card has %d tries of the user PIN, %d of the SO-PIN and %d keys; the log says that %d may be left over", card.User.Left, card.SO.Left, n, left)
	}
	return nil
}
