package steps_test

import (
	"cmp"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/keyfile"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/answers"
	"github.com/keyrite/keyrite/internal/room/plain"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu"
	"github.com/keyrite/keyrite/internal/token/apdu/pcsclite"
	"github.com/keyrite/keyrite/internal/token/fake"
	"github.com/keyrite/keyrite/internal/token/p11"
	"github.com/keyrite/keyrite/internal/token/softhsm"
	"github.com/keyrite/keyrite/steps"
	"github.com/keyrite/keyrite/templates"
)

// A stage is a ceremony on a throw-away SoftHSM2 token, with people who answer
// from a list.
type stage struct {
	dir       string // holds bundle, token and answers
	name      string // of the bundle, if it is not "bundle"
	script    []byte
	answers   string // file
	lib       *p11.Module
	store     func(ceremony.Store) ceremony.Store // wraps the store, for faults
	token     func(token.Module) token.Module     // wraps the token
	room      func(room.Room) room.Room           // wraps the room
	out       io.Writer
	card      *fake.Module // a SmartCard-HSM in memory in place of SoftHSM2, for what SoftHSM2 cannot show: tries that are counted
	opensc    *p11.Module  // the real OpenSC in place of SoftHSM2
	unchecked bool         // the script is not held against the model of the world

	ahead   time.Duration    // how far the machine's clock is ahead
	printer ceremony.Printer // for slips; nil: there is none
	qr      func(string) [][]bool

	cardless bool // the card is reached through PKCS#11 alone

	stand bool // the card stands in for another one

	machine *ceremony.Machine // in place of testMachine
	mode    string            // in place of a rehearsal
}

func (st *stage) bundle() string { return filepath.Join(st.dir, cmp.Or(st.name, "bundle")) }

// openStage makes the token and loads SoftHSM2. A missing module fails.
func openStage(dir, template string) (*stage, error) {
	st := &stage{dir: dir, out: io.Discard, answers: filepath.Join(dir, "answers.yaml")}
	var err error
	if st.script, err = templates.Ceremonies.ReadFile("ceremonies/" + template + ".yaml"); err != nil {
		return nil, err
	}
	b, err := templates.Ceremonies.ReadFile("ceremonies/" + template + ".answers.yaml")
	if err != nil {
		return nil, err
	}
	return st, st.prepare(b)
}

func (st *stage) prepare(answerList []byte) error {
	conf := filepath.Join(st.dir, "token", "softhsm2.conf")
	if _, err := os.Stat(conf); err != nil {
		if conf, err = softhsm.Provision(filepath.Join(st.dir, "token")); err != nil {
			return err
		}
	}
	if err := os.Setenv(softhsm.ConfigEnv, conf); err != nil {
		return err
	}
	if err := os.WriteFile(st.answers, answerList, 0o600); err != nil {
		return err
	}
	path, err := softhsm.Module()
	if err != nil {
		return err
	}
	st.lib, err = p11.Open(path)
	return err
}

