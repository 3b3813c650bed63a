package token

import (
	"bytes"
	"fmt"
	"strings"
)

// CheckForm reports what makes a PIN that is already in use impossible for this
// model, before it is sent and a try is spent on it. The error says the rule,
// never the PIN nor how long it is.
func (m Model) CheckForm(kind PINKind, p PIN) error {
	form := m.Rule(kind).InUse
	if form.Fits(p) {
		return nil
	}
	return fmt.Errorf("the %s of a %s must be %s: this one cannot be right, so it was not tried and no try is lost", kind, m.Title, form.Words)
}

// CheckNew reports what makes a PIN unfit to be set on a token of this model:
// its form, or that it is too easy to guess. The error says the rule, never the
// PIN nor how long it is.
func (m Model) CheckNew(kind PINKind, p PIN) (err error) {
	form := m.Rule(kind).New
	p.Reveal(func(b []byte) {
		if !form.fits(b) {
			err = fmt.Errorf("a new %s of a %s must be %s", kind, m.Title, form.Words)
		} else if why := weakness(b); why != "" {
			err = fmt.Errorf("this new %s is too easy to guess: it %s; choose another one", kind, why)
		}
	})
	return err
}

// weakness says why a PIN is among the first that somebody would try, or "".
func weakness(b []byte) string {
	switch {
	case isFactory(b):
		return "is a factory PIN, printed in a manual"
	case allSame(b):
		return "is one character repeated"
	case isRun(b, 1), isRun(b, 9):
		return "counts up or down"
	case repeats(b):
		return "repeats a shorter one"
	case isCommon(b):
		return "is on every list of common PINs"
	}
	return ""
}

// isFactory looks at the factory PINs of all models: what is in one manual is
// tried on every token.
func isFactory(b []byte) bool {
	for _, m := range Models {
		if m.FactorySOPIN != "" && string(b) == m.FactorySOPIN {
			return true
		}
		for _, f := range m.FactoryUserPINs {
			if string(b) == f {
				return true
			}
		}
	}
	return false
}

func allSame(b []byte) bool {
	return len(b) > 0 && all(b, func(c byte) bool { return c == b[0] })
}

// isRun reports whether each digit is step more than the one before, modulo 10:
// 1 counts up (also over 9 to 0), 9 counts down.
func isRun(b []byte, step byte) bool {
	if !all(b, isDigit) {
		return false
	}
	for i := 1; i < len(b); i++ {
		if b[i]-'0' != (b[i-1]-'0'+step)%10 {
			return false
		}
	}
	return len(b) > 1
}

// repeats reports whether b is a shorter string two or more times over.
func repeats(b []byte) bool {
	for n := 1; n <= len(b)/2; n++ {
		// It has period n if it is itself when moved by n.
		if len(b)%n == 0 && bytes.Equal(b[n:], b[:len(b)-n]) {
			return true
		}
	}
	return false
}

// common are PINs that are tried first and that no other rule finds.
const common = `
112233 123321 159753 147258 159357 147852 741852 852456 258456 124578 102030
142536 123654 321654 789456 456123 131415 100200 100000 000001
11223344 12344321 11112222 14725836 10000000 00000001 12345679 98765432
789456123 456789123
0011223344556677 1122334455667788 8877665544332211 1234567887654321
1020304050607080 1234432112344321 0123456776543210 1000000000000000 0000000000000001
password passwort secret changeme geheim sopin userpin admin keyrite`

func isCommon(b []byte) bool {
	for _, c := range strings.Fields(common) {
		if bytes.EqualFold(b, []byte(c)) {
			return true
		}
	}
	return false
}

func all(b []byte, f func(byte) bool) bool {
	for _, c := range b {
		if !f(c) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool     { return '0' <= c && c <= '9' }
func isPrintable(c byte) bool { return ' ' <= c && c < 0x7f }
func isHexDigit(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
