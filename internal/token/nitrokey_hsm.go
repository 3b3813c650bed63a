package token

// NitrokeyFactorySOPIN is the SO-PIN of every new SmartCard-HSM and Nitrokey
// HSM. It is printed in the maker's manual and on every forum: a token that
// still has it is open to anybody who holds it.
const NitrokeyFactorySOPIN = "3537363231383830"

// nitrokeyHSM is the SmartCard-HSM class of tokens (CardContact SmartCard-HSM,
// Nitrokey HSM 2) driven through opensc-pkcs11.
var nitrokeyHSM = Model{
	Name:  "nitrokey-hsm",
	Title: "Nitrokey HSM (SmartCard-HSM)",

	// OpenSC reports the card's maker, whoever sells it; Nitrokey's serial
	// numbers begin with DENK.
	Recognises: func(info TokenInfo) bool {
		return contains(info.Manufacturer, "cardcontact") || contains(info.Label, "SmartCard-HSM")
	},

	SO: PINRule{
		// The card takes eight bytes, which OpenSC reads from 16 hex digits; any
		// other length is CKR_PIN_LEN_RANGE.
		InUse: PINForm{Min: 16, Max: 16, Each: isHexDigit, Words: "exactly 16 hexadecimal digits"},
		// One set through C_SetPIN with letters A-F did not match afterwards
		// (OpenSC issue 674): with digits alone both ways of reading it agree.
		New: PINForm{Min: 16, Max: 16, Each: isDigit,
			Words: "exactly 16 digits 0-9 (no letters: one with A-F did not match afterwards on some tokens, OpenSC issue 674)"},
		Tries:   15,
		Final:   true, // the card can then never be initialised again
		Counted: true,
	},
	User: PINRule{
		// What is in use may have been set by other tools, up to the 15 bytes of
		// the token info.
		InUse: PINForm{Min: 6, Max: 15, Each: isPrintable, Words: "6 to 15 characters"},
		// The maker's guide says 6 to 8 digits; a PIN of 16 characters could be
		// set and never used again (OpenSC issue 1655).
		New:     PINForm{Min: 6, Max: 8, Each: isDigit, Words: "6 to 8 digits 0-9"},
		Tries:   3, // then the SO unblocks it with C_InitPIN
		Counted: true,
	},

	FactorySOPIN: NitrokeyFactorySOPIN,
	// CardContact's documentation names the first, Nitrokey's guide the second.
	FactoryUserPINs:    []string{"648219", "123456"},
	FactoryInitialised: true,

	// OpenSC keeps the SO-PIN given to C_Login and sends it with the call that
	// needs it (OpenSC issues 889, 1318); it keeps it for one C_InitPIN.
	SOLoginChecks: false,
	OneInitPIN:    true,

	InitResets:  true,
	InitMoves:   false,
	LabelSticks: false,

	NotTold: map[uint]string{
		CKA_SENSITIVE:         nitrokeyNotTold,
		CKA_ALWAYS_SENSITIVE:  nitrokeyNotTold,
		CKA_NEVER_EXTRACTABLE: nitrokeyNotTold,
		CKA_LOCAL:             nitrokeyNotTold,
		CKA_PRIVATE:           "the middleware reports false whatever is true; the card asks for the user PIN before any use of a key",
	},
}

const nitrokeyNotTold = "the middleware does not know it and reports false for every key; the card has no command that gives a key out in clear"
