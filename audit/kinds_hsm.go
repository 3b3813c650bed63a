package audit

// Attribute is one attribute of a PKCS#11 template or object.
type Attribute struct {
	Type  string `json:"type"`            // CKA_ name
	Value string `json:"value"`           // true/false, CK_ULONG in decimal, text for CKA_LABEL, else hex
	Error string `json:"error,omitempty"` // CKR_ name when the token does not tell
}

// HSMIntent is written before a PKCS#11 function is called, or one of PC/SC to
// the same card. Members that a function does not take are left out; a PIN is
// always "[redacted]".
type HSMIntent struct {
	Function   string      `json:"function"`             // "C_Login"
	Module     *File       `json:"module,omitempty"`     // of C_Initialize: the PKCS#11 module
	Slot       string      `json:"slot,omitempty"`       // slot number
	Session    string      `json:"session,omitempty"`    // session handle
	User       string      `json:"user,omitempty"`       // "CKU_SO" or "CKU_USER"
	PIN        string      `json:"pin,omitempty"`        // "[redacted]" if one is given, whatever it is
	NewPIN     string      `json:"new_pin,omitempty"`    // the same of the new one
	Label      string      `json:"label,omitempty"`      // of C_InitToken
	Flags      []string    `json:"flags,omitempty"`      // CKF_ names
	Mechanism  string      `json:"mechanism,omitempty"`  // CKM_ name
	Parameter  string      `json:"parameter,omitempty"`  // hex
	Object     string      `json:"object,omitempty"`     // handle
	Template   []Attribute `json:"template,omitempty"`   // search, or public key
	Private    []Attribute `json:"private,omitempty"`    // private key
	Attributes []string    `json:"attributes,omitempty"` // of C_GetAttributeValue: CKA_ names that are asked for
	Data       string      `json:"data,omitempty"`       // C_Sign's input, hex; a command's data, hex, "sha256:" and a digest, or "[redacted]"
	Length     int         `json:"length,omitempty"`     // of C_GenerateRandom: bytes that are asked for
	Purpose    string      `json:"purpose,omitempty"`    // of C_GenerateRandom: serial, challenge, secret
	For        int64       `json:"for,omitempty"`        // of C_Sign: seq of the to-be-signed entry

	Reader  string `json:"reader,omitempty"`  // of a call of PC/SC: the reader's name
	Command string `json:"command,omitempty"` // of SCardTransmit: its name, "READ BINARY"
	Header  string `json:"header,omitempty"`  // of SCardTransmit: CLA INS P1 P2, hex
}

// HSMOutcome is written after the call, before anything else is.
type HSMOutcome struct {
	Intent     int64       `json:"intent"`                // seq of the intent
	Function   string      `json:"function"`              // as in the intent
	RV         string      `json:"rv"`                    // "CKR_OK"; "SCARD_S_SUCCESS" of PC/SC
	Micros     int64       `json:"micros"`                // how long the call took, microseconds
	Slots      []string    `json:"slots,omitempty"`       // of C_GetSlotList
	Module     *ModuleInfo `json:"module,omitempty"`      // of C_GetInfo
	SlotInfo   *SlotInfo   `json:"slot_info,omitempty"`   // of C_GetSlotInfo
	Token      *TokenInfo  `json:"token,omitempty"`       // of C_GetTokenInfo
	Mechanisms []string    `json:"mechanisms,omitempty"`  // of C_GetMechanismList
	KeySizes   *KeySizes   `json:"key_sizes,omitempty"`   // of C_GetMechanismInfo
	Session    string      `json:"session,omitempty"`     // of C_OpenSession: the handle
	State      string      `json:"state,omitempty"`       // CKS_ name
	Objects    []string    `json:"objects,omitempty"`     // of C_FindObjects: handles
	Attributes []Attribute `json:"attributes,omitempty"`  // of C_GetAttributeValue
	PublicKey  string      `json:"public_key,omitempty"`  // handle
	PrivateKey string      `json:"private_key,omitempty"` // handle
	Signature  string      `json:"signature,omitempty"`   // as the token gave it, hex
	Random     string      `json:"random,omitempty"`      // hex; only for purpose serial or challenge

	Readers []Reader `json:"readers,omitempty"` // of SCardListReaders
	Status  string   `json:"status,omitempty"`  // of SCardTransmit: the card's status word, four hex digits in capitals
	Data    string   `json:"data,omitempty"`    // of SCardTransmit: the card's answer, hex; "sha256:" and a digest; or "[redacted]"
}

// OK reports whether the call returned CKR_OK, or SCARD_S_SUCCESS by PC/SC.
func (o *HSMOutcome) OK() bool { return o.RV == "CKR_OK" || o.RV == "SCARD_S_SUCCESS" }

// A Reader is a card reader and the answer to reset of the card in it.
type Reader struct {
	Name string `json:"name"`
	ATR  string `json:"atr,omitempty"` // hex; missing if no card is in it
}

// KeySizes is CK_MECHANISM_INFO.
type KeySizes struct {
	Min   string   `json:"min"`   // ulMinKeySize
	Max   string   `json:"max"`   // ulMaxKeySize
	Flags []string `json:"flags"` // CKF_ names
}
