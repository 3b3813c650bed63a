package audit

// Share is a share of a PIN as it was handed to its custodian, who typed it
// back. Its commitment is over the share and 128 random bits that belong to it
// alone (docs/shares.md): the share can be proved, and no PIN be tried.
type Share struct {
	Person     string `json:"person"`     // participant id of who holds it
	Secret     string `json:"secret"`     // "SO-PIN" or "user PIN"
	Token      string `json:"token"`      // the token's name in the script
	Set        string `json:"set"`        // tag of the shares of one splitting, hex
	Number     int64  `json:"number"`     // entries in the log when the PIN was split, from which the tag is made
	Index      int    `json:"index"`      // of the share, from 1
	Threshold  int    `json:"threshold"`  // how many of them make the PIN
	Shares     int    `json:"shares"`     // how many there are
	Shown      string `json:"shown"`      // "screen", cleared afterwards, or "slip", printed
	Commitment string `json:"commitment"` // SHA-256, hex
}

// ShareShown says that a share is shown to its custodian, or printed, from now on.
// It stands before that, so that a log knows every share that somebody may have
// seen, whatever becomes of it: a [Share] follows once all of its set were typed
// back, or a [ShareVoid].
type ShareShown struct {
	Person string `json:"person"`
	Secret string `json:"secret"` // "SO-PIN" or "user PIN"
	Token  string `json:"token"`
	Set    string `json:"set"`   // tag of the shares of one splitting, hex
	Index  int    `json:"index"` // of the share, from 1
	Shares int    `json:"shares"`
	Shown  string `json:"shown"` // "screen" or "slip"

	Printer string `json:"printer,omitempty"` // slip: the printer's device and page language
	Warning string `json:"warning,omitempty"` // why it cannot be known that nothing keeps what is printed
}

// ShareVoid says that shares which people have seen are of a PIN that was given up
// before it was the token's, or that another one has replaced: they open nothing,
// and the room was told to destroy them.
type ShareVoid struct {
	Secret  string   `json:"secret"` // "SO-PIN" or "user PIN"
	Token   string   `json:"token"`
	Set     string   `json:"set"`    // tag of the shares of one splitting, hex
	People  []string `json:"people"` // ids of those who saw one
	Because string   `json:"because"`
}

// ShareCheck says whether the share that somebody typed is the one that a log
// committed to.
type ShareCheck struct {
	Person     string `json:"person"`     // participant id of who typed the share
	Secret     string `json:"secret"`     // "SO-PIN" or "user PIN"
	Token      string `json:"token"`      // the token's name in the script
	Against    string `json:"against"`    // "this log" or "script": where the commitment is from
	Commitment string `json:"commitment"` // the one expected, hex
	Result     string `json:"result"`     // "right", or what is wrong with it
}

// ReadBack says that one person typed what they heard another read from the
// screen, and that it was compared. What was typed wrongly is not kept.
type ReadBack struct {
	Person string `json:"person"` // participant id of who typed it
	What   string `json:"what"`   // what was read
	Value  string `json:"value"`  // as the screen showed it
	Match  bool   `json:"match"`  // whether what was typed is what was shown

	Typed string `json:"typed,omitempty"` // as it was typed, if it matches and is not Value letter by letter
}
