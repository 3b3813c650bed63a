package token

// softHSM2 is SoftHSM2, a token in software: for rehearsals and tests, since
// its keys are files.
var softHSM2 = Model{
	Name:  "softhsm2",
	Title: "SoftHSM2 (software, for rehearsals)",

	Recognises: func(info TokenInfo) bool { return contains(info.Manufacturer, "SoftHSM") },

	// It never locks a PIN. Its flags show COUNT_LOW after a wrong try and
	// nothing more, so they are no counter.
	SO:   PINRule{InUse: printable(4, 255), New: printable(4, 255)},
	User: PINRule{InUse: printable(4, 255), New: printable(4, 255)},

	// A new token is a free slot: CKF_TOKEN_INITIALIZED is unset, the first
	// C_InitToken sets the SO-PIN.
	FactoryInitialised: false,

	SOLoginChecks: true,
	OneInitPIN:    false,

	InitResets:  false,
	InitMoves:   true, // the slot's number is made from the token's new serial number
	LabelSticks: true,
}
