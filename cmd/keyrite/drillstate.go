package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/keyrite/keyrite/internal/drill"
	"github.com/keyrite/keyrite/internal/simcard"
	"github.com/keyrite/keyrite/internal/simcard/vpcd"
	"github.com/keyrite/keyrite/internal/token/softhsm"
)

// A drilling is the fault of a rehearsal, made and put right.
type drilling struct {
	file  string // keeps state until the rehearsal is over
	other string // the memory of another card

	table   *table // nil without simulated cards
	problem string // that was shown last
	report  string // "" until it is told

	mu    sync.Mutex // guards what follows against the card
	state drillState
	err   error // of saving it
}

// A drillState is what a resume has to know of a drill. It lies with the
// throw-away token: whoever looks there spoils the drill.
type drillState struct {
	Kind    string       `json:"kind"`
	Secret  drill.Secret `json:"secret"`
	Slot    int          `json:"slot"`    // of the token that it is about
	Command int          `json:"command"` // pulled: which, from 1
	After   bool         `json:"after"`   // pulled: it was carried out
	Ahead   int          `json:"ahead"`   // clock: by how many seconds

	At       time.Time `json:"at"`        // when it happened; zero for what was so before the log, and for what did not happen yet
	PutRight time.Time `json:"put_right"` // zero if it was not
	Folders  []string  `json:"folders"`   // label-taken on SoftHSM2: of the other token
}

// drillFile keeps the state of a drill until the rehearsal is over.
func (r *running) drillFile() string { return filepath.Join(r.tokenDir(), "drill") }

// drillCard is the memory of the other card of a drill.
func (r *running) drillCard() string { return filepath.Join(r.tokenDir(), "other-card") }

