package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/audit/sqlite"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/bundle"
	"github.com/keyrite/keyrite/internal/paper"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/room/screen"
	"github.com/keyrite/keyrite/internal/token"
)

var (
	outFlag    = &cli.StringFlag{Name: "out", Usage: "make the bundle in the new folder `DIR`", Required: true}
	mediaFlag  = &cli.StringFlag{Name: "media", Usage: "read certificate requests from, and export to, the folder `DIR` (default: the script's folder; at a resume, give it again, or the folder you are in is taken)"}
	moduleFlag = &cli.StringFlag{Name: "module", Usage: "PKCS#11 module `SO` (default: the one of the script's token model)"}
	plainFlag  = &cli.BoolFlag{Name: "plain", Usage: "line by line instead of the full screen: for a serial line, a screen reader, a recording"}
)

func (p *program) runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "run a ceremony",
		ArgsUsage: "FILE",
		Description: "Runs the script with the people in the room at this terminal. The bundle (log,\n" +
			"certificates, transcript) is made in a new folder.\n\nExample:\n" +
			"   keyrite run root-ca.yaml --out ceremony-2026\n\n" +
			"At any question \"!\" opens a menu: deviation, pause, abort.",
		Flags: []cli.Flag{outFlag, mediaFlag, moduleFlag, approvalFlag, placeFlag, plainFlag},
		Action: func(c *cli.Context) error {
			list, err := args(c, 1, 1, "one script file")
			if err != nil {
				return err
			}
			s, b, err := p.readScript(list[0])
			if err != nil {
				return err
			}
			given, err := p.given(s, b, list[0], c.StringSlice("approval"))
			if err != nil {
				return err
			}
			if missing := s.ApprovalsMissing(given, true); missing != "" && s.Mode == ceremony.Production {
				return usage("%s: 'keyrite approve' signs one", missing)
			}
			r := &running{p: p, script: s, bytes: b, dir: c.String("out"), media: c.String("media"), module: c.String("module"), mode: s.Mode, given: given, plain: c.Bool("plain")}
			if err := r.at(c.String("place"), list[0]); err != nil {
				return err
			}
			if r.media == "" {
				r.media = filepath.Dir(list[0])
			}
			return r.fresh()
		},
	}
}

// A running is one run of a ceremony from the command line.
type running struct {
	p             *program
	script        *ceremony.Script
	bytes         []byte
	dir           string
	media, module string
	image         string // what the place file says the machine was booted from
	mode          string
	stand         string            // the model that stands in for the script's, in a rehearsal
	realistic     bool              // new simulated cards take their time
	cards         bool              // the rehearsal that is resumed has simulated cards
	serials       map[string]string // of simulated cards, by the token's name
	answers       string            // file with answers, in a rehearsal
	given         []*audit.ScriptApproval
	first         []audit.Data // what the log says first
	plain         bool         // line by line
	thrownAway    bool         // begun with rehearse, on a token made for it
	drill         *drilling    // the fault of a rehearsal; nil if there is none

	// ahead is done when everything is there but the log, which is not made if
	// it fails; may be nil.
	ahead func(*ceremony.Config) error

	printer, language string // for slips; "" if there is none
	placed            bool   // a place file was read
}

// fresh begins a ceremony in a new folder and runs it.
func (r *running) fresh() error {
	if _, err := os.Lstat(r.dir); err == nil {
		return exists(r.dir)
	}
	return r.with(r.create, ceremony.Start)
}

// create makes the bundle's folder, which must not exist, and the log in it.
func (r *running) create() (*sqlite.Store, error) {
	err := os.Mkdir(r.dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil, exists(r.dir)
	}
	if err != nil {
		return nil, environment(fmt.Errorf("making the bundle's folder: %w", err))
	}
	store, err := sqlite.Create(filepath.Join(r.dir, bundle.DatabaseFile))
	if err != nil {
		return nil, environment(errors.Join(err, os.Remove(r.dir)))
	}
	return store, nil
}

func exists(dir string) error {
	return usage("%s exists, and nothing is overwritten: give --out another folder, or go on with what is there: keyrite resume %s", dir, dir)
}

func (p *program) resumeCommand() *cli.Command {
	return &cli.Command{
		Name:      "resume",
		Usage:     "go on with a ceremony after a pause, a crash or a power cut",
		ArgsUsage: "DIR",
		Description: "Goes on from the log alone. A call to the HSM of which nobody knows whether it\n" +
			"happened is shown to the room; nothing is silently done again.\n\nExample:\n" +
			"   keyrite resume ceremony-2026",
		Flags: []cli.Flag{moduleFlag, placeFlag, plainFlag,
			&cli.StringFlag{Name: "media", Usage: "read certificate requests from, and export to, the folder `DIR` (default: the folder you are in)"},
			&cli.StringFlag{Name: "answers", Usage: "answer the prompts of a rehearsal from `FILE`"}},
		Action: func(c *cli.Context) error {
			dir, err := bundleArg(c)
			if err != nil {
				return err
			}
			s, b, err := p.readScript(filepath.Join(dir, bundle.ScriptFile))
			if err != nil {
				return err
			}
			r := &running{p: p, script: s, bytes: b, dir: dir, media: c.String("media"), module: c.String("module"), answers: c.String("answers"), plain: c.Bool("plain")}
			if err := r.at(c.String("place"), ""); err != nil {
				return err
			}
			return r.again()
		},
	}
}

