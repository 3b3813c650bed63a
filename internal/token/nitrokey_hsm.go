package token

import "time"

// NitrokeyFactorySOPIN is the SO-PIN of every new SmartCard-HSM and Nitrokey
// HSM. It is printed in the maker's manual and on every forum: a token that
// still has it is open to anybody who holds it.
const NitrokeyFactorySOPIN = "3537363231383830"

// nitrokeyHSM is the SmartCard-HSM class of tokens (CardContact SmartCard-HSM,
// Nitrokey HSM 2) driven through opensc-pkcs11.
var nitrokeyHSM = Model{
	Name:  "nitrokey-hsm",
	Title: "Nitrokey HSM (SmartCard-HSM)",

	Module: "opensc",

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
		Tries: 15,
		Final: true, // the card can then never be initialised again
		// OpenSC 0.23 sets no flag for the SO-PIN, whatever was spent
		// (C_GetTokenInfo in its framework-pkcs15.c knows the user PIN alone).
		InFlags: false,
	},
	User: PINRule{
		// What is in use may have been set by other tools, up to the 15 bytes of
		// the token info.
		InUse: PINForm{Min: 6, Max: 15, Each: isPrintable, Words: "6 to 15 characters"},
		// The maker's guide says 6 to 8 digits; a PIN of 16 characters could be
		// set and never used again (OpenSC issue 1655).
		New:     PINForm{Min: 6, Max: 8, Each: isDigit, Words: "6 to 8 digits 0-9"},
		Tries:   3, // as OpenSC's C_InitToken sets it; then the SO unblocks it with C_InitPIN
		InFlags: true,
	},

	FactorySOPIN: NitrokeyFactorySOPIN,
	// CardContact's documentation names the first, Nitrokey's guide the second.
	FactoryUserPINs:    []string{"648219", "123456"},
	FactoryInitialised: true,
	SerialFromStart:    true, // that of the card

	Attests: true, // EF CExx and EF 2F02, until a certificate is stored for the key

	CardTells: true, // VERIFY without a PIN; 15 is also said of more

	// OpenSC keeps the SO-PIN given to C_Login and sends it with the call that
	// needs it (OpenSC issues 889, 1318). It keeps it for one C_InitPIN: a second
	// one in the same login spends a try of the SO-PIN, so that keyrite makes each
	// in a login of its own.
	SOLoginChecks: false,

	// INITIALIZE resets the card, and OpenSC looks for it anew.
	Away: 5 * time.Second,

	Label: LabelRule{
		// OpenSC adds the label of the PIN object, and cuts the token's to make
		// room: 22 bytes of it are seen, of a longer one 19 and three dots. On some cards what C_InitToken was given
		// did not stick.
		Sticks: false,
		Suffix: " (UserPIN)",
	},

	// The card makes the key, then OpenSC writes the file that describes it, and
	// shows only keys that have one.
	HidesKeys: true,

	NotTold: map[uint]string{
		CKA_SENSITIVE:         nitrokeyNotTold,
		CKA_ALWAYS_SENSITIVE:  nitrokeyNotTold,
		CKA_NEVER_EXTRACTABLE: nitrokeyNotTold,
		CKA_LOCAL:             nitrokeyNotTold,
		CKA_PRIVATE:           "the middleware reports false whatever is true; the card asks for the user PIN before any use of a key",
	},

	// As measured on the device; the card searches for RSA primes, so that takes
	// what it takes.
	Keys: map[string]Duration{
		"P-256":    {time.Second, 20 * time.Second},
		"P-384":    {time.Second, 20 * time.Second},
		"P-521":    {time.Second, 20 * time.Second},
		"RSA-2048": {15 * time.Second, 2 * time.Minute},
		"RSA-3072": {time.Minute, 8 * time.Minute},
		"RSA-4096": {4 * time.Minute, 20 * time.Minute},
	},

	Backup: "Only as a blob under the DKEK that both tokens share. The token gets one when a token-init step says dkek_shares; of one that was initialised without, a key that is made can never leave it, and there is no backup.",
	Origin: "The attributes say nothing (OpenSC does not know them). The card signs each key that it makes with its device key, and its certificates lead to the maker's root.",
}

const nitrokeyNotTold = "the middleware does not know it and reports false for every key; the card has no command that gives a key out in clear"
