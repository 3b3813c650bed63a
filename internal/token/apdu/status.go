package apdu

import "fmt"

// A Status is what a card answers a command with, SW1 and SW2 (ISO/IEC 7816-4,
// 5.1.3).
type Status uint16

// Status words that are acted on.
const (
	OK               Status = 0x9000
	EndOfFile        Status = 0x6282 // fewer bytes than were asked for
	NotAuthenticated Status = 0x6982
	Blocked          Status = 0x6983 // no try is left
	NotInitialised   Status = 0x6984 // there is no such PIN yet
	WrongData        Status = 0x6A80
	FileNotFound     Status = 0x6A82
)

var meanings = map[Status]string{
	OK:               "done",
	EndOfFile:        "the file ends before",
	NotAuthenticated: "the PIN was not given",
	Blocked:          "no try is left",
	NotInitialised:   "there is no such PIN yet",
	WrongData:        "the card does not take this data",
	FileNotFound:     "there is no such file",
}

// Left returns how many tries a status says are left: the x of 63Cx, 0 for
// Blocked.
func (s Status) Left() (tries int, ok bool) {
	if s == Blocked {
		return 0, true
	}
	return int(s & 0x000F), s&0xFFF0 == 0x63C0
}

// String returns four hex digits: "6A82".
func (s Status) String() string { return fmt.Sprintf("%04X", uint16(s)) }

// Error makes a status an error: "the card answered 6A82: there is no such file".
func (s Status) Error() string {
	text := "the card answered " + s.String()
	if left, ok := s.Left(); ok && s != Blocked {
		return fmt.Sprintf("%s: tries left: %d", text, left)
	}
	if m, ok := meanings[s]; ok {
		return text + ": " + m
	}
	return text
}

// Split takes an answer apart. One of fewer than two bytes is an error.
func Split(answer []byte) ([]byte, Status, error) {
	n := len(answer) - 2
	if n < 0 {
		return nil, 0, fmt.Errorf("an answer of %d bytes: a status has 2", len(answer))
	}
	return answer[:n:n], Status(answer[n])<<8 | Status(answer[n+1]), nil
}

// A Code is a return value of PC/SC.
type Code uint32

// Return values of PC/SC that have a name here.
const (
	Success         Code = 0
	InvalidHandle   Code = 0x80100003
	UnknownReader   Code = 0x80100009
	Timeout         Code = 0x8010000A
	Sharing         Code = 0x8010000B
	NoSmartcard     Code = 0x8010000C
	NotTransacted   Code = 0x80100016
	ReaderGone      Code = 0x80100017
	NoService       Code = 0x8010001D
	ServiceStopped  Code = 0x8010001E
	NoReaders       Code = 0x8010002E
	CommError       Code = 0x8010002F
	Unresponsive    Code = 0x80100066
	Unpowered       Code = 0x80100067
	ResetCard       Code = 0x80100068
	RemovedCard     Code = 0x80100069
	unknownCodeForm      = "SCARD_0x%08X"
)

var codeNames = map[Code]string{
	Success: "SCARD_S_SUCCESS", InvalidHandle: "SCARD_E_INVALID_HANDLE", UnknownReader: "SCARD_E_UNKNOWN_READER",
	Timeout: "SCARD_E_TIMEOUT", Sharing: "SCARD_E_SHARING_VIOLATION", NoSmartcard: "SCARD_E_NO_SMARTCARD",
	NotTransacted: "SCARD_E_NOT_TRANSACTED", ReaderGone: "SCARD_E_READER_UNAVAILABLE", NoService: "SCARD_E_NO_SERVICE",
	ServiceStopped: "SCARD_E_SERVICE_STOPPED", NoReaders: "SCARD_E_NO_READERS_AVAILABLE", CommError: "SCARD_F_COMM_ERROR",
	Unresponsive: "SCARD_W_UNRESPONSIVE_CARD", Unpowered: "SCARD_W_UNPOWERED_CARD", ResetCard: "SCARD_W_RESET_CARD",
	RemovedCard: "SCARD_W_REMOVED_CARD",
}

// Error returns the name: "SCARD_W_REMOVED_CARD", or "SCARD_0x…" for one that
// has none here.
func (c Code) Error() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return fmt.Sprintf(unknownCodeForm, uint32(c))
}
