package simcard

import (
	"errors"
	"fmt"
	"time"

	"github.com/keyrite/keyrite/internal/simcard/apdu"
	"github.com/keyrite/keyrite/internal/simcard/vpcd"
)

// A FaultKind is what goes wrong.
type FaultKind int

// Kinds of fault. Another card in the reader, or no reader, is what whoever put
// the card in does after Removed.
const (
	Removed   FaultKind = iota // the card is pulled out
	PowerLost                  // it is reset without a word: selection and PIN are gone
	BadStatus                  // it answers with Status and does nothing
	Slow                       // it answers after a while
	Silent                     // it does not answer for a while, then it is gone
)

// A Fault is one thing that goes wrong once.
type Fault struct {
	At     int // which command, from 1, parts of a chain counted each
	Kind   FaultKind
	After  bool          // Removed, PowerLost, Silent: the command was carried out, its answer is lost
	Status apdu.Status   // BadStatus
	For    time.Duration // Slow, Silent
}

// ErrRemoved is what Faulty.Transmit returns when the card is out.
var ErrRemoved = errors.New("the card was pulled out")

// Faulty is a card with faults. It counts commands from when it was made.
type Faulty struct {
	vpcd.Card
	Plan  []Fault
	Sleep func(time.Duration)
	count int
}

// Count returns how many commands came.
func (f *Faulty) Count() int { return f.count }

// Transmit passes a command on unless the plan has something else.
func (f *Faulty) Transmit(command []byte) ([]byte, error) {
	f.count++
	for _, fault := range f.Plan {
		if fault.At == f.count {
			return f.fail(fault, command)
		}
	}
	return f.Card.Transmit(command)
}

func (f *Faulty) fail(fault Fault, command []byte) ([]byte, error) {
	var answer []byte
	if fault.After || fault.Kind == Slow {
		var err error
		if answer, err = f.Card.Transmit(command); err != nil {
			return nil, err
		}
	}
	switch fault.Kind {
	case BadStatus:
		return apdu.Response(nil, fault.Status), nil
	case Slow:
		f.Sleep(fault.For)
		return answer, nil
	case PowerLost:
		f.Card.PowerUp()
		if fault.After {
			return answer, nil
		}
		return f.Card.Transmit(command)
	case Silent:
		f.Sleep(fault.For)
	}
	return nil, fmt.Errorf("command %d: %w", f.count, ErrRemoved)
}
