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
	"github.com/keyrite/keyrite/internal/simcard/vpcd"
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
		if err := makeCard(r.cardFile(slot), label); err != nil {
			return nil, environment(err)
		}
	}
	return labels, nil
}

// makeCard makes a simulated card with a serial number of its own.
func makeCard(file, label string) error {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return fmt.Errorf("making a simulated card: %w", err)
	}
	b, err := simcard.Manufacture(fmt.Sprintf("ZZSIM%06d", n), label, rand.Reader)
	if err == nil {
		err = simcard.File(file).Create(b)
	}
	if err != nil {
		return fmt.Errorf("making a simulated card: %w", err)
	}
	return nil
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

// A table is a pcscd with the simulated cards of a rehearsal in its readers.
type table struct {
	r     *running
	dir   string
	d     *pcsc.Daemon
	seats map[int]*pcsc.Seat
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
	tb := &table{r: r, dir: dir, d: d, seats: map[int]*pcsc.Seat{}}
	if err := tb.lay(); err != nil {
		return nil, environment(errors.Join(err, tb.stop()))
	}
	r.stand = cardModel
	if err := os.Setenv(pcsc.SocketEnv, d.Socket()); err != nil {
		return nil, environment(errors.Join(err, tb.stop()))
	}
	return tb.stop, nil
}

// lay puts the card of each token of the script into its reader, or what a drill
// puts there.
func (tb *table) lay() error {
	tb.r.serials = map[string]string{}
	for slot, t := range tb.r.script.Tokens {
		card, err := tb.card(tb.r.cardFile(slot))
		if err != nil {
			return err
		}
		tb.r.serials[t.Name] = card.Serial()
		if err := tb.insert(slot, tb.r.drill.wrap(slot, card)); err != nil {
			return err
		}
	}
	return tb.r.drill.lay(tb)
}

// card puts a card together from its file.
func (tb *table) card(file string) (*simcard.Card, error) {
	return simcard.Open(simcard.File(file), simcard.Options{Random: rand.Reader, Profile: tb.r.profile(), Sleep: time.Sleep})
}

// insert puts a card into a reader.
func (tb *table) insert(slot int, card vpcd.Card) (err error) {
	tb.seats[slot], err = tb.d.Insert(slot, card)
	return err
}

// remove takes out what is in a reader, if anything is.
func (tb *table) remove(slot int) error {
	seat := tb.seats[slot]
	delete(tb.seats, slot)
	if seat == nil {
		return nil
	}
	if err := seat.Remove(); err != nil && !errors.Is(err, simcard.ErrRemoved) {
		return err
	}
	return nil
}

// stop takes out all cards and ends the pcscd.
func (tb *table) stop() error {
	var errs []error
	for slot := range tb.seats {
		errs = append(errs, tb.remove(slot))
	}
	return errors.Join(append(errs, tb.d.Stop(), os.RemoveAll(tb.dir))...)
}
