package audit

// Destroyed says that a key, or everything on a token, is no more, as the
// inventory after it shows.
type Destroyed struct {
	Token string `json:"token"`         // the token's name in the script
	Key   string `json:"key,omitempty"` // in the script; missing if the whole token was initialised again
	Call  int64  `json:"call"`          // seq of the outcome of the C_DestroyObject or C_InitToken that did it, or of its intent if that is unknown
	After int64  `json:"after"`         // seq of the inventory that shows it
}

// TypedBack is what one person read aloud and another typed back, and was found
// equal.
type TypedBack struct {
	What     string `json:"what"`     // "bag of hsm", "SHA-256 of SHA256SUMS", …
	Value    string `json:"value"`    // what both have
	Reader   string `json:"reader"`   // participant id of who read it aloud
	Person   string `json:"person"`   // of who typed it back
	Compared string `json:"compared"` // with what: "the script", "what the reader typed", "what was written", "what the machine says of itself"

	Typed string `json:"typed,omitempty"` // as it was typed, if that is not Value letter by letter: case and spaces do not count, and hex may be typed as PGP words
}

// Custody is who takes an item, and where to.
type Custody struct {
	Item   string `json:"item"`   // the item's name in the script
	Bag    string `json:"bag"`    // number of its bag; "none" if it is in none
	Person string `json:"person"` // participant id of who takes it
	Place  string `json:"place"`  // where it is taken
}

// Evidence refers to a photograph or a recording that is kept elsewhere.
type Evidence struct {
	Form     string `json:"form"`      // "photo", "video" or "other"
	ID       string `json:"id"`        // number or name of the photograph or recording
	TimeCode string `json:"time_code"` // where in it, or when
	Shows    string `json:"shows"`     // what it shows
	Person   string `json:"person"`    // who made it
}

// Asked is a question that somebody put during the ceremony, and its answer.
type Asked struct {
	Person   string `json:"person"` // who asked
	Question string `json:"question"`
	Answerer string `json:"answerer"` // who answered
	Answer   string `json:"answer"`
}

// Incident is something that happened in the room, which need not be a
// departure from the script.
type Incident struct {
	Person string `json:"person"` // who reports it
	What   string `json:"what"`   // what happened
	Action string `json:"action"` // what was done about it
}
