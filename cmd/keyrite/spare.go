package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/ceremony"
	"github.com/keyrite/keyrite/internal/room"
	"github.com/keyrite/keyrite/internal/token"
)

// kindSpare is a rehearsal on a real device that is not the ceremony's.
const kindSpare = "spare"

// spareFile holds the serial number of the spare device: a resume finds it.
func (r *running) spareFile() string { return filepath.Join(r.tokenDir(), "spare") }

// maxSerial is the size of a serial number in CK_TOKEN_INFO, in bytes.
const maxSerial = 16

// rehearseOnSpare is rehearse on a spare device. What is wrong with it, or a no,
// ends it before a folder is made and before any call that writes to a token.
func (r *running) rehearseOnSpare() error {
	switch {
	case r.answers != "":
		return usage("--answers is for a throw-away token: a rehearsal on a spare device writes to it, so people answer")
	case len(r.script.Tokens) != 1:
		return usage("the script has %d tokens, and a rehearsal on a spare device takes a script with one: rehearse with --token %s or %s", len(r.script.Tokens), kindSoftHSM, kindSim)
	}
	r.stand = r.script.Tokens[0].Model
	r.ahead = r.agreeOnSpare
	err := r.fresh()
	if r.serials == nil { // nothing was begun, and what has that name is somebody else's
		return err
	}
	return r.thenRemove(err)
}

// agreeOnSpare finds the spare device and has it confirmed twice. It only reads
// from tokens, before the log begins, whose beginning says so.
func (r *running) agreeOnSpare(c *ceremony.Config) error {
	lib, _, err := c.Open()
	if err != nil {
		return environment(err)
	}
	list, err := present(lib)
	if err != nil {
		return environment(fmt.Errorf("looking for a spare device: %w", err))
	}
	spec := &r.script.Tokens[0]
	spare, err := chooseSpare(spec, list)
	if err != nil {
		return err
	}
	if err := askForSpare(c.Room, spec, spare); err != nil {
		return err
	}
	if err := os.Mkdir(r.tokenDir(), 0o700); err != nil {
		return environment(fmt.Errorf("noting the spare device: %w", err))
	}
	r.serials = map[string]string{spec.Name: spare.Serial}
	if err := os.WriteFile(r.spareFile(), []byte(spare.Serial), 0o600); err != nil {
		return environment(fmt.Errorf("noting the spare device: %w", err))
	}
	c.Serials = r.serials
	c.First = append(c.First, &audit.Result{Name: "REHEARSAL on a spare device", Value: fmt.Sprintf(
		"before this log began, the descriptions of all tokens were read and it was asked twice whether everything on the device with the serial number %q and the label %q may be lost; the script's token has the serial number %q",
		spare.Serial, spare.Label, spec.Serial)})
	return nil
}

