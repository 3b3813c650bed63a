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
	Function   string      `json:"function"` // "C_Login"
	Module     *File       `json:"module,omitempty"`
	Slot       string      `json:"slot,omitempty"`
	Session    string      `json:"session,omitempty"`
	User       string      `json:"user,omitempty"` // "CKU_SO" or "CKU_USER"
	PIN        string      `json:"pin,omitempty"`
	NewPIN     string      `json:"new_pin,omitempty"`
	Label      string      `json:"label,omitempty"`
	Flags      []string    `json:"flags,omitempty"`
	Mechanism  string      `json:"mechanism,omitempty"`
	Parameter  string      `json:"parameter,omitempty"` // hex
	Object     string      `json:"object,omitempty"`    // handle
	Template   []Attribute `json:"template,omitempty"`  // search, or public key
	Private    []Attribute `json:"private,omitempty"`   // private key
	Attributes []string    `json:"attributes,omitempty"`
	Data       string      `json:"data,omitempty"` // C_Sign's input, hex; a command's data, hex, "sha256:" and a digest, or "[redacted]"
	Length     int         `json:"length,omitempty"`
	Purpose    string      `json:"purpose,omitempty"` // of C_GenerateRandom: serial, challenge, secret
	For        int64       `json:"for,omitempty"`     // of C_Sign: seq of the to-be-signed entry

	Reader  string `json:"reader,omitempty"`  // of a call of PC/SC: the reader's name
	Command string `json:"command,omitempty"` // of SCardTransmit: its name, "READ BINARY"
	Header  string `json:"header,omitempty"`  // of SCardTransmit: CLA INS P1 P2, hex
}

// HSMOutcome is written after the call, before anything else is.
type HSMOutcome struct {
	Intent     int64       `json:"intent"` // seq of the intent
	Function   string      `json:"function"`
	RV         string      `json:"rv"` // "CKR_OK"; "SCARD_S_SUCCESS" of PC/SC
	Micros     int64       `json:"micros"`
	Slots      []string    `json:"slots,omitempty"`
	Module     *ModuleInfo `json:"module,omitempty"`
	SlotInfo   *SlotInfo   `json:"slot_info,omitempty"`
	Token      *TokenInfo  `json:"token,omitempty"`
	Mechanisms []string    `json:"mechanisms,omitempty"`
	KeySizes   *KeySizes   `json:"key_sizes,omitempty"`
	Session    string      `json:"session,omitempty"`
	State      string      `json:"state,omitempty"` // CKS_ name
	Objects    []string    `json:"objects,omitempty"`
	Attributes []Attribute `json:"attributes,omitempty"`
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
	Min   string   `json:"min"`
	Max   string   `json:"max"`
	Flags []string `json:"flags"`
}
