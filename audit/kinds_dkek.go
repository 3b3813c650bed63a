package audit

// DKEKShare says that a share of a device key encryption key was made and stands,
// encrypted under a password, in a file on a custodian's medium. Neither the
// share nor the file is in the bundle.
type DKEKShare struct {
	Person string `json:"person"` // whose password it is under
	File   File   `json:"file"`   // on the medium; of the bytes read back
	Check  string `json:"check"`  // check value of the share: the first 8 bytes of its SHA-256, hex
	Random int64  `json:"random"` // seq of the outcome of the C_GenerateRandom whose bytes went into it, beside the system's
}

// DKEKImport says that a token has a share of its device key encryption key, and
// what the token says of that key now.
type DKEKImport struct {
	Token       string `json:"token"`
	Serial      string `json:"serial"` // the token's
	Person      string `json:"person"` // who typed the password of the file
	File        File   `json:"file"`   // the share's, on the medium
	Check       string `json:"check"`  // check value of the share, hex
	Shares      int    `json:"shares"`
	Outstanding int    `json:"outstanding"`         // shares that are still missing
	KeyCheck    string `json:"key_check,omitempty"` // the token's key check value, hex, once no share is missing
	Call        int64  `json:"call"`                // seq of the outcome of the IMPORT DKEK SHARE, or of its intent if that is unknown
}

// KeyWrap says that a key left its token, encrypted under the device key
// encryption key, and stands in a file on a medium.
type KeyWrap struct {
	Key      string `json:"key"` // in the script
	Token    string `json:"token"`
	Serial   string `json:"serial"`
	KeyCheck string `json:"key_check"` // of the key that it is encrypted under, hex
	File     File   `json:"file"`      // on the medium; of the bytes read back
	Blob     string `json:"blob"`      // SHA-256 of what the token gave, hex
	Call     int64  `json:"call"`      // seq of the outcome of the WRAP KEY
}

// KeyUnwrap says that a second token took in a key that another one has wrapped.
// The key was not made in it, and nothing attests that it was.
type KeyUnwrap struct {
	Key      string `json:"key"` // in the script: the copy
	Of       string `json:"of"`  // the key that it is a copy of
	Token    string `json:"token"`
	Serial   string `json:"serial"`
	KeyCheck string `json:"key_check"` // the token's, which is that in the blob, hex
	File     File   `json:"file"`      // on the medium
	Blob     string `json:"blob"`      // SHA-256 of what the token was given, hex
	Call     int64  `json:"call"`      // seq of the outcome of the UNWRAP KEY, or of its intent if that is unknown
}

// KeyCompare says that the keys on two tokens signed the same challenge, and that
// one public key verifies both signatures.
type KeyCompare struct {
	Keys       []string `json:"keys"`       // in the script: the key and its copy
	Serials    []string `json:"serials"`    // of their tokens
	Challenge  File     `json:"challenge"`  // artifact
	Signatures []File   `json:"signatures"` // artifacts, one of each key
	SPKISHA256 string   `json:"spki_sha256"`
}

// ChallengeHead begins every challenge that keys sign to show that they are one:
// a CA's key signs nothing else that is no certificate and no CRL.
const ChallengeHead = "keyrite challenge v1: signed to show that two tokens hold the same key, for no other use\n"