// again goes on with the ceremony in r.dir.
func (r *running) again() error {
	store, err := sqlite.Open(filepath.Join(r.dir, bundle.DatabaseFile))
	if err != nil {
		return environment(err)
	}
	st, _, err := ceremony.ReadLog(store)
	if errors.Is(err, ceremony.ErrNothingHappened) {
		return errors.Join(&exitError{exitUsage, err}, store.Close())
	}
	if err != nil {
		return errors.Join(&exitError{exitFailed, err}, store.Close())
	}
	r.mode = st.Open.Mode
	r.recordedPlace(st.Place)
	if r.media == "" {
		r.media = "."
	}
	if st.Closed {
		return errors.Join(r.complete(store), store.Close())
	}
	if err := r.standIn(); err != nil {
		return errors.Join(err, store.Close())
	}
	if r.answers != "" && r.stand == "" {
		return errors.Join(usage("--answers is only for a rehearsal on a throw-away token; in a ceremony people answer"), store.Close())
	}
	goOn := func() error {
		return r.with(func() (*sqlite.Store, error) { return store, nil }, ceremony.Resume)
	}
	if r.cards {
		err = r.withCards(goOn)
	} else {
		err = goOn()
	}
	err = errors.Join(err, store.Close())
	if r.stand != "" {
		return r.thenRemove(err)
	}
	return err
}

// complete writes what a break kept from being written after the log was
// closed. That needs neither token nor people.
func (r *running) complete(store *sqlite.Store) error {
	_, err := ceremony.Resume(ceremony.Config{Script: r.script, ScriptBytes: r.bytes, Dir: r.dir, Store: store, Paper: paper.Paper{}})
	if err == nil {
		fmt.Fprintf(r.p.err, "The log is closed already, and the bundle has all its files: %s\nCheck it: keyrite verify %s\n", r.dir, r.dir)
	}
	err = r.told(err)
	if r.standIn() != nil || r.stand == "" { // the token is gone, or was no throw-away
		return err
	}
	return r.thenRemove(err)
}

// with runs a ceremony and says how it ended. The store is opened last: without
// people or a module nothing is made.
func (r *running) with(open func() (*sqlite.Store, error), begin func(ceremony.Config) (*ceremony.Runner, error)) (err error) {
	rm, leave, err := r.room()
	if err != nil {
		return err
	}
	defer leave()
	c, err := r.config(rm)
	if err != nil {
		return err
	}
	r.drill.hold(c)
	if r.ahead != nil {
		if err := r.ahead(c); err != nil {
			return err
		}
	}
	store, err := open()
	if err != nil {
		return err
	}
	c.Store = store
	runner, err := begin(*c)
	var stop *ceremony.Stop
	var rollback *ceremony.Rollback
	if errors.As(err, &rollback) {
		return errors.Join(ended(err, r.dir), store.Close())
	}
	if err != nil && !errors.As(err, &stop) {
		return errors.Join(environment(err), store.Close())
	}
	if err == nil && runner != nil {
		err = runner.Run()
	}
	linger(rm, err)
	leave()
	if cerr := store.Close(); cerr != nil && err == nil {
		err = cerr
	}
	r.drill.tell(r.p.err)
	if err := r.told(err); err != nil {
		return err
	}
	fmt.Fprintf(r.p.err, "\nThe ceremony is complete. Bundle: %s\nTranscript: %s\nCheck it: keyrite verify %s\n",
		r.dir, filepath.Join(r.dir, bundle.TranscriptFile), r.dir)
	return nil
}

// linger keeps the last page of a full screen in view until somebody has read
// it: what stands there, as the head to be noted, goes with it. A failure is
// told on the screen below.
func linger(rm room.Room, err error) {
	full, ok := rm.(*screen.Room)
	var stop *ceremony.Stop
	if !ok || err != nil && !errors.As(err, &stop) {
		return
	}
	text := "The ceremony is complete."
	if stop != nil {
		text = "The end: " + stop.Error() + "."
	}
	full.Wait(text + " This page goes when Enter is pressed: note what is to be noted first.")
}

// told maps how the run ended to the program's exit code.
func (r *running) told(err error) error {
	var stop *ceremony.Stop
	if errors.As(err, &stop) && stop.Abort {
		fmt.Fprintf(r.p.err, "\nThe bundle of the aborted ceremony is sealed: %s\n", r.dir)
	}
	return ended(err, r.dir)
}

// modelOf returns the token model that counts for a token of the script.
func (r *running) modelOf(spec *ceremony.TokenSpec) *token.Model {
	m := token.Models[spec.Model]
	if r.stand != "" {
		m = token.Models[r.stand].WithPINRulesOf(m)
	}
	return &m
}
