package recorded

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/keyrite/keyrite/audit"
	"github.com/keyrite/keyrite/internal/cvc"
	"github.com/keyrite/keyrite/internal/token/apdu"
)

// ErrNoCards says that this run reaches no card but through PKCS#11.
var ErrNoCards = errors.New("no card can be reached by PC/SC here")

// ErrNoCard says that no SmartCard-HSM with the serial number is in a reader.
var ErrNoCard = errors.New("no SmartCard-HSM with this serial number is in a reader")

// UseCards gives the module the service by which Card reaches cards.
func (m *Module) UseCards(s apdu.Service) { m.cards = s }

// A Card is a SmartCard-HSM that is held for commands. It is of use only until
// the function that it was given to returns.
type Card struct {
	Reader string
	Serial string // as OpenSC shows it in CK_TOKEN_INFO
	Chain  []byte // EF 2F02: the device's certificate, then its issuer's
	Seq    int64  // place in the log of the last command's outcome

	m *Module
}

// Card finds the SmartCard-HSM with a serial number among those in the readers,
// holds it while f runs, and lets it go whatever f returns. No call of PKCS#11
// can be made meanwhile. The serial number is read from the device's
// certificate, from which OpenSC has it as well; a reader's name or place does
// not count. Cards of another kind are sent nothing.
//
// The error is [ErrNoCards], [ErrNoCard], a [apdu.Code] or [apdu.Status], or
// f's; [NotRecorded] and [OutcomeLost] as for Do.
func (m *Module) Card(serial string, f func(*Card) error) error {
	if m.cards == nil {
		return ErrNoCards
	}
	if m.card != nil {
		return fmt.Errorf("reaching card %q: reader %q is held already", serial, m.card.Reader)
	}
	r, _, err := m.cardCall(apdu.Call{Function: apdu.ListReaders})
	if err != nil {
		return fmt.Errorf("looking for card %q: %w", serial, err)
	}
	var seen []string
	for _, reader := range r.Readers {
		if !apdu.IsSmartCardHSM(reader.ATR) {
			continue
		}
		found := false
		err := m.hold(reader.Name, func(c *Card) error {
			seen = append(seen, fmt.Sprintf("%q", c.Serial))
			if c.Serial != serial {
				return nil
			}
			found = true
			return f(c)
		})
		if found || unrecordable(err) {
			return err
		}
		if err != nil { // another card that is broken is no reason not to find this one
			seen = append(seen, err.Error())
		}
	}
	return fmt.Errorf("card %q: %w (seen: %s)", serial, ErrNoCard, orNone(seen))
}