func (st *stage) config(store ceremony.Store) (*ceremony.Config, error) {
	read := ceremony.ParseAndCheck
	if st.unchecked {
		read = ceremony.Parse
	}
	s, problems := read("script.yaml", st.script, steps.Kinds())
	if len(problems) > 0 {
		return nil, problems
	}
	a, err := answers.Load(st.answers)
	if err != nil {
		return nil, err
	}
	var rm room.Room = answers.New(plain.NewScreen(st.out, false, 100), a)
	if st.room != nil {
		rm = st.room(rm)
	}
	if st.store != nil {
		store = st.store(store)
	}
	var module token.Module = st.lib
	if st.card != nil {
		module = st.card
	}
	if st.opensc != nil {
		module = st.opensc
	}
	if st.token != nil {
		module = st.token(module)
	}
	var cards apdu.Service
	if st.opensc != nil && !st.cardless {
		cards = pcsclite.New()
	}
	return &ceremony.Config{
		Cards:  cards,
		Script: s, ScriptBytes: st.script, Dir: st.bundle(), Media: st.dir, Mode: cmp.Or(st.mode, ceremony.Rehearsal), Stand: st.card == nil && st.opensc == nil || st.stand,
		Room: rm, Store: store, Paper: paper.Paper{}, Now: func() time.Time { return time.Now().Add(st.ahead) }, Sleep: time.Sleep, Rand: rand.Reader,
		Program: audit.Program{Version: "test", Go: runtime.Version(), Platform: "test", SHA256: zeros},
		Model: func(spec *ceremony.TokenSpec) *token.Model {
			m := token.Models["softhsm2"].WithPINRulesOf(token.Models[spec.Model])
			if st.card != nil || st.opensc != nil {
				m = token.Models[spec.Model]
			}
			return &m
		},
		UnlockKey: keyfile.Unlock, Printer: st.printer, QR: st.qr,
		Open: func() (token.Module, audit.File, error) {
			return module, audit.File{Name: st.lib.Path(), SHA256: st.lib.SHA256(), Size: st.lib.Size()}, nil
		},
		Machine: st.machineOrTest(),
	}, nil
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

// start runs the ceremony from its beginning.
func (st *stage) start() error {
	if err := os.Mkdir(st.bundle(), 0o755); err != nil {
		return err
	}
	store, err := sqlite.Create(filepath.Join(st.bundle(), bundle.DatabaseFile))
	if err != nil {
		return err
	}
	return st.with(store, ceremony.Start)
}

// resume goes on with it.
func (st *stage) resume() error {
	store, err := sqlite.Open(filepath.Join(st.bundle(), bundle.DatabaseFile))
	if err != nil {
		return err
	}
	return st.with(store, ceremony.Resume)
}

func (st *stage) with(store *sqlite.Store, begin func(ceremony.Config) (*ceremony.Runner, error)) error {
	defer store.Close()
	c, err := st.config(store)
	if err != nil {
		return err
	}
	r, err := begin(*c)
	if err != nil || r == nil {
		return err
	}
	return r.Run()
}

// entries reads the log of the stage's bundle.
func (st *stage) entries(t *testing.T) []*audit.Entry {
	t.Helper()
	entries, err := entriesIn(st.bundle())
	if err != nil {
		t.Fatal(err)
	}
	checkWriters(t, entries)
	return entries
}

func entriesIn(dir string) ([]*audit.Entry, error) {
	store, err := sqlite.OpenReader(filepath.Join(dir, bundle.DatabaseFile))
	if err != nil {
		return nil, err
	}
	defer store.Close()
	_, entries, err := ceremony.ReadLog(store)
	return entries, err
}

// machineOrTest is the machine that the ceremony is held on: loopback alone, a
// reader on USB and a disk, unless a test has another one.
func (st *stage) machineOrTest() ceremony.Machine {
	if st.machine != nil {
		return *st.machine
	}
	return testMachine()
}

func testMachine() ceremony.Machine {
	return ceremony.Machine{
		Environment: func() (*audit.Environment, error) {
			return &audit.Environment{Program: audit.Program{Version: "test", SHA256: zeros}, Module: audit.File{Name: "m", SHA256: ones},
				Kernel: "Linux 6.1.0-42-amd64 #1", Release: "6.1.0-42-amd64", Cmdline: "ro quiet", Interfaces: []audit.Interface{{Name: "lo", Up: true, State: "unknown"}}, CoreLimit: "0/0"}, nil
		},
		Devices: func(bus string) ([]audit.Device, error) {
			return map[string][]audit.Device{
				"usb":   {{At: "1-1", ID: "20a0:4230", Class: "0b smart card", Name: "Example Reader", Serial: "R1"}},
				"block": {{At: "sda", Name: "Example Disk", Serial: "D1", Size: 1 << 30}},
			}[bus], nil
		},
		Hash: func(path string, progress func(read, of int64)) (audit.File, error) {
			for i := range int64(100) {
				progress(i+1, 100)
			}
			return audit.File{Name: path, SHA256: ones, Size: 100}, nil
		},
	}
}

const ones = "1111111111111111111111111111111111111111111111111111111111111111"
