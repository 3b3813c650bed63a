package token

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxLabel is the most bytes of UTF-8 that a token's label may have
// (CK_TOKEN_INFO.label).
const MaxLabel = 32

// MaxRandom is the most bytes that one C_GenerateRandom is asked for.
const MaxRandom = 1024

// MaxObjects is the most handles that one C_FindObjects is asked for: their
// record must fit into one log entry.
const MaxObjects = 1024

// Check reports what makes a call unfit to be sent to any module: an unknown
// function, a PIN that is missing, a label that PKCS#11 would cut, an attribute
// that is not [Readable], a length out of bounds. Every module checks first and
// returns this error without calling. The error never shows a PIN.
func (c Call) Check() error {
	check, ok := checks[c.Function]
	if !ok {
		return fmt.Errorf("calling %q: not one of the PKCS#11 functions that keyrite calls", string(c.Function))
	}
	if check == nil {
		return nil
	}
	if err := check(c); err != nil {
		return fmt.Errorf("calling %s: %w", c.Function, err)
	}
	return nil
}

// checks has an entry for every function; nil where any arguments will do.
var checks = map[Function]func(Call) error{
	Initialize:       nil,
	Finalize:         nil,
	GetInfo:          nil,
	GetSlotList:      nil,
	GetSlotInfo:      nil,
	GetTokenInfo:     nil,
	GetMechanismList: nil,
	GetMechanismInfo: nil,
	InitToken:        checkInitToken,
	InitPIN:          checkPIN,
	SetPIN:           checkSetPIN,
	OpenSession:      nil,
	CloseSession:     nil,
	CloseAllSessions: nil,
	GetSessionInfo:   nil,
	Login:            checkLogin,
	Logout:           nil,
	DestroyObject:    nil,
	GetAttribute:     checkGetAttribute,
	FindObjectsInit:  checkTemplates,
	FindObjects:      checkFindObjects,
	FindObjectsFinal: nil,
	SignInit:         nil,
	Sign:             checkSign,
	GenerateKeyPair:  checkTemplates,
	GenerateRandom:   checkRandom,
}

func checkPIN(c Call) error {
	if c.PIN.Empty() {
		return errors.New("no PIN was given, and an empty one is never sent")
	}
	return nil
}

func checkSetPIN(c Call) error {
	if c.NewPIN.Empty() {
		return errors.New("no new PIN was given, and an empty one is never sent")
	}
	return checkPIN(c)
}

func checkLogin(c Call) error {
	if c.User != SO && c.User != NormalUser {
		return fmt.Errorf("user %s is neither CKU_SO nor CKU_USER", c.User.Name())
	}
	return checkPIN(c)
}

func checkInitToken(c Call) error {
	if err := checkPIN(c); err != nil {
		return err
	}
	return CheckLabel(c.Label)
}

// CheckLabel reports what makes a string unfit to be a token's label: PKCS#11
// would cut what is longer than MaxLabel bytes, and strip spaces at the end.
func CheckLabel(label string) error {
	switch {
	case label == "":
		return errors.New("the token's label is empty")
	case len(label) > MaxLabel:
		return fmt.Errorf("label %q has %d bytes, at most %d fit", label, len(label), MaxLabel)
	case !utf8.ValidString(label):
		return fmt.Errorf("label %q is not UTF-8", label)
	case label[len(label)-1] == ' ':
		return fmt.Errorf("label %q ends in a space, which a token does not keep", label)
	}
	for _, r := range label {
		if r < ' ' || r == 0x7f {
			return fmt.Errorf("label %q has a control character", label)
		}
	}
	return nil
}

func checkGetAttribute(c Call) error {
	if len(c.Want) == 0 {
		return errors.New("no attribute is asked for")
	}
	for _, typ := range c.Want {
		if !Readable(typ) {
			return fmt.Errorf("attribute %s is not on the list of those that may be read", AttributeName(typ))
		}
	}
	return nil
}

func checkTemplates(c Call) error {
	for _, template := range [][]Attribute{c.Template, c.Private} {
		for _, a := range template {
			if !Readable(a.Type) {
				return fmt.Errorf("attribute %s is not on the list of those that may stand in a template", AttributeName(a.Type))
			}
		}
	}
	return nil
}

func checkFindObjects(c Call) error {
	if c.Max < 1 || c.Max > MaxObjects {
		return fmt.Errorf("%d objects asked for, between 1 and %d can be", c.Max, MaxObjects)
	}
	return nil
}

func checkSign(c Call) error {
	if len(c.Data) == 0 {
		return errors.New("there is nothing to sign")
	}
	return nil
}

func checkRandom(c Call) error {
	switch c.Purpose {
	case PurposeSerial, PurposeChallenge, PurposeSecret:
	default:
		return fmt.Errorf("purpose %q is not serial, challenge or secret", string(c.Purpose))
	}
	if c.Length < 1 || c.Length > MaxRandom {
		return fmt.Errorf("%d random bytes asked for, between 1 and %d can be", c.Length, MaxRandom)
	}
	return nil
}
