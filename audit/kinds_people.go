package audit

// ApproveRule says whose approval an act needs: that of Count distinct people
// who are present, are meant by Of and do not act themselves.
type ApproveRule struct {
	Count int      `json:"count"` // how many have to approve
	Of    []string `json:"of"`    // roles, or ids of participants
}

// Approval is what somebody said whose approval an act needs, before the act.
// A passphrase and its hash are in the memory of the program alone.
type Approval struct {
	Person  string `json:"person"`            // participant id
	Act     string `json:"act"`               // "step", or "skip" or "repeat" for what a deviation decides
	How     string `json:"how"`               // "passphrase", which was set at the roll call, or "key", the witness key bound there
	Result  string `json:"result"`            // "approved", "does not approve", "wrong passphrase", "no more tries" or "no signature"
	Because string `json:"because,omitempty"` // why it is not approved
	Size    int64  `json:"size,omitempty"`    // of a key: entries that the note speaks of
	Head    string `json:"head,omitempty"`    // root over them, hex
	Note    string `json:"note,omitempty"`    // the approval signed with the key: the whole signed note
}

// Passphrase says that somebody set the passphrase with which they approve,
// never which, nor how long it is.
type Passphrase struct {
	Person string `json:"person"`          // participant id
	Result string `json:"result"`          // "set", or why nothing was set
	Again  bool   `json:"again,omitempty"` // after a break: the one set before was in the memory of a program that has ended
}

// Presence says that somebody who was called at the roll call left the room or
// came back.
type Presence struct {
	Person  string `json:"person"`            // participant id
	Present bool   `json:"present"`           // true for who is back, false for who left
	Because string `json:"because,omitempty"` // why, as said
}

// Alternate says who takes the place of somebody absent, from here on in every
// step that names them.
type Alternate struct {
	Absent string `json:"absent"` // participant id
	Person string `json:"person"` // who takes the place
	How    string `json:"how"`    // "script" if the script names the alternate, "deviation" if the room decided it
}

// Refusal is somebody's no where an acknowledgement was asked for.
type Refusal struct {
	Person  string `json:"person"`  // participant id
	As      string `json:"as"`      // "actor", "witness" or "approver"
	What    string `json:"what"`    // the question asked
	Because string `json:"because"` // what they do not agree with, in their words
	Effect  string `json:"effect"`  // "stop" if the step's attempt ends with it, "continue" if it goes on
}
