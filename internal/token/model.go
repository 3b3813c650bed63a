package token

import (
	"fmt"
	"strings"
	"time"
)

// A PINKind says whose PIN it is.
type PINKind int

// The two PINs of a token.
const (
	SOPIN   PINKind = iota + 1 // of the security officer, CKU_SO
	UserPIN                    // of the normal user, CKU_USER
)

// String returns "SO-PIN" or "user PIN", as it stands in the log.
func (k PINKind) String() string {
	if k == SOPIN {
		return "SO-PIN"
	}
	return "user PIN"
}

// A Model is what is known of a kind of token, as data: the rules of its PINs,
// its factory state, and where it departs from PKCS#11. The reasons stand
// beside the values, in the model's own file. Code asks the model's fields,
// never its name.
type Model struct {
	Name  string // in the script: "nitrokey-hsm"
	Title string // for people: "Nitrokey HSM (SmartCard-HSM)"

	// Module is the PKCS#11 module that serves it, by the name that
	// internal/token/p11 finds it under; "" if it has to be named.
	Module string

	// Recognises reports whether a CK_TOKEN_INFO is of this model; nil if any
	// token may be.
	Recognises func(TokenInfo) bool

	SO, User PINRule

	// PINLengthsTold: CK_TOKEN_INFO's lengths of PINs narrow the rules. Where
	// the model knows better they are not believed.
	PINLengthsTold bool

	// FactorySOPIN and FactoryUserPINs are printed in the maker's manual: they
	// protect nothing. Empty where a new token has none.
	FactorySOPIN    string
	FactoryUserPINs []string

	// FactoryInitialised: a new token already says CKF_TOKEN_INITIALIZED and
	// CKF_USER_PIN_INITIALIZED, so these flags do not show whether it was used.
	FactoryInitialised bool

	// SerialFromStart: it has its serial number before it is initialised. One
	// that has not is known by its label or as the only new one, until it has.
	SerialFromStart bool

	// CardTells: it is a SmartCard-HSM, which says how many tries are left on
	// either PIN to a command beside PKCS#11 (internal/token/apdu), spending none.
	CardTells bool

	// SOLoginChecks: C_Login as SO finds a wrong SO-PIN. If false it returns
	// CKR_OK for any, and C_InitPIN or C_SetPIN after it finds out, spending a try.
	SOLoginChecks bool

	// Away is how long a token that is there may be missing from the slot list:
	// C_InitToken and a power cycle reset it.
	Away time.Duration

	Label LabelRule

	// HidesKeys: a key whose generation broke off can be on the token and in no
	// list that PKCS#11 gives.
	HidesKeys bool

	// NotTold lists attributes that the token reports as false whatever is
	// true, with the reason: their false means nothing.
	NotTold map[uint]string

	// Attests: it is a SmartCard-HSM, which signs each key that it makes, in a file
	// that commands beside PKCS#11 read (internal/cvc says what that proves).
	Attests bool

	// Keys is how long making a key takes, by the key's kind in a script; nil if
	// that is not known.
	Keys map[string]Duration

	// Backup says how a key leaves a token for a second one, and when that has
	// to be decided; Origin what shows that a key was made in it. Both are for
	// people: sentences.
	Backup, Origin string
}

// A Duration is how long making a key takes.
type Duration struct {
	Usual time.Duration // most of the time
	Long  time.Duration // after that, something is likely to be wrong
}

// A LabelRule is what becomes of the label that is given to C_InitToken.
type LabelRule struct {
	Sticks bool   // it can be relied on to be in CK_TOKEN_INFO afterwards
	Suffix string // the module puts it after the label, which it cuts to make room
}

// A PINRule is what a model takes for a PIN.
type PINRule struct {
	InUse   PINForm // what one that is already set can look like
	New     PINForm // what a new one must look like
	Tries   int     // wrong tries until it is locked; 0 if it never is
	Final   bool    // locked for good: no one can unlock it
	InFlags bool    // CK_TOKEN_INFO's flags show that tries were spent
}

