package token

import "time"

// softHSM2 is SoftHSM2, a token in software: for rehearsals and tests, since
// its keys are files.
var softHSM2 = Model{
	Name:  "softhsm2",
	Title: "SoftHSM2 (software, for rehearsals)",

	Module: "softhsm2",

	Recognises: func(info TokenInfo) bool { return contains(info.Manufacturer, "SoftHSM") },

	// It never locks a PIN. Its flags show COUNT_LOW after a wrong try and
	// nothing more, so they are no counter.
	SO:   PINRule{InUse: printable(4, 255), New: printable(4, 255)},
	User: PINRule{InUse: printable(4, 255), New: printable(4, 255)},

	// A new token is a free slot: CKF_TOKEN_INITIALIZED is unset, the first
	// C_InitToken sets the SO-PIN.
	FactoryInitialised: false,
	// The serial number is made by the first C_InitToken, and the slot's number
	// from it: the token moves.
	SerialFromStart: false,

	SOLoginChecks: true,

	Away: 0, // a folder on the disk is there or not

	Label: LabelRule{Sticks: true},

	Keys: map[string]Duration{
		"P-256":    {time.Second, 10 * time.Second},
		"P-384":    {time.Second, 10 * time.Second},
		"P-521":    {time.Second, 10 * time.Second},
		"RSA-2048": {time.Second, 30 * time.Second},
		"RSA-3072": {2 * time.Second, time.Minute},
		"RSA-4096": {5 * time.Second, 2 * time.Minute},
	},

	Backup: "Its keys are files: whoever copies the token's folder has them, under the user PIN alone.",
	Origin: "Nothing: its attributes are right, and anybody who can write to its folder can make them say anything.",
}
