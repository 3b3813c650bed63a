package recorded

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/fake"
	"github.com/keyrite/keyrite/internal/token/tokentest"
)

const origin = "keyrite.example/log/rehearsal/00112233445566778899aabbccddeeff"

// openLog makes a real log with its first entry in dir.
func openLog(t *testing.T, dir string) (*audit.Log, audit.Config) {
	t.Helper()
	store, err := sqlite.Create(filepath.Join(dir, "audit.db"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := audit.NewLogKey(origin, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	config := audit.Config{Store: store, Key: key, Origin: origin, Now: time.Now, Rand: rand.Reader}
	log, err := audit.Create(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	first := &audit.LogOpen{Format: audit.FormatVersion, Origin: origin, Mode: "rehearsal", LogKey: key.VerifierKey()}
	if _, err := log.AppendSync("", first); err != nil {
		t.Fatal(err)
	}
	return log, config
}

// unwritable lists ways in which a real log cannot be written. Each gets a
// sound log and returns the one to use.
var unwritable = map[string]func(t *testing.T, dir string) *audit.Log{
	"closed": func(t *testing.T, dir string) *audit.Log {
		log, _ := openLog(t, dir)
		if _, err := log.AppendSync("", &audit.Close{Result: "complete"}); err != nil {
			t.Fatal(err)
		}
		return log
	},
	"store closed": func(t *testing.T, dir string) *audit.Log {
		log, _ := openLog(t, dir)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		return log
	},
	"read-only": func(t *testing.T, dir string) *audit.Log {
		_, config := openLog(t, dir)
		reader, err := sqlite.OpenReader(filepath.Join(dir, "audit.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { reader.Close() })
		config.Store = reader
		log, err := audit.Reopen(config)
		if err != nil {
			t.Fatal(err)
		}
		return log
	},
	"no room": func(t *testing.T, dir string) *audit.Log {
		log, _ := openLog(t, dir)
		noRoom(t)
		return log
	},
}

// noRoom lets no file of this process grow until the test's end, as on a full
// disk: every write that needs room fails.
func noRoom(t *testing.T) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	})
}

// TestRealLogUnwritable: for every function and every way in which a real log
// cannot be written, the module is not called, except to leave the token.
func TestRealLogUnwritable(t *testing.T) {
	for how, spoil := range unwritable {
		t.Run(how, func(t *testing.T) {
			log := spoil(t, t.TempDir())
			for _, f := range token.Functions {
				t.Run(string(f), func(t *testing.T) {
					if how == "no room" && log.Err() != nil {
						// Its first failure sticks: each function gets a new one.
						allowRoom(t, func() { log, _ = openLog(t, t.TempDir()) })
					}
					notCalled(t, log, f)
				})
			}
		})
	}
}

// notCalled makes one call with a log that cannot be written.
func notCalled(t *testing.T, log *audit.Log, f token.Function) {
	t.Helper()
	inner := fake.New()
	st := stageOn(t, inner)
	st.m.log = log
	before := inner.Count(f)
	_, err := st.m.Do(st.calls[f])
	called := inner.Count(f) - before
	if f.Effect() == token.Leaves {
		if called != 1 || err != nil || len(st.m.Unrecorded()) != 1 {
			t.Errorf("called %d times, %v, unrecorded %v", called, err, st.m.Unrecorded())
		}
		return
	}
	var refused *NotRecorded
	if called != 0 || !errors.As(err, &refused) {
		t.Errorf("called %d times, %v", called, err)
	}
}

// allowRoom lifts noRoom's limit while f runs.
func allowRoom(t *testing.T, f func()) {
	t.Helper()
	var tight syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &tight); err != nil {
		t.Fatal(err)
	}
	wide := syscall.Rlimit{Cur: tight.Max, Max: tight.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &wide); err != nil {
		t.Fatal(err)
	}
	f()
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &tight); err != nil {
		t.Fatal(err)
	}
}

// TestRealLogWritable: with the same log in good order every function is
// called, so the test above can fail.
func TestRealLogWritable(t *testing.T) {
	for _, f := range token.Functions {
		inner := fake.New()
		st := stageOn(t, inner)
		log, _ := openLog(t, t.TempDir())
		st.m.log = log
		before := inner.Count(f)
		r, err := st.m.Do(st.calls[f])
		var rv token.RV
		if inner.Count(f) != before+1 || r.Seq != 2 || err != nil && !errors.As(err, &rv) {
			t.Errorf("%s: called %d times, Seq %d, %v", f, inner.Count(f)-before, r.Seq, err)
		}
	}
}

// TestRealLogSoftHSM2: with a log without room a real token keeps what it has:
// no key is made, none is destroyed, no token initialised.
func TestRealLogSoftHSM2(t *testing.T) {
	env := tokentest.SoftHSM(t)
	inner := env.Open(t)
	st := stageOn(t, inner)
	before := snapshot(t, env.Dir)
	log, _ := openLog(t, t.TempDir())
	st.m.log = log
	t.Run("no room", func(t *testing.T) {
		noRoom(t)
		for _, f := range token.Functions {
			if f.Effect() == token.Leaves {
				continue
			}
			_, err := st.m.Do(st.calls[f])
			var refused *NotRecorded
			if !errors.As(err, &refused) {
				t.Errorf("%s: %v", f, err)
			}
		}
	})
	if snapshot(t, env.Dir) != before {
		t.Error("the token's files changed")
	}
}

// TestPlantedPINsOnDisk: no PIN is in any file of a real log, while it is
// written and after.
func TestPlantedPINsOnDisk(t *testing.T) {
	env := tokentest.SoftHSM(t)
	dir := t.TempDir()
	log, _ := openLog(t, dir)
	m := New(env.Open(t), log, audit.File{Name: env.Module})
	so, user, wrong := "8192736450918273", "7736190254", "62815540937"
	if err := m.Initialize(); err != nil {
		t.Fatal(err)
	}
	if err := m.do(token.Call{Function: token.InitToken, PIN: pin(so), Label: "planted"}); err != nil {
		t.Fatal(err)
	}
	slot := slotOf(t, m, "planted")
	err := m.WithSession(slot, true, func(s uint) error {
		wrongErr := m.WithLogin(s, token.NormalUser, pin(wrong), func() error { return nil })
		err := m.WithLogin(s, token.SO, pin(so), func() error {
			return m.do(token.Call{Function: token.InitPIN, Session: s, PIN: pin(user)})
		})
		if wrongErr == nil {
			t.Error("the wrong PIN was accepted")
		}
		return errors.Join(err, m.WithLogin(s, token.NormalUser, pin(user), func() error { return nil }))
	})
	if err != nil {
		t.Fatal(err)
	}
	search := func(when string) {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%v, %v", files, err)
		}
		redactions := 0
		for _, path := range files {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			redactions += strings.Count(string(b), redacted)
			for _, p := range []string{so, user, wrong} {
				if bytes.Contains(b, []byte(p)) {
					t.Errorf("%s: PIN %s is in %s", when, p, path)
				}
			}
		}
		if redactions < 5 {
			t.Errorf("%s: only %d PINs stand as redacted", when, redactions)
		}
	}
	search("open")
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	search("closed")
}
