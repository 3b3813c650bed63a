package ceremony

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/secretshare"
	"github.com/keyrite/keyrite/internal/token"
)

// How a share is given to its custodian.
const (
	screenShown = "screen"
	slipShown   = "slip"
)

// A Printer prints slips straight to a device: internal/printer is one.
type Printer interface {
	// Name is the device and its page language.
	Name() string
	// Note says why it cannot be known that nothing keeps what is printed; "" if
	// there is no such doubt.
	Note() string
	// Print prints a slip for a person. An error means that what came out is none.
	Print(person string, s room.Slip) error
}

// shownBy returns how a share is given to its custodian now: a rehearsal without a
// printer shows what the ceremony prints.
func (t *Token) shownBy(spec PINSpec) string {
	if spec.Slip() && (t.s.r.Printer != nil || !t.s.Rehearsal()) {
		return slipShown
	}
	return screenShown
}

// slipOf returns a share as what its custodian gets. The caller wipes it.
func (t *Token) slipOf(kind token.PINKind, set secretshare.Set, share *secretshare.Share) room.Slip {
	slip := room.Slip{
		Name: t.slipName(kind), Title: fmt.Sprintf("Share %d of %d of the %s of token %s; %d are enough", share.Index, share.N, kind, t.Name, share.K),
		Lines: []string{set.Origin, fmt.Sprintf("set %x", share.Tag)},
	}
	for _, row := range share.Rows() {
		slip.Rows = append(slip.Rows, token.NewPIN(row))
	}
	if t.s.r.QR != nil {
		text := share.Text(set)
		slip.Code = t.s.r.QR(string(text)) // the copy is left to the collector: docs/threat-model.md
		clear(text)
	}
	return slip
}

func wipeSlip(s room.Slip) {
	for i := range s.Rows {
		s.Rows[i].Wipe()
	}
	for _, row := range s.Code {
		clear(row)
	}
}

// handOut shows a custodian the share, once, or prints it, and has it typed back.
func (t *Token) handOut(person string, spec PINSpec, set secretshare.Set, share *secretshare.Share) error {
	kind := map[secretshare.Kind]token.PINKind{secretshare.SOPIN: token.SOPIN, secretshare.UserPIN: token.UserPIN}[share.Kind]
	slip := t.slipOf(kind, set, share)
	defer wipeSlip(slip)
	d := &audit.ShareShown{Person: person, Secret: kind.String(), Token: t.Name, Set: hex.EncodeToString(share.Tag[:]), Index: share.Index, Shares: share.N, Shown: t.shownBy(spec)}
	give := t.show
	switch {
	case d.Shown == slipShown && t.s.r.Printer == nil:
		return fmt.Errorf("the shares of the %s of token %q are to be printed, and the place file names no printer: pause, and resume with --place FILE", kind, t.Name)
	case d.Shown == slipShown:
		d.Printer, d.Warning = t.s.r.Printer.Name(), t.s.r.Printer.Note()
		give = t.print
	case spec.Slip():
		t.s.warn("There is no printer in this rehearsal: the share that the ceremony prints is shown on the screen.")
	}
	if err := give(kind, d, slip); err != nil {
		return err
	}
	typed, err := t.shareOf(shareTyping{
		person: person, kind: kind, use: New, index: share.Index, of: share.N,
		wrong: func(typed *secretshare.Share) error {
			if !typed.Same(share) {
				return errors.New("it is a share, but not the one that was just shown")
			}
			return nil
		},
		otherwise: room.Choice{Word: "anew", Does: "it cannot be read any more: make a new PIN and new shares for everybody"},
	})
	if err != nil {
		return err
	}
	typed.Wipe()
	return nil
}

// show shows a share on a cleared screen.
func (t *Token) show(kind token.PINKind, d *audit.ShareShown, slip room.Slip) error {
	who := t.s.r.Script.Shown(d.Person)
	_, err := t.s.Ask(d.Person, short(kind)+"-alone", fmt.Sprintf("%s gets a share of the new %s of %s. It is shown once. Is the projector dark, is nothing recording this screen, and does nobody else see it?", who, kind, t.Name),
		room.Choice{Word: "ready", Does: "show the share to " + who + " alone"})
	if err != nil {
		return err
	}
	if _, err := t.s.Record(d); err != nil {
		return err
	}
	err = t.s.r.Room.Private(t.s.prompt(d.Person, short(kind)+"-slip", "Write every row down, with its number. You type it back next."), slip)
	switch {
	case errors.Is(err, room.ErrInterrupted):
		return t.s.menu()
	case err != nil:
		return gone(err)
	}
	return nil
}

// printing is how long a printer usually takes for a slip.
const printing = 10 * time.Second

// print prints a share. One that was not printed whole makes all of them void.
func (t *Token) print(kind token.PINKind, d *audit.ShareShown, slip room.Slip) error {
	who := t.s.r.Script.Shown(d.Person)
	if d.Warning != "" {
		t.s.warn("THE PRINTER MAY KEEP WHAT IS PRINTED: " + d.Printer + ": " + d.Warning + ".")
	}
	_, err := t.s.Ask(d.Person, short(kind)+"-alone", fmt.Sprintf("%s gets a share of the new %s of %s, on paper. It is printed once. Is paper in %s, and does nobody else see what comes out?", who, kind, t.Name, d.Printer),
		room.Choice{Word: "ready", Does: "print the share for " + who + " alone"})
	if err != nil {
		return err
	}
	if _, err := t.s.Record(d); err != nil {
		return err
	}
	done := t.s.Busy("printing the slip for "+who, printing)
	err = t.s.r.Printer.Print(who, slip)
	done()
	if err != nil {
		return fmt.Errorf("the slip for %s is void, and so are all shares of this PIN: %w", who, err)
	}
	t.s.Show(room.Text{Text: "The slip was sent to the printer. " + who + " takes it, types it back next, then folds and seals it."})
	return nil
}
