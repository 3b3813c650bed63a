package audit

// Verdict is what a witness says of what was done up to here, in a step of the
// kind "verdict".
type Verdict struct {
	Person  string `json:"person"`            // participant id
	Agree   bool   `json:"agree"`             // whether they agree
	Because string `json:"because,omitempty"` // why not
	Size    int64  `json:"size"`              // entries the witness speaks of
	Head    string `json:"head"`              // root over them, hex
	Missing bool   `json:"missing,omitempty"` // the witness was asked and gave none, which is no agreement; because says why
	Note    string `json:"note,omitempty"`    // the same, signed with the witness's key: the whole signed note
	Exposed bool   `json:"exposed,omitempty"` // note is by a key that was unlocked on the ceremony machine, now or before
}

// WitnessKeyRead binds a witness's key at the roll call, after its words were
// read aloud.
type WitnessKeyRead struct {
	Person string `json:"person"`
	Key    string `json:"key"` // the verifier key, type 0x04
	How    string `json:"how"` // "script", or "adopted" for one that was brought to the roll call
}

// Cosigned is a cosignature that a witness gave in the room for the checkpoint
// of Size entries, which is kept with it.
type Cosigned struct {
	Person   string `json:"person"`
	Size     int64  `json:"size"`
	NoteLine string `json:"note_line"` // the line in the signed note, without its line feed

	Exposed bool `json:"exposed,omitempty"` // it is by a key that was unlocked on the ceremony machine, now or before
}

// WitnessKeyExposed says that a witness's key is unlocked on the ceremony
// machine to sign something there. It is written before the passphrase is
// asked for: from this entry on the key counts as exposed to the machine,
// whatever comes of it.
type WitnessKeyExposed struct {
	Person string `json:"person"` // participant id
	Key    string `json:"key"`    // the verifier key, type 0x04: that of the witness, or another one that the file held
	File   string `json:"file"`   // the key file's name on the medium
	For    string `json:"for"`    // "verdict", "cosignature" or "final cosignature"
}

// Kind returns "witness-key-exposed".
func (*WitnessKeyExposed) Kind() string { return "witness-key-exposed" }

// Freshness is a public value that nobody could know before it was published.
type Freshness struct {
	Source  string `json:"source"`  // who publishes it, as the script asks
	Value   string `json:"value"`   // as typed
	Claimed string `json:"claimed"` // since when it was public, as said: RFC 3339, UTC
	Person  string `json:"person"`  // who brought it
}
