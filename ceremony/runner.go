package ceremony

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/apdu"
	"github.com/keyrite/keyrite/internal/token/recorded"
)

// A Config is what a run needs from outside. All fields but Serials, Cards, QR,
// Printer, First, Given, Last and UnlockKey are required.
type Config struct {
	Script      *Script
	ScriptBytes []byte
	Dir         string            // the bundle
	Media       string            // where files are brought in and taken out
	Mode        string            // Production or Rehearsal; a rehearsal may run a production script
	Stand       bool              // the token only stands in for the script's: serial and model are not compared
	Serials     map[string]string // with Stand: serial numbers of the tokens that stand in, by the script's name, as far as they have one before they are initialised
	Room        room.Room
	Store       Store
	Open        func() (token.Module, audit.File, error) // the PKCS#11 module, loaded but not initialised
	Cards       apdu.Service                             // commands to cards beside the module; nil: no card takes any
	Model       func(*TokenSpec) *token.Model
	Program     audit.Program
	Machine     Machine // that the ceremony is held on
	Paper       Paper
	Now         func() time.Time // with Go's monotonic reading
	Sleep       func(time.Duration)
	Rand        io.Reader
	QR          func(string) [][]bool   // for the screen; may be nil
	Printer     Printer                 // for slips; nil if there is none
	First       []audit.Data            // what a new log says after its first entry: about the place, and about what was done before it
	Given       []*audit.ScriptApproval // approvals of the script that were brought, from [Script.Approval]; may be nil

	// Last returns what a log says before it is closed, complete or aborted, beyond
	// what entries say: those so far. After a break it is asked again. nil: nothing.
	Last func(entries []*audit.Entry) []*audit.Result

	// UnlockKey opens a witness's key file with a passphrase (internal/keyfile
	// does). It overwrites what ask returns. nil: no key is unlocked here.
	UnlockKey func(file []byte, ask func() ([]byte, error)) (*audit.WitnessSigner, error)
}

// A Store is where the log is kept while it grows, and that can leave one
// clean file behind.
type Store interface {
	audit.Store
	// Seal closes the store and leaves its content as one self-contained file
	// in place of the store's own.
	Seal() error
}

// A Runner walks a room through a script.
type Runner struct {
	Config
	HSM *recorded.Module

	log   *audit.Log
	key   *audit.LogKey
	state *State
	ready bool            // C_Initialize succeeded in this process
	seen  room.TokenState // the token in view

	phrases phrases // in the memory of this process alone
}

// A Failure is an error that leaves the room nothing to decide: the log or the
// bundle cannot be written. The program ends, and a resume goes on.
type Failure struct{ Err error }

// Error returns the text of Err.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns Err.
func (f *Failure) Unwrap() error { return f.Err }

// record writes an entry and takes it into the state.
func (r *Runner) record(step string, d audit.Data, sync bool) (*audit.Entry, error) {
	write := r.log.Append
	if sync {
		write = r.log.AppendSync
	}
	e, err := write(step, d)
	if err != nil {
		return nil, &Failure{Err: fmt.Errorf("the log cannot be written, so nothing more is done: %w", err)}
	}
	r.state.Apply(e)
	r.board(e, sync)
	return e, nil
}

// A recorder gives the recorded module the log, and the state its entries.
type recorder struct{ r *Runner }

func (w recorder) Append(step string, d audit.Data) (*audit.Entry, error) {
	return w.r.record(step, d, false)
}

// AppendSync also shows the room the return code of each call that changes
// something.
func (w recorder) AppendSync(step string, d audit.Data) (*audit.Entry, error) {
	e, err := w.r.record(step, d, true)
	if out, ok := d.(*audit.HSMOutcome); ok && err == nil {
		w.r.Room.Show(room.Fact{Name: out.Function, Value: fmt.Sprintf("%s (%d ms)", out.RV, out.Micros/1000)})
	}
	return e, err
}

// initialize loads the module and calls C_Initialize, once in a process.
func (r *Runner) initialize(step string) error {
	if r.HSM == nil {
		m, file, err := r.Open()
		if err != nil {
			return err
		}
		r.HSM = recorded.New(m, recorder{r}, file)
		r.HSM.UseCards(r.Cards)
	}
	r.HSM.SetStep(step)
	if r.ready {
		return nil
	}
	if _, err := r.HSM.Do(token.Call{Function: token.Initialize}); err != nil {
		return err
	}
	r.ready = true
	return nil
}

// finalize leaves the module, whatever state the log is in.
func (r *Runner) finalize() error {
	if !r.ready {
		return nil
	}
	r.ready = false
	r.HSM.SetStep("")
	_, err := r.HSM.Do(token.Call{Function: token.Finalize})
	return err
}

func (r *Runner) model(spec *TokenSpec) *token.Model { return r.Model(spec) }

