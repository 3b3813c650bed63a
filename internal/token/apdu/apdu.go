// Package apdu is what keyrite may ask of a SmartCard-HSM beside PKCS#11, which
// has no call for it: a few commands to the card, by PC/SC, as data.
//
// A [Call] is one call of PC/SC with its arguments, a [Result] what came back. A
// [Service] makes them: internal/token/apdu/pcsclite on the library that OpenSC
// uses as well. A step never holds one: it gets a card from the recorded
// module, found by its serial number, and what it sends is in the log before
// the card sees it:
//
//	err := t.Card(func(c *recorded.Card) error {       // t: *ceremony.Token
//		left, err := c.Tries(apdu.SOPIN)              // VERIFY without a PIN
//		…
//		request, err := c.ReadFile(0xCE01)            // what attests key 1
//		…
//		data, status, err := c.Transmit(apdu.Command{…})
//	})
//
// The card is the same that OpenSC holds: it is shared, held in one transaction
// from connecting to disconnecting, left as it was, and its applet is selected
// only if it is not yet, since selecting ends the login of a PKCS#11 session.
// While a card is held no PKCS#11 call can be made: OpenSC would wait for it.
//
// # Adding a command
//
// A command that is not in [classes] cannot be sent. A new one gets a row there,
// which says how its data and its answer stand in the log. A row that says
// nothing has both redacted.
package apdu

import (
	"errors"
	"fmt"

	"github.com/keyrite/keyrite/internal/token"
)

// The calls of PC/SC. There are no others.
const (
	// ListReaders stands for SCardListReaders and one SCardGetStatusChange,
	// which tells the cards in them. It reads.
	ListReaders token.Function = "SCardListReaders"
	// Connect stands for SCardConnect (shared) and SCardBeginTransaction. It
	// reads.
	Connect token.Function = "SCardConnect"
	// Transmit is SCardTransmit of one command. Its intent is durable before
	// the card sees it, whatever the command.
	Transmit token.Function = "SCardTransmit"
	// Disconnect stands for SCardEndTransaction and SCardDisconnect, which
	// leave the card as it is. It is made even if the log cannot be written.
	Disconnect token.Function = "SCardDisconnect"
)

// Functions lists every call.
var Functions = []token.Function{ListReaders, Connect, Transmit, Disconnect}

// Effect returns what a call may do.
func Effect(f token.Function) token.Effect {
	switch f {
	case Transmit:
		return token.Changes
	case Disconnect:
		return token.Leaves
	}
	return token.Reads
}

// A Service makes calls of PC/SC. It has one card connected at a time and is
// not safe for concurrent use.
//
// Do returns a [Code] (as an error) for every return value other than
// SCARD_S_SUCCESS, and any other error when the call could not be made at all.
// A status word of the card is no error.
type Service interface {
	Do(Call) (Result, error)
}

// A Call is one call. Only the fields that the function takes are used.
type Call struct {
	Function token.Function
	Reader   string  // Connect
	Command  Command // Transmit
}

// A Result is what a call brought back.
type Result struct {
	Readers []Reader // ListReaders
	Data    []byte   // Transmit: the answer without its status word
	Status  Status   // Transmit
}

// A Reader is a reader and the card in it.
type Reader struct {
	Name string
	ATR  []byte // answer to reset; nil if no card is in it
}

// Check reports what makes a call unfit to be made: an unknown function or
// command, more data than the log has room for. The error shows no data.
func (c Call) Check() error {
	switch c.Function {
	case ListReaders, Disconnect:
		return nil
	case Connect:
		if c.Reader == "" {
			return errors.New("calling SCardConnect: no reader was named")
		}
		return nil
	case Transmit:
		return c.Command.check()
	}
	return fmt.Errorf("calling %q: not one of the calls of PC/SC that keyrite makes", string(c.Function))
}

// MaxData is the most bytes that a command or its answer may have, so that its
// record fits into one entry of the log.
const MaxData = 16 << 10

// A Command is one command to the card (ISO/IEC 7816-4, 5.1).
type Command struct {
	CLA, INS, P1, P2 byte
	Data             []byte // at most MaxData
	Le               int    // bytes expected at most: 0 none, up to MaxData
}

func (c Command) check() error {
	if _, ok := c.Class(); !ok {
		return fmt.Errorf("sending command %s: not one that keyrite sends", c.Header())
	}
	if len(c.Data) > MaxData || c.Le < 0 || c.Le > MaxData {
		return fmt.Errorf("sending command %s: more than %d bytes", c.Header(), MaxData)
	}
	return nil
}

// Header returns CLA INS P1 P2 in hex.
func (c Command) Header() string { return fmt.Sprintf("%02x%02x%02x%02x", c.CLA, c.INS, c.P1, c.P2) }

// Bytes returns the command as it is sent, in short form if it fits, else in
// extended form. It holds the data: overwrite it where that is secret.
func (c Command) Bytes() []byte {
	out := append(make([]byte, 0, len(c.Data)+10), c.CLA, c.INS, c.P1, c.P2)
	n, extended := len(c.Data), len(c.Data) > 255 || c.Le > 256
	if extended {
		out = append(out, 0)
	}
	length := func(v int) {
		if extended {
			out = append(out, byte(v>>8))
		}
		out = append(out, byte(v)) // Le 256 is 00
	}
	if n > 0 {
		length(n)
		out = append(out, c.Data...)
	}
	if c.Le > 0 {
		length(c.Le)
	}
	return out
}