// A PINForm is what a PIN looks like.
type PINForm struct {
	Min, Max int             // bytes
	Each     func(byte) bool // what every byte must be
	Words    string          // the same for people, completing "it must be …"
}

// Fits reports whether a PIN has the form.
func (f PINForm) Fits(p PIN) (ok bool) {
	p.Reveal(func(b []byte) { ok = f.fits(b) })
	return ok
}

func (f PINForm) fits(b []byte) bool {
	return len(b) >= f.Min && len(b) <= f.Max && all(b, f.Each)
}

// Part returns the form of the i-th of n parts (from 0) that a PIN of this form
// is typed in: the earlier ones are longer by a character where it cannot be
// halved.
func (f PINForm) Part(i, n int) PINForm {
	low, high := (f.Min+n-1-i)/n, (f.Max+n-1-i)/n
	words := fmt.Sprintf("%d characters", low)
	if low != high {
		words = fmt.Sprintf("%d to %d characters", low, high)
	}
	return PINForm{Min: low, Max: high, Each: f.Each, Words: words + " (the whole has " + f.Words + ")"}
}

// Models is every model that a script can name.
var Models = map[string]Model{
	nitrokeyHSM.Name: nitrokeyHSM,
	softHSM2.Name:    softHSM2,
	generic.Name:     generic,
}

// Recognise returns the name of the model that a token is of; "generic" for
// one that is not known.
func Recognise(info TokenInfo) string {
	for name, m := range Models {
		if m.Recognises != nil && m.Recognises(info) {
			return name
		}
	}
	return generic.Name
}

// Takes reports whether a token can be of the model.
func (m Model) Takes(info TokenInfo) bool { return m.Recognises == nil || m.Recognises(info) }

// labelSize is the size of CK_TOKEN_INFO.label, in bytes, and cut what stands
// for the rest of one that was cut.
const (
	labelSize = 32
	cut       = "..."
)

// Labelled reports whether a token's label is the one asked for, as a module
// shows it: with its suffix behind what of the label there is room for, too.
func (m Model) Labelled(info TokenInfo, label string) bool {
	if info.Label == label {
		return true
	}
	if room := labelSize - len(m.Label.Suffix); len(label) > room {
		label = label[:room-len(cut)] + cut
	}
	return m.Label.Suffix != "" && info.Label == label+m.Label.Suffix
}

// Used says for people whether a token was in use before, as far as its flags
// show it.
func (m Model) Used(flags uint) string {
	switch {
	case flags&CKF_TOKEN_INITIALIZED == 0:
		return "it was never initialised"
	case m.FactoryInitialised:
		return "it does not tell: a new one says the same of itself"
	}
	return "it was initialised before"
}

// Rule returns the rule for one of the two PINs.
func (m Model) Rule(kind PINKind) PINRule {
	if kind == SOPIN {
		return m.SO
	}
	return m.User
}

// WithInfo returns the model with its PIN lengths narrowed to what a token
// says of itself (CK_TOKEN_INFO.ulMinPinLen, ulMaxPinLen), where that is believed.
func (m Model) WithInfo(info TokenInfo) Model {
	if !m.PINLengthsTold {
		return m
	}
	form := printable(4, 255).within(info.MinPIN, info.MaxPIN)
	m.SO.InUse, m.SO.New = form, form
	m.User.InUse, m.User.New = form, form
	return m
}

// printable is the form of a PIN of printable ASCII characters.
func printable(low, high int) PINForm {
	words := fmt.Sprintf("%d to %d characters: letters without accents, digits, signs", low, high)
	return PINForm{Min: low, Max: high, Each: isPrintable, Words: words}
}

// within narrows a form. A token that says nothing useful (0,
// CK_UNAVAILABLE_INFORMATION, limits that exclude each other) changes nothing.
func (f PINForm) within(low, high uint) PINForm {
	if low > high || high < uint(f.Min) {
		return f
	}
	return printable(int(max(low, uint(f.Min))), int(min(high, uint(f.Max))))
}

