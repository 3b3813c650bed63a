package audit

// When a try-ledger entry is written.
const (
	TriesDiffer = "differs" // a look showed what the log does not explain, or the script does not expect
	TriesEnd    = "end"     // the token was used for the last time, or the ceremony was given up
)

// TryLedger balances the tries of a token's PINs, from the entries before it.
type TryLedger struct {
	Token  string       `json:"token"`
	Serial string       `json:"serial"`
	At     string       `json:"at"` // "differs": the tries are not what log or script explain, and the step stops; "end": the balance
	PINs   []TryAccount `json:"pins"`
}

// TryAccount is the account of one PIN: start - spent + given_back + unexplained
// = left. A number that nobody has told is -1.
type TryAccount struct {
	PIN         string `json:"pin"`         // "SO-PIN" or "user PIN"
	Source      string `json:"source"`      // who tells: "card", its own count; "flags" of CK_TOKEN_INFO; "nobody"
	Says        string `json:"says"`        // what the source said last, in words; the tries are numbers with "card" alone
	Script      int    `json:"script"`      // tries at the start by the script
	Start       int    `json:"start"`       // tries when the card was asked first
	Spent       int    `json:"spent"`       // by calls of this log: refused, or nobody saw their outcome
	GivenBack   int    `json:"given_back"`  // by a right PIN, or by setting the PIN anew (negative if it then has fewer)
	Unexplained int    `json:"unexplained"` // by nothing in this log
	Left        int    `json:"left"`        // tries when the card was asked last
	Seen        int64  `json:"seen"`        // seq of that answer; -1 if there is none
	Differs     string `json:"differs"`     // what is not as log or script explain; "" if all is
}