// initialised reports whether the log says that a token comes initialised, or
// that its token-init step has called C_InitToken, whatever became of it.
func (r *Runner) initialised(name string) bool {
	for i := range r.Script.Steps {
		step := &r.Script.Steps[i]
		if a, ok := step.Action.(initialiser); ok && a.InitialisesToken() == name {
			_, tried := r.state.Step(step.ID).Attempted(token.InitToken)
			_, sent := r.state.Step(step.ID).Attempted(apdu.InitializeDevice)
			return tried || sent
		}
	}
	return true // the script does not initialise it: it comes initialised
}

// Run goes through the steps that the log does not say are done, then closes.
// It returns nil when the bundle is complete; a *Stop when the room paused or
// aborted (the bundle of an aborted ceremony is complete, too); a *Failure
// otherwise.
func (r *Runner) Run() (err error) {
	defer r.key.Wipe()
	defer r.phrases.wipe()
	defer func() { err = r.leave(err) }()
	r.showCeremony()
	if r.Mode == Rehearsal {
		r.Room.Show(room.Warning{Text: "This is a REHEARSAL. What it makes must never be trusted."})
	}
	if r.state.Aborted {
		return &Stop{Abort: true, Reason: "it was given up before the break"}
	}
	if err := r.approveScript(); err != nil {
		return err
	}
	for i := range r.Script.Steps {
		step := &r.Script.Steps[i]
		st := r.state.Step(step.ID)
		if st.Result == Done || st.Result == Skipped {
			continue
		}
		if st.Skipping { // decided before a break
			if err := (&Session{r: r, Step: r.held(step)}).skip(); err != nil {
				return err
			}
			continue
		}
		if err := r.step(step); err != nil {
			return err
		}
		if err := r.readKey(step); err != nil {
			return err
		}
	}
	if err := r.finalize(); err != nil {
		return err
	}
	return r.seal("complete")
}

// leave ends a run that stopped: a pause is written down, an abort has its own
// sequence. The token is left in any case.
func (r *Runner) leave(err error) error {
	var stop *Stop
	switch {
	case err == nil:
		return nil
	case errors.As(err, &stop) && stop.Abort:
		if err = r.abort(stop); err == nil {
			return stop
		}
	case errors.As(err, &stop):
		if err = r.pause(stop); err == nil {
			return stop
		}
	}
	if ferr := r.finalize(); ferr != nil {
		err = fmt.Errorf("%w (and leaving the token: %v)", err, ferr)
	}
	if r.HSM != nil && len(r.HSM.Unrecorded()) > 0 {
		err = fmt.Errorf("%w (called without an entry, to leave the token: %v)", err, r.HSM.Unrecorded())
	}
	return err
}

func (r *Runner) pause(stop *Stop) error {
	if err := r.finalize(); err != nil {
		r.Room.Show(room.Warning{Text: "Leaving the token: " + err.Error()})
	}
	if _, err := r.record("", &audit.Pause{Reason: stop.Reason, Person: stop.Person}, true); err != nil {
		return err
	}
	if err := r.log.Keep(); err != nil {
		return &Failure{Err: err}
	}
	if err := r.writeLines(); err != nil {
		return err
	}
	r.showHead("Note this head: 'keyrite resume' asks for it")
	return nil
}

// showHead shows the log's size and head to the room.
func (r *Runner) showHead(what string) {
	root := r.log.Root()
	r.Room.Show(room.Text{Text: what + "."})
	r.Room.Show(room.Fact{Name: "log size", Value: fmt.Sprint(r.log.Size(), " entries")})
	r.Room.Show(room.Fact{Name: "log head", Value: root.String(), Big: true})
	r.Room.Show(room.Fact{Name: "in words", Value: words(root[:]), Big: true})
}

func words(b []byte) string { return strings.Join(audit.Words(b), " ") }

// readKey has the log key of the running segment read aloud, as soon as it is
// known who is in the room and before the first HSM call.
func (r *Runner) readKey(after *Step) error {
	if r.state.KeyRead || !r.state.RollCall {
		return nil
	}
	vkey := r.key.VerifierKey()
	sum := sha256.Sum256([]byte(vkey))
	d := &audit.KeyRead{LogKey: vkey, Words: words(sum[:]), People: []string{}}
	r.Room.Show(room.Text{Text: "The key that signs this log was made a moment ago and lives only in this machine's memory. Read its words aloud; every witness writes down the first and the last four. Whoever has noted them can later tell this log from any other."})
	s := &Session{r: r, Step: r.held(after), goesOn: true}
	s.ShowKey("log key", vkey, r.key.Public(), audit.Words(sum[:]))
	for _, person := range r.presentPeople() {
		if err := s.Acknowledge(person, "witness", "log-key", "I have heard the words of the log key and noted them"); hasLeft(err) {
			continue
		} else if err != nil {
			return err
		}
		d.People = append(d.People, person)
	}
	_, err := r.record("", d, true)
	return err
}

// presentPeople lists those who came to the roll call and have not left, in the
// script's order.
func (r *Runner) presentPeople() []string {
	var ids []string
	for _, p := range r.Script.Participants {
		if r.state.Here(p.ID) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func (r *Runner) readBundle(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(r.Dir, filepath.FromSlash(name)))
}