// WithPINRulesOf returns the model with the PIN forms of another one: in a
// rehearsal on SoftHSM2 people practise the PINs of the token that they will
// use, and what it would refuse is refused already. How tries are counted stays
// the property of the token that counts.
func (m Model) WithPINRulesOf(other Model) Model {
	m.SO.InUse, m.SO.New = other.SO.InUse, other.SO.New
	m.User.InUse, m.User.New = other.User.InUse, other.User.New
	return m
}

// FactoryPIN returns the PIN that a new token of this model has, and whether
// there is one. Where manuals name several user PINs it is the first.
func (m Model) FactoryPIN(kind PINKind) (PIN, bool) {
	if kind == SOPIN {
		return NewPIN([]byte(m.FactorySOPIN)), m.FactorySOPIN != ""
	}
	if len(m.FactoryUserPINs) == 0 {
		return PIN{}, false
	}
	return NewPIN([]byte(m.FactoryUserPINs[0])), true
}

// Tries is what a token's flags say of the tries left on one PIN.
type Tries int

// What CK_TOKEN_INFO's flags can say (pkcs11-base-v2.40, section 3.2, table of
// token information flags).
const (
	TriesNotTold Tries = iota // the model shows nothing in its flags
	TriesAll                  // no flag is set: no try was spent since the last success
	TriesLow                  // *_PIN_COUNT_LOW: at least one wrong try
	TriesLast                 // *_PIN_FINAL_TRY: one more wrong try locks it
	TriesNone                 // *_PIN_LOCKED
)

// String says it for people.
func (t Tries) String() string {
	switch t {
	case TriesAll:
		return "no wrong try since the last right one"
	case TriesLow:
		return "at least one wrong try was made"
	case TriesLast:
		return "one try is left: a wrong one locks it"
	case TriesNone:
		return "locked"
	}
	return "the token does not tell"
}

// Tries reads what a token's flags say of the tries left on a PIN. A token that
// is not initialised has no PIN whose tries could be counted.
func (m Model) Tries(kind PINKind, flags uint) Tries {
	low, last, none := CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED
	if kind == SOPIN {
		low, last, none = CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED
	}
	switch {
	case flags&CKF_TOKEN_INITIALIZED == 0:
		return TriesNotTold
	case flags&none != 0:
		return TriesNone
	case flags&last != 0:
		return TriesLast
	case flags&low != 0:
		return TriesLow
	case !m.Rule(kind).InFlags:
		return TriesNotTold
	}
	return TriesAll
}

// Judgements of an attribute.
const (
	Good    = "good"
	NotTold = "not told"
	Bad     = "bad"
)

// wanted is what the attributes of a CA's private key should read (the
// key leaves the module encrypted or not at all; BR 6.2, 6.2.6), with what the
// other value means.
var wanted = map[uint]struct {
	value     bool
	otherwise string
}{
	CKA_TOKEN:             {true, "the key is gone when the session ends"},
	CKA_PRIVATE:           {true, "the key can be used without a login"},
	CKA_SIGN:              {true, "the key cannot sign"},
	CKA_SENSITIVE:         {true, "the key can be read in clear"},
	CKA_EXTRACTABLE:       {false, "the key can leave the token"},
	CKA_ALWAYS_SENSITIVE:  {true, "the key could once be read in clear"},
	CKA_NEVER_EXTRACTABLE: {true, "the key could once leave the token"},
	CKA_LOCAL:             {true, "the key was not made on the token"},
}

// Judge says what an attribute of a private key, as a token of this model
// reports it, means: Good, NotTold or Bad, and why in words. present is false
// if the token does not know the attribute or does not tell it.
func (m Model) Judge(attr uint, value []byte, present bool) (judged, why string) {
	want, ok := wanted[attr]
	if !ok {
		return NotTold, "says nothing about where the key can go"
	}
	if !present {
		return NotTold, "the token does not tell"
	}
	got, err := Attribute{Type: attr, Value: value}.Bool()
	if err != nil {
		return Bad, "the value is neither true nor false"
	}
	if got == want.value {
		return Good, "as it should be"
	}
	if reason, ok := m.NotTold[attr]; ok && !got {
		return NotTold, reason
	}
	return Bad, want.otherwise
}

// contains reports whether s contains part, whatever the case.
func contains(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}
