package token

import "time"

// generic is a token that nothing is known of: it is taken at its word, and
// PKCS#11 at the letter.
var generic = Model{
	Name:  "generic",
	Title: "PKCS#11 token",

	// Wide limits, narrowed to what the token says. Whether tries are counted is
	// not known, so they are treated as if each were precious. The flags of
	// CK_TOKEN_INFO are believed where they say that tries were spent, not where
	// they say nothing.
	SO:             PINRule{InUse: printable(4, 255), New: printable(4, 255), Tries: 3, Final: true},
	User:           PINRule{InUse: printable(4, 255), New: printable(4, 255), Tries: 3},
	PINLengthsTold: true,

	// As PKCS#11 has it.
	SOLoginChecks: true,
	Label:         LabelRule{Sticks: true},

	// The worst is expected.
	Away:            5 * time.Second,
	SerialFromStart: false,

	Backup: "Not known: see the maker's manual, before a key is made.",
	Origin: "Not known: its attributes are what it says of itself.",
}