// unrecordable reports whether the log could not be written.
func unrecordable(err error) bool {
	var not *NotRecorded
	var lost *OutcomeLost
	return errors.As(err, &not) || errors.As(err, &lost)
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// hold connects to the card in a reader, reads who it is, and lets it go
// whatever f returns.
func (m *Module) hold(reader string, f func(*Card) error) (err error) {
	if _, _, err := m.cardCall(apdu.Call{Function: apdu.Connect, Reader: reader}); err != nil {
		return fmt.Errorf("connecting to the card in %q: %w", reader, err)
	}
	c := &Card{Reader: reader, m: m}
	m.card = c
	defer func() {
		_, _, derr := m.cardCall(apdu.Call{Function: apdu.Disconnect})
		m.card = nil
		if derr != nil && !goneAlready(derr) {
			err = errors.Join(err, fmt.Errorf("letting go the card in %q: %w", reader, derr))
		}
	}()
	if err := c.identify(); err != nil {
		return fmt.Errorf("looking at the card in %q: %w", reader, err)
	}
	return f(c)
}

// goneAlready reports whether a card could not be let go since it is not there.
func goneAlready(err error) bool {
	return errors.Is(err, apdu.RemovedCard) || errors.Is(err, apdu.ReaderGone) || errors.Is(err, apdu.ResetCard)
}

// identify selects the applet if nobody has, and reads the device's
// certificates. Whether it is selected is seen by its answer to VERIFY without
// a PIN, which is a number of tries; so a login is not ended by looking.
func (c *Card) identify() error {
	_, status, err := c.Transmit(apdu.AskTries(apdu.UserPIN))
	if err != nil {
		return err
	}
	if _, ok := status.Left(); !ok && status != apdu.OK && status != apdu.NotInitialised {
		if _, status, err = c.Transmit(apdu.SelectApplet()); err != nil {
			return err
		} else if status != apdu.OK {
			return fmt.Errorf("selecting the SmartCard-HSM's applet: %w", status)
		}
	}
	if c.Chain, err = c.ReadFile(apdu.DeviceCertificates); err != nil {
		return err
	}
	c.Serial, err = cvc.DeviceSerial(c.Chain)
	return err
}

// Transmit sends one command and returns what the card answered. A status word
// that says no is no error of Transmit.
func (c *Card) Transmit(cmd apdu.Command) ([]byte, apdu.Status, error) {
	r, seq, err := c.m.cardCall(apdu.Call{Function: apdu.Transmit, Reader: c.Reader, Command: cmd})
	c.Seq = seq
	return r.Data, r.Status, err
}

// chunk is how many bytes of a file are read at once: the makers' own tools ask
// for as many.
const chunk = 1000

// ReadFile reads a whole file. The error is a [apdu.Status] if the card refuses:
// FileNotFound, NotAuthenticated.
func (c *Card) ReadFile(file uint16) ([]byte, error) {
	var all []byte
	for len(all) < apdu.MaxData {
		b, status, err := c.Transmit(apdu.ReadBinary(file, len(all), chunk))
		if err != nil {
			return nil, err
		}
		if status != apdu.OK && status != apdu.EndOfFile {
			return nil, fmt.Errorf("reading file %04X: %w", file, status)
		}
		all = append(all, b...)
		if status == apdu.EndOfFile || len(b) < chunk {
			return all, nil
		}
	}
	return nil, fmt.Errorf("reading file %04X: it has more than %d bytes", file, apdu.MaxData)
}

// Files lists the files on the card, in its order.
func (c *Card) Files() ([]uint16, error) {
	b, status, err := c.Transmit(apdu.Enumerate())
	if err != nil {
		return nil, err
	}
	if status != apdu.OK && status != apdu.EndOfFile || len(b)%2 != 0 {
		return nil, fmt.Errorf("listing the files: %w (%d bytes)", status, len(b))
	}
	var list []uint16
	for i := 0; i < len(b); i += 2 {
		list = append(list, uint16(b[i])<<8|uint16(b[i+1]))
	}
	return list, nil
}

// Tries returns how many tries are left on a PIN (apdu.UserPIN, apdu.SOPIN)
// and spends none. told is false if the card does not say: the user is logged
// in, or there is no such PIN yet.
func (c *Card) Tries(pin byte) (left int, told bool, err error) {
	_, status, err := c.Transmit(apdu.AskTries(pin))
	if err != nil {
		return 0, false, err
	}
	if left, ok := status.Left(); ok {
		return left, true, nil
	}
	if status == apdu.OK || status == apdu.NotInitialised {
		return 0, false, nil
	}
	return 0, false, fmt.Errorf("asking for the tries left: %w", status)
}

// cardCall records a call of PC/SC, makes it and records its outcome, whose
// place in the log is seq.
func (m *Module) cardCall(c apdu.Call) (r apdu.Result, seq int64, err error) {
	if err := c.Check(); err != nil {
		return apdu.Result{}, -1, err
	}
	seq, err = m.record(c.Function, apdu.Effect(c.Function), cardIntent(c),
		func() (micros int64, err error) { r, micros, err = m.callCard(c); return micros, err },
		func(intent, micros int64, err error) *audit.HSMOutcome { return cardOutcome(c, intent, r, micros, err) })
	if err != nil {
		r = apdu.Result{}
	}
	return r, seq, err
}

// callCard makes a call and measures it. An error that is no Code is kept where
// the command held nothing to hide: else it could hold that.
func (m *Module) callCard(c apdu.Call) (r apdu.Result, micros int64, err error) {
	begin := m.Now()
	defer func() {
		micros = max(0, m.Now().Sub(begin).Microseconds())
		if recover() != nil {
			r, err = apdu.Result{}, fmt.Errorf("calling %s: PC/SC broke off", c.Function)
		}
	}()
	r, err = m.cards.Do(c)
	var code apdu.Code
	class, _ := c.Command.Class()
	switch {
	case err == nil && len(r.Data) > apdu.MaxData:
		err = fmt.Errorf("calling %s: an answer of more than %d bytes", c.Function, apdu.MaxData)
	case errors.As(err, &code):
		err = code
	case err != nil && c.Function == apdu.Transmit && class.Data == apdu.Redacted:
		err = fmt.Errorf("calling %s: the command could not be sent", c.Function)
	}
	return r, 0, err
}

// cardIntent returns what is recorded of a call before it is made.
func cardIntent(c apdu.Call) *audit.HSMIntent {
	i := &audit.HSMIntent{Function: string(c.Function)}
	switch c.Function {
	case apdu.Connect:
		i.Reader = text(c.Reader)
	case apdu.Transmit:
		class, _ := c.Command.Class()
		i.Reader, i.Command, i.Header = text(c.Reader), class.Name, c.Command.Header()
		i.Data, i.Length = shown(class.Data, c.Command.Data), c.Command.Le
	}
	return i
}

// cardOutcome returns what is recorded of a call after it was made.
func cardOutcome(c apdu.Call, intent int64, r apdu.Result, micros int64, err error) *audit.HSMOutcome {
	o := &audit.HSMOutcome{Intent: intent, Function: string(c.Function), RV: codeName(err), Micros: micros}
	if err != nil {
		return o
	}
	switch c.Function {
	case apdu.ListReaders:
		for _, reader := range r.Readers {
			o.Readers = append(o.Readers, audit.Reader{Name: text(reader.Name), ATR: hex.EncodeToString(reader.ATR)})
		}
	case apdu.Transmit:
		class, _ := c.Command.Class()
		o.Status, o.Data = r.Status.String(), shown(class.Answer, r.Data)
	}
	return o
}

// shown writes bytes as a class of commands has them in the log. Nothing stands
// for no bytes, except where that is to be hidden, too.
func shown(how apdu.Shown, b []byte) string {
	switch how {
	case apdu.Clear:
		return hex.EncodeToString(b)
	case apdu.Digest:
		if len(b) == 0 {
			return ""
		}
		sum := sha256.Sum256(b)
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return redacted
}

func codeName(err error) string {
	if err == nil {
		return apdu.Success.Error()
	}
	var code apdu.Code
	if errors.As(err, &code) {
		return code.Error()
	}
	return RVNone
}
