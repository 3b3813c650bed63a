// Package apdu reads and writes the command and response units of ISO/IEC
// 7816-4, section 5.1, short and extended.
//
//	short     CLA INS P1 P2 [Lc data] [Le]            Lc 01-FF; Le 00 means 256
//	extended  CLA INS P1 P2 00 Lc2 data [Le2]         Lc2 two bytes, not 0000
//	          CLA INS P1 P2 00 Le2                    Le2 0000 means 65,536
//	response  data SW1 SW2
package apdu

import "fmt"

// MaxExtended is what Le 0000 in extended form asks for, in bytes.
const MaxExtended = 65536

// classChained is the bit of CLA that says another part of the same command
// follows (5.1.1.1).
const classChained = 0x10

// A Command is one command unit.
type Command struct {
	CLA, INS, P1, P2 byte
	Data             []byte
	Le               int // bytes expected at most: 0 none, up to 65,536
	Extended         bool
}

// Parse reads a command. Anything that is not exactly one of the forms above
// is an error; the card answers it with 6700.
func Parse(b []byte) (Command, error) {
	if len(b) < 4 {
		return Command{}, fmt.Errorf("command of %d bytes: a header has 4", len(b))
	}
	c := Command{CLA: b[0], INS: b[1], P1: b[2], P2: b[3]}
	if c.CLA == 0xFF {
		return Command{}, fmt.Errorf("class FF is not allowed")
	}
	body := b[4:]
	switch {
	case len(body) == 0:
		return c, nil
	case len(body) == 1:
		c.Le = shortLe(body[0])
		return c, nil
	case body[0] == 0:
		return parseExtended(c, body[1:])
	}
	n := int(body[0])
	switch rest := body[1:]; len(rest) {
	case n:
		c.Data = rest
	case n + 1:
		c.Data, c.Le = rest[:n:n], shortLe(rest[n])
	default:
		return Command{}, fmt.Errorf("command of %d bytes: Lc %d does not fit", len(b), n)
	}
	return c, nil
}

func parseExtended(c Command, b []byte) (Command, error) {
	c.Extended = true
	if len(b) < 2 {
		return Command{}, fmt.Errorf("extended length of %d bytes: expected 2", len(b))
	}
	n, rest := int(b[0])<<8|int(b[1]), b[2:]
	switch {
	case len(rest) == 0:
		c.Le = extendedLe(b)
	case n == 0:
		return Command{}, fmt.Errorf("extended Lc 0000 with %d bytes after it", len(rest))
	case len(rest) == n:
		c.Data = rest
	case len(rest) == n+2:
		c.Data, c.Le = rest[:n:n], extendedLe(rest[n:])
	default:
		return Command{}, fmt.Errorf("%d bytes after extended Lc %d", len(rest), n)
	}
	return c, nil
}

func shortLe(b byte) int {
	if b == 0 {
		return 256
	}
	return int(b)
}

func extendedLe(b []byte) int {
	if n := int(b[0])<<8 | int(b[1]); n != 0 {
		return n
	}
	return MaxExtended
}

// Append adds the command's bytes to dst. It panics on data of more than
// 65,535 bytes and on an Le outside 0 to 65,536; more than a short command
// holds makes it extended.
func (c Command) Append(dst []byte) []byte {
	if len(c.Data) >= MaxExtended || c.Le < 0 || c.Le > MaxExtended {
		panic("apdu: a command holds no more than 65,535 bytes")
	}
	dst = append(dst, c.CLA, c.INS, c.P1, c.P2)
	n := len(c.Data)
	if !c.Extended && n < 256 && c.Le <= 256 {
		if n > 0 {
			dst = append(append(dst, byte(n)), c.Data...)
		}
		if c.Le > 0 {
			dst = append(dst, byte(c.Le))
		}
		return dst
	}
	if n == 0 && c.Le == 0 {
		return dst
	}
	dst = append(dst, 0)
	if n > 0 {
		dst = append(append(dst, byte(n>>8), byte(n)), c.Data...)
	}
	if c.Le > 0 {
		dst = append(dst, byte(c.Le>>8), byte(c.Le))
	}
	return dst
}

// A Status is SW1 and SW2.
type Status uint16

// Status words (ISO/IEC 7816-4, 5.1.3).
const (
	OK                 Status = 0x9000
	EndOfFile          Status = 0x6282 // fewer bytes than Le
	TriesLeft          Status = 0x63C0 // plus the number
	ExecutionError     Status = 0x6400
	MemoryFailure      Status = 0x6581
	WrongLength        Status = 0x6700
	ChainingRefused    Status = 0x6884
	NotAuthenticated   Status = 0x6982
	Blocked            Status = 0x6983
	NotUsable          Status = 0x6984
	ConditionsNotMet   Status = 0x6985
	NoCurrentFile      Status = 0x6986
	WrongData          Status = 0x6A80
	FileNotFound       Status = 0x6A82
	NotEnoughMemory    Status = 0x6A84
	WrongParameters    Status = 0x6A86
	ReferenceNotFound  Status = 0x6A88
	FileExists         Status = 0x6A89
	WrongOffset        Status = 0x6B00
	InstructionUnknown Status = 0x6D00
	ClassUnknown       Status = 0x6E00
	NoPreciseDiagnosis Status = 0x6F00
	triesMask          Status = 0x000F
	triesPrefix        Status = 0xFFF0
)

// Tries returns the status that says how many tries of a PIN are left: 63CX,
// or 6983 for none. More than 15 are said as 15.
func Tries(left int) Status {
	if left <= 0 {
		return Blocked
	}
	return TriesLeft | min(Status(left), triesMask)
}

// Left returns the number in a 63CX, and whether it is one.
func (s Status) Left() (tries int, ok bool) {
	return int(s & triesMask), s&triesPrefix == TriesLeft
}

// Error makes a status an error: "status 6A82".
func (s Status) Error() string { return fmt.Sprintf("status %04X", uint16(s)) }

// Response returns data followed by the status.
func Response(data []byte, s Status) []byte {
	out := make([]byte, 0, len(data)+2)
	return append(append(out, data...), byte(s>>8), byte(s))
}

// Split takes a response apart. One of fewer than two bytes is an error.
func Split(b []byte) (data []byte, s Status, err error) {
	if len(b) < 2 {
		return nil, 0, fmt.Errorf("response of %d bytes: a status has 2", len(b))
	}
	n := len(b) - 2
	return b[:n:n], Status(b[n])<<8 | Status(b[n+1]), nil
}
