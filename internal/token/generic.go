package token

// generic is a token that nothing is known of: it is taken at its word, and
// PKCS#11 at the letter.
var generic = Model{
	Name:  "generic",
	Title: "PKCS#11 token",

	// Wide limits, narrowed by WithInfo to what the token says. Whether tries
	// are counted is not known, so they are treated as if each were precious.
	SO:   PINRule{InUse: printable(4, 255), New: printable(4, 255), Tries: 3, Final: true},
	User: PINRule{InUse: printable(4, 255), New: printable(4, 255), Tries: 3},

	SOLoginChecks: true,
	OneInitPIN:    true, // logging out and in again harms no token

	// The worst is expected: look for the token by its serial number.
	InitResets:  true,
	InitMoves:   true,
	LabelSticks: true,
}