// present reads the description of every token that is there. Nothing changes.
func present(m token.Module) (list []token.TokenInfo, err error) {
	if _, err := m.Do(token.Call{Function: token.Initialize}); err != nil {
		return nil, fmt.Errorf("%s: %w", token.Initialize, err)
	}
	defer func() {
		_, ferr := m.Do(token.Call{Function: token.Finalize})
		err = errors.Join(err, ferr)
	}()
	r, err := m.Do(token.Call{Function: token.GetSlotList, Present: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", token.GetSlotList, err)
	}
	for _, slot := range r.Slots {
		t, err := m.Do(token.Call{Function: token.GetTokenInfo, Slot: slot})
		if err != nil {
			return nil, fmt.Errorf("%s of slot %d: %w", token.GetTokenInfo, slot, err)
		}
		list = append(list, t.Token)
	}
	return list, nil
}

// chooseSpare returns the one device that a rehearsal may write to: of the
// script's model, with a serial number that is not the ceremony's. If the
// ceremony's own token is there as well, or two devices fit, it is an error.
func chooseSpare(spec *ceremony.TokenSpec, list []token.TokenInfo) (*token.TokenInfo, error) {
	model := token.Models[spec.Model]
	var fits []*token.TokenInfo
	var seen []string
	for i := range list {
		t := &list[i]
		seen = append(seen, fmt.Sprintf("%s, serial %q, label %q", token.Recognise(*t), t.Serial, t.Label))
		switch {
		case sameSerial(t.Serial, spec.Serial):
			return nil, environment(fmt.Errorf("the token with the serial number %q is the ceremony's own (token %q of the script), not a spare one: nothing was done; take it out", t.Serial, spec.Name))
		case t.Serial != "" && model.Takes(*t):
			fits = append(fits, t)
		}
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return nil, environment(fmt.Errorf("there is no spare device of the model %q with a serial number (seen: %s): insert it", spec.Model, orNothing(seen)))
	}
	return nil, environment(fmt.Errorf("%d devices could be the spare one (%s): leave one of them in", len(fits), strings.Join(seen, "; ")))
}

// sameSerial reports whether two serial numbers mean the same device. How a
// number is written must not make a ceremony's token a spare one.
func sameSerial(a, b string) bool {
	return strings.EqualFold(strings.TrimLeft(strings.TrimSpace(a), "0"), strings.TrimLeft(strings.TrimSpace(b), "0")) && strings.TrimSpace(a) != ""
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "no token"
	}
	return strings.Join(list, "; ")
}

// askForSpare asks twice: whether the device may be lost, and for its serial
// number as it stands on the device.
func askForSpare(rm room.Room, spec *ceremony.TokenSpec, t *token.TokenInfo) error {
	device := fmt.Sprintf("the device with the serial number %q and the label %q", safe(t.Serial), safe(t.Label))
	other := fmt.Sprintf("The ceremony's token has the serial number %q.", spec.Serial)
	if spec.Serial == ceremony.AnySerial {
		other = "The script does not name the serial number of the ceremony's token: this program cannot tell whether this is that one. Compare it with your papers."
	}
	const who = "Whoever answers for this device"
	rm.Show(room.Warning{Text: "This rehearsal writes to a REAL device: " + device + ". What the script initialises, changes or destroys is lost on it for good, and its counters count. " + other})
	said, err := rm.Ask(room.Prompt{
		Key: "spare/lose", Person: who, Question: "Is " + device + " a spare one, and may everything on it be lost?",
		Choices: []room.Choice{{Word: "yes", Does: "it is spare: the rehearsal may initialise it"}, {Word: "no", Does: "nothing is done"}},
	})
	if err == nil && said == "yes" {
		said, err = rm.Ask(room.Prompt{
			Key: "spare/serial", Person: who,
			Question: "Asked again, since it cannot be undone: " + device + " will be written to. Look at the device or its papers and type its serial number",
		})
		if err == nil && said == t.Serial {
			return nil
		}
	}
	if err != nil {
		return environment(fmt.Errorf("asking whether the device is spare: %w", err))
	}
	return usage("the device was not confirmed as a spare one (%q was typed): nothing was done to it", said)
}

// spareAgain takes up the spare device of a rehearsal that is resumed. It is
// bound by its serial number, which can still not be the ceremony's.
func (r *running) spareAgain() error {
	b, err := readLimited(r.spareFile(), maxSerial+1)
	if err != nil {
		return environment(fmt.Errorf("looking for the spare device of this rehearsal: %w", err))
	}
	serial := string(b)
	if len(r.script.Tokens) != 1 || serial == "" || len(serial) > maxSerial || sameSerial(serial, r.script.Tokens[0].Serial) {
		return environment(fmt.Errorf("%s does not name a spare device: %q", r.spareFile(), serial))
	}
	if r.answers != "" {
		return usage("--answers is for a throw-away token: this rehearsal is on a spare device, so people answer")
	}
	r.stand, r.serials = r.script.Tokens[0].Model, map[string]string{r.script.Tokens[0].Name: serial}
	return nil
}
