package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/keyrite/keyrite/internal/simcard"
	"github.com/keyrite/keyrite/internal/simcard/pcsc"
	"github.com/keyrite/keyrite/internal/token"
	"github.com/keyrite/keyrite/internal/token/p11"
)

// cardTurns is how often each way of signing signs.
const cardTurns = 25

// cardPIN is the user PIN with which a simulated card leaves the factory.
const cardPIN = "648219"

// cardSigns measures signatures by a simulated card that takes as long as a real
// one, through OpenSC: all ways in turn, in one run, whose medians serve three
// measurements. The programs have a card and a pcscd of their own: whoever else
// selects the card's applet ends the session that is measured.
type cardSigns struct {
	done                         bool
	recorded, bare, tool, engine time.Duration
	err                          error
}

// againstBare is the time of C_Sign through the recorded token over that of the
// same C_Sign in a bare loop, in the same logged-in session. The recorded one
// makes two durable commits.
func (c *cardSigns) againstBare(w stopwatch) (float64, error) {
	return c.over(w, func() time.Duration { return c.bare })
}

// againstTool is over pkcs11-tool --sign, one process a signature.
func (c *cardSigns) againstTool(w stopwatch) (float64, error) {
	return c.over(w, func() time.Duration { return c.tool })
}

// againstOpenSSL is over openssl pkeyutl with the pkcs11 engine, the same way.
func (c *cardSigns) againstOpenSSL(w stopwatch) (float64, error) {
	return c.over(w, func() time.Duration { return c.engine })
}

func (c *cardSigns) over(w stopwatch, other func() time.Duration) (float64, error) {
	if !c.done {
		c.done, c.err = true, c.measure(w)
	}
	if c.err != nil {
		return 0, c.err
	}
	return float64(c.recorded) / float64(other()), nil
}

// measure makes all signatures.
func (c *cardSigns) measure(w stopwatch) (err error) {
	dir, err := scratch()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	mine, theirs := &cardRig{dir: filepath.Join(dir, "a")}, &cardRig{dir: filepath.Join(dir, "b")}
	for _, r := range []*cardRig{mine, theirs} {
		defer func() { err = errors.Join(err, r.stop()) }()
		if err := r.start(); err != nil {
			return err
		}
	}
	if err := theirs.prepare(); err != nil {
		return err
	}
	h, err := mine.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	rec, err := newRecording(h, filepath.Join(dir, "audit.db"), w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rec.log.Close()) }()
	return c.turns(w, rec, theirs)
}

// turns takes each way in turn, and keeps the medians.
func (c *cardSigns) turns(w stopwatch, rec *recording, theirs *cardRig) error {
	ways := []struct {
		median *time.Duration
		do     work
	}{
		{&c.recorded, rec.sign},
		{&c.bare, bareSign(rec.hsm)},
		{&c.tool, whole(theirs.signWithTool)},
		{&c.engine, whole(theirs.signWithOpenSSL)},
	}
	times := make([][]time.Duration, len(ways))
	for n := range cardTurns + 1 {
		for i, way := range ways {
			t, err := w.time(way.do)
			if err != nil {
				return err
			}
			if n > 0 { // the first is not counted
				times[i] = append(times[i], t)
			}
		}
	}
	for i, way := range ways {
		*way.median = median(times[i])
	}
	return nil
}

// bareSign is C_Sign alone.
func bareSign(h *hsm) work {
	return func() (func() error, error) {
		_, err := h.module.Do(h.signInit())
		return func() error {
			_, err := h.module.Do(h.sign(digest[:], 1))
			return err
		}, err
	}
}

// A cardRig is a pcscd with a card.
type cardRig struct {
	dir    string
	daemon *pcsc.Daemon
	seat   *pcsc.Seat
}

func (r *cardRig) start() error {
	if err := os.Mkdir(r.dir, 0o700); err != nil {
		return err
	}
	b, err := simcard.Manufacture("ZZSIM000001", "", rand.Reader)
	if err != nil {
		return err
	}
	file := simcard.File(filepath.Join(r.dir, "card"))
	if err := file.Create(b); err != nil {
		return err
	}
	card, err := simcard.Open(file, simcard.Options{Random: rand.Reader, Profile: simcard.Realistic(), Sleep: time.Sleep})
	if err != nil {
		return err
	}
	if r.daemon, err = pcsc.Start(r.dir); err != nil {
		return err
	}
	r.seat, err = r.daemon.Insert(0, card)
	return err
}

func (r *cardRig) stop() error {
	var errs []error
	if r.seat != nil {
		errs = append(errs, r.seat.Remove())
	}
	if r.daemon != nil {
		errs = append(errs, r.daemon.Stop())
	}
	return errors.Join(errs...)
}

// open logs in to the card through OpenSC in this process and makes a key.
func (r *cardRig) open() (*hsm, error) {
	if err := os.Setenv(pcsc.SocketEnv, r.daemon.Socket()); err != nil {
		return nil, err
	}
	path, err := p11.Find("opensc")
	if err != nil {
		return nil, err
	}
	m, err := p11.Open(path)
	if err != nil {
		return nil, err
	}
	h := &hsm{module: m}
	if err := h.logIn(); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the card: %w", err), h.close())
	}
	return h, nil
}

// logIn opens a session with the user logged in, and makes the key.
func (h *hsm) logIn() error {
	if _, err := h.module.Do(token.Call{Function: token.Initialize}); err != nil {
		return err
	}
	slot, err := h.slot()
	if err != nil {
		return err
	}
	r, err := h.module.Do(token.Call{Function: token.OpenSession, Slot: slot, ReadWrite: true})
	if err != nil {
		return err
	}
	h.session = r.Session
	if _, err := h.module.Do(token.Call{Function: token.Login, Session: h.session, User: token.NormalUser, PIN: token.NewPIN([]byte(cardPIN))}); err != nil {
		return err
	}
	return h.generate()
}

// prepare makes the key and the digest that the programs sign with.
func (r *cardRig) prepare() error {
	if err := os.WriteFile(filepath.Join(r.dir, "digest"), digest[:], 0o600); err != nil {
		return err
	}
	return r.run("pkcs11-tool", "--login", "--pin", cardPIN, "--keypairgen", "--key-type", "EC:secp256r1", "--id", "01")
}

// signWithTool signs as the manual of pkcs11-tool says.
func (r *cardRig) signWithTool() error {
	return r.run("pkcs11-tool", "--login", "--pin", cardPIN, "--sign", "--mechanism", "ECDSA", "--id", "01", "--input-file", "digest", "--output-file", "signature")
}

// signWithOpenSSL signs as the manual of the engine says.
func (r *cardRig) signWithOpenSSL() error {
	return r.run("openssl", "pkeyutl", "-sign", "-engine", "pkcs11", "-keyform", "engine", "-inkey", "pkcs11:serial=ZZSIM000001;id=%01;type=private;pin-value="+cardPIN, "-in", "digest", "-out", "signature")
}

// run runs a program as a client of this pcscd. It must succeed. The PIN on its
// command line is the one printed in every manual.
func (r *cardRig) run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = r.dir, append(os.Environ(), pcsc.SocketEnv+"="+r.daemon.Socket())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %.300s", name, err, out)
	}
	return nil
}
