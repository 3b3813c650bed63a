// Package vpcd speaks the protocol of the vsmartcard project's virtual reader,
// from the card's side, over a stream.
//
//	frame = length (2 bytes, big-endian) bytes
//
// A frame of one byte from the reader is a control: 00 power off, 01 power on,
// 02 reset, 04 tell the ATR; only the last is answered. Every other frame is a
// command of the card, which answers it with one frame.
package vpcd

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Controls, each the only byte of its frame.
const (
	PowerOff = 0x00
	PowerOn  = 0x01
	Reset    = 0x02
	GetATR   = 0x04
)

// MaxFrame is the most bytes that a frame holds.
const MaxFrame = 1<<16 - 1

// A Card is what sits in the reader.
type Card interface {
	// ATR returns the answer to reset, 2 to 33 bytes.
	ATR() []byte
	// PowerUp ends what a session left: the card is as after a reset.
	PowerUp()
	// Transmit answers a command. After an error the card is out of the reader.
	Transmit(command []byte) (response []byte, err error)
}

// ReadFrame reads one frame. At the end of the stream before a frame it returns
// io.EOF; inside one, io.ErrUnexpectedEOF.
func ReadFrame(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(r, b); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b, nil
}

// WriteFrame writes one frame in a single call. More than MaxFrame bytes are an
// error.
func WriteFrame(w io.Writer, b []byte) error {
	if len(b) > MaxFrame {
		return fmt.Errorf("writing a frame of %d bytes: the most is %d", len(b), MaxFrame)
	}
	out := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(b)), uint16(len(b)))
	_, err := w.Write(append(out, b...))
	return err
}

// Serve answers the reader until the stream ends, which is no error, or the
// card returns one, which is returned. The caller closes the stream: for the
// reader that is a card pulled out.
func Serve(stream io.ReadWriter, card Card) error {
	for {
		frame, err := ReadFrame(stream)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading from the virtual reader: %w", err)
		}
		answer, err := handle(frame, card)
		if err != nil {
			return err
		}
		if answer == nil {
			continue
		}
		if err := WriteFrame(stream, answer); err != nil {
			return fmt.Errorf("answering the virtual reader: %w", err)
		}
	}
}

// handle returns what is answered to a frame, nil for nothing.
func handle(frame []byte, card Card) ([]byte, error) {
	if len(frame) != 1 {
		return card.Transmit(frame)
	}
	switch frame[0] {
	case PowerOff, PowerOn, Reset:
		card.PowerUp()
		return nil, nil
	case GetATR:
		return card.ATR(), nil
	}
	return nil, fmt.Errorf("the virtual reader sent control %02X: expected 00, 01, 02 or 04", frame[0])
}