// drillAgain takes up the drill of a rehearsal that is resumed; nil if it has
// none.
func (r *running) drillAgain() (*drilling, error) {
	b, err := os.ReadFile(r.drillFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	d := &drilling{file: r.drillFile(), other: r.drillCard()}
	if err == nil {
		err = json.Unmarshal(b, &d.state)
	}
	if err == nil && (d.state.Slot < 0 || d.state.Slot >= max(1, len(r.script.Tokens))) {
		err = fmt.Errorf("the script has no token %d", d.state.Slot)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the drill of this rehearsal (%s): %w", r.drillFile(), err)
	}
	return d, nil
}

// prepare makes what has to be there before the log begins, and has the log
// commit to the fault.
func (d *drilling) prepare(r *running) error {
	if d == nil {
		return nil
	}
	if err := d.before(r); err != nil {
		return fmt.Errorf("preparing the drill: %w", err)
	}
	b, err := json.Marshal(&d.state)
	if err == nil {
		err = simcard.File(d.file).Create(b)
	}
	if err != nil {
		return fmt.Errorf("preparing the drill: %w", err)
	}
	r.first = append(r.first, d.state.Secret.Commitment())
	return nil
}

// before makes what has to be there before the log begins.
func (d *drilling) before(r *running) error {
	switch d.state.Kind {
	case drillTrySpent:
		card, err := simcard.Open(simcard.File(r.cardFile(d.state.Slot)), simcard.Options{Random: rand.Reader})
		if err != nil {
			return err
		}
		return card.Mistype(d.mistyped(r) == "SO-PIN")
	case drillOtherCard:
		label := ""
		if !r.comesBlank(d.state.Slot) {
			label = r.script.Tokens[d.state.Slot].Label
		}
		return makeCard(d.other, label)
	case drillLabelTaken:
		label := r.script.Tokens[d.state.Slot].Label
		if r.stand == kindSoftHSM {
			return d.anotherToken(r, label)
		}
		return makeCard(d.other, label)
	}
	return nil
}

// anotherToken makes a SoftHSM2 token with a label and notes its folder.
func (d *drilling) anotherToken(r *running, label string) error {
	all := filepath.Join(r.tokenDir(), "tokens", "*")
	there, err := filepath.Glob(all)
	if err != nil {
		return err
	}
	if err := softhsm.Prepare([]string{label}); err != nil {
		return err
	}
	now, err := filepath.Glob(all)
	if err != nil {
		return err
	}
	for _, folder := range now {
		if !slices.Contains(there, folder) {
			d.state.Folders = append(d.state.Folders, filepath.Base(folder))
		}
	}
	return nil
}

// lay puts into the readers what the drill has for them, beside and in place of
// the cards that are there.
func (d *drilling) lay(tb *table) error {
	if d == nil {
		return nil
	}
	d.table = tb
	if !d.state.PutRight.IsZero() {
		return nil
	}
	switch slot := d.state.Slot; d.state.Kind {
	case drillOtherCard:
		card, err := tb.card(d.other)
		if err == nil {
			err = tb.remove(slot)
		}
		if err != nil {
			return err
		}
		return tb.insert(slot, card)
	case drillLabelTaken:
		card, err := tb.card(d.other)
		if err != nil {
			return err
		}
		return tb.insert(len(tb.r.script.Tokens), card)
	}
	return nil
}

// wrap puts the fault between a reader and the card of a slot.
func (d *drilling) wrap(slot int, card vpcd.Card) vpcd.Card {
	if d == nil || d.state.Kind != drillPulled || slot != d.state.Slot || !d.state.At.IsZero() {
		return card
	}
	plan := []simcard.Fault{{At: d.state.Command, Kind: simcard.Removed, After: d.state.After}}
	return &pulledCard{&simcard.Faulty{Card: card, Plan: plan, Sleep: time.Sleep}, d}
}

// A pulledCard has it noted when it is pulled out.
type pulledCard struct {
	*simcard.Faulty
	d *drilling
}

// Transmit passes a command on.
func (c *pulledCard) Transmit(command []byte) ([]byte, error) {
	b, err := c.Faulty.Transmit(command)
	if errors.Is(err, simcard.ErrRemoved) {
		c.d.note(func(s *drillState) { s.At = time.Now() })
	}
	return b, err
}

// note changes the state and saves it; an error comes out with the next thing
// that is put right.
func (d *drilling) note(change func(*drillState)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.state)
	b, err := json.Marshal(&d.state)
	if err == nil {
		err = simcard.File(d.file).Save(b)
	}
	d.err = errors.Join(d.err, err)
}

// putRight does what the room does by hand with real tokens: the right card goes
// in, the other one out, the clock is set. It is done once, and only if the
// problem that was shown last is about it.
func (d *drilling) putRight() error {
	d.mu.Lock()
	course, err := d.course(), d.err
	d.mu.Unlock()
	if err != nil || !course.Happened || !course.PutRight.IsZero() || !course.Speaks(d.problem) {
		return err
	}
	switch d.state.Kind {
	case drillTrySpent:
		return nil // what is spent is spent
	case drillOtherCard, drillPulled:
		err = d.rightCard()
	case drillLabelTaken:
		err = d.takeOther()
	}
	if err != nil {
		return err
	}
	d.note(func(s *drillState) { s.PutRight = time.Now() })
	return d.err
}

// rightCard puts the right card into its reader.
func (d *drilling) rightCard() error {
	if err := d.table.remove(d.state.Slot); err != nil {
		return err
	}
	card, err := d.table.card(d.table.r.cardFile(d.state.Slot))
	if err != nil {
		return err
	}
	return d.table.insert(d.state.Slot, card)
}

// takeOther takes the token away that has the same label.
func (d *drilling) takeOther() error {
	if d.table != nil {
		return d.table.remove(len(d.table.r.script.Tokens))
	}
	for _, folder := range d.state.Folders {
		if err := os.RemoveAll(filepath.Join(filepath.Dir(d.file), "tokens", filepath.Base(folder))); err != nil {
			return err
		}
	}
	return nil
}
