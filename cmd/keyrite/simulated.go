package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/simcard"
	"github.com/keyrite/keyrite/internal/simcard/pcsc"
)

// Kinds of throw-away token.
const (
	kindSoftHSM = "softhsm2"
	kindSim     = "nitrokey-sim"
)

// cardModel is the token model of the simulated cards.
const cardModel = "nitrokey-hsm"

// cardFile is the memory of the simulated card in a slot.
func (r *running) cardFile(slot int) string {
	return filepath.Join(r.tokenDir(), fmt.Sprintf("card-%d", slot))
}

// realisticFile is there if the cards take as long as real ones: a resume finds
// it.
func (r *running) realisticFile() string { return filepath.Join(r.tokenDir(), "realistic") }

// profile says how long the simulated cards take.
func (r *running) profile() simcard.Profile {
	if _, err := os.Stat(r.realisticFile()); err == nil {
		return simcard.Realistic()
	}
	return simcard.Profile{}
}

// makeCards makes one simulated card for each token of the script. Those that
// the script does not initialise get their label, and stand in for tokens of an
// earlier ceremony; their labels are returned.
func (r *running) makeCards() (labels []string, err error) {
	if n := len(r.script.Tokens); n > pcsc.Slots {
		return nil, usage("the script has %d tokens, and a rehearsal on %s has %d readers: rehearse with --token %s", n, kindSim, pcsc.Slots, kindSoftHSM)
	}
	if err := os.Mkdir(r.tokenDir(), 0o700); err != nil {
		return nil, environment(fmt.Errorf("making simulated cards: %w", err))
	}
	if r.realistic {
		if err := os.WriteFile(r.realisticFile(), nil, 0o600); err != nil {
			return nil, environment(fmt.Errorf("making simulated cards: %w", err))
		}
	}
	world := ceremony.NewWorld(r.script)
	for slot, t := range r.script.Tokens {
		label := ""
		if !world.Tokens[t.Name].ComesBlank() {
			label = t.Label
			labels = append(labels, label)
		}
		n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
		if err != nil {
			return nil, environment(fmt.Errorf("making a simulated card: %w", err))
		}
		b, err := simcard.Manufacture(fmt.Sprintf("ZZSIM%06d", n), label, rand.Reader)
		if err == nil {
			err = simcard.File(r.cardFile(slot)).Create(b)
		}
		if err != nil {
			return nil, environment(fmt.Errorf("making a simulated card: %w", err))
		}
	}
	return labels, nil
}

// withCards runs f with the simulated cards in their readers, and puts them away
// whatever happens; how f ended comes first.
func (r *running) withCards(f func() error) error {
	stop, err := r.insertCards()
	if err != nil {
		return err
	}
	err = f()
	if serr := stop(); serr != nil && err == nil {
		return environment(fmt.Errorf("putting away the simulated cards: %w", serr))
	}
	return err
}

// insertCards starts a pcscd with the simulated cards in its readers and points
// OpenSC to it. stop ends what it started.
func (r *running) insertCards() (stop func() error, err error) {
	dir, err := os.MkdirTemp("", "keyrite-pcscd-")
	if err != nil {
		return nil, environment(err)
	}
	d, err := pcsc.Start(dir)
	if err != nil {
		return nil, environment(errors.Join(err, os.RemoveAll(dir)))
	}
	var seats []*pcsc.Seat
	stop = func() error {
		var errs []error
		for _, s := range seats {
			errs = append(errs, s.Remove())
		}
		errs = append(errs, d.Stop(), os.RemoveAll(dir))
		return errors.Join(errs...)
	}
	r.serials = map[string]string{}
	for slot, t := range r.script.Tokens {
		card, err := simcard.Open(simcard.File(r.cardFile(slot)), simcard.Options{Random: rand.Reader, Profile: r.profile(), Sleep: time.Sleep})
		if err != nil {
			return nil, environment(errors.Join(err, stop()))
		}
		seat, err := d.Insert(slot, card)
		if err != nil {
			return nil, environment(errors.Join(err, stop()))
		}
		seats = append(seats, seat)
		r.serials[t.Name] = card.Serial()
	}
	r.stand = cardModel
	if err := os.Setenv(pcsc.SocketEnv, d.Socket()); err != nil {
		return nil, environment(errors.Join(err, stop()))
	}
	return stop, nil
}
